//! Admission: from records, in the order of the input, to steps of watched calls.
use crate::incident::DetectedOn;
use crate::key::Step;
use crate::keys::KeyId;
use crate::ledger::{LegEntry, LegKey};
use crate::settings::{Settings, Watched};
use crate::tenant::{Tenant, Waiting};
use tollwatch_cdr::{CallEvent, CallEventKind, Cdr, EventTime, Leg, Outcome, Party, Record};
use tollwatch_numbering::{Called, CalledClass, DialPlan, E164, Form, Money, PeerKind};
use tollwatch_stats::{CallStat, Traits};

/// The other half of a diverted call is written within the same second or two.
const WAIT_SECONDS: i64 = 5;
/// Channels, and so legs, of one call differ by no more than this between CDR and events.
const SAME_CALL_SECONDS: i64 = 2;
/// So many names of trunks are learned; a PBX has a handful.
const MOST_TRUNKS: usize = 1000;
/// So many different numbers that nobody could read are kept for the summary.
const MOST_UNCLASSIFIED: usize = 1000;
/// A call waits for no more records than this, should its time lie so far ahead that the clock never comes to it.
const MOST_RECORDS_WAITED: u64 = 10_000;
/// So many calls wait for the other half of a diversion; a PBX has a few at a time.
const MOST_WAITING: usize = 10_000;

/// A leg that a record tells of, whatever kind of record it is.
pub(crate) struct Telling<'a> {
    origin: Leg<'a>,
    target: Leg<'a>,
    dialled: &'a [u8],
    sent: &'a [u8],
    rang: &'a [u8],
    from_outside: bool,
    pub account: &'a [u8],
    pub source_address: &'a [u8],
    call_id: &'a [u8],
    started_at: EventTime,
    /// End, answered, billable seconds; none for a live call.
    completed: Option<(EventTime, bool, u32)>,
    pub known_at: EventTime,
}

impl Tenant {
    /// Takes one record in.
    pub(crate) fn admit(&mut self, system: u16, record: &Record<'_>, settings: &Settings) {
        self.seq += 1;
        let known_at = record.known_at();
        if self.clock.hear(known_at) {
            let now = self.clock.now();
            self.keys.moved(now, self.seq);
            self.first_at.get_or_insert(now);
            self.ledger.advance(now, settings.longest_open_seconds);
            self.give_up_waiting(now, settings);
        }
        self.counters.untrusted_clock = self.clock.untrusted;
        let limits = settings.limits;
        let (legs, records) = (limits.legs as usize, limits.records as usize);
        let early = self.ledger.keep_within(legs, records, self.clock.now(), settings.longest_open_seconds);
        self.counters.legs_forgotten_early += early.0;
        self.counters.records_forgotten_early += early.1;
        match record {
            Record::Cdr(cdr) => self.admit_cdr(system, cdr, settings),
            Record::CallEvent(event) => self.admit_event(system, event, settings),
        }
    }

