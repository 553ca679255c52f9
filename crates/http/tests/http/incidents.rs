//! Lists of incidents, and one of them.
use crate::harness::{around, engine, get, open};
use serde_json::json;
use tollwatch_http::Limits;

async fn ids(query: &str) -> Vec<String> {
    let service = around(&open(), Limits::default(), engine()).service;
    let answer = get(&service, &format!("/api/v1/incidents{query}")).await;
    assert_eq!(answer.status, 200, "{query}: {}", answer.text);
    let page = answer.json();
    let incidents = page["incidents"].as_array().unwrap();
    incidents.iter().map(|one| one["incident"]["incident_id"].as_str().unwrap()[4..].to_owned()).collect()
}

#[tokio::test]
async fn a_list_shows_all_incidents_newest_first_and_is_narrowed_by_each_filter() {
    for (query, expected) in [
        ("", &["04", "02", "05", "01", "03"][..]),
        ("?state=open", &["04", "05", "01"]),
        ("?state=acknowledged", &["02"]),
        ("?state=resolved", &["03"]),
        ("?severity=warning", &["02"]),
        ("?tenant=osaka", &["04", "03"]),
        ("?rule=storm", &["04"]),
        ("?extension=105", &["04", "01"]),
        ("?extension=0105", &["02"]),
        ("?since=2026-11-24T17:05:00.5Z", &["04", "02"]),
        ("?until=2026-11-24T17:05:00Z", &["03"]),
        ("?since=2026-11-25T02:05:00%2B09:00&until=2026-11-24T17:05:01Z", &["02", "05", "01"]),
        ("?tenant=osaka&state=open&severity=critical&limit=1000", &["04"]),
        ("?tenant=nobody", &[]),
    ] {
        assert_eq!(ids(query).await, expected, "{query}");
    }
}

#[tokio::test]
async fn a_query_that_cannot_be_meant_is_refused() {
    let service = around(&open(), Limits::default(), engine()).service;
    for query in [
        "limit=0",
        "limit=1001",
        "limit=-1",
        "limit=",
        "limit=99999999999999999999",
        "state=closed",
        "state=",
        "severity=info",
        "since=yesterday",
        "until=2026-11-25",
        "since=2026-11-25T01:00:00",
        "cursor=",
        "cursor=x",
        "cursor=1.",
        "cursor=+1.inc-01",
        "cursor=99999999999999999999.inc-01",
        "tennant=osaka",
        "tenant=a&tenant=b",
        "tenant=",
        "state=%FF",
    ] {
        get(&service, &format!("/api/v1/incidents?{query}")).await.is_fault(400);
    }
}

#[tokio::test]
async fn one_incident_comes_with_its_evidence_which_is_bounded_and_says_what_it_leaves_out() {
    let service = around(&open(), Limits::default(), engine()).service;
    let one = get(&service, "/api/v1/incidents/inc-01").await.json();
    assert_eq!(one["incident"]["incident_id"], "inc-01");
    assert_eq!(one["state"], "open");
    assert_eq!(one["calls"].as_array().unwrap().len(), 50);
    assert_eq!(one["calls_not_shown"], 952);
    assert_eq!(one["calls"][0]["prefix"], "224");
    get(&service, "/api/v1/incidents/inc-99").await.is_fault(404);
    get(&service, &format!("/api/v1/incidents/{}", "x".repeat(201))).await.is_fault(400);
}

#[tokio::test]
async fn conditions_sources_rules_and_notifiers_are_shown_as_they_were_published() {
    let service = around(&open(), Limits::default(), engine()).service;
    let conditions = get(&service, "/api/v1/conditions").await.json();
    assert_eq!(conditions["conditions"][0]["condition"], "source_silent");
    assert_eq!(conditions["conditions"][0]["severity"], "critical");
    let sources = get(&service, "/api/v1/sources").await.json();
    assert_eq!(sources["sources"][0]["rejected_by_reason"], json!({ "time": 2, "width": 1 }));
    assert_eq!(sources["sources"][1]["state"], "waiting");
    let rules = get(&service, "/api/v1/rules").await.json();
    assert_eq!(rules["rules"][0]["rule"]["thresholds"][0]["critical"], 3);
    assert_eq!(rules["rules"][0]["reasons"], "docs/rules.md#high_risk_burst");
    let notifiers = get(&service, "/api/v1/notifiers").await.json();
    assert_eq!(notifiers["notifiers"][0]["dead"], 1);
}

#[tokio::test]
async fn what_is_published_next_is_what_the_next_request_reads() {
    let around = around(&open(), Limits::default(), engine());
    let list = "/api/v1/incidents";
    assert_eq!(get(&around.service, list).await.json()["incidents"].as_array().unwrap().len(), 5);
    around.view.publish(tollwatch_http::View::default());
    assert_eq!(get(&around.service, list).await.json(), json!({ "incidents": [], "next_cursor": null }));
}
