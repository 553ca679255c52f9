//! Alerts until they are delivered, and after.
use crate::disk::Disk;
use tollwatch_store::{Alert, Changes, Delivery, DeliveryKey, Forget, Outbox, Store};

fn alert(sequence: u64) -> Alert {
    Alert { sequence, raised: sequence as i64 * 60, body: vec![b'x'; 400] }
}

fn key(alert: u64, notifier: &str) -> DeliveryKey {
    DeliveryKey { alert, notifier: notifier.to_owned() }
}

fn sequences(outbox: &Outbox) -> Vec<u64> {
    outbox.alerts.keys().copied().collect()
}

fn forget(store: &mut Store, raised_before: i64, keep: u64) -> Outbox {
    store.commit(&Changes { forget: Some(Forget { raised_before, keep }), ..Changes::default() }).unwrap();
    store.outbox().unwrap()
}

/// Ten alerts. The second is pending, the third dead, the others delivered.
fn ten() -> Store {
    let mut store = Store::open_backend(Disk::default()).unwrap();
    let mut changes = Changes { alerts: (1..=10).map(alert).collect(), ..Changes::default() };
    changes.deliveries.insert(key(2, "mail"), Some(Delivery::Pending(b"2 attempts".to_vec())));
    changes.deliveries.insert(key(3, "duty"), Some(Delivery::Dead(b"404".to_vec())));
    store.commit(&changes).unwrap();
    store
}

#[test]
fn an_alert_stays_while_a_delivery_of_it_is_pending_or_dead() {
    let mut store = ten();
    assert_eq!(sequences(&forget(&mut store, i64::MAX, 0)), [2, 3]);
    let mut done = Changes::default();
    done.deliveries.insert(key(2, "mail"), None);
    store.commit(&done).unwrap();
    assert_eq!(sequences(&forget(&mut store, i64::MAX, 0)), [3]);
}

#[test]
fn delivered_alerts_go_by_age() {
    assert_eq!(sequences(&forget(&mut ten(), 5 * 60, 100)), [2, 3, 5, 6, 7, 8, 9, 10]);
}

#[test]
fn delivered_alerts_go_by_number() {
    assert_eq!(sequences(&forget(&mut ten(), 0, 4)), [2, 3, 9, 10]);
}

#[test]
fn dead_deliveries_are_listed_and_made_pending_again() {
    let mut store = ten();
    assert_eq!(store.outbox().unwrap().dead().collect::<Vec<_>>(), [&key(3, "duty")]);
    let mut changes = Changes::default();
    changes.deliveries.insert(key(3, "duty"), Some(Delivery::Pending(b"again".to_vec())));
    store.commit(&changes).unwrap();
    let outbox = store.outbox().unwrap();
    assert_eq!(outbox.dead().count(), 0);
    assert_eq!(outbox.deliveries[&key(3, "duty")], Delivery::Pending(b"again".to_vec()));
}

#[test]
fn a_commit_without_changes_writes_nothing() {
    let disk = Disk::default();
    let mut store = Store::open_backend(disk.clone()).unwrap();
    let written = disk.written();
    store.commit(&Changes::default()).unwrap();
    assert_eq!(disk.written(), written);
}

#[test]
fn the_file_stays_small_while_alerts_come_and_go() {
    let disk = Disk::default();
    let mut store = Store::open_backend(disk.clone()).unwrap();
    let mut lengths = Vec::new();
    for sequence in 1..=1200 {
        let mut changes = Changes { alerts: vec![alert(sequence)], ..Changes::default() };
        changes.deliveries.insert(key(sequence, "duty"), Some(Delivery::Pending(Vec::new())));
        if sequence > 5 {
            changes.deliveries.insert(key(sequence - 5, "duty"), None);
        }
        changes.forget = Some(Forget { raised_before: 0, keep: 100 });
        store.commit(&changes).unwrap();
        lengths.push(disk.image().len());
    }
    let (early, late) = lengths.split_at(400);
    assert!(late.iter().max() <= early.iter().max(), "the file grew on: {:?}", lengths.last());
}
