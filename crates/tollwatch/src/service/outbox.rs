//! Alerts on their way to people: routed, durable, queued for each notifier.
use super::deliveries::{Item, is_wanted};
use super::grouping::Audience;
use super::saved;
use chrono::{DateTime, Utc};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tollwatch_detect::AlertV1;
use tollwatch_http::RetryDeliveriesV1;
use tollwatch_notify::{
    Addressee, Firing, FiringState, ItemState, Mute, Notifier, Outcome, Queue, Routed, Router, Settled,
};
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
    /// What is not sent again any more, since its notifier is not there any more.
    quenched: BTreeSet<(String, String)>,
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
    /// What it wants to be told again and again, where it forgets what it is not.
    firing: Option<Firing>,
    last_error: Option<String>,
    /// Since when nothing that was sent again has been taken.
    failing_since: Option<DateTime<Utc>>,
}

/// What is to be sent to a notifier now.
#[derive(Clone, Debug)]
pub(super) struct Sending {
    /// Its place in the configuration.
    pub(super) notifier: usize,
    /// The number of the alert in the queue; none where it was delivered before and is sent again.
    pub(super) sequence: Option<u64>,
    pub(super) alert: Arc<AlertV1>,
}

/// What fires at which notifier, as it is kept: by the notifier's name and the incident.
pub(super) type KeptFiring = BTreeMap<(String, String), FiringState>;

#[derive(Debug)]
struct Fresh {
    sequence: u64,
    alert: Arc<AlertV1>,
    raised: DateTime<Utc>,
    to: Vec<(usize, ItemState)>,
    /// It was let out before it was durable, since the store has been failing for too long.
    is_out: bool,
}

/// What became of an alert that was taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Added {
    pub(super) sequence: u64,
    /// Names of the notifiers, and before when each does not send it.
    pub(super) to: Vec<(String, DateTime<Utc>)>,
    pub(super) is_muted: bool,
}

/// How a notifier stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) name: String,
    pub(super) pending: usize,
    pub(super) oldest: Option<DateTime<Utc>>,
    /// Since when nothing that was sent again has been taken.
    pub(super) failing_since: Option<DateTime<Utc>>,
    pub(super) dead: usize,
    pub(super) disabled: bool,
    pub(super) last_error: Option<String>,
}

impl Outbox {
    /// Goes on with what is stored. Deliveries to notifiers that are not configured any more are given up: nobody could
    /// make them.
    pub(super) fn new(
        notifiers: &[Notifier],
        router: Router,
        stored: &Stored,
        firing: KeptFiring,
        now: DateTime<Utc>,
    ) -> Self {
        let mut outbox = Self {
            next: stored.alerts.keys().next_back().map_or(1, |last| last + 1),
            router,
            queues: notifiers.iter().map(Line::new).collect(),
            fresh: Vec::new(),
            changed: BTreeMap::new(),
            quenched: BTreeSet::new(),
            muted: 0,
            unrouted: 0,
        };
        for (key, delivery) in &stored.deliveries {
            outbox.restore(key, delivery, stored);
        }
        for ((notifier, incident), state) in firing {
            let line = outbox.queues.iter_mut().find(|line| line.name == notifier);
            match line.and_then(|line| line.firing.as_mut()) {
                Some(firing) => firing.restore(state, now),
                None => drop(outbox.quenched.insert((notifier, incident))),
            }
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
            match (notifier.resend_every(), &mut line.firing) {
                (Some(every), Some(firing)) => firing.set_every(every),
                (Some(every), None) => line.firing = Some(Firing::new(every)),
                (None, firing) => self.quenched.extend(line_of(&line.name, firing.take().as_ref())),
            }
            self.queues.push(line);
        }
        for line in before {
            self.quenched.extend(line_of(&line.name, line.firing.as_ref()));
            self.changed.extend(
                line.queue
                    .sequences()
                    .map(|alert| (DeliveryKey { alert, notifier: line.name.clone() }, None)),
            );
        }
        self.router = router;
    }

