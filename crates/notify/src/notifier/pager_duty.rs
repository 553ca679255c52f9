//! PagerDuty, by Events API v2.
use super::Delivery;
use super::http::{Request, Sender, URL_HINT, parse_url};
use crate::config::{Building, Secret, SecretSource};
use crate::outcome::Outcome;
use crate::text::clean;
use reqwest::Url;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::path::PathBuf;
use tollwatch_detect::{AboutV1, AlertReasonV1, Problem};

const ENQUEUE: &str = "https://events.pagerduty.com/v2/enqueue";
const LONGEST_SUMMARY: usize = 1024;

/// Options of PagerDuty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawPagerDuty {
    /// File that holds the routing key of the integration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub routing_key_file: Option<PathBuf>,
    /// Environment variable that holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub routing_key_env: Option<String>,
    /// Where events go, if not to <https://events.pagerduty.com/v2/enqueue>: another region, or what speaks the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

impl RawPagerDuty {
    fn key_source(&self) -> SecretSource<'_> {
        SecretSource {
            key: "routing_key",
            file: self.routing_key_file.as_deref(),
            env: self.routing_key_env.as_deref(),
        }
    }

    pub(super) fn check(&self, place: &str, allow_private: bool, problems: &mut Vec<Problem>) {
        self.key_source().check(place, true, problems);
        if let Some(Err(error)) = self.url.as_ref().map(|url| parse_url(url, allow_private)) {
            problems.push(Problem::new(format!("{place}.url"), error, URL_HINT));
        }
    }
}

#[derive(Debug)]
pub(crate) struct PagerDuty {
    url: Url,
    routing_key: Secret,
    sender: Sender,
}

impl PagerDuty {
    pub(super) fn build(raw: &RawPagerDuty, building: &Building<'_>) -> Result<Self, Problem> {
        let url = parse_url(raw.url.as_deref().unwrap_or(ENQUEUE), building.allow_private)
            .map_err(|error| building.problem("url", error, URL_HINT))?;
        let routing_key = raw.key_source().read_needed(building)?;
        let sender = Sender::build(building, vec![routing_key.clone()])?;
        Ok(Self { url, routing_key, sender })
    }

    pub(super) async fn deliver(&self, delivery: &Delivery<'_>) -> Outcome {
        let event = event(delivery, self.routing_key.expose());
        self.sender.send(Request::json(&self.url, &event), delivery.now).await
    }
}

/// All alerts of an incident are events of one PagerDuty incident: its key is the incident's id.
fn event(delivery: &Delivery<'_>, routing_key: &str) -> Value {
    let alert = delivery.alert;
    let action = match alert.reason {
        AlertReasonV1::Resolved => "resolve",
        AlertReasonV1::Acknowledged => "acknowledge",
        AlertReasonV1::Opened
        | AlertReasonV1::Escalated
        | AlertReasonV1::ExposureDoubled
        | AlertReasonV1::Renotified => "trigger",
    };
    let (component, class) = match &alert.about {
        AboutV1::Calls(incident) => {
            (format!("{} {}", incident.scope.kind, incident.scope.value), incident.rule.as_str())
        }
        AboutV1::Service(condition) => (condition.subject.clone(), condition.condition.word()),
    };
    let details = json!({
        "text": delivery.message.body,
        "alert_id": alert.alert_id,
        "reason": alert.reason.word(),
        "drill": alert.drill,
    });
    json!({
        "routing_key": routing_key,
        "event_action": action,
        "dedup_key": alert.incident_id(),
        "payload": {
            "summary": clean::bytes(&delivery.message.subject, LONGEST_SUMMARY),
            "source": format!("tollwatch/{}", clean::line(&alert.tenant, 64)),
            "severity": alert.severity.word(),
            "timestamp": alert.at,
            "component": clean::line(&component, 128),
            "group": clean::line(&alert.tenant, 64),
            "class": clean::line(class, 128),
            "custom_details": details,
        },
        "client": "tollwatch",
    })
}
