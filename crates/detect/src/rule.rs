//! Rules: which measure of which calls, over which window, is too much.
use crate::settings::Problem;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tollwatch_numbering::Money;
use tollwatch_stats::{Traits, WindowSpec};

/// What a rule measures, per key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// Call attempts begun in the window.
    Attempts,
    /// Answered calls begun in the window.
    Answered,
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
}

impl Measure {
    /// Whether the measure is one of the running totals of a window.
    pub(crate) fn is_total(self) -> bool {
        matches!(self, Self::Attempts | Self::Answered | Self::BillableTime | Self::Exposure)
    }
    /// Whether this running total can change after a call has begun.
    pub(crate) fn grows(self) -> bool {
        self != Self::Attempts
    }
    fn has_window(self) -> bool {
        !matches!(self, Self::ConcurrentCalls | Self::LongestCall)
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
    /// Countries that the key has not called for `new_country_days`.
    NewCountry,
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
}

/// A threshold's number as it stands in the configuration: `3`, `"20m"`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum RawValue {
    /// A count, or money in whole units.
    Number(i64),
    /// A duration (`"20m"`) or money with decimals (`"12.50"`).
    Text(String),
}

/// A threshold as it stands in the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawThreshold {
    /// Length of the sliding window (`"10m"`, `"24h"`); not for concurrent calls and call length.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<String>,
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
    /// What is measured.
    pub measure: Measure,
    /// Which destinations count.
    pub destinations: DestinationSet,
    /// Business hours or not.
    #[serde(default)]
    pub when: When,
    /// From which values on; any one is enough.
    pub thresholds: Vec<RawThreshold>,
}

fn yes() -> bool {
    true
}

/// A threshold that the engine runs on. Values are counts, seconds, or micro-units of money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Threshold {
    /// Length of the window in seconds; for measures without a window, how long the value must stay low
    /// before the incident is over.
    pub seconds: i64,
    /// Which running total of the key serves it.
    pub(crate) spec: usize,
    /// A warning from this value on.
    pub warning: Option<i64>,
    /// Critical from this value on.
    pub critical: Option<i64>,
}

impl Threshold {
    /// The lowest value that says anything.
    pub fn lowest(&self) -> i64 {
        self.warning.or(self.critical).unwrap_or(i64::MAX)
    }
}

/// A rule that the engine runs on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Name in alerts.
    pub name: String,
    /// What is measured.
    pub measure: Measure,
    /// Which calls count.
    pub traits: Traits,
    /// At least one.
    pub thresholds: Vec<Threshold>,
}

impl Rule {
    /// Checks a raw rule and turns it into one to run on; problems go to `problems` with their place.
    pub(crate) fn validate(
        raw: &RawRule,
        place: &str,
        specs: &mut Vec<WindowSpec>,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let destinations = match raw.destinations {
            DestinationSet::International => Traits::INTERNATIONAL,
            DestinationSet::HighRisk => Traits::HIGH_RISK,
            DestinationSet::Premium => Traits::PREMIUM,
            DestinationSet::NewCountry => Traits::NEW_COUNTRY,
        };
        let traits = match raw.when {
            When::Always => destinations,
            When::OffHours => destinations.with(Traits::OFF_HOURS),
        };
        if raw.name.is_empty()
            || !raw.name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        {
            problems.push(Problem::new(
                format!("{place}.name"),
                format!("`{}` is no rule name", raw.name),
                "use a-z, 0-9 and _",
            ));
        }
        if raw.thresholds.is_empty() {
            problems.push(Problem::new(
                format!("{place}.thresholds"),
                "a rule without a threshold never fires".to_owned(),
                "give at least one, or `enabled = false`",
            ));
        }
        let thresholds = raw
            .thresholds
            .iter()
            .enumerate()
            .map(|(i, raw_threshold)| {
                threshold(raw, raw_threshold, traits, &format!("{place}.thresholds[{i}]"), specs, problems)
            })
            .collect();
        Self { name: raw.name.clone(), measure: raw.measure, traits, thresholds }
    }
}

