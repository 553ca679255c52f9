//! One key: its windows, its open calls, its incidents. Nothing here knows of any other key.
use crate::engine::{Alert, AlertReason};
use crate::incident::{DetectedOn, Incident, Scope, Severity, Trigger};
use crate::rule::{Measure, Rule};
use crate::settings::Settings;
use serde::{Deserialize, Serialize};
use tollwatch_cdr::EventTime;
use tollwatch_numbering::{E164, Money};
use tollwatch_stats::{CallStat, Totals, Traits, Windows};

/// What happened to a watched call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// It came to be known: by its start, or as a whole by its CDR.
    Begun(Box<CallStat>),
    /// The far end answered.
    Answered { started_at: EventTime, call: u64 },
    /// A live event says it is over.
    Ended { started_at: EventTime, call: u64 },
    /// A CDR says how long it lasted, whatever was thought before.
    Settled { started_at: EventTime, call: u64, ended_at: EventTime, answered: bool, billable_seconds: u32 },
}

/// A step of a watched call on its way to its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Toll {
    pub key: u32,
    /// Number of the record in its tenant; gives alerts their order.
    pub seq: u64,
    /// Newest event time of the tenant at that record.
    pub clock: EventTime,
    /// Event time of the record itself.
    pub known_at: EventTime,
    pub on: DetectedOn,
    pub step: Step,
}

/// A live call that has not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct OpenCall {
    started_at: EventTime,
    call: u64,
    number: u64,
    answered_at: Option<EventTime>,
    /// When its charge or its length next says something new.
    due: EventTime,
}

/// What the key's work brings out, beside its own state.
#[derive(Debug, Default)]
pub(crate) struct Output {
    /// Alerts, with the event time at which the tenant's clock lets them out.
    pub alerts: Vec<(EventTime, Alert)>,
    pub resolved: Vec<Incident>,
    /// Change of the tenant's exposure.
    pub exposure: Money,
    pub closed_for_age: u64,
}

#[derive(Clone, Copy, Debug)]
struct Finding {
    rule: usize,
    trigger: Trigger,
    severity: Severity,
    window_from: EventTime,
}

/// One key's state.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct KeyState {
    scope: Scope,
    windows: Windows,
    /// Countries called, with the latest call to each.
    countries: Vec<(u16, EventTime)>,
    open: Vec<OpenCall>,
    /// Ongoing incidents, by rule, with the event time at which to look whether they are over.
    incidents: Vec<(EventTime, Incident)>,
}

impl KeyState {
    pub(crate) fn new(scope: Scope) -> Self {
        Self {
            scope,
            windows: Windows::default(),
            countries: Vec::new(),
            open: Vec::new(),
            incidents: Vec::new(),
        }
    }
    pub(crate) fn ongoing(&self) -> impl Iterator<Item = &Incident> {
        self.incidents.iter().map(|(_, incident)| incident)
    }

    /// When this key next has something to do without a new record.
    pub(crate) fn next_due(&self) -> Option<EventTime> {
        let open = self.open.iter().map(|open| open.due);
        open.chain(self.incidents.iter().map(|(check, _)| *check)).min()
    }

    /// Takes a step of a call in; what is due before it happens first.
    pub(crate) fn apply(
        &mut self,
        toll: Toll,
        tenant: &str,
        learned: bool,
        settings: &Settings,
        out: &mut Output,
    ) {
        self.advance(toll.clock, tenant, settings, out);
        // Before anything is added, so that it does not matter when else old calls are let go.
        self.forget(toll.clock, settings);
        let now = Now { known_at: toll.known_at, let_out_at: toll.clock, on: toll.on, tenant };
        match toll.step {
            Step::Begun(call) => self.begin(*call, learned, now, settings, out),
            Step::Answered { started_at, call } => self.answer(started_at, call, now, settings, out),
            Step::Ended { started_at, call } => {
                let answered_at = self.close(started_at, call);
                let talked =
                    answered_at.map_or(0, |at| toll.known_at.seconds_since(at).clamp(0, i64::from(u32::MAX)));
                self.change(started_at, call, now, settings, out, |stat| {
                    stat.ended_at = toll.known_at;
                    stat.billable_seconds = talked as u32;
                });
            }
            Step::Settled { started_at, call, ended_at, answered, billable_seconds } => {
                self.close(started_at, call);
                self.change(started_at, call, now, settings, out, |stat| {
                    stat.ended_at = ended_at;
                    stat.answered = u32::from(answered);
                    stat.billable_seconds = billable_seconds;
                });
            }
        }
    }

