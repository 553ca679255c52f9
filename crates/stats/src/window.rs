//! The ring of a key's calls and the running totals over it.
mod blocks;
mod fold;
mod running;
mod specs;

pub use specs::WindowSpecs;

use crate::{CallStat, Totals, Traits};
use blocks::Blocks;
use running::RunningTotals;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use tollwatch_cdr::EventTime;

/// Above this many entries a key is hot, and its old calls are folded into panes.
const HOT: usize = 2048;

/// A sliding window over the calls that have certain traits: `(edge - seconds, edge]` by start time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WindowSpec {
    /// Which calls count.
    pub traits: Traits,
    /// Length in seconds.
    pub seconds: i64,
}

/// A window on its way over the ring: its totals, and where it begins.
#[derive(Clone, Copy, Debug)]
struct Moving {
    totals: Totals,
    tail: usize,
}

impl Moving {
    /// Moves the right edge on to `next`, the call of the ring that follows.
    fn move_to(&mut self, calls: &VecDeque<CallStat>, spec: &WindowSpec, next: &CallStat) {
        if next.traits.has(spec.traits) {
            self.totals.add(next);
        }
        let begin = next.first_at.plus_seconds(-spec.seconds);
        while let Some(old) = calls.get(self.tail).filter(|old| old.last_at <= begin) {
            if old.traits.has(spec.traits) {
                self.totals.subtract(old);
            }
            self.tail += 1;
        }
    }
}

/// The watched calls of one key in start order, with one running total for each window.
///
/// Memory: 104 bytes a call of the longest window beside the text of an id that is longer than usual, bounded for hot
/// keys by folding (see [`Windows::insert`]).
///
/// A call that starts later than the caller's clock is *ahead*: a PBX has a wrong clock. It stands in the ring where
/// it belongs and is seen by the windows that hold it. No other call is older for it: the running windows end before
/// it, and folding takes no notice of it until the clock has come to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Windows {
    /// Serialised apart from the rest, since there may be many of which few change: see [`Windows::with_calls`].
    #[serde(skip)]
    calls: VecDeque<CallStat>,
    /// Of the windows whose right edge is the newest call that is not ahead.
    running: RunningTotals,
    /// Where these begin in the ring, by length.
    tails: Vec<usize>,
    /// So many calls at the end of the ring are ahead.
    ahead: usize,
    /// Calls in the ring by block of 10,000 numbers, so that most calls need no counting.
    #[serde(skip)]
    blocks: Blocks,
    /// No call in the ring lasted longer than this; bounds how far back an overlap can reach.
    longest_seconds: i64,
    /// Calls that have not ended.
    open_calls: usize,
    /// No pane goes on after this.
    folded_until: EventTime,
    /// With more entries than this it is time to fold again.
    fold_above: usize,
}

impl Windows {
    /// The calls, oldest first.
    pub fn calls(&self) -> &VecDeque<CallStat> {
        &self.calls
    }
    /// The same with the calls that were serialised apart, oldest first as [`Windows::calls`] had them.
    #[must_use]
    pub fn with_calls(self, calls: VecDeque<CallStat>) -> Self {
        Self { blocks: Blocks::of(calls.iter()), calls, ..self }
    }
    /// Looks at the calls that the next one will be counted with, so that they are at hand when it comes; what it gives
    /// is of no use but to have been read. What a key remembers has mostly left the cache since its last call, and what
    /// is asked for ahead of time need not be waited for.
    pub fn touch(&self) -> u64 {
        let ends = [self.calls.front(), self.calls.back()];
        let begins = self.tails.iter().map(|tail| self.calls.get(*tail));
        let seen = ends.into_iter().chain(begins).flatten().map(|call| call.call);
        seen.fold(self.running.touch(), u64::wrapping_add)
    }
    pub(crate) fn has_open_calls(&self) -> bool {
        self.open_calls > 0
    }
    pub(crate) fn longest_seconds(&self) -> i64 {
        self.longest_seconds
    }

    /// How many calls are not ahead.
    fn begun(&self) -> usize {
        self.calls.len().saturating_sub(self.ahead)
    }
    /// Start of the newest call that is not ahead.
    fn newest_begun(&self) -> Option<EventTime> {
        Some(self.calls.get(self.begun().checked_sub(1)?)?.first_at)
    }

