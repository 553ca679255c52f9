//! Who is charged: puts the legs of calls together.
//!
//! A PBX writes one record a leg, in no order, under names that only the channels tell apart. The ledger
//! remembers, for some hours of event time, which channel went out for whom, so that a leg diverted by a
//! phone, sent on by a transfer, or continued between two trunks is charged to the extension that caused it.
mod generations;
mod records;

use crate::counters::Counters;
use crate::engine::SnapshotError;
use crate::keys::KeyId;
use crate::owner::Owner;
use crate::scope::Scope;
use crate::settings::RawLimits;
use crate::state::{Kind, Parts, Writer};
use foldhash::fast::FixedState;
use generations::Generations;
use records::Records;
use serde::{Deserialize, Serialize};
use std::hash::BuildHasher;
use tollwatch_cdr::{EventTime, Identity};

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

/// How much is remembered, and how long a call may go on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    pub limits: RawLimits,
    pub longest_open_seconds: i64,
}

/// The legs of the last hours, and the records of the last one to two days.
#[derive(Clone, Debug, Default)]
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
    turns: Turns,
    /// Legs that go on may be among the others: from CDRs alone there are none to be looked for.
    may_be_open: bool,
}

/// When the maps forget next.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Turns {
    legs: Option<EventTime>,
    answered: Option<EventTime>,
    seen: Option<EventTime>,
}

/// Numbers of the ledger's maps in its parts.
const LEGS: u8 = 0;
const DIVERTED: u8 = 1;
const WATCHERS: u8 = 2;
const ANSWERED: u8 = 3;
const DIALLERS: u8 = 4;
const BEGAN: u8 = 5;
/// The first of those of the records.
const SEEN: u8 = 6;

impl Ledger {
    /// Lets go of what is too old at `clock`.
    pub(crate) fn advance(&mut self, clock: EventTime, bounds: Bounds, counters: &mut Counters) {
        if is_due(&mut self.turns.legs, clock, LEG_SECONDS) {
            let is_early = self.turn_legs(clock, bounds);
            counters.legs_forgotten_early += u64::from(is_early);
        }
        if is_due(&mut self.turns.answered, clock, ANSWERED_SECONDS) {
            self.answered.turn();
        }
        if is_due(&mut self.turns.seen, clock, RECORD_SECONDS) {
            self.records.turn();
        }
    }

    /// Starts a generation of legs. What may still go on is kept from the one before the last, if it is not too much:
    /// whether it was.
    fn turn_legs(&mut self, clock: EventTime, bounds: Bounds) -> bool {
        let oldest = clock.plus_seconds(-bounds.longest_open_seconds - LEG_SECONDS);
        let most = bounds.limits.legs as usize / 8;
        let is_young = |started_at: EventTime| Some(started_at).filter(|at| *at > oldest);
        let open = |leg: &LegEntry| is_young(leg.started_at).filter(|_| leg.ended_at == EventTime::MAX);
        let legs_dropped = if self.may_be_open {
            self.legs.turn_but_keep(open, most)
        } else {
            self.legs.turn();
            0
        };
        let watchers_dropped = self.watchers.turn_but_keep(|(started_at, _)| is_young(*started_at), most);
        self.diverted.turn();
        self.diallers.turn();
        self.began.turn();
        legs_dropped + watchers_dropped > 0
    }

    /// Forgets early where more is remembered than the limits allow, and counts how often.
    ///
    /// The entries of all maps together are no more than `limits.legs`: three eighths in the young generations, as
    /// many in the old ones, and two eighths that are kept beyond these.
    pub(crate) fn keep_within_limits(&mut self, clock: EventTime, bounds: Bounds, counters: &mut Counters) {
        let (legs, records) = (bounds.limits.legs as usize, bounds.limits.records as usize);
        let young = self.legs.young.len()
            + self.watchers.young.len()
            + self.diverted.young.len()
            + self.answered.young.len()
            + self.diallers.young.len()
            + self.began.young.len();
        // One record puts down a few entries at most.
        if young + 16 > legs / 8 * 3 {
            self.turn_legs(clock, bounds);
            self.answered.turn();
            self.turns.legs = Some(clock.plus_seconds(LEG_SECONDS));
            counters.legs_forgotten_early += 1;
        }
        if self.records.count() >= records / 2 {
            self.records.turn();
            self.turns.seen = Some(clock.plus_seconds(RECORD_SECONDS));
            counters.records_forgotten_early += 1;
        }
    }

    /// From now on changes are gathered for [`Ledger::write`].
    pub(crate) fn keep_changes(&mut self) {
        self.legs.keep_changes();
        self.diverted.keep_changes();
        self.watchers.keep_changes();
        self.answered.keep_changes();
        self.diallers.keep_changes();
        self.began.keep_changes();
        self.records.keep_changes();
    }

    /// Writes what has changed, or everything.
    pub(crate) fn write(&mut self, writer: &mut Writer<'_>) {
        let numbers = [
            self.legs.number(),
            self.diverted.number(),
            self.watchers.number(),
            self.answered.number(),
            self.diallers.number(),
            self.began.number(),
            self.records.number(),
        ];
        writer.put_if_changed(Kind::Ledger, &(&self.turns, numbers));
        self.legs.write(LEGS, writer);
        self.diverted.write(DIVERTED, writer);
        self.watchers.write(WATCHERS, writer);
        self.answered.write(ANSWERED, writer);
        self.diallers.write(DIALLERS, writer);
        self.began.write(BEGAN, writer);
        self.records.write(SEEN, writer);
    }

