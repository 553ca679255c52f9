//! The engine's state in parts, so that what is written follows what has changed.
//!
//! A part is a key and a value. Its key says whose it is and what: `[tenant, 4 bytes][kind, 1 byte][id]`, so that parts
//! in the order of their keys are tenant by tenant. A snapshot is all parts; a checkpoint is those that have changed.
use crate::engine::SnapshotError;
use foldhash::fast::FixedState;
use serde::{Serialize, de::DeserializeOwned};
use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher;

/// Parts that have changed, by key: their new value, or none for those that are gone.
pub type Changes = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// What a part holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Kind {
    /// What everything else depends on; of the engine, of a tenant.
    Head,
    /// What numbers of rules and of destinations stand for.
    Names,
    /// Calls that wait for another record.
    Waiting,
    /// Numbers that nobody could read.
    Unclassified,
    /// Names of trunks.
    Trunks,
    /// Countries that are usual.
    Usual,
    /// The keys as a whole: what is not of one key.
    Keys,
    /// Storms.
    Storms,
    /// Incidents that are over.
    Over,
    /// One key.
    Key,
    /// Calls of a key with many.
    Calls,
    /// The ledger as a whole.
    Ledger,
    /// Entries of one of the ledger's maps, in the order in which they came.
    Entries,
}

impl Kind {
    const ALL: [Self; 13] = [
        Self::Head,
        Self::Names,
        Self::Waiting,
        Self::Unclassified,
        Self::Trunks,
        Self::Usual,
        Self::Keys,
        Self::Storms,
        Self::Over,
        Self::Key,
        Self::Calls,
        Self::Ledger,
        Self::Entries,
    ];
}

/// Whose a part is: a tenant by its number, the keys over all tenants, or the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Owner(pub u32);

impl Owner {
    pub(crate) const ACROSS: Self = Self(u32::MAX - 1);
    pub(crate) const ENGINE: Self = Self(u32::MAX);
}

/// Gathers parts.
#[derive(Debug)]
pub(crate) struct Writer<'w> {
    owner: Owner,
    /// Everything is wanted, not only what has changed.
    pub(crate) all: bool,
    written: &'w mut Written,
    parts: &'w mut Changes,
    failed: bool,
}

/// What small parts were when they were last written, as a hash.
#[derive(Debug, Default)]
pub(crate) struct Written(HashMap<Vec<u8>, u64>);

impl<'w> Writer<'w> {
    pub(crate) fn new(owner: Owner, all: bool, written: &'w mut Written, parts: &'w mut Changes) -> Self {
        Self { owner, all, written, parts, failed: false }
    }

    /// A part that has changed.
    pub(crate) fn put(&mut self, kind: Kind, id: &[u8], value: &impl Serialize) {
        match postcard::to_stdvec(value) {
            Ok(bytes) => self.put_bytes(kind, id, bytes),
            Err(_) => self.failed = true,
        }
    }

    /// A part that is looked at each time, and written if it is not what it was.
    pub(crate) fn put_if_changed(&mut self, kind: Kind, value: &impl Serialize) {
        let key = self.key(kind, &[]);
        let hash = self.put_if_other(kind, &[], value, self.written.0.get(&key).copied());
        if !self.all {
            self.written.0.insert(key, hash);
        }
    }

    pub(crate) fn put_bytes(&mut self, kind: Kind, id: &[u8], bytes: Vec<u8>) {
        self.parts.insert(self.key(kind, id), Some(bytes));
    }

    /// A part whose hash the caller remembers: written if it is another than `before`.
    pub(crate) fn put_if_other(
        &mut self,
        kind: Kind,
        id: &[u8],
        value: &impl Serialize,
        before: Option<u64>,
    ) -> u64 {
        let Ok(bytes) = postcard::to_stdvec(value) else {
            self.failed = true;
            return 0;
        };
        let hash = hash(&bytes);
        if self.all || before != Some(hash) {
            self.put_bytes(kind, id, bytes);
        }
        hash
    }

    /// A part that is gone.
    pub(crate) fn delete(&mut self, kind: Kind, id: &[u8]) {
        self.parts.insert(self.key(kind, id), None);
    }

    fn key(&self, kind: Kind, id: &[u8]) -> Vec<u8> {
        let mut key = self.owner.0.to_be_bytes().to_vec();
        key.push(kind as u8);
        key.extend_from_slice(id);
        key
    }

    pub(crate) fn fail(&mut self) {
        self.failed = true;
    }

    /// The parts are whole.
    pub(crate) fn finish(self) -> Result<(), SnapshotError> {
        if self.failed { Err(SnapshotError::Damaged) } else { Ok(()) }
    }
}

/// The parts of one owner, to be read back.
#[derive(Debug, Default)]
pub(crate) struct Parts<'p> {
    /// By kind and id.
    parts: BTreeMap<(Kind, &'p [u8]), &'p [u8]>,
}

impl<'p> Parts<'p> {
    /// All parts, owner by owner.
    pub(crate) fn by_owner(
        parts: impl IntoIterator<Item = (&'p [u8], &'p [u8])>,
    ) -> Result<BTreeMap<Owner, Self>, SnapshotError> {
        let mut owners: BTreeMap<Owner, Self> = BTreeMap::new();
        for (key, value) in parts {
            let (owner, rest) = key.split_first_chunk::<4>().ok_or(SnapshotError::Damaged)?;
            let (kind, id) = rest.split_first().ok_or(SnapshotError::Damaged)?;
            let kind = Kind::ALL.get(usize::from(*kind)).ok_or(SnapshotError::Damaged)?;
            owners.entry(Owner(u32::from_be_bytes(*owner))).or_default().parts.insert((*kind, id), value);
        }
        Ok(owners)
    }

    /// A part that there must be.
    pub(crate) fn one<T: DeserializeOwned>(&self, kind: Kind) -> Result<T, SnapshotError> {
        read(self.parts.get(&(kind, &[][..])).ok_or(SnapshotError::Damaged)?)
    }

    /// The start of a part, and what follows it.
    pub(crate) fn start<T: DeserializeOwned>(&self, kind: Kind) -> Result<(T, &'p [u8]), SnapshotError> {
        let bytes = self.parts.get(&(kind, &[][..])).ok_or(SnapshotError::Damaged)?;
        postcard::take_from_bytes(bytes).map_err(|_| SnapshotError::Damaged)
    }

    /// All parts of a kind, in the order of their ids.
    pub(crate) fn each(&self, kind: Kind) -> impl Iterator<Item = (&'p [u8], &'p [u8])> {
        self.parts
            .range((kind, &[][..])..)
            .take_while(move |((of, _), _)| *of == kind)
            .map(|((_, id), value)| (*id, *value))
    }
}

pub(crate) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, SnapshotError> {
    postcard::from_bytes(bytes).map_err(|_| SnapshotError::Damaged)
}

pub(crate) fn hash(bytes: &[u8]) -> u64 {
    FixedState::with_seed(0x7061_7274).hash_one(bytes)
}

/// A number at the start of an id.
pub(crate) fn number(id: &[u8], at: usize) -> Result<u32, SnapshotError> {
    let bytes = id.get(at..).and_then(|rest| rest.first_chunk::<4>()).ok_or(SnapshotError::Damaged)?;
    Ok(u32::from_be_bytes(*bytes))
}
