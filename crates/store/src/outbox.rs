//! Alerts and deliveries as bytes, and which alerts may go.
use crate::changes::{Alert, Delivery, DeliveryKey, Forget, Outbox};
use crate::damage::{Damage, Fault};
use crate::table::{ALERTS, Bytes, DELIVERIES};
use redb::{ReadTransaction, ReadableTable, ReadableTableMetadata};

const PENDING: u8 = 0;
const DEAD: u8 = 1;

pub(crate) fn alert_body(alert: &Alert) -> Vec<u8> {
    [alert.raised.to_le_bytes().as_slice(), &alert.body].concat()
}

pub(crate) fn delivery_key(key: &DeliveryKey) -> Vec<u8> {
    [key.alert.to_be_bytes().as_slice(), key.notifier.as_bytes()].concat()
}

pub(crate) fn delivery_body(delivery: &Delivery) -> Vec<u8> {
    let (state, detail) = match delivery {
        Delivery::Pending(detail) => (PENDING, detail),
        Delivery::Dead(detail) => (DEAD, detail),
    };
    [&[state], detail.as_slice()].concat()
}

fn alert(key: &[u8], body: &[u8]) -> Option<Alert> {
    let sequence = u64::from_be_bytes(key.try_into().ok()?);
    let (raised, body) = body.split_first_chunk()?;
    Some(Alert { sequence, raised: i64::from_le_bytes(*raised), body: body.to_vec() })
}

fn delivery(key: &[u8], body: &[u8]) -> Option<(DeliveryKey, Delivery)> {
    let (alert, notifier) = key.split_first_chunk()?;
    let notifier = std::str::from_utf8(notifier).ok()?.to_owned();
    let delivery = match body.split_first()? {
        (&PENDING, detail) => Delivery::Pending(detail.to_vec()),
        (&DEAD, detail) => Delivery::Dead(detail.to_vec()),
        _ => return None,
    };
    Some((DeliveryKey { alert: u64::from_be_bytes(*alert), notifier }, delivery))
}

/// The whole outbox.
pub(crate) fn read(transaction: &ReadTransaction) -> Result<Outbox, Fault> {
    let mut outbox = Outbox::default();
    ALERTS.walk(transaction, |key, body| {
        let alert = alert(key, body).ok_or_else(|| ALERTS.damaged(key))?;
        outbox.alerts.insert(alert.sequence, alert);
        Ok(())
    })?;
    DELIVERIES.walk(transaction, |key, body| {
        let (key, delivery) = delivery(key, body).ok_or_else(|| DELIVERIES.damaged(key))?;
        outbox.deliveries.insert(key, delivery);
        Ok(())
    })?;
    Ok(outbox)
}

/// Removes the alerts that may go, see [`Forget`].
pub(crate) fn forget(
    alerts: &mut redb::Table<'_, Bytes, Bytes>,
    deliveries: &redb::Table<'_, Bytes, Bytes>,
    forget: Forget,
) -> Result<(), Fault> {
    let mut excess = alerts.len()?.saturating_sub(forget.keep);
    let mut gone = Vec::new();
    for entry in alerts.iter()? {
        let (key, sealed) = entry?;
        let key = key.value();
        let alert = alert(key, ALERTS.unseal(key, sealed.value())?).ok_or_else(|| ALERTS.damaged(key))?;
        if excess == 0 && alert.raised >= forget.raised_before {
            break;
        }
        if !is_open(deliveries, alert.sequence)? {
            gone.push(key.to_vec());
            excess = excess.saturating_sub(1);
        }
    }
    for key in gone {
        alerts.remove(key.as_slice())?;
    }
    Ok(())
}

/// Whether a delivery of the alert is pending or dead.
fn is_open(deliveries: &redb::Table<'_, Bytes, Bytes>, sequence: u64) -> Result<bool, Fault> {
    let prefix = sequence.to_be_bytes();
    let Some(first) = deliveries.range(prefix.as_slice()..)?.next() else { return Ok(false) };
    let (key, _) = first?;
    Ok(key.value().starts_with(&prefix))
}

/// Whether the alert is there.
pub(crate) fn expect_alert(alerts: &redb::Table<'_, Bytes, Bytes>, sequence: u64) -> Result<(), Fault> {
    match alerts.get(sequence.to_be_bytes().as_slice())? {
        Some(_) => Ok(()),
        None => Err(Fault::NoSuchAlert(sequence)),
    }
}

pub(crate) fn name(table: crate::table::Table, key: &[u8]) -> Result<String, Damage> {
    String::from_utf8(key.to_vec()).map_err(|_| table.damaged(key))
}
