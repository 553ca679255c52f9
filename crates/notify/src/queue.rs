//! What is still to be delivered to one notifier, and when. No IO, no clock: the caller passes the time and keeps the
//! states where they survive.
use crate::outcome::Outcome;
use crate::schedule::{delay, mix};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tollwatch_detect::AlertV1;

/// What the caller keeps of an item beside its alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ItemState {
    /// Attempts that have failed.
    pub attempts: u32,
    /// When it was queued, in processing time.
    pub since: DateTime<Utc>,
    /// Not to be tried before this.
    pub next_at: DateTime<Utc>,
    /// Why it will not be tried any more; none while it waits.
    pub dead: Option<String>,
    /// Why the last attempt failed; none if there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
}

impl ItemState {
    /// The state of an alert that has just been queued, and is not to be sent before `not_before`.
    pub fn new(now: DateTime<Utc>, not_before: DateTime<Utc>) -> Self {
        Self { attempts: 0, since: now, next_at: not_before, dead: None, last_error: None }
    }

    /// Makes it due at once, if its delivery has failed: one that is dead waits again, one that waits for its next
    /// attempt waits no longer, and both go through the schedule from its dense front on. Whether it has failed.
    pub fn retry(&mut self, now: DateTime<Utc>) -> bool {
        let has_failed = self.dead.is_some() || self.attempts > 0;
        if has_failed {
            (self.attempts, self.next_at, self.dead) = (0, now, None);
        }
        has_failed
    }
}

/// An alert whose time has come. The caller tries it and says what became of it ([`Queue::record`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Due {
    /// Its sequence number.
    pub sequence: u64,
    /// The alert.
    pub alert: Arc<AlertV1>,
    /// Attempts that have failed before.
    pub attempts: u32,
}

/// What became of an item by an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled {
    /// It is delivered and no longer in the queue.
    Delivered,
    /// It is tried again then. Its state has changed.
    Again(DateTime<Utc>),
    /// It is not tried again unless somebody asks for it. Its state has changed.
    Dead,
    /// It waits with all others: the notifier wants no more, until somebody enables it.
    Disabled,
}

/// The queue of one notifier.
///
/// Alerts of one incident go out in the order of their sequence numbers: a later one waits until the earlier is delivered
/// or dead. Those of other incidents overtake. What is in flight when the process ends is still waiting when it is restored.
#[derive(Debug)]
pub struct Queue {
    seed: u64,
    items: BTreeMap<u64, Item>,
    lines: BTreeMap<Box<str>, Line>,
    /// The first of each line that has nothing in flight, by when it is due.
    heads: BTreeSet<(DateTime<Utc>, u64)>,
    is_disabled: bool,
}

#[derive(Debug)]
struct Item {
    alert: Arc<AlertV1>,
    state: ItemState,
}

/// The items of one incident that are not dead.
#[derive(Debug, Default)]
struct Line {
    waiting: BTreeSet<u64>,
    in_flight: Option<u64>,
}

