//! Opening, reading and writing.
use crate::changes::{Changes, Outbox, State};
use crate::damage::{Damage, Fault, guarded};
use crate::directory::Directory;
use crate::error::StoreError;
use crate::header::{self, Behind};
use crate::outbox;
use crate::table::{self, ALERTS, Bytes, COMMITS, DELIVERIES, META, PARTS, POSITIONS, Table};
use redb::{
    Builder, Database, ReadTransaction, ReadableDatabase, ReadableTable, StorageBackend, WriteTransaction,
};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Pages kept in memory. Half of it takes the pages that a commit changes, and what goes beyond is written twice:
/// a change of 1 % of a million parts has 44 MB of them.
const CACHE_BYTES: usize = 128 << 20;
/// A file that is smaller is left as it is.
const COMPACTED_FROM_BYTES: u64 = 1 << 20;

/// The durable state. One process has it, and one thread of that writes to it.
#[derive(Debug)]
pub struct Store {
    disk: Arc<dyn StorageBackend>,
    /// Missing after a failure: then the next call opens it again, which finds out what is on the disk.
    database: Option<Database>,
    /// The last commit that was acknowledged.
    commit: u64,
    file: PathBuf,
    _directory: Option<Directory>,
}

impl Store {
    /// Whether a directory holds a store.
    pub fn exists(directory: &Path) -> bool {
        Directory::holds_file(directory)
    }

    /// Opens the store of a directory, or begins one there. Every page is verified, and a file that is mostly
    /// unused space is made smaller.
    ///
    /// A file that exists is never replaced: if it is damaged, that is the error.
    pub fn open(directory: &Path) -> Result<Self, StoreError> {
        let directory = Directory::take(directory)?;
        let file = directory.file();
        if let Some(disk) = directory.existing()? {
            return Self::existing(Arc::new(disk), file, Some(directory));
        }
        let disk: Arc<dyn StorageBackend> = Arc::new(directory.begin()?);
        let database = Some(begin(&disk).map_err(|fault| StoreError::of(&file, fault))?);
        directory.publish()?;
        Ok(Self { disk, database, commit: 0, file, _directory: Some(directory) })
    }

    /// Opens the store of a disk, or begins one if the disk is empty. For tests: nothing locks it, and a crash while it
    /// begins leaves a damaged one.
    pub fn open_backend(disk: impl StorageBackend) -> Result<Self, StoreError> {
        let file = PathBuf::from("the disk");
        let disk: Arc<dyn StorageBackend> = Arc::new(disk);
        if disk.len().map_err(|error| StoreError::of(&file, error.into()))? > 0 {
            return Self::existing(disk, file, None);
        }
        let database = Some(begin(&disk).map_err(|fault| StoreError::of(&file, fault))?);
        Ok(Self { disk, database, commit: 0, file, _directory: None })
    }

    /// Bytes that the store takes on its disk.
    pub fn bytes(&self) -> u64 {
        self.disk.len().unwrap_or_default()
    }

    fn existing(
        disk: Arc<dyn StorageBackend>,
        file: PathBuf,
        directory: Option<Directory>,
    ) -> Result<Self, StoreError> {
        let read = header::format(&*disk).and_then(|format| Ok((format, header::witnessed(&*disk)?)));
        let (format, commit) = read.map_err(|fault| StoreError::of(&file, fault))?;
        if format > header::FORMAT {
            return Err(StoreError::Newer { file, found: format, known: header::FORMAT });
        }
        let mut store = Self { disk, database: None, commit, file, _directory: directory };
        let database = store.verified()?;
        store.database = Some(database);
        let compacted = store.attempt(|store, database| {
            let length = store.disk.len()?;
            guarded(|| compact(database, length))
        });
        match compacted {
            // A full disk must not keep the service from starting: what is stored is as good as before.
            Ok(()) | Err(StoreError::Disk { .. }) => Ok(store),
            Err(error) => Err(error),
        }
    }

