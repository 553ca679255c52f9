//! Any request by HTTP, its body written by a template: for what has no notifier of its own (Opsgenie, JSM, ntfy, LINE).
use super::Delivery;
use super::http::{Request, Sender, header_name, secret_header};
use super::url::RawUrl;
use super::webhook::percent_encoded;
use crate::config::{Building, Secret, SecretSource};
use crate::outcome::Outcome;
use crate::sample::sample_alerts;
use crate::text::{Context, Message, Texts, in_one_line, strict_environment};
use minijinja::{AutoEscape, Environment};
use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Method, Url};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use tollwatch_detect::{AlertV1, Problem};

const NAME: &str = "body";
/// Escape for a form: a name of our own, since the engine knows only JSON and HTML.
const FORM: &str = "form";

/// Options of a templated request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawTemplate {
    /// Where to.
    #[serde(flatten)]
    pub url: RawUrl,
    /// `POST` (without) or `PUT`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// Type of the body; it also decides how values are escaped: JSON, XML and HTML, forms, or not at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_type: Option<String>,
    /// Headers.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, RawHeader>,
    /// The template. In one of JSON, a value writes its own quotes: `{"text": {{ subject }}}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// File that holds the template.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body_file: Option<PathBuf>,
}

/// A header's value: one that anybody may know, or one that stands elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum RawHeader {
    /// The value.
    Plain(String),
    /// Where a secret value stands.
    Secret(RawSecretHeader),
}

/// Where a secret value of a header stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawSecretHeader {
    /// File that holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// Environment variable that holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub env: Option<String>,
    /// What stands before it, such as `Bearer ` or `GenieKey `.
    pub before: String,
}

/// Headers whose values look like secrets are not to stand in the configuration.
const SECRET_HEADERS: [&str; 4] = ["authorization", "proxy-authorization", "cookie", "x-api-key"];

impl RawTemplate {
    fn content_type(&self) -> &str {
        self.content_type.as_deref().unwrap_or(super::http::JSON)
    }

    fn method(&self) -> Option<Method> {
        match self.method.as_deref() {
            None | Some("POST") => Some(Method::POST),
            Some("PUT") => Some(Method::PUT),
            Some(_) => None,
        }
    }

    pub(super) fn check(&self, place: &str, allow_private: bool, problems: &mut Vec<Problem>) {
        self.url.check(place, allow_private, problems);
        let mut problem = |key: &str, what: String, hint: &str| {
            problems.push(Problem::new(format!("{place}.{key}"), what, hint));
        };
        if self.method().is_none() {
            problem("method", "is not sent from here".to_owned(), "POST or PUT");
        }
        if HeaderValue::from_str(self.content_type()).is_err() {
            problem("content_type", "is no type".to_owned(), "such as application/json");
        }
        for (name, value) in &self.headers {
            let key = format!("headers.{name}");
            if header_name(name).is_none() {
                problem(&key, "is no name of a header".to_owned(), "such as X-Priority");
            }
            match value {
                RawHeader::Plain(value) if HeaderValue::from_str(value).is_err() => {
                    problem(&key, "is no value of a header".to_owned(), "one line");
                }
                RawHeader::Plain(_) if SECRET_HEADERS.contains(&name.to_ascii_lowercase().as_str()) => {
                    problem(&key, "is a secret".to_owned(), "{ file = \"…\", before = \"Bearer \" }, or env");
                }
                RawHeader::Secret(secret) if secret.file.is_some() == secret.env.is_some() => {
                    problem(&key, "stands nowhere, or in two places".to_owned(), "say file or env");
                }
                _ => {}
            }
        }
        match (&self.body, &self.body_file) {
            (Some(body), None) => {
                if let Err(error) = Body::new(body.clone(), self.content_type()) {
                    problem("body", error, BODY_HINT);
                }
            }
            (None, Some(_)) => {}
            _ => problem("body", "is missing, or said twice".to_owned(), "say body or body_file"),
        }
    }
}

const BODY_HINT: &str = "in JSON, values write their own quotes: {\"text\": {{ subject }}}";

#[derive(Debug)]
pub(crate) struct Template {
    url: Url,
    method: Method,
    content_type: HeaderValue,
    headers: HeaderMap,
    body: Body,
    sender: Sender,
}

