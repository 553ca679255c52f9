//! What the rules find in a key's windows.
use super::{KeyState, Now, View};
use crate::incident::{Incident, Severity, Trigger};
use crate::rule::{Measure, Rule, Threshold};
use crate::settings::Limit;
use std::collections::BTreeSet;
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

/// All that one change has brought to light.
#[derive(Debug)]
pub(super) struct Findings {
    pub reached: Vec<Finding>,
    /// The key is armed from when until when.
    pub arm: Vec<(EventTime, EventTime)>,
    /// Rules of which nothing new can be found.
    settled: Vec<usize>,
}

/// What is new about a call.
#[derive(Clone, Copy, Debug)]
pub(super) struct News<'c> {
    /// As it was; none if it has just come to be known.
    pub before: Option<&'c CallStat>,
    pub call: &'c CallStat,
}

impl News<'_> {
    /// Whether a rule on calls of these traits counts the call, and has not counted it before.
    fn joins(&self, traits: Traits) -> bool {
        self.call.traits.has(traits) && !self.before.is_some_and(|before| before.traits.has(traits))
    }

    /// Whether what a rule measures may have grown worse. What has not is not looked at again: an incident that is over
    /// would open anew for what another rule makes of the call.
    fn concern(&self, limit: &Limit) -> bool {
        let (Some(before), call) = (self.before.filter(|_| !self.joins(limit.traits)), self.call) else {
            return true;
        };
        if !call.traits.has(limit.traits) {
            return false;
        }
        let has_talked_on = call.billable_seconds > before.billable_seconds;
        match limit.measure {
            Measure::Answered => call.answered > before.answered,
            Measure::Failed => call.failed > before.failed,
            Measure::BillableTime | Measure::LongestCall => has_talked_on,
            Measure::Exposure => call.cost > before.cost,
            Measure::Asr => (call.answered, call.failed) != (before.answered, before.failed),
            Measure::Acd => {
                (call.answered, call.billable_seconds) != (before.answered, before.billable_seconds)
            }
            Measure::ConcurrentCalls => self.up_from(limit.traits).is_some(),
            _ => false,
        }
    }

    /// Where the time begins in which the rule did not know the call to be up; none if there is no such time.
    fn up_from(&self, traits: Traits) -> Option<EventTime> {
        if self.joins(traits) {
            return Some(self.call.first_at);
        }
        // A closed call that proves to have lasted longer overlaps what was up in that time.
        self.before
            .filter(|before| !before.is_open() && self.call.ended_at > before.ended_at)
            .map(|before| before.ended_at)
    }
}

impl Findings {
    /// None yet about `call`. Where a rule's incident is as bad as it can get, and began before any window that holds
    /// the call, nothing that such a window says would change it: it need not be measured.
    pub(super) fn of(incidents: &[(EventTime, Incident)], call: &CallStat, view: View<'_>) -> Self {
        let is_settled = |incident: &Incident| {
            view.settings.settling.get(incident.rule).copied().flatten().is_some_and(|settling| {
                (incident.severity == Severity::Critical || !settling.can_rise)
                    && call.first_at.plus_seconds(-settling.longest_window) >= incident.window_from
            })
        };
        let settled = incidents.iter().map(|(_, incident)| incident).filter(|incident| is_settled(incident));
        Self {
            reached: Vec::new(),
            arm: Vec::new(),
            settled: settled.map(|incident| incident.rule).collect(),
        }
    }
}

