//! Each call to the disk fails once, in its turn.
use crate::disk::{CALLS, Call, Disk};
use crate::history::{History, Model, read};
use std::io::ErrorKind;
use tollwatch_store::{Store, StoreError};

/// Commits, and on an error commits the same again. Returns the errors.
fn commit_until_done(
    store: &mut Store,
    model: &mut Model,
    history: &mut History,
    commits: usize,
) -> Vec<StoreError> {
    let mut errors = Vec::new();
    for _ in 0..commits {
        let changes = history.next();
        let mut after = model.clone();
        after.commit(&changes);
        while let Err(error) = store.commit(&changes) {
            errors.push(error);
            let found = read(store).unwrap();
            assert!(found == *model || found == after, "after an error, neither the old nor the new state");
        }
        *model = after;
        assert_eq!(read(store).unwrap(), *model);
    }
    errors
}

/// Lets the `good + 1`th call of a kind fail in five commits. `false` if there were not so many calls.
fn fail_once(call: Call, good: usize, kind: ErrorKind, longest: u64) -> bool {
    let disk = Disk::default();
    let mut history = History::new(good as u64);
    history.longest = longest;
    let mut model = Model::default();
    let mut store = Store::open_backend(disk.clone()).unwrap();
    assert!(commit_until_done(&mut store, &mut model, &mut history, 3).is_empty());
    disk.fail(call, good, kind);
    let errors = commit_until_done(&mut store, &mut model, &mut history, 5);
    if disk.heal() {
        return false;
    }
    assert!(errors.len() <= 1, "{errors:?}");
    for error in errors {
        assert!(
            matches!(&error, StoreError::Disk { source, .. } if source.kind() == kind),
            "{call:?} {good}: {error:?}"
        );
    }
    // What was acknowledged after the fault is durable all the same.
    assert_eq!(read(&mut Store::open_backend(Disk::of(disk.durable())).unwrap()).unwrap(), model);
    true
}

#[test]
fn a_call_that_fails_once_makes_one_commit_fail_and_loses_nothing() {
    for kind in [ErrorKind::Other, ErrorKind::StorageFull] {
        let mut hit = [0; CALLS.len()];
        for (call, hit) in CALLS.into_iter().zip(&mut hit) {
            while fail_once(call, *hit, kind, 9000) {
                *hit += 1;
            }
        }
        let [_, _, writes, _, syncs] = hit;
        assert!(writes > 50 && syncs >= 10, "too few calls failed: {hit:?}");
    }
}

#[test]
fn a_call_that_fails_while_opening_is_an_error_and_the_next_attempt_succeeds() {
    let disk = Disk::default();
    let mut model = Model::default();
    let mut store = Store::open_backend(disk.clone()).unwrap();
    commit_until_done(&mut store, &mut model, &mut History::new(1), 12);
    drop(store);
    let mut failures = 0;
    for call in CALLS {
        for good in 0.. {
            let disk = Disk::of(disk.durable());
            disk.fail(call, good, ErrorKind::Other);
            match Store::open_backend(disk.clone()) {
                // Where opening is over, or the call was not needed.
                Ok(mut store) => {
                    let healed = disk.heal();
                    assert_eq!(read(&mut store).unwrap(), model);
                    if healed {
                        break;
                    }
                }
                Err(StoreError::Disk { .. }) => {
                    failures += 1;
                    assert_eq!(read(&mut Store::open_backend(disk).unwrap()).unwrap(), model);
                }
                Err(error) => panic!("{call:?} {good}: {error:?}"),
            }
        }
    }
    assert!(failures > 30, "only {failures} failures");
}
