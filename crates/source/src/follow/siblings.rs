//! The other files of a log: where rotation moved, copied or compressed it to.
use crate::blocks::Blocks;
use crate::input::{Compression, HEAD};
use crate::mark::{Identity, Mark, Recent, Seen};
use crate::{Input, SourceError};
use std::cmp::Reverse;
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// What stands in a file, ready to be read.
#[derive(Debug)]
pub(super) enum Content {
    /// Where it lies now is still to be found.
    Sought,
    /// It may grow.
    Plain(File),
    /// Complete; unpacked when its turn comes.
    Packed(File),
    Unpacking(Box<Blocks>),
}

impl Content {
    pub(super) fn of(path: &Path, file: File) -> Result<Self, SourceError> {
        let mut head = [0; HEAD];
        let read = read_at(&file, &mut head, 0).map_err(|source| SourceError::Read {
            path: path.to_owned(),
            at: 0,
            source,
        })?;
        Ok(match Compression::of(head.get(..read).unwrap_or_default()) {
            Compression::Plain => Self::Plain(file),
            Compression::Gzip | Compression::Zstandard => Self::Packed(file),
        })
    }
}

/// Reads from `offset` until `into` is full or the file ends.
pub(super) fn read_at(file: &File, into: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(room) = into.get_mut(filled..).filter(|room| !room.is_empty()) {
        match file.read_at(room, offset + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// The age of a rotated file by its name, oldest first: `Master.csv-20261124`, `Master.csv-20261125`,
/// `Master.csv.2.gz`, `Master.csv.1`. Late appends make times of change useless for this.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Generation {
    Dated(Vec<u8>),
    Numbered(Reverse<u32>),
}

impl Generation {
    /// Of what follows the name of the log. Copies made by hand (`.bak`) have none, and are never taken for a part
    /// of the log that was missed.
    fn of(suffix: &[u8]) -> Option<Self> {
        let plain = [b".gz".as_slice(), b".zst"].iter().find_map(|packed| suffix.strip_suffix(*packed));
        let [b'.' | b'-' | b'_', name @ ..] = plain.unwrap_or(suffix) else { return None };
        let of_a_date = |byte: &u8| byte.is_ascii_digit() || b"-_.:T".contains(byte);
        if !name.first()?.is_ascii_digit() || !name.iter().all(of_a_date) {
            return None;
        }
        let number = std::str::from_utf8(name).ok().filter(|name| name.len() <= 3)?.parse().ok();
        Some(number.map_or_else(|| Self::Dated(name.to_vec()), |number| Self::Numbered(Reverse(number))))
    }
}

/// A file whose name begins with that of the log.
#[derive(Debug)]
pub(super) struct Sibling {
    pub(super) path: PathBuf,
    pub(super) identity: Identity,
    pub(super) seen: Seen,
    /// None for the log itself and for names that rotation does not give.
    pub(super) generation: Option<Generation>,
}

/// Where a position was found again.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) identity: Identity,
    pub(super) seen: Seen,
    pub(super) content: Content,
    pub(super) head: Vec<u8>,
    pub(super) recent: Recent,
}

/// All of them, by generation, oldest first; then the log itself; then those with other names.
#[derive(Debug)]
pub(super) struct Siblings(Vec<Sibling>);

impl Siblings {
    /// Looks through the directory of the log, and through `archive` if rotation moves files there.
    pub(super) fn list(log: &Path, archive: Option<&Path>) -> Result<Self, SourceError> {
        let parent = match log.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let name = log.file_name().unwrap_or_default().as_bytes();
        let mut siblings = Vec::new();
        for directory in [Some(parent), archive].into_iter().flatten() {
            let failed = |source: io::Error| match source.kind() {
                io::ErrorKind::NotFound => SourceError::Missing { path: directory.to_owned() },
                _ => SourceError::List { path: directory.to_owned(), source },
            };
            let entries = match fs::read_dir(directory) {
                // A file can be read in a directory whose names cannot.
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                    siblings.extend(fs::metadata(log).map(|it| Sibling::new(log.to_owned(), &it, None)));
                    continue;
                }
                entries => entries.map_err(failed)?,
            };
            for entry in entries {
                let entry = entry.map_err(failed)?;
                let entry_name = entry.file_name();
                let Some(suffix) = entry_name.as_bytes().strip_prefix(name) else { continue };
                // It may have been moved on meanwhile; then it is found when we look again.
                let Ok(metadata) = fs::metadata(entry.path()) else { continue };
                if metadata.is_file() {
                    let path = if suffix.is_empty() { log.to_owned() } else { entry.path() };
                    siblings.push(Sibling::new(path, &metadata, Generation::of(suffix)));
                }
            }
        }
        siblings.sort_by(|a, b| {
            let place = |sibling: &Sibling| (sibling.generation.is_none(), sibling.path != *log);
            // While a file is being compressed, both are there: the plain one, whole, comes first.
            place(a).cmp(&place(b)).then_with(|| (&a.generation, &a.path).cmp(&(&b.generation, &b.path)))
        });
        Ok(Self(siblings))
    }

    /// The file, if it has a name in this directory.
    pub(super) fn with(&self, identity: Identity) -> Option<&Sibling> {
        self.0.iter().find(|sibling| sibling.identity == identity)
    }

    /// Whether the file has a name in this directory.
    pub(super) fn knows(&self, identity: Identity) -> bool {
        self.0.iter().any(|sibling| sibling.identity == identity)
    }

    /// Finds the file that was used as far as `mark` says: by its identity if it still holds what it held, else
    /// the oldest copy of it that holds the same. `taken` are files that belong to other positions.
    pub(super) fn find(&self, mark: &Mark, taken: &[Identity]) -> Option<(&Sibling, Found)> {
        // With nothing known of its content, every file that got its inode since would fit.
        let known = mark.head.length() > 0;
        let same = self
            .0
            .iter()
            .filter(move |sibling| sibling.identity == mark.identity && (known || sibling.seen.size == 0));
        let copies = self.0.iter().filter(move |sibling| {
            known && sibling.identity != mark.identity && sibling.seen.modified >= mark.modified
        });
        same.chain(copies)
            .filter(|sibling| !taken.contains(&sibling.identity))
            .find_map(|sibling| Some((sibling, sibling.at(mark)?)))
    }

    /// The generations that came after `last`, oldest first. If `last` is not there in any form: those that were
    /// written after everything that was used, which was at `used_until`; where `last` was cut in place, without
    /// copies that were made of it before more was used than they hold.
    /// Also whether `last` is there.
    pub(super) fn after(&self, last: &Mark, used_until: i64, cut_in_place: bool) -> (bool, Vec<&Sibling>) {
        let by_identity = self.0.iter().find(|sibling| !cut_in_place && sibling.identity == last.identity);
        let anchor = by_identity.or_else(|| {
            let known = last.head.length() > 0;
            known.then(|| self.find(last, &[])).flatten().map(|(sibling, _)| sibling)
        });
        let newer = |sibling: &&Sibling| match anchor.and_then(|anchor| anchor.generation.as_ref()) {
            Some(anchor) => sibling.generation.as_ref() > Some(anchor),
            None => {
                sibling.generation.is_some()
                    && sibling.seen.modified > used_until
                    && !(cut_in_place && sibling.begins_as(last))
            }
        };
        let mut newer: Vec<_> = self.0.iter().filter(newer).collect();
        newer.dedup_by(|packed, plain| packed.generation == plain.generation);
        (anchor.is_some(), newer)
    }
}

