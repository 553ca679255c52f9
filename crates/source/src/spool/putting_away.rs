//! What becomes of a file of a spool directory that was read.
use super::Afterwards;
use super::ledger::Stamp;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

/// So many files of one name are told apart by a number.
const MOST_ALIKE: u32 = 10_000;

/// Puts a file away that is still what it was when it was read. Says why it cannot.
pub(super) fn put_away(
    directory: &Path,
    name: &OsStr,
    stamp: Stamp,
    afterwards: &Afterwards,
) -> Result<(), String> {
    let path = directory.join(name);
    let is_same = || fs::metadata(&path).is_ok_and(|metadata| Stamp::of(&metadata) == stamp);
    match afterwards {
        Afterwards::Leave => Ok(()),
        // What has changed since is read again.
        _ if !is_same() => Ok(()),
        Afterwards::Delete => fs::remove_file(&path).map_err(|error| {
            format!("it was read and cannot be deleted: {error}; let the service write to its directory")
        }),
        Afterwards::Move(to) => moved(&path, name, to).map_err(|error| {
            format!(
                "it was read and cannot be moved to {}: {error}; is that there, and writable?",
                to.display()
            )
        }),
    }
}

/// Moves without replacing anything.
fn moved(path: &Path, name: &OsStr, to: &Path) -> io::Result<()> {
    let numbered = (1..MOST_ALIKE).map(|number| {
        let mut numbered = OsString::from(name);
        numbered.push(format!(".{number}"));
        numbered
    });
    for name in std::iter::once(name.to_owned()).chain(numbered) {
        let target = to.join(&name);
        match fs::hard_link(path, &target) {
            Ok(()) => return fs::remove_file(path),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                // Interrupted between the two steps.
                if same(path, &target)? {
                    return fs::remove_file(path);
                }
            }
            // Another file system, or one without links.
            Err(_) if !target.exists() => return copied(path, &target, &to.join(hidden(&name))),
            Err(_) => {}
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

fn hidden(name: &OsStr) -> PathBuf {
    let mut hidden = OsString::from(".");
    hidden.push(name);
    hidden.push(".part");
    hidden.into()
}

fn same(one: &Path, other: &Path) -> io::Result<bool> {
    Ok(Stamp::of(&fs::metadata(one)?) == Stamp::of(&fs::metadata(other)?))
}

fn copied(path: &Path, target: &Path, part: &Path) -> io::Result<()> {
    if fs::rename(path, target).is_ok() {
        return Ok(());
    }
    let modified = fs::metadata(path)?.modified()?;
    fs::copy(path, part)?;
    let copy = File::options().write(true).open(part)?;
    copy.set_modified(modified)?;
    copy.sync_all()?;
    fs::rename(part, target)?;
    fs::remove_file(path)
}
