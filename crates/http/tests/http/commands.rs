//! What goes to the engine's thread and comes back.
use crate::harness::{around, engine, get, incident, mute, open, post, request, send, status};
use axum::body::Body;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::sync::Mutex;
use tollwatch_detect::Problem;
use tollwatch_http::{Command, DeliveryState, ExtensionV1, Limits, NumberV1, Refusal, ReloadedV1, RetriedV1};

/// The engine of these tests.
pub(crate) fn carry_out(command: Command) {
    let decided = |id: &str, state: &str, key: &str, by: String, note: Option<String>| {
        if id == "inc-03" {
            return Err(Refusal::Conflict("the incident is resolved".to_owned()));
        }
        if !["inc-01", "inc-02", "inc-04", "inc-05"].contains(&id) {
            return Err(Refusal::NotFound("there is no such incident".to_owned()));
        }
        let mut changed = incident(id, "default", "105", "2026-11-24T17:05:00Z", state);
        changed[key] = json!({ "by": by, "at": "2026-11-25T02:00:00Z", "note": note });
        Ok(status(changed))
    };
    match command {
        Command::Acknowledge { incident, by, note, reply } => {
            reply.send(decided(&incident, "acknowledged", "acknowledged", by, note));
        }
        Command::Resolve { incident, by, note, reply } => {
            reply.send(decided(&incident, "resolved", "resolved", by, note));
        }
        Command::Mute { request, reply } => {
            let mut made = mute("mute-2");
            for (key, value) in serde_json::to_value(&request).unwrap().as_object().unwrap() {
                made[key] = value.clone();
            }
            reply.send(Ok(serde_json::from_value(made).unwrap()));
        }
        Command::Unmute { mute, reply } => {
            let known = mute == "mute-1";
            reply.send(
                known.then_some(()).ok_or_else(|| Refusal::NotFound("there is no such mute".to_owned())),
            );
        }
        Command::Reload { reply } => {
            reply.send(Ok(ReloadedV1 { changed: vec!["rules".to_owned()], warnings: Vec::new() }));
        }
        Command::Extension { tenant, extension, reply } => {
            let windows = json!([
                { "rule": "high_risk_burst", "measure": "attempts", "window_seconds": 600, "value": "2",
                  "warning": "2", "critical": "3" },
                { "rule": "long_call", "measure": "longest_call", "window_seconds": null, "value": null,
                  "warning": null, "critical": "3600" },
            ]);
            reply.send(Ok(ExtensionV1 {
                tenant,
                extension,
                as_of: "2026-11-25T01:00:00Z".to_owned(),
                windows: serde_json::from_value(windows).unwrap(),
            }));
        }
        Command::Number { tenant, dialled, reply } => {
            let destination = json!({
                "prefix": "224", "country": "GN", "name_en": "Guinea", "name_ja": "ギニア", "tier": 1,
                "risk_sources": "example",
            });
            reply.send(Ok(NumberV1 {
                dialled,
                tenant: tenant.unwrap_or_else(|| "default".to_owned()),
                class: "international".to_owned(),
                number: Some("+224620000000".to_owned()),
                reading: "010 international".to_owned(),
                certainty: "certain".to_owned(),
                destination: serde_json::from_value(destination).unwrap(),
                rate_per_minute: Some("120.00".to_owned()),
                currency: "JPY".to_owned(),
                rules: vec!["high_risk_burst".to_owned()],
            }));
        }
        Command::RetryDead { notifier, alert_id, reply } => reply.send(if notifier == "on-call" {
            Ok(RetriedV1 { retried: if alert_id.is_some() { 1 } else { 7 } })
        } else {
            Err(Refusal::NotFound("there is no such notifier".to_owned()))
        }),
        Command::Deliveries { filter, reply } => {
            let mut delivery = delivery();
            delivery["state"] = json!(filter.state.unwrap_or(DeliveryState::Dead));
            delivery["notifier"] = json!(filter.notifier.unwrap_or_else(|| "on-call".to_owned()));
            let all = json!({ "deliveries": [delivery], "not_shown": filter.limit });
            reply.send(Ok(serde_json::from_value(all).unwrap()));
        }
        Command::RetryDeliveries { request, reply } => {
            reply.send(Ok(RetriedV1 { retried: request.alert_ids.map_or(7, |ids| ids.len() as u64) }));
        }
        Command::BeginDrill { request, reply } => {
            let mut begun = drill("drill-1");
            begun["by"] = json!(request.by);
            begun["tenant"] = json!(request.tenant.unwrap_or_else(|| "default".to_owned()));
            reply.send(Ok(serde_json::from_value(begun).unwrap()));
        }
        Command::Drill { drill: id, reply } => reply.send(if id == "drill-1" {
            Ok(serde_json::from_value(drill("drill-1")).unwrap())
        } else {
            Err(Refusal::NotFound("there is no such drill".to_owned()))
        }),
    }
}

