//! How many calls of a key were up at once.
use crate::near::MOST_CALLS;
use crate::{Traits, Windows};
use tollwatch_cdr::EventTime;

/// A call that was up: when it started, and from when until when of the time that was asked for.
type Up = (EventTime, EventTime, EventTime);

impl Windows {
    /// The most calls with these traits that were up at one instant of `[from, until)`, and the start of the oldest
    /// call that was up at any instant of it at which `least` of them were. A call is up from its start, ringing
    /// included, to its end. Calls folded into panes are not seen.
    pub fn most_concurrent(
        &self,
        traits: Traits,
        from: EventTime,
        until: EventTime,
        least: u64,
    ) -> (u64, Option<EventTime>) {
        let up: Vec<Up> = self.up_between(traits, from, until).collect();
        // At the same instant an end comes before a start: the line is free again.
        let mut steps: Vec<(EventTime, i8)> = Vec::with_capacity(2 * up.len());
        steps.extend(up.iter().flat_map(|(_, start, end)| [(*start, 1), (*end, -1)]));
        steps.sort_unstable();
        let (mut now, mut most) = (0_u64, 0);
        let mut reached: Vec<(EventTime, EventTime)> = Vec::new();
        for (at, step) in steps {
            let before = now;
            now = now.saturating_add_signed(i64::from(step));
            most = most.max(now);
            if before < least && now >= least {
                reached.push((at, at));
            } else if before >= least
                && now < least
                && let Some((_, end)) = reached.last_mut()
            {
                *end = at;
            }
        }
        let was_up = |(_, start, end): &&Up| reached.iter().any(|(since, upto)| start < upto && since < end);
        (most, up.iter().rev().find(was_up).map(|(first_at, ..)| *first_at))
    }

    /// Whether so many calls with these traits were up in `[from, until)`, though not all of them at once: where they
    /// were not, no more need be asked.
    pub fn as_many_were_up(&self, traits: Traits, from: EventTime, until: EventTime, calls: u64) -> bool {
        let enough = usize::try_from(calls).unwrap_or(usize::MAX);
        self.up_between(traits, from, until).take(enough).count() == enough
    }

    /// The calls with these traits that were up at any instant of `[from, until)`, the youngest first.
    fn up_between(&self, traits: Traits, from: EventTime, until: EventTime) -> impl Iterator<Item = Up> {
        let reach = from.plus_seconds(-self.longest_seconds());
        let end = self.end_of(|call| call.first_at < until);
        self.calls()
            .range(..end)
            .rev()
            .take(MOST_CALLS)
            .filter(move |call| !call.is_pane() && call.traits.has(traits))
            // Closed calls before `reach` are over; open ones may be as old as they like.
            .take_while(move |call| call.first_at >= reach || self.has_open_calls())
            .map(move |call| (call.first_at, call.first_at.max(from), call.ended_at.min(until)))
            .filter(|(_, start, end)| start < end)
    }
}