impl Sibling {
    fn new(path: PathBuf, metadata: &Metadata, generation: Option<Generation>) -> Self {
        Self { path, identity: Identity::of(metadata), seen: Seen::of(metadata), generation }
    }

    /// Opens it; none if it is gone or another file has its name by now.
    pub(super) fn open(&self) -> Option<File> {
        let file = File::open(&self.path).ok()?;
        let metadata = file.metadata().ok()?;
        (Identity::of(&metadata) == self.identity).then_some(file)
    }

    /// The file at the place of `mark`, if it holds what `mark` says.
    fn at(&self, mark: &Mark) -> Option<Found> {
        let (content, head, recent) = match Content::of(&self.path, self.open()?).ok()? {
            Content::Packed(file) => {
                let again = file.try_clone().ok()?;
                let head = unpack(&self.path, file, mark.head.length() as u64)?.1;
                if !mark.head.matches(head.bytes()) {
                    return None;
                }
                let (input, recent) = unpack(&self.path, again, mark.offset)?;
                (Content::Unpacking(Box::new(Blocks::new(input))), head, recent)
            }
            Content::Plain(file) => {
                let head = plain(&file, 0, mark.head.length())?;
                let tail = mark.tail.length();
                let recent = plain(&file, mark.offset.checked_sub(tail as u64)?, tail)?;
                (Content::Plain(file), head, recent)
            }
            Content::Sought | Content::Unpacking(_) => return None,
        };
        let head = head.bytes().to_vec();
        (mark.head.matches(&head) && mark.tail.matches(recent.bytes())).then_some(Found {
            identity: self.identity,
            seen: self.seen,
            content,
            head,
            recent,
        })
    }

