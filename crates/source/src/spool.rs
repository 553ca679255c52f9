//! A directory into which files are put, one for each call or for each hour, and which are read once each.
mod ledger;
mod putting_away;

use crate::mark::Identity;
use crate::{Blocks, Chunk, Counters, FileNumber, Input, SourceError};
use ledger::{Entry, Ledger, Name, Stamp, Usage, Used};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// How a directory is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpoolOptions {
    /// Names of the files. Hidden ones are never read.
    pub pattern: glob::Pattern,
    /// Which is read first.
    pub order: Order,
    /// A file that has not changed for so long is complete. One that was renamed into place is at once.
    pub settle: Duration,
    /// What becomes of a file that was read.
    pub afterwards: Afterwards,
}

/// Which file is read first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// By their names, byte for byte.
    Name,
    /// By the time of their last change.
    Time,
}

/// What becomes of a file, once its records are durable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Afterwards {
    /// It stays.
    Leave,
    /// It is moved to that directory.
    Move(PathBuf),
    /// It is deleted.
    Delete,
}

/// What was read of a directory, for a restart: 40 bytes for each file that is there, and for the last that were.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpoolPosition {
    done: Vec<Entry>,
    reading: Option<Progress>,
}

/// A file that is being read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Progress {
    name: Vec<u8>,
    used: Used,
}

/// Whoever changed a file so long before now has finished it, whichever of the two clocks is slow.
const LONG_AGO: Duration = Duration::from_mins(10);
/// So many files that cannot be read are named.
const MOST_NAMED: usize = 32;

/// Reads the files of a directory, each once, whole, and one after the other.
///
/// Used as [`Follow`](crate::Follow) is; besides, the caller says when what it has used is durable
/// ([`Spool::durable`]): only then a file is put away.
#[derive(Debug)]
pub struct Spool {
    directory: PathBuf,
    options: SpoolOptions,
    ledger: Ledger,
    /// Files that are not complete yet, and since when they have been as they are.
    unsettled: BTreeMap<OsString, (Stamp, SystemTime)>,
    /// Files that are there under names that are not read: one of them may be renamed.
    others: BTreeSet<Identity>,
    /// Complete and not read, in their order.
    ready: VecDeque<(OsString, Stamp)>,
    reading: Option<Reading>,
    /// Where a file stood at the restart.
    restored: Option<Progress>,
    /// Read to their ends, and not durable yet.
    finished: Vec<(OsString, Stamp)>,
    /// Files that cannot be read or put away, and why.
    troubles: BTreeMap<OsString, String>,
    handed: Option<(usize, bool)>,
    next: u64,
    counters: Counters,
    now: Option<SystemTime>,
}

#[derive(Debug)]
struct Reading {
    name: OsString,
    path: PathBuf,
    stamp: Stamp,
    blocks: Blocks,
    usage: Usage,
    number: FileNumber,
}

/// What a file has of what was used under its name before.
enum Known {
    /// It is another.
    Nothing,
    /// All of it, and nothing else.
    All,
    /// All of it, and more, which comes next.
    More(Box<Blocks>, Usage),
}

impl Spool {
    /// Reads all files that are and will be in the directory.
    pub fn new(directory: impl Into<PathBuf>, options: SpoolOptions) -> Self {
        Self::restore(directory, options, SpoolPosition::default())
    }

    /// Goes on after what was used when `position` was taken.
    pub fn restore(directory: impl Into<PathBuf>, options: SpoolOptions, position: SpoolPosition) -> Self {
        Self {
            directory: directory.into(),
            options,
            ledger: Ledger::restore(&position.done),
            unsettled: BTreeMap::new(),
            others: BTreeSet::new(),
            ready: VecDeque::new(),
            reading: None,
            restored: position.reading,
            finished: Vec::new(),
            troubles: BTreeMap::new(),
            handed: None,
            next: 0,
            counters: Counters::default(),
            now: None,
        }
    }

    /// The directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// What was used so far; to be saved together with what the decoder and the engine made of it.
    pub fn position(&self) -> SpoolPosition {
        let reading = self
            .reading
            .as_ref()
            .map(|reading| Progress { name: reading.name.as_bytes().to_vec(), used: reading.usage.used() });
        SpoolPosition { done: self.ledger.entries(), reading: reading.or_else(|| self.restored.clone()) }
    }

    /// What was seen so far.
    pub fn counters(&self) -> Counters {
        let ready = self.ready.iter().map(|(_, stamp)| stamp.size).sum::<u64>();
        Counters {
            files_waiting: (self.ready.len() + self.unsettled.len()) as u64,
            lag_bytes: ready + self.unsettled.values().map(|(stamp, _)| stamp.size).sum::<u64>(),
            ..self.counters
        }
    }

    /// Files that cannot be read or put away, and why; at most a few.
    pub fn troubles(&self) -> impl Iterator<Item = (&OsStr, &str)> {
        self.troubles.iter().map(|(name, why)| (&**name, &**why))
    }

