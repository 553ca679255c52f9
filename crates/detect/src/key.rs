//! One key: its windows, its open calls, its incidents. Nothing here knows of any other key.
mod finding;
mod incidents;
mod open;

use crate::countries::CountriesCalled;
use crate::engine::Alert;
use crate::incident::{DetectedOn, Incident};
use crate::keys::Names;
use crate::reconfigure::{GONE_RULE, Renaming, look_up_again};
use crate::scope::Scope;
use crate::settings::{ScopeRules, Settings};
use finding::{Findings, News, look_at_totals};
use open::OpenCalls;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use tollwatch_cdr::EventTime;
use tollwatch_numbering::Money;
use tollwatch_stats::{CallStat, Traits, Windows};

/// An incident with the ids of fifty calls takes as much memory as so many calls.
const INCIDENT_WEIGHT: usize = 20;

/// What happened to a watched call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Step {
    /// It came to be known: by its start, or as a whole by its CDR.
    Begun(CallStat),
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

/// What a key looks at the world through.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View<'a> {
    pub settings: &'a Settings,
    /// The rules that watch this key.
    pub rules: &'a ScopeRules,
    pub tenant: &'a str,
    pub names: Names<'a>,
    /// When there have been records for long enough to tell what is new.
    pub learned_at: EventTime,
}

/// One key's state.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct KeyState {
    scope: Scope,
    windows: Windows,
    countries: CountriesCalled,
    open: OpenCalls,
    /// Ongoing incidents, by rule, with the event time at which to look whether they are over.
    incidents: Vec<(EventTime, Incident)>,
    /// From when until when the key is armed.
    armed: Vec<(EventTime, EventTime)>,
}

impl KeyState {
    pub(crate) fn new(scope: Scope) -> Self {
        Self {
            scope,
            windows: Windows::default(),
            countries: CountriesCalled::default(),
            open: OpenCalls::default(),
            incidents: Vec::new(),
            armed: Vec::new(),
        }
    }
    pub(crate) fn ongoing(&self) -> impl Iterator<Item = &Incident> {
        self.incidents.iter().map(|(_, incident)| incident)
    }
    pub(crate) fn into_ongoing(self) -> impl Iterator<Item = Incident> {
        self.incidents.into_iter().map(|(_, incident)| incident)
    }
    /// Whether it remembers nothing.
    pub(crate) fn is_empty(&self) -> bool {
        self.windows.calls().is_empty()
            && self.countries.len() == 0
            && self.open.is_empty()
            && self.incidents.is_empty()
            && self.armed.is_empty()
    }
    /// The calls in its windows, which are serialised apart.
    pub(crate) fn calls(&self) -> &VecDeque<CallStat> {
        self.windows.calls()
    }
    /// The same with the calls that were serialised apart.
    pub(crate) fn with_calls(self, calls: VecDeque<CallStat>) -> Self {
        Self { windows: self.windows.with_calls(calls), ..self }
    }
    /// Looks at what the next call will need, as [`Windows::touch`] does.
    pub(crate) fn touch(&self) -> u64 {
        self.windows.touch().wrapping_add(self.countries.len() as u64)
    }
    /// What it takes of the memory, in calls.
    pub(crate) fn weight(&self) -> usize {
        self.windows.calls().len() + INCIDENT_WEIGHT * self.incidents.len()
    }
    pub(crate) fn has_open_calls(&self) -> bool {
        !self.open.is_empty()
    }

    /// Goes on under other rules, which `view` has. Incidents of a rule that is gone are over.
    pub(crate) fn reconfigure(
        &mut self,
        to: &Renaming<'_>,
        clock: EventTime,
        view: View<'_>,
        out: &mut Output,
    ) {
        self.windows.watch_by(&view.rules.specs, |call| look_up_again(call, view.settings));
        self.countries.rename(|country| to.rows.country(country));
        for (check, mut incident) in std::mem::take(&mut self.incidents) {
            to.rows.calls_by_row(&mut incident.destinations);
            incident.rule = to.rule(incident.rule);
            if incident.rule == GONE_RULE {
                incident.resolved_at = Some(clock);
                out.resolved.push(incident);
            } else {
                self.incidents.push((check, incident));
            }
        }
    }

