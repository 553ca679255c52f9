//! Which legs are one call, and which extension is charged for it.
//!
//! An *attempt* is a leg that left over a trunk: a channel of its own, with a bill of its own. A failover is
//! therefore two attempts, and so are two numbers dialled at once; the rows of a fork, of a ring group, of a
//! conference and of a transferred call are the same leg told of again.
use crate::admit::Telling;
use crate::incident::DetectedOn;
use crate::key::Step;
use crate::ledger::{Answered, Dialler, LegEntry, LegKey};
use crate::owner::Owner;
use crate::settings::Settings;
use crate::tenant::{Tenant, head};
use crate::waiting::Waiting;
use tollwatch_cdr::{EventTime, Leg, Party};
use tollwatch_numbering::{Called, CalledClass, DialPlan, Form, Money, PeerKind};

/// The other half of a diverted call is written within the same second or two.
const WAIT_SECONDS: i64 = 5;
/// Channels, and so legs, of one call differ by no more than this between CDR and events.
const SAME_CALL_SECONDS: i64 = 2;
/// Times are cut to seconds: what begins when another ends may be a second off.
const ROUNDING_SECONDS: i64 = 1;
/// So many names of trunks are learned; a PBX has a handful.
const MOST_TRUNKS: usize = 1000;
/// So many different numbers that nobody could read are kept for the summary.
const MOST_UNCLASSIFIED: usize = 1000;

impl Tenant {
    /// A leg began, or is told of as a whole.
    pub(crate) fn tell(&mut self, system: u16, telling: &Telling<'_>, settings: &Settings) {
        self.tell_that_origin_goes_on(system, telling, settings);
        match telling.target.party {
            Party::None => self.tell_of_single_channel(system, telling, settings),
            Party::Internal => self.tell_of_diversion(system, telling, settings),
            Party::Peer(peer) => {
                let kind = settings.plan.is_extension_peer(peer);
                // Most rows: phones in the house, of which the ledger of legs that went out knows nothing.
                if kind == PeerKind::Extension && !peer.is_empty() {
                    self.tell_of_phone(system, telling, peer, settings);
                    return;
                }
                let leg = LegKey::new(system, telling.target.id);
                let known = self.ledger.leg(leg).copied();
                // Once it is known to have gone out, no row can make a phone of it: after a transfer the
                // number dialled is that of somebody else.
                if let Some(known) = known
                    && is_same_call(&known, telling, settings.longest_open_seconds)
                {
                    self.tell_more(leg, known, telling);
                    return;
                }
                match peer_kind(&settings.plan, (peer, kind), telling) {
                    PeerKind::Extension => self.tell_of_phone(system, telling, peer, settings),
                    _ => self.tell_of_trunk(system, telling, (leg, peer), known, settings),
                }
            }
        }
    }

    /// A leg that went out is up for as long as its far end is connected to anybody: after a transfer it is
    /// the origin of further rows, and the carrier goes on charging for it.
    fn tell_that_origin_goes_on(&mut self, system: u16, telling: &Telling<'_>, settings: &Settings) {
        let (Some((ended_at, ..)), Party::Peer(peer)) = (telling.completed, telling.origin.party) else {
            return;
        };
        if is_extension(&settings.plan, peer) {
            return;
        }
        let leg = LegKey::new(system, telling.origin.id);
        let Some(known) = self.ledger.leg(leg).copied().filter(|known| !known.live) else { return };
        let since = known.ended_at.max(telling.started_at);
        let more = ended_at.seconds_since(since);
        if more <= 0 || since > known.ended_at.plus_seconds(ROUNDING_SECONDS) {
            return;
        }
        let billable_seconds = known.billable_seconds.saturating_add(u32::try_from(more).unwrap_or(u32::MAX));
        self.ledger.put_leg(leg, LegEntry { ended_at, billable_seconds, ..known });
        let step = Step::Settled {
            started_at: known.started_at,
            call: leg.value(),
            ended_at,
            answered: true,
            billable_seconds,
        };
        self.follow(leg, &known, telling.known_at, DetectedOn::Cdr, step);
    }

