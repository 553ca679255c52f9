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
    /// Costs a step for each call of the run and for each that is passed over, 8,192 at most.
    pub fn visit_runs_of_number(
        &self,
        call: &CallStat,
        search: Search,
        visit: &mut impl FnMut(u64, EventTime),
    ) {
        let Some(number) = call.called_number() else { return };
        let near = self.near_range(call.first_at, search);
        let Some(place) = self.position(call.first_at, call.call).filter(|place| near.contains(place)) else {
            return;
        };
        let counts = |other: &&CallStat| other.traits.has(search.traits);
        if !self.calls().get(place).as_ref().is_some_and(counts) {
            return;
        }
        let goes_on = |other: &&CallStat| other.number == number;
        let older = self.calls().range(near.start..place).rev().filter(counts).take_while(goes_on);
        let younger = self.calls().range(place + 1..near.end).filter(counts).take_while(goes_on);
        let mut run: Vec<&CallStat> = Vec::new();
        let before = older.clone().count();
        // Most runs are of one call.
        if 1 + before as u64 + younger.clone().count() as u64 >= search.least {
            run.extend(older);
            run.reverse();
            run.extend(self.calls().get(place));
            run.extend(younger);
        }
        let mut length = 0;
        let mut left = run.iter().peekable();
        for (index, last) in run.iter().enumerate() {
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
