//! Which records were read before.
use super::LegKey;
use super::generations::Generations;
use crate::engine::SnapshotError;
use crate::state::{Parts, Writer};
use tollwatch_cdr::{EventTime, Identity};

/// Records are told apart within so many groups.
const GROUPS: u8 = 128;
/// Records of calls that began within the same time of this length are in one group.
const GROUP_SECONDS: i64 = 900;

/// The records of the last one to two days, by what makes them themselves.
///
/// A record that is itself by what it says has the same start each time that it is read, so it can only be in the group of
/// that. Records come about in the order of time: what is looked up for each of them stays in the cache. One that was
/// given a name may say another start the next time, so it is looked up by its name beside.
#[derive(Clone, Debug)]
pub(super) struct Records {
    /// By start.
    groups: Vec<Generations<()>>,
    /// By name.
    given: Generations<()>,
    /// How many entries are of the young generation.
    count: usize,
}

impl Default for Records {
    fn default() -> Self {
        let groups = (0..GROUPS).map(|_| Generations::default()).collect();
        Self { groups, given: Generations::default(), count: 0 }
    }
}

impl Records {
    /// Whether this record is new; remembers it.
    pub(super) fn is_new(&mut self, system: u16, identity: Identity, started_at: EventTime) -> bool {
        let group = started_at.seconds().div_euclid(GROUP_SECONDS) as usize % usize::from(GROUPS);
        let Some(group) = self.groups.get_mut(group) else { return true };
        let record = LegKey(identity.value() ^ u64::from(system));
        let given = Some(&mut self.given).filter(|_| matches!(identity, Identity::Given(_)));
        if given.as_ref().is_some_and(|known| known.get(record).is_some()) || !group.put_new(record, ()) {
            return false;
        }
        self.count += 1;
        // The same record may come from a source that gives it no name.
        if let Some(known) = given {
            known.put(record, ());
            self.count += 1;
        }
        true
    }

    fn all(&mut self) -> impl Iterator<Item = &mut Generations<()>> {
        self.groups.iter_mut().chain([&mut self.given])
    }

    /// Starts a generation: the one before the last is forgotten.
    pub(super) fn turn(&mut self) {
        self.all().for_each(Generations::turn);
        self.count = 0;
    }

    /// How many entries there are of the young generation.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// From now on changes are gathered for [`Records::write`].
    pub(super) fn keep_changes(&mut self) {
        self.all().for_each(Generations::keep_changes);
    }

    /// The number of the young generation, which is that of all groups.
    pub(super) fn number(&self) -> u32 {
        self.given.number()
    }

    /// Writes what has changed, or everything, as maps from the number `first` on.
    pub(super) fn write(&mut self, first: u8, writer: &mut Writer<'_>) {
        for (map, group) in (first..).zip(self.all()) {
            group.write(map, writer);
        }
    }

    /// Reads back what was written.
    pub(super) fn read(
        first: u8,
        young: u32,
        parts: &Parts<'_>,
        keep_changes: bool,
    ) -> Result<Self, SnapshotError> {
        let read = |group| Generations::read(first + group, young, parts, keep_changes);
        let groups = (0..GROUPS).map(read).collect::<Result<Vec<_>, _>>()?;
        let given = read(GROUPS)?;
        let count = groups.iter().chain([&given]).map(|group| group.young.len()).sum();
        Ok(Self { groups, given, count })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn a_record_is_new_unless_it_was_read_in_this_generation_or_the_last(
            reads in proptest::collection::vec((0u64..30, any::<bool>(), any::<bool>(), 0i64..3), 1..300),
        ) {
            let mut records = Records::default();
            let (mut young, mut old) = (BTreeSet::new(), BTreeSet::new());
            let mut entries = 0;
            for (number, turns, is_given, other_start) in reads {
                // Some before 1970, some in the same group, some a round of groups apart; those that were given a name
                // say another start each time.
                let start = (number as i64 - 9) * 40_000 + if is_given { other_start * 7000 } else { 0 };
                let (number, identity) = if is_given {
                    (number + 1000, Identity::Given(number + 1000))
                } else {
                    (number, Identity::OfRecord(number))
                };
                let is_new = !old.contains(&number) && young.insert(number);
                prop_assert_eq!(records.is_new(0, identity, EventTime::from_seconds(start)), is_new);
                entries += if !is_new { 0 } else if is_given { 2 } else { 1 };
                prop_assert_eq!(records.count(), entries);
                if turns {
                    records.turn();
                    old = std::mem::take(&mut young);
                    entries = 0;
                }
            }
        }
    }
}