    /// Lets go of calls that no window can hold any more.
    pub(crate) fn forget(&mut self, clock: EventTime, settings: &Settings) {
        self.windows.evict(&settings.specs, clock.plus_seconds(-settings.retention_seconds));
        let oldest = clock.plus_seconds(-settings.new_country_seconds - 1);
        self.countries.retain(|(_, last)| *last >= oldest);
    }

    /// Does what is due by `clock`: charges of open calls grow, incidents end.
    pub(crate) fn advance(&mut self, clock: EventTime, tenant: &str, settings: &Settings, out: &mut Output) {
        while let Some(due) = self.next_due().filter(|due| *due <= clock) {
            let now = Now { known_at: due, let_out_at: due, on: DetectedOn::InProgress, tenant };
            if let Some(open) = self.open.iter().find(|open| open.due == due).copied() {
                self.tick(open, now, settings, out);
            } else {
                self.check_resolved(due, settings, out);
            }
        }
    }

    fn begin(
        &mut self,
        mut call: CallStat,
        learned: bool,
        now: Now<'_>,
        settings: &Settings,
        out: &mut Output,
    ) {
        if self.is_new_country(&call, settings) && learned {
            call.traits = call.traits.with(Traits::NEW_COUNTRY);
        }
        if call.is_open() {
            self.open.push(OpenCall {
                started_at: call.first_at,
                call: call.call,
                number: call.number,
                answered_at: None,
                due: call.first_at.plus_seconds(settings.longest_open_seconds),
            });
        }
        out.exposure = out.exposure.saturating_add(call.cost);
        for (_, incident) in &mut self.incidents {
            if incident.holds(settings, &call) {
                incident.add(&call);
            }
        }
        let mut findings = Vec::new();
        let stat = call.clone();
        self.windows.insert(&settings.specs, call, &mut |spec, edge, totals| {
            look_at_totals(settings, spec, edge, totals, true, &mut findings);
        });
        self.look_at_call(&stat, true, now, settings, &mut findings);
        self.conclude(&stat, findings, now, settings, out);
    }

    fn answer(
        &mut self,
        started_at: EventTime,
        call: u64,
        now: Now<'_>,
        settings: &Settings,
        out: &mut Output,
    ) {
        let Some(open) = self.open.iter_mut().find(|o| o.call == call && o.started_at == started_at) else {
            return;
        };
        if open.answered_at.is_some() {
            return;
        }
        open.answered_at = Some(now.known_at);
        // The first increment is as good as charged once the far end has answered.
        let billable = 1;
        open.due = next_tick(open, billable, settings);
        self.change(started_at, call, now, settings, out, |stat| {
            stat.answered = 1;
            stat.billable_seconds = billable;
        });
    }

    /// An open call has come to its next charge, to a length that a rule asks for, or to the greatest age.
    fn tick(&mut self, open: OpenCall, now: Now<'_>, settings: &Settings, out: &mut Output) {
        let (started_at, call) = (open.started_at, open.call);
        if now.known_at >= started_at.plus_seconds(settings.longest_open_seconds) {
            self.close(started_at, call);
            out.closed_for_age += 1;
            self.change(started_at, call, now, settings, out, |stat| stat.ended_at = now.known_at);
            return;
        }
        let talked = open.answered_at.map_or(0, |at| now.known_at.seconds_since(at).max(0)) as u32;
        if let Some(open) = self.open.iter_mut().find(|o| o.call == call && o.started_at == started_at) {
            open.due = next_tick(open, talked, settings);
        }
        self.change(started_at, call, now, settings, out, |stat| stat.billable_seconds = talked);
    }