    /// Takes an alert in. It goes out once the next commit is done.
    pub(super) fn add(
        &mut self,
        alert: AlertV1,
        audience: Audience,
        now: DateTime<Utc>,
        mutes: &[Mute],
    ) -> Added {
        let (to, is_muted) = match self.router.route(&alert, now, mutes) {
            Routed::Muted(_) => (Vec::new(), true),
            Routed::To(to) => (to, false),
        };
        self.muted += u64::from(is_muted);
        self.unrouted += u64::from(!is_muted && to.is_empty());
        let hears = |notifier: usize| match audience {
            Audience::All => true,
            Audience::People => self.queues.get(notifier).is_some_and(|line| line.tells_people),
            Audience::Machines => self.queues.get(notifier).is_some_and(|line| !line.tells_people),
        };
        let to: Vec<Addressee> = to.into_iter().filter(|to| hears(to.notifier)).collect();
        self.put(alert, &to, is_muted, now)
    }

    /// Takes an alert in for these notifiers, whatever the routes say: those who were told how it began.
    pub(super) fn add_for(
        &mut self,
        alert: AlertV1,
        notifiers: &BTreeSet<String>,
        now: DateTime<Utc>,
    ) -> Added {
        let places = self.queues.iter().enumerate().filter(|(_, line)| notifiers.contains(&line.name));
        let to: Vec<Addressee> =
            places.map(|(notifier, _)| Addressee { notifier, not_before: now }).collect();
        self.put(alert, &to, false, now)
    }

    fn put(&mut self, alert: AlertV1, to: &[Addressee], is_muted: bool, now: DateTime<Utc>) -> Added {
        let sequence = self.next;
        self.next += 1;
        let named = to
            .iter()
            .filter_map(|to| self.queues.get(to.notifier).map(|line| (line.name.clone(), to.not_before)));
        let added = Added { sequence, to: named.collect(), is_muted };
        let to = to.iter().map(|to| (to.notifier, ItemState::new(now, to.not_before))).collect();
        self.fresh.push(Fresh { sequence, alert: Arc::new(alert), raised: now, to, is_out: false });
        added
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
        self.has_fresh()
            || !self.changed.is_empty()
            || !self.quenched.is_empty()
            || self.firing().any(|(_, firing)| firing.has_changes())
    }

    /// What is sent again, by the notifier's name.
    fn firing(&self) -> impl Iterator<Item = (&str, &Firing)> {
        self.queues.iter().filter_map(|line| Some((&*line.name, line.firing.as_ref()?)))
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
        let mut part = |notifier: &str, incident: &str, state: Option<&FiringState>| {
            let value = state.map(|state| serde_json::to_vec(state).unwrap_or_default());
            changes.parts.insert(saved::firing_key(notifier, incident), value);
        };
        for (notifier, incident) in &self.quenched {
            part(notifier, incident, None);
        }
        for (notifier, firing) in self.firing() {
            firing.changes().for_each(|(incident, state)| part(notifier, incident, state));
        }
        // What has become since of an alert that is only now written.
        changes.deliveries.extend(self.changed.iter().map(|(key, delivery)| (key.clone(), delivery.clone())));
        Ok(())
    }

    /// The commit is done: what it has may go out.
    pub(super) fn committed(&mut self) {
        self.changed.clear();
        self.quenched.clear();
        self.queues.iter_mut().filter_map(|line| line.firing.as_mut()).for_each(Firing::kept);
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

    /// Takes out what is due.
    pub(super) fn take_due(&mut self, now: DateTime<Utc>) -> Vec<Sending> {
        let mut due = Vec::new();
        for (notifier, line) in self.queues.iter_mut().enumerate() {
            while let Some(one) = line.queue.take(now) {
                due.push(Sending { notifier, sequence: Some(one.sequence), alert: one.alert });
            }
        }
        due
    }

    /// What fires and is to be sent again now. `is_open` says whether the incident of an alert still goes on.
    pub(super) fn take_firing(
        &mut self,
        now: DateTime<Utc>,
        is_open: impl Fn(&AlertV1) -> bool,
    ) -> Vec<Sending> {
        let mut due = Vec::new();
        for (notifier, Line { queue, firing, .. }) in self.queues.iter_mut().enumerate() {
            let Some(firing) = firing else { continue };
            let again = firing.due(now, |incident| queue.waits_for(incident), &is_open);
            due.extend(again.into_iter().map(|alert| Sending { notifier, sequence: None, alert }));
        }
        due
    }

    /// An attempt to send something again is over.
    pub(super) fn sent_again(
        &mut self,
        notifier: &str,
        alert: &AlertV1,
        outcome: &Outcome,
        now: DateTime<Utc>,
    ) {
        let Some(line) = self.queues.iter_mut().find(|line| line.name == notifier) else { return };
        line.heard(outcome, now);
        if let Some(firing) = &mut line.firing {
            firing.sent(alert, now);
        }
    }

    /// What became of an attempt. The notifier is told by name: the configuration may have changed meanwhile.
    pub(super) fn record(
        &mut self,
        notifier: &str,
        sequence: u64,
        alert: &Arc<AlertV1>,
        outcome: &Outcome,
        now: DateTime<Utc>,
    ) -> Option<Settled> {
        let line = self.queues.iter_mut().find(|line| line.name == notifier)?;
        line.heard(outcome, now);
        let settled = line.queue.record(sequence, outcome, now)?;
        let key = DeliveryKey { alert: sequence, notifier: notifier.to_owned() };
        match &settled {
            Settled::Delivered => {
                if let Some(firing) = &mut line.firing {
                    firing.note(alert, now);
                }
                self.changed.insert(key, None);
            }
            Settled::Again(_) | Settled::Dead | Settled::Disabled => {
                self.changed.insert(key, line.queue.state(sequence).map(stored));
            }
        }
        Some(settled)
    }

    /// Deliveries that are not done, in no order.
    pub(super) fn items(&self) -> impl Iterator<Item = Item<'_>> {
        self.queues.iter().flat_map(|line| {
            let items = line.queue.items();
            items.map(|(sequence, alert, state)| (sequence, &*line.name, alert, state))
        })
    }

