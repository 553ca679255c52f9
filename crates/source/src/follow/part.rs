//! One file of a log: how far it was used, and what is new in it.
use super::content::{Content, beginning, plain, read_at, unpack};
use super::siblings::Sibling;
use crate::blocks::{Blocks, LONGEST_RECORD};
use crate::mark::{Fingerprint, Head, Identity, Mark, PROOF, Recent, Seen};
use crate::{FileNumber, SourceError};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// Bytes read at a time.
const ROOM: usize = 512 * 1024;

#[derive(Debug)]
pub(super) struct Part {
    pub(super) number: FileNumber,
    pub(super) mark: Mark,
    pub(super) content: Content,
    /// For messages; rotation may have moved the file on.
    path: PathBuf,
    /// The first bytes that were used, as many as a head may need; none as long as the file is sought.
    beginning: Vec<u8>,
    /// The last bytes before the offset, and before the end of what was read. They are kept nowhere else.
    used: Recent,
    read: Recent,
    read_until: u64,
    /// The last look after which it was certain that this is the file it was.
    pub(super) seen: Seen,
    quiet_since: Option<SystemTime>,
    /// Another part stands for the same file from now on.
    pub(super) is_replaced: bool,
    /// End of what the decoder has seen; it has seen it in vain if more was not used.
    offered: u64,
    /// As large as the longest record so far needs.
    room: usize,
}

/// What a part has to give.
#[derive(Debug)]
pub(super) enum Offer {
    Nothing,
    /// In the buffer, from its beginning; for a packed file in its blocks.
    Bytes {
        length: usize,
        last: bool,
    },
}

/// Whether a part may still grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Growing,
    /// A later file has bytes: this one is over when it has not changed for so long.
    EndsAfter(Duration),
}

/// What a look at an open file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It is not open, or nothing can change in it.
    Closed,
    Same,
    /// It has changed, and so little was used that a new file could begin with the same.
    Doubtful(Seen),
    /// It does not hold any more what was read.
    Cut,
}

impl Part {
    /// A file to be read from its beginning, or from a place before which it has nothing new.
    pub(super) fn begin(number: FileNumber, path: &Path, file: File, from: u64) -> Result<Self, SourceError> {
        let open = |source| SourceError::Open { path: path.to_owned(), source };
        let metadata = file.metadata().map_err(open)?;
        let seen = Seen::of(&metadata);
        let length = from.min(PROOF as u64);
        let used = Recent::of(&plain(&file, from - length, length as usize).map_err(open)?);
        let beginning = plain(&file, 0, length as usize).map_err(open)?;
        let mark = Mark {
            identity: Identity::of(&metadata),
            offset: from,
            tail: Fingerprint::of(used.bytes()),
            head: Head::of(&beginning),
            modified: seen.modified,
            over: false,
        };
        let content = Content::of(path, file)?;
        let part = Self::restored(number, path, &mark);
        Ok(Self { content, seen, beginning, read: used.clone(), used, ..part })
    }

    /// A file whose whereabouts are still to be found.
    pub(super) fn restored(number: FileNumber, path: &Path, mark: &Mark) -> Self {
        Self {
            number,
            mark: mark.clone(),
            content: Content::Sought,
            path: path.to_owned(),
            beginning: Vec::new(),
            used: Recent::default(),
            read: Recent::default(),
            read_until: mark.offset,
            seen: Seen::default(),
            quiet_since: None,
            is_replaced: false,
            offered: mark.offset,
            room: ROOM,
        }
    }

    pub(super) fn is_sought(&self) -> bool {
        matches!(self.content, Content::Sought)
    }

    /// Bytes that were seen and not used; of packed files nobody knows.
    pub(super) fn lag(&self) -> u64 {
        match self.content {
            Content::Plain(_) | Content::Sought => self.seen.size.saturating_sub(self.mark.offset),
            Content::Packed(_) | Content::Unpacking(_) => 0,
        }
    }

