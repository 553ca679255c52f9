//! Words of attackers in every channel: whatever they are, the channel's framing holds.
use crate::mail::{PLAIN, mail, server};
use crate::receiver::Receiver;
use crate::syslog::{connection, datagram, syslog};
use crate::{about_calls, noon, of_kind};
use proptest::prelude::*;
use serde_json::Value;
use tokio::net::{TcpListener, UdpSocket};
use tollwatch_detect::AlertReasonV1::Opened;
use tollwatch_detect::{AboutV1, AlertV1};
use tollwatch_notify::{Notifier, Outcome, Site, sample_alerts};

/// What makes a header, a mail, a link, markup, a command or a template, or turns the direction of writing.
const WEAPONS: &[&str] = &[
    "\r\nBcc: all@example.com\r\n",
    "\r\n.\r\nMAIL FROM:<x@example.com>\r\n",
    "\n\n",
    "<script>alert(1)</script>",
    "<!channel>",
    "<https://x.example|bank>",
    "[bank](https://x.example)",
    "</pre>",
    "\u{202e}",
    "\u{2066}",
    "\u{2028}",
    "\u{feff}",
    "\u{1b}[2J",
    "\u{9b}2J",
    "\0",
    "{{ 7 * 7 }}",
    "{% endif %}",
    "$(id); `id`",
    "\"",
    "\\",
    "&a=b",
    "%0d%0a",
    "=?utf-8?b?QmNjOg==?=",
    "日本",
];

fn hostile() -> impl Strategy<Value = String> {
    let pieces = prop_oneof![
        6 => prop::sample::select(WEAPONS).prop_map(str::to_owned),
        1 => prop::collection::vec(any::<u8>(), 0..40).prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        1 => (prop::sample::select(WEAPONS), 1_usize..200).prop_map(|(weapon, times)| weapon.repeat(times)),
    ];
    prop::collection::vec(pieces, 1..6).prop_map(|pieces| pieces.concat())
}

/// Alerts of both kinds that say this wherever somebody else's words may stand.
fn alerts(text: &str) -> Vec<(AlertV1, Site)> {
    let mut alerts: Vec<_> = sample_alerts().into_iter().take(3).collect();
    for (alert, _) in &mut alerts {
        text.clone_into(&mut alert.tenant);
        match &mut alert.about {
            AboutV1::Calls(incident) => {
                text.clone_into(&mut incident.rule);
                text.clone_into(&mut incident.scope.value);
                incident.extensions = vec![text.to_owned(); 30];
                incident.call_ids = vec![text.to_owned()];
                for destination in &mut incident.destinations {
                    text.clone_into(&mut destination.prefix);
                    text.clone_into(&mut destination.country);
                    text.clone_into(&mut destination.name);
                }
            }
            AboutV1::Service(condition) => {
                text.clone_into(&mut condition.subject);
                text.clone_into(&mut condition.detail_en);
                text.clone_into(&mut condition.detail_ja);
            }
        }
    }
    alerts
}

