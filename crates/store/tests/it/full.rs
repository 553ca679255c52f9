//! The disk is full, and then it is not.
use crate::disk::Disk;
use crate::history::{Model, Numbers, read};
use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;
use tollwatch_store::{Changes, Store, StoreError};

/// Commits large values until the disk is full, makes room, and commits the same again.
fn fill(store: &mut Store, make_room: impl FnOnce()) -> Model {
    let mut numbers = Numbers(3);
    let mut model = Model::default();
    for key in 0_u32.. {
        let mut changes = Changes::default();
        changes.parts.insert(key.to_be_bytes().to_vec(), Some(numbers.bytes(20_000)));
        changes.positions.insert("pbx".to_owned(), Some(key.to_be_bytes().to_vec()));
        let Err(error) = store.commit(&changes) else {
            model.commit(&changes);
            continue;
        };
        assert!(
            matches!(&error, StoreError::Disk { source, .. } if source.kind() == ErrorKind::StorageFull),
            "{error:?}"
        );
        assert!(key > 3, "full after {key} commits");
        for _ in 0..3 {
            assert!(store.commit(&changes).is_err(), "there is still no room");
        }
        assert_eq!(read(store).unwrap(), model);
        make_room();
        store.commit(&changes).unwrap();
        model.commit(&changes);
        break;
    }
    assert_eq!(read(store).unwrap(), model);
    model
}

#[test]
fn a_commit_that_found_the_disk_full_succeeds_when_there_is_room() {
    let disk = Disk::default();
    disk.limit(Some(1 << 20));
    let mut store = Store::open_backend(disk.clone()).unwrap();
    let model = fill(&mut store, || disk.limit(None));
    drop(store);
    assert_eq!(read(&mut Store::open_backend(Disk::of(disk.durable())).unwrap()).unwrap(), model);
}

#[test]
fn a_store_opens_on_a_disk_that_is_full() {
    let disk = Disk::default();
    disk.limit(Some(1 << 20));
    let mut store = Store::open_backend(disk.clone()).unwrap();
    let model = fill(&mut store, || disk.limit(None));
    drop(store);
    let disk = Disk::of(disk.durable());
    disk.limit(Some(disk.durable().len() as u64));
    assert_eq!(read(&mut Store::open_backend(disk).unwrap()).unwrap(), model);
}

/// A file system of some megabytes, while it is mounted.
struct Small<'a>(&'a Path);

impl<'a> Small<'a> {
    fn mount(path: &'a Path) -> Option<Self> {
        let arguments = ["-t", "tmpfs", "-o", "size=4m", "tmpfs"];
        let done = Command::new("mount").args(arguments).arg(path).output().ok()?;
        done.status.success().then_some(Self(path))
    }
}

impl Drop for Small<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0).status();
    }
}

#[test]
fn a_real_file_system_that_is_full_is_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let Some(small) = Small::mount(directory.path()) else {
        eprintln!("nothing was tested: a small file system can be mounted by root only");
        return;
    };
    let ballast = small.0.join("ballast");
    std::fs::write(&ballast, vec![1; 1 << 20]).unwrap();
    let state = small.0.join("state");
    let mut store = Store::open(&state).unwrap();
    let model = fill(&mut store, || std::fs::remove_file(&ballast).unwrap());
    drop(store);
    assert_eq!(read(&mut Store::open(&state).unwrap()).unwrap(), model);
}