    /// A row of one channel, which says of nobody that the channel was connected to.
    ///
    /// Where the PBX ignores dial updates, all rows are of this kind. A call that went out has two: that of
    /// the caller, with the dial string, and that of the trunk's channel, whose calling number is the number
    /// that was dialled. The second is the proof that the call left, and says how long it lasted; the first
    /// says for whom.
    fn tell_of_single_channel(&mut self, system: u16, telling: &Telling<'_>, settings: &Settings) {
        let Some((ended_at, ..)) = telling.completed else { return };
        if telling.dialled.iter().any(|byte| matches!(byte, b'*' | b'#')) {
            self.tell_of_code(system, telling, settings);
        }
        if !telling.sent.is_empty() {
            let owner = self.owner_of(system, telling, settings);
            self.ledger.put_began(system, telling.call_id, owner);
            let number = LegKey::new(system, telling.dialled);
            self.ledger.put_dialler(number, Dialler { owner, started_at: telling.started_at, ended_at });
            self.end_waiting_for_dialler(number, settings);
            return;
        }
        let Party::Peer(peer) = telling.origin.party else { return };
        let went_out = telling.dialled.is_empty()
            && !telling.calling.is_empty()
            && match settings.plan.is_extension_peer(peer) {
                PeerKind::Extension => false,
                PeerKind::Trunk => true,
                PeerKind::Unknown => telling.from_outside || self.trunks.contains(head(peer)),
            };
        if !went_out {
            return;
        }
        let leg = LegKey::new(system, telling.origin.id);
        let known = self.ledger.leg(leg).copied();
        let telling = Telling {
            origin: Leg { id: b"", party: Party::None },
            target: telling.origin,
            dialled: telling.calling,
            ..*telling
        };
        match known {
            Some(known) if is_same_call(&known, &telling, settings.longest_open_seconds) => {
                self.tell_more(leg, known, &telling);
            }
            known => self.tell_of_trunk(system, &telling, (leg, peer), known, settings),
        }
    }

    /// A code was dialled: it may forward the extension's calls to an expensive number.
    pub(crate) fn tell_of_code(&mut self, system: u16, telling: &Telling<'_>, settings: &Settings) {
        let called = settings.plan.normalise(telling.dialled, Form::Dialled);
        let Some(watched) = settings.watch_forwarding(&called) else { return };
        let leg = LegKey::new(system, telling.origin.id);
        let known = self.ledger.leg(leg).copied().filter(|known| known.watched_by.is_some());
        if known.is_some_and(|known| is_same_call(&known, telling, settings.longest_open_seconds)) {
            // Events and records tell of the same code.
            return;
        }
        let owner = self.owner_of(system, telling, settings);
        let mut stat = self.stat_of(leg, telling, &watched, settings);
        stat.cost = Money::ZERO;
        let call = self.new_call(leg, telling, b"", stat, settings);
        self.counters.forwarding_codes += 1;
        let key = self.book(call, owner, settings);
        if telling.completed.is_none() {
            // It is over when live events tell of it.
            let at = telling.known_at;
            let step = Step::Ended { started_at: telling.started_at, call: leg.value() };
            self.push(leg, key, at, DetectedOn::Start, step);
            if let Some(entry) = self.ledger.leg(leg).copied() {
                self.ledger.put_leg(leg, LegEntry { ended_at: at, live: false, ..entry });
            }
        }
    }

    /// The PBX called itself: whoever diverted the call is charged for what the other half dials.
    fn tell_of_diversion(&mut self, system: u16, telling: &Telling<'_>, settings: &Settings) {
        let plan = &settings.plan;
        let diverted = [telling.rang, telling.dialled].into_iter().find(|name| is_extension(plan, name));
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
        self.end_waiting(leg, owner, settings);
    }

    /// A phone was rung. Who answers may send the caller on, and who called may send on the phone; neither
    /// transfer has a row of its own.
    fn tell_of_phone(&mut self, system: u16, telling: &Telling<'_>, peer: &[u8], settings: &Settings) {
        let Some((ended_at, answered, _)) = telling.completed else { return };
        let origin = LegKey::new(system, telling.origin.id);
        if answered {
            let by = self.extension(peer);
            let dialled = LegKey::new(system, telling.dialled);
            self.ledger.put_answered(origin, Answered { by, until: ended_at, dialled });
            if let Party::Peer(caller) = telling.origin.party
                && is_extension(&settings.plan, caller)
            {
                let caller = self.ledger.diverted_by(origin).unwrap_or_else(|| self.extension(caller));
                self.ledger.put_diverted(LegKey::new(system, telling.target.id), caller);
            }
        }
        // Where the record says that a foreign number was dialled, the phone has sent its caller on: the PBX
        // writes the number it was sent to over the one that was dialled.
        let may_be_transfer =
            telling.dialled.len() >= 8 && telling.origin.party != Party::Internal && !telling.from_outside;
        if may_be_transfer && is_outside_number(&settings.plan, telling.dialled) {
            let by = self.extension(peer);
            self.ledger.put_diverted(origin, by);
        }
    }