/// Line feeds are part of a text; nothing else that steers anything is.
fn is_clean(text: &str) -> bool {
    let steers = |c: char| {
        (c.is_control() && c != '\n')
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    !text.chars().any(steers)
}

/// All texts within a value.
fn texts(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) => vec![text],
        Value::Array(values) => values.iter().flat_map(texts).collect(),
        Value::Object(values) => values.values().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

async fn sent(notifier: &Notifier, (alert, site): &(AlertV1, Site)) {
    assert_eq!(notifier.deliver(alert, *site, noon()).await, Outcome::Delivered);
}

async fn by_http(alert: &(AlertV1, Site)) {
    let mut receiver = Receiver::willing().await;
    let url = receiver.url.clone();
    let secrets = [("URL", url.as_str()), ("KEY", "0123456789")];
    let at = |options: &str| format!("url = \"{url}\"\n{options}");
    let by_secret = "url_env = \"URL\"".to_owned();

    sent(&of_kind("webhook", &at(""), &[]), alert).await;
    let body = receiver.take().unwrap().json();
    assert_eq!(serde_json::from_value::<AlertV1>(body["data"].clone()).unwrap(), alert.0);

    sent(&of_kind("webhook", &at("format = \"cloudevents\""), &[]), alert).await;
    let body = receiver.take().unwrap().json();
    assert_eq!(serde_json::from_value::<AlertV1>(body["data"].clone()).unwrap(), alert.0);
    let source = body["source"].as_str().unwrap();
    assert!(source.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/-._~%".contains(&byte)), "{source}");

    sent(&of_kind("slack", &by_secret, &secrets), alert).await;
    let body = receiver.take().unwrap().json();
    for text in texts(&body) {
        let plain = text.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "");
        assert!(is_clean(text) && !plain.contains(['<', '>', '&']), "{text:?}");
    }

    sent(&of_kind("teams", &by_secret, &secrets), alert).await;
    let body = receiver.take().unwrap().json();
    assert!(body.to_string().len() <= 28 * 1024);
    assert!(texts(&body).iter().all(|text| is_clean(text) && *text != "TextBlock"), "{body}");

    sent(&of_kind("pagerduty", &at("routing_key_env = \"KEY\""), &secrets), alert).await;
    let body = receiver.take().unwrap().json();
    assert!(texts(&body).iter().all(|text| is_clean(text)), "{body}");
    assert!(body["payload"]["summary"].as_str().unwrap().len() <= 1024);

    sent(&of_kind("alertmanager", &format!("urls = [\"{url}\"]"), &[]), alert).await;
    let body = receiver.take().unwrap().json();
    assert!(texts(&body).iter().all(|text| is_clean(text)), "{body}");
    assert!(texts(&body[0]["labels"]).iter().all(|text| text.chars().count() <= 64), "{body}");

    let body = "body = '{\"text\": {{ body }}, \"who\": {{ alert.tenant }}}'";
    sent(&of_kind("template", &at(body), &[]), alert).await;
    let body = receiver.take().unwrap().json();
    assert_eq!(body["who"], alert.0.tenant);
    assert_eq!(body.as_object().unwrap().len(), 2);

    let form =
        "content_type = \"application/x-www-form-urlencoded\"\nbody = 'a={{ body }}&b={{ alert.tenant }}'";
    sent(&of_kind("template", &at(form), &[]), alert).await;
    let body = String::from_utf8(receiver.take().unwrap().body.to_vec()).unwrap();
    assert!(body.starts_with("a=") && body.matches('&').count() == 1 && body.matches('=').count() == 2);
    assert!(body.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"=&-._~%+".contains(&byte)), "{body}");

    let page = "content_type = \"text/html\"\nbody = '<p>{{ body }}</p><p>{{ alert.tenant }}</p>'";
    sent(&of_kind("template", &at(page), &[]), alert).await;
    let body = String::from_utf8(receiver.take().unwrap().body.to_vec()).unwrap();
    assert_eq!((body.matches('<').count(), body.matches('>').count()), (4, 4), "{body}");
    assert!(receiver.take().is_none());
}

async fn by_syslog(alert: &(AlertV1, Site)) {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    sent(&syslog(&format!("udp://{}", socket.local_addr().unwrap())), alert).await;
    let message = String::from_utf8(datagram(&socket).await).unwrap();
    assert!(message.starts_with("<84>1 2026-03-08T12:00:00.000Z pbx tollwatch - "), "{message}");
    assert!(message.len() <= 2048 && is_clean(&message) && !message.contains('\n'), "{message:?}");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let notifier = syslog(&format!("tcp://{}", listener.local_addr().unwrap()));
    let peer = tokio::spawn(connection(listener));
    sent(&notifier, alert).await;
    let said = String::from_utf8(peer.await.unwrap()).unwrap();
    assert_eq!(said, format!("{} {message}", message.len()));
}

async fn by_file_and_program(alert: &(AlertV1, Site)) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("alerts.jsonl");
    let notifier = of_kind("jsonl", &format!("path = \"{}\"", path.display()), &[]);
    sent(&notifier, alert).await;
    sent(&notifier, alert).await;
    let written = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<AlertV1> =
        written.split_terminator('\n').map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines, [alert.0.clone(), alert.0.clone()]);
    let options = format!("command = [\"/bin/sh\", \"-c\", \"cat > {}/input\"]", folder.path().display());
    sent(&of_kind("exec", &options, &[]), alert).await;
    let input: Value = serde_json::from_slice(&std::fs::read(folder.path().join("input")).unwrap()).unwrap();
    assert_eq!(serde_json::from_value::<AlertV1>(input["alert"].clone()).unwrap(), alert.0);
    assert!(is_clean(input["subject"].as_str().unwrap()) && is_clean(input["body"].as_str().unwrap()));
}

async fn by_mail(alert: &(AlertV1, Site)) {
    let mut names = Vec::new();
    for alert in [&about_calls(Opened), alert] {
        let (port, talking) = server("", "").await;
        sent(&mail(port, PLAIN), alert).await;
        let said = talking.await.unwrap();
        assert_eq!(said.verbs(), ["EHLO", "MAIL", "RCPT", "RCPT", "DATA", "QUIT"]);
        names.push(said.header_names());
        assert!(said.mail.unwrap().split("\r\n").all(|line| line.len() <= 998 && is_clean(line)));
    }
    // The same headers as those of a mail about nothing unusual.
    assert_eq!(names[0], names[1]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn no_words_of_an_attacker_break_the_framing_of_any_channel(text in hostile()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            for alert in alerts(&text) {
                by_http(&alert).await;
                by_syslog(&alert).await;
                by_file_and_program(&alert).await;
                by_mail(&alert).await;
            }
        });
    }
}
