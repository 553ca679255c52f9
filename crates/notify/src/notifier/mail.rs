//! E-mail, by SMTP.
use super::Delivery;
use crate::config::{Building, SecretSource};
use crate::outcome::Outcome;
use crate::text::{Message as Text, clean};
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Duration;
use tollwatch_detect::{Problem, Severity};

/// Options of e-mail.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawMail {
    /// Name of the mail server.
    pub host: String,
    /// Its port; by `tls`, 465, 587 or 25 without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// How the connection is kept secret.
    #[serde(default)]
    pub tls: MailTls,
    /// User name, where the server asks for one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// File that holds the password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_file: Option<PathBuf>,
    /// Environment variable that holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password_env: Option<String>,
    /// Sender, `tollwatch <tollwatch@example.com>`.
    pub from: String,
    /// Receivers.
    pub to: Vec<String>,
}

/// How a connection to a mail server is kept secret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MailTls {
    /// By TLS from the first byte (port 465).
    Implicit,
    /// By TLS after `STARTTLS`, which the server must offer (port 587).
    #[default]
    StartTls,
    /// Not at all (port 25): for a mail server on this machine.
    None,
}

impl RawMail {
    fn password_source(&self) -> SecretSource<'_> {
        SecretSource {
            key: "password",
            file: self.password_file.as_deref(),
            env: self.password_env.as_deref(),
        }
    }

    pub(super) fn check(&self, place: &str, problems: &mut Vec<Problem>) {
        self.password_source().check(place, self.username.is_some(), problems);
        let mut problem = |key: &str, what: String, hint: &str| {
            problems.push(Problem::new(format!("{place}.{key}"), what, hint));
        };
        let hint = "such as tollwatch <tollwatch@example.com>";
        if let Err(error) = self.from.parse::<Mailbox>() {
            problem("from", format!("`{}`: {error}", self.from), hint);
        }
        if self.to.is_empty() {
            problem("to", "leads nowhere".to_owned(), "at least one address");
        }
        for (index, to) in self.to.iter().enumerate() {
            if let Err(error) = to.parse::<Mailbox>() {
                problem(&format!("to[{index}]"), format!("`{to}`: {error}"), hint);
            }
        }
        if self.host.is_empty() {
            problem("host", "is empty".to_owned(), "name of the mail server");
        }
        if self.username.is_none() && self.password_source().is_given() {
            problem("username", "is missing, and there is a password".to_owned(), "say both or neither");
        }
        if self.username.is_some() && self.tls == MailTls::None {
            problem(
                "tls",
                "a password would go over the network as it is".to_owned(),
                "starttls or implicit",
            );
        }
    }
}

#[derive(Debug)]
pub(crate) struct Mail {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    to: Vec<Mailbox>,
    timeout: Duration,
}

impl Mail {
    pub(super) fn build(raw: &RawMail, building: &Building<'_>) -> Result<Self, Problem> {
        let mailbox = |key: &str, text: &str| {
            let hint = "such as tollwatch <tollwatch@example.com>";
            text.parse::<Mailbox>().map_err(|error| building.problem(key, error.to_string(), hint))
        };
        let from = mailbox("from", &raw.from)?;
        let to: Result<Vec<Mailbox>, Problem> = raw.to.iter().map(|to| mailbox("to", to)).collect();
        let tls_parameters = || {
            let mut parameters = TlsParameters::builder(raw.host.clone());
            if let Some(pem) = &building.authorities {
                let authority = Certificate::from_pem(pem)
                    .map_err(|error| building.problem("ca_file", error.to_string(), "certificates in PEM"))?;
                parameters = parameters.add_root_certificate(authority);
            }
            parameters
                .build()
                .map_err(|error| building.problem("host", error.to_string(), "a name of a host"))
        };
        let (usual_port, tls) = match raw.tls {
            MailTls::Implicit => (465, Tls::Wrapper(tls_parameters()?)),
            MailTls::StartTls => (587, Tls::Required(tls_parameters()?)),
            MailTls::None => (25, Tls::None),
        };
        let mut transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(raw.host.clone())
            .port(raw.port.unwrap_or(usual_port))
            .tls(tls)
            .timeout(Some(building.timeout))
            .hello_name(ClientId::Domain(from.email.domain().to_owned()));
        let password = raw.password_source().read(building)?;
        if let (Some(username), Some(password)) = (&raw.username, password) {
            let credentials = Credentials::new(username.clone(), password.expose().to_owned());
            transport = transport.credentials(credentials);
        }
        Ok(Self { transport: transport.build(), from, to: to?, timeout: building.timeout })
    }

