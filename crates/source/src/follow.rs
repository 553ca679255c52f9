//! A log that grows, followed through its rotation.
mod content;
mod part;
mod reconcile;
mod search;
mod siblings;

use crate::mark::{Identity, Mark};
use crate::{Chunk, Counters, FileNumber, SourceError};
use content::Content;
use part::{Offer, Part, Stage, State};
use serde::{Deserialize, Serialize};
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// How a log is followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FollowOptions {
    /// A file that was rotated away is over when it has not changed for so long and its successor has bytes. Its
    /// last line is handed out then even if it has no end.
    pub quiet: Duration,
    /// The directory that rotation moves files to, if not that of the log.
    pub archive: Option<PathBuf>,
}

impl Default for FollowOptions {
    fn default() -> Self {
        Self { quiet: Duration::from_mins(1), archive: None }
    }
}

/// What was used of a log, for a restart: at most a few kilobytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Oldest first.
    files: Vec<Mark>,
    /// None as long as nobody has looked.
    used_until: Option<i64>,
}

impl Position {
    /// How far each file that is not over was used, oldest first; before them a few that are over.
    pub fn files(&self) -> &[Mark] {
        &self.files
    }
}

/// Reads a growing file by its name, and the files that rotation made of it as long as they grow.
///
/// The caller asks again and again, whenever it was woken and at intervals:
/// ```no_run
/// # use tollwatch_source::{Follow, FollowOptions};
/// # fn decode(_: &[u8], _: bool) -> usize { 0 }
/// # fn now() -> std::time::SystemTime { std::time::UNIX_EPOCH }
/// let mut follow = Follow::new("/var/log/asterisk/cdr-csv/Master.csv", FollowOptions::default());
/// loop {
///     match follow.poll(now()) {
///         Ok(Some(chunk)) => {
///             let used = decode(chunk.bytes, chunk.last);
///             follow.consume(used);
///         }
///         Ok(None) => break, // Nothing for now.
///         Err(error) => break, // The same, and why; the next poll tries again.
///     }
/// }
/// let saved = follow.position();
/// ```
#[derive(Debug)]
pub struct Follow {
    path: PathBuf,
    options: FollowOptions,
    /// Oldest first; the last one is what the name stood for when we last looked. The first may be over: what comes
    /// after them was not read.
    parts: Vec<Part>,
    /// The file that the name stands for.
    log: Option<Identity>,
    next: u64,
    /// Some file was followed before.
    began: bool,
    /// The last change after which everything was used: what is unknown and older was there before. None before the
    /// first look.
    used_until: Option<i64>,
    buffer: Vec<u8>,
    handed: Option<Handed>,
    /// Of a file that was handed out to its end.
    damage: Option<SourceError>,
    counters: Counters,
    now: Option<SystemTime>,
}

/// Files that are over are kept, so that what is younger is known as such, as long as they are not more.
const MOST_OVER: usize = 16;

#[derive(Clone, Copy, Debug)]
struct Handed {
    number: FileNumber,
    length: usize,
    last: bool,
}

impl Follow {
    /// Follows the file of that name from its beginning, also if it is not there yet.
    pub fn new(path: impl Into<PathBuf>, options: FollowOptions) -> Self {
        Self::restore(path, options, &Position::default())
    }

    /// Goes on after what was used when `position` was taken, wherever rotation has put it.
    pub fn restore(path: impl Into<PathBuf>, options: FollowOptions, position: &Position) -> Self {
        let (path, mut next) = (path.into(), 0);
        let restored = |mark: &Mark| Part::restored(FileNumber::take(&mut next), &path, mark);
        let parts: Vec<_> = position.files.iter().map(restored).collect();
        Self {
            began: !parts.is_empty(),
            log: None,
            used_until: position.used_until,
            path,
            options,
            parts,
            next,
            buffer: Vec::new(),
            handed: None,
            damage: None,
            counters: Counters::default(),
            now: None,
        }
    }

    /// The name that is followed.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What was used so far; to be saved together with what the decoder and the engine made of it.
    pub fn position(&self) -> Position {
        Position {
            files: self.parts.iter().map(|part| part.mark.clone()).collect(),
            used_until: self.used_until,
        }
    }

    /// What was seen so far.
    pub fn counters(&self) -> Counters {
        Counters {
            files_waiting: self.parts.iter().filter(|part| !part.mark.over).count() as u64,
            lag_bytes: self.parts.iter().filter(|part| !part.mark.over).map(Part::lag).sum(),
            ..self.counters
        }
    }