    /// The call is not open any more; when it was answered.
    fn close(&mut self, started_at: EventTime, call: u64) -> Option<EventTime> {
        let at = self.open.iter().position(|o| o.call == call && o.started_at == started_at)?;
        self.open.remove(at).answered_at
    }

    /// Changes a call in the windows, and what follows from it.
    fn change(
        &mut self,
        started_at: EventTime,
        call: u64,
        now: Now<'_>,
        settings: &Settings,
        out: &mut Output,
        change: impl FnOnce(&mut CallStat),
    ) {
        let Some(before) = self.windows.find(started_at, call).cloned() else { return };
        let mut after = before.clone();
        change(&mut after);
        after.cost = settings.charge(after.number, after.billable_seconds);
        if after == before {
            return;
        }
        out.exposure = out.exposure.saturating_sub(before.cost).saturating_add(after.cost);
        for (_, incident) in &mut self.incidents {
            if incident.holds(settings, &before) {
                incident.change(&before, &after);
            }
        }
        let mut findings = Vec::new();
        let new = after.clone();
        self.windows.update(
            &settings.specs,
            started_at,
            call,
            |stat| *stat = new,
            &mut |spec, edge, totals| {
                look_at_totals(settings, spec, edge, totals, false, &mut findings);
            },
        );
        self.look_at_call(&after, false, now, settings, &mut findings);
        self.conclude(&after, findings, now, settings, out);
    }

    /// The measures that are no running total: overlap, length, distinct numbers.
    fn look_at_call(
        &self,
        call: &CallStat,
        begun: bool,
        now: Now<'_>,
        settings: &Settings,
        findings: &mut Vec<Finding>,
    ) {
        let watching = |rule: &Rule| {
            !rule.measure.is_total() && call.traits.has(rule.traits) && (begun || rule.measure.grows())
        };
        for (index, rule) in settings.rules.iter().enumerate().filter(|(_, rule)| watching(rule)) {
            for (number, threshold) in rule.thresholds.iter().enumerate() {
                let (value, edge, window_from) = match rule.measure {
                    Measure::ConcurrentCalls => {
                        // A call that still goes on overlaps what is up now, not what may come.
                        let until = if call.is_open() { now.known_at.plus_seconds(1) } else { call.ended_at };
                        let most = self.windows.most_concurrent(rule.traits, call.first_at, until);
                        let from = self.oldest_overlapping(rule.traits, call);
                        (most as i64, call.first_at, from)
                    }
                    Measure::LongestCall => {
                        (i64::from(call.billable_seconds), call.first_at, before(call.first_at))
                    }
                    _ => {
                        let enough = threshold.critical.or(threshold.warning).unwrap_or(1).max(1) as usize;
                        let (most, edge) = self.windows.most_distinct_numbers(
                            rule.traits,
                            call.destination,
                            call.first_at,
                            threshold.seconds,
                            enough,
                        );
                        (most as i64, edge, edge.plus_seconds(-threshold.seconds))
                    }
                };
                push_finding(index, number, rule, value, edge, window_from, findings);
            }
        }
    }

    fn oldest_overlapping(&self, traits: Traits, call: &CallStat) -> EventTime {
        let overlapping = self.windows.calls().iter().filter(|c| {
            c.traits.has(traits) && !c.is_pane() && c.ended_at > call.first_at && c.first_at <= call.first_at
        });
        before(overlapping.map(|c| c.first_at).min().unwrap_or(call.first_at))
    }