    /// A call left over a trunk. `known` is an earlier call of a channel of the same name.
    fn tell_of_trunk(
        &mut self,
        system: u16,
        telling: &Telling<'_>,
        (leg, peer): (LegKey, &[u8]),
        known: Option<LegEntry>,
        settings: &Settings,
    ) {
        if !self.trunks.contains(head(peer)) {
            if self.trunks.len() < MOST_TRUNKS {
                self.trunks.insert(head(peer).into());
            } else {
                self.counters.trunks_not_learned += 1;
            }
        }
        if let Some(known) = known.filter(|known| known.ended_at == EventTime::MAX) {
            // The channel's name is in use again, so the call that had it is over, whoever missed its end.
            let ended_at = telling.started_at.max(known.started_at);
            let step = Step::Ended { started_at: known.started_at, call: leg.value() };
            self.follow(leg, &known, ended_at, DetectedOn::InProgress, step);
        }
        self.counters.outbound += 1;
        let called = called_number(&settings.plan, telling);
        if called.class == CalledClass::Unknown {
            self.counters.unclassified += 1;
            let number = head(if telling.sent.is_empty() { telling.dialled } else { telling.sent });
            if self.unclassified.len() < MOST_UNCLASSIFIED || self.unclassified.contains_key(number) {
                *self.unclassified.entry(number.into()).or_default() += 1;
            }
        }
        let Some(watched) = settings.watch(&called) else {
            let owner = self.owner_of(system, telling, settings);
            self.ledger.put_began(system, telling.call_id, owner);
            self.ledger.put_leg(leg, entry_of(telling, owner));
            self.end_waiting(leg, owner, settings);
            return;
        };
        let stat = self.stat_of(leg, telling, &watched, settings);
        let call = self.new_call(leg, telling, peer, stat, settings);
        let owner = self.owner_of(system, telling, settings);
        if owner.is_none()
            && let Some(other) = self.awaited(system, telling, settings)
        {
            let until = telling.known_at.max(self.clock.now()).plus_seconds(WAIT_SECONDS);
            self.ledger.put_leg(leg, entry_of(telling, None));
            self.waiting.put(other, Waiting { until, call: call.kept(), later: Vec::new() });
            return;
        }
        self.ledger.put_began(system, telling.call_id, owner);
        self.book(call, owner, settings);
        self.end_waiting(leg, owner, settings);
    }

    /// Books what waited to learn for whom `leg` was made.
    fn end_waiting(&mut self, leg: LegKey, owner: Option<Owner>, settings: &Settings) {
        if self.waiting.is_empty() {
            return;
        }
        for waiting in self.waiting.take_awaiting(leg, |_| true) {
            self.book_waiting(waiting, owner, settings);
        }
    }

    /// Books what waited to learn who had dialled `number` when it began.
    fn end_waiting_for_dialler(&mut self, number: LegKey, settings: &Settings) {
        let at = |waiting: &Waiting| waiting.call.stat.first_at;
        let is_known = |waiting: &Waiting| self.ledger.dialler(number, at(waiting)).is_some();
        for waiting in self.waiting.take_awaiting(number, is_known) {
            let owner = self.ledger.dialler(number, at(&waiting)).and_then(|dialler| dialler.owner);
            self.book_waiting(waiting, owner, settings);
        }
    }

    /// What another record may still tell of, so that this leg's owner is known: the channel that was made
    /// for it, or the number that somebody dialled.
    fn awaited(&self, system: u16, telling: &Telling<'_>, settings: &Settings) -> Option<LegKey> {
        let origin = LegKey::new(system, telling.origin.id);
        match telling.origin.party {
            Party::Internal => self.ledger.leg(origin).is_none().then_some(origin),
            // The two rows of a transfer between trunks may be written within the same second, in any order.
            // Live events are in order.
            Party::Peer(_) if telling.completed.is_none() || telling.from_outside => None,
            Party::Peer(peer) => {
                (!is_extension(&settings.plan, peer) && self.ledger.leg(origin).is_none()).then_some(origin)
            }
            Party::None if telling.dialled.is_empty() => None,
            Party::None => {
                let number = LegKey::new(system, telling.dialled);
                self.ledger.dialler(number, telling.started_at).is_none().then_some(number)
            }
        }
    }