    /// New bytes, if there are any.
    ///
    /// # Errors
    /// The directory cannot be looked through. A file that cannot be read is passed over: [`Spool::troubles`] names it.
    pub fn poll(&mut self, now: SystemTime) -> Result<Option<Chunk<'_>>, SourceError> {
        self.handed = None;
        self.now = Some(now);
        let (length, last) = loop {
            if self.reading.is_none() && !self.begin_next(now)? {
                return Ok(None);
            }
            let Some(reading) = &mut self.reading else { return Ok(None) };
            // After the last block comes none; if that was not used, it is handed out again.
            match reading.blocks.fill() {
                Ok(_) => {
                    let block = reading.blocks.current();
                    let line_ends = block.bytes.iter().rposition(|&byte| byte == b'\n').map(|at| at + 1);
                    break (line_ends.filter(|_| !block.last).unwrap_or(block.bytes.len()), block.last);
                }
                Err(error) => self.give_up(&with_cause(&error)),
            }
        };
        self.handed = Some((length, last));
        Ok(self.reading.as_ref().map(|reading| Chunk {
            bytes: reading.blocks.current().bytes.get(..length).unwrap_or_default(),
            file: reading.number,
            path: &reading.path,
            begins_file: reading.usage.used().length == 0,
            last,
        }))
    }

    /// The decoder has used the first `bytes` of the chunk that was handed out.
    pub fn consume(&mut self, bytes: usize) {
        let (Some((length, last)), Some(reading)) = (self.handed.take(), &mut self.reading) else { return };
        let bytes = bytes.min(length);
        reading.usage.push(reading.blocks.current().bytes.get(..bytes).unwrap_or_default());
        reading.blocks.consume(bytes);
        self.counters.bytes += bytes as u64;
        self.counters.last_read = self.now.filter(|_| bytes > 0).or(self.counters.last_read);
        if !last {
            return;
        }
        match reading.blocks.fill() {
            Err(error) => self.give_up(&with_cause(&error)),
            Ok(_) => {
                if let Some(Reading { name, stamp, usage, .. }) = self.reading.take() {
                    self.done(&name, stamp, usage.used());
                }
            }
        }
    }

    /// The file that is being read cannot be read on: it stays where it is, is named, and the next one comes.
    pub fn give_up(&mut self, why: &str) {
        let Some(Reading { name, stamp, usage, .. }) = self.reading.take() else { return };
        self.counters.damaged += 1;
        self.ledger.insert(Entry { name: Name::of(&name), stamp, used: usage.used(), is_bad: true });
        self.trouble(name, why.to_owned());
    }

    fn done(&mut self, name: &OsStr, stamp: Stamp, used: Used) {
        self.counters.files_done += 1;
        self.troubles.remove(name);
        self.ledger.insert(Entry { name: Name::of(name), stamp, used, is_bad: false });
        self.finished.push((name.to_owned(), stamp));
    }

    /// All that was used so far is durable: what was read to its end is put away.
    pub fn durable(&mut self) {
        for (name, stamp) in std::mem::take(&mut self.finished) {
            self.put_away(&name, stamp);
        }
    }

    fn put_away(&mut self, name: &OsStr, stamp: Stamp) {
        match putting_away::put_away(&self.directory, name, stamp, &self.options.afterwards) {
            Ok(()) => drop(self.troubles.remove(name)),
            Err(error) => self.trouble(name.to_owned(), error),
        }
    }

    fn trouble(&mut self, name: OsString, why: String) {
        if self.troubles.len() < MOST_NAMED || self.troubles.contains_key(&name) {
            self.troubles.insert(name, why);
        }
    }

    /// Begins the next file, if one is complete.
    fn begin_next(&mut self, now: SystemTime) -> Result<bool, SourceError> {
        if self.ready.is_empty() {
            self.list(now)?;
        }
        while let Some((name, stamp)) = self.ready.pop_front() {
            match self.begin(&name, stamp) {
                Ok(()) if self.reading.is_some() => return Ok(true),
                Ok(()) => {}
                // It was moved on, or is not ours to read: looked at again.
                Err(error) if is_missing(&error) => {}
                Err(error) => self.trouble(name, with_cause(&error)),
            }
        }
        Ok(false)
    }

    fn begin(&mut self, name: &OsStr, stamp: Stamp) -> Result<(), SourceError> {
        let path = self.directory.join(name);
        let opened = |source| SourceError::Open { path: path.clone(), source };
        let file = File::open(&path).map_err(opened)?;
        if Stamp::of(&file.metadata().map_err(opened)?) != stamp {
            // It has changed since it was complete.
            return Ok(());
        }
        let entry = self.ledger.get(Name::of(name)).map(|entry| entry.used);
        let restored = self.restored.take_if(|progress| progress.name == name.as_bytes()).map(|it| it.used);
        let mut known = Known::Nothing;
        for used in restored.into_iter().chain(entry) {
            let again = file.try_clone().map_err(opened)?;
            known = compare(&path, again, used).unwrap_or(Known::Nothing);
            if !matches!(known, Known::Nothing) {
                break;
            }
        }
        let (blocks, usage) = match known {
            // Read before, under this name; or, after a restart, to its end.
            Known::All => {
                self.done(name, stamp, restored.or(entry).unwrap_or_else(|| Usage::default().used()));
                return Ok(());
            }
            Known::More(blocks, usage) => (*blocks, usage),
            Known::Nothing => (Blocks::new(Input::from_file(&path, file, 0..u64::MAX)?), Usage::default()),
        };
        self.counters.rotations += u64::from(self.next > 0);
        let number = FileNumber::take(&mut self.next);
        self.reading = Some(Reading { name: name.to_owned(), path, stamp, blocks, usage, number });
        Ok(())
    }

    /// Looks through the directory.
    fn list(&mut self, now: SystemTime) -> Result<(), SourceError> {
        let failed = |source: io::Error| match source.kind() {
            io::ErrorKind::NotFound => SourceError::Missing { path: self.directory.clone() },
            _ => SourceError::List { path: self.directory.clone(), source },
        };
        let (mut there, mut others, mut unsettled) = (BTreeSet::new(), BTreeSet::new(), BTreeMap::new());
        let (mut ready, mut read) = (Vec::new(), Vec::new());
        for entry in fs::read_dir(&self.directory).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            // It may have been moved on meanwhile.
            let Ok(metadata) = fs::metadata(entry.path()) else { continue };
            if !metadata.is_file() {
                continue;
            }
            let stamp = Stamp::of(&metadata);
            let is_hidden = name.as_bytes().starts_with(b".");
            if is_hidden || !self.options.pattern.matches_path(Path::new(&name)) {
                others.insert(stamp.identity);
                continue;
            }
            there.insert(Name::of(&name));
            let known = self.ledger.get(Name::of(&name)).filter(|entry| entry.stamp == stamp);
            match known {
                Some(entry) if entry.is_bad => {}
                Some(_) => read.push((name, stamp)),
                None => {
                    let before = self.unsettled.get(&name).filter(|(before, _)| *before == stamp);
                    let since = before.map_or(now, |(_, since)| *since);
                    let quiet = now.duration_since(since).unwrap_or_default();
                    let modified =
                        SystemTime::UNIX_EPOCH + Duration::from_nanos(stamp.modified.max(0) as u64);
                    let is_old = now.duration_since(modified).is_ok_and(|age| age >= LONG_AGO);
                    if quiet >= self.options.settle || is_old || self.others.contains(&stamp.identity) {
                        ready.push((name, stamp));
                    } else {
                        unsettled.insert(name, (stamp, since));
                    }
                }
            }
        }
        match self.options.order {
            Order::Name => ready.sort_by(|(name, _), (other, _)| name.cmp(other)),
            Order::Time => {
                ready.sort_by(|(name, a), (other, b)| (a.modified, name).cmp(&(b.modified, other)));
            }
        }
        (self.others, self.unsettled, self.ready) = (others, unsettled, ready.into());
        self.troubles.retain(|name, _| there.contains(&Name::of(name)));
        self.ledger.forget(&there);
        if let Some(lost) = self.restored.take_if(|progress| !there.contains(&Name::of(&progress.path()))) {
            self.counters.vanished += 1;
            self.trouble(lost.path(), "it was gone before it was read to its end".to_owned());
        }
        if self.options.afterwards != Afterwards::Leave {
            // What was read before a restart, or could not be put away. What is not durable has its turn to come.
            read.retain(|(name, _)| !self.finished.iter().any(|(finished, _)| finished == name));
            for (name, stamp) in read {
                self.put_away(&name, stamp);
            }
        }
        Ok(())
    }
}

