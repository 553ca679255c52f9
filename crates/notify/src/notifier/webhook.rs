//! JSON by HTTP with the headers and signatures of Standard Webhooks 1.0.0.
use super::Delivery;
use super::http::{Request, Sender};
use super::url::RawUrl;
use crate::config::{Building, Secret, SecretSource};
use crate::outcome::Outcome;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::Url;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::Sha256;
use std::path::PathBuf;
use tollwatch_detect::{AlertV1, Problem};

/// Lengths of a key that Standard Webhooks allow, in bytes.
const KEY_LENGTHS: std::ops::RangeInclusive<usize> = 24..=64;

/// Options of a webhook.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawWebhook {
    /// Where to.
    #[serde(flatten)]
    pub url: RawUrl,
    /// Files that hold a signing key each (`whsec_…`). With several, each signs: so keys are changed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub secret_files: Vec<PathBuf>,
    /// Environment variables that hold a signing key each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub secret_envs: Vec<String>,
    /// How the body is written.
    pub format: WebhookFormat,
    /// Head of the source of CloudEvents, which the tenant follows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
}

/// How the body of a webhook is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum WebhookFormat {
    /// `{"type", "timestamp", "data"}`, as Standard Webhooks recommend.
    #[default]
    Plain,
    /// CloudEvents 1.0, structured.
    CloudEvents,
}

#[derive(Debug)]
pub(crate) struct Webhook {
    url: Url,
    keys: Vec<Key>,
    format: WebhookFormat,
    source: String,
    sender: Sender,
}

/// A signing key. Its Debug shows nothing of it.
struct Key(Hmac<Sha256>);

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Key {
    fn parse(secret: &Secret) -> Result<Self, String> {
        let text = secret.expose();
        let key = STANDARD.decode(text.strip_prefix("whsec_").unwrap_or(text));
        let key = key.map_err(|_| "no key: whsec_ and base64 belong here".to_owned())?;
        if !KEY_LENGTHS.contains(&key.len()) {
            return Err(format!("a key of {} bytes", key.len()));
        }
        Hmac::new_from_slice(&key).map(Self).map_err(|error| error.to_string())
    }

    fn sign(&self, id: &str, timestamp: i64, body: &[u8]) -> String {
        let mut mac = self.0.clone();
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(body);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

impl Webhook {
    pub(super) fn build(raw: &RawWebhook, building: &Building<'_>) -> Result<Self, Problem> {
        let (url, mut secrets) = raw.url.read(building)?;
        let mut keys = Vec::new();
        let files = raw.secret_files.iter().map(|file| (Some(file.as_path()), None));
        let envs = raw.secret_envs.iter().map(|env| (None, Some(env.as_str())));
        for (file, env) in files.chain(envs) {
            let secret = SecretSource { key: "secret", file, env }.read_needed(building)?;
            let hint = "openssl rand -base64 32, with whsec_ before it";
            keys.push(Key::parse(&secret).map_err(|error| {
                building.problem(if file.is_some() { "secret_files" } else { "secret_envs" }, error, hint)
            })?);
            secrets.push(secret);
        }
        Ok(Self {
            url,
            keys,
            format: raw.format,
            source: raw.source.clone().unwrap_or_else(|| "/tollwatch".to_owned()),
            sender: Sender::build(building, secrets)?,
        })
    }

    pub(super) async fn deliver(&self, delivery: &Delivery<'_>) -> Outcome {
        let alert = delivery.alert;
        let (body, content_type) = match self.format {
            WebhookFormat::Plain => (plain(alert), super::http::JSON),
            WebhookFormat::CloudEvents => {
                (cloud_event(alert, &self.source), "application/cloudevents+json; charset=utf-8")
            }
        };
        let mut request = Request::json(&self.url, &body);
        request.content_type = HeaderValue::from_static(content_type);
        request.headers = headers(&self.keys, &alert.alert_id, &request.body, delivery.now);
        self.sender.send(request, delivery.now).await
    }
}

/// The id stays the same over all attempts; the time is that of this one.
fn headers(keys: &[Key], id: &str, body: &[u8], now: DateTime<Utc>) -> HeaderMap {
    let timestamp = now.timestamp();
    let signatures: Vec<String> = keys.iter().map(|key| key.sign(id, timestamp, body)).collect();
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", timestamp.to_string()),
        ("webhook-signature", signatures.join(" ")),
    ] {
        if !value.is_empty()
            && let Ok(value) = HeaderValue::from_str(&value)
        {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    headers
}

fn plain(alert: &AlertV1) -> Value {
    let kind = format!("tollwatch.alert.{}", alert.reason.word());
    json!({ "type": kind, "timestamp": alert.at, "data": alert })
}

fn cloud_event(alert: &AlertV1, source: &str) -> Value {
    json!({
        "specversion": "1.0",
        "id": alert.alert_id,
        "source": format!("{source}/{}", percent_encoded(&alert.tenant)),
        "type": format!("com.tollwatch.alert.{}.v1", alert.reason.word()),
        "subject": alert.incident_id(),
        "time": alert.at,
        "datacontenttype": super::http::JSON,
        "data": alert,
    })
}

/// A text as one segment of a URI (RFC 3986).
pub(super) fn percent_encoded(text: &str) -> String {
    let encoded = text.bytes().map(|byte| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    });
    encoded.collect()
}
