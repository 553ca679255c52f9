//! Folding the old calls of a hot key into panes.
use super::{HOT, WindowSpecs, Windows};
use crate::{CallId, CallStat};
use std::collections::VecDeque;
use tollwatch_cdr::EventTime;

/// More calls than this of a hot key that start at one instant are folded once they are over, however new they are.
const CROWD: usize = 512;

impl Windows {
    /// Folds what is old enough that only long windows still hold it. Each pane is a 900th of the shortest
    /// window that can still hold its calls. How old they are, the newest call says that is not ahead: one from a
    /// PBX with a wrong clock makes no other call older than it is.
    pub(super) fn fold(&mut self, specs: &WindowSpecs, now: EventTime) {
        let Some(newest) = self.newest_begun() else { return };
        let mut lengths: Vec<i64> = specs.lengths().iter().map(|length| length.seconds).collect();
        lengths.sort_unstable();
        // A hot key gives up detail where it is oldest first; calls of the last seconds only where there are crowds.
        let steps = lengths.windows(2).rev().filter_map(|pair| match pair {
            [shorter, longer] => Some((*shorter, (longer / 900).max(1))),
            _ => None,
        });
        for (age, pane) in steps.chain(lengths.first().map(|first| (10, (first / 900).max(1)))) {
            // A call's last record may be some minutes behind its end, unless there are too many to wait for.
            let patience = if self.calls.len() > 16 * HOT { 0 } else { 600 };
            self.fold_older_than(newest.plus_seconds(-age), pane, newest.plus_seconds(-patience));
            if self.calls.len() <= HOT / 2 {
                break;
            }
        }
        self.fold_crowds(now);
        if self.calls.len() > 16 * HOT {
            self.fold_older_than(newest, 1, now);
        }
        // Calls that start together stand in the order of their names, and panes have none.
        self.calls.make_contiguous().sort_by_key(|call| (call.first_at, call.call));
        // A pane never ends before an older one, so that whoever looks back for the first that a window still holds
        // need not look behind the first that it does not.
        self.folded_until = EventTime::MIN;
        for pane in self.calls.iter_mut().filter(|call| call.is_pane()) {
            pane.last_at = pane.last_at.max(self.folded_until);
            self.folded_until = pane.last_at;
        }
        self.count_anew(specs);
    }

    /// The same calls under other windows. Nothing is shown of them: whoever changes the windows looks again with the
    /// next call.
    pub fn watch_by(&mut self, specs: &WindowSpecs, change: impl FnMut(&mut CallStat)) {
        self.calls.iter_mut().for_each(change);
        self.tails = vec![0; specs.lengths().len()];
        self.count_anew(specs);
    }

    /// Counts what the running windows hold.
    fn count_anew(&mut self, specs: &WindowSpecs) {
        self.running.clear();
        let Some(newest) = self.newest_begun() else { return };
        let begun = self.begun();
        for (length, tail) in specs.lengths().iter().zip(&mut self.tails) {
            let begin = newest.plus_seconds(-length.seconds);
            *tail = self.calls.iter().take(begun).position(|call| call.last_at > begin).unwrap_or(begun);
            for call in self.calls.range(*tail..begun) {
                for (index, _) in length.specs.iter().filter(|(_, traits)| call.traits.has(*traits)) {
                    self.running.add(*index, call);
                }
            }
        }
    }

    /// Folds the calls that began by `before` and were over by `settled`.
    fn fold_older_than(&mut self, before: EventTime, pane_seconds: i64, settled: EventTime) {
        self.fold_into(|call| {
            let is_old = call.first_at <= before && call.ended_at <= settled;
            is_old.then(|| call.first_at.seconds().div_euclid(pane_seconds))
        });
    }

    /// Folds the calls that are over of each instant at which many began: whoever comes late would pass them one by one.
    /// No window holds a part of them, so nothing is counted too early.
    fn fold_crowds(&mut self, now: EventTime) {
        let mut crowds: Vec<EventTime> = Vec::new();
        let mut from = 0;
        while let Some(first) = self.calls.get(from) {
            let first_at = first.first_at;
            let end = self.calls.partition_point(|call| call.first_at <= first_at);
            if end.saturating_sub(from) > CROWD {
                crowds.push(first_at);
            }
            from = end.max(from + 1);
        }
        if !crowds.is_empty() {
            self.fold_into(|call| {
                let is_over = call.ended_at <= now && crowds.binary_search(&call.first_at).is_ok();
                is_over.then(|| call.first_at.micros())
            });
        }
    }

    /// Folds the calls that `pane_of` gives the number of a pane, by kind of call; the others stay as they are.
    fn fold_into(&mut self, pane_of: impl Fn(&CallStat) -> Option<i64>) {
        let mut folded: VecDeque<CallStat> = VecDeque::with_capacity(self.calls.len());
        let mut bucket = i64::MIN;
        let mut bucket_from = 0;
        for call in std::mem::take(&mut self.calls) {
            let Some(this) = pane_of(&call) else {
                folded.push_back(call);
                continue;
            };
            if let Some(block) = call.range() {
                self.blocks.leave(block);
            }
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
                    pane.failed = pane.failed.saturating_add(call.failed);
                    pane.billable_seconds = pane.billable_seconds.saturating_add(call.billable_seconds);
                    pane.cost = pane.cost.saturating_add(call.cost);
                }
                None => folded.push_back(CallStat {
                    call: 0,
                    call_id: CallId::default(),
                    number: 0,
                    extension: 0,
                    destination: CallStat::NO_DESTINATION,
                    country: CallStat::NO_DESTINATION,
                    ..call
                }),
            }
        }
        self.calls = folded;
    }
}