    /// Puts a call where it belongs and shows `visit` every window that counts it: the spec's index, the
    /// window's right edge and its totals, newest edge first. A window ends at the start of a call that it counts, so
    /// these are all the windows whose content the new call has changed. `now` is the caller's clock; what is shown does
    /// not depend on it, only what is folded.
    ///
    /// Costs a step for each younger call of the key that is not ahead, but none for those that start together with it,
    /// whatever the windows hold; a call that is ahead costs a step for each call that its windows do not hold any more. A key with more than 2,048
    /// entries folds its calls older than an hour into panes of 96 s, 900 to a day; a pane leaves a window
    /// with its last call, so a hot key may fire a pane early and never late.
    ///
    /// Not folded: calls of the last ten minutes (up to 32,768 entries, and 512 that start together), calls that go on,
    /// and calls that are ahead. These are bounded by how far ahead a start may lie, which is for the caller to say.
    pub fn insert(
        &mut self,
        specs: &WindowSpecs,
        call: CallStat,
        now: EventTime,
        visit: &mut impl FnMut(usize, EventTime, &Totals),
    ) {
        self.tails.resize(specs.lengths().len(), 0);
        self.catch_up(specs, now);
        // Calls that start together stand in an order of their own, whichever came to be known first.
        let place = (call.first_at, call.call);
        let at = self.end_of(|other| (other.first_at, other.call) <= place);
        self.note_length(&call);
        if let Some(block) = call.range() {
            self.blocks.enter(block);
        }
        self.open_calls += usize::from(call.is_open());
        let is_ahead = at >= self.begun() && call.first_at > now;
        self.ahead += usize::from(is_ahead);
        self.calls.insert(at, call);
        if !is_ahead && at + 1 == self.calls.len() {
            // Most calls: no other window than the running ones holds it.
            self.move_on(specs, at, visit);
        } else {
            if !is_ahead {
                self.count_in(specs, at);
            }
            self.visit_windows_of(specs, at, visit);
        }
        if self.calls.len() > self.fold_above.max(HOT) {
            self.fold(specs, now);
            // What could not be folded now is looked at again only when as much has come again.
            self.fold_above = 2 * self.calls.len();
        }
    }

    /// How many calls at the beginning of the ring are as `is_before` says, which is so of none behind the first of which
    /// it is not. Looks from the end on, where almost all that is asked for stands.
    pub(crate) fn end_of(&self, is_before: impl Fn(&CallStat) -> bool) -> usize {
        let (mut low, mut high, mut step) = (0, self.calls.len(), 1);
        while let Some(last) = high.checked_sub(1) {
            let probe = last.saturating_sub(step - 1);
            if self.calls.get(probe).is_some_and(&is_before) {
                low = probe + 1;
                break;
            }
            (high, step) = (probe, step * 2);
        }
        while low < high {
            let middle = low + (high - low) / 2;
            if self.calls.get(middle).is_some_and(&is_before) { low = middle + 1 } else { high = middle }
        }
        low
    }

    /// Moves the running windows on to the calls that are ahead no more.
    fn catch_up(&mut self, specs: &WindowSpecs, now: EventTime) {
        // More than there are can only be in a damaged snapshot.
        self.ahead = self.ahead.min(self.calls.len());
        while self.ahead > 0 {
            let next = self.begun();
            if self.calls.get(next).is_none_or(|next| next.first_at > now) {
                return;
            }
            self.move_on(specs, next, &mut |_, _, _| {});
            self.ahead -= 1;
        }
    }

    /// Moves the running windows on to the call at `at`, the next in the ring, and shows `visit` those that count it.
    fn move_on(&mut self, specs: &WindowSpecs, at: usize, visit: &mut impl FnMut(usize, EventTime, &Totals)) {
        let Some(next) = self.calls.get(at) else { return };
        let mut left = false;
        for (length, tail) in specs.lengths().iter().zip(&mut self.tails) {
            let begin = next.first_at.plus_seconds(-length.seconds);
            while let Some(old) = self.calls.get(*tail).filter(|old| old.last_at <= begin) {
                self.running.subtract_all(length, old);
                *tail += 1;
                left = true;
            }
        }
        self.running.add_to_all(specs, next, |index, totals| visit(index, next.first_at, totals));
        if left {
            self.running.drop_empty();
        }
    }

