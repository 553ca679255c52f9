//! Random commits against maps.
use crate::disk::Disk;
use crate::history::{Model, read};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use tollwatch_store::{Alert, Changes, Delivery, DeliveryKey, Forget, Store, StoreError};

fn body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![4 => vec(any::<u8>(), 0..40), 1 => (any::<u8>(), 0..9000_usize).prop_map(|(byte, length)| vec![byte; length])]
}

fn changes() -> impl Strategy<Value = Changes> {
    let delivery = prop_oneof![
        Just(None),
        vec(any::<u8>(), 0..4).prop_map(|detail| Some(Delivery::Pending(detail))),
        vec(any::<u8>(), 0..4).prop_map(|detail| Some(Delivery::Dead(detail))),
    ];
    let key = (0..6_u64, "[a-c]?").prop_map(|(alert, notifier)| DeliveryKey { alert, notifier });
    let alert =
        (0..6_u64, 0..50_i64, body()).prop_map(|(sequence, raised, body)| Alert { sequence, raised, body });
    let forget = (0..50_i64, 0..6_u64).prop_map(|(raised_before, keep)| Forget { raised_before, keep });
    (
        btree_map(vec(0..4_u8, 0..3), proptest::option::of(body()), 0..6),
        btree_map("[a-c]?", proptest::option::of(body()), 0..3),
        btree_map("[a-c]?", proptest::option::of(body()), 0..2),
        vec(alert, 0..3),
        btree_map(key, delivery, 0..4),
        proptest::option::weighted(0.3, forget),
    )
        .prop_map(|(parts, positions, meta, alerts, deliveries, forget)| Changes {
            parts,
            positions,
            meta,
            alerts,
            deliveries,
            forget,
        })
}

/// An alert that a delivery is put of, but that is nowhere.
fn missing(model: &Model, changes: &Changes) -> Option<u64> {
    let known = |sequence: &u64| {
        model.state.outbox.alerts.contains_key(sequence)
            || changes.alerts.iter().any(|alert| alert.sequence == *sequence)
    };
    let mut put = changes.deliveries.iter().filter(|(_, delivery)| delivery.is_some());
    put.find(|(key, _)| !known(&key.alert)).map(|(key, _)| key.alert)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]
    #[test]
    fn a_store_holds_what_maps_would_hold(steps in vec((changes(), 0..4_u8), 0..12)) {
        let disk = Disk::default();
        let mut store = Store::open_backend(disk.clone()).unwrap();
        let mut model = Model::default();
        for (changes, then) in steps {
            if let Some(missing) = missing(&model, &changes) {
                let error = store.commit(&changes).unwrap_err();
                let named = matches!(error, StoreError::NoSuchAlert { alert } if alert == missing);
                prop_assert!(named, "{error:?}");
            } else {
                store.commit(&changes).unwrap();
                model.commit(&changes);
            }
            if then == 0 {
                drop(store);
                store = Store::open_backend(disk.clone()).unwrap();
            }
            if then == 1 {
                // As a killed process leaves it: all was written, nothing was closed.
                let mut copy = Store::open_backend(Disk::of(disk.image())).unwrap();
                prop_assert_eq!(&read(&mut copy).unwrap(), &model);
            }
            prop_assert_eq!(&read(&mut store).unwrap(), &model);
            prop_assert_eq!(&store.outbox().unwrap(), &model.state.outbox);
        }
    }
}
