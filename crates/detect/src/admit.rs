//! Admission: from records, in the order of the input, to steps of watched calls.
use crate::incident::DetectedOn;
use crate::key::Step;
use crate::ledger::{Bounds, LegEntry, LegKey};
use crate::settings::{Settings, Watched};
use crate::tenant::{Tenant, head};
use tollwatch_cdr::{CallEvent, CallEventKind, Cdr, EventTime, Leg, Outcome, Party, Record};
use tollwatch_numbering::E164;
use tollwatch_stats::{CallId, CallStat, Traits};

/// A call waits for no more records than this: its time may lie so far ahead that the clock never comes to it, or
/// others may come in crowds. A record makes at most one call wait and tells of few that do, so that it bounds
/// those that wait at once and what is kept of them.
const MOST_RECORDS_WAITED: u64 = 10_000;
/// An answered call whose length nobody knows counts as one of a minute: it is no short call, and its cost alone raises no
/// alarm.
const UNKNOWN_LENGTH_SECONDS: u32 = 60;

/// A leg that a record tells of, whatever kind of record it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Telling<'a> {
    pub(crate) origin: Leg<'a>,
    pub(crate) target: Leg<'a>,
    pub(crate) calling: &'a [u8],
    pub(crate) dialled: &'a [u8],
    pub(crate) sent: &'a [u8],
    pub(crate) rang: &'a [u8],
    pub(crate) from_outside: bool,
    pub(crate) account: &'a [u8],
    pub(crate) source_address: &'a [u8],
    pub(crate) call_id: &'a [u8],
    pub(crate) started_at: EventTime,
    /// End, answered, billable seconds; none for a live call.
    pub(crate) completed: Option<(EventTime, bool, u32)>,
    pub(crate) known_at: EventTime,
}

impl Tenant {
    /// Takes one record in.
    pub(crate) fn admit(&mut self, system: u16, record: &Record<'_>, settings: &Settings) {
        self.seq += 1;
        let known_at = record.known_at();
        let bounds = Bounds { limits: settings.limits, longest_open_seconds: settings.longest_open_seconds };
        if self.clock.hear(known_at) {
            self.clock_has_moved(settings);
        }
        self.counters.untrusted_clock = self.clock.untrusted;
        self.give_up_waiting(self.clock.now(), settings);
        self.ledger.keep_within_limits(self.clock.now(), bounds, &mut self.counters);
        match record {
            Record::Cdr(cdr) => self.admit_cdr(system, cdr, settings),
            Record::CallEvent(event) => self.admit_event(system, event, settings),
        }
    }

    /// Time has passed without a record.
    pub(crate) fn pass(&mut self, at: EventTime, settings: &Settings) {
        if self.clock.pass(at) {
            self.seq += 1;
            self.clock_has_moved(settings);
            self.give_up_waiting(self.clock.now(), settings);
        }
    }

    fn clock_has_moved(&mut self, settings: &Settings) {
        let now = self.clock.now();
        self.keys.moved(now, self.seq);
        self.first_at.get_or_insert(now);
        let bounds = Bounds { limits: settings.limits, longest_open_seconds: settings.longest_open_seconds };
        self.ledger.advance(now, bounds, &mut self.counters);
    }

    fn admit_cdr(&mut self, system: u16, cdr: &Cdr<'_>, settings: &Settings) {
        self.counters.cdrs += 1;
        if !self.ledger.is_new(system, cdr.identity, cdr.started_at) {
            self.counters.duplicates += 1;
            return;
        }
        let telling = Telling {
            origin: cdr.origin,
            target: cdr.target,
            calling: cdr.calling,
            dialled: cdr.dialled,
            sent: cdr.sent,
            rang: cdr.rang,
            from_outside: cdr.from_outside,
            account: cdr.account,
            source_address: cdr.source_address,
            call_id: cdr.call_id,
            started_at: cdr.started_at,
            completed: Some(completed(cdr)),
            known_at: cdr.ended_at,
        };
        self.tell(system, &telling, settings);
    }

