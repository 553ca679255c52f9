//! The tasks that deliver: one attempt each, its outcome back to the engine's thread.
use super::clock;
use super::outbox::{Outbox, Sending};
use super::runner::Event;
use chrono::{DateTime, Utc};
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Duration;
use tollwatch_detect::AlertV1;
use tollwatch_notify::{Notifier, Outcome, Settled, Site};

/// Alerts on their way: what is still to be told, and the attempts that are under way.
#[derive(Debug)]
pub(super) struct Deliveries {
    pub(super) outbox: Outbox,
    pub(super) notifiers: Arc<Vec<Notifier>>,
    in_flight: usize,
    runtime: tokio::runtime::Handle,
    events: SyncSender<Event>,
}

impl Deliveries {
    pub(super) fn new(
        outbox: Outbox,
        notifiers: Vec<Notifier>,
        runtime: tokio::runtime::Handle,
        events: SyncSender<Event>,
    ) -> Self {
        Self { outbox, notifiers: Arc::new(notifiers), in_flight: 0, runtime, events }
    }

    /// Begins what is due.
    pub(super) fn begin(&mut self, now: DateTime<Utc>, site: impl Fn(&AlertV1) -> Site) {
        let due = self.outbox.take_due(now);
        self.send(due, site);
    }

    /// Begins to send again what fires. `is_open` says whether the incident of an alert still goes on.
    pub(super) fn begin_again(
        &mut self,
        now: DateTime<Utc>,
        is_open: impl Fn(&AlertV1) -> bool,
        site: impl Fn(&AlertV1) -> Site,
    ) {
        let firing = self.outbox.take_firing(now, is_open);
        self.send(firing, site);
    }

    fn send(&mut self, sendings: Vec<Sending>, site: impl Fn(&AlertV1) -> Site) {
        for sending in sendings {
            self.in_flight += 1;
            let site = site(&sending.alert);
            attempt(&self.runtime, &self.notifiers, sending, site, &self.events);
        }
    }

    /// An attempt is over: what became of the alert by it.
    pub(super) fn over(&mut self, attempt: &Attempt, now: DateTime<Utc>) -> Option<Settled> {
        self.in_flight = self.in_flight.saturating_sub(1);
        let Attempt { notifier, sequence, alert, outcome, .. } = attempt;
        let settled = if let Some(sequence) = sequence {
            self.outbox.record(notifier, *sequence, alert, outcome, now)
        } else {
            self.outbox.sent_again(notifier, alert, outcome, now);
            None
        };
        if let Some(reason) = outcome.reason() {
            tracing::warn!(notifier, alert = sequence, reason, "an alert was not delivered");
        }
        if settled == Some(Settled::Dead) {
            tracing::error!(notifier, alert = sequence, "an alert was given up");
        }
        settled
    }

    /// Attempts that are under way.
    #[cfg(test)]
    pub(super) fn in_flight(&self) -> usize {
        self.in_flight
    }

    /// Whether nothing is under way, and nothing is to be written or due.
    pub(super) fn are_done(&self, now: DateTime<Utc>) -> bool {
        self.in_flight == 0 && !self.outbox.is_busy(now)
    }
}

/// What became of an attempt.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) notifier: String,
    /// The number of the alert in the queue; none where it was sent again.
    pub(super) sequence: Option<u64>,
    pub(super) alert: Arc<AlertV1>,
    pub(super) outcome: Outcome,
    pub(super) took: Duration,
}

/// Begins an attempt.
fn attempt(
    runtime: &tokio::runtime::Handle,
    notifiers: &Arc<Vec<Notifier>>,
    sending: Sending,
    site: Site,
    events: &SyncSender<Event>,
) {
    let (notifiers, events) = (Arc::clone(notifiers), events.clone());
    runtime.spawn(async move {
        let Sending { notifier, sequence, alert } = sending;
        let Some(notifier) = notifiers.get(notifier) else { return };
        let began = clock::now();
        let outcome = notifier.deliver(&alert, site, began).await;
        let took = clock::now().signed_duration_since(began).to_std().unwrap_or_default();
        let attempt = Attempt { notifier: notifier.name().to_owned(), sequence, alert, outcome, took };
        let _ = tokio::task::spawn_blocking(move || events.send(Event::Delivered(Box::new(attempt)))).await;
    });
}
