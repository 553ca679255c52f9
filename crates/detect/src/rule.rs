//! Rules: which measure of which calls, over which window, is too much.
mod raw;

pub use raw::{DestinationSet, Measure, Outcomes, RawDestinations, RawRule, RawThreshold, RawValue, When};

use crate::scope::ScopeKind;
use crate::settings::{Problem, Settling};
use tollwatch_numbering::Money;
use tollwatch_stats::{Traits, WindowSpec};

/// The longest window there is.
const LONGEST_WINDOW_SECONDS: i64 = 604_800;

/// A threshold that the engine runs on. Values are counts, seconds, tenths of a percent, or micro-units of money;
/// negated where low values are the bad ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Threshold {
    /// Length of the window in seconds; for measures without a window, how long the value must stay low
    /// before the incident is over.
    pub seconds: i64,
    /// Which running total of the key serves it.
    pub(crate) spec: usize,
    /// The key is armed from this value on.
    pub arm: Option<i64>,
    /// A warning from this value on.
    pub warning: Option<i64>,
    /// Critical from this value on.
    pub critical: Option<i64>,
}

impl Threshold {
    /// The lowest value that says anything.
    pub fn lowest(&self) -> i64 {
        [self.arm, self.warning, self.critical].into_iter().flatten().min().unwrap_or(i64::MAX)
    }
    /// The lowest value that makes an incident.
    pub fn lowest_alert(&self) -> i64 {
        self.warning.or(self.critical).unwrap_or(i64::MAX)
    }
}

/// A rule that the engine runs on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Name in alerts.
    pub name: String,
    /// Whose calls are measured together.
    pub scope: ScopeKind,
    /// Over all tenants.
    pub cross_tenant: bool,
    /// What is measured.
    pub measure: Measure,
    /// Which calls count.
    pub traits: Traits,
    /// Calls below which a ratio says nothing.
    pub minimum_attempts: u64,
    /// How long a key stays armed.
    pub arm_seconds: i64,
    /// At least one.
    pub thresholds: Vec<Threshold>,
}

impl Rule {
    /// The longest of its windows, in seconds.
    pub(crate) fn longest_window(&self) -> i64 {
        self.thresholds.iter().map(|threshold| threshold.seconds).max().unwrap_or(0)
    }

    /// What settles its incidents: none where a window is not all that is measured, or more than an incident follows.
    pub(crate) fn settling(&self) -> Option<Settling> {
        let arms = self.thresholds.iter().any(|threshold| threshold.arm.is_some());
        let can_rise = self.thresholds.iter().any(|threshold| threshold.critical.is_some());
        let longest_window = self.longest_window();
        (!arms && self.measure.has_window()).then_some(Settling { can_rise, longest_window })
    }

    /// Checks a raw rule and turns it into one to run on; problems go to `problems` with their place.
    pub(crate) fn validate(raw: &RawRule, place: &str, problems: &mut Vec<Problem>) -> Self {
        let mut problem = |key: &str, what: String, hint: &str| {
            problems.push(Problem::new(format!("{place}.{key}"), what, hint));
        };
        if raw.name.is_empty()
            || !raw.name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        {
            problem("name", format!("`{}` is no rule name", raw.name), "use a-z, 0-9 and _");
        }
        if raw.thresholds.is_empty() {
            problem(
                "thresholds",
                "a rule without a threshold never fires".to_owned(),
                "give at least one, or `enabled = false`",
            );
        }
        if matches!(&raw.destinations, RawDestinations::All(sets) if sets.is_empty()) {
            problem("destinations", "an empty list".to_owned(), "such as \"international\"");
        }
        if raw.cross_tenant && !raw.scope.can_cross_tenants() {
            problem(
                "cross_tenant",
                format!("a {} belongs to one tenant", raw.scope.word()),
                "called_number, called_range, country and source_address can be measured over all tenants",
            );
        }
        if raw.measure == Measure::DistinctExtensions && raw.scope == ScopeKind::Extension {
            problem("scope", "an extension is always one".to_owned(), "such as scope = \"tenant\"");
        }
        if raw.minimum_attempts.is_some() && !raw.measure.is_low_bad() {
            problem("minimum_attempts", "only ratios need it".to_owned(), "leave it out");
        }
        let arms = raw.thresholds.iter().any(|threshold| threshold.arm.is_some());
        let arm_seconds = match raw.arm_for.as_deref().map(|text| (text, parse_duration(text))) {
            Some((_, Some(seconds))) if (1..=LONGEST_WINDOW_SECONDS).contains(&seconds) && arms => seconds,
            Some(_) if !arms => {
                problem("arm_for", "no threshold says `arm`".to_owned(), "leave it out");
                0
            }
            Some((text, _)) => {
                problem("arm_for", format!("`{text}` is no duration"), "such as \"24h\", at most 7d");
                0
            }
            None if arms => {
                problem(
                    "arm_for",
                    "a threshold arms, and nothing says how long".to_owned(),
                    "such as \"24h\"",
                );
                0
            }
            None => 0,
        };
        if arms && raw.armed {
            problem("armed", "a rule cannot wait for what it does itself".to_owned(), "use two rules");
        }
        let thresholds = raw
            .thresholds
            .iter()
            .enumerate()
            .map(|(i, threshold)| {
                ThresholdReader { rule: raw, place: format!("{place}.thresholds[{i}]"), problems }
                    .read(threshold)
            })
            .collect();
        Self {
            name: raw.name.clone(),
            scope: raw.scope,
            cross_tenant: raw.cross_tenant,
            measure: raw.measure,
            traits: traits(raw),
            minimum_attempts: u64::from(raw.minimum_attempts.unwrap_or(10)),
            arm_seconds,
            thresholds,
        }
    }

