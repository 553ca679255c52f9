//! Each call to the disk fails once, in its turn, in a service that is killed half-way.
use super::disk::{CALLS, Call, Disk};
use super::house::{House, Told, assert_same, pieces, undisturbed};
use std::io::ErrorKind;

/// Lets the `good + 1`th call of a kind fail. `false` if there were not so many.
fn fails_once(pieces: &[Vec<u8>], expected: &Told, call: Call, good: usize, kind: ErrorKind) -> bool {
    let disk = Disk::default();
    let mut house = House::new();
    // A new store is made whole or not at all, under a name of its own: `crates/store/tests` has that.
    drop(house.start(disk.clone()).unwrap());
    disk.fail(call, good, kind);
    let (first, second) = pieces.split_at(pieces.len() / 2);
    for part in [first, second] {
        let started = house.start(disk.clone());
        // A start that fails says so, and the next one succeeds.
        let mut runner = started.or_else(|_| house.start(disk.clone())).unwrap();
        for piece in part {
            house.append(piece);
            house.settle(&mut runner);
        }
        // Dropped without its last checkpoint, which is a kill.
    }
    let when = format!("{call:?} {good} {kind:?}");
    assert_same(&house.told(), expected, &when);
    assert_eq!(house.conditions(), [], "{when}: a moment of trouble is in the log and in the metrics");
    let was_hit = !disk.heal();
    // What is durable is whole.
    let mut runner = house.start(Disk::of(disk.durable())).unwrap();
    house.settle(&mut runner);
    assert_same(&house.told(), expected, &when);
    was_hit
}

#[test]
fn whichever_call_to_the_disk_fails_once_people_are_told_the_same() {
    let pieces = pieces(4);
    let expected = undisturbed(&pieces).pop().unwrap();
    assert!(expected.len() > 10, "{} alerts", expected.len());
    let mut hit = [0; CALLS.len()];
    for (call, hit) in CALLS.into_iter().zip(&mut hit) {
        let kind = |hit: usize| if hit.is_multiple_of(2) { ErrorKind::Other } else { ErrorKind::StorageFull };
        // What only reads changes nothing that could be half done.
        let step = if matches!(call, Call::Length | Call::Read) { 5 } else { 1 };
        while fails_once(&pieces, &expected, call, *hit, kind(*hit)) {
            *hit += step;
        }
    }
    let [_, reads, writes, _, syncs] = hit;
    assert!(reads > 5 && writes > 50 && syncs > 10, "too few calls failed: {hit:?}");
}
