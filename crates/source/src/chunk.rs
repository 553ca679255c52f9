//! What the sources that never end hand out, and what they count.
use std::time::SystemTime;

/// A file within its source, numbered in the order in which reading began. Not kept over a restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileNumber(u64);

impl FileNumber {
    /// Of sources that are no files.
    pub(crate) const ONLY: Self = Self(0);

    /// Gives the number and moves on to the next.
    pub(crate) fn take(next: &mut u64) -> Self {
        let number = Self(*next);
        *next += 1;
        number
    }
}

/// Bytes that were not used yet. What the decoder leaves comes again with more behind it.
#[derive(Clone, Copy, Debug)]
pub struct Chunk<'a> {
    /// Whole lines, unless this is the end of the file or a line is longer than the buffer.
    pub bytes: &'a [u8],
    /// The file they stand in.
    pub file: FileNumber,
    /// They stand at its beginning, so a header may come. A file that is gone on with after a restart has its
    /// header behind it.
    pub begins_file: bool,
    /// The file ends with them (they may be none), and whatever is in them must be used.
    pub last: bool,
}

/// What a source has seen, since the program started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Bytes used, counted unpacked.
    pub bytes: u64,
    /// Times a log went on in another file, or in the same one from its beginning.
    pub rotations: u64,
    /// Of these, times the file was cut or overwritten in place.
    pub truncations: u64,
    /// Of these, times the earlier file had no name any more: removed and made anew, not moved aside.
    pub reopened: u64,
    /// Files that were gone before it was certain that all in them had been read.
    pub vanished: u64,
    /// Bytes that had been seen in a file and were gone before they were used.
    pub lost_bytes_suspected: u64,
    /// Files read to their end.
    pub files_done: u64,
    /// Files that are known and not read to their end.
    pub files_waiting: u64,
    /// Compressed files that break off or are damaged; what stands before was handed out.
    pub damaged: u64,
    /// Bytes on disk that were not used yet.
    pub lag_bytes: u64,
    /// When bytes were last used.
    pub last_read: Option<SystemTime>,
}