impl Queue {
    /// An empty one. The seed spreads the retries; another for each notifier.
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            items: BTreeMap::new(),
            lines: BTreeMap::new(),
            heads: BTreeSet::new(),
            is_disabled: false,
        }
    }

    /// Puts an alert in: a new one with [`ItemState::new`], a restored one with the state it had. A number that is
    /// there already stays as it is.
    ///
    /// A later alert of an incident that may go out now frees the earlier ones that are only held back (by quiet hours):
    /// what began as a warning in the night is told when it turns critical. The sequence numbers of items whose states
    /// changed by that are returned.
    pub fn push(&mut self, sequence: u64, alert: Arc<AlertV1>, state: ItemState) -> Vec<u64> {
        let mut freed = Vec::new();
        if self.items.contains_key(&sequence) {
            return freed;
        }
        let incident = alert.incident_id().to_owned();
        let (is_dead, not_before) = (state.dead.is_some(), state.next_at);
        self.items.insert(sequence, Item { alert, state });
        if is_dead {
            return freed;
        }
        self.change(&incident, |items, line| {
            for earlier in line.waiting.range(..sequence) {
                if let Some(item) = items.get_mut(earlier)
                    && item.state.attempts == 0
                    && item.state.next_at > not_before
                {
                    item.state.next_at = not_before;
                    freed.push(*earlier);
                }
            }
            line.waiting.insert(sequence);
        });
        freed
    }

    /// Takes out the alert that is due longest, if one is.
    pub fn take(&mut self, now: DateTime<Utc>) -> Option<Due> {
        let (_, sequence) = self.next().filter(|(at, _)| *at <= now)?;
        let item = self.items.get(&sequence)?;
        let due = Due { sequence, alert: Arc::clone(&item.alert), attempts: item.state.attempts };
        self.change(due.alert.incident_id(), |_, line| line.in_flight = Some(sequence));
        Some(due)
    }

    /// Says what became of an attempt; none if that item is not in flight.
    pub fn record(&mut self, sequence: u64, outcome: &Outcome, now: DateTime<Utc>) -> Option<Settled> {
        let incident = Arc::clone(&self.items.get(&sequence)?.alert);
        let incident = incident.incident_id();
        if self.lines.get(incident).and_then(|line| line.in_flight) != Some(sequence) {
            return None;
        }
        let seed = mix(self.seed ^ sequence);
        let mut settled = Settled::Delivered;
        self.change(incident, |items, line| {
            line.in_flight = None;
            let Some(item) = items.get_mut(&sequence) else { return };
            let state = &mut item.state;
            state.last_error = outcome.reason().map(str::to_owned);
            match outcome {
                Outcome::Delivered => {
                    line.waiting.remove(&sequence);
                    items.remove(&sequence);
                }
                Outcome::Retry { after, reason } => {
                    state.attempts = state.attempts.saturating_add(1);
                    if let Some(delay) = delay(state.attempts, seed, *after) {
                        let delay = TimeDelta::from_std(delay).unwrap_or_default();
                        state.next_at = now.checked_add_signed(delay).unwrap_or(now);
                        settled = Settled::Again(state.next_at);
                    } else {
                        state.dead = Some(reason.clone());
                        line.waiting.remove(&sequence);
                        settled = Settled::Dead;
                    }
                }
                Outcome::Refused { reason } => {
                    state.attempts = state.attempts.saturating_add(1);
                    state.dead = Some(reason.clone());
                    line.waiting.remove(&sequence);
                    settled = Settled::Dead;
                }
                Outcome::Gone { .. } => settled = Settled::Disabled,
            }
        });
        self.is_disabled |= settled == Settled::Disabled;
        Some(settled)
    }

    /// Makes an item due at once whose delivery has failed ([`ItemState::retry`]); `false` if it has not, if it is in
    /// flight, or if there is none of that number.
    pub fn retry(&mut self, sequence: u64, now: DateTime<Utc>) -> bool {
        let Some(alert) = self.items.get(&sequence).map(|item| Arc::clone(&item.alert)) else { return false };
        if self.is_in_flight(sequence, alert.incident_id()) {
            return false;
        }
        let mut is_done = false;
        self.change(alert.incident_id(), |items, line| {
            is_done = items.get_mut(&sequence).is_some_and(|item| item.state.retry(now));
            if is_done {
                line.waiting.insert(sequence);
            }
        });
        is_done
    }

    /// Forgets an item, dead or waiting; `false` if it is in flight, or if there is none of that number.
    pub fn withdraw(&mut self, sequence: u64) -> bool {
        let Some(alert) = self.items.get(&sequence).map(|item| Arc::clone(&item.alert)) else { return false };
        if self.is_in_flight(sequence, alert.incident_id()) {
            return false;
        }
        self.change(alert.incident_id(), |items, line| {
            line.waiting.remove(&sequence);
            items.remove(&sequence);
        });
        true
    }

    fn is_in_flight(&self, sequence: u64, incident: &str) -> bool {
        self.lines.get(incident).is_some_and(|line| line.in_flight == Some(sequence))
    }

    /// Lets a notifier try again that wanted no more.
    pub fn enable(&mut self) {
        self.is_disabled = false;
    }

    /// Whether the notifier wants no more.
    pub fn is_disabled(&self) -> bool {
        self.is_disabled
    }

    /// When [`Queue::take`] next has something to give, unless something changes before.
    pub fn next_due(&self) -> Option<DateTime<Utc>> {
        self.next().map(|(at, _)| at)
    }

    /// The state of an item, to be kept.
    pub fn state(&self, sequence: u64) -> Option<&ItemState> {
        self.items.get(&sequence).map(|item| &item.state)
    }

    /// The numbers of all its items, dead ones too.
    pub fn sequences(&self) -> impl Iterator<Item = u64> {
        self.items.keys().copied()
    }

    /// All its items in the order of their numbers, dead ones too.
    pub fn items(&self) -> impl Iterator<Item = (u64, &AlertV1, &ItemState)> {
        self.items.iter().map(|(sequence, item)| (*sequence, &*item.alert, &item.state))
    }

    /// How many are still to be delivered, those in flight included.
    pub fn pending(&self) -> usize {
        self.lines.values().map(|line| line.waiting.len()).sum()
    }

    /// When the oldest of them was queued.
    pub fn oldest(&self) -> Option<DateTime<Utc>> {
        let alive = self.items.values().filter(|item| item.state.dead.is_none());
        alive.map(|item| item.state.since).min()
    }

    /// Whether anything of an incident is still to be delivered.
    pub fn waits_for(&self, incident: &str) -> bool {
        self.lines.contains_key(incident)
    }

    /// The dead ones, in the order of their numbers: number, alert, and why.
    pub fn dead(&self) -> impl Iterator<Item = (u64, &AlertV1, &str)> {
        self.items.iter().filter_map(|(sequence, item)| {
            item.state.dead.as_deref().map(|reason| (*sequence, &*item.alert, reason))
        })
    }

    fn next(&self) -> Option<(DateTime<Utc>, u64)> {
        self.heads.first().copied().filter(|_| !self.is_disabled)
    }

    /// Changes the line of an incident, and what of it can be taken.
    fn change(&mut self, incident: &str, change: impl FnOnce(&mut BTreeMap<u64, Item>, &mut Line)) {
        if let Some(head) = self.head(incident) {
            self.heads.remove(&head);
        }
        let mut line = self.lines.remove(incident).unwrap_or_default();
        change(&mut self.items, &mut line);
        if !line.waiting.is_empty() {
            self.lines.insert(incident.into(), line);
            self.heads.extend(self.head(incident));
        }
    }

    fn head(&self, incident: &str) -> Option<(DateTime<Utc>, u64)> {
        let line = self.lines.get(incident).filter(|line| line.in_flight.is_none())?;
        let sequence = *line.waiting.first()?;
        self.items.get(&sequence).map(|item| (item.state.next_at, sequence))
    }
}
