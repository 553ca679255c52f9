//! What the channels that speak JSON by HTTP say.
use crate::receiver::Receiver;
use crate::{about_calls, deliver, noon, of_kind};
use serde_json::json;
use tollwatch_detect::AlertReasonV1::{Acknowledged, Escalated, Opened, Resolved};
use tollwatch_notify::{NotifyPlan, Outcome, RawNotify};

const KEY: &str = "R0123456789ABCDEF0123456789ABCDE";

#[tokio::test]
async fn pagerduty_triggers_acknowledges_and_resolves_one_incident() {
    let mut receiver = Receiver::willing().await;
    let options = format!("url = \"{}\"\nrouting_key_env = \"KEY\"", receiver.url);
    let notifier = of_kind("pagerduty", &options, &[("KEY", KEY)]);
    let mut told = Vec::new();
    for reason in [Opened, Escalated, Acknowledged, Resolved] {
        assert_eq!(deliver(&notifier, reason, noon()).await, Outcome::Delivered);
        let event = receiver.take().unwrap().json();
        assert_eq!(event["routing_key"], KEY);
        assert_eq!(event["dedup_key"], about_calls(reason).0.incident_id());
        told.push((event["event_action"].clone(), event["payload"]["severity"].clone()));
    }
    let expected = [
        ("trigger", "warning"),
        ("trigger", "critical"),
        ("acknowledge", "critical"),
        ("resolve", "critical"),
    ];
    assert_eq!(told, expected.map(|(action, severity)| (json!(action), json!(severity))));
    assert!(!format!("{notifier:?}").contains(KEY));
}

#[tokio::test]
async fn a_secret_that_the_other_side_repeats_is_not_in_the_reason() {
    let receiver = Receiver::start(400, Vec::new(), format!("bad key {KEY}")).await;
    let options = format!("url = \"{}\"\nrouting_key_env = \"KEY\"", receiver.url);
    let outcome = deliver(&of_kind("pagerduty", &options, &[("KEY", KEY)]), Opened, noon()).await;
    assert_eq!(outcome.reason(), Some("HTTP 400: bad key [redacted]"));
}

#[tokio::test]
async fn a_cloud_event_has_what_version_1_0_asks_for() {
    let mut receiver = Receiver::willing().await;
    let options = format!("url = \"{}\"\nformat = \"cloudevents\"", receiver.url);
    let (mut alert, site) = about_calls(Opened);
    alert.tenant = "Osaka 本社/1".to_owned();
    let outcome = of_kind("webhook", &options, &[]).deliver(&alert, site, noon()).await;
    assert_eq!(outcome, Outcome::Delivered);
    let received = receiver.take().unwrap();
    assert_eq!(received.headers["content-type"], "application/cloudevents+json; charset=utf-8");
    assert_eq!(
        received.json(),
        json!({
            "specversion": "1.0",
            "id": alert.alert_id,
            "source": "/tollwatch/Osaka%20%E6%9C%AC%E7%A4%BE%2F1",
            "type": "com.tollwatch.alert.opened.v1",
            "subject": alert.incident_id(),
            "time": "2026-03-07T18:20:00Z",
            "datacontenttype": "application/json",
            "data": alert,
        })
    );
}

#[tokio::test]
async fn slack_and_teams_get_the_text_in_the_language_of_the_notifier() {
    let mut receiver = Receiver::willing().await;
    for (kind, language, said) in [
        ("slack", "en", "What to do now"),
        ("slack", "ja", "今すぐ行うこと"),
        ("teams", "en", "What to do now"),
        ("teams", "ja", "今すぐ行うこと"),
    ] {
        let options = format!("url_env = \"URL\"\nlanguage = \"{language}\"");
        let notifier = of_kind(kind, &options, &[("URL", &receiver.url)]);
        assert_eq!(deliver(&notifier, Opened, noon()).await, Outcome::Delivered);
        assert!(receiver.take().unwrap().json().to_string().contains(said), "{kind} {language}");
    }
}

#[tokio::test]
async fn a_template_writes_any_body_with_secret_headers() {
    let mut receiver = Receiver::willing().await;
    let options = format!(
        "url = \"{}\"\nmethod = \"PUT\"\n\
         body = '{{\"message\": {{{{ subject }}}}, \"alias\": {{{{ alert.alert_id }}}}}}'\n\
         headers = {{ Authorization = {{ env = \"KEY\", before = \"GenieKey \" }}, X-Priority = \"1\" }}",
        receiver.url
    );
    let notifier = of_kind("template", &options, &[("KEY", KEY)]);
    assert_eq!(deliver(&notifier, Opened, noon()).await, Outcome::Delivered);
    let received = receiver.take().unwrap();
    assert_eq!(received.method, "PUT");
    assert_eq!(received.headers["authorization"], format!("GenieKey {KEY}"));
    assert_eq!(received.headers["x-priority"], "1");
    assert_eq!(received.headers["content-type"], "application/json");
    assert_eq!(received.json()["alias"], about_calls(Opened).0.alert_id);
    assert!(received.json()["message"].as_str().unwrap().contains("extension 105"));
    assert!(!format!("{notifier:?}").contains(KEY));
}

#[test]
fn a_template_of_json_that_writes_none_is_a_problem_before_anything_happens() {
    // The value writes its own quotes.
    let text = "[[notifiers]]\nname = \"a\"\ntype = \"template\"\nurl = \"https://hooks.example.com/\"\n\
                body = '{\"text\": \"{{ subject }}\"}'\n";
    let raw: RawNotify = toml::from_str(text).unwrap();
    let mut problems = Vec::new();
    NotifyPlan::validate(&raw, &mut problems);
    assert_eq!(problems.len(), 1);
    assert_eq!(problems[0].place, "notifiers[0].body");
}