    /// Gives each threshold the running total that serves it, out of `specs`.
    pub(crate) fn find_specs(&mut self, specs: &mut Vec<WindowSpec>) {
        if !self.measure.is_total() {
            return;
        }
        for threshold in &mut self.thresholds {
            let wanted = WindowSpec { traits: self.traits, seconds: threshold.seconds };
            threshold.spec = specs.iter().position(|spec| *spec == wanted).unwrap_or_else(|| {
                specs.push(wanted);
                specs.len() - 1
            });
        }
    }
}

/// The bits that a call must have to count.
fn traits(raw: &RawRule) -> Traits {
    let mut traits = raw.destinations.traits();
    // What an allowed number costs is watched all the same: an allowance is no blank cheque.
    if raw.measure != Measure::Exposure {
        traits = traits.with(Traits::NOT_ALLOWED);
    }
    match raw.when {
        When::Always => {}
        When::OffHours => traits = traits.with(Traits::OFF_HOURS),
        When::BusinessHours => traits = traits.with(Traits::BUSINESS_HOURS),
    }
    if raw.outcomes == Outcomes::FailedOrShort {
        traits = traits.with(Traits::SHORT_OR_FAILED);
    }
    if raw.armed { traits.with(Traits::ARMED) } else { traits }
}

/// Reads one threshold of a rule.
struct ThresholdReader<'a> {
    rule: &'a RawRule,
    place: String,
    problems: &'a mut Vec<Problem>,
}

impl ThresholdReader<'_> {
    fn problem(&mut self, key: &str, what: String, hint: &str) {
        let place = if key.is_empty() { self.place.clone() } else { format!("{}.{key}", self.place) };
        self.problems.push(Problem::new(place, what, hint));
    }

    fn read(&mut self, raw: &RawThreshold) -> Threshold {
        let seconds = self.window(raw);
        let arm = self.value(raw.arm.as_ref(), "arm");
        let warning = self.value(raw.warning.as_ref(), "warning");
        let critical = self.value(raw.critical.as_ref(), "critical");
        if raw.warning.is_none() && raw.critical.is_none() && raw.arm.is_none() {
            self.problem(
                "",
                "neither `warning` nor `critical` nor `arm`".to_owned(),
                "give one of them, or several",
            );
        }
        for (mild, mild_name, severe, severe_name) in [
            (warning, "warning", critical, "critical"),
            (arm, "arm", warning, "warning"),
            (arm, "arm", critical, "critical"),
        ] {
            if let (Some(mild), Some(severe)) = (mild, severe)
                && mild > severe
            {
                let what =
                    format!("`{mild_name}` is reached after `{severe_name}`, so it would never be seen");
                self.problem("", what, "swap them");
            }
        }
        Threshold { seconds, spec: 0, arm, warning, critical }
    }

    fn window(&mut self, raw: &RawThreshold) -> i64 {
        let needs_one = self.rule.measure.has_window();
        match &raw.window {
            Some(text) if needs_one => {
                let seconds = parse_duration(text).filter(|s| (1..=LONGEST_WINDOW_SECONDS).contains(s));
                if seconds.is_none() {
                    self.problem(
                        "window",
                        format!("`{text}` is no window"),
                        "a whole number with s, m, h or d, at most 7d, such as \"10m\"",
                    );
                }
                seconds.unwrap_or(3600)
            }
            None if needs_one => {
                self.problem("window", "this measure needs a window".to_owned(), "such as window = \"60m\"");
                3600
            }
            Some(_) => {
                self.problem("window", "this measure has no window".to_owned(), "leave it out");
                3600
            }
            None => 3600,
        }
    }

    fn value(&mut self, raw: Option<&RawValue>, name: &str) -> Option<i64> {
        let raw = raw?;
        let measure = self.rule.measure;
        let value = parse_value(measure, raw).filter(|value| *value > 0);
        if value.is_none() {
            let text = match raw {
                RawValue::Number(number) => number.to_string(),
                RawValue::Text(text) => text.clone(),
            };
            let hint = match measure {
                measure if measure.is_duration() => "a duration such as \"20m\"",
                Measure::Exposure => "money above 0, such as 3000 or \"12.50\"",
                Measure::Asr => "a percentage from 1 to 100",
                _ => "a whole number from 1",
            };
            self.problem(name, format!("`{text}` is no value for this measure"), hint);
        }
        if measure.is_low_bad() { value.map(|value| -value) } else { value }
    }
}