    /// Counts the call that was put at `at`, and is not ahead, in the running windows.
    fn count_in(&mut self, specs: &WindowSpecs, at: usize) {
        if at + 1 == self.begun() {
            return self.move_on(specs, at, &mut |_, _, _| {});
        }
        let (Some(call), Some(newest)) = (self.calls.get(at), self.newest_begun()) else { return };
        for (length, tail) in specs.lengths().iter().zip(&mut self.tails) {
            let begin = newest.plus_seconds(-length.seconds);
            if at < *tail || (at == *tail && call.last_at <= begin) {
                *tail += 1;
                continue;
            }
            for (index, _) in length.specs.iter().filter(|(_, traits)| call.traits.has(*traits)) {
                self.running.add(*index, call);
            }
        }
    }

    /// Changes a call that is in the ring (it was answered, it ended, it was settled, more is known of its kind) and
    /// shows `visit` every window that counts it now, as [`Windows::insert`] does. Which call it is and when it started
    /// stay as they are, whatever `change` says. `None` if there is no such call, or it was folded into a pane.
    pub fn update(
        &mut self,
        specs: &WindowSpecs,
        started_at: EventTime,
        call: u64,
        change: impl FnOnce(&mut CallStat),
        visit: &mut impl FnMut(usize, EventTime, &Totals),
    ) -> Option<CallStat> {
        let at = self.position(started_at, call)?;
        let begun = self.begun();
        let stat = self.calls.get_mut(at)?;
        let before = stat.clone();
        change(stat);
        (stat.first_at, stat.last_at, stat.call) = (before.first_at, before.last_at, before.call);
        let after = stat.clone();
        self.open_calls =
            (self.open_calls + usize::from(after.is_open())).saturating_sub(usize::from(before.is_open()));
        for (length, tail) in specs.lengths().iter().zip(&self.tails) {
            if at < *tail || at >= begun {
                continue;
            }
            for (index, traits) in &length.specs {
                if before.traits.has(*traits) {
                    self.running.subtract(*index, &before);
                }
                if after.traits.has(*traits) {
                    self.running.add(*index, &after);
                }
            }
        }
        self.running.drop_empty();
        self.note_length(&after);
        self.visit_windows_of(specs, at, visit);
        Some(after)
    }

    /// The call as it stands.
    pub fn find(&self, started_at: EventTime, call: u64) -> Option<&CallStat> {
        self.calls.get(self.position(started_at, call)?)
    }

    /// No fewer than the calls of the ring that went to the block of numbers that `call` went to, whenever and of
    /// whatever kind.
    pub fn at_most_to_range_of(&self, call: &CallStat) -> u64 {
        call.range().map_or(0, |block| self.blocks.at_most(block))
    }

    /// The calls that started after `after` and no later than `until`.
    pub fn starting_in(&self, after: EventTime, until: EventTime) -> impl Iterator<Item = &CallStat> {
        let from = self.end_of(|other| other.first_at <= after);
        self.calls.range(from..).take_while(move |other| other.first_at <= until)
    }

    /// The calls that started at that instant.
    pub fn starting_at(&self, started_at: EventTime) -> impl Iterator<Item = &CallStat> {
        let from = self.end_of(|other| other.first_at < started_at);
        self.calls.range(from..).take_while(move |other| other.first_at == started_at)
    }

    pub(crate) fn position(&self, started_at: EventTime, call: u64) -> Option<usize> {
        let at = self.end_of(|other| (other.first_at, other.call) < (started_at, call));
        let is_it = |other: &&CallStat| other.first_at == started_at && other.call == call;
        self.calls.get(at).filter(is_it).map(|_| at)
    }

    fn note_length(&mut self, call: &CallStat) {
        if !call.is_open() && !call.is_pane() {
            self.longest_seconds = self.longest_seconds.max(call.ended_at.seconds_since(call.first_at) + 1);
        }
    }

