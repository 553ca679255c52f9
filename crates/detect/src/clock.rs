//! The tenant's event time: what the records say, unless one of them alone says something far off.
use serde::{Deserialize, Serialize};
use tollwatch_cdr::EventTime;

/// A record further ahead of all others than this is believed only when the next one agrees. Offices are quiet for a
/// weekend, but a PBX whose clock was lost at a restart may be years off, and if time followed it, all that is
/// remembered would be forgotten at once.
const LEAP_SECONDS: i64 = 86_400;

/// The newest event time that can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Clock {
    now: Option<EventTime>,
    /// Where the latest record stands, if it is a leap ahead.
    ahead: Option<EventTime>,
    /// Records that stood a leap ahead and that nothing confirmed.
    pub untrusted: u64,
}

impl Clock {
    pub(crate) const NEW: Self = Self { now: None, ahead: None, untrusted: 0 };

    /// The time; the beginning of all time before the first record that can be trusted.
    pub(crate) fn now(&self) -> EventTime {
        self.now.unwrap_or(EventTime::MIN)
    }

    /// Time has passed without a record. Whether the clock has moved; before the first record there is none to move.
    pub(crate) fn pass(&mut self, at: EventTime) -> bool {
        let moved = self.now.is_some_and(|now| at > now);
        if moved {
            self.now = Some(at);
        }
        moved
    }

    /// Takes in a record's time. Whether the clock has moved by it.
    pub(crate) fn hear(&mut self, at: EventTime) -> bool {
        let limit = self.now.map_or(EventTime::MIN, |now| now.plus_seconds(LEAP_SECONDS));
        if at <= limit {
            // What was a leap ahead of this record was wrong: two records that follow one another are near.
            self.ahead = None;
            let moved = self.now.is_none_or(|now| at > now);
            if moved {
                self.now = Some(at);
            }
            return moved;
        }
        let Some(other) = self.ahead else {
            self.ahead = Some(at);
            self.untrusted += 1;
            return false;
        };
        let (low, high) = (other.min(at), other.max(at));
        if high <= low.plus_seconds(LEAP_SECONDS) {
            self.untrusted -= 1;
            self.ahead = None;
            self.now = Some(high);
        } else {
            // The two disagree: the nearer is likelier, and what is beyond it has still to be confirmed.
            self.ahead = Some(high);
            self.now = Some(low);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn run(seconds: &[i64]) -> (i64, u64) {
        let mut clock = Clock::NEW;
        for second in seconds {
            clock.hear(EventTime::from_seconds(*second));
        }
        (clock.now().seconds(), clock.untrusted)
    }
    const DAY: i64 = 86_400;

    #[test]
    fn time_passes_by_records_and_never_goes_back() {
        assert_eq!(run(&[100, 101, 90, 105, DAY + 105]), (DAY + 105, 0));
    }

    #[test]
    fn a_long_silence_is_over_with_the_second_record() {
        assert_eq!(run(&[100, 101, 30 * DAY]), (101, 1));
        assert_eq!(run(&[100, 101, 30 * DAY, 30 * DAY + 5]), (30 * DAY + 5, 0));
    }

    #[test]
    fn one_record_from_far_ahead_moves_nothing() {
        let wrong = 70 * 365 * DAY;
        assert_eq!(run(&[100, 101, wrong, 102, 103]), (103, 1));
        assert_eq!(run(&[100, 101, wrong, 102, wrong + 7, 103]), (103, 2), "nor two with others between");
        assert_eq!(run(&[wrong, 100, 101, 102]), (102, 1), "nor the very first");
        assert_eq!(run(&[wrong]).1, 1);
    }

    proptest! {
        #[test]
        fn with_one_wrong_record_in_ten_the_clock_is_that_of_the_others(
            steps in proptest::collection::vec((0i64..3000, 0usize..10), 20..200),
        ) {
            let mut clock = Clock::NEW;
            let mut truth = 1_000_000;
            let mut since_wrong = 10;
            for (step, wrong) in steps {
                truth += step;
                since_wrong += 1;
                if wrong == 0 && since_wrong > 2 {
                    since_wrong = 0;
                    clock.hear(EventTime::from_seconds(truth + 400 * DAY));
                } else {
                    clock.hear(EventTime::from_seconds(truth));
                    if since_wrong > 1 && truth > 1_000_000 + 3000 {
                        prop_assert_eq!(clock.now().seconds(), truth);
                    }
                }
            }
        }
    }
}
