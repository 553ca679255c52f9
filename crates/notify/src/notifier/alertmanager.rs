//! Prometheus Alertmanager, by its API v2. It forgets what is not sent again, so what fires is sent again and again.
mod firing;

pub use firing::{Firing, FiringState};

use super::Delivery;
use super::http::{Request, Sender, URL_HINT, parse_url, secret_header};
use crate::config::{Building, Secret, SecretSource};
use crate::outcome::Outcome;
use crate::text::clean;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;
use tollwatch_detect::{AboutV1, AlertReasonV1, Problem, Severity, parse_duration};

/// An alert that was not sent again for so many intervals is over for Alertmanager.
const INTERVALS_TO_LIVE: i32 = 3;
const RESEND_SECONDS: std::ops::RangeInclusive<i64> = 10..=600;

/// Options of Alertmanager.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawAlertmanager {
    /// Base URLs of every Alertmanager of the cluster; no load balancer before them.
    pub urls: Vec<String>,
    /// How often what fires is sent again.
    #[serde(default = "every_minute")]
    pub resend_every: String,
    /// File that holds a bearer token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bearer_token_file: Option<PathBuf>,
    /// Environment variable that holds it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bearer_token_env: Option<String>,
}

fn every_minute() -> String {
    "1m".to_owned()
}

impl RawAlertmanager {
    fn token_source(&self) -> SecretSource<'_> {
        SecretSource {
            key: "bearer_token",
            file: self.bearer_token_file.as_deref(),
            env: self.bearer_token_env.as_deref(),
        }
    }

    fn resend_seconds(&self) -> Option<i64> {
        parse_duration(&self.resend_every).filter(|seconds| RESEND_SECONDS.contains(seconds))
    }

    pub(super) fn check(&self, place: &str, allow_private: bool, problems: &mut Vec<Problem>) {
        self.token_source().check(place, false, problems);
        if self.urls.is_empty() {
            let problem = "leads nowhere".to_owned();
            problems.push(Problem::new(
                format!("{place}.urls"),
                problem,
                "such as [\"http://127.0.0.1:9093\"]",
            ));
        }
        for (index, url) in self.urls.iter().enumerate() {
            if let Err(error) = endpoint(url, allow_private) {
                problems.push(Problem::new(format!("{place}.urls[{index}]"), error, URL_HINT));
            }
        }
        if self.resend_seconds().is_none() {
            let problem = format!("`{}` is no interval for this", self.resend_every);
            problems.push(Problem::new(format!("{place}.resend_every"), problem, "10s to 10m"));
        }
    }
}

/// The address of the API behind a base URL, which may have a path of its own.
fn endpoint(url: &str, allow_private: bool) -> Result<Url, String> {
    let mut url = parse_url(url, allow_private)?;
    let path = format!("{}/api/v2/alerts", url.path().trim_end_matches('/'));
    url.set_path(&path);
    Ok(url)
}

#[derive(Debug)]
pub(crate) struct Alertmanager {
    endpoints: Vec<Url>,
    resend_every: Duration,
    authorization: Option<HeaderValue>,
    sender: Sender,
}

impl Alertmanager {
    pub(super) fn build(raw: &RawAlertmanager, building: &Building<'_>) -> Result<Self, Problem> {
        let endpoints: Result<Vec<Url>, Problem> = raw
            .urls
            .iter()
            .map(|url| endpoint(url, building.allow_private))
            .map(|url| url.map_err(|error| building.problem("urls", error, URL_HINT)))
            .collect();
        let token = raw.token_source().read(building)?;
        let authorization = token.as_ref().map(|token| {
            secret_header(&format!("Bearer {}", token.expose())).ok_or_else(|| {
                building.problem("bearer_token_file", "no token".to_owned(), "one line of ASCII")
            })
        });
        let secrets: Vec<Secret> = token.into_iter().collect();
        Ok(Self {
            endpoints: endpoints?,
            resend_every: Duration::from_secs(raw.resend_seconds().unwrap_or(60) as u64),
            authorization: authorization.transpose()?,
            sender: Sender::build(building, secrets)?,
        })
    }

    pub(super) fn resend_every(&self) -> Duration {
        self.resend_every
    }

