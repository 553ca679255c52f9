//! One kind of rotation each.
use crate::{QUIET, append, at, options, read};
use std::fs;
use tollwatch_source::{Follow, SourceError};

#[test]
fn a_missing_file_is_waited_for_and_said() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("Master.csv");
    let mut follow = Follow::new(&log, options());
    assert!(matches!(follow.poll(at(0)), Err(SourceError::Missing { path }) if path == log));
    append(&log, "105,1\n");
    assert_eq!(read(&mut follow, at(1)), "105,1\n");
}

#[test]
fn half_a_line_waits_for_its_end_until_the_file_is_over() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("Master.csv");
    append(&log, "105,1\n105,");
    let mut follow = Follow::new(&log, options());
    assert_eq!(read(&mut follow, at(0)), "105,1\n");
    assert_eq!(follow.counters().lag_bytes, 4);
    fs::rename(&log, directory.path().join("Master.csv.1")).unwrap();
    append(&log, "106,1\n");
    assert_eq!(read(&mut follow, at(1)), "106,1\n");
    assert_eq!(read(&mut follow, at(2) + QUIET), "105,");
    assert_eq!(follow.counters().rotations, 1);
}

#[test]
fn a_copy_gives_what_was_written_before_the_log_was_cut() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("Master.csv");
    append(&log, "105,1\n");
    let mut follow = Follow::new(&log, options());
    assert_eq!(read(&mut follow, at(0)), "105,1\n");
    append(&log, "105,2\n");
    fs::copy(&log, directory.path().join("Master.csv.1")).unwrap();
    fs::File::options().write(true).open(&log).unwrap().set_len(0).unwrap();
    append(&log, "106,1\n106,2\n106,3\n");
    assert_eq!(read(&mut follow, at(1)), "105,2\n106,1\n106,2\n106,3\n");
    assert_eq!(follow.counters().truncations, 1);
    assert_eq!(follow.counters().lost_bytes_suspected, 0);
}

#[test]
fn a_directory_is_named_in_the_error() {
    let directory = tempfile::tempdir().unwrap();
    let mut follow = Follow::new(directory.path(), options());
    assert!(matches!(follow.poll(at(0)), Err(SourceError::Directory { .. })));
}