    /// Walks the right edge of each window that counts the call at `at` back from the newest call to it. A window ends
    /// at a call that it counts: what other calls the key has changes nothing of what is shown.
    fn visit_windows_of(
        &self,
        specs: &WindowSpecs,
        at: usize,
        visit: &mut impl FnMut(usize, EventTime, &Totals),
    ) {
        let Some(call) = self.calls.get(at) else { return };
        for (index, spec) in specs.iter() {
            if !call.traits.has(spec.traits) {
                continue;
            }
            let mut edge = self.begun();
            let tail = self.tails.get(specs.length_of(index)).copied().unwrap_or_default();
            let mut newest = Moving { totals: self.running.of(index), tail };
            // On to the calls ahead, as far as a window can hold them together with this one.
            while let Some(next) =
                self.calls.get(edge).filter(|next| next.first_at.plus_seconds(-spec.seconds) < call.last_at)
            {
                newest.move_to(&self.calls, spec, next);
                edge += 1;
            }
            let (last, mut window) = (edge, newest);
            let mut unfolded_from = window.tail;
            let mut last_edge = None;
            while let Some(end) = edge
                .checked_sub(1)
                .and_then(|i| self.calls.get(i))
                .filter(|end| end.first_at >= call.first_at)
            {
                let begin = end.first_at.plus_seconds(-spec.seconds);
                if edge < last {
                    self.reach_back(spec, &mut window, &mut unfolded_from, begin);
                }
                // Calls that start together are one edge, and all of them are inside at the first that is met.
                let is_last = end.first_at == call.first_at;
                if is_last || (end.traits.has(spec.traits) && last_edge != Some(end.first_at)) {
                    if call.last_at > begin {
                        visit(index, end.first_at, &window.totals);
                    }
                    if is_last {
                        break;
                    }
                    last_edge = Some(end.first_at);
                }
                if end.traits.has(spec.traits) {
                    window.totals.subtract(end);
                }
                edge -= 1;
            }
        }
    }

    /// Moves the beginning of a window back to the first entry with calls after `begin`. There is no pane from
    /// `unfolded_from` to the window.
    fn reach_back(
        &self,
        spec: &WindowSpec,
        window: &mut Moving,
        unfolded_from: &mut usize,
        begin: EventTime,
    ) {
        let is_inside = |at: &usize| self.calls.get(*at).is_some_and(|older| older.last_at > begin);
        let is_call = |at: &usize| self.calls.get(*at).is_none_or(|older| !older.is_pane());
        loop {
            *unfolded_from = (*unfolded_from).min(window.tail);
            let mut first = window.tail.checked_sub(1).filter(is_inside);
            if first.is_none() && begin < self.folded_until {
                // Behind calls that are too old, a pane that began before them may go on after them.
                while let Some(older) = unfolded_from.checked_sub(1).filter(is_call) {
                    *unfolded_from = older;
                }
                first = unfolded_from.checked_sub(1).filter(is_inside);
            }
            let Some(first) = first else { return };
            let more = self.calls.iter().skip(first).take(window.tail - first);
            for older in more.filter(|older| older.traits.has(spec.traits)) {
                window.totals.add(older);
            }
            window.tail = first;
        }
    }

    /// Drops the calls that began at or before `before` and have ended, up to the first that goes on.
    pub fn evict(&mut self, specs: &WindowSpecs, before: EventTime) {
        let mut left = false;
        while let Some(old) = self.calls.front().filter(|old| old.last_at <= before && !old.is_open()) {
            if self.begun() == 0 {
                // The running windows have not come to it.
                self.ahead -= 1;
            } else {
                for (length, tail) in specs.lengths().iter().zip(&mut self.tails) {
                    if let Some(before) = tail.checked_sub(1) {
                        *tail = before;
                    } else {
                        self.running.subtract_all(length, old);
                        left = true;
                    }
                }
            }
            if let Some(block) = old.range() {
                self.blocks.leave(block);
            }
            self.calls.pop_front();
        }
        if left {
            self.running.drop_empty();
        }
        if self.calls.is_empty() {
            *self = Self::default();
        } else if self.calls.capacity() > 4 * self.calls.len().max(16) {
            self.calls.shrink_to(2 * self.calls.len());
        }
    }
}
