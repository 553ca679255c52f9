//! Alerts on their way to people: routed, durable, queued for each notifier.
use super::grouping::Audience;
use chrono::{DateTime, Utc};
use std::collections::BTreeMap;
use std::sync::Arc;
use tollwatch_detect::AlertV1;
use tollwatch_notify::{Due, ItemState, Mute, Notifier, Outcome, Queue, Routed, Router, Settled};
use tollwatch_store::{Alert as StoredAlert, Changes, Delivery, DeliveryKey, Outbox as Stored};

/// The queues of all notifiers. What changes in them goes into the next [`Changes`]; an alert is handed out only after
/// the commit that has it.
#[derive(Debug)]
pub(super) struct Outbox {
    next: u64,
    router: Router,
    queues: Vec<Line>,
    /// Alerts of the next commit, which are queued when it is done.
    fresh: Vec<Fresh>,
    changed: BTreeMap<DeliveryKey, Option<Delivery>>,
    /// Alerts that nobody was told of, since a mute covered them or no route fits.
    pub(super) muted: u64,
    pub(super) unrouted: u64,
}

/// A notifier's queue.
#[derive(Debug)]
struct Line {
    name: String,
    /// It is told of cases, and not of every incident.
    tells_people: bool,
    queue: Queue,
    last_error: Option<String>,
}

#[derive(Debug)]
struct Fresh {
    sequence: u64,
    alert: Arc<AlertV1>,
    raised: DateTime<Utc>,
    to: Vec<(usize, ItemState)>,
    /// It was let out before it was durable, since the store has been failing for too long.
    is_out: bool,
}

/// How a notifier stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) name: String,
    pub(super) pending: usize,
    pub(super) oldest: Option<DateTime<Utc>>,
    pub(super) dead: usize,
    pub(super) disabled: bool,
    pub(super) last_error: Option<String>,
}

impl Outbox {
    /// Goes on with what is stored. Deliveries to notifiers that are not configured any more are given up: nobody could
    /// make them.
    pub(super) fn new(notifiers: &[Notifier], router: Router, stored: &Stored) -> Self {
        let mut outbox = Self {
            next: stored.alerts.keys().next_back().map_or(1, |last| last + 1),
            router,
            queues: notifiers.iter().map(Line::new).collect(),
            fresh: Vec::new(),
            changed: BTreeMap::new(),
            muted: 0,
            unrouted: 0,
        };
        for (key, delivery) in &stored.deliveries {
            outbox.restore(key, delivery, stored);
        }
        outbox
    }

    fn restore(&mut self, key: &DeliveryKey, delivery: &Delivery, stored: &Stored) {
        let alert = stored.alerts.get(&key.alert).and_then(|alert| serde_json::from_slice(&alert.body).ok());
        let (Delivery::Pending(state) | Delivery::Dead(state)) = delivery;
        let state = serde_json::from_slice(state).ok();
        let line = self.queues.iter_mut().find(|line| line.name == key.notifier);
        match (line, alert, state) {
            (Some(line), Some(alert), Some(state)) => {
                line.queue.push(key.alert, Arc::new(alert), state);
            }
            _ => {
                self.changed.insert(key.clone(), None);
            }
        }
    }

    /// Other notifiers and routes: queues go on by name.
    pub(super) fn reconfigure(&mut self, notifiers: &[Notifier], router: Router) {
        let mut before = std::mem::take(&mut self.queues);
        // Alerts that wait for a store that fails know their notifiers by place.
        let places: Vec<Option<usize>> = before
            .iter()
            .map(|line| notifiers.iter().position(|notifier| notifier.name() == line.name))
            .collect();
        for fresh in &mut self.fresh {
            fresh.to = std::mem::take(&mut fresh.to)
                .into_iter()
                .filter_map(|(before, state)| Some((places.get(before).copied().flatten()?, state)))
                .collect();
        }
        for notifier in notifiers {
            let known = before.iter().position(|line| line.name == notifier.name());
            let mut line = known.map_or_else(|| Line::new(notifier), |at| before.swap_remove(at));
            line.tells_people = notifier.tells_people();
            line.queue.enable();
            self.queues.push(line);
        }
        for line in before {
            self.changed.extend(
                line.queue
                    .sequences()
                    .map(|alert| (DeliveryKey { alert, notifier: line.name.clone() }, None)),
            );
        }
        self.router = router;
    }

    /// Takes an alert in. It goes out once the next commit is done.
    pub(super) fn add(&mut self, alert: AlertV1, audience: Audience, now: DateTime<Utc>, mutes: &[Mute]) {
        let to = match self.router.route(&alert, now, mutes) {
            Routed::Muted(_) => {
                self.muted += 1;
                Vec::new()
            }
            Routed::To(to) => {
                self.unrouted += u64::from(to.is_empty());
                let hears = |notifier: usize| match audience {
                    Audience::All => true,
                    Audience::People => self.queues.get(notifier).is_some_and(|line| line.tells_people),
                    Audience::Machines => self.queues.get(notifier).is_some_and(|line| !line.tells_people),
                };
                let to = to.iter().filter(|to| hears(to.notifier));
                to.map(|to| (to.notifier, ItemState::new(now, to.not_before))).collect()
            }
        };
        self.fresh.push(Fresh {
            sequence: self.next,
            alert: Arc::new(alert),
            raised: now,
            to,
            is_out: false,
        });
        self.next += 1;
    }