    /// When this key next has something to do without a new record.
    pub(crate) fn next_due(&self) -> Option<EventTime> {
        self.open.next_due().into_iter().chain(self.incidents.iter().map(|(check, _)| *check)).min()
    }

    /// Takes a step of a call in; what is due before it happens first.
    pub(crate) fn apply(&mut self, toll: &Toll, view: View<'_>, out: &mut Output) {
        self.advance(toll.clock, view, out);
        // Before anything is added, so that it does not matter when else old calls are let go.
        self.forget(toll.clock, view);
        let now = Now {
            known_at: toll.known_at,
            clock: toll.clock,
            let_out: LetOut::Record(toll.seq),
            on: toll.on,
        };
        let short = view.settings.short_call_seconds;
        match &toll.step {
            Step::Begun(call) => self.begin(call.clone(), now, view, out),
            &Step::Answered { started_at, call } => self.answer(started_at, call, now, view, out),
            &Step::Ended { started_at, call } => {
                // A call that was closed for its age before keeps what it was charged by then.
                let open = self.open.close(started_at, call);
                let answered_at = open.and_then(|open| open.answered_at);
                let talked =
                    answered_at.map(|at| toll.known_at.seconds_since(at).clamp(0, i64::from(u32::MAX)));
                self.change(started_at, call, now, view, out, |stat| {
                    stat.ended_at = toll.known_at;
                    stat.failed = u32::from(stat.answered == 0);
                    stat.billable_seconds = talked.map_or(stat.billable_seconds, |talked| talked as u32);
                    is_over(stat, short);
                });
            }
            &Step::Settled { started_at, call, ended_at, answered, billable_seconds } => {
                self.open.close(started_at, call);
                self.change(started_at, call, now, view, out, |stat| {
                    stat.ended_at = ended_at;
                    stat.answered = u32::from(answered);
                    stat.failed = u32::from(!answered);
                    stat.billable_seconds = billable_seconds;
                    is_over(stat, short);
                });
            }
        }
    }

    /// Lets go of what no window can hold any more.
    /// Whether there was anything.
    pub(crate) fn forget(&mut self, clock: EventTime, view: View<'_>) -> bool {
        let size = |key: &Self| (key.windows.calls().len(), key.armed.len(), key.countries.len());
        let before = size(self);
        let kept_from = clock.plus_seconds(-view.settings.retention_seconds(view.rules));
        self.windows.evict(&view.rules.specs, kept_from);
        self.armed.retain(|(_, until)| *until > kept_from);
        // Rules on several countries ask for all that the windows hold.
        self.countries.forget(kept_from.min(clock.plus_seconds(-view.settings.new_country_seconds - 86_400)));
        size(self) != before
    }

    /// Does what is due by `clock`: charges of open calls grow, incidents end.
    pub(crate) fn advance(&mut self, clock: EventTime, view: View<'_>, out: &mut Output) {
        while let Some(due) = self.next_due().filter(|due| *due <= clock) {
            let now =
                Now { known_at: due, clock: due, let_out: LetOut::Clock(due), on: DetectedOn::InProgress };
            if let Some((started_at, call)) = self.open.due_at(due) {
                self.tick(started_at, call, now, view, out);
            } else {
                // What is over is decided on the same calls, whenever else old ones were let go.
                self.forget(due, view);
                self.check_resolved(due, view, out);
            }
        }
    }

