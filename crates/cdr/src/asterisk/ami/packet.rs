//! One packet of the manager interface: lines of `Key: value`.

/// What lines of a stream end with. The interface ends them with a carriage return and a line feed, so that a
/// line feed inside a value, which a call can put there, ends nothing; copies of a stream may have lost the one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum LineEnd {
    Both,
    LineFeed,
    CarriageReturn,
}

impl LineEnd {
    pub(super) const fn bytes(self) -> &'static [u8] {
        match self {
            Self::Both => b"\r\n",
            Self::LineFeed => b"\n",
            Self::CarriageReturn => b"\r",
        }
    }

    /// The line at the start of `text`, and the bytes it takes with its end. None if it has no end.
    pub(super) fn first(self, text: &[u8]) -> Option<(&[u8], usize)> {
        let end = self.bytes();
        let at = match end {
            [byte] => memchr::memchr(*byte, text)?,
            _ => memchr::memmem::find(text, end)?,
        };
        Some((text.get(..at)?, at + end.len()))
    }
}

/// The lines of a packet, without the empty one that ends it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packet<'a> {
    lines: &'a [u8],
    end: LineEnd,
}

impl<'a> Packet<'a> {
    pub(super) fn new(lines: &'a [u8], end: LineEnd) -> Self {
        Self { lines, end }
    }

    /// The keys and values, in order. Lines without a colon are none.
    fn pairs(self) -> impl Iterator<Item = (usize, &'a [u8], &'a [u8])> {
        let mut rest = self.lines;
        let lines = std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            let (line, length) = self.end.first(rest).unwrap_or((rest, rest.len()));
            rest = rest.get(length..).unwrap_or_default();
            Some(line)
        });
        lines.enumerate().filter_map(|(number, line)| {
            let colon = memchr::memchr(b':', line)?;
            let value = line.get(colon + 1..)?;
            Some((number + 1, line.get(..colon)?, value.strip_prefix(b" ").unwrap_or(value)))
        })
    }

    /// Its bytes as they stand.
    pub(super) fn bytes(self) -> &'a [u8] {
        self.lines
    }

    /// The first key and its value, behind a time of receipt.
    pub(super) fn head(self) -> Option<(&'a [u8], &'a [u8])> {
        let (_, key, value) = self.pairs().find(|(_, key, _)| *key != RECEIVED.as_bytes())?;
        Some((key, value))
    }

    /// The time of receipt in front of the packet.
    pub(super) fn received(self) -> Option<&'a [u8]> {
        self.pairs().next().filter(|(_, key, _)| *key == RECEIVED.as_bytes()).map(|(_, _, value)| value)
    }

    /// The value of the first line with this key, in any case, and the line's number from 1. Values behind it may
    /// have been put there by a call.
    pub(super) fn find(self, key: &str) -> Option<(usize, &'a [u8])> {
        let mut pairs = self.pairs();
        pairs
            .find(|(_, name, _)| name.eq_ignore_ascii_case(key.as_bytes()))
            .map(|(line, _, value)| (line, value))
    }

    /// The same; empty where there is none.
    pub(super) fn value(self, key: &str) -> &'a [u8] {
        self.find(key).map_or(b"", |(_, value)| value)
    }
}

/// The key of a line that whoever records a stream puts in front of a packet: when it was received, in seconds
/// since 1970 UTC. Asterisk has no such key.
pub(super) const RECEIVED: &str = "Received";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_two_keys_counts_and_a_line_feed_in_a_value_ends_nothing() {
        let lines = b"Received: 17.5\r\nEvent: Cdr\r\nUserField: a\nUniqueID: 2\n\r\nUniqueID: 1\r\nUNIQUEID: 3\r\nodd";
        let packet = Packet::new(lines, LineEnd::Both);
        assert_eq!(packet.received(), Some(&b"17.5"[..]));
        assert_eq!(packet.head(), Some((&b"Event"[..], &b"Cdr"[..])));
        assert_eq!(packet.find("Uniqueid"), Some((4, &b"1"[..])));
        assert_eq!(packet.value("userfield"), b"a\nUniqueID: 2\n");
        assert_eq!((packet.value("odd"), packet.find("none")), (&b""[..], None));
    }
}
