//! How a file is known again: by where it lies, and by what stands in it.
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

/// So many bytes before a position prove which file it is of, and so many at its beginning are looked at.
pub(crate) const PROOF: usize = 4096;
/// So many lines at its beginning tell a file from others, whatever header all of them have.
const HEAD_LINES: usize = 8;

/// Where a file lies. A number is used again once the file is gone, so this alone proves nothing after a restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Identity {
    device: u64,
    inode: u64,
}

impl Identity {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino() }
    }
}

/// Size and time of the last change: when neither differs, nobody wrote.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Seen {
    /// In bytes.
    pub(crate) size: u64,
    /// Nanoseconds since 1970, by the clock of the file system.
    pub(crate) modified: i64,
}

impl Seen {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        let modified = metadata.mtime().saturating_mul(1_000_000_000).saturating_add(metadata.mtime_nsec());
        Self { size: metadata.size(), modified }
    }
}

/// A few bytes, kept so that they can be recognised but not read: they are of somebody's calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint {
    length: u16,
    hash: u64,
}

impl Fingerprint {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let mut hash = [0; 8];
        hash.copy_from_slice(Sha256::digest(bytes).split_at(8).0);
        Self { length: bytes.len() as u16, hash: u64::from_le_bytes(hash) }
    }
    pub(crate) fn length(self) -> usize {
        self.length.into()
    }
    pub(crate) fn matches(self, bytes: &[u8]) -> bool {
        self == Self::of(bytes)
    }
}

/// How a file begins: a fingerprint of its first line, one of its first two lines, and so on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Head(Vec<Fingerprint>);

/// What the beginning of a file is to a head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Likeness {
    /// It begins with all of it.
    Same,
    /// It ends before it differs; so many bytes are known to be the same.
    Shorter(usize),
    /// It is another: only so many bytes are known to be the same.
    Different(usize),
}

impl Likeness {
    /// So many bytes are the same at the beginnings of two files of which neither is a copy of the other.
    pub(crate) fn of_another(self) -> Option<usize> {
        match self {
            Self::Different(common) => Some(common),
            Self::Same | Self::Shorter(_) => None,
        }
    }
}

impl Head {
    /// Of the first bytes of a file, no more than are a proof. What is behind their last line end counts only where
    /// there is no room for its end.
    pub(crate) fn of(beginning: &[u8]) -> Self {
        let ends = beginning.iter().zip(1..).filter(|(byte, _)| **byte == b'\n').map(|(_, end)| end);
        let full = (beginning.len() >= PROOF).then_some(PROOF);
        let mut ends: Vec<usize> = ends.chain(full).take(HEAD_LINES).collect();
        ends.dedup();
        Self(ends.into_iter().filter_map(|end| beginning.get(..end)).map(Fingerprint::of).collect())
    }

    /// Of a file that has been used to its end, of which these are the first bytes.
    pub(crate) fn of_whole(beginning: &[u8]) -> Self {
        let mut head = Self::of(beginning);
        if !head.is_full() && head.length() < beginning.len() {
            head.0.push(Fingerprint::of(beginning));
        }
        head
    }

    /// Nothing that is appended changes it.
    pub(crate) fn is_full(&self) -> bool {
        self.0.len() == HEAD_LINES || self.length() == PROOF
    }

    /// So many bytes are in it.
    pub(crate) fn length(&self) -> usize {
        self.0.last().map_or(0, |all| all.length())
    }

    pub(crate) fn likeness(&self, beginning: &[u8]) -> Likeness {
        let mut common = 0;
        for print in &self.0 {
            match beginning.get(..print.length()) {
                None => return Likeness::Shorter(common),
                Some(bytes) if print.matches(bytes) => common = print.length(),
                Some(_) => return Likeness::Different(common),
            }
        }
        Likeness::Same
    }