fn parse_value(measure: Measure, raw: &RawValue) -> Option<i64> {
    match (measure, raw) {
        (measure, RawValue::Text(text)) if measure.is_duration() => parse_duration(text),
        (measure, RawValue::Number(_)) if measure.is_duration() => None,
        (Measure::Exposure, RawValue::Number(units)) => Some(Money::from_units(*units).micros()),
        (Measure::Exposure, RawValue::Text(text)) => text.parse::<Money>().ok().map(Money::micros),
        (Measure::Asr, RawValue::Number(percent)) => (1..=100).contains(percent).then_some(percent * 10),
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

    fn raw(measure: Measure, thresholds: Vec<RawThreshold>) -> RawRule {
        RawRule {
            name: "burst".to_owned(),
            enabled: true,
            scope: ScopeKind::Extension,
            cross_tenant: false,
            measure,
            destinations: RawDestinations::One(DestinationSet::HighRisk),
            when: When::Always,
            outcomes: Outcomes::Any,
            armed: false,
            arm_for: None,
            minimum_attempts: None,
            thresholds,
        }
    }

    fn places(raw: &RawRule) -> Vec<String> {
        let mut problems = Vec::new();
        Rule::validate(raw, "rules[4]", &mut problems);
        problems.into_iter().map(|problem| problem.place).collect()
    }

    #[test]
    fn every_fault_of_a_rule_is_named_with_its_place() {
        let number = |value| Some(RawValue::Number(value));
        let window = |text: &str| Some(text.to_owned());
        let mut rule = raw(
            Measure::Attempts,
            vec![
                RawThreshold { warning: number(5), critical: number(3), ..RawThreshold::default() },
                RawThreshold { window: window("soon"), ..RawThreshold::default() },
                RawThreshold {
                    window: window("10m"),
                    warning: Some(RawValue::Text("3".to_owned())),
                    critical: number(0),
                    arm: None,
                },
            ],
        );
        rule.name = "Burst!".to_owned();
        assert_eq!(
            places(&rule),
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

    #[test]
    fn options_that_do_not_go_together_are_named() {
        let ten = |arm: bool| RawThreshold {
            window: Some("10m".to_owned()),
            arm: arm.then_some(RawValue::Number(2)),
            warning: Some(RawValue::Number(3)),
            critical: None,
        };
        assert_eq!(places(&raw(Measure::Attempts, vec![ten(false)])), [""; 0]);
        let with = |change: &dyn Fn(&mut RawRule)| {
            let mut rule = raw(Measure::Attempts, vec![ten(true)]);
            rule.arm_for = Some("24h".to_owned());
            change(&mut rule);
            places(&rule)
        };
        assert_eq!(with(&|_| {}), [""; 0]);
        assert_eq!(with(&|rule| rule.arm_for = None), ["rules[4].arm_for"]);
        assert_eq!(with(&|rule| rule.arm_for = Some("8d".to_owned())), ["rules[4].arm_for"]);
        assert_eq!(with(&|rule| rule.thresholds = vec![ten(false)]), ["rules[4].arm_for"]);
        assert_eq!(with(&|rule| rule.armed = true), ["rules[4].armed"]);
        assert_eq!(with(&|rule| rule.cross_tenant = true), ["rules[4].cross_tenant"]);
        assert_eq!(with(&|rule| rule.measure = Measure::DistinctExtensions), ["rules[4].scope"]);
        assert_eq!(with(&|rule| rule.minimum_attempts = Some(5)), ["rules[4].minimum_attempts"]);
        assert_eq!(with(&|rule| rule.destinations = RawDestinations::All(vec![])), ["rules[4].destinations"]);
        assert_eq!(
            with(&|rule| rule.measure = Measure::Asr),
            ["rules[4].thresholds[0]"],
            "a ratio of 2 % is reached after one of 3 %"
        );
    }
}
