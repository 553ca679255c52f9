//! The directory: who may have it, and what is in it.
use crate::history::{History, Model, read};
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use tollwatch_store::{Changes, Store, StoreError};

/// Tells [`commits_until_it_is_killed`] that it is the child, and where to work.
const CHILD: &str = "TOLLWATCH_STORE_TEST_CHILD";

/// Not a test of its own: what the child of the tests below does.
#[test]
fn commits_until_it_is_killed() {
    let Some(directory) = std::env::var_os(CHILD) else { return };
    let mut store = Store::open(Path::new(&directory)).unwrap();
    let mut history = History::new(1);
    for number in 1.. {
        store.commit(&history.next()).unwrap();
        // To the standard error, which the harness does not hold back.
        eprintln!("committed {number}");
    }
}

/// A child that has committed at least so often, and how often it has said so.
fn child(directory: &Path, commits: usize) -> (Child, BufReader<std::process::ChildStderr>, usize) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture", "directory::commits_until_it_is_killed"])
        .env(CHILD, directory)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap());
    let mut committed = 0;
    while committed < commits {
        committed = next(&mut lines).expect("the child ended early");
    }
    (child, lines, committed)
}

/// The next number that the child says it has committed, until its output ends.
fn next(lines: &mut BufReader<std::process::ChildStderr>) -> Option<usize> {
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line).unwrap() == 0 {
            return None;
        }
        // A line that the kill cut short says nothing.
        if let Some(number) = line.strip_suffix('\n').and_then(|line| line.strip_prefix("committed ")) {
            return Some(number.parse().unwrap());
        }
    }
}

#[test]
fn a_second_process_is_refused_until_the_first_is_killed() {
    let directory = tempfile::tempdir().unwrap();
    let (mut child, _lines, _) = child(directory.path(), 1);
    let error = Store::open(directory.path()).unwrap_err();
    let process = child.id();
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(error.to_string(), format!("{} is in use by process {process}", directory.path().display()));
    assert!(!read(&mut Store::open(directory.path()).unwrap()).unwrap().state.positions.is_empty());
}

#[test]
fn a_process_that_is_killed_leaves_every_commit_that_it_spoke_of() {
    let directory = tempfile::tempdir().unwrap();
    for commits in [1, 2, 3, 5, 8, 13, 21, 34] {
        // A directory each, since a child begins its history anew.
        let directory = directory.path().join(commits.to_string());
        let (mut child, mut lines, mut committed) = child(&directory, commits);
        child.kill().unwrap();
        child.wait().unwrap();
        while let Some(later) = next(&mut lines) {
            committed = later;
        }
        let found = read(&mut Store::open(&directory).unwrap()).unwrap();
        let mut history = History::new(1);
        let mut expected = Model::default();
        (0..committed).for_each(|_| expected.commit(&history.next()));
        let mut next = expected.clone();
        next.commit(&history.next());
        assert!(found == expected || found == next, "after {committed} commits");
    }
}

#[test]
fn a_second_store_in_the_same_process_is_refused_until_the_first_is_dropped() {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path()).unwrap();
    let error = Store::open(directory.path()).unwrap_err();
    assert!(
        matches!(error, StoreError::InUse { process: Some(process), .. } if process == std::process::id())
    );
    drop(store);
    Store::open(directory.path()).unwrap();
}

#[cfg(unix)]
#[test]
fn directory_and_files_are_the_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let state = directory.path().join("lib/tollwatch");
    drop(Store::open(&state).unwrap());
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&state), 0o700);
    let mut names = Vec::new();
    for entry in fs::read_dir(&state).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        names.push(path.file_name().unwrap().to_string_lossy().into_owned());
    }
    names.sort();
    assert_eq!(names, ["lock", "tollwatch.store"]);
}

#[test]
fn a_store_that_was_only_begun_is_begun_again() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(directory.path().join("tollwatch.store.new"), b"tollw").unwrap();
    let mut store = Store::open(directory.path()).unwrap();
    assert_eq!(read(&mut store).unwrap(), Model::default());
}

#[test]
fn a_file_that_is_empty_or_foreign_is_damaged_and_left_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("tollwatch.store");
    for content in [Vec::new(), b"my notes".to_vec(), vec![0; 100_000]] {
        fs::write(&file, &content).unwrap();
        let error = Store::open(directory.path()).unwrap_err();
        assert!(matches!(error, StoreError::Damaged { .. }), "{error:?}");
        assert_eq!(fs::read(&file).unwrap(), content);
    }
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    fs::write(&file, b"").unwrap();
    let error = Store::open(&file.join("state")).unwrap_err();
    assert!(error.to_string().ends_with("file/state"), "{error}");
}

#[test]
fn what_was_committed_is_there_after_the_store_is_opened_again() {
    let directory = tempfile::tempdir().unwrap();
    let mut history = History::new(2);
    let mut model = Model::default();
    for _ in 0..5 {
        let mut store = Store::open(directory.path()).unwrap();
        assert_eq!(read(&mut store).unwrap(), model);
        let changes: Changes = history.next();
        store.commit(&changes).unwrap();
        model.commit(&changes);
    }
}
