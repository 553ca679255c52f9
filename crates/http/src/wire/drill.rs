//! A drill: a made-up attack on its way to whoever is on call.
use super::MOST_NAME;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tollwatch_detect::Severity;

/// A drill ends by itself after so many seconds at most.
pub(crate) const LONGEST_SECONDS: u32 = 86_400;

/// What is to be drilled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DrillRequestV1 {
    /// Who asks for it.
    #[schemars(length(min = 1, max = MOST_NAME))]
    pub by: String,
    /// Customer or site under whose rules it runs; the site's own without.
    #[schemars(length(min = 1, max = MOST_NAME))]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// It ends by itself after so long, and whoever was called is told so.
    #[schemars(range(min = 1, max = LONGEST_SECONDS))]
    #[serde(default = "usual", deserialize_with = "whole")]
    pub lasting_seconds: u32,
}

fn usual() -> u32 {
    600
}

/// To JSON Schema `60.0` is an integer too. What is out of range stays so.
fn whole<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let number = f64::deserialize(deserializer)?;
    if number.fract() == 0.0 {
        Ok(number as u32)
    } else {
        Err(serde::de::Error::custom("lasting_seconds is a whole number"))
    }
}

/// A drill and how far it has come, version 1. It is marked as one in all that goes out: its ids begin with `drill-`,
/// texts with `DRILL / 訓練`, and `drill` is true in JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DrillV1 {
    /// Its id.
    pub drill_id: String,
    /// Who asked for it.
    pub by: String,
    /// Customer or site under whose rules it runs.
    pub tenant: String,
    /// When its calls were made up.
    pub started_at: String,
    /// When it ends by itself.
    pub ends_at: String,
    /// It has ended.
    pub over: bool,
    /// So many calls, all to one destination.
    pub calls: u64,
    /// Where they went, in English.
    pub destination_en: String,
    /// The same in Japanese.
    pub destination_ja: String,
    /// What the rules made of them.
    pub incidents: Vec<DrillIncidentV1>,
    /// What became of it at each notifier, in the order of the configuration.
    pub notifiers: Vec<DrillNotifierV1>,
}

/// An incident of a drill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DrillIncidentV1 {
    /// Its id.
    pub incident_id: String,
    /// The rule that fired.
    pub rule: String,
    /// Severity.
    pub severity: Severity,
}

/// What became of a drill at a notifier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DrillNotifierV1 {
    /// Its name.
    pub notifier: String,
    /// How far it has come.
    pub state: DrillState,
    /// Alerts that it is to deliver, without those that quiet hours hold back.
    pub alerts: u64,
    /// Those that it has delivered.
    pub delivered: u64,
    /// From the calls to the first delivery; null if there was none yet.
    pub first_milliseconds: Option<u64>,
    /// From the calls to the last of all deliveries; null if one is missing.
    pub last_milliseconds: Option<u64>,
    /// Attempts that have failed.
    pub failed_attempts: u32,
    /// Why the last of them failed, without secrets.
    pub last_error: Option<String>,
}

/// How far a drill has come at a notifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DrillState {
    /// It has delivered everything.
    Delivered,
    /// Something is still under way.
    Waiting,
    /// It was refused for good.
    Failed,
    /// Quiet hours hold all of it back.
    HeldBack,
    /// No route leads such an alert to it at this hour.
    NotRouted,
    /// A mute keeps back what it would be told.
    Muted,
}
