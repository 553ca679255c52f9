//! Who is charged: puts the legs of calls together.
//!
//! A PBX writes one record a leg, in no order, under names that only the channels tell apart. The ledger
//! remembers, for some hours of event time, which channel went out for whom, so that a leg diverted by a
//! phone, sent on by a transfer, or continued between two trunks is charged to the extension that caused it.
use crate::keys::KeyId;
use crate::owner::Owner;
use crate::records::Records;
use crate::scope::Scope;
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};
use std::hash::BuildHasher;
use tollwatch_cdr::EventTime;

/// Legs are kept for one to two times this long after they were last told of; open ones until they end or are
/// older than a call can be. All
/// records of a call are written when its channels end, so this is ample, and what is looked up for every
/// record stays in the cache.
const LEG_SECONDS: i64 = 7_200;
/// The rows of one channel are written one after the other when it ends, so that who it was connected to before
/// the row at hand was told of just now.
const ANSWERED_SECONDS: i64 = 60;
/// Records are told apart for one to two times this long.
const RECORD_SECONDS: i64 = 86_400;

/// Hash of a channel's name and of the PBX that has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct LegKey(u64);

impl LegKey {
    pub(crate) fn new(system: u16, id: &[u8]) -> Self {
        // The seed is part of snapshots: channels are looked up again after a restart.
        Self(FixedState::with_seed(0x746f_6c6c_7761_7463 ^ u64::from(system)).hash_one(id).max(1))
    }
    pub(crate) fn value(self) -> u64 {
        self.0
    }
}

/// What is known of a leg that left over a trunk, or that the PBX made to divert a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LegEntry {
    /// Who is charged; none if nobody could be found.
    pub owner: Option<Owner>,
    /// Start as first seen; with the leg it names the call in the windows.
    pub started_at: EventTime,
    /// Latest end seen; [`EventTime::MAX`] while the call goes on.
    pub ended_at: EventTime,
    /// Seconds charged so far.
    pub billable_seconds: u32,
    /// The key in whose windows the call is, if the rules watch it.
    pub watched_by: Option<KeyId>,
    /// Only live events have told of it so far.
    pub live: bool,
}

/// Other keys than the owner's that a watched call stands under.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Watchers {
    /// Keys of the tenant.
    pub keys: Vec<KeyId>,
    /// Keys over all tenants.
    pub across: Vec<Scope>,
}

/// The phone that a channel was last connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Answered {
    pub by: Owner,
    pub until: EventTime,
    /// Hash of the number that had been dialled.
    pub dialled: LegKey,
}

/// Who dialled a number, for calls whose trunk channel has a row of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Dialler {
    /// None if it was nobody who can be charged, or if several did at that time.
    pub owner: Option<Owner>,
    pub started_at: EventTime,
    pub ended_at: EventTime,
}

/// A map that forgets: what was not touched for a generation is gone after the next.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Generations<V> {
    young: HashMap<LegKey, V, FixedState>,
    old: HashMap<LegKey, V, FixedState>,
}

impl<V> Default for Generations<V> {
    fn default() -> Self {
        Self { young: HashMap::default(), old: HashMap::default() }
    }
}

impl<V: Clone> Generations<V> {
    fn get(&self, key: LegKey) -> Option<&V> {
        self.young.get(&key).or_else(|| if self.old.is_empty() { None } else { self.old.get(&key) })
    }
    fn put(&mut self, key: LegKey, value: V) {
        self.young.insert(key, value);
    }
    fn turn(&mut self, keep: impl Fn(&V) -> bool) {
        let kept: Vec<(LegKey, V)> = self
            .old
            .iter()
            .filter(|(_, value)| keep(value))
            .map(|(key, value)| (*key, value.clone()))
            .collect();
        // The next generation will be about as large as the one that goes, so it gets its room.
        std::mem::swap(&mut self.old, &mut self.young);
        self.young.clear();
        for (key, value) in kept {
            self.old.entry(key).or_insert(value);
        }
    }
}

/// The legs of the last hours, and the records of the last one to two days.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Ledger {
    legs: Generations<LegEntry>,
    /// Channels of which a phone has taken charge by sending their party on.
    diverted: Generations<Owner>,
    /// Other keys that calls stand under, for as long as the calls can still change.
    watchers: Generations<(EventTime, Watchers)>,
    /// By the channel that was answered.
    answered: Generations<Answered>,
    /// By the number.
    diallers: Generations<Dialler>,
    /// The extension that a call began at, by the call's id; none if there were several.
    began: Generations<Option<Owner>>,
    records: Records,
    legs_turn_at: Option<EventTime>,
    answered_turn_at: Option<EventTime>,
    seen_turn_at: Option<EventTime>,
}

impl Ledger {
    /// Lets go of what is too old at `clock`.
    pub(crate) fn advance(&mut self, clock: EventTime, longest_open_seconds: i64) {
        if is_due(&mut self.legs_turn_at, clock, LEG_SECONDS) {
            self.turn_legs(clock, longest_open_seconds);
        }
        if is_due(&mut self.answered_turn_at, clock, ANSWERED_SECONDS) {
            self.answered.turn(|_| false);
        }
        if is_due(&mut self.seen_turn_at, clock, RECORD_SECONDS) {
            self.records.turn();
        }
    }

