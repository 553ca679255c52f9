//! Splits blocks of bytes into rows, and finds the way back after a row that cannot be read.
use super::index::{Index, Marks};
use super::row::{BYTE_ORDER_MARK, Row};
use crate::{Place, RejectReason, Rejected, Sink};
use serde::{Deserialize, Serialize};

/// No record is longer than this, line end included. Asterisk writes at most 1 KiB, or a few with the text
/// a call put into its user field.
pub(crate) const RECORD_MAX: usize = 64 * 1024;
/// Bytes indexed at first where the last record was bad: quotes may be out of step again.
const CAUTIOUS: usize = 512;
/// What a file in UTF-16 begins with.
const WIDE_MARKS: [&[u8]; 2] = [b"\xff\xfe", b"\xfe\xff"];

/// Why a row could not be read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The field, counted from 1, and its name.
    pub(crate) field: Option<(usize, &'static str)>,
    pub(crate) reason: RejectReason,
}

impl From<RejectReason> for Fault {
    fn from(reason: RejectReason) -> Self {
        Self { field: None, reason }
    }
}

/// Where reading stands. All decisions depend on the bytes from a record's first one on, never on where a
/// block ends, so that any cut gives the same result.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Rows {
    /// Lines begun and bytes taken so far.
    lines: u64,
    bytes: u64,
    begun: bool,
    /// What ends lines, once that is known.
    line: Option<u8>,
    /// The file is in UTF-16: nothing can be read.
    wide: bool,
    /// The bytes to come belong to a line that was longer than any record.
    overlong: bool,
    /// The bytes to come may go on with a hole that was told of.
    hole: bool,
    /// Records read although they were cut off.
    pub(crate) cut_off: u64,
    #[serde(skip)]
    index: Index,
}

/// How far one window was read.
enum Step {
    /// The bytes taken; behind them no whole row is left in the window.
    Read(usize),
    /// The bytes taken; the last of them belong to a line that was cut off inside quotes.
    Resumed(usize),
}

