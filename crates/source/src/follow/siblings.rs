//! The files of a log: where rotation moved, copied or compressed it to.
use super::content::{self, Content, plain, unpack};
use crate::SourceError;
use crate::mark::{Fingerprint, Head, Identity, Likeness, Mark, PROOF, Recent, Seen};
use std::cmp::Reverse;
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

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

/// A file whose name begins with that of the log. It is open, so that it is the same one until all is decided.
#[derive(Debug)]
pub(super) struct Sibling {
    pub(super) path: PathBuf,
    pub(super) identity: Identity,
    pub(super) seen: Seen,
    /// None for the log itself and for names that rotation does not give.
    pub(super) generation: Option<Generation>,
    pub(super) is_log: bool,
    file: io::Result<File>,
    /// Its first bytes, unpacked.
    pub(super) beginning: Vec<u8>,
}

/// What a file has of what was used of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Holds {
    /// It is another.
    Nothing,
    /// It begins in the same way and ends before: a copy that was made earlier, or that is damaged.
    Less,
    /// All of it, and nothing more.
    All,
    /// All of it, and there is more behind it.
    More,
}

/// All of them, oldest first: those with other names by time, then by generation, last the log itself. Of a
/// generation that is being compressed or moved there is only the whole one.
#[derive(Debug)]
pub(super) struct Siblings(Vec<Sibling>);

impl Siblings {
    /// Looks through the directory of the log, and through `archive` if rotation moves files there.
    ///
    /// # Errors
    /// They cannot be listed, or are being moved about all the while: the next look may have more luck.
    pub(super) fn list(log: &Path, archive: Option<&Path>) -> Result<Self, SourceError> {
        let places = |list: &[Sibling]| -> Vec<(PathBuf, Identity)> {
            list.iter().map(|sibling| (sibling.path.clone(), sibling.identity)).collect()
        };
        let mut before = list_once(log, archive)?;
        // Files may be moved on while a directory is read: one is missing then, or there twice.
        for _ in 0..8 {
            let mut again = list_once(log, archive)?;
            if places(&again) == places(&before) && again.iter_mut().all(Sibling::open) {
                return Ok(Self(ordered(again)));
            }
            before = again;
        }
        let source = io::Error::new(io::ErrorKind::ResourceBusy, "its files are being moved");
        Err(SourceError::List { path: log.to_owned(), source })
    }

    pub(super) fn get(&self, index: usize) -> Option<&Sibling> {
        self.0.get(index)
    }

    pub(super) fn enumerated(&self) -> impl DoubleEndedIterator<Item = (usize, &Sibling)> {
        self.0.iter().enumerate()
    }

    /// Where the file is, if it has a name here.
    pub(super) fn position(&self, identity: Identity) -> Option<usize> {
        self.0.iter().position(|sibling| sibling.identity == identity)
    }

    /// Those that rotation has named, the youngest first.
    pub(super) fn rotated(&self) -> impl Iterator<Item = &Sibling> {
        self.0.iter().rev().filter(|sibling| sibling.generation.is_some())
    }

    /// So many bytes are the same at the beginnings of files that are not copies of each other: a header. Beside those
    /// that are here, of files that are known by their `heads`, and of some that are open.
    pub(super) fn header(&self, heads: &[&Head], open: &[&[u8]]) -> usize {
        let here = self.0.iter().map(|sibling| &*sibling.beginning);
        let beginnings: Vec<&[u8]> = here.chain(open.iter().copied()).collect();
        let mut header = 0;
        for (index, one) in beginnings.iter().enumerate() {
            let others = beginnings.get(index + 1..).unwrap_or_default();
            header = others.iter().filter_map(|other| shared(one, other)).fold(header, usize::max);
            let others = heads.iter().map(|head| head.likeness(one));
            header = others.filter_map(Likeness::of_another).fold(header, usize::max);
        }
        for (index, one) in heads.iter().enumerate() {
            let others = heads.get(index + 1..).unwrap_or_default();
            header = others.iter().filter_map(|other| one.shared(other)).fold(header, usize::max);
        }
        header
    }
}

/// The whole lines at the beginning of both, if neither is the beginning of the other.
fn shared(one: &[u8], other: &[u8]) -> Option<usize> {
    let common = one.iter().zip(other).take_while(|(one, other)| one == other).count();
    let both_go_on = common < one.len() && common < other.len();
    both_go_on.then(|| Head::of(one.get(..common).unwrap_or_default()).length())
}

fn list_once(log: &Path, archive: Option<&Path>) -> Result<Vec<Sibling>, SourceError> {
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
                siblings.extend(fs::metadata(log).map(|it| Sibling::new(log.to_owned(), &it, None, true)));
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
    siblings.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(siblings)
}

