//! Which records were read before.
use foldhash::fast::FixedState;
use hashbrown::HashSet;
use serde::{Deserialize, Serialize};
use tollwatch_cdr::EventTime;

/// Records are told apart within so many groups.
const GROUPS: usize = 64;
/// Records of calls that began within the same time of this length are in one group.
const GROUP_SECONDS: i64 = 1_800;

/// The records of the last one to two days, by what makes them themselves.
///
/// A record that is read twice has the same start both times, so it can only be in the group of that. Records come about
/// in the order of time: what is looked up for each of them stays in the cache.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Records {
    young: Vec<HashSet<u64, FixedState>>,
    old: Vec<HashSet<u64, FixedState>>,
    /// How many are young.
    count: usize,
}

impl Default for Records {
    fn default() -> Self {
        Self { young: vec![HashSet::default(); GROUPS], old: vec![HashSet::default(); GROUPS], count: 0 }
    }
}

impl Records {
    /// Whether this record is new; remembers it.
    pub(crate) fn is_new(&mut self, identity: u64, started_at: EventTime) -> bool {
        let group = started_at.seconds().div_euclid(GROUP_SECONDS) as usize % GROUPS;
        let (Some(young), Some(old)) = (self.young.get_mut(group), self.old.get(group)) else { return true };
        let is_new = (old.is_empty() || !old.contains(&identity)) && young.insert(identity);
        self.count += usize::from(is_new);
        is_new
    }
    /// Starts a generation: the one before the last is forgotten.
    pub(crate) fn turn(&mut self) {
        std::mem::swap(&mut self.old, &mut self.young);
        self.young.iter_mut().for_each(HashSet::clear);
        self.count = 0;
    }
    /// How many there are of the young generation.
    pub(crate) fn count(&self) -> usize {
        self.count
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