impl Template {
    pub(super) fn build(raw: &RawTemplate, building: &Building<'_>) -> Result<Self, Problem> {
        let (url, mut secrets) = raw.url.read(building)?;
        let headers = headers(raw, building, &mut secrets)?;
        let (key, body) = match (&raw.body, &raw.body_file) {
            (Some(body), _) => ("body", body.clone()),
            (None, Some(file)) => ("body_file", building.read("body_file", file)?),
            (None, None) => {
                return Err(building.problem("body", "is missing".to_owned(), "say body or body_file"));
            }
        };
        let content_type = HeaderValue::from_str(raw.content_type()).map_err(|_| {
            building.problem("content_type", "is no type".to_owned(), "such as application/json")
        })?;
        Ok(Self {
            url,
            method: raw.method().unwrap_or(Method::POST),
            content_type,
            headers,
            body: Body::new(body, raw.content_type())
                .map_err(|error| building.problem(key, error, BODY_HINT))?,
            sender: Sender::build(building, secrets)?,
        })
    }

    pub(super) async fn deliver(&self, delivery: &Delivery<'_>) -> Outcome {
        let body = match self.body.render(delivery.context, delivery.message, delivery.alert) {
            Ok(body) => body,
            Err(error) => return Outcome::refused(error),
        };
        let request = Request {
            method: self.method.clone(),
            url: self.url.clone(),
            content_type: self.content_type.clone(),
            headers: self.headers.clone(),
            body: body.into_bytes(),
        };
        self.sender.send(request, delivery.now).await
    }
}

fn headers(
    raw: &RawTemplate,
    building: &Building<'_>,
    secrets: &mut Vec<Secret>,
) -> Result<HeaderMap, Problem> {
    let mut headers = HeaderMap::new();
    for (name, value) in &raw.headers {
        let wrong =
            || building.problem(&format!("headers.{name}"), "is no header".to_owned(), "one line of ASCII");
        let value = match value {
            RawHeader::Plain(value) => HeaderValue::from_str(value).map_err(|_| wrong())?,
            RawHeader::Secret(raw) => {
                let source =
                    SecretSource { key: "headers", file: raw.file.as_deref(), env: raw.env.as_deref() };
                let secret = source.read_needed(building)?;
                let value = format!("{}{}", raw.before, secret.expose());
                secrets.push(secret);
                secret_header(&value).ok_or_else(wrong)?
            }
        };
        headers.insert(header_name(name).ok_or_else(wrong)?, value);
    }
    Ok(headers)
}

/// A template of a body, which was tried on alerts of all kinds.
struct Body {
    environment: Environment<'static>,
    is_json: bool,
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").finish_non_exhaustive()
    }
}

/// What a template is given beside what the text's is: the text itself, and the whole alert.
#[derive(Serialize)]
struct WithText<'a> {
    #[serde(flatten)]
    context: &'a Context,
    subject: &'a str,
    body: &'a str,
    alert: &'a AlertV1,
}

impl Body {
    fn new(text: String, content_type: &str) -> Result<Self, String> {
        let content_type = content_type.to_ascii_lowercase();
        let is_json = content_type.contains("json");
        let escape = if is_json {
            AutoEscape::Json
        } else if content_type.contains("xml") || content_type.contains("html") {
            AutoEscape::Html
        } else if content_type.contains("form-urlencoded") {
            AutoEscape::Custom(FORM)
        } else {
            AutoEscape::None
        };
        let mut environment = strict_environment();
        environment.set_auto_escape_callback(move |_| escape);
        environment.set_formatter(|out, state, value| match state.auto_escape() {
            AutoEscape::Custom(FORM) if !value.is_safe() => {
                out.write_str(&percent_encoded(&value.to_string())).map_err(minijinja::Error::from)
            }
            AutoEscape::Custom(FORM) => write!(out, "{value}").map_err(minijinja::Error::from),
            _ => minijinja::escape_formatter(out, state, value),
        });
        environment.add_template_owned(NAME, text).map_err(|error| in_one_line(&error))?;
        let body = Self { environment, is_json };
        let texts = Texts::embedded();
        for (alert, site) in sample_alerts() {
            let context = texts.context(&alert, site, crate::Language::English);
            let message = texts.message_of(&context, crate::Language::English);
            body.render(&context, &message, &alert)?;
        }
        Ok(body)
    }

    fn render(&self, context: &Context, message: &Message, alert: &AlertV1) -> Result<String, String> {
        let values = WithText { context, subject: &message.subject, body: &message.body, alert };
        let template = self.environment.get_template(NAME).map_err(|error| in_one_line(&error))?;
        let body = template.render(values).map_err(|error| in_one_line(&error))?;
        if self.is_json {
            serde_json::from_str::<Value>(&body)
                .map_err(|error| format!("what it writes is no JSON: {error}"))?;
        }
        Ok(body)
    }
}
