//! Alerts on their way: what waits, what was given up, and what is to be sent again.
use super::MOST_NAME;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tollwatch_detect::Severity;

/// So many ids are taken at a time.
pub(crate) const MOST_IDS: usize = 100;

/// Whether a text may be the id of an alert.
pub(crate) fn is_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// How a delivery stands that is not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// It will be tried, or tried again.
    Pending,
    /// It was given up, and waits for a person.
    Dead,
}

impl DeliveryState {
    /// The word for it on the wire.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Dead => "dead",
        }
    }
}

/// One alert that one notifier has not delivered, version 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeliveryV1 {
    /// The alert.
    pub alert_id: String,
    /// The incident that it belongs to.
    pub incident_id: String,
    /// Why it goes out: `opened`, `escalated`, …
    pub reason: String,
    /// Highest severity that its incident had reached.
    pub severity: Severity,
    /// Customer or site.
    pub tenant: String,
    /// It is an exercise.
    pub drill: bool,
    /// The notifier.
    pub notifier: String,
    /// How it stands.
    pub state: DeliveryState,
    /// Attempts that have failed.
    pub attempts: u32,
    /// Why the last of them failed, without secrets; null if there was none.
    pub last_error: Option<String>,
    /// When it was put into the notifier's queue.
    pub since: String,
    /// Not before this is it tried next; null if it was given up.
    pub next_at: Option<String>,
}

/// Deliveries that are not done, oldest first, version 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DeliveriesV1 {
    /// Those that were asked for, up to the limit.
    pub deliveries: Vec<DeliveryV1>,
    /// So many more fit.
    pub not_shown: u64,
}

/// Which deliveries to show; all that are given must match.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeliveryFilter {
    /// How they stand.
    pub state: Option<DeliveryState>,
    /// To whom.
    pub notifier: Option<String>,
    /// So many at most.
    pub limit: usize,
}

/// Which deliveries to try at once: those that have failed, dead or waiting for their next attempt. One of the fields
/// must say which.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("anyOf" = [
    {"required": ["alert_ids"]},
    {"required": ["notifier"]},
    {"required": ["all"], "properties": {"all": {"const": true}}},
]))]
pub struct RetryDeliveriesV1 {
    /// Of these alerts.
    #[schemars(with = "Vec<String>", length(min = 1, max = MOST_IDS), inner(regex(pattern = "^[A-Za-z0-9-]{1,64}$")))]
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub alert_ids: Option<Vec<String>>,
    /// To this notifier.
    #[schemars(with = "String", length(min = 1, max = MOST_NAME))]
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub notifier: Option<String>,
    /// All of them.
    #[serde(default)]
    pub all: bool,
}

/// A field that is given has a value: a null where names were meant would send more than was asked.
fn given<'de, T: Deserialize<'de>, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}