impl Progress {
    fn path(&self) -> OsString {
        OsString::from_vec(self.name.clone())
    }
}

/// Whether a file begins with what was used before. What did not end with a line may have been a part of one.
fn compare(path: &Path, file: File, used: Used) -> Result<Known, SourceError> {
    let mut input = Input::from_file(path, file, 0..u64::MAX)?;
    let (mut usage, mut buffer) = (Usage::default(), vec![0; 64 * 1024]);
    let mut left = used.length;
    while left > 0 {
        let room = buffer.get_mut(..left.min(64 * 1024) as usize).unwrap_or_default();
        let read = input.read(room)?;
        if read == 0 {
            return Ok(Known::Nothing);
        }
        usage.push(room.get(..read).unwrap_or_default());
        left -= read as u64;
    }
    if usage.used() != used {
        return Ok(Known::Nothing);
    }
    let mut blocks = Blocks::new(input);
    blocks.fill()?;
    let has_more = !blocks.current().bytes.is_empty() || blocks.fails();
    Ok(match (has_more, used.is_whole) {
        (false, _) => Known::All,
        (true, true) => Known::More(Box::new(blocks), usage),
        (true, false) => Known::Nothing,
    })
}

fn is_missing(error: &SourceError) -> bool {
    matches!(error, SourceError::Open { source, .. } if source.kind() == io::ErrorKind::NotFound)
}

fn with_cause(error: &SourceError) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}