fn delivery() -> Value {
    json!({
        "alert_id": "alr-1", "incident_id": "inc-01", "reason": "opened", "severity": "critical", "tenant": "default",
        "drill": false, "notifier": "on-call", "state": "dead", "attempts": 14, "last_error": "HTTP 503",
        "since": "2026-11-24T17:05:00Z", "next_at": null,
    })
}

fn drill(id: &str) -> Value {
    json!({
        "drill_id": id, "by": "suzuki", "tenant": "default", "started_at": "2026-11-25T01:00:00Z",
        "ends_at": "2026-11-25T01:10:00Z", "over": false, "calls": 3,
        "destination_en": "Guinea", "destination_ja": "ギニア",
        "incidents": [{ "incident_id": "drill-inc-1", "rule": "high_risk_burst", "severity": "critical" }],
        "notifiers": [{
            "notifier": "on-call", "state": "delivered", "alerts": 1, "delivered": 1, "first_milliseconds": 120,
            "last_milliseconds": 120, "failed_attempts": 0, "last_error": null,
        }],
    })
}

const ACKNOWLEDGE: &str = "/api/v1/incidents/inc-01/acknowledge";

#[tokio::test]
async fn what_people_say_of_an_incident_reaches_the_engine_and_its_answer_comes_back() {
    let service = around(&open(), Limits::default(), engine()).service;
    let answer = post(&service, ACKNOWLEDGE, r#"{"by": "山田", "note": "調査中"}"#).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let said = answer.json();
    assert_eq!(said["state"], "acknowledged");
    assert_eq!(said["acknowledged"]["by"], "山田");
    assert_eq!(said["acknowledged"]["note"], "調査中");
    let answer = post(&service, "/api/v1/incidents/inc-01/resolve", r#"{"by": "suzuki"}"#).await;
    assert_eq!(
        answer.json()["resolved"],
        json!({"by": "suzuki", "at": "2026-11-25T02:00:00Z", "note": null})
    );
    post(&service, "/api/v1/incidents/inc-03/resolve", r#"{"by": "suzuki"}"#).await.is_fault(409);
    post(&service, "/api/v1/incidents/inc-99/resolve", r#"{"by": "suzuki"}"#).await.is_fault(404);
}

#[tokio::test]
async fn a_mute_is_made_listed_and_ended() {
    let service = around(&open(), Limits::default(), engine()).service;
    let body = json!({
        "extension": "105", "until": "2026-12-01T09:00:00+09:00", "reason": "fax", "by": "suzuki",
    });
    let made = post(&service, "/api/v1/mutes", &body.to_string()).await;
    assert_eq!(made.status, 201, "{}", made.text);
    assert_eq!(made.json()["extension"], "105");
    assert_eq!(made.json()["tenant"], Value::Null);
    assert_eq!(get(&service, "/api/v1/mutes").await.json()["mutes"][0]["mute_id"], "mute-1");
    let end = |id: &str| request("DELETE", &format!("/api/v1/mutes/{id}")).body(Body::empty()).unwrap();
    let ended = send(&service, end("mute-1")).await;
    assert_eq!((ended.status.as_u16(), ended.text.as_str()), (204, ""));
    send(&service, end("mute-9")).await.is_fault(404);
}

#[tokio::test]
async fn every_fault_of_a_mute_is_named_and_none_of_them_reaches_the_engine() {
    let service = around(&open(), Limits::default(), |command| panic!("{command:?}")).service;
    let body = json!({ "until": "tomorrow", "reason": "", "by": "x".repeat(201) });
    let fault = post(&service, "/api/v1/mutes", &body.to_string()).await.is_fault(422);
    let places: Vec<&str> =
        fault["problems"].as_array().unwrap().iter().map(|p| p["place"].as_str().unwrap()).collect();
    assert_eq!(places, ["tenant", "until", "reason", "by"]);
    let empty = json!({ "rule": "", "until": "2026-12-01T00:00:00Z", "reason": "r", "by": "b" });
    let fault = post(&service, "/api/v1/mutes", &empty.to_string()).await.is_fault(422);
    assert_eq!(fault["problems"][0]["place"], "rule");
    // A null would mute more than was meant.
    let null =
        json!({ "tenant": null, "rule": "x", "until": "2026-12-01T00:00:00Z", "reason": "r", "by": "b" });
    post(&service, "/api/v1/mutes", &null.to_string()).await.is_fault(400);
    let fault = post(&service, ACKNOWLEDGE, &json!({"by": "", "note": "x".repeat(2_001)}).to_string()).await;
    assert_eq!(fault.is_fault(422)["problems"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn an_extension_and_a_number_are_looked_up_as_they_were_asked() {
    let service = around(&open(), Limits::default(), engine()).service;
    let answer = get(&service, "/api/v1/extensions/osaka%2Fwest/%E5%86%85%E7%B7%9A%201").await.json();
    assert_eq!((&answer["tenant"], &answer["extension"]), (&json!("osaka/west"), &json!("内線 1")));
    assert_eq!(answer["windows"][0]["value"], "2");
    let answer = get(&service, "/api/v1/numbers/*21*010224620000000%23?tenant=osaka").await.json();
    assert_eq!((&answer["dialled"], &answer["tenant"]), (&json!("*21*010224620000000#"), &json!("osaka")));
    get(&service, &format!("/api/v1/numbers/{}", "0".repeat(65))).await.is_fault(400);
    get(&service, "/api/v1/numbers/%FF").await.is_fault(400);
    get(&service, "/api/v1/numbers/0?customer=x").await.is_fault(400);
}

#[tokio::test]
async fn what_could_not_be_delivered_is_sent_again_one_or_all() {
    let service = around(&open(), Limits::default(), engine()).service;
    let path = "/api/v1/notifiers/on-call/retry";
    assert_eq!(post(&service, path, "{}").await.json()["retried"], 7);
    assert_eq!(post(&service, path, r#"{"alert_id": "alr-1"}"#).await.json()["retried"], 1);
    post(&service, "/api/v1/notifiers/nobody/retry", "{}").await.is_fault(404);
    // Nothing is not all.
    post(&service, path, r#"{"alert_id": ""}"#).await.is_fault(400);
}

#[tokio::test]
async fn a_configuration_that_is_refused_is_told_with_all_its_faults() {
    let service = around(&open(), Limits::default(), engine()).service;
    assert_eq!(post(&service, "/api/v1/reload", "{}").await.json()["changed"], json!(["rules"]));
    let refuse = |command| {
        let Command::Reload { reply } = command else { panic!("{command:?}") };
        let problem = |place: &str| Problem::new(place.to_owned(), "no duration".to_owned(), "such as 10m");
        reply.send(Err(Refusal::Unusable(vec![problem("rules[0].arm_for"), problem("rules[1].arm_for")])));
        true
    };
    let service = around(&open(), Limits::default(), refuse).service;
    let fault = post(&service, "/api/v1/reload", "{}").await.is_fault(422);
    assert_eq!(fault["problems"][1]["place"], "rules[1].arm_for");
    assert_eq!(fault["problems"][1]["hint"], "such as 10m");
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_does_not_answer_within_its_time_is_told_as_not_now() {
    let kept = Mutex::new(Vec::new());
    let keep = move |command| {
        kept.lock().unwrap().push(command);
        true
    };
    let service = around(&open(), Limits::default(), keep).service;
    let answer = post(&service, ACKNOWLEDGE, r#"{"by": "suzuki"}"#).await;
    let fault = answer.is_fault(503);
    assert_eq!(answer.header("retry-after"), "5");
    assert!(fault["hint"].as_str().unwrap().contains("may still"), "{fault}");
}

#[tokio::test]
async fn an_engine_that_is_full_stopping_or_out_of_disk_is_told_as_not_now() {
    for (submit, seconds) in [
        (Box::new(|_| false) as Box<dyn Fn(Command) -> bool + Send + Sync>, "1"),
        (
            Box::new(|command| {
                drop(command);
                true
            }),
            "10",
        ),
        (
            Box::new(|command| {
                let Command::Acknowledge { reply, .. } = command else { panic!("{command:?}") };
                assert!(reply.is_awaited());
                reply.send(Err(Refusal::NotDurable("no space left on device".to_owned())));
                true
            }),
            "10",
        ),
    ] {
        let service = around(&open(), Limits::default(), submit).service;
        let answer = post(&service, ACKNOWLEDGE, r#"{"by": "suzuki"}"#).await;
        answer.is_fault(503);
        assert_eq!(answer.header("retry-after"), seconds);
    }
}

#[tokio::test]
async fn bodies_that_are_not_what_they_should_be_never_reach_the_engine() {
    let service = around(&open(), Limits::default(), |command| panic!("{command:?}")).service;
    for bad in [
        "",
        "null",
        "[]",
        "{",
        r#"{"by": 1}"#,
        r#"{"note": "x"}"#,
        r#"{"by": "a", "admin": true}"#,
        r#"{"by": "a", "by": "b"}"#,
        "{\"by\": \"a\"} x",
    ] {
        post(&service, ACKNOWLEDGE, bad).await.is_fault(400);
    }
    let long = format!(r#"{{"by": "{}"}}"#, "x".repeat(64 * 1024));
    post(&service, ACKNOWLEDGE, &long).await.is_fault(413);
    for kind in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "",
        "application/jsonx",
        "text/plain; application/json",
    ] {
        let request = request("POST", ACKNOWLEDGE).header("content-type", kind);
        send(&service, request.body(Body::from(r#"{"by": "a"}"#)).unwrap()).await.is_fault(415);
    }
    let none = request("POST", ACKNOWLEDGE).body(Body::from(r#"{"by": "a"}"#)).unwrap();
    send(&service, none).await.is_fault(415);
}

#[tokio::test]
async fn json_is_json_however_it_is_spelled() {
    let service = around(&open(), Limits::default(), engine()).service;
    for kind in ["application/json", "Application/JSON; charset=utf-8", " application/json ;x=y"] {
        let request = request("POST", ACKNOWLEDGE).header("content-type", kind);
        let answer = send(&service, request.body(Body::from(r#"{"by": "a"}"#)).unwrap()).await;
        assert_eq!(answer.status, 200, "{kind}: {}", answer.text);
    }
}

#[tokio::test]
async fn a_command_that_is_logged_shows_no_number_and_no_word_of_a_person() {
    let seen = std::sync::Arc::new(Mutex::new(String::new()));
    let log = std::sync::Arc::clone(&seen);
    let submit = move |command| {
        write!(log.lock().unwrap(), "{command:?}").unwrap();
        false
    };
    let service = around(&open(), Limits::default(), submit).service;
    get(&service, "/api/v1/numbers/010224620000000").await.is_fault(503);
    post(&service, ACKNOWLEDGE, r#"{"by": "suzuki"}"#).await.is_fault(503);
    assert_eq!(*seen.lock().unwrap(), r#"Command("number")Command("acknowledge")"#);
}

#[tokio::test]
async fn what_was_not_delivered_is_listed_and_sent_again_only_where_something_says_which() {
    let service = around(&open(), Limits::default(), engine()).service;
    let found = get(&service, "/api/v1/deliveries?state=pending&notifier=pager&limit=3").await.json();
    assert_eq!((&found["deliveries"][0]["state"], &found["not_shown"]), (&json!("pending"), &json!(3)));
    assert_eq!(found["deliveries"][0]["notifier"], "pager");
    get(&service, "/api/v1/deliveries?limit=1001").await.is_fault(400);
    get(&service, "/api/v1/deliveries?state=gone").await.is_fault(400);
    let retry = async |body: Value| post(&service, "/api/v1/deliveries/retry", &body.to_string()).await;
    assert_eq!(retry(json!({ "alert_ids": ["a", "b"] })).await.json()["retried"], 2);
    assert_eq!(retry(json!({ "all": true })).await.json()["retried"], 7);
    for vague in [json!({}), json!({ "all": false }), json!({ "alert_ids": [] }), json!({ "notifier": "" })] {
        retry(vague).await.is_fault(422);
    }
    retry(json!({ "notifier": null })).await.is_fault(400);
}

#[tokio::test]
async fn a_drill_is_begun_and_looked_after() {
    let service = around(&open(), Limits::default(), engine()).service;
    let begun = post(&service, "/api/v1/drills", r#"{"by": "suzuki", "tenant": "osaka"}"#).await;
    assert_eq!((begun.status.as_u16(), &begun.json()["tenant"]), (201, &json!("osaka")));
    assert_eq!(get(&service, "/api/v1/drills/drill-1").await.json()["notifiers"][0]["state"], "delivered");
    get(&service, "/api/v1/drills/drill-2").await.is_fault(404);
    let fault = post(&service, "/api/v1/drills", r#"{"by": "", "lasting_seconds": 0}"#).await.is_fault(422);
    let places: Vec<&str> =
        fault["problems"].as_array().unwrap().iter().map(|p| p["place"].as_str().unwrap()).collect();
    assert_eq!(places, ["by", "lasting_seconds"]);
}
