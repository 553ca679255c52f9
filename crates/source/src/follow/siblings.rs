//! The other files of a log: where rotation moved, copied or compressed it to.
use crate::blocks::Blocks;
use crate::input::{Compression, HEAD};
use crate::mark::{Fingerprint, Identity, Mark, PROOF, Recent, Seen};
use crate::{Input, SourceError};
use std::cmp::Reverse;
use std::fs::{self, File, Metadata};
use std::io;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// What stands in a file, ready to be read.
#[derive(Debug)]
pub(super) enum Content {
    /// Not open: where it lies is still to be found, or it is over.
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
        let number =
            std::str::from_utf8(name).ok().filter(|name| name.len() <= 3).and_then(|name| name.parse().ok());
        Some(number.map_or_else(|| Self::Dated(digits(name)), |number| Self::Numbered(Reverse(number))))
    }
}

/// Dates are compared by their digits, however they are written.
fn digits(name: &[u8]) -> Vec<u8> {
    name.iter().copied().filter(u8::is_ascii_digit).collect()
}

/// A file whose name begins with that of the log.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Sibling {
    pub(super) path: PathBuf,
    pub(super) identity: Identity,
    pub(super) seen: Seen,
    /// None for the log itself and for names that rotation does not give.
    pub(super) generation: Option<Generation>,
    pub(super) is_log: bool,
}

/// All of them, oldest first: by generation, then those with other names, last the log itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Siblings(Vec<Sibling>);

impl Siblings {
    /// Looks through the directory of the log, and through `archive` if rotation moves files there.
    pub(super) fn list(log: &Path, archive: Option<&Path>) -> Result<Self, SourceError> {
        let mut before = Self::list_once(log, archive)?;
        // Files may be moved on while a directory is read: one is missing then, or there twice.
        for _ in 0..4 {
            let again = Self::list_once(log, archive)?;
            let settled = again.0.iter().map(Sibling::place).eq(before.0.iter().map(Sibling::place));
            before = again;
            if settled {
                break;
            }
        }
        Ok(before)
    }

    fn list_once(log: &Path, archive: Option<&Path>) -> Result<Self, SourceError> {
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
                    siblings
                        .extend(fs::metadata(log).map(|it| Sibling::new(log.to_owned(), &it, None, true)));
                    continue;
                }
                entries => entries.map_err(failed)?,
            };
            for entry in entries {
                let entry = entry.map_err(failed)?;
                let entry_name = entry.file_name();
                let Some(suffix) = entry_name.as_bytes().strip_prefix(name) else { continue };
                // It may have been moved on meanwhile.
                let Ok(metadata) = fs::metadata(entry.path()) else { continue };
                let is_log = suffix.is_empty() && directory == parent;
                if metadata.is_file() && (is_log || !suffix.is_empty()) {
                    let path = if is_log { log.to_owned() } else { entry.path() };
                    siblings.push(Sibling::new(path, &metadata, Generation::of(suffix), is_log));
                }
            }
        }
        siblings.sort_by(|a, b| {
            let kind = |sibling: &Sibling| (sibling.is_log, sibling.generation.is_none());
            let unnamed = |sibling: &Sibling| sibling.generation.is_none().then_some(sibling.seen.modified);
            kind(a)
                .cmp(&kind(b))
                .then_with(|| a.generation.cmp(&b.generation))
                .then_with(|| unnamed(a).cmp(&unnamed(b)))
                // While a file is being compressed, both are there: the plain one, whole, comes first.
                .then_with(|| a.path.cmp(&b.path))
        });
        Ok(Self(siblings))
    }

    pub(super) fn get(&self, index: usize) -> Option<&Sibling> {
        self.0.get(index)
    }

    pub(super) fn enumerated(&self) -> impl Iterator<Item = (usize, &Sibling)> {
        self.0.iter().enumerate()
    }

    /// Where the file is, if it has a name here.
    pub(super) fn position(&self, identity: Identity) -> Option<usize> {
        self.0.iter().position(|sibling| sibling.identity == identity)
    }

    /// The youngest that rotation has named.
    pub(super) fn newest_generation(&self) -> Option<&Sibling> {
        self.0.iter().rfind(|sibling| sibling.generation.is_some())
    }

    /// Finds the file that was used as far as `mark` says, among those of `range`; and whether there is more in it.
    ///
    /// It is the oldest that holds what was used. Where that was only a header, all files hold it: the oldest was
    /// not read then, nor was any after it, and it does not matter which of them the mark was of. A file that is
    /// still being copied is not cut yet: that one, rather than its copy.
    pub(super) fn find(
        &self,
        mark: &Mark,
        any_age: bool,
        was_open: bool,
        range: Range<usize>,
    ) -> io::Result<Option<(usize, bool)>> {
        let mut fitting: Vec<(usize, Vec<u8>)> = Vec::new();
        for (index, sibling) in self.enumerated().filter(|(index, _)| range.contains(index)) {
            let own = sibling.identity == mark.identity;
            // An inode may have been used again. Where enough was used, that is seen, whatever the clock did.
            let proven = any_age || (own && mark.offset > PROOF as u64);
            let may_be = proven || sibling.seen.modified >= mark.modified;
            if !may_be {
                continue;
            }
            let more = match sibling.beyond(mark) {
                Ok(Some(more)) => more,
                // If it cannot be read that the file is another, nothing is known of it.
                Err(error) if own && error.kind() != io::ErrorKind::NotFound => return Err(error),
                Ok(None) | Err(_) => continue,
            };
            // Unless it was open, an inode used again must not hide a file with nothing more in it yet.
            let copied = |of_older: &[u8]| more.starts_with(of_older) && (was_open || !of_older.is_empty());
            if own && fitting.iter().all(|(_, of_older)| copied(of_older)) {
                return Ok(Some((index, !more.is_empty())));
            }
            fitting.push((index, more));
        }
        Ok(fitting.first().map(|(index, more)| (*index, !more.is_empty())))
    }
}

