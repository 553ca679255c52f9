//! How many calls of a key were up at once.
use crate::near::MOST_CALLS;
use crate::{CallStat, Traits, Windows};
use tollwatch_cdr::EventTime;

impl Windows {
    /// The most calls with these traits that were up at one instant of `[from, until)`. A call is up from its
    /// start, ringing included, to its end. Calls folded into panes are not seen.
    pub fn most_concurrent(&self, traits: Traits, from: EventTime, until: EventTime) -> u64 {
        let reach = from.plus_seconds(-self.longest_seconds());
        let mut steps: Vec<(EventTime, i32)> = Vec::new();
        for call in self.candidates(traits, until) {
            // Closed calls before `reach` are over; open ones may be as old as they like.
            if call.first_at < reach && !self.has_open_calls() {
                break;
            }
            let start = call.first_at.max(from);
            let end = call.ended_at.min(until);
            if start < end {
                steps.push((start, 1));
                steps.push((end, -1));
            }
        }
        // At the same instant an end comes before a start: the line is free again.
        steps.sort_unstable();
        let (mut now, mut most) = (0_i64, 0_i64);
        for (_, step) in steps {
            now += i64::from(step);
            most = most.max(now);
        }
        most.max(0).unsigned_abs()
    }

    fn candidates(&self, traits: Traits, until: EventTime) -> impl Iterator<Item = &CallStat> {
        let end = self.calls().partition_point(|call| call.first_at < until);
        self.calls()
            .range(..end)
            .rev()
            .take(MOST_CALLS)
            .filter(move |call| !call.is_pane() && call.traits.has(traits))
    }
}
