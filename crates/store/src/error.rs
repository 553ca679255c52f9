//! What can go wrong with a store.
use crate::damage::{Damage, Fault};
use std::io;
use std::path::{Path, PathBuf};

/// Why a store could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The directory, or a file in it, could not be made or opened.
    #[error("cannot use {}", path.display())]
    Path {
        /// What could not be used.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process works on this directory.
    #[error("{} is in use by {}", directory.display(), process.map_or("another process".to_owned(), |process| format!("process {process}")))]
    InUse {
        /// The directory.
        directory: PathBuf,
        /// Its process id, if it left one.
        process: Option<u32>,
    },
    /// A newer tollwatch wrote the file, which was left as it is.
    #[error("{} has format {found}, and this version knows formats up to {known}: start the newer version again, or restore a copy from before the upgrade", file.display())]
    Newer {
        /// The file.
        file: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format that is known here.
        known: u32,
    },
    /// What was written is not what is read. Nothing of it is used.
    #[error("{} is damaged: {damage}; restore it from a backup, or move it away to start anew", file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// What is damaged.
        damage: Damage,
    },
    /// The disk failed or is full. The same commit may be tried again.
    #[error("cannot read or write {}", file.display())]
    Disk {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A value is larger than the store takes.
    #[error("a value of {bytes} bytes is too large to be stored")]
    TooLarge {
        /// Its length.
        bytes: usize,
    },
    /// A delivery was put of an alert that is not in the outbox.
    #[error("there is no alert {alert} to deliver")]
    NoSuchAlert {
        /// The alert's sequence.
        alert: u64,
    },
}

impl StoreError {
    pub(crate) fn path(path: &Path, source: io::Error) -> Self {
        Self::Path { path: path.to_owned(), source }
    }

    pub(crate) fn of(file: &Path, fault: Fault) -> Self {
        let file = file.to_owned();
        match fault {
            Fault::Damage(damage) => Self::Damaged { file, damage },
            Fault::Io(source) => Self::Disk { file, source },
            Fault::TooLarge(bytes) => Self::TooLarge { bytes },
            Fault::NoSuchAlert(alert) => Self::NoSuchAlert { alert },
        }
    }
}
