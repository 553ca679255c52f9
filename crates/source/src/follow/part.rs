//! One file of a log: how far it was used, and what is new in it.
use super::siblings::{Content, Found, read_at};
use crate::blocks::{Blocks, LONGEST_RECORD};
use crate::mark::{FINGERPRINT, Fingerprint, Identity, Mark, Recent, Seen};
use crate::{FileNumber, Input, SourceError};
use std::fs::File;
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
    /// The bytes of the fingerprints of `mark`; they are kept nowhere else.
    head: Vec<u8>,
    recent: Recent,
    /// What the last look saw.
    pub(super) seen: Seen,
    quiet_since: Option<SystemTime>,
    /// The last change after which everything was used.
    pub(super) used_until: i64,
    /// End of what the decoder has seen; it has seen it in vain if more was not used.
    offered: u64,
    /// As large as the longest record so far needs.
    room: usize,
    /// The end was handed out and used.
    pub(super) done: bool,
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
    /// A file that was empty has changed. What is in it may not be all that was: it cannot be told from one that was
    /// copied and cut since.
    FirstBytes,
    /// The file does not hold any more what it held.
    Replaced,
}

/// Whether a part may still grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Growing,
    /// A later file has bytes: this one is over when it has not changed for so long.
    EndsAfter(Duration),
}

impl Part {
    /// A file to be read from its beginning.
    pub(super) fn begin(number: FileNumber, path: &Path, file: File) -> Result<Self, SourceError> {
        let open = |source| SourceError::Open { path: path.to_owned(), source };
        let metadata = file.metadata().map_err(open)?;
        let seen = Seen::of(&metadata);
        let none = Fingerprint::of(&[]);
        let mark = Mark {
            identity: Identity::of(&metadata),
            offset: 0,
            head: none,
            tail: none,
            modified: seen.modified,
        };
        let content = Content::of(path, file)?;
        let mut part = Self { content, seen, ..Self::restored(number, path, mark) };
        if let Content::Packed(file) = &part.content {
            // A damaged one says so when its turn comes.
            part.head = file.try_clone().ok().and_then(|file| first_bytes(path, file)).unwrap_or_default();
            part.mark.head = Fingerprint::of(&part.head);
        }
        part.learn_head();
        Ok(part)
    }