    /// Reads back what was written.
    pub(crate) fn read(parts: &Parts<'_>, keep_changes: bool) -> Result<Self, SnapshotError> {
        let (turns, numbers): (Turns, [u32; 7]) = parts.one(Kind::Ledger)?;
        let [legs, diverted, watchers, answered, diallers, began, records] = numbers;
        Ok(Self {
            legs: Generations::read(LEGS, legs, parts, keep_changes)?,
            diverted: Generations::read(DIVERTED, diverted, parts, keep_changes)?,
            watchers: Generations::read(WATCHERS, watchers, parts, keep_changes)?,
            answered: Generations::read(ANSWERED, answered, parts, keep_changes)?,
            diallers: Generations::read(DIALLERS, diallers, parts, keep_changes)?,
            began: Generations::read(BEGAN, began, parts, keep_changes)?,
            records: Records::read(SEEN, records, parts, keep_changes)?,
            turns,
            may_be_open: true,
        })
    }

    /// The other keys of a call, if it has any.
    pub(crate) fn watchers(&self, key: LegKey) -> Option<&Watchers> {
        self.watchers.get(key).map(|(_, watchers)| watchers)
    }
    pub(crate) fn put_watchers(&mut self, key: LegKey, started_at: EventTime, watchers: Watchers) {
        self.watchers.put(key, (started_at, watchers));
    }

    /// Whether this record is new; remembers it.
    pub(crate) fn is_new(&mut self, system: u16, identity: Identity, started_at: EventTime) -> bool {
        self.records.is_new(system, identity, started_at)
    }

    pub(crate) fn leg(&self, key: LegKey) -> Option<&LegEntry> {
        self.legs.get(key)
    }
    pub(crate) fn put_leg(&mut self, key: LegKey, entry: LegEntry) {
        self.may_be_open |= entry.ended_at == EventTime::MAX;
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
        let is_one = |known: Option<&Option<Owner>>| known.is_none_or(|known| *known == owner);
        self.began.put_by(LegKey::new(system, call_id), |known| owner.filter(|_| is_one(known)));
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LEGS: u32 = 1000;

    fn bounds() -> Bounds {
        let limits =
            RawLimits { tenants: 1, keys: 1000, calls: 1000, legs: LEGS, records: 1000, incidents: 1000 };
        Bounds { limits, longest_open_seconds: 43_200 }
    }

    fn entry(started_at: i64, is_open: bool) -> LegEntry {
        let started_at = EventTime::from_seconds(started_at);
        LegEntry {
            owner: None,
            started_at,
            ended_at: if is_open { EventTime::MAX } else { started_at },
            billable_seconds: 0,
            watched_by: None,
            live: is_open,
        }
    }

    fn entries(ledger: &Ledger) -> usize {
        fn of<V>(map: &Generations<V>) -> usize {
            map.young.len() + map.old.len()
        }
        of(&ledger.legs)
            + of(&ledger.watchers)
            + of(&ledger.diverted)
            + of(&ledger.answered)
            + of(&ledger.diallers)
            + of(&ledger.began)
    }

    #[test]
    fn of_calls_that_go_on_the_newest_are_kept() {
        let (mut ledger, mut counters) = (Ledger::default(), Counters::default());
        let leg = |i: i64| LegKey::new(0, &i.to_be_bytes());
        for i in 0..3000 {
            ledger.keep_within_limits(EventTime::from_seconds(i), bounds(), &mut counters);
            ledger.put_leg(leg(i), entry(i, true));
        }
        assert!(counters.legs_forgotten_early > 0);
        let newest_run = (0..3000).rev().take_while(|i| ledger.leg(leg(*i)).is_some()).count();
        let kept = (0..3000).filter(|i| ledger.leg(leg(*i)).is_some()).count();
        assert_eq!(newest_run, kept, "no older one is kept where a newer is not");
        assert!(kept > LEGS as usize / 3, "{kept}");
    }

    proptest! {
        #[test]
        fn all_that_is_remembered_together_is_within_the_limits(
            puts in proptest::collection::vec((0u8..7, any::<bool>(), 0i64..30), 1000..5000),
        ) {
            let (mut ledger, mut counters) = (Ledger::default(), Counters::default());
            let mut clock = 0;
            for (i, (what, is_open, step)) in puts.into_iter().enumerate() {
                clock += step;
                let now = EventTime::from_seconds(clock);
                ledger.advance(now, bounds(), &mut counters);
                ledger.keep_within_limits(now, bounds(), &mut counters);
                let key = LegKey::new(0, &i.to_be_bytes());
                match what {
                    0 => ledger.put_leg(key, entry(clock, is_open)),
                    1 => ledger.put_diverted(key, Owner::key(7)),
                    2 => ledger.put_answered(key, Answered { by: Owner::key(7), until: now, dialled: key }),
                    3 => ledger.put_dialler(key, Dialler { owner: None, started_at: now, ended_at: now }),
                    4 => ledger.put_began(0, &i.to_be_bytes(), Some(Owner::key(7))),
                    5 => ledger.put_watchers(key, now, Watchers::default()),
                    _ => prop_assert!(ledger.is_new(0, Identity::OfRecord(i as u64), now)),
                }
                prop_assert!(entries(&ledger) <= LEGS as usize, "{}", entries(&ledger));
                prop_assert!(ledger.records.count() <= 500);
            }
        }
    }
}