impl KeyState {
    /// The measures that are no running total: overlap, length, what differs between the calls.
    pub(super) fn look_at_call(&self, news: News<'_>, now: Now, view: View<'_>, findings: &mut Findings) {
        let call = news.call;
        for limit in view.rules.around.iter().filter(|limit| call.traits.has(limit.traits)) {
            // A key without enough calls needs no counting.
            let at_most = match limit.measure {
                Measure::LongestCall => i64::from(call.billable_seconds),
                Measure::SameNumberRun | Measure::NeighbouringNumbers | Measure::CallsInOneRange => {
                    i64::try_from(self.windows.at_most_to_range_of(call)).unwrap_or(i64::MAX)
                }
                // The home country, where premium numbers are watched, is not among those abroad.
                Measure::DistinctCountries => self.countries.len() as i64 + 1,
                _ => self.windows.calls().len() as i64,
            };
            if at_most < limit.lowest || !news.concern(limit) || findings.settled.contains(&limit.rule) {
                continue;
            }
            let Some(rule) = view.settings.rules.get(limit.rule) else { continue };
            let Some(threshold) = rule.thresholds.get(limit.number) else { continue };
            self.measure(rule, threshold, news, now, &mut |value, edge, window_from| {
                findings.push(limit.rule, limit.number, rule, value, edge, window_from);
            });
        }
    }

    /// Shows `visit` what is there around a call: the value, the right edge of its window, and what its window begins
    /// behind. All windows that reach anything are shown, as those of running totals are, so that what follows does not
    /// depend on the order in which calls come to be known.
    fn measure(
        &self,
        rule: &Rule,
        threshold: &Threshold,
        news: News<'_>,
        now: Now,
        visit: &mut impl FnMut(i64, EventTime, EventTime),
    ) {
        let call = news.call;
        let search = Search {
            traits: rule.traits,
            seconds: threshold.seconds,
            least: threshold.lowest().max(1).unsigned_abs(),
        };
        let country =
            |call: &CallStat| Some(call.country).filter(|country| *country != CallStat::NO_DESTINATION);
        let same_country = |other: &CallStat| other.country == call.country;
        let same_row = |other: &CallStat| other.destination == call.destination;
        let windows = &self.windows;
        let in_window = &mut |value: u64, edge: EventTime| {
            visit(value as i64, edge, edge.plus_seconds(-threshold.seconds));
        };
        match rule.measure {
            Measure::ConcurrentCalls => {
                // A call that still goes on overlaps what is up now, not what may come.
                let until = if call.is_open() { now.known_at.plus_seconds(1) } else { call.ended_at };
                let from = news.up_from(rule.traits).unwrap_or(call.first_at);
                if !windows.as_many_were_up(rule.traits, from, until, search.least) {
                    return;
                }
                let least = threshold.lowest_alert().max(1).unsigned_abs();
                let (most, oldest) = windows.most_concurrent(rule.traits, from, until, least);
                visit(most as i64, call.first_at, before(oldest.unwrap_or(from)));
            }
            Measure::LongestCall => {
                visit(i64::from(call.billable_seconds), call.first_at, before(call.first_at));
            }
            Measure::DistinctCountries => windows.visit_distinct(call, search, |_| true, country, in_window),
            Measure::DistinctExtensions => {
                windows.visit_distinct(call, search, same_country, CallStat::placed_by, in_window);
            }
            Measure::SameNumberRun => windows.visit_runs_of_number(call, search, in_window),
            Measure::NeighbouringNumbers => windows.visit_neighbours(call, search, in_window),
            Measure::CallsInOneRange => windows.visit_calls_in_range(call, search, in_window),
            _ => windows.visit_distinct(call, search, same_row, CallStat::called_number, in_window),
        }
    }

