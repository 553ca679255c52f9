//! A webhook against a real receiver: what each answer means, and what is signed.
use crate::receiver::Receiver;
use crate::{clock, deliver, noon, of_kind};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tollwatch_detect::AlertReasonV1::Opened;
use tollwatch_notify::{Notifier, NotifyPlan, Outcome, RawNotify};

fn webhook(url: &str) -> Notifier {
    of_kind("webhook", &format!("url = \"{url}\"\ntimeout = \"1s\""), &[])
}

#[tokio::test]
async fn every_status_means_what_it_should() {
    let asked = |value: &str| vec![("retry-after", value.to_owned())];
    for (status, headers, expected) in [
        (200, vec![], "delivered"),
        (202, vec![], "delivered"),
        (301, vec![("location", "http://127.0.0.1:1/".to_owned())], "retry None"),
        (400, vec![], "refused"),
        (404, vec![], "refused"),
        (410, vec![], "gone"),
        (429, asked("7"), "retry Some(7s)"),
        (429, asked("Sun, 08 Mar 2026 12:05:00 GMT"), "retry Some(300s)"),
        (500, vec![], "retry None"),
        (503, asked("2"), "retry Some(2s)"),
    ] {
        let mut receiver = Receiver::start(status, headers, "x\u{1b}".repeat(100_000)).await;
        let outcome = deliver(&webhook(&receiver.url), Opened, noon()).await;
        let told = match &outcome {
            Outcome::Delivered => "delivered".to_owned(),
            Outcome::Retry { after, .. } => format!("retry {after:?}"),
            Outcome::Refused { .. } => "refused".to_owned(),
            Outcome::Gone { .. } => "gone".to_owned(),
        };
        assert_eq!(told, expected, "{status}: {outcome:?}");
        assert!(outcome.reason().is_none_or(|reason| reason.len() < 1000 && !reason.contains('\u{1b}')));
        assert!(receiver.take().is_some() && receiver.take().is_none(), "{status}");
    }
}

#[tokio::test]
async fn a_receiver_that_hangs_or_is_not_there_is_tried_again() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let outcome = deliver(&webhook(&url), Opened, noon()).await;
    assert!(matches!(outcome, Outcome::Retry { after: None, .. }), "{outcome:?}");
    drop(listener);
    let outcome = deliver(&webhook(&url), Opened, noon()).await;
    assert!(matches!(outcome, Outcome::Retry { after: None, .. }), "{outcome:?}");
}

#[tokio::test]
async fn both_keys_sign_what_is_sent_and_the_reference_implementation_agrees() {
    let mut receiver = Receiver::willing().await;
    let keys = [[1_u8; 24], [2; 24]].map(|key| format!("whsec_{}", STANDARD.encode(key)));
    let options = format!("url = \"{}\"\nsecret_envs = [\"OLD\", \"NEW\"]", receiver.url);
    let notifier = of_kind("webhook", &options, &[("OLD", &keys[0]), ("NEW", &keys[1])]);
    assert_eq!(deliver(&notifier, Opened, clock()).await, Outcome::Delivered);
    assert!(!format!("{notifier:?}").contains("AQEBAQEB"));
    let received = receiver.take().unwrap();
    let (headers, body) = (&received.headers, &received.body);
    for key in &keys {
        standardwebhooks::Webhook::new(key).unwrap().verify(body, headers).unwrap();
    }
    let other = STANDARD.encode([3_u8; 24]);
    assert!(standardwebhooks::Webhook::new(&other).unwrap().verify(body, headers).is_err());
    let body = received.json();
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

#[tokio::test]
async fn a_receiver_that_breaks_off_is_tried_again_and_a_slow_answer_does_not_undo_a_delivery() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    for (said, is_delivered) in [
        ("", false),
        ("HTTP/1.1 20", false),
        ("HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\nslow", true),
        ("HTTP/1.1 500 No\r\ncontent-length: 100000\r\n\r\nslow", false),
    ] {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let peer = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = [0; 16];
            stream.read_exact(&mut head).await.unwrap();
            stream.write_all(said.as_bytes()).await.unwrap();
            // Where a body was announced, the connection stays, and the rest of the body never comes.
            if said.ends_with("slow") { Some(stream) } else { None }
        });
        let outcome = deliver(&webhook(&url), Opened, noon()).await;
        let stream = peer.await.unwrap();
        assert_eq!(stream.is_some(), said.ends_with("slow"));
        assert_eq!(outcome == Outcome::Delivered, is_delivered, "{said:?}: {outcome:?}");
        assert!(is_delivered || matches!(outcome, Outcome::Retry { .. }), "{said:?}: {outcome:?}");
    }
}
