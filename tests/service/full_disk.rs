//! A real file system that has no room for a while.
use super::killed::{configuration, differing, rows, undisturbed};
use super::running::{append, wait_until};
use super::{Receiver, Running};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// A file system of some megabytes, while it is mounted.
struct Small(PathBuf);

impl Small {
    fn mount(path: &Path) -> Option<Self> {
        let arguments = ["-t", "tmpfs", "-o", "size=24m,mode=700", "tmpfs"];
        let done = Command::new("mount").args(arguments).arg(path).output().ok()?;
        done.status.success().then(|| Self(path.to_owned()))
    }

    /// Leaves no byte.
    fn fill(&self) {
        let mut ballast = fs::File::create(self.0.join("ballast")).unwrap();
        for length in [1 << 16, 1] {
            while ballast.write_all(&vec![1; length]).is_ok() {}
        }
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn a_service_whose_file_system_is_full_for_a_while_tells_the_same() {
    let rows = rows();
    let expected = undisturbed(&rows);
    let receiver = Receiver::start(0, 1);
    let mut running = Running::prepare(&configuration(&receiver));
    fs::create_dir(running.path("state")).unwrap();
    let Some(small) = Small::mount(&running.path("state")) else {
        eprintln!("nothing was tested: a small file system can be mounted by root only");
        return;
    };
    let log = running.path("Master.csv");
    let (first, rest) = rows.split_at(rows.len() / 2);
    append(&log, &first.concat());
    running.start();
    assert!(wait_until(Duration::from_mins(1), || receiver.ids() > 0), "{}", running.log());
    small.fill();
    append(&log, &rest.concat());
    let is_told = || running.log().contains("cannot write the state");
    assert!(wait_until(Duration::from_mins(1), is_told), "{}", running.log());
    // One service ends on the full disk, and the next one begins on it.
    assert!(running.kill());
    running.start();
    let starts = || running.log().matches("\"ready\"").count() == 2;
    assert!(wait_until(Duration::from_mins(1), starts), "{}", running.log());
    fs::remove_file(small.0.join("ballast")).unwrap();
    let complete = || expected.keys().all(|id| receiver.received().contains_key(id));
    assert!(wait_until(Duration::from_mins(1), complete), "{}", running.log());
    assert_eq!(running.stop(), Some(0), "{}", running.log());
    let mut received = receiver.received();
    received.retain(|_, alerts| alerts[0]["data"]["about"].get("calls").is_some());
    let differing = differing(&received, &expected);
    assert!(differing.is_empty(), "{} differ\n{}", differing.len(), differing.join("\n"));
}
