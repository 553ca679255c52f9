//! A stream that cannot be read again, such as standard input: no piece before the one before it is durable.
use crate::blocks::LONGEST_RECORD;
use crate::{Chunk, Counters, FileNumber, Input, SourceError};
use serde::{Deserialize, Serialize};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::time::SystemTime;

/// Bytes read at a time; after each such piece somebody waits for the disk.
const PIECE: usize = 1024 * 1024;

/// What a restart has to know of a stream. What it gave before is gone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamPosition {
    /// Bytes that were read and not used: the beginning of a record whose rest had not come.
    unfinished: u64,
}

/// Reads a stream beside the caller, and only on: a piece is asked for when all before it is durable, so that whoever
/// writes into the stream is held up by what is not.
#[derive(Debug)]
pub struct Stream {
    path: PathBuf,
    ask: SyncSender<()>,
    pieces: Receiver<Result<Vec<u8>, SourceError>>,
    buffer: Vec<u8>,
    state: State,
    handed: Option<(usize, bool)>,
    has_begun: bool,
    number: FileNumber,
    counters: Counters,
    now: Option<SystemTime>,
}

#[derive(Debug)]
enum State {
    /// Everything is durable: more may be read.
    Durable,
    /// A piece was asked for.
    Waiting,
    /// A piece has come that the decoder has not seen.
    Come,
    /// What was used has to become durable.
    Used,
    /// It is over; its last bytes have still to be used, and then the error, if it ended in one, to be told.
    Ending(Option<SourceError>),
    Over,
}

impl Stream {
    /// Reads `reader`, packed or plain, which is called `path` in messages. `wake` is called when something has come.
    pub fn new(
        path: impl Into<PathBuf>,
        reader: impl Read + Send + 'static,
        position: StreamPosition,
        wake: impl Fn() + Send + 'static,
    ) -> Self {
        let path = path.into();
        let (ask, asked) = sync_channel(1);
        let (sender, pieces) = sync_channel(1);
        let name = path.clone();
        // It ends when nobody asks any more; while it waits for the writer, nothing can end it.
        std::thread::spawn(move || {
            let mut input = None;
            let mut reader = Some(reader);
            while asked.recv().is_ok() {
                let piece = piece(&name, &mut input, &mut reader);
                let is_last = piece.as_ref().map_or(true, Vec::is_empty);
                let is_heard = sender.send(piece).is_ok();
                wake();
                if is_last || !is_heard {
                    break;
                }
            }
        });
        let lost = position.unfinished;
        let counters =
            Counters { lost_bytes_suspected: lost, vanished: u64::from(lost > 0), ..Counters::default() };
        Self {
            path,
            ask,
            pieces,
            buffer: Vec::new(),
            state: State::Durable,
            handed: None,
            has_begun: false,
            number: FileNumber::take(&mut 0),
            counters,
            now: None,
        }
    }

    /// Its name.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What a restart has to know.
    pub fn position(&self) -> StreamPosition {
        StreamPosition { unfinished: self.buffer.len() as u64 }
    }

    /// What was seen so far.
    pub fn counters(&self) -> Counters {
        let files_waiting = u64::from(!self.is_over());
        Counters { files_waiting, lag_bytes: self.buffer.len() as u64, ..self.counters }
    }

    /// It has ended, and all of it was used.
    pub fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }

    /// Nothing more comes before what was used is durable ([`Stream::durable`]).
    pub fn waits_for_durability(&self) -> bool {
        matches!(self.state, State::Used)
    }

    /// All that was used so far is durable.
    pub fn durable(&mut self) {
        if self.waits_for_durability() {
            self.state = State::Durable;
        }
    }

    /// New bytes, if there are any.
    ///
    /// # Errors
    /// It cannot be read on, or holds a record that never ends: it is over then.
    pub fn poll(&mut self, now: SystemTime) -> Result<Option<Chunk<'_>>, SourceError> {
        self.handed = None;
        self.now = Some(now);
        let mut line_ends = None;
        while line_ends.is_none() && matches!(self.state, State::Durable | State::Waiting) {
            if matches!(self.state, State::Durable) && self.ask.try_send(()).is_ok() {
                self.state = State::Waiting;
            }
            self.state = match self.pieces.try_recv() {
                Ok(Ok(piece)) if piece.is_empty() => State::Ending(None),
                Ok(Ok(piece)) => {
                    self.buffer.extend_from_slice(&piece);
                    line_ends = self.line_ends();
                    if self.buffer.len() > LONGEST_RECORD {
                        self.state = State::Over;
                        return Err(SourceError::RecordTooLong {
                            path: self.path.clone(),
                            limit: LONGEST_RECORD,
                        });
                    }
                    // Of less than a line nothing can be used: there is nothing to make durable.
                    if line_ends.is_some() { State::Come } else { State::Durable }
                }
                Ok(Err(error)) => State::Ending(Some(error)),
                Err(TryRecvError::Empty) => return Ok(None),
                Err(TryRecvError::Disconnected) => State::Ending(None),
            };
        }
        let last = match &mut self.state {
            State::Come => false,
            State::Ending(error) if !self.has_begun && self.buffer.is_empty() => {
                let error = error.take();
                self.state = State::Over;
                return error.map_or(Ok(None), Err);
            }
            State::Ending(_) => true,
            State::Durable | State::Waiting | State::Used | State::Over => return Ok(None),
        };
        let length = if last { self.buffer.len() } else { self.line_ends().unwrap_or(0) };
        self.handed = Some((length, last));
        Ok(Some(Chunk {
            bytes: self.buffer.get(..length).unwrap_or_default(),
            file: self.number,
            path: &self.path,
            begins_file: !self.has_begun,
            last,
        }))
    }

    fn line_ends(&self) -> Option<usize> {
        self.buffer.iter().rposition(|&byte| byte == b'\n').map(|at| at + 1)
    }

    /// The decoder has used the first `bytes` of the chunk that was handed out.
    pub fn consume(&mut self, bytes: usize) {
        let Some((length, last)) = self.handed.take() else { return };
        let bytes = bytes.min(length);
        self.buffer.drain(..bytes);
        self.has_begun |= bytes > 0;
        self.counters.bytes += bytes as u64;
        self.counters.last_read = self.now.filter(|_| bytes > 0).or(self.counters.last_read);
        if last {
            self.buffer.clear();
            self.counters.files_done += 1;
            let failed = matches!(&self.state, State::Ending(Some(_)));
            self.counters.damaged += u64::from(failed);
            self.state = State::Over;
        } else {
            self.state = State::Used;
        }
    }
}

/// Reads some bytes; none at the end. What arrives is handed on at once, since more may not come for hours.
fn piece<R: Read + Send + 'static>(
    path: &Path,
    input: &mut Option<Input>,
    reader: &mut Option<R>,
) -> Result<Vec<u8>, SourceError> {
    let input = match (input.as_mut(), reader.take()) {
        (Some(input), _) => input,
        (None, Some(reader)) => input.insert(Input::from_reader(path, reader)?),
        (None, None) => return Ok(Vec::new()),
    };
    let mut bytes = vec![0; PIECE];
    let read = input.read(&mut bytes)?;
    bytes.truncate(read);
    Ok(bytes)
}
