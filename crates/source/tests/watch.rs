//! Bells that ring when files change, by the real inotify.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, its helpers too"
)]
use std::fs;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;
use tollwatch_source::{Bell, Watch};

struct Heard {
    watch: Watch,
    wakes: Arc<AtomicU64>,
    woken: Receiver<()>,
}

fn watch() -> Heard {
    let (sender, woken) = channel();
    let wakes = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&wakes);
    let watch = Watch::new(move || {
        counted.fetch_add(1, Ordering::SeqCst);
        let _ = sender.send(());
    });
    Heard { watch, wakes, woken }
}

#[test]
fn of_a_hundred_logs_only_that_one_wakes_which_changes_and_once() {
    let folder = tempfile::tempdir().unwrap();
    let Heard { mut watch, wakes, woken } = watch();
    let logs: Vec<_> = (0..100).map(|n| folder.path().join(n.to_string()).join("Master.csv")).collect();
    let bells: Vec<Bell> = logs
        .iter()
        .map(|log| {
            fs::create_dir(log.parent().unwrap()).unwrap();
            fs::write(log, "").unwrap();
            let bell = Bell::default();
            watch.add(log.parent().unwrap(), log.file_name().unwrap(), &bell).unwrap();
            bell
        })
        .collect();
    // To read is no change.
    for log in &logs {
        fs::read(log).unwrap();
    }
    let mut file = fs::File::options().append(true).open(&logs[42]).unwrap();
    for _ in 0..1000 {
        file.write_all(b"105,1\n").unwrap();
    }
    woken.recv_timeout(Duration::from_mins(1)).unwrap();
    let rung: Vec<usize> = (0..100).filter(|n| bells[*n].has_rung()).collect();
    assert_eq!(rung, [42]);
    // The last of a thousand changes has been heard when a later one has.
    let last = Bell::default();
    fs::create_dir(folder.path().join("last")).unwrap();
    watch.add(&folder.path().join("last"), "x".as_ref(), &last).unwrap();
    fs::write(folder.path().join("last/x"), "x").unwrap();
    let mut looks = 0;
    while !last.has_rung() && looks < 100_000_000 {
        looks += 1;
        std::thread::yield_now();
    }
    assert!(last.has_rung());
    assert_eq!(wakes.load(Ordering::SeqCst), 1, "nobody has come yet");
    assert!(bells[42].take() && !bells[42].take());
    watch.come();
    file.write_all(b"105,2\n").unwrap();
    woken.recv_timeout(Duration::from_mins(1)).unwrap();
    assert!(bells[42].take());
    assert_eq!(bells.iter().filter(|bell| bell.has_rung()).count(), 0);
}

/// Comes when it is woken, until that bell has rung.
fn wait(watch: &Watch, woken: &Receiver<()>, bell: &Bell) {
    watch.come();
    while !bell.take() {
        woken.recv_timeout(Duration::from_mins(1)).unwrap();
        watch.come();
    }
}

#[test]
fn a_rotation_rings_and_another_file_of_the_directory_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let Heard { mut watch, woken, .. } = watch();
    let (log, other) = (Bell::default(), Bell::default());
    watch.add(folder.path(), "Master.csv".as_ref(), &log).unwrap();
    watch.add(folder.path(), "Other.csv".as_ref(), &other).unwrap();
    fs::write(folder.path().join("Other.csv"), "x").unwrap();
    woken.recv_timeout(Duration::from_mins(1)).unwrap();
    assert!(other.take() && !log.has_rung());
    fs::rename(folder.path().join("Other.csv"), folder.path().join("Master.csv.1")).unwrap();
    wait(&watch, &woken, &log);
    watch.remove(&other);
    log.take();
    fs::write(folder.path().join("Master.csv"), "y").unwrap();
    wait(&watch, &woken, &log);
}

#[test]
fn a_directory_that_is_not_there_is_said_and_watched_when_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let Heard { mut watch, woken, .. } = watch();
    let (bell, directory) = (Bell::default(), folder.path().join("later"));
    let error = watch.add(&directory, "Master.csv".as_ref(), &bell).unwrap_err();
    assert!(error.to_string().contains("later"), "{error}");
    fs::create_dir(&directory).unwrap();
    watch.add(&directory, "Master.csv".as_ref(), &bell).unwrap();
    fs::write(directory.join("Master.csv"), "x").unwrap();
    woken.recv_timeout(Duration::from_mins(1)).unwrap();
    assert!(bell.take());
}