    /// Goes on in the file that was found to hold what was used.
    pub(super) fn go_on(&mut self, sibling: &Sibling) -> Result<(), SourceError> {
        sibling.path.clone_into(&mut self.path);
        let content = sibling.content()?;
        if let Content::Plain(file) = &content {
            let (offset, length) = (self.mark.offset, self.mark.tail.length());
            let bytes = |from, length| plain(file, from, length).map_err(|source| self.failed(source));
            let used = Recent::of(&bytes(offset.saturating_sub(length as u64), length)?);
            self.beginning = bytes(0, offset.min(PROOF as u64) as usize)?;
            self.used = used;
        }
        self.mark.over = false;
        self.mark.identity = sibling.identity;
        self.content = content;
        (self.read, self.read_until) = (self.used.clone(), self.mark.offset);
        self.offered = self.mark.offset;
        self.saw(sibling.seen);
        Ok(())
    }

    /// It is certain that this is the file it was.
    pub(super) fn saw(&mut self, seen: Seen) {
        if self.seen != seen {
            self.quiet_since = None;
        }
        self.seen = seen;
        self.mark.modified = seen.modified;
    }

    /// Bytes that were handed out from this part.
    pub(super) fn bytes<'a>(&'a self, buffer: &'a [u8], length: usize) -> &'a [u8] {
        let bytes = match &self.content {
            Content::Unpacking(blocks) => blocks.current().bytes,
            _ => buffer,
        };
        bytes.get(..length).unwrap_or_default()
    }

    /// The first `used` of the bytes handed out were used. If they are the last, gives the damage they end in.
    pub(super) fn consume(&mut self, buffer: &[u8], used: usize, last: bool) -> Option<SourceError> {
        let bytes = match &self.content {
            Content::Unpacking(blocks) => blocks.current().bytes,
            _ => buffer,
        };
        let bytes = bytes.get(..used).unwrap_or_default();
        if !bytes.is_empty() {
            if self.beginning.len() as u64 == self.mark.offset {
                let lacks = PROOF.saturating_sub(self.beginning.len());
                self.beginning.extend(bytes.iter().take(lacks));
                if !self.mark.head.is_full() {
                    self.mark.head = Head::of(&self.beginning);
                }
            }
            self.used.push(bytes);
            self.mark.tail = Fingerprint::of(self.used.bytes());
            self.mark.offset += bytes.len() as u64;
        }
        let mut damage = None;
        if let Content::Unpacking(blocks) = &mut self.content {
            blocks.consume(used);
            damage = last.then(|| blocks.fill().err()).flatten();
        }
        if last {
            if self.beginning.len() as u64 == self.mark.offset.min(PROOF as u64) {
                self.mark.head = Head::of_whole(&self.beginning);
            }
            self.mark.over = true;
            self.content = Content::Sought;
        }
        damage
    }

    /// Where everything was used, until when.
    pub(super) fn used_until(&self) -> Option<i64> {
        (self.mark.over || self.mark.offset == self.seen.size).then_some(self.seen.modified)
    }

    /// Looks whether the open file is still the one it was.
    pub(super) fn check(&mut self) -> Result<State, SourceError> {
        let Content::Plain(file) = &self.content else { return Ok(State::Closed) };
        let seen = Seen::of(&file.metadata().map_err(|source| self.failed(source))?);
        if seen == self.seen {
            return Ok(State::Same);
        }
        if seen.size < self.read_until || !self.holds_what_was_read(file)? {
            return Ok(State::Cut);
        }
        if !self.mark.head.is_full() {
            return Ok(State::Doubtful(seen));
        }
        self.saw(seen);
        Ok(State::Same)
    }

    /// How the open file begins, also where that was not used yet. One that is not open: as far as it was seen.
    pub(super) fn beginning(&self) -> Vec<u8> {
        match &self.content {
            Content::Plain(file) => beginning(&self.path, file).unwrap_or_default(),
            _ if self.read_until <= PROOF as u64 => self.read.bytes().to_vec(),
            _ => Vec::new(),
        }
    }

    /// The mark of all that was seen of it, used or not.
    pub(super) fn seen_mark(&self) -> Mark {
        Mark { offset: self.read_until, tail: Fingerprint::of(self.read.bytes()), ..self.mark.clone() }
    }

