//! Cuts a stream of the manager interface into packets.
use super::packet::{LineEnd, Packet};
use crate::csv::{Fault, RECORD_MAX};
use crate::{Place, RejectReason, Rejected, Sink};
use serde::{Deserialize, Serialize};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
/// What a connection begins with; a line of its own in front of the first packet.
const BANNER: &[u8] = b"Asterisk Call Manager/";
/// Before Asterisk 14 what a command printed stood in a packet, empty lines and all, up to this.
const COMMAND_ENDS: &[u8] = b"--END COMMAND--";

/// Where reading stands. All decisions depend on the bytes from a packet's first one on, never on where a block
/// ends, so that any cut gives the same result.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Packets {
    /// Lines begun and bytes taken so far.
    lines: u64,
    bytes: u64,
    begun: bool,
    /// What ends lines, once that is known.
    end: Option<LineEnd>,
    /// The bytes to come belong to a packet that was longer than any record.
    overlong: bool,
}

/// What stands at the start of a window.
enum Found {
    /// A line that is no part of a packet: an empty one, or the banner.
    Line(usize),
    /// A packet: the bytes of its lines, and those it takes with the empty one.
    Packet(usize, usize),
    /// A packet that a new connection cuts off, and the bytes in front of that.
    Cut(usize),
    /// No end of either.
    Open,
}

impl Packets {
    /// Hands every whole packet of `block` to `read`, which puts it into the sink (as one or more records, or passed
    /// over) or says what is wrong with it. Returns the bytes taken.
    ///
    /// **Invariant:** every byte belongs to exactly one thing put into the sink, but for a byte order mark.
    pub(super) fn scan<S: Sink>(
        &mut self,
        block: &[u8],
        end_of_input: bool,
        sink: &mut S,
        mut read: impl FnMut(Packet<'_>, Place, &mut S) -> Result<(), Fault>,
    ) -> usize {
        let Some(mut taken) = self.byte_order_mark(block, end_of_input) else { return 0 };
        let Some(end) = self.line_end(block.get(taken..).unwrap_or_default(), end_of_input) else {
            return taken;
        };
        while let Some(rest) = block.get(taken..).filter(|rest| !rest.is_empty()) {
            let window = rest.get(..RECORD_MAX).unwrap_or(rest);
            let last = end_of_input || window.len() == RECORD_MAX;
            let length = if self.overlong {
                let Some(length) = self.rest_of_overlong(window, end, last) else { break };
                self.reject(window.get(..length).unwrap_or(window), RejectReason::Shape.into(), sink);
                length
            } else {
                match find(window, end) {
                    Found::Line(length) => {
                        sink.passed_over(self.place());
                        length
                    }
                    Found::Packet(lines, length) => {
                        let packet = Packet::new(window.get(..lines).unwrap_or(window), end);
                        if let Err(fault) = read(packet, self.place(), sink) {
                            self.reject(window.get(..length).unwrap_or(window), fault, sink);
                        }
                        length
                    }
                    Found::Cut(length) => {
                        self.reject(
                            window.get(..length).unwrap_or(window),
                            RejectReason::CutOff.into(),
                            sink,
                        );
                        length
                    }
                    Found::Open if !last => break,
                    Found::Open => {
                        self.overlong = window.len() == RECORD_MAX;
                        let reason = if self.overlong { RejectReason::Shape } else { RejectReason::CutOff };
                        self.reject(window, reason.into(), sink);
                        window.len()
                    }
                }
            };
            self.advance(window.get(..length).unwrap_or(window), end);
            taken += length;
        }
        taken
    }

    /// Steps over a byte order mark at the very start. None if more bytes are needed to know.
    fn byte_order_mark(&mut self, block: &[u8], end_of_input: bool) -> Option<usize> {
        if self.begun {
            return Some(0);
        }
        if !end_of_input && block.len() < BYTE_ORDER_MARK.len() && BYTE_ORDER_MARK.starts_with(block) {
            return None;
        }
        self.begun = true;
        let length = if block.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        self.bytes += length as u64;
        Some(length)
    }

    /// What the first line ends with. None if more bytes are needed to know.
    fn line_end(&mut self, rest: &[u8], end_of_input: bool) -> Option<LineEnd> {
        if self.end.is_none() {
            let first = rest.get(..RECORD_MAX).unwrap_or(rest);
            let end = match memchr::memchr(b'\n', first) {
                Some(at) if first.get(..at).is_some_and(|line| line.ends_with(b"\r")) => LineEnd::Both,
                None if first.len() < RECORD_MAX && !end_of_input => return None,
                None if memchr::memchr(b'\r', first).is_some() => LineEnd::CarriageReturn,
                _ => LineEnd::LineFeed,
            };
            self.end = Some(end);
        }
        self.end
    }

    /// The bytes up to the next empty line. None if more are needed to know.
    fn rest_of_overlong(&mut self, window: &[u8], end: LineEnd, last: bool) -> Option<usize> {
        let mut at = 0;
        while let Some((line, length)) = window.get(at..).and_then(|rest| end.first(rest)) {
            at += length;
            if line.is_empty() {
                self.overlong = false;
                return Some(at);
            }
        }
        last.then_some(window.len())
    }

    fn place(&self) -> Place {
        Place { line: self.lines + 1, byte: self.bytes }
    }

    fn advance(&mut self, bytes: &[u8], end: LineEnd) {
        let counted = if end == LineEnd::CarriageReturn { b'\r' } else { b'\n' };
        self.bytes += bytes.len() as u64;
        self.lines += memchr::memchr_iter(counted, bytes).count() as u64;
    }

    fn reject<S: Sink>(&self, bytes: &[u8], fault: Fault, sink: &mut S) {
        sink.rejected(&Rejected { place: self.place(), field: fault.field, reason: fault.reason, bytes });
    }
}

fn find(window: &[u8], end: LineEnd) -> Found {
    let (mut at, mut prints) = (0, false);
    while let Some((line, length)) = window.get(at..).and_then(|rest| end.first(rest)) {
        if at == 0 && (line.is_empty() || line.starts_with(BANNER)) {
            return Found::Line(length);
        }
        if line.starts_with(BANNER) {
            return Found::Cut(at);
        }
        if line.is_empty() && !prints {
            return Found::Packet(at, at + length);
        }
        prints = (prints || line == b"Response: Follows") && !line.ends_with(COMMAND_ENDS);
        at += length;
    }
    Found::Open
}
