//! Maps that forget by generations, and what of them has to be written.
use super::LegKey;
use crate::engine::SnapshotError;
use crate::state::{Kind, Parts, Writer, number, read};
use hashbrown::HashMap;
use hashbrown::hash_map::Entry;
use serde::{Serialize, de::DeserializeOwned};
use std::collections::BTreeMap;
use std::hash::{BuildHasherDefault, Hasher};
use tollwatch_cdr::EventTime;

/// By keys that are hashes already, so that looking one up hashes nothing.
pub(super) type LegMap<V> = HashMap<LegKey, V, BuildHasherDefault<AsItIs>>;

/// The hash of a hash.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct AsItIs(u64);

impl Hasher for AsItIs {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, byte| hash.rotate_left(8) ^ u64::from(*byte));
    }
}

/// A map that forgets: what was not touched for a generation is gone after the next.
#[derive(Clone, Debug)]
pub(super) struct Generations<V> {
    pub(super) young: LegMap<V>,
    pub(super) old: LegMap<V>,
    /// Of the young generation; the old one has the number before.
    number: u32,
    /// None where nobody asks for changes.
    journal: Option<Journal>,
}

/// What has changed since it was last asked for. Entries are written in segments, each once; a generation's segments
/// go with it.
#[derive(Clone, Debug, Default)]
struct Journal {
    /// Entries of the young generation that were put since.
    fresh: Vec<LegKey>,
    /// How many segments the young and the old generation have.
    young_segments: u32,
    old_segments: u32,
    /// Segments to be written or deleted, by generation and number.
    pending: BTreeMap<(u32, u32), Option<Vec<u8>>>,
    failed: bool,
}

impl<V> Default for Generations<V> {
    fn default() -> Self {
        Self { young: HashMap::default(), old: HashMap::default(), number: 1, journal: None }
    }
}

impl<V: Clone + Serialize + DeserializeOwned> Generations<V> {
    pub(super) fn get(&self, key: LegKey) -> Option<&V> {
        self.young.get(&key).or_else(|| self.in_old(key))
    }

    fn in_old(&self, key: LegKey) -> Option<&V> {
        if self.old.is_empty() { None } else { self.old.get(&key) }
    }

    /// Puts what is not there. Whether it was not: what is there must not be put again, or it would be written again.
    pub(super) fn put_new(&mut self, key: LegKey, value: V) -> bool {
        if self.in_old(key).is_some() {
            return false;
        }
        let Entry::Vacant(vacant) = self.young.entry(key) else { return false };
        vacant.insert(value);
        if let Some(journal) = &mut self.journal {
            journal.fresh.push(key);
        }
        true
    }

    /// Puts what `value` makes of what is there.
    pub(super) fn put_by(&mut self, key: LegKey, value: impl FnOnce(Option<&V>) -> V) {
        match self.young.entry(key) {
            Entry::Occupied(mut known) => {
                let new = value(Some(known.get()));
                known.insert(new);
            }
            Entry::Vacant(vacant) => {
                vacant.insert(value(if self.old.is_empty() { None } else { self.old.get(&key) }));
            }
        }
        if let Some(journal) = &mut self.journal {
            journal.fresh.push(key);
        }
    }

    pub(super) fn put(&mut self, key: LegKey, value: V) {
        if let Some(journal) = &mut self.journal {
            journal.fresh.push(key);
        }
        self.young.insert(key, value);
    }

    /// Starts a generation.
    pub(super) fn turn(&mut self) {
        self.seal();
        self.take_turns(Vec::new());
    }

    /// The same, but what `began` gives a time for is kept: the `most` that began last. How many of them were too many.
    pub(super) fn turn_but_keep(&mut self, began: impl Fn(&V) -> Option<EventTime>, most: usize) -> usize {
        self.seal();
        let mut kept: Vec<(EventTime, LegKey, V)> = self
            .old
            .iter()
            .filter_map(|(key, value)| Some((began(value)?, key, value)))
            .filter(|(_, key, _)| !self.young.contains_key(*key))
            .map(|(began_at, key, value)| (began_at, *key, value.clone()))
            .collect();
        let too_many = kept.len().saturating_sub(most);
        if too_many > 0 {
            kept.sort_unstable_by_key(|(began_at, key, _)| std::cmp::Reverse((*began_at, *key)));
            kept.truncate(most);
        }
        self.take_turns(kept.into_iter().map(|(_, key, value)| (key, value)).collect());
        too_many
    }

