//! The wire form of an incident, as `scan --incidents` and the webhooks write it.
mod alert;

pub use alert::{AboutV1, AlertReasonV1, AlertV1, ConditionKindV1, ConditionV1};

use crate::incident::{DetectedOn, Incident, Severity};
use crate::reconfigure::GONE_RULE;
use crate::rule::Measure;
use crate::scope::ScopeKind;
use crate::settings::Settings;
use crate::storm::STORM_RULE;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tollwatch_cdr::EventTime;
use tollwatch_numbering::{DestinationId, Money, RateBasis};
use tollwatch_stats::CallStat;

/// One incident, version 1. Times are RFC 3339 UTC; money is a decimal string.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IncidentV1 {
    /// Stable id; the same input gives the same id.
    pub incident_id: String,
    /// Rule that fired; `storm` for many extensions at once, `removed_rule` for one that the configuration has no more.
    pub rule: String,
    /// Highest severity reached.
    pub severity: Severity,
    /// Customer or site; `default` where there is only one.
    pub tenant: String,
    /// Whom it is about.
    pub scope: ScopeV1,
    /// The incident of a storm that this one is part of; null if it stands alone.
    pub folded_into: Option<String>,
    /// Every extension that took part; the first 1,000.
    pub extensions: Vec<String>,
    /// Start of the first call that belongs to it.
    pub first_call_at: String,
    /// Start of the call that crossed the threshold.
    pub opened_at: String,
    /// Event time of the record that crossed the threshold: a CDR's end, an event's own time.
    pub detected_at: String,
    /// The same for the critical threshold; null for a warning.
    pub critical_at: Option<String>,
    /// When it was over; null while it goes on.
    pub resolved_at: Option<String>,
    /// What kind of record crossed the threshold.
    pub detected_on: DetectedOn,
    /// What crossed which threshold.
    pub trigger: TriggerV1,
    /// Call attempts.
    pub attempts: u64,
    /// Answered calls.
    pub answered: u64,
    /// Billable seconds.
    pub billable_seconds: u64,
    /// Estimated charges.
    pub exposure: ExposureV1,
    /// The same as the engine knew them at `detected_at`, open calls accrued.
    pub exposure_at_detection: ExposureV1,
    /// The same at `critical_at`; null for a warning.
    pub exposure_at_critical: Option<ExposureV1>,
    /// Where the calls went, most calls first.
    pub destinations: Vec<DestinationV1>,
    /// Ids of the first calls, at most 50.
    pub call_ids: Vec<String>,
}

/// Whom an incident is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ScopeV1 {
    /// `extension`, `tenant`, `trunk`, `called_number`, `called_range`, `country`, `source_address`, `account`.
    pub kind: String,
    /// Its name.
    pub value: String,
    /// No extension could be found for these calls: they stand under the trunk they left by, or under the tenant
    /// where not even that is known.
    pub unattributed: bool,
}

/// The finding that opened an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TriggerV1 {
    /// What was measured; null for a storm, which counts extensions with a critical incident.
    pub measure: Option<Measure>,
    /// Window length; null for measures without one.
    pub window_seconds: Option<i64>,
    /// Measured value: a count, seconds, a percentage, or money.
    pub value: String,
    /// The threshold it reached.
    pub threshold: String,
}

/// An amount of money and where its rates come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExposureV1 {
    /// Decimal amount with two places.
    pub amount: String,
    /// ISO 4217 code.
    pub currency: String,
    /// `deck`: the operator's own rate deck; `indicative`: the bundled one.
    pub rates: String,
}

/// Where calls went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DestinationV1 {
    /// Matched prefix; empty for numbers nobody could read.
    pub prefix: String,
    /// ISO 3166 code; empty for satellite and global networks, and for numbers nobody could read.
    pub country: String,
    /// English name.
    pub name: String,
    /// Calls.
    pub calls: u64,
    /// Risk tier, 1 highest; null if none is known.
    pub tier: Option<u8>,
}

