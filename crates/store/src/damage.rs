//! How stored bytes turn out to be damaged.
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What is damaged in a store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// The page before all others, which only tollwatch writes.
    #[error("its first page is not one that tollwatch wrote")]
    Header,
    /// A page does not agree with its checksum, or the pages do not fit together.
    #[error("its pages do not agree with their checksums ({0})")]
    Pages(String),
    /// A value does not agree with the checksum of its own.
    #[error("in table {table}, what stands under \"{key}\" does not agree with its checksum")]
    Value {
        /// The table.
        table: &'static str,
        /// The key, escaped.
        key: String,
    },
    /// Keys do not ascend, so one of them is not where it is looked for.
    #[error("in table {table}, the key \"{key}\" stands where it does not belong")]
    Order {
        /// The table.
        table: &'static str,
        /// The key, escaped.
        key: String,
    },
    /// A whole state, but an older one than has been acknowledged.
    #[error("it is at commit {found}, but commit {acknowledged} had been written")]
    Older {
        /// The last commit in the file.
        found: u64,
        /// The last commit that was acknowledged.
        acknowledged: u64,
    },
}

/// Why a step failed, before it is said of which file.
#[derive(Debug)]
pub(crate) enum Fault {
    Damage(Damage),
    Io(std::io::Error),
    TooLarge(usize),
    NoSuchAlert(u64),
}

impl Fault {
    /// Whether the database is as good as before: the caller asked for what cannot be.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(self, Self::TooLarge(_) | Self::NoSuchAlert(_))
    }
}

impl From<Damage> for Fault {
    fn from(damage: Damage) -> Self {
        Self::Damage(damage)
    }
}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            // The file is shorter than its pages say, or not what it should be: no fault of the disk, and no
            // use in trying again.
            std::io::ErrorKind::UnexpectedEof | std::io::ErrorKind::InvalidData => {
                Self::Damage(Damage::Pages(error.to_string()))
            }
            _ => Self::Io(error),
        }
    }
}

impl From<redb::Error> for Fault {
    fn from(error: redb::Error) -> Self {
        match error {
            redb::Error::Io(error) => error.into(),
            redb::Error::PreviousIo | redb::Error::DatabaseClosed | redb::Error::Backend(_) => {
                Self::Io(std::io::Error::other(error.to_string()))
            }
            redb::Error::ValueTooLarge(length) => Self::TooLarge(length),
            // We use one writer, one version and five plain tables: what is left are bytes that say otherwise.
            other => Self::Damage(Damage::Pages(other.to_string())),
        }
    }
}

/// `?` on each of the library's errors.
macro_rules! through_the_common_error {
    ($($error:ty),*) => {$(
        impl From<$error> for Fault {
            fn from(error: $error) -> Self {
                redb::Error::from(error).into()
            }
        }
    )*};
}
through_the_common_error!(
    redb::CommitError,
    redb::CompactionError,
    redb::DatabaseError,
    redb::StorageError,
    redb::TableError,
    redb::TransactionError
);

/// Does a step of the library, which may panic on damaged bytes. The database that it worked on must not be
/// used any more after a fault.
pub(crate) fn guarded<T>(step: impl FnOnce() -> Result<T, Fault>) -> Result<T, Fault> {
    catch_unwind(AssertUnwindSafe(step))
        .unwrap_or_else(|payload| Err(Damage::Pages(said(payload.as_ref())).into()))
}

fn said(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("reading them failed")
        .to_owned()
}
