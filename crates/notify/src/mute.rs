//! What somebody has asked not to be told for a while.
use chrono::{DateTime, Utc};
use glob::Pattern;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tollwatch_detect::{AboutV1, AlertReasonV1, AlertV1};

/// A mute: alerts that it matches go to nobody until it expires. It always expires, and always says why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Mute {
    /// Which alerts: all that is given must match, and at least one thing must be given.
    #[serde(rename = "match")]
    pub matchers: Matchers,
    /// Until when, in processing time, RFC 3339.
    #[schemars(with = "String")]
    pub until: DateTime<Utc>,
    /// Why, for whoever wonders.
    pub reason: String,
}

/// What a mute looks at. In names, `*`, `?` and `[abc]` stand for others.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Matchers {
    /// One incident.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incident_id: Option<String>,
    /// Tenants.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Rules; for alerts about the service, the kind of condition.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Kind of scope: `extension`, `trunk`, …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// Name of the extension, trunk …; for alerts about the service, of the source or notifier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

impl Mute {
    /// Whether it keeps an alert back now.
    ///
    /// The end of an incident is never kept back, nor that somebody has taken it up: a pager that was called before the
    /// mute would go on for ever.
    pub fn covers(&self, alert: &AlertV1, now: DateTime<Utc>) -> bool {
        now < self.until && !closes(alert) && self.matchers.matches(alert)
    }
}

/// Whether an alert says that nobody needs to be called any more.
pub(crate) fn closes(alert: &AlertV1) -> bool {
    matches!(alert.reason, AlertReasonV1::Resolved | AlertReasonV1::Acknowledged)
}

/// The rule of an alert, or the kind of its condition.
pub(crate) fn rule_of(alert: &AlertV1) -> &str {
    match &alert.about {
        AboutV1::Calls(incident) => &incident.rule,
        AboutV1::Service(condition) => condition.condition.word(),
    }
}

impl Matchers {
    fn matches(&self, alert: &AlertV1) -> bool {
        let (scope, value) = match &alert.about {
            AboutV1::Calls(incident) => (incident.scope.kind.as_str(), incident.scope.value.as_str()),
            AboutV1::Service(condition) => ("service", condition.subject.as_str()),
        };
        let asked = [
            (&self.incident_id, alert.incident_id()),
            (&self.tenant, alert.tenant.as_str()),
            (&self.rule, rule_of(alert)),
            (&self.scope, scope),
            (&self.value, value),
        ];
        let mut given =
            asked.into_iter().filter_map(|(wanted, is)| Some((wanted.as_deref()?, is))).peekable();
        given.peek().is_some()
            && given.all(|(wanted, is)| {
                // What is no pattern is a name.
                Pattern::new(wanted).map_or(wanted == is, |pattern| pattern.matches(is))
            })
    }
}
