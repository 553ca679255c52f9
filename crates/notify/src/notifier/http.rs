//! One HTTP request of a notifier: where it may lead, how long it may take, what its answer means.
use crate::address;
use crate::config::{Building, Secret};
use crate::outcome::Outcome;
use crate::text::clean;
use chrono::{DateTime, Utc};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Certificate, Client, Method, Response, StatusCode, Url, redirect};
use std::error::Error;
use std::net::IpAddr;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};
use tollwatch_detect::Problem;

/// So much of an answer is read, for the reason that it may give.
const MOST_OF_AN_ANSWER: usize = 4096;
/// And so much of that is shown, in characters.
const LONGEST_REASON: usize = 160;
/// A secret shorter than this is not looked for in what is shown: it would be found everywhere.
const SHORTEST_SECRET: usize = 6;

pub(super) const JSON: &str = "application/json";

/// Sends requests for one notifier.
#[derive(Debug)]
pub(super) struct Sender {
    client: Client,
    timeout: Duration,
    /// What must not be shown, whoever says it.
    secrets: Vec<Secret>,
}

/// A request.
#[derive(Debug)]
pub(super) struct Request {
    pub method: Method,
    pub url: Url,
    pub content_type: HeaderValue,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Request {
    /// A POST of JSON.
    pub(super) fn json(url: &Url, body: &serde_json::Value) -> Self {
        Self {
            method: Method::POST,
            url: url.clone(),
            content_type: HeaderValue::from_static(JSON),
            headers: HeaderMap::new(),
            body: body.to_string().into_bytes(),
        }
    }
}

impl Sender {
    /// Without redirects, without a proxy from the environment, and without connections that outlive a request: each
    /// looks its name up anew and goes to what was found and allowed, to nothing else.
    pub(super) fn build(building: &Building<'_>, secrets: Vec<Secret>) -> Result<Self, Problem> {
        let mut client = Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .pool_max_idle_per_host(0)
            .referer(false)
            .user_agent(concat!("tollwatch/", env!("CARGO_PKG_VERSION")))
            .dns_resolver(Guard { allow_private: building.allow_private });
        if let Some(pem) = &building.authorities {
            let hint = "a file of certificates in PEM";
            let authorities = Certificate::from_pem_bundle(pem)
                .map_err(|error| building.problem("ca_file", chain(&error), hint))?;
            client = client.tls_certs_merge(authorities);
        }
        let client = client.build().map_err(|error| {
            building.problem(
                "type",
                chain(&error),
                "are the system's certificates installed (ca-certificates)?",
            )
        })?;
        Ok(Self { client, timeout: building.timeout, secrets })
    }

    /// Sends a request and says what became of it.
    pub(super) async fn send(&self, request: Request, now: DateTime<Utc>) -> Outcome {
        let deadline = Instant::now() + self.timeout;
        let sending = self
            .client
            .request(request.method, request.url)
            .header(CONTENT_TYPE, request.content_type)
            .headers(request.headers)
            .body(request.body)
            .send();
        match timeout_at(deadline, sending).await {
            Err(_) => Outcome::retry(format!("no answer within {} s", self.timeout.as_secs())),
            Ok(Err(error)) => Outcome::retry(self.shown(&chain(&error.without_url()))),
            Ok(Ok(response)) => self.judge(response, deadline, now).await,
        }
    }

    async fn judge(&self, mut response: Response, deadline: Instant, now: DateTime<Utc>) -> Outcome {
        let status = response.status();
        if status.is_success() {
            // It has been taken; whatever else is said about it changes nothing.
            return Outcome::Delivered;
        }
        let after = response.headers().get(RETRY_AFTER).and_then(|value| retry_after(value, now));
        let mut answer = Vec::new();
        while answer.len() < MOST_OF_AN_ANSWER {
            match timeout_at(deadline, response.chunk()).await {
                Ok(Ok(Some(chunk))) => answer.extend_from_slice(&chunk),
                _ => break,
            }
        }
        answer.truncate(MOST_OF_AN_ANSWER);
        let answer = self.shown(&String::from_utf8_lossy(&answer));
        let said = if answer.is_empty() { String::new() } else { format!(": {answer}") };
        let reason = format!("HTTP {}{said}", status.as_u16());
        match status {
            StatusCode::GONE => Outcome::Gone { reason },
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_EARLY | StatusCode::TOO_MANY_REQUESTS => {
                Outcome::Retry { after, reason }
            }
            _ if status.is_client_error() => Outcome::Refused { reason },
            // A redirect is not followed, but whoever answers with one (a page to log in, maintenance) may come back.
            _ => Outcome::Retry { after, reason },
        }
    }

