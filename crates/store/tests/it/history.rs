//! Made-up histories of commits, and what a store must hold after each.
use std::collections::BTreeMap;
use tollwatch_store::{Alert, Changes, Delivery, DeliveryKey, Forget, State, Store, StoreError};

/// The whole of a store, and the obvious way to change it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Model {
    pub(crate) parts: BTreeMap<Vec<u8>, Vec<u8>>,
    pub(crate) state: State,
}

fn change<K: Ord + Clone, V: Clone>(map: &mut BTreeMap<K, V>, changes: &BTreeMap<K, Option<V>>) {
    for (key, value) in changes {
        match value {
            Some(value) => map.insert(key.clone(), value.clone()),
            None => map.remove(key),
        };
    }
}

impl Model {
    pub(crate) fn commit(&mut self, changes: &Changes) {
        change(&mut self.parts, &changes.parts);
        change(&mut self.state.positions, &changes.positions);
        change(&mut self.state.meta, &changes.meta);
        let outbox = &mut self.state.outbox;
        for alert in &changes.alerts {
            outbox.alerts.insert(alert.sequence, alert.clone());
        }
        change(&mut outbox.deliveries, &changes.deliveries);
        let Some(forget) = changes.forget else { return };
        for alert in outbox.alerts.clone().into_values() {
            let excess = outbox.alerts.len() as u64 > forget.keep;
            if !excess && alert.raised >= forget.raised_before {
                break;
            }
            if !outbox.deliveries.keys().any(|key| key.alert == alert.sequence) {
                outbox.alerts.remove(&alert.sequence);
            }
        }
    }
}

/// Everything in a store.
pub(crate) fn read(store: &mut Store) -> Result<Model, StoreError> {
    let mut parts = BTreeMap::new();
    let state = store.load(|key, body| {
        assert!(parts.insert(key.to_vec(), body.to_vec()).is_none(), "a key was shown twice");
    })?;
    Ok(Model { parts, state })
}

/// A small generator of numbers (splitmix64).
#[derive(Debug, Clone)]
pub(crate) struct Numbers(pub(crate) u64);

impl Numbers {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    pub(crate) fn bytes(&mut self, length: u64) -> Vec<u8> {
        (0..length).map(|_| self.next() as u8).collect()
    }
}

/// Commits as a service makes them: some parts and a position change, alerts come, their deliveries end.
#[derive(Debug)]
pub(crate) struct History {
    numbers: Numbers,
    alerts: u64,
    open: Vec<DeliveryKey>,
    pub(crate) keys: u64,
    pub(crate) longest: u64,
}

impl History {
    pub(crate) fn new(seed: u64) -> Self {
        Self { numbers: Numbers(seed), alerts: 0, open: Vec::new(), keys: 60, longest: 500 }
    }

    pub(crate) fn next(&mut self) -> Changes {
        let mut changes = Changes::default();
        for _ in 0..self.numbers.below(8) {
            let key = format!("extension {}", self.numbers.below(self.keys)).into_bytes();
            let length = self.numbers.below(self.longest);
            let body = (self.numbers.below(5) > 0).then(|| self.numbers.bytes(length));
            changes.parts.insert(key, body);
        }
        // Always something, so that no two states in a row are the same.
        let position = self.numbers.bytes(16);
        changes.positions.insert(format!("pbx-{}", self.numbers.below(3)), Some(position));
        if self.numbers.below(10) == 0 {
            changes.meta.insert("rules".to_owned(), Some(self.numbers.bytes(32)));
        }
        for _ in 0..self.numbers.below(3) {
            self.alerts += 1;
            let body = self.numbers.bytes(300);
            changes.alerts.push(Alert { sequence: self.alerts, raised: self.alerts as i64 * 10, body });
            for notifier in ["duty", "mail"] {
                let key = DeliveryKey { alert: self.alerts, notifier: notifier.to_owned() };
                changes.deliveries.insert(key.clone(), Some(Delivery::Pending(Vec::new())));
                self.open.push(key);
            }
        }
        for _ in 0..self.numbers.below(4).min(self.open.len() as u64) {
            let at = self.numbers.below(self.open.len() as u64) as usize;
            let key = self.open[at].clone();
            let delivery = match self.numbers.below(4) {
                0 => Some(Delivery::Pending(self.numbers.bytes(9))),
                1 => Some(Delivery::Dead(self.numbers.bytes(9))),
                _ => {
                    self.open.swap_remove(at);
                    None
                }
            };
            changes.deliveries.insert(key, delivery);
        }
        if self.numbers.below(4) == 0 {
            let raised_before = self.alerts as i64 * 10 - 200;
            changes.forget = Some(Forget { raised_before, keep: 15 });
        }
        changes
    }
}
