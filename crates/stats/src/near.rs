//! The calls that can share a window with one call.
use crate::{CallStat, Traits, Windows};
use std::ops::Range;
use tollwatch_cdr::EventTime;

/// More entries than this before a call, or after it, are not looked through; a key that has so many in one window
/// is alarmed for their number.
pub(crate) const MOST_CALLS: usize = 4096;

/// In which windows a measure looks, and from which value on it shows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Search {
    /// Which calls count.
    pub traits: Traits,
    /// Length of the windows in seconds.
    pub seconds: i64,
    /// Windows with a value below this are not shown: where there are fewer calls, none are counted.
    pub least: u64,
}

impl Windows {
    /// The entries with the traits that a window can hold together with a call started at `at`, panes too, in the
    /// order of the ring. Of more than [`MOST_CALLS`] on a side these are the ones next to the call.
    pub(crate) fn near(&self, at: EventTime, search: Search) -> impl DoubleEndedIterator<Item = &CallStat> {
        self.calls().range(self.near_range(at, search)).filter(move |call| call.traits.has(search.traits))
    }

    /// Where these stand in the ring, among others without the traits.
    pub(crate) fn near_range(&self, at: EventTime, search: Search) -> Range<usize> {
        let (from, until) = (at.plus_seconds(-search.seconds), at.plus_seconds(search.seconds));
        let middle = self.end_of(|call| call.first_at <= at);
        let begin = self.end_of(|call| call.first_at <= from);
        let end = self.end_of(|call| call.first_at < until);
        let begin = begin.max(middle.saturating_sub(MOST_CALLS)).min(middle);
        let end = end.min(middle.saturating_add(MOST_CALLS)).max(middle);
        begin..end
    }
}