impl Measure {
    /// A measured value as people write it: a count, seconds, a percentage, or money.
    pub fn in_words(self, value: i64) -> String {
        match self {
            Self::Exposure => Money::from_micros(value).to_string(),
            Self::Asr => format!("{}.{}", -value / 10, -value % 10),
            Self::Acd => (-value).to_string(),
            _ => value.to_string(),
        }
    }
}

impl IncidentV1 {
    /// The wire form of an incident.
    pub fn new(incident: &Incident, settings: &Settings) -> Self {
        let rule = settings.rules.get(incident.rule);
        let threshold = rule.and_then(|rule| rule.thresholds.get(incident.trigger.threshold));
        let measure = rule.map(|rule| rule.measure);
        let in_words =
            |value: i64| measure.map_or_else(|| value.to_string(), |measure| measure.in_words(value));
        let rates = match settings.rate(None).basis {
            RateBasis::Deck => "deck",
            RateBasis::Indicative => "indicative",
        };
        let exposure = |amount: Money| ExposureV1 {
            amount: amount.to_string(),
            currency: settings.currency.clone(),
            rates: rates.to_owned(),
        };
        let mut destinations: Vec<DestinationV1> = incident
            .destinations
            .iter()
            .map(|(&id, &calls)| {
                let row =
                    (id != CallStat::NO_DESTINATION).then(|| settings.destinations().get(DestinationId(id)));
                DestinationV1 {
                    prefix: row.map_or_else(String::new, |row| row.prefix.clone()),
                    country: row.map_or_else(String::new, |row| row.iso2.clone()),
                    name: row.map_or_else(|| "unknown".to_owned(), |row| row.name_en.clone()),
                    calls,
                    tier: row.and_then(|row| row.tier),
                }
            })
            .collect();
        destinations.sort_by(|a, b| b.calls.cmp(&a.calls).then_with(|| a.prefix.cmp(&b.prefix)));
        let scope = &incident.scope;
        let extensions = if scope.kind == ScopeKind::Extension {
            vec![scope.value.to_string()]
        } else {
            incident.extensions.iter().map(ToString::to_string).collect()
        };
        // Not even the trunk may be known.
        let nowhere = scope.is_unattributed() && scope.value.is_empty();
        let windowed = measure.is_some_and(Measure::has_window);
        Self {
            incident_id: incident.id.to_string(),
            rule: match rule {
                Some(rule) => rule.name.clone(),
                None if incident.rule == GONE_RULE => "removed_rule".to_owned(),
                None => STORM_RULE.to_owned(),
            },
            severity: incident.severity,
            tenant: incident.tenant.to_string(),
            scope: ScopeV1 {
                kind: if nowhere { ScopeKind::Tenant } else { scope.kind }.word().to_owned(),
                value: if nowhere { incident.tenant.to_string() } else { scope.value.to_string() },
                unattributed: scope.is_unattributed(),
            },
            folded_into: incident.folded_into.as_ref().map(ToString::to_string),
            extensions,
            first_call_at: incident.first_call_at.to_string(),
            opened_at: incident.opened_at.to_string(),
            detected_at: incident.detected_at.to_string(),
            critical_at: incident.critical_at.as_ref().map(EventTime::to_string),
            resolved_at: incident.resolved_at.as_ref().map(EventTime::to_string),
            detected_on: incident.detected_on,
            trigger: TriggerV1 {
                measure,
                window_seconds: threshold.filter(|_| windowed).map(|threshold| threshold.seconds),
                value: in_words(incident.trigger.value),
                threshold: threshold.map_or_else(
                    || settings.storm_extensions.to_string(),
                    |t| {
                        let crossed = t.critical.filter(|critical| incident.trigger.value >= *critical);
                        in_words(crossed.unwrap_or_else(|| t.lowest_alert()))
                    },
                ),
            },
            attempts: incident.attempts,
            answered: incident.answered,
            billable_seconds: incident.billable_seconds,
            exposure: exposure(incident.exposure),
            exposure_at_detection: exposure(incident.exposure_at_detection),
            exposure_at_critical: incident.exposure_at_critical.map(exposure),
            destinations,
            call_ids: incident.call_ids.iter().map(|id| String::from_utf8_lossy(id).into_owned()).collect(),
        }
    }
}