    fn begin(&mut self, mut call: CallStat, now: Now, view: View<'_>, out: &mut Output) {
        let settings = view.settings;
        if !call.is_open() {
            is_over(&mut call, settings.short_call_seconds);
        }
        if self.is_armed_at(call.first_at) {
            call.traits = call.traits.with(Traits::ARMED);
        }
        let country = call.country;
        if country != CallStat::NO_DESTINATION && call.traits.has(Traits::INTERNATIONAL) {
            let novelty = self.countries.note(country, call.first_at, settings.new_country_seconds);
            if novelty.is_new && call.first_at >= view.learned_at {
                call.traits = call.traits.with(Traits::NEW_COUNTRY);
            }
            if let Some(at) = novelty.no_longer_new {
                // First of all, so that no window has two first calls to one country.
                self.no_longer_new(at, country, now, view, out);
            }
        }
        if call.is_open() {
            self.open.begin(&call, now.soon(), settings);
        }
        out.exposure = out.exposure.saturating_add(call.cost);
        for (_, incident) in &mut self.incidents {
            if incident.holds(settings, &call) {
                incident.add(&call, view.names);
            }
        }
        let mut findings = Findings::of(&self.incidents, &call, view);
        let stat = call.clone();
        let news = News { before: None, call: &stat };
        self.windows.insert(&view.rules.specs, call, now.clock, &mut |spec, edge, totals| {
            look_at_totals(view, spec, edge, totals, news, &mut findings);
        });
        self.look_at_call(news, now, view, &mut findings);
        self.conclude(&stat, findings, now, view, out);
    }

    fn answer(&mut self, started_at: EventTime, call: u64, now: Now, view: View<'_>, out: &mut Output) {
        // The first increment is as good as charged once the far end has answered.
        let billable = 1;
        if self.open.answer(started_at, call, billable, now, view) {
            self.change(started_at, call, now, view, out, |stat| {
                stat.answered = 1;
                stat.billable_seconds = billable;
            });
        }
    }

    /// An open call has come to its next charge, to a length that a rule asks for, or to the greatest age.
    fn tick(&mut self, started_at: EventTime, call: u64, now: Now, view: View<'_>, out: &mut Output) {
        let short = view.settings.short_call_seconds;
        if now.known_at >= started_at.plus_seconds(view.settings.longest_open_seconds) {
            self.open.close(started_at, call);
            out.closed_for_age += 1;
            self.change(started_at, call, now, view, out, |stat| {
                stat.ended_at = now.known_at;
                is_over(stat, short);
            });
            return;
        }
        let Some((talked, is_charged)) = self.open.tick(started_at, call, now, view) else { return };
        if is_charged {
            self.change(started_at, call, now, view, out, |stat| stat.billable_seconds = talked);
        } else if let Some(stat) = self.windows.find(started_at, call).cloned() {
            let mut findings = Findings::of(&self.incidents, &stat, view);
            findings.look_at_length(&stat, talked, view);
            self.conclude(&stat, findings, now, view, out);
        }
    }

    /// Changes a call in the windows, and what follows from it.
    fn change(
        &mut self,
        started_at: EventTime,
        call: u64,
        now: Now,
        view: View<'_>,
        out: &mut Output,
        change: impl FnOnce(&mut CallStat),
    ) {
        let Some(before) = self.windows.find(started_at, call).cloned() else {
            out.unsettled += 1;
            return;
        };
        let mut after = before.clone();
        change(&mut after);
        if !after.traits.has(Traits::FORWARDING_CODE) {
            after.cost = view.settings.charge(after.number, after.billable_seconds);
        }
        if after != before {
            self.replace(&before, &after, now, view, out);
        }
    }