    pub(super) async fn deliver(&self, delivery: &Delivery<'_>) -> Outcome {
        let message = match self.message(delivery) {
            Ok(message) => message,
            Err(error) => return Outcome::refused(error.to_string()),
        };
        match tokio::time::timeout(self.timeout, self.transport.send(message)).await {
            Err(_) => Outcome::retry(format!("not sent within {} s", self.timeout.as_secs())),
            Ok(Ok(_)) => Outcome::Delivered,
            Ok(Err(error)) => {
                let reason = clean::line(&error.to_string(), 200);
                // A refused password (RFC 4954: 530 to 538) is the server's trouble or the operator's, not this mail's.
                let is_login = error.status().is_some_and(|code| (530..=538).contains(&u16::from(code)));
                if error.is_permanent() && !is_login {
                    Outcome::refused(reason)
                } else {
                    Outcome::retry(reason)
                }
            }
        }
    }

    /// The mail: its id is the alert's, so that a second copy is known as one; those of one incident form a thread.
    fn message(&self, delivery: &Delivery<'_>) -> Result<Message, lettre::error::Error> {
        let alert = delivery.alert;
        let domain = self.from.email.domain();
        let thread = format!("<{}@{domain}>", identifier(alert.incident_id()));
        let mut builder = Message::builder()
            .from(self.from.clone())
            .subject(delivery.message.subject.clone())
            .message_id(Some(format!("<{}@{domain}>", identifier(&alert.alert_id))))
            .in_reply_to(thread.clone())
            .references(thread)
            .date(delivery.now.into())
            .raw_header(raw_header("Auto-Submitted", "auto-generated"));
        if alert.severity == Severity::Critical {
            builder = builder.raw_header(raw_header("Importance", "high"));
        }
        for to in &self.to {
            builder = builder.to(to.clone());
        }
        builder.multipart(
            MultiPart::alternative()
                .singlepart(part(ContentType::TEXT_PLAIN, delivery.message.body.clone()))
                .singlepart(part(ContentType::TEXT_HTML, html(delivery.message))),
        )
    }
}

fn part(content_type: ContentType, body: String) -> SinglePart {
    SinglePart::builder().header(content_type).body(body)
}

/// What an id may hold within the angle brackets of a header.
fn identifier(id: &str) -> String {
    id.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(64).collect()
}

fn raw_header(name: &'static str, value: &'static str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

/// The same text for programs that show HTML: nothing in it is markup but what stands here.
fn html(message: &Text) -> String {
    format!(
        "<!DOCTYPE html>\n<html><body>\n<h3>{}</h3>\n\
         <pre style=\"font-family: inherit; white-space: pre-wrap\">{}</pre>\n</body></html>\n",
        escaped(&message.subject),
        escaped(&message.body)
    )
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn only_the_frame_of_the_html_is_markup(text in "[<>&\"'/a\n]{0,40}") {
            let page = |text: &str| html(&Text { subject: text.to_owned(), body: text.to_owned() });
            let tags = |page: &str| (page.matches('<').count(), page.matches('>').count());
            prop_assert_eq!(tags(&page(&text)), tags(&page("")));
        }
    }
}
