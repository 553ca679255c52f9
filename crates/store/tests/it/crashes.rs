//! Power cuts after every single operation on the disk.
use crate::disk::{Disk, Event, apply};
use crate::history::{History, Model, Numbers, read};
use std::collections::BTreeMap;
use tollwatch_store::{Changes, Store};

const SECTOR: usize = 512;

/// What a power cut leaves of what was not synced.
#[derive(Debug, Clone, Copy)]
enum Left {
    Nothing,
    Everything,
    /// Some whole operations: the disk took later ones first.
    Some,
    /// Some sectors of each.
    Torn,
    /// The operations up to some point, the last of them torn: the disk took them in order.
    Prefix,
}

const LEFT: [Left; 6] = [Left::Nothing, Left::Everything, Left::Some, Left::Torn, Left::Torn, Left::Prefix];

fn image(durable: &[u8], unsynced: &[Event], left: Left, numbers: &mut Numbers) -> Vec<u8> {
    let mut image = durable.to_vec();
    let prefix = numbers.below(unsynced.len() as u64 + 1) as usize;
    for (at, event) in unsynced.iter().enumerate() {
        match left {
            Left::Everything => apply(&mut image, event),
            Left::Some if numbers.below(2) == 0 => apply(&mut image, event),
            Left::Torn => tear(&mut image, event, numbers),
            Left::Prefix if at < prefix => apply(&mut image, event),
            Left::Prefix if at == prefix => tear(&mut image, event, numbers),
            Left::Nothing | Left::Some | Left::Prefix => {}
        }
    }
    image
}

/// Does some of the sectors of a write. A length is set or not.
fn tear(image: &mut Vec<u8>, event: &Event, numbers: &mut Numbers) {
    let Event::Write(offset, data) = event else {
        if numbers.below(2) == 0 {
            apply(image, event);
        }
        return;
    };
    let mut at = 0;
    while at < data.len() {
        let place = *offset as usize + at;
        let end = data.len().min(at + SECTOR - place % SECTOR);
        if numbers.below(2) == 0 {
            apply(image, &Event::Write(place as u64, data[at..end].to_vec()));
        }
        at = end;
    }
}

/// Cuts the power at every point of a trace, in every way, and shows each image with the number of the last
/// acknowledged commit. Returns how many.
fn cut(start: &[u8], trace: &[Event], seed: u64, mut each: impl FnMut(Vec<u8>, usize)) -> usize {
    let mut numbers = Numbers(seed);
    let (mut durable, mut unsynced, mut acknowledged, mut cuts) = (start.to_vec(), Vec::new(), 0, 0);
    for event in trace {
        match event {
            Event::Sync => unsynced.drain(..).for_each(|event| apply(&mut durable, &event)),
            Event::Acknowledged(commit) => acknowledged = *commit,
            change => unsynced.push(change.clone()),
        }
        for left in LEFT {
            each(image(&durable, &unsynced, left, &mut numbers), acknowledged);
            cuts += 1;
        }
    }
    cuts
}

/// Runs commits on a disk, and tells the disk when each is acknowledged. The states, with that before all.
fn run(disk: &Disk, store: &mut Store, commits: &[Changes]) -> Vec<Model> {
    let mut states = vec![read(store).unwrap()];
    for (number, changes) in commits.iter().enumerate() {
        store.commit(changes).unwrap();
        disk.acknowledge(number + 1);
        let mut next = states.last().unwrap().clone();
        next.commit(changes);
        states.push(next);
    }
    states
}

/// The state after the last acknowledged commit, or after the one that was in flight.
fn assert_is_one_of(found: &Model, states: &[Model], acknowledged: usize) {
    let next = states.get(acknowledged + 1);
    assert!(
        *found == states[acknowledged] || Some(found) == next,
        "after commit {acknowledged}, the store holds neither that state nor the next"
    );
}

