//! E-mail to a peer that speaks SMTP.
use crate::{about_calls, deliver, noon, of_kind};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tollwatch_detect::AboutV1;
use tollwatch_detect::AlertReasonV1::{Escalated, Opened};
use tollwatch_notify::{Notifier, Outcome};

/// What a client said to a mail server.
#[derive(Debug, Default)]
pub(crate) struct Conversation {
    /// Its commands, in order.
    pub(crate) commands: Vec<String>,
    /// The mail, if one was sent, with the dots taken off that hid ends of mails.
    pub(crate) mail: Option<String>,
}

impl Conversation {
    /// The first words of the commands.
    pub(crate) fn verbs(&self) -> Vec<&str> {
        self.commands.iter().map(|command| command.split([' ', ':']).next().unwrap()).collect()
    }

    /// Headers of the mail with continued lines put together, and what follows them.
    pub(crate) fn parts(&self) -> (Vec<(String, String)>, &str) {
        let mail = self.mail.as_ref().unwrap();
        let (head, body) = mail.split_once("\r\n\r\n").unwrap();
        let head = head.replace("\r\n ", " ").replace("\r\n\t", " ");
        let headers = head.split("\r\n").map(|line| {
            let (name, value) = line.split_once(": ").unwrap_or_else(|| panic!("no header: {line:?}"));
            (name.to_owned(), value.to_owned())
        });
        (headers.collect(), body)
    }

    pub(crate) fn header_names(&self) -> Vec<String> {
        self.parts().0.into_iter().map(|(name, _)| name).collect()
    }
}

/// A mail server for one connection, which answers a command of this verb with this line, and all others with consent.
/// An empty answer breaks the connection off.
pub(crate) async fn server(verb: &'static str, answer: &'static str) -> (u16, JoinHandle<Conversation>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let talking = tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let (reading, mut writing) = stream.into_split();
        let mut lines = BufReader::new(reading);
        let mut said = Conversation::default();
        writing.write_all(b"220 mail.example.com ESMTP\r\n").await.unwrap();
        while let Some(command) = line(&mut lines).await {
            let is_verb = command.to_ascii_uppercase().starts_with(verb) && !verb.is_empty();
            let usual = match command.get(..4).unwrap_or_default().to_ascii_uppercase().as_str() {
                "EHLO" => "250-mail.example.com\r\n250 8BITMIME",
                "DATA" => "354 go on",
                "QUIT" => "221 bye",
                _ => "250 fine",
            };
            said.commands.push(command);
            let said_back = if is_verb { answer } else { usual };
            if said_back.is_empty() {
                break;
            }
            // A client that has gone is not this side's trouble.
            let _ = writing.write_all(format!("{said_back}\r\n").as_bytes()).await;
            if said_back.starts_with("354") {
                let mut mail = String::new();
                while let Some(line) = line(&mut lines).await.filter(|line| line != ".") {
                    mail.push_str(line.strip_prefix('.').unwrap_or(&line));
                    mail.push_str("\r\n");
                }
                said.mail = Some(mail);
                let _ = writing.write_all(b"250 taken\r\n").await;
            }
        }
        said
    });
    (port, talking)
}

/// The next line without its end, which is CR and LF and nothing else; none at the end.
async fn line(lines: &mut (impl tokio::io::AsyncBufRead + Unpin)) -> Option<String> {
    let mut bytes = Vec::new();
    lines.read_until(b'\n', &mut bytes).await.ok().filter(|length| *length > 0)?;
    let text = String::from_utf8(bytes).unwrap();
    let text = text.strip_suffix("\r\n").unwrap_or_else(|| panic!("a bare end of line: {text:?}"));
    assert!(!text.contains('\r'), "a bare carriage return: {text:?}");
    Some(text.to_owned())
}

pub(crate) fn mail(port: u16, options: &str) -> Notifier {
    let options = format!(
        "host = \"127.0.0.1\"\nport = {port}\ntimeout = \"5s\"\nfrom = \"tollwatch <tollwatch@example.com>\"\n\
         to = [\"Night <night@example.com>\", \"day@example.com\"]\n{options}"
    );
    of_kind("email", &options, &[])
}