    /// Delivered is what at least one has taken: the others get it when it is sent again. Where none has, the outcome that
    /// gives the most hope counts.
    pub(super) async fn deliver(&self, delivery: &Delivery<'_>) -> Outcome {
        let body = alerts(delivery, self.resend_every);
        let mut all = Outcome::retry("there is no Alertmanager");
        for (index, endpoint) in self.endpoints.iter().enumerate() {
            let mut request = Request::json(endpoint, &body);
            if let Some(authorization) = &self.authorization {
                request.headers.insert(AUTHORIZATION, authorization.clone());
            }
            let outcome = self.sender.send(request, delivery.now).await;
            all = if index == 0 { outcome } else { better(all, outcome) };
        }
        all
    }
}

fn better(a: Outcome, b: Outcome) -> Outcome {
    let hope = |outcome: &Outcome| match outcome {
        Outcome::Delivered => 3,
        Outcome::Retry { .. } => 2,
        Outcome::Refused { .. } => 1,
        Outcome::Gone { .. } => 0,
    };
    if hope(&b) > hope(&a) { b } else { a }
}

/// The alert, and beside a critical one the end of the warning that it was before: severity is a label, so they are two
/// for Alertmanager.
fn alerts(delivery: &Delivery<'_>, resend_every: Duration) -> Value {
    let alert = delivery.alert;
    let now = delivery.now;
    let instant = |text: &str| DateTime::parse_from_rfc3339(text).map_or(now, |at| at.to_utc());
    let (begun, over, grew_critical) = match &alert.about {
        AboutV1::Calls(incident) => {
            (&incident.first_call_at, &incident.resolved_at, incident.critical_at.as_ref())
        }
        AboutV1::Service(condition) => (&condition.since, &condition.resolved_at, None),
    };
    // A PBX's clock may be ahead of this machine's: nothing begins or ends in the future.
    let begun = instant(begun).min(now);
    let is_over = over.is_some() || alert.reason == AlertReasonV1::Resolved;
    let end = if is_over {
        over.as_ref().map_or(now, |over| instant(over)).clamp(begun, now)
    } else {
        let interval = TimeDelta::from_std(resend_every).unwrap_or_default();
        now + interval * INTERVALS_TO_LIVE
    };
    let mut alerts = vec![one(delivery, alert.severity, begun, end)];
    if let Some(critical_at) = grew_critical
        && alert.severity == Severity::Critical
        && is_escalation(alert.reason, &alert.about)
    {
        alerts.push(one(delivery, Severity::Warning, begun, instant(critical_at).clamp(begun, now)));
    }
    Value::Array(alerts)
}

/// Whether the incident may have been told as a warning before.
fn is_escalation(reason: AlertReasonV1, about: &AboutV1) -> bool {
    let AboutV1::Calls(incident) = about else { return false };
    reason != AlertReasonV1::Opened && incident.critical_at.as_ref() != Some(&incident.detected_at)
}

/// Labels say which alert it is, and so must not change; what does is in the annotations, and so is every number.
fn one(delivery: &Delivery<'_>, severity: Severity, begun: DateTime<Utc>, end: DateTime<Utc>) -> Value {
    let alert = delivery.alert;
    let (name, rule, scope) = match &alert.about {
        AboutV1::Calls(incident) => {
            ("TollwatchTollFraud", incident.rule.as_str(), incident.scope.kind.as_str())
        }
        AboutV1::Service(condition) => ("TollwatchService", condition.condition.word(), "service"),
    };
    let mut labels = json!({
        "alertname": name,
        "severity": severity.word(),
        "tenant": clean::line(&alert.tenant, 64),
        "rule": clean::line(rule, 64),
        "scope": clean::line(scope, 64),
        "incident_id": clean::line(alert.incident_id(), 64),
    });
    if alert.drill
        && let Some(labels) = labels.as_object_mut()
    {
        labels.insert("drill".to_owned(), "true".into());
    }
    let mut annotations = json!({
        "summary": delivery.message.subject,
        "description": delivery.message.body,
        "alert_id": alert.alert_id,
    });
    if let AboutV1::Calls(incident) = &alert.about
        && let Some(annotations) = annotations.as_object_mut()
    {
        let exposure = &incident.exposure;
        annotations.insert("entity".to_owned(), clean::line(&incident.scope.value, 64).into());
        annotations
            .insert("exposure".to_owned(), format!("{} {}", exposure.amount, exposure.currency).into());
    }
    json!({
        "labels": labels,
        "annotations": annotations,
        "startsAt": begun.to_rfc3339_opts(SecondsFormat::Millis, true),
        "endsAt": end.to_rfc3339_opts(SecondsFormat::Millis, true),
    })
}