fn ordered(mut siblings: Vec<Sibling>) -> Vec<Sibling> {
    siblings.sort_by(|a, b| {
        let kind = |sibling: &Sibling| (sibling.is_log, sibling.generation.is_some());
        let unnamed = |sibling: &Sibling| sibling.generation.is_none().then_some(sibling.seen.modified);
        // While a file is compressed or moved, both are there: the one that is whole comes first.
        let whole = |sibling: &Sibling| (sibling.has_packed_name(), Reverse(sibling.seen.size));
        kind(a)
            .cmp(&kind(b))
            .then_with(|| a.generation.cmp(&b.generation))
            .then_with(|| unnamed(a).cmp(&unnamed(b)))
            .then_with(|| whole(a).cmp(&whole(b)))
            .then_with(|| a.path.cmp(&b.path))
    });
    siblings.dedup_by(|second, first| first.generation.is_some() && first.generation == second.generation);
    siblings
}

impl Sibling {
    fn new(path: PathBuf, metadata: &Metadata, generation: Option<Generation>, is_log: bool) -> Self {
        Self {
            path,
            identity: Identity::of(metadata),
            seen: Seen::of(metadata),
            generation,
            is_log,
            file: Err(io::ErrorKind::NotFound.into()),
            beginning: Vec::new(),
        }
    }

    /// It is the log, or rotation has made it of the log.
    pub(super) fn is_of_log(&self) -> bool {
        self.is_log || self.generation.is_some()
    }

    pub(super) fn is_packed(&self) -> bool {
        self.file.as_ref().is_ok_and(|file| content::is_packed(file).unwrap_or_default())
    }

    fn has_packed_name(&self) -> bool {
        self.path.extension().is_some_and(|extension| extension == "gz" || extension == "zst")
    }

    /// Opens it and looks at its beginning. Whether it still has its name.
    fn open(&mut self) -> bool {
        let opened = File::open(&self.path).and_then(|file| {
            let metadata = file.metadata()?;
            if Identity::of(&metadata) != self.identity {
                return Err(io::ErrorKind::NotFound.into());
            }
            self.seen = Seen::of(&metadata);
            self.beginning = content::beginning(&self.path, &file)?;
            Ok(file)
        });
        let is_there = !opened.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
        self.file = opened;
        is_there
    }

    pub(super) fn file(&self) -> Result<File, SourceError> {
        let again = match &self.file {
            Ok(file) => file.try_clone(),
            Err(error) => {
                Err(error.raw_os_error().map_or_else(|| error.kind().into(), io::Error::from_raw_os_error))
            }
        };
        again.map_err(|source| SourceError::Open { path: self.path.clone(), source })
    }

    pub(super) fn content(&self) -> Result<Content, SourceError> {
        Content::of(&self.path, self.file()?)
    }

    /// What it has of what was used of the file of that mark.
    pub(super) fn holds(&self, mark: &Mark) -> Result<Holds, SourceError> {
        let tail = mark.tail.length();
        match self.content()? {
            Content::Plain(file) => {
                if self.seen.size < mark.offset {
                    return Ok(Holds::Less);
                }
                let Some(from) = mark.offset.checked_sub(tail as u64) else { return Ok(Holds::Nothing) };
                match plain(&file, from, tail) {
                    Ok(before) if !mark.tail.matches(&before) => Ok(Holds::Nothing),
                    Ok(_) if self.seen.size > mark.offset => Ok(Holds::More),
                    Ok(_) => Ok(Holds::All),
                    Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(Holds::Less),
                    Err(source) => Err(SourceError::Read { path: self.path.clone(), at: from, source }),
                }
            }
            Content::Packed(file) => Ok(match unpack(&self.path, file, mark.offset) {
                Ok(unpacked) if unpacked.length < mark.offset => Holds::Less,
                Ok(unpacked) if !mark.tail.matches(unpacked.before.bytes()) => Holds::Nothing,
                Ok(mut unpacked) => match content::fill(&mut unpacked.input, &mut [0]) {
                    (0, None) => Holds::All,
                    _ => Holds::More,
                },
                Err(_) => Holds::Less,
            }),
            Content::Sought | Content::Unpacking(_) => Ok(Holds::Nothing),
        }
    }

    /// The mark of a file that was read to its end.
    pub(super) fn over(&self) -> Result<Mark, SourceError> {
        let (offset, end) = match self.content()? {
            Content::Packed(file) => {
                let unpacked = unpack(&self.path, file, u64::MAX)?;
                (unpacked.length, unpacked.before)
            }
            Content::Plain(file) => {
                let length = self.seen.size.min(PROOF as u64);
                let from = self.seen.size - length;
                let bytes = plain(&file, from, length as usize);
                let read = |source| SourceError::Read { path: self.path.clone(), at: from, source };
                (self.seen.size, Recent::of(&bytes.map_err(read)?))
            }
            Content::Sought | Content::Unpacking(_) => (0, Recent::default()),
        };
        Ok(Mark {
            identity: self.identity,
            offset,
            tail: Fingerprint::of(end.bytes()),
            head: Head::of_whole(&self.beginning),
            modified: self.seen.modified,
            over: true,
        })
    }
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