impl Sibling {
    fn new(path: PathBuf, metadata: &Metadata, generation: Option<Generation>, is_log: bool) -> Self {
        Self { path, identity: Identity::of(metadata), seen: Seen::of(metadata), generation, is_log }
    }

    fn place(&self) -> (&Path, Identity) {
        (&self.path, self.identity)
    }

    /// Opens it, unless another file has its name by now.
    pub(super) fn open(&self) -> io::Result<File> {
        let file = File::open(&self.path)?;
        if Identity::of(&file.metadata()?) != self.identity {
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok(file)
    }

    pub(super) fn content(&self) -> io::Result<Content> {
        Content::of(&self.path, self.open()?).map_err(io::Error::other)
    }

    /// What stands behind the place of `mark`, as much of it as a proof takes, if what was used stands before it.
    fn beyond(&self, mark: &Mark) -> io::Result<Option<Vec<u8>>> {
        let tail = mark.tail.length();
        let mut more = vec![0; PROOF];
        let read = match self.content()? {
            Content::Plain(file) => {
                let Some(from) = mark.offset.checked_sub(tail as u64) else { return Ok(None) };
                match plain(&file, from, tail) {
                    Ok(before) if mark.tail.matches(before.bytes()) => {}
                    Ok(_) => return Ok(None),
                    Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
                    Err(error) => return Err(error),
                }
                read_at(&file, &mut more, mark.offset)?
            }
            Content::Packed(file) => {
                let Ok((mut input, before)) = unpack(&self.path, file, mark.offset) else { return Ok(None) };
                if !mark.tail.matches(before.bytes()) {
                    return Ok(None);
                }
                fill(&mut input, &mut more).unwrap_or(0)
            }
            Content::Sought | Content::Unpacking(_) => return Ok(None),
        };
        more.truncate(read);
        Ok(Some(more))
    }

    /// Its length, unpacked, and the last bytes in it.
    pub(super) fn end(&self) -> io::Result<(u64, Recent)> {
        match self.content()? {
            Content::Packed(file) => {
                let mut input = Input::from_file(&self.path, file, 0..u64::MAX).map_err(io::Error::other)?;
                let (mut length, mut recent, mut buffer) = (0, Recent::default(), vec![0; 64 * 1024]);
                loop {
                    let read = fill(&mut input, &mut buffer).map_err(io::Error::other)?;
                    recent.push(buffer.get(..read).unwrap_or_default());
                    length += read as u64;
                    if read < buffer.len() {
                        return Ok((length, recent));
                    }
                }
            }
            Content::Plain(file) => {
                let size = self.seen.size;
                let tail = size.min(PROOF as u64);
                Ok((size, plain(&file, size - tail, tail as usize)?))
            }
            Content::Sought | Content::Unpacking(_) => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// The mark of a file that was read to its end.
    pub(super) fn over(&self) -> io::Result<Mark> {
        let (offset, end) = self.end()?;
        let tail = Fingerprint::of(end.bytes());
        Ok(Mark { identity: self.identity, offset, tail, modified: self.seen.modified, over: true })
    }
}

/// The bytes at `offset`.
pub(super) fn plain(file: &File, offset: u64, length: usize) -> io::Result<Recent> {
    let mut bytes = vec![0; length];
    if read_at(file, &mut bytes, offset)? < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let mut recent = Recent::default();
    recent.push(&bytes);
    Ok(recent)
}

/// Unpacks `length` bytes and gives the last of them.
pub(super) fn unpack(path: &Path, file: File, length: u64) -> Result<(Input, Recent), SourceError> {
    let mut input = Input::from_file(path, file, 0..u64::MAX)?;
    let (mut recent, mut left) = (Recent::default(), length);
    let mut buffer = vec![0; 64 * 1024];
    while left > 0 {
        buffer.truncate(left.min(buffer.len() as u64) as usize);
        let read = input.read(&mut buffer)?;
        if read == 0 {
            return Err(SourceError::Truncated { path: path.to_owned(), at: input.position() });
        }
        recent.push(buffer.get(..read).unwrap_or_default());
        left -= read as u64;
    }
    Ok((input, recent))
}

/// Reads until `into` is full or the input ends.
fn fill(input: &mut Input, into: &mut [u8]) -> Result<usize, SourceError> {
    let mut filled = 0;
    while let Some(room) = into.get_mut(filled..).filter(|room| !room.is_empty()) {
        match input.read(room)? {
            0 => break,
            read => filled += read,
        }
    }
    Ok(filled)
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