#[test]
fn after_a_power_cut_at_any_point_the_state_is_that_of_the_last_commit_or_the_one_in_flight() {
    let mut cuts = 0;
    for seed in 0..16 {
        let disk = Disk::default();
        let mut store = Store::open_backend(disk.clone()).unwrap();
        let start = disk.durable();
        disk.trace();
        let mut history = History::new(seed);
        // One with large values, so that the file grows and shrinks under way.
        history.longest = if seed % 4 == 0 { 9000 } else { 500 };
        let commits: Vec<_> = (0..32).map(|_| history.next()).collect();
        let states = run(&disk, &mut store, &commits);
        drop(store);
        cuts += cut(&start, &disk.traced(), seed, |image, acknowledged| {
            let mut store = Store::open_backend(Disk::of(image)).unwrap();
            let found = read(&mut store).unwrap();
            assert_is_one_of(&found, &states, acknowledged);
        });
    }
    assert!(cuts >= 40_000, "only {cuts} power cuts");
}

#[test]
fn a_power_cut_during_the_recovery_from_a_power_cut_changes_nothing_and_work_goes_on() {
    let disk = Disk::default();
    let mut store = Store::open_backend(disk.clone()).unwrap();
    let start = disk.durable();
    disk.trace();
    let mut history = History::new(40);
    let commits: Vec<_> = (0..6).map(|_| history.next()).collect();
    let states = run(&disk, &mut store, &commits);
    let mut number = 0;
    cut(&start, &disk.traced(), 41, |first, acknowledged| {
        number += 1;
        if number % 23 != 0 {
            return;
        }
        let disk = Disk::of(first.clone());
        disk.trace();
        let mut store = Store::open_backend(disk.clone()).unwrap();
        let recovered = read(&mut store).unwrap();
        assert_is_one_of(&recovered, &states, acknowledged);
        // The history's own next step may deliver an alert that the power cut took.
        let next = Changes { alerts: Vec::new(), deliveries: BTreeMap::new(), ..history.next() };
        store.commit(&next).unwrap();
        let mut after = recovered.clone();
        after.commit(&next);
        disk.acknowledge(1);
        cut(&first, &disk.traced(), number, |second, acknowledged| {
            let found = read(&mut Store::open_backend(Disk::of(second)).unwrap()).unwrap();
            // Before the new commit is acknowledged, the recovered state may still be either of the two.
            if acknowledged == 1 {
                assert_eq!(found, after);
            } else if found != after {
                assert_is_one_of(&found, &states, acknowledged_before(&states, &recovered));
            }
        });
    });
    assert!(number > 23 * 10);
}

/// The place of a recovered state, or the one before it.
fn acknowledged_before(states: &[Model], recovered: &Model) -> usize {
    states.iter().position(|state| state == recovered).unwrap().saturating_sub(1)
}

#[test]
fn a_power_cut_while_the_file_is_made_smaller_loses_nothing() {
    let disk = Disk::default();
    let mut store = Store::open_backend(disk.clone()).unwrap();
    let mut numbers = Numbers(7);
    let mut changes = Changes::default();
    for number in 0..600_u32 {
        changes.parts.insert(number.to_be_bytes().to_vec(), Some(numbers.bytes(3000)));
    }
    store.commit(&changes).unwrap();
    changes.parts.iter_mut().filter(|(key, _)| key[3] % 16 != 0).for_each(|(_, body)| *body = None);
    store.commit(&changes).unwrap();
    let expected = read(&mut store).unwrap();
    drop(store);

    let before = disk.durable();
    disk.trace();
    drop(Store::open_backend(disk.clone()).unwrap());
    assert!(disk.durable().len() < before.len() / 3, "{} of {}", disk.durable().len(), before.len());
    let mut number = 0;
    let trace = disk.traced();
    // Each image is some megabytes, so not every one is opened.
    cut(&before, &trace, 8, |image, _| {
        number += 1;
        if number % 5 == 0 {
            assert_eq!(read(&mut Store::open_backend(Disk::of(image)).unwrap()).unwrap(), expected);
        }
    });
    assert!(number > 500, "only {number} power cuts");
}