impl Rows {
    /// Hands every whole row of `block` to `read`, which puts it into the sink (once, as a record or passed
    /// over) or says what is wrong with it. Returns the bytes taken.
    ///
    /// **Invariant:** every byte belongs to exactly one thing put into the sink, but for a byte order mark.
    pub(crate) fn scan<S: Sink>(
        &mut self,
        block: &[u8],
        end_of_input: bool,
        marks: Marks,
        sink: &mut S,
        mut read: impl FnMut(&Row<'_>, Place, &mut S) -> Result<(), Fault>,
    ) -> usize {
        let Some(mut taken) = self.byte_order_mark(block, end_of_input) else { return 0 };
        if self.wide {
            return self.give_up(block, end_of_input, sink);
        }
        let Some(line) = self.line_end(block.get(taken..).unwrap_or_default(), end_of_input) else {
            return taken;
        };
        let marks = Marks { line, ..marks };
        let mut reach = RECORD_MAX;
        // Taken out so that rows can borrow it while counters move.
        let mut index = std::mem::take(&mut self.index);
        while let Some(rest) = block.get(taken..).filter(|rest| !rest.is_empty()) {
            if self.overlong {
                let Some(length) = self.rest_of_overlong(rest, end_of_input, sink) else { break };
                taken += length;
                continue;
            }
            if let Some(length) = self.hole(rest, sink) {
                taken += length;
                continue;
            }
            let window = rest.get(..reach).unwrap_or(rest);
            index.build(window, marks);
            taken += match self.window(window, (&index, marks), sink, &mut read) {
                Step::Resumed(length) => {
                    reach = CAUTIOUS;
                    length
                }
                Step::Read(0) if window.len() < rest.len().min(RECORD_MAX) => {
                    reach = (reach * 2).min(RECORD_MAX);
                    0
                }
                Step::Read(0) if rest.len() >= RECORD_MAX => {
                    reach = CAUTIOUS;
                    self.without_end(window, &index, sink, &mut read)
                }
                Step::Read(0) if !end_of_input => break,
                Step::Read(0) => {
                    reach = CAUTIOUS;
                    self.last(window, (&index, marks), sink, &mut read)
                }
                Step::Read(length) => {
                    reach = (reach * 2).min(RECORD_MAX);
                    length
                }
            };
        }
        self.index = index;
        taken
    }

    /// Steps over a byte order mark at the very start. None if more bytes are needed to know.
    fn byte_order_mark(&mut self, block: &[u8], end_of_input: bool) -> Option<usize> {
        if self.begun {
            return Some(0);
        }
        let may_be = |mark: &[u8]| block.len() < mark.len() && mark.starts_with(block);
        if !end_of_input && (may_be(BYTE_ORDER_MARK) || WIDE_MARKS.into_iter().any(may_be)) {
            return None;
        }
        self.begun = true;
        self.wide = WIDE_MARKS.into_iter().any(|mark| block.starts_with(mark));
        let length = if block.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        self.bytes += length as u64;
        Some(length)
    }

    /// Passes over the zeros in front of a record, and says how many there are: where a log was cut back to nothing while
    /// its writer went on at its old place, they stand for what was cut away.
    fn hole<S: Sink>(&mut self, rest: &[u8], sink: &mut S) -> Option<usize> {
        let length = rest.iter().take_while(|byte| **byte == 0).count();
        let was_told = std::mem::replace(&mut self.hole, length > 0);
        if length == 0 {
            return None;
        }
        if !was_told {
            sink.passed_over(self.place());
        }
        self.advance(length, 0);
        Some(length)
    }

    /// What ends lines: a carriage return where the first 64 KiB hold no line feed, as old spreadsheets write.
    /// None if more bytes are needed to know.
    fn line_end(&mut self, rest: &[u8], end_of_input: bool) -> Option<u8> {
        if self.line.is_none() {
            let first = rest.get(..RECORD_MAX).unwrap_or(rest);
            let end = if memchr::memchr(b'\n', first).is_some() {
                b'\n'
            } else if first.len() < RECORD_MAX && !end_of_input {
                return None;
            } else if memchr::memchr(b'\r', first).is_some() {
                b'\r'
            } else {
                b'\n'
            };
            self.line = Some(end);
        }
        self.line
    }

    /// Rejects everything, in pieces that do not depend on where blocks end.
    fn give_up<S: Sink>(&mut self, block: &[u8], end_of_input: bool, sink: &mut S) -> usize {
        let mut taken = 0;
        while let Some(rest) = block.get(taken..).filter(|rest| !rest.is_empty()) {
            let piece = rest.get(..RECORD_MAX).unwrap_or(rest);
            if piece.len() < RECORD_MAX && !end_of_input {
                break;
            }
            self.reject(piece, RejectReason::Utf16.into(), sink);
            self.advance(piece.len(), memchr::memchr_iter(b'\n', piece).count());
            taken += piece.len();
        }
        taken
    }

    fn place(&self) -> Place {
        Place { line: self.lines + 1, byte: self.bytes }
    }

    fn advance(&mut self, length: usize, lines: usize) {
        self.bytes += length as u64;
        self.lines += lines as u64;
    }

    #[inline]
    fn window<S: Sink>(
        &mut self,
        window: &[u8],
        (index, marks): (&Index, Marks),
        sink: &mut S,
        read: &mut impl FnMut(&Row<'_>, Place, &mut S) -> Result<(), Fault>,
    ) -> Step {
        let (mut start, mut commas, mut quoted) = (0, 0, index.quoted_lines.as_slice());
        for line in &index.lines {
            if window.get(start) == Some(&0) {
                break;
            }
            let end = line.at as usize;
            let length = end + 1 - start;
            let own = index.commas().get(commas..line.commas as usize).unwrap_or_default();
            let row = Row::new(window, own, &index.inner, start, end);
            let inside = quoted.iter().take_while(|&&at| at < line.at).count();
            if inside > 0 {
                let whole = marks.backslash || row.is_well_quoted();
                if !(whole && read(&row, self.place(), sink).is_ok()) {
                    let first = quoted.first().map_or(end, |&at| at as usize);
                    return Step::Resumed(
                        start + self.cut_line(window, index, (start, first), own, sink, read),
                    );
                }
                quoted = quoted.get(inside..).unwrap_or_default();
            } else if row.width() == 0 {
                sink.passed_over(self.place());
            } else if let Err(fault) = read(&row, self.place(), sink) {
                let bytes = window.get(start..=end).unwrap_or_default();
                self.reject(bytes, fault, sink);
            }
            self.advance(length, 1 + inside);
            start = end + 1;
            commas = line.commas as usize;
        }
        Step::Read(start)
    }

    /// A window as long as any record in which no row ends: its first line is given up.
    fn without_end<S: Sink>(
        &mut self,
        window: &[u8],
        index: &Index,
        sink: &mut S,
        read: &mut impl FnMut(&Row<'_>, Place, &mut S) -> Result<(), Fault>,
    ) -> usize {
        if let Some(&first) = index.quoted_lines.first() {
            return self.cut_line(window, index, (0, first as usize), index.commas(), sink, read);
        }
        self.reject(window, RejectReason::Shape.into(), sink);
        self.advance(window.len(), 0);
        self.overlong = true;
        window.len()
    }

    /// The bytes behind the last line end of the whole input.
    fn last<S: Sink>(
        &mut self,
        window: &[u8],
        (index, marks): (&Index, Marks),
        sink: &mut S,
        read: &mut impl FnMut(&Row<'_>, Place, &mut S) -> Result<(), Fault>,
    ) -> usize {
        let row = Row::new(window, index.commas(), &index.inner, 0, window.len());
        let inside = index.quoted_lines.len();
        if row.width() == 0 {
            sink.passed_over(self.place());
        } else if (inside > 0 && !marks.backslash && !row.is_well_quoted())
            || read(&row, self.place(), sink).is_err()
        {
            if let Some(&first) = index.quoted_lines.first() {
                return self.cut_line(window, index, (0, first as usize), index.commas(), sink, read);
            }
            self.reject(window, RejectReason::CutOff.into(), sink);
        }
        self.advance(window.len(), 1 + inside);
        window.len()
    }

    fn rest_of_overlong<S: Sink>(&mut self, rest: &[u8], end_of_input: bool, sink: &mut S) -> Option<usize> {
        let piece = rest.get(..RECORD_MAX).unwrap_or(rest);
        let feed = memchr::memchr(self.line.unwrap_or(b'\n'), piece);
        let piece = match feed {
            Some(at) => piece.get(..=at)?,
            None if piece.len() == RECORD_MAX || end_of_input => piece,
            None => return None,
        };
        self.reject(piece, RejectReason::Shape.into(), sink);
        self.overlong = feed.is_none();
        self.advance(piece.len(), usize::from(feed.is_some()));
        Some(piece.len())
    }

    /// The line in `window[from..=feed]` ends inside quotes: its record was cut off. It is read all the same if
    /// what the call says stands before the cut, for whoever calls can make a record too long for the PBX to
    /// write. Returns the line's length.
    #[cold]
    fn cut_line<S: Sink>(
        &mut self,
        window: &[u8],
        index: &Index,
        (from, feed): (usize, usize),
        commas: &[u32],
        sink: &mut S,
        read: &mut impl FnMut(&Row<'_>, Place, &mut S) -> Result<(), Fault>,
    ) -> usize {
        let own = commas.partition_point(|&comma| (comma as usize) < feed);
        let row = Row::new(window, commas.get(..own).unwrap_or_default(), &index.inner, from, feed);
        let line = window.get(from..=feed).unwrap_or_default();
        match read(&row, self.place(), sink) {
            Ok(()) => self.cut_off += 1,
            Err(_) => self.reject(line, RejectReason::OpenQuote.into(), sink),
        }
        self.advance(line.len(), 1);
        line.len()
    }

    fn reject<S: Sink>(&self, bytes: &[u8], fault: Fault, sink: &mut S) {
        sink.rejected(&Rejected { place: self.place(), field: fault.field, reason: fault.reason, bytes });
    }
}