    /// Opens the database, with all its pages verified, and at no older commit than is known of.
    fn verified(&mut self) -> Result<Database, StoreError> {
        let opened = guarded(|| {
            let database = library(&self.disk)?;
            let commit = read_commit_number(&database.begin_read()?)?;
            if commit < self.commit {
                return Err(Damage::Older { found: commit, acknowledged: self.commit }.into());
            }
            Ok((database, commit))
        });
        let (database, commit) = opened.map_err(|fault| StoreError::of(&self.file, fault))?;
        self.acknowledge(commit);
        Ok(database)
    }

    fn acknowledge(&mut self, commit: u64) {
        self.commit = commit;
        // The commit is durable already. Without this a later damage may pass for the commit before, no more.
        let _ = header::witness(&*self.disk, commit);
    }

    /// Does a piece of work on the database. If it fails, the database is opened again by the next one: what the
    /// failed one left behind is known only then.
    fn attempt<T>(
        &mut self,
        work: impl FnOnce(&Self, &mut Database) -> Result<T, Fault>,
    ) -> Result<T, StoreError> {
        let mut database = match self.database.take() {
            Some(database) => database,
            None => self.verified()?,
        };
        let done = work(self, &mut database);
        match done {
            Err(fault) if !fault.is_refusal() => {
                discard(database);
                Err(StoreError::of(&self.file, fault))
            }
            done => {
                self.database = Some(database);
                done.map_err(|fault| StoreError::of(&self.file, fault))
            }
        }
    }

    /// Shows every part of the engine's state in the order of the keys, and returns the rest. After an error,
    /// what was shown must not be used.
    pub fn load(&mut self, mut part: impl FnMut(&[u8], &[u8])) -> Result<State, StoreError> {
        self.attempt(|_, database| {
            let transaction = guarded(|| Ok(database.begin_read()?))?;
            PARTS.walk(&transaction, |key, body| {
                part(key, body);
                Ok(())
            })?;
            Ok(State {
                positions: named(&transaction, POSITIONS)?,
                meta: named(&transaction, META)?,
                outbox: outbox::read(&transaction)?,
            })
        })
    }

    /// The outbox alone.
    pub fn outbox(&mut self) -> Result<Outbox, StoreError> {
        self.attempt(|_, database| outbox::read(&guarded(|| Ok(database.begin_read()?))?))
    }

    /// Writes all changes, or none. When it returns, they are durable. After an error the store holds the state
    /// before or, if the disk failed at the very end, the state after; the caller commits the same changes again.
    pub fn commit(&mut self, changes: &Changes) -> Result<(), StoreError> {
        if changes.is_empty() {
            return Ok(());
        }
        let commit = self.attempt(|_, database| guarded(|| write(database, changes)))?;
        self.acknowledge(commit);
        Ok(())
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        if let Some(database) = self.database.take() {
            discard(database);
        }
    }
}

/// Closes a database. What that leaves undone is done when it is opened, as after a crash.
fn discard(database: Database) {
    let _ = guarded(|| {
        drop(database);
        Ok(())
    });
}

fn library(disk: &Arc<dyn StorageBackend>) -> Result<Database, Fault> {
    Ok(Builder::new()
        .set_cache_size(CACHE_BYTES)
        .set_check_integrity_on_open(true)
        .create_with_backend(Behind(Arc::clone(disk)))?)
}

/// Makes an empty disk a store.
fn begin(disk: &Arc<dyn StorageBackend>) -> Result<Database, Fault> {
    header::create(&**disk)?;
    guarded(|| {
        let database = library(disk)?;
        let transaction = begin_write(&database)?;
        for table in table::ALL {
            transaction.open_table(table.definition())?;
        }
        write_commit_number(&transaction, 0)?;
        transaction.commit()?;
        Ok(database)
    })
}

fn begin_write(database: &Database) -> Result<WriteTransaction, Fault> {
    let mut transaction = database.begin_write()?;
    // One phase would do against crashes by the strength of a checksum, over bytes that callers choose. And
    // with one phase, a page that rots passes for a commit that was never finished.
    transaction.set_two_phase_commit(true);
    Ok(transaction)
}

