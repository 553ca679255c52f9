//! Roughly how many calls of a ring went to each block of numbers.
use crate::CallStat;

/// Counts are kept for so many groups of blocks: two cache lines of them.
const GROUPS: usize = 64;

/// How many calls went to the blocks of a group, never fewer than there are: most calls then need no closer look, and
/// nothing is allocated for a count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Blocks([u16; GROUPS]);

impl Default for Blocks {
    fn default() -> Self {
        Self([0; GROUPS])
    }
}

impl Blocks {
    pub(super) fn of<'c>(calls: impl Iterator<Item = &'c CallStat>) -> Self {
        let mut blocks = Self::default();
        calls.filter_map(CallStat::range).for_each(|block| blocks.enter(block));
        blocks
    }

    fn group(block: u64) -> usize {
        // By the upper bits of a product with the golden ratio, so that neighbours do not meet.
        (block.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58) as usize
    }

    pub(super) fn enter(&mut self, block: u64) {
        if let Some(calls) = self.0.get_mut(Self::group(block)) {
            *calls = calls.saturating_add(1);
        }
    }

    pub(super) fn leave(&mut self, block: u64) {
        // Beyond what can be counted nobody knows how many there are.
        if let Some(calls) = self.0.get_mut(Self::group(block)).filter(|calls| **calls != u16::MAX) {
            *calls = calls.saturating_sub(1);
        }
    }

    /// No fewer than the calls to this block.
    pub(super) fn at_most(&self, block: u64) -> u64 {
        match self.0.get(Self::group(block)).copied().unwrap_or(u16::MAX) {
            u16::MAX => u64::MAX,
            calls => calls.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn there_are_never_more_calls_than_the_blocks_say(
            steps in prop::collection::vec((0u64..200, any::<bool>()), 0..400),
        ) {
            let (mut blocks, mut exact) = (Blocks::default(), BTreeMap::<u64, u64>::new());
            for (block, enters) in steps {
                let calls = exact.entry(block).or_default();
                if enters {
                    blocks.enter(block);
                    *calls += 1;
                } else if *calls > 0 {
                    blocks.leave(block);
                    *calls -= 1;
                }
                prop_assert!(exact.iter().all(|(block, calls)| blocks.at_most(*block) >= *calls));
            }
            for (block, calls) in exact {
                (0..calls).for_each(|_| blocks.leave(block));
            }
            prop_assert_eq!(blocks, Blocks::default());
        }
    }

    #[test]
    fn what_cannot_be_counted_any_more_is_never_too_few() {
        let mut blocks = Blocks::default();
        (0..70_000).for_each(|_| blocks.enter(5));
        (0..10).for_each(|_| blocks.leave(5));
        assert_eq!(blocks.at_most(5), u64::MAX);
    }
}
