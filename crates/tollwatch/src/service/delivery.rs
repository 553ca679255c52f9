//! The tasks that deliver: one attempt each, its outcome back to the engine's thread.
use super::clock;
use super::runner::Event;
use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::Duration;
use tollwatch_notify::{Due, Notifier, Outcome, Site};

/// What became of an attempt.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) notifier: String,
    pub(super) sequence: u64,
    pub(super) outcome: Outcome,
    pub(super) took: Duration,
}

/// Begins an attempt.
pub(super) fn begin(
    runtime: &tokio::runtime::Handle,
    notifiers: &Arc<Vec<Notifier>>,
    index: usize,
    due: Due,
    site: Site,
    events: &SyncSender<Event>,
) {
    let (notifiers, events) = (Arc::clone(notifiers), events.clone());
    runtime.spawn(async move {
        let Some(notifier) = notifiers.get(index) else { return };
        let began = clock::now();
        let outcome = notifier.deliver(&due.alert, site, began).await;
        let took = clock::now().signed_duration_since(began).to_std().unwrap_or_default();
        let attempt = Attempt { notifier: notifier.name().to_owned(), sequence: due.sequence, outcome, took };
        let _ = tokio::task::spawn_blocking(move || events.send(Event::Delivered(Box::new(attempt)))).await;
    });
}