    /// New bytes, if there are any. Of files that are read side by side, since one was rotated away a moment ago,
    /// the older one comes first.
    ///
    /// # Errors
    /// There is nothing to hand out now, and that is why. The next call tries again: a missing file may come, and
    /// a permission may be given. The damage of a compressed file is told once.
    pub fn poll(&mut self, now: SystemTime) -> Result<Option<Chunk<'_>>, SourceError> {
        self.handed = None;
        self.now = Some(now);
        if let Some(damage) = self.damage.take() {
            return Err(damage);
        }
        let standing = self.look();
        let mut index = 0;
        let handed = loop {
            let stage = self.stage(index);
            let Some(part) = self.parts.get_mut(index) else { return standing.map(|()| None) };
            match part.offer(now, stage, &mut self.buffer) {
                Ok(Offer::Nothing) => {
                    self.used_until = self.used_until.max(part.used_until());
                    index += 1;
                }
                Ok(Offer::Bytes { length, last }) => {
                    break Handed { number: part.number, length, last };
                }
                Err(error) => {
                    match part.content {
                        Content::Packed(_) => {
                            self.counters.damaged += 1;
                            part.mark.over = true;
                            part.content = Content::Sought;
                        }
                        Content::Unpacking(_) => self.counters.damaged += 1,
                        // A stale handle of a network file system never gets better.
                        Content::Plain(_) | Content::Sought => part.content = Content::Sought,
                    }
                    return Err(error);
                }
            }
        };
        self.handed = Some(handed);
        Ok(self.parts.get(index).map(|part| Chunk {
            bytes: part.bytes(&self.buffer, handed.length),
            file: handed.number,
            path: &self.path,
            begins_file: part.mark.offset() == 0,
            last: handed.last,
        }))
    }

    /// The decoder has used the first `bytes` of the chunk that was handed out.
    pub fn consume(&mut self, bytes: usize) {
        let Some(handed) = self.handed.take() else { return };
        let Some(part) = self.parts.iter_mut().find(|part| part.number == handed.number) else { return };
        let bytes = bytes.min(handed.length);
        self.damage = part.consume(&self.buffer, bytes, handed.last);
        self.counters.damaged += u64::from(self.damage.is_some());
        self.used_until = self.used_until.max(part.used_until());
        self.counters.bytes += bytes as u64;
        if bytes > 0 {
            self.counters.last_read = self.now;
        }
        if handed.last {
            self.counters.files_done += 1;
            self.forget();
        }
    }

    /// A plain file is over only after all older ones, and never as long as it is the log.
    fn stage(&self, index: usize) -> Stage {
        let later = self.parts.get(index + 1..).unwrap_or_default();
        let oldest = self.parts.iter().position(|part| !part.mark.over) == Some(index);
        let is_log = self.parts.get(index).is_some_and(|part| Some(part.mark.identity) == self.log);
        if oldest && !is_log && later.iter().any(|part| part.seen.size > 0) {
            Stage::EndsAfter(self.options.quiet)
        } else {
            Stage::Growing
        }
    }

    /// Of the files that are over, keeps the last.
    fn forget(&mut self) {
        let over = self.parts.iter().filter(|part| part.mark.over).count();
        let mut excess = over.saturating_sub(MOST_OVER);
        self.parts.retain(|part| {
            let goes = part.mark.over && excess > 0;
            excess -= usize::from(goes);
            !goes
        });
    }

    /// Finds what has become of the files, and which one has the name now.
    fn look(&mut self) -> Result<(), SourceError> {
        let there = self.there()?;
        self.log = there.as_ref().map(Identity::of);
        let mut certain = self.used_until.is_some();
        for part in &mut self.parts {
            match part.check() {
                Ok(State::Closed) => certain &= part.mark.over || !part.is_sought(),
                Ok(State::Same) => {}
                Ok(State::Doubtful(_) | State::Cut) => certain = false,
                Err(error) => {
                    // A stale handle of a network file system never gets better.
                    part.content = Content::Sought;
                    return Err(error);
                }
            }
        }
        let known = self.log.is_none_or(|log| {
            let mut open = self.parts.iter().filter(|part| !part.mark.over);
            open.any(|part| part.mark.identity == log)
        });
        if !certain || !known {
            self.reconcile()?;
        }
        self.log.map(|_| ()).ok_or_else(|| SourceError::Missing { path: self.path.clone() })
    }

    fn there(&self) -> Result<Option<Metadata>, SourceError> {
        let path = || self.path.clone();
        match fs::metadata(&self.path) {
            Ok(metadata) if metadata.is_file() => Ok(Some(metadata)),
            Ok(metadata) if metadata.is_dir() => Err(SourceError::Directory { path: path() }),
            Ok(_) => Err(SourceError::NotAFile { path: path() }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(SourceError::Open { path: path(), source }),
        }
    }
}