    /// Whether there is a notifier of this name.
    pub(super) fn knows(&self, notifier: &str) -> bool {
        self.queues.iter().any(|line| line.name == notifier)
    }

    /// Makes due at once what has failed of what is asked for, and lets notifiers try again that wanted no more. How many.
    pub(super) fn retry(&mut self, request: &RetryDeliveriesV1, now: DateTime<Utc>) -> u64 {
        let mut retried = 0;
        for line in &mut self.queues {
            let items = line.queue.items().filter(|(_, alert, _)| is_wanted(request, alert, &line.name));
            let wanted: Vec<u64> = items.map(|(sequence, ..)| sequence).collect();
            let was_disabled = line.queue.is_disabled() && !wanted.is_empty();
            if was_disabled {
                line.queue.enable();
            }
            for sequence in wanted {
                if line.queue.retry(sequence, now) {
                    let key = DeliveryKey { alert: sequence, notifier: line.name.clone() };
                    self.changed.insert(key, line.queue.state(sequence).map(stored));
                    retried += 1;
                } else {
                    retried += u64::from(was_disabled);
                }
            }
        }
        retried
    }

    /// Gives up deliveries of some alerts, told by their numbers, unless they are under way.
    pub(super) fn withdraw(&mut self, which: impl Fn(u64, &AlertV1) -> bool) {
        for line in &mut self.queues {
            let items = line.queue.items().filter(|(sequence, alert, _)| which(*sequence, alert));
            let wanted: Vec<u64> = items.map(|(sequence, ..)| sequence).collect();
            for sequence in wanted {
                if line.queue.withdraw(sequence) {
                    let key = DeliveryKey { alert: sequence, notifier: line.name.clone() };
                    self.changed.insert(key, None);
                }
            }
        }
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
            failing_since: line.failing_since.filter(|_| line.fires()),
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
        Self {
            name: name.to_owned(),
            tells_people,
            queue: Queue::new(seed),
            firing: notifier.resend_every().map(Firing::new),
            last_error: None,
            failing_since: None,
        }
    }

    /// Whether it has anything to send again.
    fn fires(&self) -> bool {
        self.firing.as_ref().is_some_and(|firing| firing.incidents().next().is_some())
    }

    fn heard(&mut self, outcome: &Outcome, now: DateTime<Utc>) {
        self.last_error = outcome.reason().map(str::to_owned);
        match outcome {
            Outcome::Delivered => self.failing_since = None,
            _ => drop(self.failing_since.get_or_insert(now)),
        }
    }
}

/// The incidents that fire at a notifier, under its name.
fn line_of(notifier: &str, firing: Option<&Firing>) -> Vec<(String, String)> {
    let names = firing.into_iter().flat_map(Firing::incidents);
    names.map(|incident| (notifier.to_owned(), incident.to_owned())).collect()
}

pub(super) fn stored(state: &ItemState) -> Delivery {
    let bytes = serde_json::to_vec(state).unwrap_or_default();
    if state.dead.is_some() { Delivery::Dead(bytes) } else { Delivery::Pending(bytes) }
}

#[cfg(test)]
mod tests;