fn threshold(
    rule: &RawRule,
    raw: &RawThreshold,
    traits: Traits,
    place: &str,
    specs: &mut Vec<WindowSpec>,
    problems: &mut Vec<Problem>,
) -> Threshold {
    let seconds = match (&raw.window, rule.measure.has_window()) {
        (Some(text), true) => {
            parse_duration(text).filter(|s| (1..=604_800).contains(s)).unwrap_or_else(|| {
                problems.push(Problem::new(
                    format!("{place}.window"),
                    format!("`{text}` is no window"),
                    "a whole number with s, m, h or d, at most 7d, such as \"10m\"",
                ));
                3600
            })
        }
        (None, true) => {
            problems.push(Problem::new(
                format!("{place}.window"),
                "this measure needs a window".to_owned(),
                "such as window = \"60m\"",
            ));
            3600
        }
        (Some(_), false) => {
            problems.push(Problem::new(
                format!("{place}.window"),
                "this measure has no window".to_owned(),
                "leave it out",
            ));
            3600
        }
        (None, false) => 3600,
    };
    let mut value = |raw: &Option<RawValue>, name: &str| -> Option<i64> {
        let raw = raw.as_ref()?;
        let value = parse_value(rule.measure, raw).filter(|value| *value > 0);
        if value.is_none() {
            problems.push(Problem::new(
                format!("{place}.{name}"),
                match raw {
                    RawValue::Number(n) => format!("`{n}` is no value for this measure"),
                    RawValue::Text(t) => format!("`{t}` is no value for this measure"),
                },
                match rule.measure {
                    Measure::BillableTime | Measure::LongestCall => "a duration such as \"20m\"",
                    Measure::Exposure => "money above 0, such as 3000 or \"12.50\"",
                    _ => "a whole number from 1",
                },
            ));
        }
        value
    };
    let (warning, critical) = (value(&raw.warning, "warning"), value(&raw.critical, "critical"));
    if raw.warning.is_none() && raw.critical.is_none() {
        problems.push(Problem::new(
            place.to_owned(),
            "neither `warning` nor `critical`".to_owned(),
            "give one of them, or both",
        ));
    }
    if let (Some(warning), Some(critical)) = (warning, critical)
        && warning > critical
    {
        problems.push(Problem::new(
            place.to_owned(),
            "`warning` is above `critical`, so it would never be seen".to_owned(),
            "swap them",
        ));
    }
    let wanted = WindowSpec { traits, seconds };
    let spec = specs.iter().position(|spec| *spec == wanted).unwrap_or_else(|| {
        if rule.measure.is_total() {
            specs.push(wanted);
        }
        specs.len().saturating_sub(1)
    });
    Threshold { seconds, spec, warning, critical }
}

fn parse_value(measure: Measure, raw: &RawValue) -> Option<i64> {
    match (measure, raw) {
        (Measure::BillableTime | Measure::LongestCall, RawValue::Text(text)) => parse_duration(text),
        (Measure::BillableTime | Measure::LongestCall, RawValue::Number(_)) => None,
        (Measure::Exposure, RawValue::Number(units)) => Some(Money::from_units(*units).micros()),
        (Measure::Exposure, RawValue::Text(text)) => text.parse::<Money>().ok().map(Money::micros),
        (_, RawValue::Number(count)) => Some(*count),
        (_, RawValue::Text(_)) => None,
    }
}

/// Seconds of a duration such as `90s`, `20m`, `24h` or `7d`.
pub fn parse_duration(text: &str) -> Option<i64> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return None,
    };
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits.parse::<i64>().ok()?.checked_mul(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_whole_numbers_with_a_unit() {
        assert_eq!(parse_duration("90s"), Some(90));
        assert_eq!(parse_duration("20m"), Some(1200));
        assert_eq!(parse_duration("7d"), Some(604_800));
        for bad in ["", "m", "10", "-5m", "1.5h", "10 m", "99999999999999999999h", "５m", "+5m"] {
            assert_eq!(parse_duration(bad), None, "{bad}");
        }
    }

    #[test]
    fn every_fault_of_a_rule_is_named_with_its_place() {
        let raw = RawRule {
            name: "Burst!".to_owned(),
            enabled: true,
            measure: Measure::Attempts,
            destinations: DestinationSet::HighRisk,
            when: When::Always,
            thresholds: vec![
                RawThreshold {
                    window: None,
                    warning: Some(RawValue::Number(5)),
                    critical: Some(RawValue::Number(3)),
                },
                RawThreshold { window: Some("soon".to_owned()), warning: None, critical: None },
                RawThreshold {
                    window: Some("10m".to_owned()),
                    warning: Some(RawValue::Text("3".to_owned())),
                    critical: Some(RawValue::Number(0)),
                },
            ],
        };
        let mut problems = Vec::new();
        Rule::validate(&raw, "rules[4]", &mut Vec::new(), &mut problems);
        let places: Vec<&str> = problems.iter().map(|problem| problem.place.as_str()).collect();
        assert_eq!(
            places,
            [
                "rules[4].name",
                "rules[4].thresholds[0].window",
                "rules[4].thresholds[0]",
                "rules[4].thresholds[1].window",
                "rules[4].thresholds[1]",
                "rules[4].thresholds[2].warning",
                "rules[4].thresholds[2].critical",
            ]
        );
    }
}
