//! How a file is known again: by where it lies, and by what stands in it.
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

/// So many bytes before a position prove which file it is of. Where fewer were used, all of them may be a header that
/// every file of the log begins with.
pub(crate) const PROOF: usize = 4096;

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

/// How far a file was used, and how to find it again under another name, compressed or copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    pub(crate) identity: Identity,
    /// Bytes used, counted unpacked.
    pub(crate) offset: u64,
    /// The last bytes before the offset, as many as there are or prove it.
    pub(crate) tail: Fingerprint,
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
    fn a_fingerprint_tells_bytes_of_other_length_or_content_apart() {
        let print = Fingerprint::of(b"105,2000");
        assert!(print.matches(b"105,2000"));
        assert!(!print.matches(b"105,2001"));
        assert!(!print.matches(b"105,200"));
        assert_eq!(print.length(), 8);
    }
}
