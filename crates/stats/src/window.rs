//! The ring of a key's calls and the running totals over it.
use crate::{CallStat, Traits};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use tollwatch_cdr::EventTime;
use tollwatch_numbering::Money;

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

/// What a window holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Call attempts.
    pub attempts: u64,
    /// Answered calls.
    pub answered: u64,
    /// Billable seconds.
    pub billable_seconds: u64,
    /// Exposure.
    pub cost: Money,
}

impl Totals {
    fn add(&mut self, call: &CallStat) {
        self.attempts = self.attempts.saturating_add(u64::from(call.attempts));
        self.answered = self.answered.saturating_add(u64::from(call.answered));
        self.billable_seconds = self.billable_seconds.saturating_add(u64::from(call.billable_seconds));
        self.cost = self.cost.saturating_add(call.cost);
    }
    fn subtract(&mut self, call: &CallStat) {
        self.attempts = self.attempts.saturating_sub(u64::from(call.attempts));
        self.answered = self.answered.saturating_sub(u64::from(call.answered));
        self.billable_seconds = self.billable_seconds.saturating_sub(u64::from(call.billable_seconds));
        self.cost = self.cost.saturating_sub(call.cost);
    }
}

/// A window whose right edge is the newest call: its totals, and where it begins in the ring.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Running {
    totals: Totals,
    tail: usize,
}

/// The watched calls of one key in start order, with one running total for each window.
///
/// Memory: about 100 bytes a call of the longest window, bounded for hot keys by folding (see
/// [`Windows::insert`]).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Windows {
    calls: VecDeque<CallStat>,
    running: Vec<Running>,
    /// No call in the ring lasted longer than this; bounds how far back an overlap can reach.
    longest_seconds: i64,
    /// Calls that have not ended.
    open_calls: usize,
    /// With more entries than this it is time to fold again.
    fold_above: usize,
}

impl Windows {
    /// The calls, oldest first.
    pub fn calls(&self) -> &VecDeque<CallStat> {
        &self.calls
    }
    pub(crate) fn has_open_calls(&self) -> bool {
        self.open_calls > 0
    }
    pub(crate) fn longest_seconds(&self) -> i64 {
        self.longest_seconds
    }

    /// Puts a call where it belongs and shows `visit` every window that holds it: the spec's index, the
    /// window's right edge and its totals, newest edge first. A window ends at the start of a call, so these
    /// are all the windows whose content the new call has changed.
    ///
    /// Costs a step for each younger call of the key, whatever the windows hold. A key with more than 2,048
    /// entries folds its calls older than an hour into panes of 96 s, 900 to a day; a pane leaves a window
    /// with its last call, so a hot key may fire a pane early and never late.
    pub fn insert(
        &mut self,
        specs: &[WindowSpec],
        call: CallStat,
        visit: &mut impl FnMut(usize, EventTime, &Totals),
    ) {
        self.running.resize(specs.len(), Running::default());
        let at = self.calls.partition_point(|other| other.first_at <= call.first_at);
        self.note_length(&call);
        self.open_calls += usize::from(call.is_open());
        let newest = at == self.calls.len();
        self.calls.insert(at, call);
        let (Some(call), Some(head)) = (self.calls.get(at), self.calls.back()) else { return };
        for (spec, running) in specs.iter().zip(&mut self.running) {
            let begin = head.first_at.plus_seconds(-spec.seconds);
            if at < running.tail || (at == running.tail && call.last_at <= begin) {
                running.tail += 1;
            } else if call.traits.has(spec.traits) {
                running.totals.add(call);
            }
            if newest {
                while let Some(old) = self.calls.get(running.tail).filter(|old| old.last_at <= begin) {
                    if old.traits.has(spec.traits) {
                        running.totals.subtract(old);
                    }
                    running.tail += 1;
                }
            }
        }
        self.visit_windows_of(specs, at, visit);
        if self.calls.len() > self.fold_above.max(HOT) {
            self.fold(specs);
            // What could not be folded now is looked at again only when as much has come again.
            self.fold_above = 2 * self.calls.len();
        }
    }

    /// Changes a call that is in the ring (it was answered, it ended, it was settled) and shows `visit` every
    /// window that holds it, as [`Windows::insert`] does. `None` if there is no such call; a call that was
    /// folded into a pane is changed there, as far as a pane can say.
    pub fn update(
        &mut self,
        specs: &[WindowSpec],
        started_at: EventTime,
        call: u64,
        change: impl FnOnce(&mut CallStat),
        visit: &mut impl FnMut(usize, EventTime, &Totals),
    ) -> Option<CallStat> {
        let at = self.position(started_at, call)?;
        let before = self.calls.get(at)?.clone();
        change(self.calls.get_mut(at)?);
        let after = self.calls.get(at)?.clone();
        self.open_calls =
            (self.open_calls + usize::from(after.is_open())).saturating_sub(usize::from(before.is_open()));
        for (spec, running) in specs.iter().zip(&mut self.running) {
            if at >= running.tail && after.traits.has(spec.traits) {
                running.totals.subtract(&before);
                running.totals.add(&after);
            }
        }
        self.note_length(&after);
        self.visit_windows_of(specs, at, visit);
        Some(after)
    }

    /// The call as it stands.
    pub fn find(&self, started_at: EventTime, call: u64) -> Option<&CallStat> {
        self.calls.get(self.position(started_at, call)?)
    }

    fn position(&self, started_at: EventTime, call: u64) -> Option<usize> {
        let from = self.calls.partition_point(|other| other.first_at < started_at);
        self.calls
            .iter()
            .skip(from)
            .take_while(|other| other.first_at == started_at)
            .position(|other| other.call == call)
            .map(|offset| from + offset)
    }

