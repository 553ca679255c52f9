//! A webhook against a real receiver: what each answer means, and what is signed.
use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use base64::Engine as _;
use chrono::{DateTime, Utc};
use std::sync::{Arc, Mutex};
use tollwatch_notify::{Notifier, NotifyPlan, Outcome, RawNotify, sample_alerts};

type Seen = Arc<Mutex<Vec<(HeaderMap, Bytes)>>>;

async fn receiver(status: u16, headers: Vec<(&'static str, String)>, answer: String) -> (String, Seen) {
    let seen = Seen::default();
    let kept = Arc::clone(&seen);
    let handler = move |given: HeaderMap, body: Bytes| async move {
        kept.lock().unwrap().push((given, body));
        let mut said = HeaderMap::new();
        for (name, value) in headers {
            said.insert(name, value.parse().unwrap());
        }
        (StatusCode::from_u16(status).unwrap(), said, answer)
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/hook", post(handler))).await });
    (url, seen)
}

fn notifier(text: &str, secrets: &[(&str, &str)]) -> Notifier {
    let raw: RawNotify = toml::from_str(text).unwrap();
    let mut problems = Vec::new();
    let plan = NotifyPlan::validate(&raw, &mut problems);
    assert_eq!(problems, []);
    let secret =
        |name: &str| secrets.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    plan.build(None, &secret).unwrap().notifiers.remove(0)
}

fn webhook(url: &str) -> Notifier {
    let text = format!(
        "[[notifiers]]\nname = \"hook\"\ntype = \"webhook\"\nurl = \"{url}\"\nallow_private = true\ntimeout = \"1s\"\n"
    );
    notifier(&text, &[])
}

/// The reference implementation looks at the clock, so what it is shown has to be new.
#[expect(clippy::disallowed_methods, reason = "a signature has to be of now")]
fn clock() -> DateTime<Utc> {
    std::time::SystemTime::now().into()
}

async fn deliver(notifier: &Notifier, now: DateTime<Utc>) -> Outcome {
    let (alert, site) = sample_alerts().remove(0);
    notifier.deliver(&alert, site, now).await
}

#[tokio::test]
async fn every_status_means_what_it_should() {
    let now: DateTime<Utc> = "2026-03-07T18:00:00Z".parse().unwrap();
    let asked = |value: &str| vec![("retry-after", value.to_owned())];
    for (status, headers, expected) in [
        (200, vec![], "delivered"),
        (202, vec![], "delivered"),
        (301, vec![("location", "http://127.0.0.1:1/".to_owned())], "retry None"),
        (400, vec![], "refused"),
        (404, vec![], "refused"),
        (410, vec![], "gone"),
        (429, asked("7"), "retry Some(7s)"),
        (429, asked("Sat, 07 Mar 2026 18:05:00 GMT"), "retry Some(300s)"),
        (500, vec![], "retry None"),
        (503, asked("2"), "retry Some(2s)"),
    ] {
        let (url, seen) = receiver(status, headers, "x\u{1b}".repeat(100_000)).await;
        let outcome = deliver(&webhook(&url), now).await;
        let told = match &outcome {
            Outcome::Delivered => "delivered".to_owned(),
            Outcome::Retry { after, .. } => format!("retry {after:?}"),
            Outcome::Refused { .. } => "refused".to_owned(),
            Outcome::Gone { .. } => "gone".to_owned(),
        };
        assert_eq!(told, expected, "{status}: {outcome:?}");
        assert!(outcome.reason().is_none_or(|reason| reason.len() < 1000 && !reason.contains('\u{1b}')));
        assert_eq!(seen.lock().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn a_receiver_that_hangs_or_is_not_there_is_tried_again() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let outcome = deliver(&webhook(&url), clock()).await;
    assert!(matches!(outcome, Outcome::Retry { after: None, .. }), "{outcome:?}");
    drop(listener);
    let outcome = deliver(&webhook(&url), clock()).await;
    assert!(matches!(outcome, Outcome::Retry { after: None, .. }), "{outcome:?}");
}

#[tokio::test]
async fn both_keys_sign_what_is_sent_and_the_reference_implementation_agrees() {
    let (url, seen) = receiver(204, vec![], String::new()).await;
    let keys = [[1_u8; 24], [2; 24]]
        .map(|key| format!("whsec_{}", base64::engine::general_purpose::STANDARD.encode(key)));
    let text = format!(
        "[[notifiers]]\nname = \"hook\"\ntype = \"webhook\"\nurl = \"{url}\"\nallow_private = true\n\
         secret_envs = [\"OLD\", \"NEW\"]\n"
    );
    let notifier = notifier(&text, &[("OLD", &keys[0]), ("NEW", &keys[1])]);
    assert_eq!(deliver(&notifier, clock()).await, Outcome::Delivered);
    assert!(!format!("{notifier:?}").contains("AQEBAQEB"));
    let (headers, body) = seen.lock().unwrap().pop().unwrap();
    for key in &keys {
        standardwebhooks::Webhook::new(key).unwrap().verify(&body, &headers).unwrap();
    }
    let other = base64::engine::general_purpose::STANDARD.encode([3_u8; 24]);
    assert!(standardwebhooks::Webhook::new(&other).unwrap().verify(&body, &headers).is_err());
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["type"], "tollwatch.alert.opened");
    assert_eq!(headers["webhook-id"], body["data"]["alert_id"].as_str().unwrap());
}

#[test]
fn a_private_receiver_is_refused_unless_it_is_allowed_and_unknown_options_are_named() {
    let raw: RawNotify =
        toml::from_str("[[notifiers]]\nname = \"a\"\ntype = \"webhook\"\nurl = \"http://10.0.0.1/\"\n")
            .unwrap();
    let mut problems = Vec::new();
    NotifyPlan::validate(&raw, &mut problems);
    assert_eq!(problems[0].place, "notifiers[0].url");
    assert!(problems[0].problem.contains("allow_private"), "{}", problems[0]);
    let unknown =
        toml::from_str::<RawNotify>("[[notifiers]]\nname = \"a\"\ntype = \"slack\"\nurl_evn = \"X\"\n");
    assert!(unknown.unwrap_err().to_string().contains("url_evn"));
}
