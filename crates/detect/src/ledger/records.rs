//! Which records were read before.
use super::LegKey;
use super::generations::Generations;
use crate::engine::SnapshotError;
use crate::state::{Parts, Writer};
use tollwatch_cdr::EventTime;

/// Records are told apart within so many groups.
const GROUPS: u8 = 128;
/// Records of calls that began within the same time of this length are in one group.
const GROUP_SECONDS: i64 = 900;

/// The records of the last one to two days, by what makes them themselves.
///
/// A record that is read twice has the same start both times, so it can only be in the group of that. Records come about
/// in the order of time: what is looked up for each of them stays in the cache.
#[derive(Clone, Debug)]
pub(super) struct Records {
    groups: Vec<Generations<()>>,
    /// How many are of the young generation.
    count: usize,
}

impl Default for Records {
    fn default() -> Self {
        Self { groups: (0..GROUPS).map(|_| Generations::default()).collect(), count: 0 }
    }
}

impl Records {
    /// Whether this record is new; remembers it.
    pub(super) fn is_new(&mut self, identity: u64, started_at: EventTime) -> bool {
        let group = started_at.seconds().div_euclid(GROUP_SECONDS) as usize % usize::from(GROUPS);
        let Some(group) = self.groups.get_mut(group) else { return true };
        let is_new = group.put_new(LegKey(identity), ());
        self.count += usize::from(is_new);
        is_new
    }

    /// Starts a generation: the one before the last is forgotten.
    pub(super) fn turn(&mut self) {
        self.groups.iter_mut().for_each(Generations::turn);
        self.count = 0;
    }

    /// How many there are of the young generation.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// From now on changes are gathered for [`Records::write`].
    pub(super) fn keep_changes(&mut self) {
        self.groups.iter_mut().for_each(Generations::keep_changes);
    }

    /// The number of the young generation, which is that of all groups.
    pub(super) fn number(&self) -> u32 {
        self.groups.first().map_or(0, Generations::number)
    }

    /// Writes what has changed, or everything, as maps from the number `first` on.
    pub(super) fn write(&mut self, first: u8, writer: &mut Writer<'_>) {
        for (map, group) in (first..).zip(&mut self.groups) {
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
        let count = groups.iter().map(|group| group.young.len()).sum();
        Ok(Self { groups, count })
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
            reads in proptest::collection::vec((0u64..30, any::<bool>()), 1..300),
        ) {
            let mut records = Records::default();
            let (mut young, mut old) = (BTreeSet::new(), BTreeSet::new());
            for (identity, turns) in reads {
                // Some before 1970, some in the same group, some a round of groups apart.
                let started_at = EventTime::from_seconds((identity as i64 - 9) * 40_000);
                let is_new = !old.contains(&identity) && young.insert(identity);
                prop_assert_eq!(records.is_new(identity, started_at), is_new);
                prop_assert_eq!(records.count(), young.len());
                if turns {
                    records.turn();
                    old = std::mem::take(&mut young);
                }
            }
        }
    }
}
