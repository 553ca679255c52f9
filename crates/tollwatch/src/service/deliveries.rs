//! Deliveries that are not done: which are shown, and which are tried again. The same of a running service as of the state of
//! one that is stopped.
use super::clock;
use super::outbox::stored;
use chrono::{DateTime, Utc};
use std::path::Path;
use tollwatch_detect::AlertV1;
use tollwatch_http::{DeliveriesV1, DeliveryFilter, DeliveryState, DeliveryV1, RetryDeliveriesV1};
use tollwatch_notify::ItemState;
use tollwatch_store::{Changes, Delivery, DeliveryKey, Outbox as Stored, Store, StoreError};

/// A delivery that is not done: the alert's place in the order of all, the notifier, the alert, how it stands.
pub(super) type Item<'a> = (u64, &'a str, &'a AlertV1, &'a ItemState);

/// Those that fit, oldest first.
pub(super) fn shown<'a>(items: impl Iterator<Item = Item<'a>>, filter: &DeliveryFilter) -> DeliveriesV1 {
    let fits = |(_, notifier, _, state): &Item<'_>| {
        filter.state.is_none_or(|wanted| wanted == state_of(state))
            && filter.notifier.as_ref().is_none_or(|wanted| wanted == notifier)
    };
    let mut found: Vec<Item<'_>> = items.filter(fits).collect();
    found.sort_by(|a, b| (a.3.since, a.0, a.1).cmp(&(b.3.since, b.0, b.1)));
    let not_shown = found.len().saturating_sub(filter.limit) as u64;
    found.truncate(filter.limit);
    DeliveriesV1 { deliveries: found.into_iter().map(wire).collect(), not_shown }
}

fn state_of(state: &ItemState) -> DeliveryState {
    if state.dead.is_some() { DeliveryState::Dead } else { DeliveryState::Pending }
}

fn wire((_, notifier, alert, state): Item<'_>) -> DeliveryV1 {
    DeliveryV1 {
        alert_id: alert.alert_id.clone(),
        incident_id: alert.incident_id().to_owned(),
        reason: alert.reason.word().to_owned(),
        severity: alert.severity,
        tenant: alert.tenant.clone(),
        drill: alert.drill,
        notifier: notifier.to_owned(),
        state: state_of(state),
        attempts: state.attempts,
        last_error: state.last_error.clone().or_else(|| state.dead.clone()),
        since: clock::text(state.since),
        next_at: state.dead.is_none().then(|| clock::text(state.next_at)),
    }
}

/// Whether a delivery is among those that are asked for.
pub(super) fn is_wanted(request: &RetryDeliveriesV1, alert: &AlertV1, notifier: &str) -> bool {
    request.alert_ids.as_ref().is_none_or(|ids| ids.contains(&alert.alert_id))
        && request.notifier.as_ref().is_none_or(|wanted| wanted == notifier)
}

/// The state of a service that is stopped.
#[derive(Debug)]
pub(crate) struct StoppedService(Store);

impl StoppedService {
    /// Takes the state of a folder, as the service would; none where there is none.
    pub(crate) fn open(state: &Path) -> Result<Option<Self>, StoreError> {
        if Store::exists(state) { Store::open(state).map(Self).map(Some) } else { Ok(None) }
    }

    /// Deliveries that are not done.
    pub(crate) fn deliveries(&mut self, filter: &DeliveryFilter) -> Result<DeliveriesV1, StoreError> {
        let read = read(self.0.outbox()?);
        let items = read.iter().map(|(key, alert, state)| (key.alert, &*key.notifier, alert, state));
        Ok(shown(items, filter))
    }

    /// Makes due at once what has failed; the service tries it as soon as it is started. How many.
    pub(crate) fn retry(&mut self, request: &RetryDeliveriesV1) -> Result<u64, StoreError> {
        let now = clock::now();
        let mut changes = Changes::default();
        for (key, alert, mut state) in read(self.0.outbox()?) {
            if is_wanted(request, &alert, &key.notifier) && state.retry(now) {
                changes.deliveries.insert(key, Some(stored(&state)));
            }
        }
        self.0.commit(&changes)?;
        Ok(changes.deliveries.len() as u64)
    }
}

/// What cannot be read is left as it is: the service says what it thinks of it.
fn read(Stored { alerts, deliveries }: Stored) -> Vec<(DeliveryKey, AlertV1, ItemState)> {
    let read = deliveries.into_iter().filter_map(|(key, delivery)| {
        let (Delivery::Pending(state) | Delivery::Dead(state)) = delivery;
        let alert = serde_json::from_slice(&alerts.get(&key.alert)?.body).ok()?;
        Some((key, alert, serde_json::from_slice(&state).ok()?))
    });
    read.collect()
}

impl super::outbox::Outbox {
    /// Deliveries that are not done.
    pub(super) fn deliveries(&self, filter: &DeliveryFilter) -> DeliveriesV1 {
        shown(self.items(), filter)
    }
}

/// When something was, as seconds before now; for people.
pub(crate) fn age_seconds(at: &str) -> Option<i64> {
    let at = DateTime::parse_from_rfc3339(at).ok()?.with_timezone(&Utc);
    Some(clock::now().signed_duration_since(at).num_seconds().max(0))
}