pub(crate) const PLAIN: &str = "tls = \"none\"";

#[tokio::test]
async fn a_mail_goes_to_all_with_both_parts_and_is_known_by_its_alert() {
    let (port, talking) = server("", "").await;
    assert_eq!(deliver(&mail(port, PLAIN), Escalated, noon()).await, Outcome::Delivered);
    let said = talking.await.unwrap();
    assert_eq!(said.verbs(), ["EHLO", "MAIL", "RCPT", "RCPT", "DATA", "QUIT"]);
    assert!(said.commands[1].contains("<tollwatch@example.com>"), "{:?}", said.commands);
    assert!(said.commands[3].contains("<day@example.com>"), "{:?}", said.commands);
    let (alert, _) = about_calls(Escalated);
    let (headers, body) = said.parts();
    let header = |name: &str| {
        let found: Vec<&String> =
            headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value).collect();
        assert_eq!(found.len(), 1, "{name} in {headers:?}");
        found[0].clone()
    };
    assert_eq!(header("Message-ID"), format!("<{}@example.com>", alert.alert_id));
    assert_eq!(header("References"), format!("<{}@example.com>", alert.incident_id()));
    assert_eq!(header("Importance"), "high");
    assert_eq!(header("Auto-Submitted"), "auto-generated");
    assert_eq!(header("Date"), "Sun, 08 Mar 2026 12:00:00 +0000");
    assert!(header("Subject").contains("extension 105"), "{}", header("Subject"));
    assert!(header("Content-Type").starts_with("multipart/alternative; boundary="));
    for part in ["text/plain; charset=utf-8", "text/html; charset=utf-8"] {
        assert_eq!(body.matches(&format!("Content-Type: {part}")).count(), 1, "{body}");
    }
}

#[tokio::test]
async fn what_a_mail_server_says_decides_whether_it_is_tried_again() {
    for (verb, answer, is_final) in [
        ("RCPT", "550 no such user", true),
        ("RCPT", "451 try later", false),
        ("MAIL", "421 closing", false),
        ("DATA", "554 no", true),
        ("DATA", "", false),
        ("MAIL", "530 log in first", false),
        ("EHLO", "", false),
    ] {
        let (port, talking) = server(verb, answer).await;
        let outcome = deliver(&mail(port, PLAIN), Opened, noon()).await;
        let said = talking.await.unwrap();
        assert!(said.mail.is_none(), "{verb} {answer}");
        assert_eq!(matches!(outcome, Outcome::Refused { .. }), is_final, "{verb} {answer}: {outcome:?}");
        assert_eq!(matches!(outcome, Outcome::Retry { .. }), !is_final, "{verb} {answer}: {outcome:?}");
    }
}

#[tokio::test]
async fn nothing_is_said_to_a_server_that_does_not_offer_to_encrypt() {
    let (port, talking) = server("", "").await;
    let outcome = deliver(&mail(port, ""), Opened, noon()).await;
    assert!(outcome.reason().is_some(), "{outcome:?}");
    let said = talking.await.unwrap();
    assert!(said.mail.is_none() && !said.verbs().contains(&"MAIL"), "{said:?}");
}

#[tokio::test]
async fn nobody_writes_headers_or_markup_into_a_mail() {
    let (mut alert, site) = about_calls(Opened);
    let hostile = "105\r\nBcc: all@example.com\r\n\r\n.\r\nMAIL FROM:<x@example.com>\r\n<script>x</script>";
    if let AboutV1::Calls(incident) = &mut alert.about {
        incident.scope.value = hostile.to_owned();
    }
    let (port, talking) = server("", "").await;
    let outcome = mail(port, PLAIN).deliver(&alert, site, noon()).await;
    assert_eq!(outcome, Outcome::Delivered);
    let said = talking.await.unwrap();
    assert_eq!(said.verbs(), ["EHLO", "MAIL", "RCPT", "RCPT", "DATA", "QUIT"]);
    assert!(!said.header_names().contains(&"Bcc".to_owned()));
    assert!(!said.mail.unwrap().contains("<script"));
}
