//! What a window adds up to.
use crate::CallStat;
use serde::{Deserialize, Serialize};
use tollwatch_numbering::Money;

/// What a window holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Call attempts.
    pub attempts: u64,
    /// Answered calls.
    pub answered: u64,
    /// Attempts that ended without an answer.
    pub failed: u64,
    /// Billable seconds.
    pub billable_seconds: u64,
    /// Exposure.
    pub cost: Money,
}

impl Totals {
    /// Answer-seizure ratio in thousandths, rounded down: the answered of the attempts of which it is known how
    /// they went. An attempt that rings is not among them; an answered call that goes on is. `None` if there
    /// are none.
    pub fn asr_permille(&self) -> Option<u64> {
        self.answered.saturating_mul(1000).checked_div(self.answered.saturating_add(self.failed))
    }
    /// Average duration of the answered calls in seconds, rounded down; a call that goes on counts with what it
    /// has lasted so far. `None` if none was answered.
    pub fn acd_seconds(&self) -> Option<u64> {
        self.billable_seconds.checked_div(self.answered)
    }

    /// Counts a call in.
    pub fn add(&mut self, call: &CallStat) {
        self.attempts = self.attempts.saturating_add(u64::from(call.attempts));
        self.answered = self.answered.saturating_add(u64::from(call.answered));
        self.failed = self.failed.saturating_add(u64::from(call.failed));
        self.billable_seconds = self.billable_seconds.saturating_add(u64::from(call.billable_seconds));
        self.cost = self.cost.saturating_add(call.cost);
    }
    pub(crate) fn subtract(&mut self, call: &CallStat) {
        self.attempts = self.attempts.saturating_sub(u64::from(call.attempts));
        self.answered = self.answered.saturating_sub(u64::from(call.answered));
        self.failed = self.failed.saturating_sub(u64::from(call.failed));
        self.billable_seconds = self.billable_seconds.saturating_sub(u64::from(call.billable_seconds));
        self.cost = self.cost.saturating_sub(call.cost);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn totals(attempts: u64, answered: u64, failed: u64, billable_seconds: u64) -> Totals {
        Totals { attempts, answered, failed, billable_seconds, cost: Money::ZERO }
    }

    #[test]
    fn a_call_that_still_rings_is_no_part_of_the_answer_seizure_ratio() {
        assert_eq!(totals(3, 0, 0, 0).asr_permille(), None);
        assert_eq!(totals(10, 1, 2, 0).asr_permille(), Some(333));
        assert_eq!(totals(10, 10, 0, 0).asr_permille(), Some(1000));
        assert_eq!(totals(10, 0, 4, 0).asr_permille(), Some(0));
        assert!(totals(0, u64::MAX, u64::MAX, 0).asr_permille().is_some());
    }

    #[test]
    fn the_average_duration_is_of_answered_calls_alone() {
        assert_eq!(totals(5, 0, 5, 0).acd_seconds(), None);
        assert_eq!(totals(5, 3, 2, 200).acd_seconds(), Some(66));
    }
}