    /// Another record of a call that is known: the CDR of a live call, a fork, or the rest of a transfer.
    fn tell_more(&mut self, leg: LegKey, known: LegEntry, telling: &Telling<'_>) {
        let Some((ended_at, answered, billable)) = telling.completed else { return };
        // Rows of one leg follow one another after a transfer, and overlap in a conference or a fork.
        let since = known.ended_at.max(telling.started_at);
        let more = u32::try_from(ended_at.seconds_since(since).max(0)).unwrap_or(u32::MAX).min(billable);
        let goes_on = if known.live { 0 } else { known.billable_seconds.saturating_add(more) };
        let billable_seconds = known.billable_seconds.max(billable).max(goes_on);
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

    /// The extension that is charged for what this leg's origin dials.
    fn owner_of(&mut self, system: u16, telling: &Telling<'_>, settings: &Settings) -> Option<Owner> {
        let origin = LegKey::new(system, telling.origin.id);
        if let Some(by) = self.sent_on_by(origin, system, telling, settings) {
            return Some(by);
        }
        let owner = match telling.origin.party {
            Party::None => {
                let number = LegKey::new(system, telling.dialled);
                self.ledger.dialler(number, telling.started_at).and_then(|dialler| dialler.owner)
            }
            Party::Internal => self.ledger.leg(origin).and_then(|leg| leg.owner),
            Party::Peer(peer) => match settings.plan.is_extension_peer(peer) {
                PeerKind::Extension => Some(self.extension(peer)),
                PeerKind::Trunk => self.ledger.leg(origin).and_then(|leg| leg.owner),
                PeerKind::Unknown => match self.ledger.leg(origin) {
                    Some(leg) => leg.owner,
                    // A call that came in over what is known as a trunk (DISA, a call straight through).
                    None if telling.from_outside || self.trunks.contains(head(peer)) => None,
                    None => Some(self.extension(peer)),
                },
            },
        };
        match telling.origin.party {
            // What an internal leg dials is on account of whoever diverted the call, and that need not be
            // whoever began it.
            Party::Internal => owner,
            _ => owner.or_else(|| self.ledger.began(system, telling.call_id)),
        }
    }

    /// The phone that made this leg's origin dial, by transferring it.
    fn sent_on_by(
        &self,
        origin: LegKey,
        system: u16,
        telling: &Telling<'_>,
        settings: &Settings,
    ) -> Option<Owner> {
        // A row of a phone that consults by a feature code: it dials for itself, whoever called it.
        if telling.completed.is_some()
            && telling.target.party == Party::Internal
            && telling.dialled.is_empty()
        {
            return None;
        }
        // The origin was connected to a phone, and goes on to another number in the second in which that
        // ended: the phone has sent it there. Where the dialplan goes on by itself, the number stays.
        let answered = self.ledger.answered(origin).filter(|last| {
            telling.completed.is_some()
                && telling.target.party != Party::None
                && last.until.seconds_since(telling.started_at).abs() <= ROUNDING_SECONDS
                && (last.dialled != LegKey::new(system, telling.dialled)
                    || (telling.dialled == telling.sent
                        && is_outside_number(&settings.plan, telling.dialled)))
        });
        answered.map(|last| last.by).or_else(|| self.ledger.diverted_by(origin))
    }
}

fn is_extension(plan: &DialPlan, name: &[u8]) -> bool {
    !name.is_empty() && plan.is_extension_peer(name) == PeerKind::Extension
}

fn is_outside_number(plan: &DialPlan, dialled: &[u8]) -> bool {
    let class = plan.normalise(dialled, Form::Dialled).class;
    matches!(class, CalledClass::International | CalledClass::National)
}

/// Whether the far channel is a phone or a trunk. A name that says neither is a trunk if a number that only
/// the outside has was dialled.
fn peer_kind(plan: &DialPlan, (peer, kind): (&[u8], PeerKind), telling: &Telling<'_>) -> PeerKind {
    match kind {
        PeerKind::Unknown if !telling.sent.is_empty() && telling.sent != peer => PeerKind::Trunk,
        // Nobody but the PBX itself dialled it, and it stands where calls from outside come in.
        PeerKind::Unknown if telling.from_outside && telling.origin.party == Party::None => PeerKind::Trunk,
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
fn entry_of(telling: &Telling<'_>, owner: Option<Owner>) -> LegEntry {
    LegEntry {
        owner,
        started_at: telling.started_at,
        ended_at: telling.completed.map_or(EventTime::MAX, |(ended_at, ..)| ended_at),
        billable_seconds: telling.completed.map_or(0, |(_, _, billable)| billable),
        watched_by: None,
        live: telling.completed.is_none(),
    }
}
