//! Rules as they stand in the configuration.
use crate::scope::ScopeKind;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tollwatch_stats::Traits;

/// What a rule measures, per key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Call attempts begun in the window.
    Attempts,
    /// Answered calls begun in the window.
    Answered,
    /// Attempts begun in the window that ended without an answer.
    Failed,
    /// Answer-seizure ratio: answered calls of those that are over, in percent. Fires at or below the value, from
    /// `minimum_attempts` calls on.
    Asr,
    /// Average duration of answered calls; thresholds are durations. Fires at or below the value, from
    /// `minimum_attempts` answered calls on.
    Acd,
    /// Billable seconds of the calls begun in the window; thresholds are durations.
    BillableTime,
    /// Estimated charges of the calls begun in the window; thresholds are money.
    Exposure,
    /// Calls up at the same instant.
    ConcurrentCalls,
    /// Talking time of one call; thresholds are durations.
    LongestCall,
    /// Different numbers of one destination called in the window.
    DistinctNumbers,
    /// Different countries called in the window.
    DistinctCountries,
    /// Different extensions that called one country in the window; for scopes wider than an extension.
    DistinctExtensions,
    /// Calls in a row to one and the same number, within the window.
    SameNumberRun,
    /// Different numbers of one block of 10,000 called in the window.
    NeighbouringNumbers,
    /// Calls into one block of 10,000 numbers in the window.
    CallsInOneRange,
}

impl Measure {
    /// Whether the measure is one of the running totals of a window.
    pub(crate) fn is_total(self) -> bool {
        matches!(
            self,
            Self::Attempts
                | Self::Answered
                | Self::Failed
                | Self::Asr
                | Self::Acd
                | Self::BillableTime
                | Self::Exposure
        )
    }
    /// Whether a low value is the bad one. The engine then runs on negated values, so that there is one comparison.
    pub(crate) fn is_low_bad(self) -> bool {
        matches!(self, Self::Asr | Self::Acd)
    }
    /// Whether it is measured over a window.
    pub fn has_window(self) -> bool {
        !matches!(self, Self::ConcurrentCalls | Self::LongestCall)
    }
    pub(crate) fn is_duration(self) -> bool {
        matches!(self, Self::BillableTime | Self::LongestCall | Self::Acd)
    }
}

/// Which destinations a rule looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DestinationSet {
    /// Everything outside the home country, and numbers nobody could read that went out over a trunk.
    International,
    /// Risk tier 1 and 2, satellite, and premium numbers.
    HighRisk,
    /// Premium-rate numbers, at home too.
    Premium,
    /// Satellite networks.
    Satellite,
    /// Premium, shared-cost, personal and other special ranges of a country whose ordinary numbers are harmless.
    SpecialRange,
    /// Numbers that cost at least `expensive_per_minute`.
    Expensive,
    /// Countries that the key has not called for `new_country_days`.
    NewCountry,
    /// Countries that this tenant does not call as a rule.
    UnusualCountry,
    /// Numbers that nobody could read.
    Unreadable,
    /// Codes dialled to forward an extension to a number abroad or to a premium number.
    Forwarding,
}

impl DestinationSet {
    pub(crate) fn traits(self) -> Traits {
        match self {
            Self::International => Traits::INTERNATIONAL,
            Self::HighRisk => Traits::HIGH_RISK,
            Self::Premium => Traits::PREMIUM,
            Self::Satellite => Traits::SATELLITE,
            Self::SpecialRange => Traits::SPECIAL_RANGE,
            Self::Expensive => Traits::EXPENSIVE,
            Self::NewCountry => Traits::NEW_COUNTRY,
            Self::UnusualCountry => Traits::INTERNATIONAL.with(Traits::UNUSUAL),
            Self::Unreadable => Traits::UNKNOWN,
            Self::Forwarding => Traits::FORWARDING_CODE,
        }
    }
}

/// One set of destinations, or several that a call must be in all at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum RawDestinations {
    /// `destinations = "high_risk"`
    One(DestinationSet),
    /// `destinations = ["high_risk", "new_country"]`
    All(Vec<DestinationSet>),
}

impl RawDestinations {
    pub(crate) fn traits(&self) -> Traits {
        let sets = match self {
            Self::One(set) => std::slice::from_ref(set),
            Self::All(sets) => sets,
        };
        sets.iter().fold(Traits::ANY, |traits, set| traits.with(set.traits()))
    }
}

/// When a rule looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum When {
    /// At any time.
    #[default]
    Always,
    /// Outside business hours: nights, weekends, holidays.
    OffHours,
    /// In business hours.
    BusinessHours,
}

/// Which calls a rule looks at, by how they ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcomes {
    /// All.
    #[default]
    Any,
    /// Calls without an answer, and answered ones of at most `short_call`: what testing a route looks like.
    FailedOrShort,
}

/// A threshold's number as it stands in the configuration: `3`, `"20m"`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum RawValue {
    /// A count, a percentage, or money in whole units.
    Number(i64),
    /// A duration (`"20m"`) or money with decimals (`"12.50"`).
    Text(String),
}

/// A threshold as it stands in the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawThreshold {
    /// Length of the sliding window (`"10m"`, `"24h"`); not for concurrent calls and call length.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<String>,
    /// From this value on the key is armed for `arm_for`, without an alert.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arm: Option<RawValue>,
    /// A warning from this value on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warning: Option<RawValue>,
    /// Critical from this value on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub critical: Option<RawValue>,
}

/// A rule as it stands in the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawRule {
    /// Name in alerts; unique.
    pub name: String,
    /// Switched on.
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Whose calls are measured together.
    #[serde(default)]
    pub scope: ScopeKind,
    /// Measured over all tenants together; not for the scopes that only one tenant knows.
    #[serde(default)]
    pub cross_tenant: bool,
    /// What is measured.
    pub measure: Measure,
    /// Which destinations count.
    pub destinations: RawDestinations,
    /// Business hours or not.
    #[serde(default)]
    pub when: When,
    /// How the calls ended.
    #[serde(default)]
    pub outcomes: Outcomes,
    /// Only while the key is armed.
    #[serde(default)]
    pub armed: bool,
    /// How long a key stays armed after a threshold's `arm` was reached.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arm_for: Option<String>,
    /// Calls below which a ratio says nothing; for `asr` and `acd`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub minimum_attempts: Option<u32>,
    /// From which values on; any one is enough.
    pub thresholds: Vec<RawThreshold>,
}

fn yes() -> bool {
    true
}