    /// Opens, raises and follows incidents.
    fn conclude(
        &mut self,
        call: &CallStat,
        findings: Vec<Finding>,
        now: Now<'_>,
        settings: &Settings,
        out: &mut Output,
    ) {
        for rule in 0..settings.rules.len() {
            let of_rule = || findings.iter().filter(|finding| finding.rule == rule);
            let at = self.incidents.iter().position(|(_, incident)| incident.rule == rule);
            // The worst finding speaks; the first threshold in the configuration where several are as bad.
            let worst = of_rule().copied().reduce(|a, b| if b.severity > a.severity { b } else { a });
            let from = of_rule().map(|finding| finding.window_from).min();
            let reason = match (at, worst, from) {
                (Some(at), worst, from) => self.follow(at, call, worst, from, now, settings),
                (None, Some(worst), Some(from)) => {
                    self.open(call, worst, from, now, settings);
                    Some(AlertReason::Opened)
                }
                _ => None,
            };
            if let Some((_, incident)) = self.incidents.iter_mut().find(|(_, incident)| incident.rule == rule)
                && let Some(reason) = reason
            {
                incident.exposure_alerted = incident.exposure;
                out.alerts.push((
                    now.let_out_at,
                    Alert { reason, at: now.known_at, incident: Box::new(incident.clone()) },
                ));
            }
        }
    }

    fn open(&mut self, call: &CallStat, worst: Finding, from: EventTime, now: Now<'_>, settings: &Settings) {
        let Some(rule) = settings.rules.get(worst.rule) else { return };
        let mut incident = Incident {
            id: Incident::name(now.tenant, &rule.name, &self.scope, now.known_at),
            tenant: now.tenant.into(),
            rule: worst.rule,
            scope: self.scope.clone(),
            severity: worst.severity,
            window_from: from,
            first_call_at: call.first_at,
            opened_at: call.first_at,
            detected_at: now.known_at,
            critical_at: None,
            resolved_at: None,
            detected_on: now.on,
            trigger: worst.trigger,
            attempts: 0,
            answered: 0,
            billable_seconds: 0,
            exposure: Money::ZERO,
            exposure_at_detection: Money::ZERO,
            exposure_at_critical: None,
            exposure_alerted: Money::ZERO,
            destinations: std::collections::BTreeMap::new(),
            call_ids: Vec::new(),
        };
        for call in self.windows.calls() {
            if incident.holds(settings, call) {
                incident.add(call);
            }
        }
        incident.exposure_at_detection = incident.exposure;
        if worst.severity == Severity::Critical {
            incident.critical_at = Some(now.known_at);
            incident.exposure_at_critical = Some(incident.exposure);
        }
        // No incident is over before the call that opened it has left the windows; what comes later is seen then.
        let longest = rule.thresholds.iter().map(|threshold| threshold.seconds).max().unwrap_or(0);
        self.incidents.push((call.first_at.plus_seconds(longest), incident));
    }

    /// An incident goes on: it may have grown worse.
    fn follow(
        &mut self,
        at: usize,
        call: &CallStat,
        worst: Option<Finding>,
        from: Option<EventTime>,
        now: Now<'_>,
        settings: &Settings,
    ) -> Option<AlertReason> {
        let (_, incident) = self.incidents.get_mut(at)?;
        let rule = settings.rules.get(incident.rule)?;
        if !call.traits.has(rule.traits) {
            return None;
        }
        if let Some(from) = from.filter(|from| *from < incident.window_from) {
            let known = std::mem::replace(&mut incident.window_from, from);
            for older in self.windows.calls().iter().filter(|c| c.first_at <= known) {
                if incident.holds(settings, older) {
                    incident.add(older);
                }
            }
        }
        if worst.is_some_and(|worst| worst.severity > incident.severity) {
            incident.severity = Severity::Critical;
            incident.critical_at = Some(now.known_at);
            incident.exposure_at_critical = Some(incident.exposure);
            return Some(AlertReason::Escalated);
        }
        let doubled = incident.exposure_alerted.saturating_add(incident.exposure_alerted);
        (incident.exposure_alerted > Money::ZERO && incident.exposure >= doubled)
            .then_some(AlertReason::ExposureDoubled)
    }

