//! A file of one JSON object a line.
use super::Delivery;
use crate::config::Building;
use crate::outcome::Outcome;
use rustix::fs::OFlags;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Options of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawJsonLines {
    /// The file. It is made where it is missing, for its owner alone, and may be rotated by renaming.
    pub path: PathBuf,
}

#[derive(Debug)]
pub(crate) struct JsonLines {
    path: PathBuf,
    timeout: Duration,
}

impl JsonLines {
    pub(super) fn build(raw: &RawJsonLines, building: &Building<'_>) -> Self {
        Self { path: building.path(&raw.path), timeout: building.timeout }
    }

    pub(super) async fn deliver(&self, delivery: &Delivery<'_>) -> Outcome {
        let mut line = match serde_json::to_vec(delivery.alert) {
            Ok(line) => line,
            Err(error) => return Outcome::refused(error.to_string()),
        };
        line.push(b'\n');
        let path = self.path.clone();
        let writing = tokio::task::spawn_blocking(move || append(&path, &line));
        match tokio::time::timeout(self.timeout, writing).await {
            Err(_) => Outcome::retry(format!("not written within {} s", self.timeout.as_secs())),
            Ok(Err(_)) => Outcome::retry("the writing task ended"),
            Ok(Ok(Err(error))) => Outcome::retry(error.to_string()),
            Ok(Ok(Ok(()))) => Outcome::Delivered,
        }
    }
}

/// Opened anew for each line, so that a rotated file is left alone. No link is followed at its name, for somebody else
/// may have put it there; a pipe would block.
fn append(path: &Path, line: &[u8]) -> io::Result<()> {
    let flags = OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let mut file = OpenOptions::new()
        .read(true)
        .append(true)
        .create(true)
        .mode(0o600)
        .custom_flags(flags.bits().cast_signed())
        .open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    // Whoever else appends to it waits until this line is whole.
    file.lock()?;
    let before = file.metadata()?.len();
    let written = write_line(&mut file, before, line);
    if written.is_err() {
        // On a full disk a piece of the line may be there: the next one must not be glued to it.
        let _ = file.set_len(before);
    }
    written
}

fn write_line(file: &mut File, length: u64, line: &[u8]) -> io::Result<()> {
    if length > 0 {
        let mut last = [0];
        file.seek(SeekFrom::Start(length - 1))?;
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            // The process was killed while it wrote.
            file.write_all(b"\n")?;
        }
    }
    file.write_all(line)?;
    file.sync_data()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn lines_are_appended_to_a_file_of_its_owner_alone_even_behind_a_torn_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("alerts.jsonl");
        append(&path, b"{}\n").unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        std::fs::write(&path, "{}\n{\"to").unwrap();
        append(&path, b"{}\n").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "{}\n{\"to\n{}\n");
    }

    #[test]
    fn a_link_a_pipe_and_a_folder_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("target"), folder.path().join("link"));
        std::fs::write(&target, "").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        assert!(append(&link, b"{}\n").is_err());
        assert_eq!(std::fs::read_to_string(&target).unwrap(), "");
        assert!(append(folder.path(), b"{}\n").is_err());
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        assert!(append(&pipe, b"{}\n").is_err());
        assert!(append(Path::new("/dev/full"), b"{}\n").is_err());
    }
}