    /// The bytes that are the same at the beginning of both, if there are others behind them.
    pub(crate) fn shared(&self, other: &Self) -> Option<usize> {
        let common = self.0.iter().zip(&other.0).take_while(|(one, other)| one == other).count();
        let both_go_on = common < self.0.len() && common < other.0.len();
        both_go_on
            .then(|| common.checked_sub(1).and_then(|last| self.0.get(last)).map_or(0, |it| it.length()))
    }
}

/// How far a file was used, and how to find it again under another name, compressed or copied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    pub(crate) identity: Identity,
    /// Bytes used, counted unpacked.
    pub(crate) offset: u64,
    /// The last bytes before the offset, as many as there are or prove it.
    pub(crate) tail: Fingerprint,
    /// Of the first lines before the offset.
    pub(crate) head: Head,
    /// The last change that was seen, in nanoseconds since 1970. A copy of the file is not older.
    pub(crate) modified: i64,
    /// Read to its end. Kept since the files after it are known by it.
    pub(crate) over: bool,
}

impl Mark {
    /// Bytes used so far, counted unpacked.
    pub fn offset(&self) -> u64 {
        self.offset
    }
}

/// The last bytes that went by, as many as a fingerprint takes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Recent(Vec<u8>);

impl Recent {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        let mut recent = Self::default();
        recent.push(bytes);
        recent
    }
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let newest = bytes.get(bytes.len().saturating_sub(PROOF)..).unwrap_or_default();
        let excess = (self.0.len() + newest.len()).saturating_sub(PROOF);
        self.0.drain(..excess);
        self.0.extend_from_slice(newest);
    }
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_bytes_are_the_same_however_they_came() {
        let all: Vec<u8> = (0..10_000_u32).map(|n| (n % 251) as u8).collect();
        for piece in [1, 7, PROOF - 1, PROOF, PROOF + 1, 9000] {
            let mut recent = Recent::default();
            for part in all.chunks(piece) {
                recent.push(part);
            }
            assert_eq!(recent.bytes(), &all[10_000 - PROOF..], "{piece}");
        }
        let mut short = Recent::default();
        short.push(b"abc");
        assert_eq!(short.bytes(), b"abc");
    }

    #[test]
    fn a_head_tells_what_begins_alike_from_what_is_shorter_and_what_is_another() {
        let head = Head::of(b"header\nfirst\nsecond\nthi");
        assert_eq!(head.length(), 20);
        assert!(!head.is_full());
        assert_eq!(head.likeness(b"header\nfirst\nsecond\nelse\n"), Likeness::Same);
        assert_eq!(head.likeness(b"header\nfirst\nsec"), Likeness::Shorter(13));
        assert_eq!(head.likeness(b"header\nother\nmore\n"), Likeness::Different(7));
        assert_eq!(head.likeness(b""), Likeness::Shorter(0));
        assert_eq!(Head::default().likeness(b"any"), Likeness::Same);
        assert_eq!(head.shared(&Head::of(b"header\nother\n")), Some(7));
        assert_eq!(head.shared(&Head::of(b"header\nfirst\n")), None, "one may be a copy of the other");
    }

    #[test]
    fn a_head_is_full_when_nothing_that_comes_can_change_it() {
        assert!(Head::of(&b"a\n".repeat(HEAD_LINES)).is_full());
        assert!(!Head::of(&b"a\n".repeat(HEAD_LINES - 1)).is_full());
        let long = vec![b'a'; PROOF];
        assert!(Head::of(&long).is_full() && !Head::of(&long[1..]).is_full());
        assert_eq!(Head::of(&long[1..]).length(), 0);
        assert_eq!(Head::of(&[&b"a\n"[..], &long[2..]].concat()).length(), PROOF);
    }

    #[test]
    fn a_fingerprint_tells_bytes_of_other_length_or_content_apart() {
        let print = Fingerprint::of(b"105,2000");
        assert!(print.matches(b"105,2000"));
        assert!(!print.matches(b"105,2001"));
        assert!(!print.matches(b"105,200"));
        assert_eq!(print.length(), 8);
    }
}
