//! The live calls of a key, and when their charges next rise.
use super::{Now, View};
use crate::rule::Measure;
use crate::settings::Settings;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use tollwatch_cdr::EventTime;
use tollwatch_numbering::E164;
use tollwatch_stats::CallStat;

/// A call in the windows: its start and its number.
type CallKey = (EventTime, u64);

/// A live call that has not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OpenCall {
    number: u64,
    pub answered_at: Option<EventTime>,
    /// With how many seconds it next costs more.
    charged_at: u32,
    /// When its charge or its length next says something new.
    due: EventTime,
}

/// The live calls of a key.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct OpenCalls {
    calls: BTreeMap<CallKey, OpenCall>,
    due: BTreeSet<(EventTime, CallKey)>,
}

impl OpenCalls {
    pub(super) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }
    pub(super) fn iter(&self) -> impl Iterator<Item = &CallKey> {
        self.calls.keys()
    }
    pub(super) fn next_due(&self) -> Option<EventTime> {
        self.due.first().map(|(due, _)| *due)
    }
    /// The call that falls due at that instant.
    pub(super) fn due_at(&self, due: EventTime) -> Option<CallKey> {
        self.due.first().filter(|first| first.0 == due).map(|(_, key)| *key)
    }

    /// A call has begun; it falls due at `soon` at the earliest.
    pub(super) fn begin(&mut self, call: &CallStat, soon: EventTime, settings: &Settings) {
        let due = call.first_at.plus_seconds(settings.longest_open_seconds).max(soon);
        self.put(
            (call.first_at, call.call),
            OpenCall { number: call.number, answered_at: None, charged_at: 0, due },
        );
    }

    /// The far end has answered. Whether that is news.
    pub(super) fn answer(
        &mut self,
        started_at: EventTime,
        call: u64,
        billable: u32,
        now: Now,
        view: View<'_>,
    ) -> bool {
        let key = (started_at, call);
        let Some(open) = self.calls.get(&key).copied().filter(|open| open.answered_at.is_none()) else {
            return false;
        };
        let charged_at = next_charge(&open, billable, view);
        let open = OpenCall { answered_at: Some(now.known_at), charged_at, ..open };
        self.put(key, OpenCall { due: next_tick(key, &open, billable, view).max(now.soon()), ..open });
        true
    }

    /// Time has passed for a call: the seconds it has lasted, and whether it costs more by then.
    pub(super) fn tick(
        &mut self,
        started_at: EventTime,
        call: u64,
        now: Now,
        view: View<'_>,
    ) -> Option<(u32, bool)> {
        let key = (started_at, call);
        let open = self.calls.get(&key).copied()?;
        let talked = open.answered_at.map_or(0, |at| now.known_at.seconds_since(at).max(0)) as u32;
        let is_charged = talked >= open.charged_at;
        let charged_at = if is_charged { next_charge(&open, talked, view) } else { open.charged_at };
        let open = OpenCall { charged_at, ..open };
        self.put(key, OpenCall { due: next_tick(key, &open, talked, view), ..open });
        Some((talked, is_charged))
    }

    /// The call is not open any more; what it was, if it was.
    pub(super) fn close(&mut self, started_at: EventTime, call: u64) -> Option<OpenCall> {
        let key = (started_at, call);
        let open = self.calls.remove(&key)?;
        self.due.remove(&(open.due, key));
        Some(open)
    }

    fn put(&mut self, key: CallKey, open: OpenCall) {
        if let Some(before) = self.calls.insert(key, open) {
            self.due.remove(&(before.due, key));
        }
        self.due.insert((open.due, key));
    }
}

/// With how many seconds a call next costs more than with `billable`.
fn next_charge(open: &OpenCall, billable: u32, view: View<'_>) -> u32 {
    let step = view.settings.rate(E164::from_value(open.number)).next_step_after(billable);
    step.max(billable.saturating_add(1))
}

/// When an answered call's charge next rises, or it gets as long as a rule asks for.
fn next_tick(key: CallKey, open: &OpenCall, billable: u32, view: View<'_>) -> EventTime {
    let settings = view.settings;
    let oldest = key.0.plus_seconds(settings.longest_open_seconds);
    let Some(answered_at) = open.answered_at else { return oldest };
    let lengths = view
        .rules
        .rules
        .iter()
        .filter_map(|index| settings.rules.get(*index))
        .filter(|rule| rule.measure == Measure::LongestCall)
        .flat_map(|rule| rule.thresholds.iter().flat_map(|t| [t.arm, t.warning, t.critical]).flatten())
        .filter(|length| *length > i64::from(billable));
    let next = lengths.chain([i64::from(open.charged_at)]).min().unwrap_or(i64::MAX);
    answered_at.plus_seconds(next).min(oldest)
}
