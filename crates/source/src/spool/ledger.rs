//! Which files of a spool directory were read.
use crate::mark::{Identity, Seen};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs::Metadata;
use std::os::unix::ffi::OsStrExt as _;

/// Files that are not there any more are remembered as long as they are not more: they may be sent again.
const MOST_GONE: usize = 4096;

/// A name, kept so that it can be recognised and takes little room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Name(u64);

impl Name {
    pub(crate) fn of(name: &OsStr) -> Self {
        Self(short(&Sha256::new_with_prefix(name.as_bytes())))
    }
}

/// Where a file lies, how long it is and when it was changed: when none differs, it is what it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stamp {
    pub(crate) identity: Identity,
    pub(crate) size: u64,
    pub(crate) modified: i64,
}

impl Stamp {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        let Seen { size, modified } = Seen::of(metadata);
        Self { identity: Identity::of(metadata), size, modified }
    }
}

/// What was used of a file, counted unpacked, and a hash of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Used {
    pub(crate) length: u64,
    pub(crate) hash: u64,
    /// It ends with a line.
    pub(crate) is_whole: bool,
}

/// The same hash, whatever pieces the bytes came in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Usage {
    hash: Sha256,
    length: u64,
    last: Option<u8>,
}

impl Usage {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        self.length += bytes.len() as u64;
        self.last = bytes.last().copied().or(self.last);
    }
    pub(crate) fn used(&self) -> Used {
        Used {
            length: self.length,
            hash: short(&self.hash),
            is_whole: self.last.is_none_or(|byte| byte == b'\n'),
        }
    }
}

fn short(hash: &Sha256) -> u64 {
    let mut short = [0; 8];
    short.copy_from_slice(hash.clone().finalize().split_at(8).0);
    u64::from_le_bytes(short)
}

/// A file that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) name: Name,
    pub(crate) stamp: Stamp,
    pub(crate) used: Used,
    /// It could not be read to its end: it stays where it is.
    pub(crate) is_bad: bool,
}

/// All that were, by name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ledger {
    /// With the order in which they were read.
    entries: BTreeMap<Name, (u64, Entry)>,
    next: u64,
}

impl Ledger {
    pub(crate) fn restore(entries: &[Entry]) -> Self {
        let mut ledger = Self::default();
        for entry in entries {
            ledger.insert(*entry);
        }
        ledger
    }

    /// In the order in which they were read.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        let mut entries: Vec<&(u64, Entry)> = self.entries.values().collect();
        entries.sort_by_key(|(order, _)| *order);
        entries.into_iter().map(|(_, entry)| *entry).collect()
    }

    pub(crate) fn get(&self, name: Name) -> Option<&Entry> {
        self.entries.get(&name).map(|(_, entry)| entry)
    }

    pub(crate) fn insert(&mut self, entry: Entry) {
        self.entries.insert(entry.name, (self.next, entry));
        self.next += 1;
    }

    /// Forgets the oldest of those that are not there any more, if they are too many.
    pub(crate) fn forget(&mut self, there: &BTreeSet<Name>) {
        let mut gone: Vec<(u64, Name)> = self
            .entries
            .values()
            .filter(|(_, entry)| !there.contains(&entry.name))
            .map(|(order, entry)| (*order, entry.name))
            .collect();
        gone.sort_unstable();
        for (_, name) in gone.iter().take(gone.len().saturating_sub(MOST_GONE)) {
            self.entries.remove(name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_files_that_are_gone_the_last_are_remembered_and_of_those_that_are_there_all() {
        let file = std::fs::metadata(".").unwrap();
        let name = |number: usize| Name::of(OsStr::new(&number.to_string()));
        let entry = |number| Entry {
            name: name(number),
            stamp: Stamp::of(&file),
            used: Usage::default().used(),
            is_bad: false,
        };
        let mut ledger = Ledger::default();
        for number in 0..MOST_GONE + 10 {
            ledger.insert(entry(number));
        }
        ledger.forget(&BTreeSet::from([name(0), name(1)]));
        assert!(ledger.get(name(0)).is_some() && ledger.get(name(1)).is_some());
        assert!(ledger.get(name(2)).is_none() && ledger.get(name(9)).is_none());
        assert!(ledger.get(name(10)).is_some());
        assert_eq!(Ledger::restore(&ledger.entries()).entries(), ledger.entries());
    }

    #[test]
    fn a_hash_is_of_the_bytes_and_not_of_their_pieces() {
        let (mut one, mut other) = (Usage::default(), Usage::default());
        one.push(b"105,1\n105,2");
        other.push(b"105,1");
        other.push(b"");
        other.push(b"\n105,2");
        assert_eq!(one.used(), other.used());
        assert!(!one.used().is_whole);
    }
}
