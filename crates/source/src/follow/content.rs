//! What stands in a file of a log, plain or packed.
use crate::blocks::Blocks;
use crate::input::{Compression, HEAD};
use crate::mark::{PROOF, Recent};
use crate::{Input, SourceError};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// A file, ready to be read.
#[derive(Debug)]
pub(super) enum Content {
    /// Not open: where it lies is still to be found, or it is over.
    Sought,
    /// It may grow.
    Plain(File),
    /// Complete; unpacked when its turn comes.
    Packed(File),
    Unpacking(Box<Blocks>),
}

impl Content {
    pub(super) fn of(path: &Path, file: File) -> Result<Self, SourceError> {
        let packed =
            is_packed(&file).map_err(|source| SourceError::Read { path: path.to_owned(), at: 0, source })?;
        Ok(if packed { Self::Packed(file) } else { Self::Plain(file) })
    }
}

pub(super) fn is_packed(file: &File) -> io::Result<bool> {
    let mut head = [0; HEAD];
    let read = read_at(file, &mut head, 0)?;
    Ok(Compression::of(head.get(..read).unwrap_or_default()) != Compression::Plain)
}

/// Reads from `offset` until `into` is full or the file ends.
pub(super) fn read_at(file: &File, into: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(room) = into.get_mut(filled..).filter(|room| !room.is_empty()) {
        match file.read_at(room, offset + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// The bytes at `offset`, all of them.
pub(super) fn plain(file: &File, offset: u64, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    if read_at(file, &mut bytes, offset)? < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(bytes)
}

/// The first bytes of a file, unpacked, no more than are a proof. What a damaged one has before its damage.
pub(super) fn beginning(path: &Path, file: &File) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; PROOF];
    let read = if is_packed(file)? {
        match Input::from_file(path, file.try_clone()?, 0..u64::MAX) {
            Ok(mut input) => fill(&mut input, &mut bytes).0,
            Err(_) => 0,
        }
    } else {
        read_at(file, &mut bytes, 0)?
    };
    bytes.truncate(read);
    Ok(bytes)
}

/// A packed file that was unpacked up to a place, with the first bytes in it and the last before the place.
#[derive(Debug)]
pub(super) struct Unpacked {
    pub(super) input: Input,
    pub(super) beginning: Vec<u8>,
    pub(super) before: Recent,
    pub(super) length: u64,
}

/// Unpacks `length` bytes, or as many as there are.
pub(super) fn unpack(path: &Path, file: File, length: u64) -> Result<Unpacked, SourceError> {
    let input = Input::from_file(path, file, 0..u64::MAX)?;
    let mut unpacked = Unpacked { input, beginning: Vec::new(), before: Recent::default(), length: 0 };
    let mut buffer = vec![0; 64 * 1024];
    while unpacked.length < length {
        let left = length - unpacked.length;
        let room = buffer.get_mut(..left.min(64 * 1024) as usize).unwrap_or_default();
        let (read, damage) = fill(&mut unpacked.input, room);
        let bytes = room.get(..read).unwrap_or_default();
        unpacked.before.push(bytes);
        let lacks = PROOF - unpacked.beginning.len();
        unpacked.beginning.extend(bytes.iter().take(lacks));
        unpacked.length += read as u64;
        if let Some(damage) = damage {
            return Err(damage);
        }
        if read < room.len() {
            break;
        }
    }
    Ok(unpacked)
}

/// Reads until `into` is full or the input ends. So much was read, and what it ended in.
pub(super) fn fill(input: &mut Input, into: &mut [u8]) -> (usize, Option<SourceError>) {
    let mut filled = 0;
    while let Some(room) = into.get_mut(filled..).filter(|room| !room.is_empty()) {
        match input.read(room) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) => return (filled, Some(error)),
        }
    }
    (filled, None)
}