    fn admit_cdr(&mut self, system: u16, cdr: &Cdr<'_>, settings: &Settings) {
        self.counters.cdrs += 1;
        if !self.ledger.is_new(cdr.identity ^ u64::from(system)) {
            self.counters.duplicates += 1;
            return;
        }
        let telling = Telling {
            origin: cdr.origin,
            target: cdr.target,
            dialled: cdr.dialled,
            sent: cdr.sent,
            rang: cdr.rang,
            from_outside: cdr.from_outside,
            account: cdr.account,
            source_address: cdr.source_address,
            call_id: cdr.call_id,
            started_at: cdr.started_at,
            completed: Some((cdr.ended_at, cdr.outcome == Outcome::Answered, cdr.billable_seconds)),
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

    /// A leg began, or is told of as a whole.
    fn tell(&mut self, system: u16, telling: &Telling<'_>, settings: &Settings) {
        match telling.target.party {
            Party::None => self.tell_of_code(system, telling, settings),
            Party::Internal => self.tell_of_diversion(system, telling, settings),
            Party::Peer(peer) => match peer_kind(&settings.plan, peer, telling) {
                PeerKind::Extension => self.tell_of_phone(system, telling, peer, settings),
                _ => self.tell_of_trunk(system, telling, peer, settings),
            },
        }
    }

    /// Nothing was rung: a code may have been dialled that forwards calls to an expensive number.
    fn tell_of_code(&mut self, system: u16, telling: &Telling<'_>, settings: &Settings) {
        if !telling.dialled.iter().any(|byte| matches!(byte, b'*' | b'#')) {
            return;
        }
        let called = settings.plan.normalise(telling.dialled, Form::Dialled);
        let Some(watched) = settings.watch_forwarding(&called) else { return };
        let owner = self.owner_of(system, telling, settings);
        let leg = LegKey::new(system, telling.origin.id);
        let mut stat = stat_of(leg, telling, &watched, settings);
        stat.cost = Money::ZERO;
        let call = self.new_call(leg, telling, b"", stat, settings);
        self.counters.forwarding_codes += 1;
        self.book(Waiting { until: EventTime::MAX, call, later: Vec::new() }, owner, settings);
    }

    /// The PBX called itself: whoever diverted the call is charged for what the other half dials.
    fn tell_of_diversion(&mut self, system: u16, telling: &Telling<'_>, settings: &Settings) {
        let plan = &settings.plan;
        let diverted = [telling.rang, telling.dialled]
            .into_iter()
            .find(|name| !name.is_empty() && plan.is_extension_peer(name) == PeerKind::Extension);
        let owner = match diverted {
            Some(extension) => Some(self.extension(extension)),
            None => self.owner_of(system, telling, settings),
        };
        let leg = LegKey::new(system, telling.target.id);
        let ended_at = telling.completed.map_or(telling.started_at, |(ended_at, ..)| ended_at);
        let entry = LegEntry {
            owner,
            started_at: telling.started_at,
            ended_at,
            billable_seconds: 0,
            watched_by: None,
            live: telling.completed.is_none(),
        };
        self.ledger.put_leg(leg, entry);
        for waiting in self.waiting.remove(&leg.value()).unwrap_or_default() {
            self.book(waiting, owner, settings);
        }
    }

    /// A phone was rung. Where the record says that a foreign number was dialled, the phone has sent its
    /// caller on: the PBX writes the number it was sent to over the one that was dialled.
    fn tell_of_phone(&mut self, system: u16, telling: &Telling<'_>, peer: &[u8], settings: &Settings) {
        let may_be_transfer = telling.completed.is_some()
            && telling.dialled.len() >= 8
            && telling.origin.party != Party::Internal
            && !telling.from_outside;
        if !may_be_transfer {
            return;
        }
        let called = settings.plan.normalise(telling.dialled, Form::Dialled);
        if matches!(called.class, CalledClass::International | CalledClass::National) {
            let by = self.extension(peer);
            self.ledger.put_diverted(LegKey::new(system, telling.origin.id), by);
        }
    }

    /// A call left over a trunk.
    fn tell_of_trunk(&mut self, system: u16, telling: &Telling<'_>, peer: &[u8], settings: &Settings) {
        if self.trunks.len() < MOST_TRUNKS && !self.trunks.contains(peer) {
            self.trunks.insert(peer.into());
        }
        let leg = LegKey::new(system, telling.target.id);
        if let Some(known) = self.ledger.leg(leg).copied() {
            if is_same_call(&known, telling, settings.longest_open_seconds) {
                self.tell_more(leg, known, telling);
                return;
            }
            if known.ended_at == EventTime::MAX {
                // The channel's name is in use again, so the call that had it is over, whoever missed its end.
                let ended_at = telling.started_at.max(known.started_at);
                let step = Step::Ended { started_at: known.started_at, call: leg.value() };
                self.follow(leg, &known, ended_at, DetectedOn::InProgress, step);
            }
        }
        self.counters.outbound += 1;
        let called = called_number(&settings.plan, telling);
        if called.class == CalledClass::Unknown {
            self.counters.unclassified += 1;
            let number = if telling.sent.is_empty() { telling.dialled } else { telling.sent };
            if self.unclassified.len() < MOST_UNCLASSIFIED || self.unclassified.contains_key(number) {
                *self.unclassified.entry(number.into()).or_default() += 1;
            }
        }
        let Some(watched) = settings.watch(&called) else {
            let owner = self.owner_of(system, telling, settings);
            self.ledger.put_leg(leg, entry_of(telling, owner));
            return;
        };
        let stat = stat_of(leg, telling, &watched, settings);
        let call = self.new_call(leg, telling, peer, stat, settings);
        let bridge = LegKey::new(system, telling.origin.id);
        if telling.origin.party == Party::Internal && self.ledger.leg(bridge).is_none() {
            let until = telling.known_at.max(self.clock.now()).plus_seconds(WAIT_SECONDS);
            self.ledger.put_leg(leg, entry_of(telling, None));
            if self.waiting.len() >= MOST_WAITING {
                self.counters.waited_too_many += 1;
                self.book(Waiting { until, call, later: Vec::new() }, None, settings);
                return;
            }
            self.waiting.entry(bridge.value()).or_default().push(Waiting { until, call, later: Vec::new() });
            return;
        }
        let owner = self.owner_of(system, telling, settings);
        self.book(Waiting { until: EventTime::MAX, call, later: Vec::new() }, owner, settings);
    }

    /// Another record of a call that is known: the CDR of a live call, a fork, or the rest of a transfer.
    fn tell_more(&mut self, leg: LegKey, known: LegEntry, telling: &Telling<'_>) {
        let Some((ended_at, answered, billable)) = telling.completed else { return };
        let goes_on = !known.live && telling.started_at.plus_seconds(1) >= known.ended_at;
        let billable_seconds = if goes_on {
            known.billable_seconds.saturating_add(billable)
        } else {
            known.billable_seconds.max(billable)
        };
        let ended_at = if known.live { ended_at } else { ended_at.max(known.ended_at) };
        let entry = LegEntry { ended_at, billable_seconds, live: false, ..known };
        self.ledger.put_leg(leg, entry);
        let step = Step::Settled {
            started_at: known.started_at,
            call: leg.value(),
            ended_at,
            answered: answered || known.billable_seconds > 0,
            billable_seconds,
        };
        self.follow(leg, &known, telling.known_at, DetectedOn::Cdr, step);
    }

    /// Something more happened to a known call: it goes to the call's key, or waits with the call for its owner.
    fn follow(&mut self, leg: LegKey, known: &LegEntry, known_at: EventTime, on: DetectedOn, step: Step) {
        if let Some(key) = known.watched_by {
            self.push(leg, key, known_at, on, step);
        } else if let Some(waiting) = self
            .waiting
            .values_mut()
            .flatten()
            .find(|waiting| waiting.call.leg == leg && waiting.call.stat.first_at == known.started_at)
        {
            waiting.later.push((known_at, on, step));
        }
    }

    /// Calls whose other half has not come by `clock` are charged to their trunk. At the end of the input, when
    /// nothing more can come, that is the end of time.
    pub(crate) fn give_up_waiting(&mut self, clock: EventTime, settings: &Settings) {
        if self.waiting.is_empty() {
            return;
        }
        let mut due = Vec::new();
        let too_long_ago = self.seq.saturating_sub(MOST_RECORDS_WAITED);
        self.waiting.retain(|_, calls| {
            let over = |waiting: &mut Waiting| waiting.until <= clock || waiting.call.seq < too_long_ago;
            due.extend(calls.extract_if(.., over));
            !calls.is_empty()
        });
        due.sort_by_key(|waiting| waiting.call.seq);
        for waiting in due {
            self.book(waiting, None, settings);
        }
    }

    /// The extension that is charged for what this leg's origin dials.
    fn owner_of(&mut self, system: u16, telling: &Telling<'_>, settings: &Settings) -> Option<KeyId> {
        let origin = LegKey::new(system, telling.origin.id);
        if let Some(by) = self.ledger.diverted_by(origin) {
            return Some(by);
        }
        match telling.origin.party {
            Party::None => None,
            Party::Internal => self.ledger.leg(origin).and_then(|leg| leg.owner),
            Party::Peer(peer) => match settings.plan.is_extension_peer(peer) {
                PeerKind::Extension => Some(self.extension(peer)),
                PeerKind::Trunk => self.ledger.leg(origin).and_then(|leg| leg.owner),
                PeerKind::Unknown => match self.ledger.leg(origin) {
                    Some(leg) => leg.owner,
                    // A call that came in over what is known as a trunk (DISA, a call straight through).
                    None if telling.from_outside || self.trunks.contains(peer) => None,
                    None => Some(self.extension(peer)),
                },
            },
        }
    }
}

/// Whether the far channel is a phone or a trunk. A name that says neither is a trunk if a number that only
/// the outside has was dialled.
fn peer_kind(plan: &DialPlan, peer: &[u8], telling: &Telling<'_>) -> PeerKind {
    match plan.is_extension_peer(peer) {
        PeerKind::Unknown if !telling.sent.is_empty() && telling.sent != peer => PeerKind::Trunk,
        PeerKind::Unknown if telling.from_outside => PeerKind::Extension,
        PeerKind::Unknown => match plan.normalise(telling.dialled, Form::Dialled).class {
            CalledClass::Extension | CalledClass::FeatureCode => PeerKind::Extension,
            CalledClass::Unknown if telling.dialled.len() < 7 => PeerKind::Extension,
            _ => PeerKind::Trunk,
        },
        kind => kind,
    }
}

/// The number that is charged: what was sent to the trunk if the record shows it and it can be read, else
/// what was dialled.
fn called_number(plan: &DialPlan, telling: &Telling<'_>) -> Called {
    if !telling.sent.is_empty() {
        let called = plan.normalise(telling.sent, Form::Sent);
        if !matches!(called.class, CalledClass::Unknown | CalledClass::Extension) {
            return called;
        }
    }
    plan.normalise(telling.dialled, Form::Dialled)
}

/// The name of a channel comes back after a restart of the PBX; the same call is near in time.
fn is_same_call(known: &LegEntry, telling: &Telling<'_>, longest_open_seconds: i64) -> bool {
    let near = |a: EventTime, b: EventTime| a <= b.plus_seconds(SAME_CALL_SECONDS);
    // A call whose end nobody saw is not the same for ever.
    if known.ended_at == EventTime::MAX {
        let longest = if telling.completed.is_some() { longest_open_seconds } else { 0 };
        if !near(telling.started_at, known.started_at.plus_seconds(longest)) {
            return false;
        }
    }
    match telling.completed {
        Some((ended_at, ..)) => near(known.started_at, ended_at) && near(telling.started_at, known.ended_at),
        None => near(telling.started_at, known.ended_at) && near(known.started_at, telling.started_at),
    }
}

/// A leg that no key watches, or none yet.
fn entry_of(telling: &Telling<'_>, owner: Option<KeyId>) -> LegEntry {
    LegEntry {
        owner,
        started_at: telling.started_at,
        ended_at: telling.completed.map_or(EventTime::MAX, |(ended_at, ..)| ended_at),
        billable_seconds: telling.completed.map_or(0, |(_, _, billable)| billable),
        watched_by: None,
        live: telling.completed.is_none(),
    }
}

fn stat_of(leg: LegKey, telling: &Telling<'_>, watched: &Watched, settings: &Settings) -> CallStat {
    let (ended_at, answered, billable_seconds) = telling.completed.unwrap_or((EventTime::MAX, false, 0));
    let hours =
        if settings.is_off_hours(telling.started_at) { Traits::OFF_HOURS } else { Traits::BUSINESS_HOURS };
    let number = watched.number.map_or(0, E164::value);
    CallStat {
        first_at: telling.started_at,
        last_at: telling.started_at,
        ended_at,
        call: leg.value(),
        call_id: if telling.call_id.is_empty() { telling.target.id } else { telling.call_id }.into(),
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
        cost: settings.charge(number, billable_seconds),
    }
}