    fn note_length(&mut self, call: &CallStat) {
        if !call.is_open() && !call.is_pane() {
            self.longest_seconds = self.longest_seconds.max(call.ended_at.seconds_since(call.first_at) + 1);
        }
    }

    /// Walks the right edge of each window that counts the call at `at` back from the newest call to it.
    fn visit_windows_of(
        &self,
        specs: &[WindowSpec],
        at: usize,
        visit: &mut impl FnMut(usize, EventTime, &Totals),
    ) {
        let Some(call) = self.calls.get(at) else { return };
        for (index, (spec, running)) in specs.iter().zip(&self.running).enumerate() {
            if !call.traits.has(spec.traits) {
                continue;
            }
            let Running { mut totals, mut tail } = *running;
            let mut edge = self.calls.len();
            let mut last_edge = None;
            while let Some(end) = edge
                .checked_sub(1)
                .and_then(|i| self.calls.get(i))
                .filter(|end| end.first_at >= call.first_at)
            {
                let begin = end.first_at.plus_seconds(-spec.seconds);
                while let Some(older) =
                    tail.checked_sub(1).and_then(|i| self.calls.get(i)).filter(|older| older.last_at > begin)
                {
                    if older.traits.has(spec.traits) {
                        totals.add(older);
                    }
                    tail -= 1;
                }
                // Calls that start together are one edge, and it is the last of them that has them all.
                if last_edge != Some(end.first_at) && call.last_at > begin {
                    visit(index, end.first_at, &totals);
                }
                last_edge = Some(end.first_at);
                if end.traits.has(spec.traits) {
                    totals.subtract(end);
                }
                edge -= 1;
            }
        }
    }

    /// Drops the calls that began at or before `before` and have ended.
    pub fn evict(&mut self, specs: &[WindowSpec], before: EventTime) {
        while let Some(old) = self.calls.front().filter(|old| old.last_at <= before && !old.is_open()) {
            for (spec, running) in specs.iter().zip(&mut self.running) {
                match running.tail.checked_sub(1) {
                    Some(tail) => running.tail = tail,
                    None if old.traits.has(spec.traits) => running.totals.subtract(old),
                    None => {}
                }
            }
            self.calls.pop_front();
        }
        if self.calls.is_empty() {
            *self = Self::default();
        } else if self.calls.capacity() > 4 * self.calls.len().max(16) {
            self.calls.shrink_to(2 * self.calls.len());
        }
    }

    /// Folds what is old enough that only long windows still hold it. Each pane is a 900th of the shortest
    /// window that can still hold its calls.
    fn fold(&mut self, specs: &[WindowSpec]) {
        let Some(head) = self.calls.back().map(|call| call.first_at) else { return };
        let mut lengths: Vec<i64> = specs.iter().map(|spec| spec.seconds).collect();
        lengths.sort_unstable();
        lengths.dedup();
        // A hot key gives up detail where it is oldest first; calls of the last seconds are never folded.
        let steps = lengths.windows(2).rev().filter_map(|pair| match pair {
            [shorter, longer] => Some((*shorter, (longer / 900).max(1))),
            _ => None,
        });
        for (age, pane) in steps.chain(lengths.first().map(|first| (10, (first / 900).max(1)))) {
            self.fold_older_than(head.plus_seconds(-age), pane);
            if self.calls.len() <= HOT / 2 {
                break;
            }
        }
        for (spec, running) in specs.iter().zip(&mut self.running) {
            let begin = head.plus_seconds(-spec.seconds);
            running.tail =
                self.calls.iter().position(|call| call.last_at > begin).unwrap_or(self.calls.len());
            running.totals = Totals::default();
            for call in self.calls.iter().skip(running.tail).filter(|call| call.traits.has(spec.traits)) {
                running.totals.add(call);
            }
        }
    }

    fn fold_older_than(&mut self, before: EventTime, pane_seconds: i64) {
        // A call's last record may be some minutes behind its end, unless there are too many to wait for.
        let newest = self.calls.back().map_or(EventTime::MIN, |call| call.first_at);
        let patience = if self.calls.len() > 16 * HOT { 0 } else { 600 };
        let settled = newest.plus_seconds(-patience);
        let mut folded: VecDeque<CallStat> = VecDeque::with_capacity(self.calls.len());
        let mut bucket = i64::MIN;
        let mut bucket_from = 0;
        for call in std::mem::take(&mut self.calls) {
            if call.first_at > before || call.ended_at > settled {
                folded.push_back(call);
                continue;
            }
            let this = call.first_at.seconds().div_euclid(pane_seconds);
            if this != bucket {
                bucket = this;
                bucket_from = folded.len();
            }
            match folded
                .iter_mut()
                .skip(bucket_from)
                .find(|pane| pane.is_pane() && pane.traits == call.traits)
            {
                Some(pane) => {
                    pane.last_at = pane.last_at.max(call.last_at);
                    pane.ended_at = pane.ended_at.max(call.ended_at);
                    pane.attempts = pane.attempts.saturating_add(call.attempts);
                    pane.answered = pane.answered.saturating_add(call.answered);
                    pane.billable_seconds = pane.billable_seconds.saturating_add(call.billable_seconds);
                    pane.cost = pane.cost.saturating_add(call.cost);
                }
                None => folded.push_back(CallStat {
                    call: 0,
                    call_id: Box::default(),
                    number: 0,
                    destination: CallStat::NO_DESTINATION,
                    ..call
                }),
            }
        }
        self.calls = folded;
    }
}