    /// Somebody else's words, as they may be logged.
    fn shown(&self, text: &str) -> String {
        let mut text = text.trim().to_owned();
        for secret in self.secrets.iter().map(Secret::expose).filter(|secret| secret.len() >= SHORTEST_SECRET)
        {
            text = text.replace(secret, "[redacted]");
        }
        clean::line(&text, LONGEST_REASON)
    }
}

/// Looks names up, and leaves out what no alert may be sent to.
struct Guard {
    allow_private: bool,
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let allow_private = self.allow_private;
        Box::pin(async move {
            let (mut allowed, mut refused) = (Vec::new(), None);
            for found in tokio::net::lookup_host((name.as_str(), 0)).await? {
                match address::check(found.ip(), allow_private) {
                    Ok(()) => allowed.push(found),
                    Err(error) => refused = Some(error),
                }
            }
            match refused {
                Some(error) if allowed.is_empty() => Err(error.into()),
                _ => Ok(Box::new(allowed.into_iter()) as Addrs),
            }
        })
    }
}

/// A URL that alerts may be sent to: none with a password in it, and none of an address that [`address::check`] refuses.
pub(super) fn parse_url(text: &str, allow_private: bool) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("no URL: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("`{}` is not spoken here", url.scheme()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("holds a user name or password".to_owned());
    }
    let host = url.host_str().unwrap_or_default();
    if let Ok(literal) = host.trim_matches(['[', ']']).parse::<IpAddr>() {
        address::check(literal, allow_private).map_err(|error| error.to_string())?;
    }
    Ok(url)
}

/// What to do about a URL that is none.
pub(super) const URL_HINT: &str = "such as https://hooks.example.com/alerts";

/// Parts of a URL that are as good as a password.
pub(super) fn secret_parts(url: &Url) -> Vec<Secret> {
    let query = url.query().unwrap_or_default();
    [url.as_str(), url.path(), query].map(|part| Secret::new(part.to_owned())).into()
}

/// A header's value from a secret, which does not show up in logs.
pub(super) fn secret_header(secret: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(secret).ok()?;
    value.set_sensitive(true);
    Some(value)
}

pub(super) fn header_name(name: &str) -> Option<HeaderName> {
    name.parse().ok()
}

/// `Retry-After` in both of its forms: seconds, or a date.
fn retry_after(value: &HeaderValue, now: DateTime<Utc>) -> Option<Duration> {
    let text = value.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let then = DateTime::parse_from_rfc2822(text).ok()?;
    // A date that has passed asks for nothing.
    Some((then.to_utc() - now).to_std().unwrap_or_default())
}

/// An error with what is behind it, which is where reqwest says what happened.
fn chain(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_retry_after_are_read() {
        let now = "2026-03-07T18:00:00Z".parse().unwrap();
        let read = |text: &'static str| retry_after(&HeaderValue::from_static(text), now);
        assert_eq!(read("120"), Some(Duration::from_mins(2)));
        assert_eq!(read("Sat, 07 Mar 2026 18:05:00 GMT"), Some(Duration::from_mins(5)));
        assert_eq!(read("Sat, 07 Mar 2026 17:05:00 GMT"), Some(Duration::ZERO));
        assert_eq!(read("soon"), None);
        assert_eq!(read("-1"), None);
    }

    #[test]
    fn a_url_with_a_password_or_a_forbidden_address_is_refused() {
        assert!(parse_url("https://hooks.example.com/x?y=z", false).is_ok());
        for (url, allow_private) in [
            ("hooks.example.com", true),
            ("ftp://hooks.example.com", true),
            ("https://user:secret@hooks.example.com", true),
            ("http://169.254.169.254/latest", true),
            ("http://2852039166/", true),
            ("http://0xa9.0xfe.0xa9.0xfe/", true),
            ("http://[fe80::1]/", true),
            ("http://[::ffff:169.254.169.254]/", true),
            ("http://0/", true),
            ("http://127.1/", false),
            ("http://[::1]/", false),
        ] {
            assert!(parse_url(url, allow_private).is_err(), "{url}");
        }
        assert!(parse_url("http://127.1/", true).is_ok());
    }
}
