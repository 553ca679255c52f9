//! The disk is full for a while.
use super::super::keeping::Failure;
use super::super::runner::{Runner, Then};
use super::disk::Disk;
use super::house::{House, assert_same, pieces, undisturbed};

/// The disk takes nothing.
const FULL: Option<u64> = Some(0);

/// Whether `/readyz` says that the state can be written.
fn is_ready(runner: &Runner) -> bool {
    runner.checks().iter().all(|check| check.ok)
}

fn word(condition: &str, reason: &str) -> (String, String) {
    (condition.to_owned(), reason.to_owned())
}

#[test]
fn alerts_wait_half_a_minute_for_a_full_disk_and_are_the_same_when_it_has_room() {
    let pieces = pieces(4);
    let expected = undisturbed(&pieces);
    let disk = Disk::default();
    let mut house = House::new();
    let mut runner = house.start(disk.clone()).unwrap();
    house.append(&pieces[0]);
    house.settle(&mut runner);
    disk.limit(FULL);
    for piece in &pieces[1..3] {
        house.append(piece);
    }
    // The first turn finds that it is full; half a minute after, alerts go out.
    for second in 0..30 {
        house.turn(&mut runner).unwrap();
        assert!(!is_ready(&runner), "in second {second}");
        assert_same(&house.told(), &expected[0], &format!("in second {second}"));
        assert_eq!(house.conditions(), []);
    }
    // Alerts of one incident go out one after the other.
    for _ in 0..12 {
        house.turn(&mut runner).unwrap();
    }
    assert!(expected[2].len() > expected[0].len());
    assert_same(&house.told(), &expected[2], "let out");
    assert_eq!(house.conditions(), [word("disk_full", "opened")]);
    // Fraud is seen as long as there is memory for it.
    house.append(&pieces[3]);
    for _ in 0..12 {
        house.turn(&mut runner).unwrap();
    }
    assert_same(&house.told(), &expected[3], "seen on a full disk");
    disk.limit(None);
    house.settle(&mut runner);
    assert!(is_ready(&runner), "{:?}", runner.checks());
    assert_eq!(house.conditions(), [word("disk_full", "opened"), word("disk_full", "resolved")]);
    drop(runner);
    let mut runner = house.start(Disk::of(disk.durable())).unwrap();
    house.settle(&mut runner);
    assert_same(&house.told(), &expected[3], "after a kill");
}

#[test]
fn what_was_let_out_by_a_service_killed_on_a_full_disk_is_told_again_under_the_same_ids() {
    let pieces = pieces(2);
    let expected = undisturbed(&pieces);
    let disk = Disk::default();
    let mut house = House::new();
    let mut runner = house.start(disk.clone()).unwrap();
    house.append(&pieces[0]);
    house.settle(&mut runner);
    disk.limit(FULL);
    house.append(&pieces[1]);
    for _ in 0..45 {
        house.turn(&mut runner).unwrap();
    }
    assert_same(&house.told(), &expected[1], "let out");
    drop(runner);
    std::fs::remove_file(house.path("alerts.jsonl")).unwrap();
    let mut runner = house.start(Disk::of(disk.durable())).unwrap();
    house.settle(&mut runner);
    let again: Vec<String> = house.told().into_keys().collect();
    let new = expected[1].keys().filter(|id| !expected[0].contains_key(*id));
    assert_eq!(again, new.cloned().collect::<Vec<_>>());
    for (id, alerts) in house.told() {
        assert!(expected[1].get(&id) == Some(&alerts), "{id} says something else");
    }
}

#[test]
fn reading_stops_when_as_much_waits_for_the_disk_as_may_and_goes_on_when_it_has_room() {
    let pieces = pieces(3);
    let expected = undisturbed(&pieces);
    let disk = Disk::default();
    let mut house = House::new();
    let mut runner = house.start(disk.clone()).unwrap();
    runner.keeping.limit(1);
    disk.limit(FULL);
    house.append(&pieces[0]);
    for _ in 0..3 {
        house.turn(&mut runner).unwrap();
    }
    house.append(&pieces[1]);
    house.append(&pieces[2]);
    for _ in 0..60 {
        house.turn(&mut runner).unwrap();
    }
    assert_same(&house.told(), &expected[0], "what was read before");
    let checks = format!("{:?}", runner.checks());
    assert!(checks.contains("reading has stopped"), "{checks}");
    disk.limit(None);
    house.settle(&mut runner);
    assert_same(&house.told(), &expected[2], "with room");
    assert!(is_ready(&runner), "{:?}", runner.checks());
}

#[test]
fn alerts_that_wait_for_a_full_disk_find_their_notifiers_after_a_reload() {
    let pieces = pieces(1);
    let expected = undisturbed(&pieces);
    let disk = Disk::default();
    let mut house = House::new();
    let mut runner = house.start(disk.clone()).unwrap();
    disk.limit(FULL);
    house.append(&pieces[0]);
    for _ in 0..4 {
        house.turn(&mut runner).unwrap();
    }
    house.configure(&["others", "alerts"]);
    runner.reload(house.now).unwrap();
    disk.limit(None);
    house.settle(&mut runner);
    assert_same(&house.told(), &expected[0], "after the reload");
    assert!(house.all_told("others").is_empty(), "nobody routed anything there");
}

#[test]
fn a_state_that_cannot_be_put_into_bytes_ends_the_service_and_is_not_written() {
    let pieces = pieces(2);
    let expected = undisturbed(&pieces);
    let disk = Disk::default();
    let mut house = House::new();
    let mut runner = house.start(disk.clone()).unwrap();
    house.append(&pieces[0]);
    house.settle(&mut runner);
    let before = disk.image();
    house.append(&pieces[1]);
    drop(runner.keeping.give_up(&anyhow::anyhow!("a part has no bytes")));
    let ended = house.turn(&mut runner);
    assert!(matches!(ended, Err(Failure::Ours(_))), "{ended:?}");
    assert!(runner.end(house.now).is_err());
    assert!(before == disk.image(), "something was written");
    assert_same(&house.told(), &expected[0], "ended");
    let mut runner = house.start(Disk::of(disk.durable())).unwrap();
    house.settle(&mut runner);
    assert_same(&house.told(), &expected[1], "started again");
    assert_eq!(house.turn(&mut runner).unwrap(), Then::End);
}
