//! Large aligned blocks, with the record that the last block's end cut through in front.
use crate::{Input, SourceError};

/// Bytes read at a time.
const BLOCK: usize = 512 * 1024;
/// Room in front of the block for the record that was cut; grows when a record needs it.
const CARRY: usize = 128 * 1024;
/// No record is longer; whoever waits for more is waiting for ever.
pub(crate) const LONGEST_RECORD: usize = 64 * 1024 * 1024;
/// A cache line. A read to an address 16 bytes off takes 4 to 5 times as long on some processors, and that
/// is just where the allocator puts a large `Vec`.
const ALIGNMENT: usize = 64;

/// Bytes that have not been used yet.
#[derive(Clone, Copy, Debug)]
pub struct Block<'a> {
    /// Begins where the decoder stopped.
    pub bytes: &'a [u8],
    /// The input ends with these bytes.
    pub last: bool,
}

/// An input in blocks. See the crate's example for the loop.
#[derive(Debug)]
pub struct Blocks {
    input: Input,
    /// `[carry | block]`; reads always go to `base`, which is aligned, and unused bytes end there.
    buffer: Vec<u8>,
    base: usize,
    /// Unused bytes: `buffer[start..end]`.
    start: usize,
    end: usize,
    state: State,
}

#[derive(Debug)]
enum State {
    Reading,
    /// The input is over; its last bytes have been handed out.
    Ended,
    /// It ended in an error that is still to be told, after the bytes before it.
    Failed(Option<SourceError>),
}

impl Blocks {
    /// Blocks of `input`.
    pub fn new(input: Input) -> Self {
        let (buffer, base) = aligned(CARRY, BLOCK);
        Self { input, buffer, base, start: base, end: base, state: State::Reading }
    }

    /// The input, for its path and progress.
    pub fn input(&self) -> &Input {
        &self.input
    }

    /// The bytes not used yet, as [`Blocks::fill`] gave them.
    pub fn current(&self) -> Block<'_> {
        Block {
            bytes: self.buffer.get(self.start..self.end).unwrap_or_default(),
            last: !matches!(self.state, State::Reading),
        }
    }

    /// The input ends in an error that is still to be told.
    pub(crate) fn fails(&self) -> bool {
        matches!(self.state, State::Failed(Some(_)))
    }

    /// The first `bytes` of the current block have been used.
    pub fn consume(&mut self, bytes: usize) {
        self.start = self.start.saturating_add(bytes).min(self.end);
    }

    /// Reads on: gives the bytes not used yet, followed by new ones. The last block is marked and may be
    /// empty; after it comes `None`.
    ///
    /// A file is read in full blocks, a pipe in the pieces that arrive.
    ///
    /// # Errors
    /// An error in the middle of the input comes only after all bytes before it have been handed out, as a
    /// last block; so a truncated file loses nothing but what it lacks.
    pub fn fill(&mut self) -> Result<Option<Block<'_>>, SourceError> {
        match &mut self.state {
            State::Reading => {}
            State::Ended => return Ok(None),
            State::Failed(error) => return error.take().map_or(Ok(None), Err),
        }
        self.carry()?;
        while let Some(room) = self.buffer.get_mut(self.end..).filter(|room| !room.is_empty()) {
            match self.input.read(room) {
                Ok(0) => {
                    self.state = State::Ended;
                    break;
                }
                Ok(read) => self.end += read,
                Err(error) => {
                    self.state = State::Failed(Some(error));
                    break;
                }
            }
            if self.input.is_live() {
                break;
            }
        }
        Ok(Some(self.current()))
    }

    /// Moves the unused bytes to where they end at `base`.
    fn carry(&mut self) -> Result<(), SourceError> {
        let unused = self.end - self.start;
        if unused > LONGEST_RECORD {
            self.state = State::Ended;
            let path = self.input.path().to_owned();
            return Err(SourceError::RecordTooLong { path, limit: LONGEST_RECORD });
        }
        if unused > self.base {
            let (mut buffer, base) = aligned(unused.next_power_of_two(), BLOCK);
            if let Some(front) = buffer.get_mut(base - unused..base) {
                front.copy_from_slice(self.buffer.get(self.start..self.end).unwrap_or_default());
            }
            (self.buffer, self.base) = (buffer, base);
        } else {
            self.buffer.copy_within(self.start..self.end, self.base - unused);
        }
        (self.start, self.end) = (self.base - unused, self.base);
        Ok(())
    }
}

