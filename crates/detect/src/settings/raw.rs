//! The part of the configuration that belongs to detection, as it stands in a file.
use crate::rule::RawValue;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A fault in the configuration: where it stands, what is wrong, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The key, as a TOML path (`rules[2].thresholds[0].window`).
    pub place: String,
    /// What is wrong.
    pub problem: String,
    /// What to do about it.
    pub hint: String,
}

impl Problem {
    /// A fault at a key.
    pub fn new(place: String, problem: String, hint: &str) -> Self {
        Self { place, problem, hint: hint.to_owned() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} ({})", self.place, self.problem, self.hint)
    }
}

/// Numbers of the engine itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub struct RawDetection {
    /// A country not called for so many days is new to an extension.
    pub new_country_days: u32,
    /// A country is usual that was called on so many different days of the last 30, in business hours.
    pub usual_country_days: u32,
    /// New countries are told apart only after so many days of records.
    pub learning_days: u32,
    /// An answered call of at most so long looks like a test of a route.
    pub short_call: String,
    /// A number that costs so much a minute is expensive.
    pub expensive_per_minute: RawValue,
    /// A live call without an end is taken for over after this long.
    pub longest_open_call: String,
    /// Calls that come to be known so long after they left the longest window still count.
    pub allowed_lateness: String,
    /// So many extensions of a tenant with a critical incident at once are one storm.
    pub storm_extensions: u32,
    /// The time in which they come together.
    pub storm_within: String,
}

/// How much the engine keeps, so that no flood of records can take all memory. All but `tenants` is for each tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub struct RawLimits {
    /// Tenants that only records name; what names one more is its source's.
    pub tenants: u32,
    /// Extensions, trunks, numbers and other keys; of more, those used longest ago are let go.
    pub keys: u32,
    /// Calls in the windows of all keys, and twenty for each incident that goes on; with more, keys are let go.
    pub calls: u32,
    /// What is remembered of the legs of calls for putting calls together.
    pub legs: u32,
    /// Records that are remembered for telling repeated ones.
    pub records: u32,
    /// Incidents that are over and kept for the report.
    pub incidents: u32,
}

/// Numbers that certain extensions may call without an alarm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub struct RawAllowed {
    /// Numbers or prefixes in E.164, `+442071234567` or `+4420712345`.
    pub numbers: Vec<String>,
    /// Extensions that may call them; all without.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub extensions: Vec<String>,
    /// Last day on which it is allowed, `YYYY-MM-DD`; for ever without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// Why, for whoever reads it in a year.
    pub reason: String,
}