    fn admit_event(&mut self, system: u16, event: &CallEvent<'_>, settings: &Settings) {
        self.counters.call_events += 1;
        let leg = LegKey::new(system, event.target.id);
        match event.kind {
            CallEventKind::Started { origin, dialled, sent, rang, from_outside, account, source_address } => {
                let telling = Telling {
                    origin,
                    target: event.target,
                    calling: b"",
                    dialled,
                    sent,
                    rang,
                    from_outside,
                    account,
                    source_address,
                    call_id: event.call_id,
                    started_at: event.at,
                    completed: None,
                    known_at: event.at,
                };
                self.tell(system, &telling, settings);
            }
            CallEventKind::Diverted { by } => {
                let key = self.extension(by);
                self.ledger.put_diverted(leg, key);
            }
            CallEventKind::CodeDialled { dialled, from_outside, account, source_address } => {
                let telling = Telling {
                    origin: event.target,
                    target: Leg { id: b"", party: Party::None },
                    calling: b"",
                    dialled,
                    sent: b"",
                    rang: b"",
                    from_outside,
                    account,
                    source_address,
                    call_id: event.call_id,
                    started_at: event.at,
                    completed: None,
                    known_at: event.at,
                };
                self.tell_of_code(system, &telling, settings);
            }
            CallEventKind::Answered => {
                let Some(entry) = self.ledger.leg(leg).copied().filter(|entry| entry.live) else { return };
                let step = Step::Answered { started_at: entry.started_at, call: leg.value() };
                self.follow(leg, &entry, event.at, DetectedOn::InProgress, step);
            }
            CallEventKind::Ended { .. } => {
                let Some(entry) =
                    self.ledger.leg(leg).copied().filter(|e| e.live && e.ended_at == EventTime::MAX)
                else {
                    return;
                };
                self.ledger.put_leg(leg, LegEntry { ended_at: event.at, ..entry });
                let step = Step::Ended { started_at: entry.started_at, call: leg.value() };
                self.follow(leg, &entry, event.at, DetectedOn::InProgress, step);
            }
        }
    }

    /// Something more happened to a known call: it goes to the call's key, or waits with the call for its owner.
    pub(crate) fn follow(
        &mut self,
        leg: LegKey,
        known: &LegEntry,
        known_at: EventTime,
        on: DetectedOn,
        step: Step,
    ) {
        if let Some(key) = known.watched_by {
            self.push(leg, key, known_at, on, step);
        } else {
            self.waiting.follow(leg, known.started_at, (known_at, on, step));
        }
    }

    /// Calls whose other half has not come by `clock` are charged to their trunk. At the end of the input, when
    /// nothing more can come, that is the end of time.
    pub(crate) fn give_up_waiting(&mut self, clock: EventTime, settings: &Settings) {
        if self.waiting.is_empty() {
            return;
        }
        let oldest = self.seq.saturating_sub(MOST_RECORDS_WAITED);
        for waiting in self.waiting.take_due(clock, oldest) {
            self.counters.waited_too_many += u64::from(waiting.until > clock);
            self.book_waiting(waiting, None, settings);
        }
    }

    /// A call to be put into windows.
    pub(crate) fn stat_of(
        &mut self,
        leg: LegKey,
        telling: &Telling<'_>,
        watched: &Watched,
        settings: &Settings,
    ) -> CallStat {
        let (ended_at, answered, billable_seconds) = telling.completed.unwrap_or((EventTime::MAX, false, 0));
        let is_off_hours = settings.calendar.is_off_hours_by(telling.started_at, &mut self.known_days);
        let hours = if is_off_hours { Traits::OFF_HOURS } else { Traits::BUSINESS_HOURS };
        let number = watched.number.map_or(0, E164::value);
        CallStat {
            first_at: telling.started_at,
            last_at: telling.started_at,
            ended_at,
            call: leg.value(),
            call_id: CallId::from(head(if telling.call_id.is_empty() {
                telling.target.id
            } else {
                telling.call_id
            })),
            number,
            extension: 0,
            destination: watched.destination.map_or(CallStat::NO_DESTINATION, |id| id.0),
            country: watched
                .destination
                .map_or(CallStat::NO_DESTINATION, |id| settings.destinations().get(id).country()),
            traits: watched.traits.with(hours),
            attempts: 1,
            answered: u32::from(answered),
            failed: 0,
            billable_seconds,
            cost: settings.rate(watched.number).charge(billable_seconds),
        }
    }
}

/// When a leg ended, whether it was answered, and its billable seconds, as far as they are known.
fn completed(cdr: &Cdr<'_>) -> (EventTime, bool, u32) {
    let answered = cdr.outcome == Outcome::Answered;
    if !cdr.length_unknown {
        return (cdr.ended_at, answered, cdr.billable_seconds);
    }
    let billable_seconds = cdr.billable_seconds.min(UNKNOWN_LENGTH_SECONDS);
    let answered_at = cdr.answered_at.unwrap_or(cdr.started_at);
    (answered_at.plus_seconds(i64::from(billable_seconds)).min(cdr.ended_at), answered, billable_seconds)
}