    /// The young generation is the old one now, and has what is `moved` into it.
    fn take_turns(&mut self, mut moved: Vec<(LegKey, V)>) {
        self.forget_old();
        // The next generation will be about as large as the one that goes, so it gets its room.
        std::mem::swap(&mut self.old, &mut self.young);
        self.number = self.number.wrapping_add(1);
        self.old.extend(moved.iter().cloned());
        if let Some(journal) = &mut self.journal {
            journal.old_segments = std::mem::take(&mut journal.young_segments);
            moved.sort_unstable_by_key(|(key, _)| *key);
            journal.write(self.number.wrapping_sub(1), false, &moved);
        }
    }

    fn forget_old(&mut self) {
        self.old.clear();
        if let Some(journal) = &mut self.journal {
            let generation = self.number.wrapping_sub(1);
            for segment in 0..std::mem::take(&mut journal.old_segments) {
                // What was never written needs no deleting.
                if !matches!(journal.pending.remove(&(generation, segment)), Some(Some(_))) {
                    journal.pending.insert((generation, segment), None);
                }
            }
        }
    }

    /// From now on changes are gathered. What is there already counts as changed, unless it was read from parts.
    pub(super) fn keep_changes(&mut self) {
        if self.journal.is_none() {
            let mut journal = Journal::default();
            journal.write(self.number.wrapping_sub(1), false, &sorted(&self.old));
            journal.fresh.extend(self.young.keys());
            self.journal = Some(journal);
        }
    }

    /// Makes a segment of what was put since.
    fn seal(&mut self) {
        let Some(journal) = &mut self.journal else { return };
        let mut fresh = std::mem::take(&mut journal.fresh);
        fresh.sort_unstable();
        fresh.dedup();
        let entries: Vec<(LegKey, V)> =
            fresh.iter().filter_map(|key| Some((*key, self.young.get(key)?.clone()))).collect();
        journal.write(self.number, true, &entries);
    }

    /// Writes what has changed, or everything. `map` tells the ledger's maps apart.
    pub(super) fn write(&mut self, map: u8, writer: &mut Writer<'_>) {
        if writer.all {
            for (generation, entries) in
                [(self.number.wrapping_sub(1), &self.old), (self.number, &self.young)]
            {
                if !entries.is_empty() {
                    writer.put(Kind::Entries, &id(map, generation, 0), &sorted(entries));
                }
            }
            return;
        }
        self.seal();
        let Some(journal) = &mut self.journal else { return };
        for ((generation, segment), entries) in std::mem::take(&mut journal.pending) {
            match entries {
                Some(bytes) => writer.put_bytes(Kind::Entries, &id(map, generation, segment), bytes),
                None => writer.delete(Kind::Entries, &id(map, generation, segment)),
            }
        }
        if journal.failed {
            writer.fail();
        }
    }

    pub(super) fn number(&self) -> u32 {
        self.number
    }

    /// Reads back what was written, in whatever segments.
    pub(super) fn read(
        map: u8,
        young: u32,
        parts: &Parts<'_>,
        keep_changes: bool,
    ) -> Result<Self, SnapshotError> {
        let mut read_back = Self { number: young, ..Self::default() };
        let mut journal = Journal::default();
        for (id, bytes) in parts.each(Kind::Entries).filter(|(id, _)| id.first() == Some(&map)) {
            let (generation, segment) = (number(id, 1)?, number(id, 5)?);
            let entries: Vec<(LegKey, V)> = read(bytes)?;
            let (into, segments) = if generation == young {
                (&mut read_back.young, &mut journal.young_segments)
            } else if generation == young.wrapping_sub(1) {
                (&mut read_back.old, &mut journal.old_segments)
            } else {
                return Err(SnapshotError::Damaged);
            };
            into.extend(entries);
            *segments = segment.saturating_add(1).max(*segments);
        }
        read_back.journal = keep_changes.then_some(journal);
        Ok(read_back)
    }
}

impl Journal {
    fn write<V: Serialize>(&mut self, generation: u32, young: bool, entries: &[(LegKey, V)]) {
        if entries.is_empty() {
            return;
        }
        let segments = if young { &mut self.young_segments } else { &mut self.old_segments };
        match postcard::to_stdvec(entries) {
            Ok(bytes) => {
                self.pending.insert((generation, *segments), Some(bytes));
            }
            Err(_) => self.failed = true,
        }
        *segments += 1;
    }
}

fn id(map: u8, generation: u32, segment: u32) -> Vec<u8> {
    let mut id = vec![map];
    id.extend_from_slice(&generation.to_be_bytes());
    id.extend_from_slice(&segment.to_be_bytes());
    id
}

fn sorted<V: Clone>(entries: &LegMap<V>) -> Vec<(LegKey, V)> {
    let mut sorted: Vec<(LegKey, V)> = entries.iter().map(|(key, value)| (*key, value.clone())).collect();
    sorted.sort_unstable_by_key(|(key, _)| *key);
    sorted
}
