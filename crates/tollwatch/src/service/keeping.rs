//! The store, and what it does not have yet.
use crate::scan::with_causes;
use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::io::ErrorKind;
use tollwatch_store::{Changes, Forget, Store, StoreError};

/// Alerts that are kept at most, once they are delivered.
const MOST_ALERTS: u64 = 100_000;
/// Alerts that are kept no more are let go so often: it is a walk past all that are still to be delivered.
const FORGET_EVERY: TimeDelta = TimeDelta::seconds(60);
/// So many bytes may wait for a store that fails.
const MOST_UNSAVED: usize = 64 << 20;

/// Why something is not durable.
#[derive(Debug)]
pub(super) enum Failure {
    /// The store could not take it. It is tried again.
    Store(StoreError),
    /// A fault of ours: the state cannot be put into bytes whole. The store has the last whole one; nothing is written
    /// any more, and the service ends.
    Ours(String),
}

impl Failure {
    pub(super) fn is_full_disk(&self) -> bool {
        let Self::Store(StoreError::Disk { source, .. }) = self else { return false };
        matches!(source.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded)
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Store(error) => f.write_str(&with_causes(error)),
            Self::Ours(why) => {
                write!(f, "a fault of tollwatch: its state cannot be written down ({why}); please report it")
            }
        }
    }
}

impl std::error::Error for Failure {}

/// Whatever the store does not have yet stays here until a commit is done.
#[derive(Debug)]
pub(super) struct Keeping {
    store: Store,
    tried_at: DateTime<Utc>,
    failing_since: Option<DateTime<Utc>>,
    unsaved: Changes,
    /// Bytes that wait, as of the last commit that failed; and how many may.
    unsaved_bytes: usize,
    most_unsaved: usize,
    /// Small parts and positions as they were last handed over, as hashes.
    known: BTreeMap<Vec<u8>, [u8; 32]>,
    forgot_at: Option<DateTime<Utc>>,
    fault: Option<String>,
}

impl Keeping {
    pub(super) fn new(store: Store, now: DateTime<Utc>) -> Self {
        Self {
            store,
            tried_at: now,
            failing_since: None,
            unsaved: Changes::default(),
            unsaved_bytes: 0,
            most_unsaved: MOST_UNSAVED,
            known: BTreeMap::new(),
            forgot_at: None,
            fault: None,
        }
    }

    /// When a commit was last tried.
    pub(super) fn tried_at(&self) -> DateTime<Utc> {
        self.tried_at
    }
    /// Bytes that the state takes on the disk.
    pub(super) fn bytes(&self) -> u64 {
        self.store.bytes()
    }
    /// Since when the store cannot be written.
    pub(super) fn failing_since(&self) -> Option<DateTime<Utc>> {
        self.failing_since
    }
    /// Whether as much waits for a failing store as may.
    pub(super) fn is_full(&self) -> bool {
        self.unsaved_bytes >= self.most_unsaved
    }
    /// Lets less wait.
    #[cfg(test)]
    pub(super) fn limit(&mut self, bytes: usize) {
        self.most_unsaved = bytes;
    }
    /// What ends the service.
    pub(super) fn fault(&self) -> Option<Failure> {
        self.fault.clone().map(Failure::Ours)
    }

    /// The state could not be put into bytes. What has changed is not known any more, so nothing may be written.
    pub(super) fn give_up(&mut self, why: &anyhow::Error) -> Failure {
        Failure::Ours(self.fault.get_or_insert(format!("{why:#}")).clone())
    }

    /// A part that has changed.
    pub(super) fn part(&mut self, key: Vec<u8>, value: Option<Vec<u8>>) {
        self.unsaved.parts.insert(key, value);
    }
    /// A part that is looked at each time.
    pub(super) fn part_if_other(&mut self, key: &[u8], value: Vec<u8>) {
        if self.is_other(key.to_vec(), &value) {
            self.unsaved.parts.insert(key.to_vec(), Some(value));
        }
    }
    /// How far a source was read, looked at each time.
    pub(super) fn position_if_other(&mut self, source: &str, value: Vec<u8>) {
        if self.is_other(place_of(source), &value) {
            self.unsaved.positions.insert(source.to_owned(), Some(value));
        }
    }
    /// A source is followed no more.
    pub(super) fn position_is_gone(&mut self, source: String) {
        self.known.remove(&place_of(&source));
        self.unsaved.positions.insert(source, None);
    }
    /// Lets old alerts go, now and then.
    pub(super) fn forget_if_due(&mut self, now: DateTime<Utc>, keep: TimeDelta) {
        if self.forgot_at.is_none_or(|at| now.signed_duration_since(at) >= FORGET_EVERY) {
            self.forgot_at = Some(now);
            self.unsaved.forget = Some(Forget { raised_before: (now - keep).timestamp(), keep: MOST_ALERTS });
        }
    }
    /// Where the outbox puts its alerts and deliveries. It has all of them still, and tells them each time.
    pub(super) fn alerts(&mut self) -> &mut Changes {
        self.unsaved.alerts.clear();
        self.unsaved.deliveries.clear();
        &mut self.unsaved
    }

    fn is_other(&mut self, key: Vec<u8>, value: &[u8]) -> bool {
        let hash = Sha256::digest(value).into();
        self.known.insert(key, hash) != Some(hash)
    }

    /// Makes all of it durable. How many bytes the parts have.
    pub(super) fn commit(&mut self, now: DateTime<Utc>) -> Result<usize, Failure> {
        if let Some(fault) = self.fault() {
            return Err(fault);
        }
        self.tried_at = now;
        let bytes = self.unsaved.parts.values().flatten().map(Vec::len).sum();
        match self.store.commit(&self.unsaved) {
            Ok(()) => {
                self.unsaved = Changes::default();
                self.unsaved_bytes = 0;
                self.failing_since = None;
                Ok(bytes)
            }
            Err(error) => {
                self.unsaved_bytes = bytes;
                self.failing_since.get_or_insert(now);
                Err(Failure::Store(error))
            }
        }
    }
}

/// Under which key the position of a source is known: no part has a key of this letter.
fn place_of(source: &str) -> Vec<u8> {
    [b"p", source.as_bytes()].concat()
}