    /// A file whose whereabouts are still to be found.
    pub(super) fn restored(number: FileNumber, path: &Path, mark: Mark) -> Self {
        Self {
            number,
            mark,
            content: Content::Sought,
            path: path.to_owned(),
            head: Vec::new(),
            recent: Recent::default(),
            seen: Seen::default(),
            quiet_since: None,
            used_until: i64::MIN,
            offered: mark.offset,
            room: ROOM,
            done: false,
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

    /// Goes on with the file that was found.
    pub(super) fn found(&mut self, path: &Path, found: Found) {
        self.mark.identity = found.identity;
        path.clone_into(&mut self.path);
        self.seen = found.seen;
        (self.content, self.head, self.recent) = (found.content, found.head, found.recent);
        (self.quiet_since, self.offered) = (None, self.mark.offset);
    }

    /// Bytes that were handed out from this part.
    pub(super) fn bytes<'a>(&'a self, buffer: &'a [u8], length: usize) -> &'a [u8] {
        let bytes = match &self.content {
            Content::Unpacking(blocks) => blocks.current().bytes,
            _ => buffer,
        };
        bytes.get(..length).unwrap_or_default()
    }

    /// The first `used` of the bytes handed out were used. They may be the last.
    pub(super) fn consume(&mut self, buffer: &[u8], used: usize, last: bool) {
        let bytes = match &self.content {
            Content::Unpacking(blocks) => blocks.current().bytes,
            _ => buffer,
        };
        let bytes = bytes.get(..used).unwrap_or_default();
        if self.head.len() < FINGERPRINT && self.mark.offset == self.head.len() as u64 {
            let wanted = (FINGERPRINT - self.head.len()).min(bytes.len());
            self.head.extend_from_slice(bytes.get(..wanted).unwrap_or_default());
            self.mark.head = Fingerprint::of(&self.head);
        }
        if !bytes.is_empty() {
            self.recent.push(bytes);
            self.mark.tail = Fingerprint::of(self.recent.bytes());
            self.mark.offset += bytes.len() as u64;
        }
        if let Content::Unpacking(blocks) = &mut self.content {
            blocks.consume(used);
        } else {
            self.note_all_used();
        }
        if last {
            self.done = true;
            self.used_until = self.used_until.max(self.seen.modified);
        }
    }

    /// Where everything was used, the file's time of change says until when.
    fn note_all_used(&mut self) {
        if self.mark.offset == self.seen.size {
            self.used_until = self.used_until.max(self.seen.modified);
            self.mark.modified = self.mark.modified.max(self.seen.modified);
        }
    }

    /// Looks for bytes that the decoder has not seen, and puts them into `buffer`.
    pub(super) fn offer(
        &mut self,
        now: SystemTime,
        stage: Stage,
        buffer: &mut Vec<u8>,
    ) -> Result<Offer, SourceError> {
        if self.done {
            return Ok(Offer::Nothing);
        }
        if let Content::Packed(file) = &self.content {
            let again = file.try_clone().map_err(|source| self.failed(source))?;
            let input = Input::from_file(&self.path, again, 0..u64::MAX)?;
            self.content = Content::Unpacking(Box::new(Blocks::new(input)));
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
        let Content::Plain(file) = &self.content else { return Ok(Offer::Nothing) };
        let seen = Seen::of(&file.metadata().map_err(|source| self.failed(source))?);
        let changed = seen != self.seen;
        if changed || stage == Stage::Growing {
            self.quiet_since = None;
        }
        // From the moment on that it is not the newest: the last calls of a quiet night may be on their way to it.
        let mut quiet = Duration::ZERO;
        if stage != Stage::Growing {
            let quiet_since = *self.quiet_since.get_or_insert(now);
            quiet = now.duration_since(quiet_since).unwrap_or_default();
        }
        if seen.size < self.mark.offset {
            return Ok(Offer::Replaced);
        }
        if changed && self.mark.head.length() == 0 {
            self.seen = seen;
            return Ok(Offer::FirstBytes);
        }
        let over = matches!(stage, Stage::EndsAfter(enough) if quiet >= enough);
        if !changed && !over && self.offered >= seen.size {
            self.note_all_used();
            return Ok(Offer::Nothing);
        }
        loop {
            let available = seen.size - self.mark.offset;
            let wanted = available.min(self.room as u64) as usize;
            buffer.resize(wanted, 0);
            let read = read_at(file, buffer, self.mark.offset).map_err(|source| self.failed(source))?;
            if read < wanted {
                // Cut this very moment, or a network file system told a size too early: the next look will tell.
                return Ok(Offer::Nothing);
            }
            // Only now: what was read before the file was seen to be the same is of the same file.
            let Some(head) = self.head_if_same(file)? else { return Ok(Offer::Replaced) };
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
            self.seen = seen;
            if head.len() > self.head.len() {
                self.mark.head = Fingerprint::of(&head);
                self.head = head;
            }
            self.note_all_used();
            if unseen || over {
                self.offered = self.mark.offset + length as u64;
                return Ok(Offer::Bytes { length, last: over && whole });
            }
            return Ok(Offer::Nothing);
        }
    }

    /// The first bytes of the file, if it still holds what was read of it.
    fn head_if_same(&self, file: &File) -> Result<Option<Vec<u8>>, SourceError> {
        let mut bytes = vec![0; FINGERPRINT];
        let recent = self.recent.bytes();
        let at = self.mark.offset - recent.len() as u64;
        let read = read_at(file, &mut bytes, at).map_err(|source| self.failed(source))?;
        if !bytes.get(..read).is_some_and(|bytes| bytes.starts_with(recent)) {
            return Ok(None);
        }
        let read = read_at(file, &mut bytes, 0).map_err(|source| self.failed(source))?;
        bytes.truncate(read);
        Ok(bytes.starts_with(&self.head).then_some(bytes))
    }

    /// Learns how a file begins while its handle is at hand; by this its compressed copy is found.
    pub(super) fn learn_head(&mut self) {
        let Content::Plain(file) = &self.content else { return };
        if let Ok(Some(head)) = self.head_if_same(file)
            && head.len() > self.head.len()
        {
            self.mark.head = Fingerprint::of(&head);
            self.head = head;
        }
    }

    fn failed(&self, source: std::io::Error) -> SourceError {
        SourceError::Read { path: self.path.clone(), at: self.mark.offset, source }
    }
}

fn first_bytes(path: &Path, file: File) -> Option<Vec<u8>> {
    let mut input = Input::from_file(path, file, 0..u64::MAX).ok()?;
    let (mut head, mut filled) = (vec![0; FINGERPRINT], 0);
    while let Some(room) = head.get_mut(filled..).filter(|room| !room.is_empty()) {
        match input.read(room).ok()? {
            0 => break,
            read => filled += read,
        }
    }
    head.truncate(filled);
    Some(head)
}