    fn turn_legs(&mut self, clock: EventTime, longest_open_seconds: i64) {
        let oldest = clock.plus_seconds(-longest_open_seconds - LEG_SECONDS);
        self.legs.turn(|leg| leg.ended_at == EventTime::MAX && leg.started_at > oldest);
        self.watchers.turn(|(started_at, _)| *started_at > oldest);
        self.diverted.turn(|_| false);
        self.diallers.turn(|_| false);
        self.began.turn(|_| false);
    }

    /// Forgets early where more is remembered than the limits allow, and says how often: legs, records.
    pub(crate) fn keep_within(
        &mut self,
        legs: usize,
        records: usize,
        clock: EventTime,
        longest_open_seconds: i64,
    ) -> (u64, u64) {
        let (mut legs_early, mut records_early) = (0, 0);
        let counts = [
            self.legs.young.len(),
            self.watchers.young.len(),
            self.diverted.young.len(),
            self.answered.young.len(),
            self.diallers.young.len(),
            self.began.young.len(),
        ];
        if counts.iter().any(|count| *count > legs / 2) {
            self.turn_legs(clock, longest_open_seconds);
            self.answered.turn(|_| false);
            self.legs_turn_at = Some(clock.plus_seconds(LEG_SECONDS));
            legs_early = 1;
            // Calls that never end must not fill it for ever.
            if self.legs.old.len() > legs {
                self.legs.old.clear();
            }
            if self.watchers.old.len() > legs {
                self.watchers.old.clear();
            }
        }
        if self.records.count() > records / 2 {
            self.records.turn();
            self.seen_turn_at = Some(clock.plus_seconds(RECORD_SECONDS));
            records_early = 1;
        }
        (legs_early, records_early)
    }

    /// The other keys of a call, if it has any.
    pub(crate) fn watchers(&self, key: LegKey) -> Option<&Watchers> {
        self.watchers.get(key).map(|(_, watchers)| watchers)
    }
    pub(crate) fn put_watchers(&mut self, key: LegKey, started_at: EventTime, watchers: Watchers) {
        self.watchers.put(key, (started_at, watchers));
    }

    /// Whether this record is new; remembers it.
    pub(crate) fn is_new(&mut self, identity: u64, started_at: EventTime) -> bool {
        self.records.is_new(identity, started_at)
    }

    pub(crate) fn leg(&self, key: LegKey) -> Option<&LegEntry> {
        self.legs.get(key)
    }
    pub(crate) fn put_leg(&mut self, key: LegKey, entry: LegEntry) {
        self.legs.put(key, entry);
    }

    /// Who took charge of what this channel dials, by transferring its party.
    pub(crate) fn diverted_by(&self, key: LegKey) -> Option<Owner> {
        self.diverted.get(key).copied()
    }
    pub(crate) fn put_diverted(&mut self, key: LegKey, by: Owner) {
        self.diverted.put(key, by);
    }

    pub(crate) fn answered(&self, channel: LegKey) -> Option<Answered> {
        self.answered.get(channel).copied()
    }
    pub(crate) fn put_answered(&mut self, channel: LegKey, answered: Answered) {
        self.answered.put(channel, answered);
    }

    /// Who had dialled this number at `at`, if anybody had.
    pub(crate) fn dialler(&self, number: LegKey, at: EventTime) -> Option<&Dialler> {
        // The trunk's channel begins while its caller's goes on; printed times are cut to seconds.
        let was_up = |dialler: &&Dialler| {
            dialler.started_at.plus_seconds(-1) <= at && at <= dialler.ended_at.plus_seconds(1)
        };
        self.diallers.get(number).filter(was_up)
    }
    /// Of two who dialled the same number at the same time, nobody can say which of them was connected by
    /// which channel.
    pub(crate) fn put_dialler(&mut self, number: LegKey, dialler: Dialler) {
        let other = self.diallers.get(number).copied().filter(|other| {
            other.owner != dialler.owner
                && other.started_at <= dialler.ended_at
                && dialler.started_at <= other.ended_at
        });
        let dialler = other.map_or(dialler, |other| Dialler {
            owner: None,
            started_at: other.started_at.min(dialler.started_at),
            ended_at: other.ended_at.max(dialler.ended_at),
        });
        self.diallers.put(number, dialler);
    }

    /// The extension that the call of this id began at, where there is exactly one.
    pub(crate) fn began(&self, system: u16, call_id: &[u8]) -> Option<Owner> {
        if call_id.is_empty() {
            return None;
        }
        self.began.get(LegKey::new(system, call_id)).copied().flatten()
    }
    pub(crate) fn put_began(&mut self, system: u16, call_id: &[u8], owner: Option<Owner>) {
        if call_id.is_empty() || owner.is_none() {
            return;
        }
        let call = LegKey::new(system, call_id);
        let one = self.began.get(call).is_none_or(|known| *known == owner);
        self.began.put(call, owner.filter(|_| one));
    }
}

/// Whether something that happens every so many seconds is due, and when it is due next.
fn is_due(at: &mut Option<EventTime>, clock: EventTime, seconds: i64) -> bool {
    let due = *at.get_or_insert(clock.plus_seconds(seconds));
    if clock >= due {
        *at = Some(clock.plus_seconds(seconds));
    }
    clock >= due
}