    fn begins_as(&self, mark: &Mark) -> bool {
        let length = mark.head.length();
        if length == 0 {
            return false;
        }
        let head = self.open().and_then(|file| match Content::of(&self.path, file).ok()? {
            Content::Plain(file) => plain(&file, 0, length),
            Content::Packed(file) => Some(unpack(&self.path, file, length as u64)?.1),
            Content::Sought | Content::Unpacking(_) => None,
        });
        head.is_some_and(|head| mark.head.matches(head.bytes()))
    }
}

/// The bytes at `offset`, at most as many as a fingerprint takes; none if there are fewer.
fn plain(file: &File, offset: u64, length: usize) -> Option<Recent> {
    let mut bytes = vec![0; length];
    let read = read_at(file, &mut bytes, offset).ok()?;
    let mut recent = Recent::default();
    recent.push(&bytes);
    (read == length).then_some(recent)
}

/// Unpacks `length` bytes and gives the last of them; none if there are fewer.
fn unpack(path: &Path, file: File, length: u64) -> Option<(Input, Recent)> {
    let mut input = Input::from_file(path, file, 0..u64::MAX).ok()?;
    let (mut recent, mut left) = (Recent::default(), length);
    let mut buffer = vec![0; 64 * 1024];
    while left > 0 {
        let room = left.min(buffer.len() as u64) as usize;
        let read = input.read(buffer.get_mut(..room)?).ok().filter(|&read| read > 0)?;
        recent.push(buffer.get(..read)?);
        left -= read as u64;
    }
    Some((input, recent))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generation(suffix: &str) -> Option<Generation> {
        Generation::of(suffix.as_bytes())
    }

    #[test]
    fn rotated_files_are_ordered_by_name_oldest_first() {
        let ordered = ["-20261123.gz", "-20261124", ".2026-11-25-10-00-00", ".12.gz", ".2.zst", ".1", ".0"];
        let ages: Vec<_> = ordered.iter().map(|suffix| generation(suffix).unwrap()).collect();
        // A dated name is older than a numbered one: who has both changed from dates to numbers.
        assert!(ages.is_sorted(), "{ages:?}");
        assert_eq!(generation(".7"), generation(".7.gz"));
    }

    #[test]
    fn names_that_rotation_does_not_give_have_no_age() {
        for suffix in ["", ".bak", "~", ".1.bz2", ".1.tmp", ".gz", "2", ".old", ".swp"] {
            assert_eq!(generation(suffix), None, "{suffix}");
        }
    }
}
