//! What the rules find in a key's windows.
use super::{KeyState, Now};
use crate::incident::{Severity, Trigger};
use crate::rule::{Measure, Rule};
use crate::settings::Settings;
use tollwatch_cdr::EventTime;
use tollwatch_stats::{CallStat, Search, Totals, Traits};

/// One threshold that was reached.
#[derive(Clone, Copy, Debug)]
pub(super) struct Finding {
    pub rule: usize,
    pub trigger: Trigger,
    pub severity: Severity,
    pub window_from: EventTime,
}

impl KeyState {
    /// The measures that are no running total: overlap, length, distinct numbers. `up_from` is where the time
    /// begins in which the call was not known to be up before; none if there is no such time.
    pub(super) fn look_at_call(
        &self,
        call: &CallStat,
        up_from: Option<EventTime>,
        now: Now<'_>,
        settings: &Settings,
        findings: &mut Vec<Finding>,
    ) {
        let begun = up_from == Some(call.first_at);
        let watching = |rule: &Rule| {
            call.traits.has(rule.traits)
                && match rule.measure {
                    Measure::ConcurrentCalls => up_from.is_some(),
                    Measure::LongestCall => true,
                    Measure::DistinctNumbers => begun,
                    _ => false,
                }
        };
        for (index, rule) in settings.rules.iter().enumerate().filter(|(_, rule)| watching(rule)) {
            for (number, threshold) in rule.thresholds.iter().enumerate() {
                // A key without enough calls needs no counting.
                if rule.measure != Measure::LongestCall
                    && (self.windows.calls().len() as i64) < threshold.lowest()
                {
                    continue;
                }
                let (value, edge, window_from) = match rule.measure {
                    Measure::ConcurrentCalls => {
                        // A call that still goes on overlaps what is up now, not what may come.
                        let until = if call.is_open() { now.known_at.plus_seconds(1) } else { call.ended_at };
                        let from = up_from.unwrap_or(call.first_at);
                        let most = self.windows.most_concurrent(rule.traits, from, until);
                        let reached = most as i64 >= threshold.lowest();
                        let from =
                            if reached { self.oldest_overlapping(rule.traits, from, until) } else { from };
                        (most as i64, call.first_at, from)
                    }
                    Measure::LongestCall => {
                        (i64::from(call.billable_seconds), call.first_at, before(call.first_at))
                    }
                    _ => {
                        let enough = threshold.critical.or(threshold.warning).unwrap_or(1).max(1) as u64;
                        let (most, edge) = self.windows.most_distinct(
                            call,
                            Search { traits: rule.traits, seconds: threshold.seconds, enough },
                            |other| other.destination == call.destination,
                            CallStat::called_number,
                        );
                        (most as i64, edge, edge.plus_seconds(-threshold.seconds))
                    }
                };
                push_finding(index, number, rule, value, edge, window_from, findings);
            }
        }
    }

    fn oldest_overlapping(&self, traits: Traits, from: EventTime, until: EventTime) -> EventTime {
        let overlapping =
            |c: &&CallStat| c.traits.has(traits) && !c.is_pane() && c.ended_at > from && c.first_at < until;
        before(self.windows.calls().iter().filter(overlapping).map(|c| c.first_at).min().unwrap_or(from))
    }
}

/// The rules that look at a window's running total.
pub(super) fn look_at_totals(
    settings: &Settings,
    spec: usize,
    edge: EventTime,
    totals: &Totals,
    begun: bool,
    findings: &mut Vec<Finding>,
) {
    for &(index, number) in settings.by_spec.get(spec).map_or(&[][..], Vec::as_slice) {
        let Some((rule, threshold)) =
            settings.rules.get(index).and_then(|rule| Some((rule, rule.thresholds.get(number)?)))
        else {
            continue;
        };
        if !begun && !rule.measure.grows() {
            continue;
        }
        let value = match rule.measure {
            Measure::Attempts => totals.attempts as i64,
            Measure::Answered => totals.answered as i64,
            Measure::BillableTime => totals.billable_seconds as i64,
            _ => totals.cost.micros(),
        };
        push_finding(index, number, rule, value, edge, edge.plus_seconds(-threshold.seconds), findings);
    }
}

fn push_finding(
    index: usize,
    number: usize,
    rule: &Rule,
    value: i64,
    edge: EventTime,
    window_from: EventTime,
    findings: &mut Vec<Finding>,
) {
    let Some(threshold) = rule.thresholds.get(number) else { return };
    let reaches = |limit: Option<i64>| limit.is_some_and(|limit| value >= limit);
    let severity = if reaches(threshold.critical) {
        Severity::Critical
    } else if reaches(threshold.warning) {
        Severity::Warning
    } else {
        return;
    };
    findings.push(Finding {
        rule: index,
        trigger: Trigger { threshold: number, value, edge },
        severity,
        window_from,
    });
}

fn before(at: EventTime) -> EventTime {
    EventTime::from_micros(at.micros().saturating_sub(1))
}
