//! The page in front of the database: whose file this is, in which format, and how far it has come.
//!
//! The format is known before the database touches a byte. And of which two states of the database is the last
//! one, a single bit says that no checksum covers: so the number of the last acknowledged commit stands here, and a
//! database that is behind it is found out. It is written after each commit and made durable by the next, so
//! it is never ahead.
use crate::damage::{Damage, Fault};
use redb::StorageBackend;
use std::io;
use std::ops::Range;
use std::sync::Arc;

/// As long as a page of the database, so that its pages stay aligned.
const LENGTH: u64 = 4096;
const MAGIC: &[u8; 16] = b"tollwatch store\n";
/// The format that is written. There is none older.
pub(crate) const FORMAT: u32 = 1;
const IDENTITY: Range<usize> = 0..20;
const WITNESS_LENGTH: usize = 12;

/// Where the number of a commit is written: two places in sectors of their own, in turn.
fn witness_place(commit: u64) -> u64 {
    512 + 512 * (commit % 2)
}

/// Begins an empty disk.
pub(crate) fn create(disk: &dyn StorageBackend) -> io::Result<()> {
    let mut page = MAGIC.to_vec();
    page.extend(FORMAT.to_le_bytes());
    page.extend(crc32c::crc32c(&page).to_le_bytes());
    page.resize(LENGTH as usize, 0);
    disk.set_len(LENGTH)?;
    disk.write(0, &page)?;
    disk.sync_data()
}

/// What the page says of the format: the one that is known, or the newer one.
pub(crate) fn format(disk: &dyn StorageBackend) -> Result<u32, Fault> {
    if disk.len()? <= LENGTH {
        return Err(Damage::Header.into());
    }
    let mut page = [0; IDENTITY.end + 4];
    disk.read(0, &mut page)?;
    let (identity, checksum) = page.split_at(IDENTITY.end);
    let (magic, version) = identity.split_at(MAGIC.len());
    let version = u32::from_le_bytes(version.try_into().unwrap_or_default());
    if magic != MAGIC || checksum != crc32c::crc32c(identity).to_le_bytes() || version == 0 {
        return Err(Damage::Header.into());
    }
    Ok(version)
}

/// Writes down that a commit is durable.
pub(crate) fn witness(disk: &dyn StorageBackend, commit: u64) -> io::Result<()> {
    let mut record = commit.to_le_bytes().to_vec();
    record.extend(crc32c::crc32c(&record).to_le_bytes());
    disk.write(witness_place(commit), &record)
}

/// The last commit that was written down.
pub(crate) fn witnessed(disk: &dyn StorageBackend) -> Result<u64, Fault> {
    let mut found = None;
    for place in [witness_place(0), witness_place(1)] {
        let mut record = [0; WITNESS_LENGTH];
        disk.read(place, &mut record)?;
        let (commit, checksum) = record.split_at(8);
        if record == [0; WITNESS_LENGTH] {
            found = found.max(Some(0));
        } else if checksum == crc32c::crc32c(commit).to_le_bytes() {
            found = found.max(Some(u64::from_le_bytes(commit.try_into().unwrap_or_default())));
        }
    }
    // One of them may be torn; both are damaged by something else than a crash.
    found.ok_or_else(|| Damage::Header.into())
}

/// The disk behind the page, for the database.
#[derive(Debug)]
pub(crate) struct Behind(pub(crate) Arc<dyn StorageBackend>);

impl StorageBackend for Behind {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.len()?.saturating_sub(LENGTH))
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.0.read(offset.saturating_add(LENGTH), out)
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.0.set_len(length.saturating_add(LENGTH))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.0.write(offset.saturating_add(LENGTH), data)
    }
}