fn write(database: &Database, changes: &Changes) -> Result<u64, Fault> {
    let transaction = begin_write(database)?;
    put_all(&transaction, PARTS, changes.parts.iter().map(|(key, body)| (key.as_slice(), body)))?;
    put_all(&transaction, POSITIONS, changes.positions.iter().map(|(key, body)| (key.as_bytes(), body)))?;
    put_all(&transaction, META, changes.meta.iter().map(|(key, body)| (key.as_bytes(), body)))?;
    write_outbox(&transaction, changes)?;
    let commit = commit_number(&transaction.open_table(COMMITS.definition())?)?.saturating_add(1);
    write_commit_number(&transaction, commit)?;
    transaction.commit()?;
    Ok(commit)
}

fn write_outbox(transaction: &WriteTransaction, changes: &Changes) -> Result<(), Fault> {
    if changes.alerts.is_empty() && changes.deliveries.is_empty() && changes.forget.is_none() {
        return Ok(());
    }
    let mut alerts = transaction.open_table(ALERTS.definition())?;
    for alert in &changes.alerts {
        put(&mut alerts, ALERTS, &alert.sequence.to_be_bytes(), Some(outbox::alert_body(alert)))?;
    }
    let mut deliveries = transaction.open_table(DELIVERIES.definition())?;
    for (key, delivery) in &changes.deliveries {
        if delivery.is_some() {
            outbox::expect_alert(&alerts, key.alert)?;
        }
        let body = delivery.as_ref().map(outbox::delivery_body);
        put(&mut deliveries, DELIVERIES, &outbox::delivery_key(key), body)?;
    }
    changes.forget.map_or(Ok(()), |forget| outbox::forget(&mut alerts, &deliveries, forget))
}

fn put_all<'a>(
    transaction: &WriteTransaction,
    table: Table,
    entries: impl ExactSizeIterator<Item = (&'a [u8], &'a Option<Vec<u8>>)>,
) -> Result<(), Fault> {
    if entries.len() == 0 {
        return Ok(());
    }
    let mut opened = transaction.open_table(table.definition())?;
    for (key, body) in entries {
        put(&mut opened, table, key, body.clone())?;
    }
    Ok(())
}

fn put(
    opened: &mut redb::Table<'_, Bytes, Bytes>,
    table: Table,
    key: &[u8],
    body: Option<Vec<u8>>,
) -> Result<(), Fault> {
    match body {
        Some(body) => opened.insert(key, table.seal(key, body).as_slice())?,
        None => opened.remove(key)?,
    };
    Ok(())
}

/// The one key of [`COMMITS`].
const LAST: &[u8] = b"last";

fn write_commit_number(transaction: &WriteTransaction, commit: u64) -> Result<(), Fault> {
    let mut commits = transaction.open_table(COMMITS.definition())?;
    put(&mut commits, COMMITS, LAST, Some(commit.to_le_bytes().to_vec()))
}

fn read_commit_number(transaction: &ReadTransaction) -> Result<u64, Fault> {
    commit_number(&transaction.open_table(COMMITS.definition())?)
}

fn commit_number(commits: &impl ReadableTable<Bytes, Bytes>) -> Result<u64, Fault> {
    let stored = commits.get(LAST)?.ok_or_else(|| COMMITS.damaged(LAST))?;
    let body = COMMITS.unseal(LAST, stored.value())?;
    Ok(u64::from_le_bytes(body.try_into().map_err(|_| COMMITS.damaged(LAST))?))
}

fn named(transaction: &ReadTransaction, table: Table) -> Result<BTreeMap<String, Vec<u8>>, Fault> {
    let mut entries = BTreeMap::new();
    table.walk(transaction, |key, body| {
        entries.insert(outbox::name(table, key)?, body.to_vec());
        Ok(())
    })?;
    Ok(entries)
}

/// Gives back what is unused, if that is more than half of the file.
fn compact(database: &mut Database, length: u64) -> Result<(), Fault> {
    if length < COMPACTED_FROM_BYTES {
        return Ok(());
    }
    let transaction = database.begin_write()?;
    let used = transaction.stats()?;
    transaction.abort()?;
    if used.allocated_pages().saturating_mul(used.page_size() as u64) < length / 2 {
        database.compact()?;
    }
    Ok(())
}