    fn holds_what_was_read(&self, file: &File) -> Result<bool, SourceError> {
        let read = self.read.bytes();
        let mut bytes = vec![0; read.len()];
        let at = self.read_until.saturating_sub(read.len() as u64);
        let there = read_at(file, &mut bytes, at).map_err(|source| self.failed(source))?;
        Ok(there == read.len() && bytes == read)
    }

    /// A file of which this is all was what this one was at an earlier time.
    pub(super) fn has_been(&self, beginning: &[u8], size: u64) -> bool {
        size > 0
            && size <= self.mark.offset
            && size == beginning.len() as u64
            && self.beginning.starts_with(beginning)
    }

    /// Looks for bytes that the decoder has not seen, and puts them into `buffer`.
    pub(super) fn offer(
        &mut self,
        now: SystemTime,
        stage: Stage,
        buffer: &mut Vec<u8>,
    ) -> Result<Offer, SourceError> {
        if let Content::Packed(file) = &self.content {
            let again = file.try_clone().map_err(|source| self.failed(source))?;
            let unpacked = unpack(&self.path, again, self.mark.offset)?;
            if unpacked.length < self.mark.offset {
                let at = unpacked.input.position();
                return Err(SourceError::Truncated { path: self.path.clone(), at });
            }
            (self.used, self.beginning) = (unpacked.before, unpacked.beginning);
            self.content = Content::Unpacking(Box::new(Blocks::new(unpacked.input)));
        }
        match &mut self.content {
            Content::Sought | Content::Packed(_) => Ok(Offer::Nothing),
            Content::Unpacking(blocks) => {
                // After the last block comes none; if that was not used, it is handed out again.
                blocks.fill()?;
                let block = blocks.current();
                let line_ends = block.bytes.iter().rposition(|&byte| byte == b'\n').map(|at| at + 1);
                let length = line_ends.filter(|_| !block.last).unwrap_or(block.bytes.len());
                Ok(Offer::Bytes { length, last: block.last })
            }
            Content::Plain(_) => self.offer_plain(now, stage, buffer),
        }
    }

    fn offer_plain(
        &mut self,
        now: SystemTime,
        stage: Stage,
        buffer: &mut Vec<u8>,
    ) -> Result<Offer, SourceError> {
        let over = match stage {
            Stage::Growing => {
                self.quiet_since = None;
                false
            }
            // From the moment on that it is not the newest: the last calls of a quiet night may be on their way to it.
            Stage::EndsAfter(enough) => {
                let since = *self.quiet_since.get_or_insert(now);
                now.duration_since(since).unwrap_or_default() >= enough
            }
        };
        let Content::Plain(file) = &self.content else { return Ok(Offer::Nothing) };
        let size = self.seen.size;
        if !over && self.offered >= size {
            return Ok(Offer::Nothing);
        }
        loop {
            let available = size.saturating_sub(self.mark.offset);
            let wanted = available.min(self.room as u64) as usize;
            buffer.resize(wanted, 0);
            let read = read_at(file, buffer, self.mark.offset).map_err(|source| self.failed(source))?;
            // Looked at after it was read: cut this very moment, or a network file system told a size too early. The
            // next look will tell.
            if read < wanted || !self.holds_what_was_read(file)? {
                return Ok(Offer::Nothing);
            }
            let whole = wanted as u64 == available;
            let line_ends = buffer.iter().rposition(|&byte| byte == b'\n').map(|at| at + 1);
            let length = match line_ends {
                _ if over && whole => wanted,
                None if whole => 0,
                Some(length) => length,
                None => wanted,
            };
            let unseen = self.mark.offset + length as u64 > self.offered;
            if !whole && !unseen {
                if self.room >= LONGEST_RECORD {
                    let path = self.path.clone();
                    return Err(SourceError::RecordTooLong { path, limit: LONGEST_RECORD });
                }
                self.room *= 2;
                continue;
            }
            self.read = self.used.clone();
            self.read.push(buffer);
            self.read_until = self.mark.offset + wanted as u64;
            if !unseen && !over {
                return Ok(Offer::Nothing);
            }
            self.offered = self.mark.offset + length as u64;
            return Ok(Offer::Bytes { length, last: over && whole });
        }
    }

    fn failed(&self, source: io::Error) -> SourceError {
        SourceError::Read { path: self.path.clone(), at: self.mark.offset, source }
    }
}
