//! One kind of rotation each.
use crate::{QUIET, append, at, compress, options, read};
use std::fs;
use std::path::Path;
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

const HEADER: &str =
    "calldate,clid,src,dst,dcontext,channel,dstchannel,lastapp,lastdata,duration,billsec,disposition\n";

fn cut(log: &Path) {
    fs::File::options().write(true).open(log).unwrap().set_len(0).unwrap();
}

fn restarted(follow: &Follow) -> Follow {
    Follow::restore(follow.path(), options(), &follow.position())
}

#[test]
fn a_late_line_of_a_renamed_log_is_read() {
    let directory = tempfile::tempdir().unwrap();
    let (log, older) = (directory.path().join("Master.csv"), directory.path().join("Master.csv.1"));
    append(&log, "105,1\n");
    let mut follow = Follow::new(&log, options());
    assert_eq!(read(&mut follow, at(0)), "105,1\n");
    fs::rename(&log, &older).unwrap();
    append(&log, "106,1\n");
    assert_eq!(read(&mut follow, at(1)), "106,1\n");
    append(&older, "105,2\n");
    assert_eq!(read(&mut follow, at(2)), "105,2\n");
}

#[test]
fn a_log_that_grew_beyond_the_position_after_it_was_cut_is_begun_anew() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("Master.csv");
    append(&log, "105,1\n");
    let mut follow = Follow::new(&log, options());
    assert_eq!(read(&mut follow, at(0)), "105,1\n");
    cut(&log);
    append(&log, "106,1\n106,2\n106,3\n");
    assert_eq!(read(&mut follow, at(1)), "106,1\n106,2\n106,3\n");
    assert_eq!(follow.counters().truncations, 1);
}

#[test]
fn a_log_that_was_made_anew_while_we_were_down_is_begun_anew() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("Master.csv");
    append(&log, "105,1\n");
    let mut follow = Follow::new(&log, options());
    read(&mut follow, at(0));
    let position = follow.position();
    drop(follow);
    // Most file systems give the same inode again.
    fs::remove_file(&log).unwrap();
    append(&log, "106,1\n106,2\n");
    let mut follow = Follow::restore(&log, options(), &position);
    assert_eq!(read(&mut follow, at(1)), "106,1\n106,2\n");
    assert_eq!(follow.counters().vanished, 1);
}

#[test]
fn rotations_while_we_were_down_are_read_in_order() {
    let directory = tempfile::tempdir().unwrap();
    let name = |suffix: &str| directory.path().join(format!("Master.csv{suffix}"));
    append(&name(""), &format!("{HEADER}105,1\n"));
    let mut follow = Follow::new(name(""), options());
    assert_eq!(read(&mut follow, at(0)), format!("{HEADER}105,1\n"));
    append(&name(""), "105,2\n");
    fs::rename(name(""), name(".2")).unwrap();
    compress(&name(".2"), &name(".2.gz"));
    append(&name(".1"), &format!("{HEADER}106,1\n"));
    compress(&name(".1"), &name(".1.zst"));
    append(&name(""), &format!("{HEADER}107,1\n"));
    let mut follow = restarted(&follow);
    assert_eq!(read(&mut follow, at(1)), format!("105,2\n{HEADER}106,1\n{HEADER}107,1\n"));
}

#[test]
fn a_copy_is_found_where_only_a_header_was_used() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("Master.csv");
    append(&log, HEADER);
    let mut follow = Follow::new(&log, options());
    assert_eq!(read(&mut follow, at(0)), HEADER);
    append(&log, "105,1\n");
    fs::copy(&log, directory.path().join("Master.csv.1")).unwrap();
    cut(&log);
    append(&log, &format!("{HEADER}106,1\n106,2\n"));
    // Where only a header was used, a file is as good as unread.
    assert_eq!(read(&mut follow, at(1)), format!("{HEADER}105,1\n106,1\n106,2\n"));
}

#[test]
fn a_copy_with_less_than_was_read_is_not_read_again() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("Master.csv");
    append(&log, "105,1\n105,2\n");
    let mut follow = Follow::new(&log, options());
    assert_eq!(read(&mut follow, at(0)), "105,1\n105,2\n");
    fs::copy(&log, directory.path().join("Master.csv.1")).unwrap();
    append(&log, "105,3\n");
    assert_eq!(read(&mut follow, at(1)), "105,3\n");
    cut(&log);
    append(&log, "106,1\n");
    assert_eq!(read(&mut follow, at(2)), "106,1\n");
}

#[test]
fn older_files_are_not_read_when_a_log_is_first_followed() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("Master.csv");
    append(&directory.path().join("Master.csv.1"), "104,1\n");
    append(&log, "");
    let mut follow = Follow::new(&log, options());
    assert_eq!(read(&mut follow, at(0)), "");
    append(&log, "105,1\n");
    let mut follow = restarted(&follow);
    assert_eq!(read(&mut follow, at(1)), "105,1\n");
}

#[test]
fn what_cannot_be_opened_is_said_and_read_when_it_can_be() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join("Master.csv");
    append(&log, "105,1\n");
    let mut follow = Follow::new(&log, options());
    assert_eq!(read(&mut follow, at(0)), "105,1\n");
    fs::rename(&log, directory.path().join("Master.csv.1")).unwrap();
    fs::create_dir(&log).unwrap();
    assert!(matches!(follow.poll(at(1)), Err(SourceError::Directory { .. })));
    fs::remove_dir(&log).unwrap();
    append(&log, "106,1\n");
    assert_eq!(read(&mut follow, at(2)), "106,1\n");
}

#[test]
fn a_damaged_generation_is_said_once_and_does_not_stop_the_log() {
    let directory = tempfile::tempdir().unwrap();
    let name = |suffix: &str| directory.path().join(format!("Master.csv{suffix}"));
    append(&name(""), "105,1\n");
    let mut follow = Follow::new(name(""), options());
    read(&mut follow, at(0));
    fs::rename(name(""), name(".2")).unwrap();
    append(&name(".1"), &"106,1\n".repeat(5000));
    compress(&name(".1"), &name(".1.gz"));
    let packed = fs::read(name(".1.gz")).unwrap();
    fs::write(name(".1.gz"), &packed[..packed.len() - 6]).unwrap();
    append(&name(""), "107,1\n");
    let (mut text, mut errors) = (String::new(), 0);
    for _ in 0..10 {
        match follow.poll(at(1)) {
            Ok(Some(chunk)) => {
                text.push_str(std::str::from_utf8(chunk.bytes).unwrap());
                let used = chunk.bytes.len();
                follow.consume(used);
            }
            Ok(None) => {}
            Err(error) => {
                assert!(matches!(error, SourceError::Truncated { .. }), "{error}");
                errors += 1;
            }
        }
    }
    assert!(text.starts_with("106,1\n") && text.ends_with("107,1\n"));
    assert_eq!((errors, follow.counters().damaged), (1, 1));
}
