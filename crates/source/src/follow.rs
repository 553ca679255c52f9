//! A log that grows, followed through its rotation.
mod part;
mod siblings;

use crate::mark::{Identity, Mark};
use crate::{Chunk, Counters, FileNumber, SourceError};
use part::{Offer, Part, Stage};
use serde::{Deserialize, Serialize};
use siblings::{Content, Siblings};
use std::fs::{self, File, Metadata};
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

/// What was used of a log, for a restart: a few hundred bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The files that are not over, oldest first.
    files: Vec<Mark>,
    used_until: i64,
}

impl Position {
    /// How far each file that is not over was used, oldest first.
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
    /// Oldest first; the last one is what the name stood for when we last looked.
    parts: Vec<Part>,
    next: u64,
    /// Some file was followed before.
    began: bool,
    /// The last change after which everything was used: what is unknown and older was there before.
    used_until: i64,
    buffer: Vec<u8>,
    handed: Option<Handed>,
    counters: Counters,
    now: Option<SystemTime>,
}

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
        let restored = |&mark: &Mark| Part::restored(FileNumber::take(&mut next), &path, mark);
        let parts: Vec<_> = position.files.iter().map(restored).collect();
        Self {
            began: !parts.is_empty(),
            used_until: position.used_until,
            path,
            options,
            parts,
            next,
            buffer: Vec::new(),
            handed: None,
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
        Position { files: self.parts.iter().map(|part| part.mark).collect(), used_until: self.used_until }
    }

    /// What was seen so far.
    pub fn counters(&self) -> Counters {
        Counters {
            files_waiting: self.parts.iter().filter(|part| !part.done).count() as u64,
            lag_bytes: self.parts.iter().map(Part::lag).sum(),
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
        let mut standing = self.look();
        let (mut index, mut replaced) = (0, false);
        let handed = loop {
            let stage = self.stage(index);
            let Some(part) = self.parts.get_mut(index) else { return standing.map(|()| None) };
            match part.offer(now, stage, &mut self.buffer) {
                Ok(Offer::Nothing) => {
                    self.used_until = self.used_until.max(part.used_until);
                    index += 1;
                }
                Ok(Offer::Bytes { length, last }) => {
                    break Handed { number: part.number, length, last };
                }
                Ok(Offer::FirstBytes) => {
                    let mark = part.mark;
                    if index + 1 == self.parts.len() {
                        let siblings = Siblings::list(&self.path, self.options.archive.as_deref())?;
                        self.begin_after(&siblings, &mark, true);
                        standing = self.look();
                        index = 0;
                    }
                }
                Ok(Offer::Replaced) => {
                    part.content = Content::Sought;
                    // Once: what happens again while we look is for the next call.
                    if std::mem::replace(&mut replaced, true) {
                        return Ok(None);
                    }
                    standing = self.look();
                    index = 0;
                }
                Err(error) => {
                    match part.content {
                        Content::Unpacking(_) => self.counters.damaged += 1,
                        // A stale handle of a network file system never gets better.
                        _ => part.content = Content::Sought,
                    }
                    return Err(error);
                }
            }
        };
        self.handed = Some(handed);
        Ok(self.parts.get(index).map(|part| Chunk {
            bytes: part.bytes(&self.buffer, handed.length),
            file: handed.number,
            begins_file: part.mark.offset() == 0,
            last: handed.last,
        }))
    }

    /// The decoder has used the first `bytes` of the chunk that was handed out.
    pub fn consume(&mut self, bytes: usize) {
        let Some(handed) = self.handed.take() else { return };
        let Some(part) = self.parts.iter_mut().find(|part| part.number == handed.number) else { return };
        let bytes = bytes.min(handed.length);
        part.consume(&self.buffer, bytes, handed.last);
        self.used_until = self.used_until.max(part.used_until);
        self.counters.bytes += bytes as u64;
        if bytes > 0 {
            self.counters.last_read = self.now;
        }
        if handed.last {
            self.counters.files_done += 1;
            self.drop_done();
        }
    }

    /// A file is over only after all older ones, so that no younger file can be taken for one that was missed.
    fn stage(&self, index: usize) -> Stage {
        let later = self.parts.get(index + 1..).unwrap_or_default();
        if index == 0 && later.iter().any(|part| part.seen.size > 0) {
            Stage::EndsAfter(self.options.quiet)
        } else {
            Stage::Growing
        }
    }

    fn drop_done(&mut self) {
        while self.parts.len() > 1 && self.parts.first().is_some_and(|part| part.done) {
            self.parts.remove(0);
        }
    }

    /// Finds what has become of the files, and which one has the name now.
    fn look(&mut self) -> Result<(), SourceError> {
        let there = self.there()?;
        if self.parts.iter().any(Part::is_sought) {
            self.seek(there.is_some())?;
        }
        self.drop_done();
        let Some(metadata) = there else { return Err(SourceError::Missing { path: self.path.clone() }) };
        let identity = Identity::of(&metadata);
        if self.parts.last().is_some_and(|part| part.mark.identity == identity) {
            return Ok(());
        }
        self.go_on()
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

    /// Finds the files of a saved position, or of one whose file was cut in place.
    fn seek(&mut self, there: bool) -> Result<(), SourceError> {
        let siblings = Siblings::list(&self.path, self.options.archive.as_deref())?;
        let at_hand = self.parts.iter().filter(|part| !part.is_sought());
        let mut taken: Vec<_> = at_hand.map(|part| part.mark.identity).collect();
        let mut cut = Vec::new();
        for part in self.parts.iter_mut().filter(|part| part.is_sought()) {
            let before = part.mark.identity;
            if let Some((sibling, found)) = siblings.find(&part.mark, &taken) {
                taken.push(found.identity);
                part.found(&sibling.path, found);
            }
            let known = part.mark.head.length() > 0;
            if known && siblings.knows(before) && (part.is_sought() || part.mark.identity != before) {
                cut.push((part.number, before));
            }
        }
        // With the whole file system away nothing is lost; nothing is known.
        if !there && taken.is_empty() {
            return Err(SourceError::Missing { path: self.path.clone() });
        }
        let was_cut = |number| cut.iter().any(|&(cut, _)| cut == number);
        self.counters.truncations += cut.len() as u64;
        // A file that had no bytes yet cannot be told from one that was copied and cut since, wherever it is now.
        let empty = self.parts.iter().map(|part| part.mark).find(|mark| mark.head.length() == 0);
        let last = self.parts.last().filter(|part| part.is_sought());
        let lost = empty.map(|mark| (mark, true));
        let lost = lost.or_else(|| last.map(|part| (part.mark, was_cut(part.number))));
        for part in self.parts.extract_if(.., |part| part.is_sought()) {
            let known = part.mark.head.length() > 0;
            self.counters.vanished += u64::from(known && !was_cut(part.number));
            self.counters.lost_bytes_suspected += part.lag();
        }
        if let Some((mark, cut_in_place)) = lost {
            self.begin_after(&siblings, &mark, cut_in_place);
        } else if let Some(mark) = self.parts.last().map(|part| part.mark).filter(|_| !cut.is_empty()) {
            self.begin_after(&siblings, &mark, false);
        }
        // Cut, and renamed since: it begins anew under its later name.
        for sibling in cut.iter().filter_map(|&(_, identity)| siblings.with(identity)) {
            let known = self.parts.iter().any(|part| part.mark.identity == sibling.identity);
            // What is older has got the inode of a file that is gone.
            if !known && sibling.path != self.path && sibling.seen.modified > self.used_until {
                let begun = sibling.open().is_some_and(|file| self.begin(&sibling.path, file).is_ok());
                self.counters.vanished += u64::from(!begun);
            }
        }
        Ok(())
    }

    /// The name stands for another file than before: begins that, and before it those that had the name between.
    fn go_on(&mut self) -> Result<(), SourceError> {
        let open = |source| SourceError::Open { path: self.path.clone(), source };
        let file = File::open(&self.path).map_err(open)?;
        let identity = Identity::of(&file.metadata().map_err(open)?);
        let unknown = self.parts.last().map(|part| part.mark).filter(|mark| mark.head.length() == 0);
        self.parts.iter_mut().for_each(Part::learn_head);
        if let Some(last) = self.parts.last().map(|part| part.mark) {
            let siblings = Siblings::list(&self.path, self.options.archive.as_deref())?;
            if let Some(empty) = unknown {
                self.begin_after(&siblings, &empty, true);
            }
            if !self.begin_after(&siblings, &last, false) {
                self.counters.reopened += 1;
            }
        }
        if let Some(index) = self.parts.iter().position(|part| part.mark.identity == identity) {
            // Moved back, or moved on while we looked.
            let part = self.parts.remove(index);
            self.parts.push(part);
            return Ok(());
        }
        let path = self.path.clone();
        self.begin(&path, file)
    }

    fn begin_after(&mut self, siblings: &Siblings, last: &Mark, cut_in_place: bool) -> bool {
        let (is_there, newer) = siblings.after(last, self.used_until, cut_in_place);
        let mut known: Vec<_> = self.parts.iter().map(|part| part.mark.identity).collect();
        // Files that were compressed while we have them open lie elsewhere, too.
        let elsewhere = self.parts.iter().filter(|part| !siblings.knows(part.mark.identity));
        known.extend(elsewhere.filter_map(|part| Some(siblings.find(&part.mark, &[])?.0.identity)));
        for sibling in newer.into_iter().filter(|sibling| !known.contains(&sibling.identity)) {
            let begun = sibling.open().is_some_and(|file| self.begin(&sibling.path, file).is_ok());
            self.counters.vanished += u64::from(!begun);
        }
        is_there
    }

    fn begin(&mut self, path: &Path, file: File) -> Result<(), SourceError> {
        let part = Part::begin(FileNumber::take(&mut self.next), path, file)?;
        self.parts.push(part);
        self.counters.rotations += u64::from(std::mem::replace(&mut self.began, true));
        Ok(())
    }
}