    /// Ends the incidents whose value has been under half the threshold for a window length.
    fn check_resolved(&mut self, due: EventTime, settings: &Settings, out: &mut Output) {
        let Some(at) = self.incidents.iter().position(|(check, _)| *check == due) else { return };
        let Some((_, incident)) = self.incidents.get(at) else { return };
        let Some(rule) = settings.rules.get(incident.rule) else { return };
        let over = rule
            .thresholds
            .iter()
            .map(|threshold| self.low_since(rule, threshold).plus_seconds(threshold.seconds))
            .max()
            .unwrap_or(due);
        if over > due {
            if let Some((check, _)) = self.incidents.get_mut(at) {
                *check = over;
            }
            return;
        }
        let (_, mut incident) = self.incidents.remove(at);
        incident.resolved_at = Some(due);
        out.alerts.push((
            due,
            Alert { reason: AlertReason::Resolved, at: due, incident: Box::new(incident.clone()) },
        ));
        out.resolved.push(incident);
    }

    /// Since when the value is under half the threshold, if nothing more happens.
    fn low_since(&self, rule: &Rule, threshold: &crate::rule::Threshold) -> EventTime {
        if self.open.iter().any(|open| {
            self.windows.find(open.started_at, open.call).is_some_and(|call| call.traits.has(rule.traits))
        }) {
            return EventTime::MAX;
        }
        let mut matching = self.windows.calls().iter().rev().filter(|call| call.traits.has(rule.traits));
        if matches!(rule.measure, Measure::ConcurrentCalls | Measure::LongestCall) {
            // What has no window is low once the last call is over.
            return matching.map(|call| call.ended_at).max().unwrap_or(EventTime::MIN);
        }
        let half = threshold.lowest().saturating_add(1) / 2;
        let mut value = 0_i64;
        let mut newest = EventTime::MIN;
        for call in matching.by_ref() {
            newest = newest.max(call.last_at);
            value = value.saturating_add(match rule.measure {
                Measure::Attempts => i64::from(call.attempts),
                Measure::Answered => i64::from(call.answered),
                Measure::BillableTime => i64::from(call.billable_seconds),
                Measure::Exposure => call.cost.micros(),
                // Distinct numbers are low once the last call has left the window.
                _ => half,
            });
            if value >= half {
                return call.last_at.plus_seconds(threshold.seconds);
            }
        }
        newest
    }

    fn is_new_country(&mut self, call: &CallStat, settings: &Settings) -> bool {
        let Some(country) =
            settings.country(call.destination).filter(|_| call.traits.has(Traits::INTERNATIONAL))
        else {
            return false;
        };
        match self.countries.iter_mut().find(|(known, _)| *known == country) {
            Some((_, last)) => {
                let new = call.first_at.seconds_since(*last) > settings.new_country_seconds;
                *last = (*last).max(call.first_at);
                new
            }
            None => {
                self.countries.push((country, call.first_at));
                true
            }
        }
    }
}

/// What a record, or the passing of time, brings with it.
#[derive(Clone, Copy, Debug)]
struct Now<'a> {
    known_at: EventTime,
    let_out_at: EventTime,
    on: DetectedOn,
    tenant: &'a str,
}

fn before(at: EventTime) -> EventTime {
    EventTime::from_micros(at.micros().saturating_sub(1))
}

/// When an answered call's charge next rises, or it gets as long as a rule asks for.
fn next_tick(open: &OpenCall, billable: u32, settings: &Settings) -> EventTime {
    let oldest = open.started_at.plus_seconds(settings.longest_open_seconds);
    let Some(answered_at) = open.answered_at else { return oldest };
    let charge = settings.rate(E164::from_value(open.number)).next_step_after(billable);
    let lengths = settings
        .rules
        .iter()
        .filter(|rule| rule.measure == Measure::LongestCall)
        .flat_map(|rule| rule.thresholds.iter().flat_map(|t| [t.warning, t.critical]).flatten())
        .filter(|length| *length > i64::from(billable));
    let next = lengths.chain([i64::from(charge.max(billable.saturating_add(1)))]).min().unwrap_or(i64::MAX);
    answered_at.plus_seconds(next).min(oldest)
}

fn look_at_totals(
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
