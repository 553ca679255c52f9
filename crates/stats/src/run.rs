//! The same number called again and again.
use crate::{CallStat, Search, Windows};
use tollwatch_cdr::EventTime;

impl Windows {
    /// Shows `visit` the runs of calls to the number of `call`, one right after the other, that have `call` in them, lie
    /// in one window and are at least `search.least` long: the length of each, and the start of its last call. Nothing
    /// if nobody could read the number or `call` is not in the ring.
    ///
    /// Calls follow each other by their start, and in the order of their names where they started
    /// together. Calls without the traits are passed over; one with them to another number ends the run, and so does
    /// a pane: the calls of a hot key that were folded are not seen.
    ///
    /// Costs a step for each call, 8,192 at most, that can share a window with `call`.
    pub fn visit_runs_of_number(
        &self,
        call: &CallStat,
        search: Search,
        visit: &mut impl FnMut(u64, EventTime),
    ) {
        let Some(number) = call.called_number() else { return };
        let near: Vec<&CallStat> = self.near(call.first_at, search).collect();
        let at_hand = |other: &&CallStat| other.first_at == call.first_at && other.call == call.call;
        let Some(place) = near.iter().position(at_hand) else { return };
        let (older, younger) = near.split_at(place);
        let goes_on = |other: &&&CallStat| other.number == number;
        let before = older.iter().rev().take_while(goes_on).count();
        let run = || older.iter().skip(place - before).chain(younger.iter().take_while(goes_on));
        let mut length = 0;
        let mut left = run().peekable();
        for (index, last) in run().enumerate() {
            length += 1;
            while left.next_if(|old| old.first_at <= last.first_at.plus_seconds(-search.seconds)).is_some() {
                length -= 1;
            }
            if index >= before && length >= search.least {
                visit(length, last.first_at);
            }
        }
    }
}