/// A buffer of at least `carry` bytes, an aligned base, and `block` bytes from there to its end.
fn aligned(carry: usize, block: usize) -> (Vec<u8>, usize) {
    let mut buffer = vec![0; carry + ALIGNMENT + block];
    let beyond = (buffer.as_ptr().addr() + carry) % ALIGNMENT;
    let base = carry + (ALIGNMENT - beyond) % ALIGNMENT;
    // Shortening leaves the allocation, and so the alignment, as it is.
    buffer.truncate(base + block);
    (buffer, base)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    /// Gives its bytes `piece` at a time.
    struct Drip {
        bytes: std::io::Cursor<Vec<u8>>,
        piece: usize,
    }
    impl Read for Drip {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            let piece = self.piece.min(into.len());
            self.bytes.read(&mut into[..piece])
        }
    }

    fn drip(bytes: Vec<u8>, piece: usize) -> Blocks {
        let reader = Drip { bytes: std::io::Cursor::new(bytes), piece };
        Blocks::new(Input::from_reader("drip", reader).unwrap())
    }

    fn numbers(length: usize) -> Vec<u8> {
        (0..length as u32).flat_map(u32::to_le_bytes).take(length).collect()
    }

    #[test]
    fn every_read_goes_to_a_cache_line_and_the_unused_bytes_stand_in_front_of_it() {
        let expected = numbers(3 * BLOCK + 17);
        let mut blocks = drip(expected.clone(), 64 * 1024);
        let (mut seen, mut last) = (Vec::new(), false);
        while let Some(block) = blocks.fill().unwrap() {
            last = block.last;
            let used = if last { block.bytes.len() } else { block.bytes.len().saturating_sub(777) };
            seen.extend_from_slice(&block.bytes[..used]);
            blocks.consume(used);
            assert_eq!((blocks.buffer.as_ptr().addr() + blocks.base) % ALIGNMENT, 0);
        }
        assert!(last && seen == expected);
    }

    #[test]
    fn a_decoder_that_uses_nothing_gets_more_until_the_input_ends() {
        let expected = numbers(CARRY + 5 * BLOCK);
        let mut blocks = drip(expected.clone(), BLOCK);
        let mut longest = 0;
        while let Some(block) = blocks.fill().unwrap() {
            assert!(block.bytes.len() > longest || block.last);
            longest = block.bytes.len();
            assert_eq!(block.bytes, &expected[..longest]);
        }
        assert_eq!(longest, expected.len());
        assert_eq!(blocks.current().bytes, expected);
    }

    #[test]
    fn a_record_without_end_is_given_up_before_it_fills_the_memory() {
        let endless = std::io::repeat(b'7');
        let mut blocks = Blocks::new(Input::from_reader("endless", endless).unwrap());
        let error = loop {
            match blocks.fill() {
                Ok(Some(block)) => assert!(block.bytes.len() <= LONGEST_RECORD + BLOCK),
                Ok(None) => panic!("an endless input ended"),
                Err(error) => break error,
            }
        };
        assert_eq!(error.to_string(), "endless holds a record of more than 67108864 bytes");
        assert!(blocks.fill().unwrap().is_none());
    }

    #[test]
    fn a_pipe_hands_out_what_arrives_without_waiting_for_a_full_block() {
        let mut blocks = drip(numbers(1000), 100);
        assert_eq!(blocks.fill().unwrap().unwrap().bytes.len(), 4, "the bytes that told how it is packed");
        blocks.consume(4);
        assert_eq!(blocks.fill().unwrap().unwrap().bytes.len(), 100);
    }
}