    fn replace(&mut self, before: &CallStat, after: &CallStat, now: Now, view: View<'_>, out: &mut Output) {
        out.exposure = out.exposure.saturating_sub(before.cost).saturating_add(after.cost);
        for (_, incident) in &mut self.incidents {
            match (incident.holds(view.settings, before), incident.holds(view.settings, after)) {
                (true, true) => incident.change(before, after),
                (true, false) => {
                    let others = self.windows.calls().iter().filter(|call| call.call != before.call);
                    let left = others.filter(|call| incident.holds(view.settings, call));
                    incident.take_out(before, left.map(|call| call.first_at).min());
                }
                (false, true) => incident.add(after, view.names),
                (false, false) => {}
            }
        }
        let news = News { before: Some(before), call: after };
        let mut findings = Findings::of(&self.incidents, after, view);
        self.windows.update(
            &view.rules.specs,
            before.first_at,
            before.call,
            |stat| stat.clone_from(after),
            &mut |spec, edge, totals| look_at_totals(view, spec, edge, totals, news, &mut findings),
        );
        self.look_at_call(news, now, view, &mut findings);
        self.conclude(after, findings, now, view, out);
    }

    /// An earlier call to `country` has turned up: those begun at `at` were not the first.
    fn no_longer_new(&mut self, at: EventTime, country: u16, now: Now, view: View<'_>, out: &mut Output) {
        let calls: Vec<CallStat> = self
            .windows
            .starting_at(at)
            .filter(|call| call.traits.has(Traits::NEW_COUNTRY) && call.country == country)
            .cloned()
            .collect();
        self.take_for(&calls, |traits| traits.without(Traits::NEW_COUNTRY), now, view, out);
    }

    /// Looks again at calls that prove to be of another kind.
    fn take_for(
        &mut self,
        calls: &[CallStat],
        kind: impl Fn(Traits) -> Traits,
        now: Now,
        view: View<'_>,
        out: &mut Output,
    ) {
        for call in calls {
            // As it stands by now: what followed from the call before may have changed it.
            let Some(before) = self.windows.find(call.first_at, call.call).cloned() else { continue };
            let after = CallStat { traits: kind(before.traits), ..before.clone() };
            if after.traits != before.traits {
                self.replace(&before, &after, now, view, out);
            }
        }
    }

    fn is_armed_at(&self, at: EventTime) -> bool {
        self.armed.iter().any(|(from, until)| at > *from && at <= *until)
    }

    /// Arms the key for these times, and looks again at their calls: once they are armed for all of them, so that none
    /// of the calls arms for more.
    fn arm(&mut self, times: &[(EventTime, EventTime)], now: Now, view: View<'_>, out: &mut Output) {
        for &(from, until) in times {
            // Times that touch are one, so that their number stays small.
            let mut whole = (from, until);
            self.armed.retain(|&(a, b)| {
                let touches = a <= whole.1 && b >= whole.0;
                if touches {
                    whole = (whole.0.min(a), whole.1.max(b));
                }
                !touches
            });
            self.armed.push(whole);
        }
        let earliest = times.iter().map(|(from, _)| *from).min().unwrap_or(EventTime::MAX);
        let calls: Vec<CallStat> = self
            .windows
            .starting_in(earliest, EventTime::MAX)
            .filter(|call| {
                !call.is_pane() && !call.traits.has(Traits::ARMED) && self.is_armed_at(call.first_at)
            })
            .cloned()
            .collect();
        self.take_for(&calls, |traits| traits.with(Traits::ARMED), now, view, out);
    }
}

/// What can be said of a call when it is over.
fn is_over(stat: &mut CallStat, short_call_seconds: u32) {
    stat.failed = stat.attempts.saturating_sub(stat.answered);
    let short_or_failed = stat.answered == 0 || stat.billable_seconds <= short_call_seconds;
    stat.traits = if short_or_failed {
        stat.traits.with(Traits::SHORT_OR_FAILED)
    } else {
        stat.traits.without(Traits::SHORT_OR_FAILED)
    };
}

/// What a record, or the passing of time, brings with it.
#[derive(Clone, Copy, Debug)]
struct Now {
    known_at: EventTime,
    /// The tenant's clock at that moment.
    clock: EventTime,
    let_out: LetOut,
    on: DetectedOn,
}

impl Now {
    /// The earliest that something may fall due that is put off now: when the clock moves next.
    fn soon(&self) -> EventTime {
        EventTime::from_micros(self.clock.micros().saturating_add(1))
    }
}