    /// What a rule measures in the window that ends at `clock`; none where that hangs on the call that looks.
    pub(crate) fn value_now(&self, rule: &Rule, seconds: i64, clock: EventTime) -> Option<i64> {
        let begin = clock.plus_seconds(-seconds);
        let counts = |call: &&CallStat| call.traits.has(rule.traits) && call.first_at <= clock;
        let in_window = || self.windows.calls().iter().filter(counts).filter(|call| call.last_at > begin);
        let mut totals = Totals::default();
        in_window().for_each(|call| totals.add(call));
        let distinct = |of: &dyn Fn(&CallStat) -> Option<u64>| {
            in_window().filter_map(of).collect::<BTreeSet<u64>>().len() as i64
        };
        match rule.measure {
            Measure::Attempts => Some(totals.attempts as i64),
            Measure::Answered => Some(totals.answered as i64),
            Measure::Failed => Some(totals.failed as i64),
            Measure::BillableTime => Some(totals.billable_seconds as i64),
            Measure::Exposure => Some(totals.cost.micros()),
            Measure::Asr => totals.asr_permille().map(|value| -(value as i64)),
            Measure::Acd => totals.acd_seconds().map(|value| -(value as i64)),
            Measure::ConcurrentCalls => {
                let up = self.windows.calls().iter().filter(counts).filter(|call| call.ended_at > clock);
                Some(up.map(|call| i64::from(call.attempts)).sum())
            }
            Measure::DistinctNumbers => Some(distinct(&CallStat::called_number)),
            Measure::DistinctCountries => Some(distinct(&|call| {
                Some(u64::from(call.country)).filter(|id| *id != u64::from(CallStat::NO_DESTINATION))
            })),
            Measure::DistinctExtensions => Some(distinct(&|call| call.placed_by().map(u64::from))),
            _ => None,
        }
    }
}

/// The rules that look at a window's running total.
pub(super) fn look_at_totals(
    view: View<'_>,
    spec: usize,
    edge: EventTime,
    totals: &Totals,
    news: News<'_>,
    findings: &mut Findings,
) {
    for limit in view.rules.by_spec.get(spec).map_or(&[][..], Vec::as_slice) {
        let ratio = |value: Option<u64>, of: u64| {
            value.filter(|_| of >= limit.minimum_attempts).map_or(i64::MIN, |value| -(value as i64))
        };
        let value = match limit.measure {
            Measure::Attempts => totals.attempts as i64,
            Measure::Answered => totals.answered as i64,
            Measure::Failed => totals.failed as i64,
            Measure::Asr => ratio(totals.asr_permille(), totals.answered.saturating_add(totals.failed)),
            Measure::Acd => ratio(totals.acd_seconds(), totals.answered),
            Measure::BillableTime => totals.billable_seconds as i64,
            _ => totals.cost.micros(),
        };
        if value < limit.lowest || !news.concern(limit) || findings.settled.contains(&limit.rule) {
            continue;
        }
        let Some(rule) = view.settings.rules.get(limit.rule) else { continue };
        let Some(threshold) = rule.thresholds.get(limit.number) else { continue };
        let window_from = edge.plus_seconds(-threshold.seconds);
        findings.push(limit.rule, limit.number, rule, value, edge, window_from);
    }
}

impl Findings {
    /// A call that goes on has come to a length that a rule asks for. Nothing else is looked at: what a call is charged
    /// for grows when its charge does, whatever lengths there are rules for.
    pub(super) fn look_at_length(&mut self, call: &CallStat, seconds: u32, view: View<'_>) {
        let (edge, window_from) = (call.first_at, before(call.first_at));
        for &index in &view.rules.rules {
            let of_length =
                |rule: &&Rule| call.traits.has(rule.traits) && rule.measure == Measure::LongestCall;
            let Some(rule) = view.settings.rules.get(index).filter(of_length) else { continue };
            for number in 0..rule.thresholds.len() {
                self.push(index, number, rule, i64::from(seconds), edge, window_from);
            }
        }
    }

    fn push(
        &mut self,
        index: usize,
        number: usize,
        rule: &Rule,
        value: i64,
        edge: EventTime,
        window_from: EventTime,
    ) {
        let Some(threshold) = rule.thresholds.get(number) else { return };
        let reaches = |limit: Option<i64>| limit.is_some_and(|limit| value >= limit);
        if reaches(threshold.arm) {
            self.arm.push((edge, edge.plus_seconds(rule.arm_seconds)));
        }
        let severity = if reaches(threshold.critical) {
            Severity::Critical
        } else if reaches(threshold.warning) {
            Severity::Warning
        } else {
            return;
        };
        self.reached.push(Finding {
            rule: index,
            trigger: Trigger { threshold: number, value, edge },
            severity,
            window_from,
        });
    }
}

fn before(at: EventTime) -> EventTime {
    EventTime::from_micros(at.micros().saturating_sub(1))
}
