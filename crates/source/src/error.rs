//! What can go wrong with a source.
use std::io;
use std::path::PathBuf;

/// Why a source could not be read (on). `path` is `-` for standard input; `at` counts bytes of the file as
/// it lies there, compressed if it is.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// A manager interface cannot be listened to.
    #[error("manager interface at {address}")]
    Ami {
        /// `host:port`
        address: String,
        /// Why.
        source: crate::AmiFault,
    },
    /// The file could not be opened.
    #[error("cannot open {}", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A directory stands where a file was expected.
    #[error("{} is a directory", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
    },
    /// Nothing stands there (yet). A log that its PBX makes anew with the next call is away for a while.
    #[error("{} is not there", path.display())]
    Missing {
        /// The file or directory.
        path: PathBuf,
    },
    /// A pipe, socket or device stands where a file was expected.
    #[error("{} is not a file that can be followed", path.display())]
    NotAFile {
        /// What stands there.
        path: PathBuf,
    },
    /// A directory cannot be looked through.
    #[error("cannot look through {}", path.display())]
    List {
        /// The directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system failed to read on.
    #[error("cannot read {} beyond byte {at}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Bytes read before.
        at: u64,
        /// What the system said.
        source: io::Error,
    },
    /// A compressed file ends in the middle. What stood before was handed out.
    #[error("{} breaks off at byte {at}: the compressed file is not complete", path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Its length.
        at: u64,
    },
    /// A compressed file cannot be unpacked. What stood before was handed out.
    #[error("{} is damaged at or before byte {at}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Bytes read so far; the damage lies at most one read buffer before it.
        at: u64,
        /// What the unpacker said.
        source: io::Error,
    },
    /// The decoder waits for the end of a record that is longer than any record.
    #[error("{} holds a record of more than {limit} bytes", path.display())]
    RecordTooLong {
        /// The file.
        path: PathBuf,
        /// The most that is kept for one record, in bytes.
        limit: usize,
    },
}
