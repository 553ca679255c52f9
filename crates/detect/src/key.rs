//! One key: its windows, its open calls, its incidents. Nothing here knows of any other key.
mod finding;
mod incidents;

use crate::engine::Alert;
use crate::incident::{DetectedOn, Incident, Scope};
use crate::rule::Measure;
use crate::settings::Settings;
use finding::look_at_totals;
use serde::{Deserialize, Serialize};
use tollwatch_cdr::EventTime;
use tollwatch_numbering::{E164, Money};
use tollwatch_stats::{CallStat, Traits, Windows};

/// What happened to a watched call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

/// What lets an alert out; with it alerts have one order, however the records are batched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LetOut {
    /// The record of this number.
    Record(u64),
    /// The first record with which the tenant's clock reaches this event time.
    Clock(EventTime),
}

/// What the key's work brings out, beside its own state.
#[derive(Debug, Default)]
pub(crate) struct Output {
    /// Alerts, with what lets them out.
    pub alerts: Vec<(LetOut, Alert)>,
    pub resolved: Vec<Incident>,
    /// Change of the tenant's exposure.
    pub exposure: Money,
    pub closed_for_age: u64,
    pub unsettled: u64,
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
        let now = Now {
            known_at: toll.known_at,
            clock: toll.clock,
            let_out: LetOut::Record(toll.seq),
            on: toll.on,
            tenant,
        };
        match toll.step {
            Step::Begun(call) => self.begin(*call, learned, now, settings, out),
            Step::Answered { started_at, call } => self.answer(started_at, call, now, settings, out),
            Step::Ended { started_at, call } => {
                // A call that was closed for its age before keeps what it was charged by then.
                let open = self.close(started_at, call);
                let answered_at = open.and_then(|open| open.answered_at);
                let talked =
                    answered_at.map(|at| toll.known_at.seconds_since(at).clamp(0, i64::from(u32::MAX)));
                self.change(started_at, call, now, settings, out, |stat| {
                    stat.ended_at = toll.known_at;
                    stat.failed = u32::from(stat.answered == 0);
                    stat.billable_seconds = talked.map_or(stat.billable_seconds, |talked| talked as u32);
                });
            }
            Step::Settled { started_at, call, ended_at, answered, billable_seconds } => {
                self.close(started_at, call);
                self.change(started_at, call, now, settings, out, |stat| {
                    stat.ended_at = ended_at;
                    stat.answered = u32::from(answered);
                    stat.failed = u32::from(!answered);
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
            let now = Now {
                known_at: due,
                clock: due,
                let_out: LetOut::Clock(due),
                on: DetectedOn::InProgress,
                tenant,
            };
            if let Some(open) = self.open.iter().find(|open| open.due == due).copied() {
                self.tick(open, now, settings, out);
            } else {
                // What is over is decided on the same calls, whenever else old ones were let go.
                self.forget(due, settings);
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
                due: call.first_at.plus_seconds(settings.longest_open_seconds).max(now.soon()),
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
        self.windows.insert(&settings.specs, call, now.clock, &mut |spec, edge, totals| {
            look_at_totals(settings, spec, edge, totals, true, &mut findings);
        });
        self.look_at_call(&stat, Some(stat.first_at), now, settings, &mut findings);
        self.conclude(&stat, &findings, now, settings, out);
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
        open.due = next_tick(open, billable, settings).max(now.soon());
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

    /// The call is not open any more; what it was, if it was.
    fn close(&mut self, started_at: EventTime, call: u64) -> Option<OpenCall> {
        let at = self.open.iter().position(|o| o.call == call && o.started_at == started_at)?;
        Some(self.open.remove(at))
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
        let Some(before) = self.windows.find(started_at, call).cloned() else {
            out.unsettled += 1;
            return;
        };
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
        // A closed call that proves to have lasted longer overlaps what was up in that time.
        let grown_from = Some(before.ended_at).filter(|end| !before.is_open() && after.ended_at > *end);
        self.look_at_call(&after, grown_from, now, settings, &mut findings);
        self.conclude(&after, &findings, now, settings, out);
    }

    fn is_new_country(&mut self, call: &CallStat, settings: &Settings) -> bool {
        let Some(country) =
            settings.country(call.destination).filter(|_| call.traits.has(Traits::INTERNATIONAL))
        else {
            return false;
        };
        if let Some((_, last)) = self.countries.iter_mut().find(|(known, _)| *known == country) {
            let new = call.first_at.seconds_since(*last) > settings.new_country_seconds;
            *last = (*last).max(call.first_at);
            new
        } else {
            self.countries.push((country, call.first_at));
            true
        }
    }
}

/// What a record, or the passing of time, brings with it.
#[derive(Clone, Copy, Debug)]
struct Now<'a> {
    known_at: EventTime,
    /// The tenant's clock at that moment.
    clock: EventTime,
    let_out: LetOut,
    on: DetectedOn,
    tenant: &'a str,
}

impl Now<'_> {
    /// The earliest that something may fall due that is put off now: when the clock moves next.
    fn soon(&self) -> EventTime {
        EventTime::from_micros(self.clock.micros().saturating_add(1))
    }
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
