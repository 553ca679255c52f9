//! Syslog, RFC 5424: by UDP (RFC 5426), TCP with octet counting (RFC 6587), or a socket of this machine.
use super::Delivery;
use crate::config::Building;
use crate::outcome::Outcome;
use crate::text::clean;
use chrono::SecondsFormat;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::io;
use std::path::PathBuf;
use std::time::Duration;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpStream, UdpSocket, UnixDatagram, lookup_host};
use tollwatch_detect::{Problem, Severity};

/// What every receiver should take (RFC 5424 §6.1), in bytes.
const MOST_BYTES: usize = 2048;
/// `authpriv`: messages about security.
const FACILITY: u8 = 10;

/// Options of syslog.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawSyslog {
    /// `udp://host:514`, `tcp://host:601`, or `unix:///dev/log`.
    pub address: String,
    /// Number of the facility; 10 (authpriv) without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facility: Option<u8>,
    /// Name of this machine in the messages; `-` (unknown) without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hostname: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Address {
    Udp(String),
    Tcp(String),
    Unix(PathBuf),
}

impl RawSyslog {
    pub(super) fn check(&self, place: &str, problems: &mut Vec<Problem>) {
        let mut problem = |key: &str, what: String, hint: &str| {
            problems.push(Problem::new(format!("{place}.{key}"), what, hint));
        };
        if address(&self.address).is_none() {
            let hint = "udp://host:514, tcp://host:601 or unix:///dev/log";
            problem("address", format!("`{}` is no address of syslog", self.address), hint);
        }
        if self.facility.is_some_and(|facility| facility > 23) {
            problem("facility", "there is no such facility".to_owned(), "0 to 23");
        }
        let is_name =
            |name: &str| (1..=255).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_graphic());
        if let Some(name) = self.hostname.as_ref().filter(|name| !is_name(name)) {
            problem("hostname", format!("`{name}` is no name of a machine"), "visible ASCII without spaces");
        }
    }
}

fn address(text: &str) -> Option<Address> {
    let (scheme, rest) = text.split_once("://")?;
    let has_port =
        || rest.rsplit_once(':').is_some_and(|(host, port)| !host.is_empty() && port.parse::<u16>().is_ok());
    match scheme {
        "udp" if has_port() => Some(Address::Udp(rest.to_owned())),
        "tcp" if has_port() => Some(Address::Tcp(rest.to_owned())),
        "unix" if rest.starts_with('/') => Some(Address::Unix(rest.into())),
        _ => None,
    }
}

#[derive(Debug)]
pub(crate) struct Syslog {
    address: Address,
    facility: u8,
    hostname: String,
    timeout: Duration,
}

impl Syslog {
    pub(super) fn build(raw: &RawSyslog, building: &Building<'_>) -> Result<Self, Problem> {
        let address = address(&raw.address).ok_or_else(|| {
            building.problem("address", "no address of syslog".to_owned(), "such as udp://host:514")
        })?;
        Ok(Self {
            address,
            facility: raw.facility.unwrap_or(FACILITY),
            hostname: raw.hostname.clone().unwrap_or_else(|| "-".to_owned()),
            timeout: building.timeout,
        })
    }

    /// Syslog says nothing back: what has left this machine counts as delivered.
    pub(super) async fn deliver(&self, delivery: &Delivery<'_>) -> Outcome {
        let message = message(delivery, self.facility, &self.hostname);
        match tokio::time::timeout(self.timeout, self.send(message.as_bytes())).await {
            Err(_) => Outcome::retry(format!("not sent within {} s", self.timeout.as_secs())),
            Ok(Err(error)) => Outcome::retry(error.to_string()),
            Ok(Ok(())) => Outcome::Delivered,
        }
    }

    async fn send(&self, message: &[u8]) -> io::Result<()> {
        match &self.address {
            Address::Udp(to) => {
                let to = lookup_host(to).await?.next();
                let to = to.ok_or_else(|| io::Error::other("the name has no address"))?;
                let from = if to.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
                let socket = UdpSocket::bind(from).await?;
                // A connected socket is told where nobody listens; that is as much as UDP says.
                socket.connect(to).await?;
                socket.send(message).await.map(|_| ())
            }
            Address::Tcp(to) => {
                let mut stream = TcpStream::connect(to).await?;
                stream.write_all(format!("{} ", message.len()).as_bytes()).await?;
                stream.write_all(message).await?;
                stream.shutdown().await
            }
            Address::Unix(path) => {
                let socket = UnixDatagram::unbound()?;
                socket.connect(path)?;
                socket.send(message).await.map(|_| ())
            }
        }
    }
}

/// One message of one line. The text is clean, so nothing in it ends the message or begins another.
fn message(delivery: &Delivery<'_>, facility: u8, hostname: &str) -> String {
    let alert = delivery.alert;
    let severity = match alert.severity {
        Severity::Critical => 2,
        Severity::Warning => 4,
    };
    let priority = u32::from(facility) * 8 + severity;
    let at = delivery.now.to_rfc3339_opts(SecondsFormat::Millis, true);
    let text = format!(
        "<{priority}>1 {at} {hostname} tollwatch - {reason} - {subject} incident={incident} alert={id}",
        reason = alert.reason.word(),
        subject = delivery.message.subject,
        incident = clean::line(alert.incident_id(), 64),
        id = alert.alert_id,
    );
    clean::bytes(&text, MOST_BYTES).to_owned()
}
