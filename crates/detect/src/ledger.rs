//! Who is charged: puts the legs of calls together.
//!
//! A PBX writes one record a leg, in no order, under names that only the channels tell apart. The ledger
//! remembers, for some hours of event time, which channel went out for whom, so that a leg diverted by a
//! phone, sent on by a transfer, or continued between two trunks is charged to the extension that caused it.
use crate::keys::KeyId;
use crate::scope::Scope;
use foldhash::fast::FixedState;
use hashbrown::{HashMap, HashSet};
use serde::{Deserialize, Serialize};
use std::hash::BuildHasher;
use tollwatch_cdr::EventTime;

/// Legs are kept for one to two times this long after they were last told of; open ones until they end or are
/// older than a call can be. All
/// records of a call are written when its channels end, so this is ample, and what is looked up for every
/// record stays in the cache.
const LEG_SECONDS: i64 = 7_200;
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
    pub owner: Option<KeyId>,
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
        self.old = std::mem::take(&mut self.young);
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
    diverted: Generations<KeyId>,
    /// Other keys that calls stand under, for as long as the calls can still change.
    watchers: Generations<(EventTime, Watchers)>,
    seen: HashSet<u64, FixedState>,
    seen_before: HashSet<u64, FixedState>,
    legs_turn_at: Option<EventTime>,
    seen_turn_at: Option<EventTime>,
}

impl Ledger {
    /// Lets go of what is too old at `clock`.
    pub(crate) fn advance(&mut self, clock: EventTime, longest_open_seconds: i64) {
        if is_due(&mut self.legs_turn_at, clock, LEG_SECONDS) {
            self.turn_legs(clock, longest_open_seconds);
        }
        if is_due(&mut self.seen_turn_at, clock, RECORD_SECONDS) {
            self.seen_before = std::mem::take(&mut self.seen);
        }
    }

    fn turn_legs(&mut self, clock: EventTime, longest_open_seconds: i64) {
        let oldest = clock.plus_seconds(-longest_open_seconds - LEG_SECONDS);
        self.legs.turn(|leg| leg.ended_at == EventTime::MAX && leg.started_at > oldest);
        self.watchers.turn(|(started_at, _)| *started_at > oldest);
        self.diverted.turn(|_| false);
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
        let count = self.legs.young.len().max(self.watchers.young.len()).max(self.diverted.young.len());
        if count > legs / 2 {
            self.turn_legs(clock, longest_open_seconds);
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
        if self.seen.len() > records / 2 {
            self.seen_before = std::mem::take(&mut self.seen);
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
    pub(crate) fn is_new(&mut self, identity: u64) -> bool {
        (self.seen_before.is_empty() || !self.seen_before.contains(&identity)) && self.seen.insert(identity)
    }

    pub(crate) fn leg(&self, key: LegKey) -> Option<&LegEntry> {
        self.legs.get(key)
    }
    pub(crate) fn put_leg(&mut self, key: LegKey, entry: LegEntry) {
        self.legs.put(key, entry);
    }

    /// Who took charge of what this channel dials, by transferring its party.
    pub(crate) fn diverted_by(&self, key: LegKey) -> Option<KeyId> {
        self.diverted.get(key).copied()
    }
    pub(crate) fn put_diverted(&mut self, key: LegKey, by: KeyId) {
        self.diverted.put(key, by);
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
