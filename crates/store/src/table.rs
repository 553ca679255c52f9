//! The tables: bytes under bytes, each value with a checksum of its own.
//!
//! The database has a checksum for each page, which it verifies when it is opened, not when it reads a page
//! later. What rots in between would get a new page checksum with its neighbour's next change; the value's own
//! checksum and the order of the keys still tell.
use crate::damage::{Damage, Fault, guarded};
use redb::{ReadTransaction, ReadableTable, TableDefinition};

pub(crate) type Bytes = &'static [u8];

/// A table by its name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Table(&'static str);

pub(crate) const PARTS: Table = Table("parts");
pub(crate) const POSITIONS: Table = Table("positions");
pub(crate) const META: Table = Table("meta");
/// By sequence, big-endian.
pub(crate) const ALERTS: Table = Table("alerts");
/// By the alert's sequence, big-endian, and the notifier's name.
pub(crate) const DELIVERIES: Table = Table("deliveries");
/// One entry: the number of the last commit.
pub(crate) const COMMITS: Table = Table("commits");
pub(crate) const ALL: [Table; 6] = [PARTS, POSITIONS, META, ALERTS, DELIVERIES, COMMITS];

const CHECKSUM_LENGTH: usize = 4;

impl Table {
    pub(crate) fn definition(self) -> TableDefinition<'static, Bytes, Bytes> {
        TableDefinition::new(self.0)
    }

    fn checksum(self, key: &[u8], body: &[u8]) -> [u8; CHECKSUM_LENGTH] {
        let checksum = crc32c::crc32c_append(crc32c::crc32c(self.0.as_bytes()), key);
        crc32c::crc32c_append(checksum, body).to_le_bytes()
    }

    /// A value as it is stored.
    pub(crate) fn seal(self, key: &[u8], mut body: Vec<u8>) -> Vec<u8> {
        let checksum = self.checksum(key, &body);
        body.extend(checksum);
        body
    }

    /// A value as it was put.
    pub(crate) fn unseal<'a>(self, key: &[u8], sealed: &'a [u8]) -> Result<&'a [u8], Damage> {
        sealed
            .split_last_chunk::<CHECKSUM_LENGTH>()
            .filter(|(body, checksum)| **checksum == self.checksum(key, body))
            .map(|(body, _)| body)
            .ok_or_else(|| self.damaged(key))
    }

    pub(crate) fn damaged(self, key: &[u8]) -> Damage {
        Damage::Value { table: self.0, key: key.escape_ascii().to_string() }
    }

    /// Shows every entry in the order of the keys, or says what is wrong with one.
    pub(crate) fn walk(
        self,
        transaction: &ReadTransaction,
        mut each: impl FnMut(&[u8], &[u8]) -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        let table = guarded(|| Ok(transaction.open_table(self.definition())?))?;
        let mut entries = guarded(|| Ok(table.iter()?))?;
        let (mut previous, mut key, mut value) = (Vec::new(), Vec::new(), Vec::new());
        let mut first = true;
        // Only the library is guarded: a panic of the caller's is no damage.
        while guarded(|| {
            let Some(entry) = entries.next() else { return Ok(false) };
            let (stored_key, stored_value) = entry?;
            std::mem::swap(&mut previous, &mut key);
            replace(&mut key, stored_key.value());
            replace(&mut value, stored_value.value());
            Ok(true)
        })? {
            if !first && previous >= key {
                return Err(Damage::Order { table: self.0, key: key.escape_ascii().to_string() }.into());
            }
            first = false;
            each(&key, self.unseal(&key, &value)?)?;
        }
        Ok(())
    }
}

fn replace(buffer: &mut Vec<u8>, bytes: &[u8]) {
    buffer.clear();
    buffer.extend_from_slice(bytes);
}