    /// How many alerts wait for a commit.
    pub(super) fn waiting(&self) -> usize {
        self.fresh.len()
    }
    /// Whether there are alerts that wait for a commit.
    pub(super) fn has_fresh(&self) -> bool {
        !self.fresh.is_empty()
    }
    /// Whether anything waits for a commit.
    pub(super) fn has_changes(&self) -> bool {
        self.has_fresh() || !self.changed.is_empty()
    }

    /// Puts what has changed into a commit.
    pub(super) fn write(&self, changes: &mut Changes) -> Result<(), serde_json::Error> {
        for fresh in &self.fresh {
            changes.alerts.push(StoredAlert {
                sequence: fresh.sequence,
                raised: fresh.raised.timestamp(),
                body: serde_json::to_vec(&*fresh.alert)?,
            });
            for (notifier, state) in &fresh.to {
                if let Some(line) = self.queues.get(*notifier) {
                    let key = DeliveryKey { alert: fresh.sequence, notifier: line.name.clone() };
                    changes.deliveries.insert(key, Some(stored(state)));
                }
            }
        }
        // What has become since of an alert that is only now written.
        changes.deliveries.extend(self.changed.iter().map(|(key, delivery)| (key.clone(), delivery.clone())));
        Ok(())
    }

    /// The commit is done: what it has may go out.
    pub(super) fn committed(&mut self) {
        self.changed.clear();
        self.release();
        self.fresh.clear();
    }

    /// Lets out what waits for a commit, although none succeeds. It is still to be written.
    pub(super) fn release(&mut self) {
        for fresh in self.fresh.iter_mut().filter(|fresh| !fresh.is_out) {
            fresh.is_out = true;
            for (notifier, state) in fresh.to.clone() {
                let Some(line) = self.queues.get_mut(notifier) else { continue };
                for freed in line.queue.push(fresh.sequence, Arc::clone(&fresh.alert), state) {
                    self.changed.insert(
                        DeliveryKey { alert: freed, notifier: line.name.clone() },
                        line.queue.state(freed).map(stored),
                    );
                }
            }
        }
    }

    /// Takes out what is due: the notifier's place, and the alert.
    pub(super) fn take_due(&mut self, now: DateTime<Utc>) -> Vec<(usize, Due)> {
        let mut due = Vec::new();
        for (notifier, line) in self.queues.iter_mut().enumerate() {
            while let Some(one) = line.queue.take(now) {
                due.push((notifier, one));
            }
        }
        due
    }

    /// What became of an attempt. The notifier is told by name: the configuration may have changed meanwhile.
    pub(super) fn record(
        &mut self,
        notifier: &str,
        sequence: u64,
        outcome: &Outcome,
        now: DateTime<Utc>,
    ) -> Option<Settled> {
        let line = self.queues.iter_mut().find(|line| line.name == notifier)?;
        line.last_error = outcome.reason().map(str::to_owned);
        let settled = line.queue.record(sequence, outcome, now)?;
        let key = DeliveryKey { alert: sequence, notifier: notifier.to_owned() };
        match &settled {
            Settled::Delivered => {
                self.changed.insert(key, None);
            }
            Settled::Again(_) | Settled::Dead => {
                self.changed.insert(key, line.queue.state(sequence).map(stored));
            }
            Settled::Disabled => {}
        }
        Some(settled)
    }

    /// Puts dead deliveries of a notifier back: one alert's, or all. How many; none if there is no such notifier.
    pub(super) fn retry(
        &mut self,
        notifier: &str,
        alert_id: Option<&str>,
        now: DateTime<Utc>,
    ) -> Option<u64> {
        let line = self.queues.iter_mut().find(|line| line.name == notifier)?;
        let wanted = |alert: &AlertV1| alert_id.is_none_or(|id| alert.alert_id == id);
        let dead: Vec<u64> =
            line.queue.dead().filter(|(_, alert, _)| wanted(alert)).map(|(sequence, ..)| sequence).collect();
        line.queue.enable();
        let mut retried = 0;
        for sequence in dead {
            if line.queue.retry(sequence, now) {
                retried += 1;
                let key = DeliveryKey { alert: sequence, notifier: notifier.to_owned() };
                self.changed.insert(key, line.queue.state(sequence).map(stored));
            }
        }
        Some(retried)
    }

    /// When something is due next.
    pub(super) fn next_due(&self) -> Option<DateTime<Utc>> {
        self.queues.iter().filter_map(|line| line.queue.next_due()).min()
    }

    /// Whether anything is still to be delivered that is due by `now`.
    pub(super) fn is_busy(&self, now: DateTime<Utc>) -> bool {
        self.has_changes()
            || self.queues.iter().any(|line| line.queue.next_due().is_some_and(|due| due <= now))
    }

    /// How the notifiers stand, in the order of the configuration.
    pub(super) fn standing(&self) -> impl Iterator<Item = Standing> {
        self.queues.iter().map(|line| Standing {
            name: line.name.clone(),
            pending: line.queue.pending(),
            oldest: line.queue.oldest(),
            dead: line.queue.dead().count(),
            disabled: line.queue.is_disabled(),
            last_error: line.last_error.clone(),
        })
    }
}

impl Line {
    fn new(notifier: &Notifier) -> Self {
        let (name, tells_people) = (notifier.name(), notifier.tells_people());
        // Each notifier retries at moments of its own.
        let seed = name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self { name: name.to_owned(), tells_people, queue: Queue::new(seed), last_error: None }
    }
}

fn stored(state: &ItemState) -> Delivery {
    let bytes = serde_json::to_vec(state).unwrap_or_default();
    if state.dead.is_some() { Delivery::Dead(bytes) } else { Delivery::Pending(bytes) }
}
