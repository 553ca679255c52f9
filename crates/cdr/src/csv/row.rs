//! One row, borrowed from the block it was read from.
use crate::descriptor::Quotes;
use memchr::memmem;

pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A row of a window, and where its separators stand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row<'a> {
    window: &'a [u8],
    /// Offsets of the row's separators in the window.
    commas: &'a [u32],
    /// The window's quotes inside fields, one bit a byte.
    inner: &'a [u64],
    start: usize,
    end: usize,
}

impl<'a> Row<'a> {
    /// The row in `window[start..end]`; a carriage return at its end belongs to the line end. A byte order mark in
    /// front, where files with one were joined, is none of its first value.
    #[inline]
    pub(crate) fn new(
        window: &'a [u8],
        commas: &'a [u32],
        inner: &'a [u64],
        start: usize,
        end: usize,
    ) -> Self {
        let start = match window.get(start) {
            Some(0xef) if window.get(start..end).is_some_and(|row| row.starts_with(BYTE_ORDER_MARK)) => {
                start + 3
            }
            _ => start,
        };
        let returns = end > start && window.get(end - 1) == Some(&b'\r');
        Self { window, commas, inner, start, end: end - usize::from(returns) }
    }

    /// The row as it stands, without its line end.
    #[inline]
    pub(crate) fn bytes(&self) -> &'a [u8] {
        self.window.get(self.start..self.end).unwrap_or_default()
    }

    /// Number of fields; a blank line has none.
    #[inline]
    pub(crate) fn width(&self) -> usize {
        if self.start == self.end { 0 } else { self.commas.len() + 1 }
    }

    /// Where field `number`, counted from 0, stands in the window.
    #[inline]
    fn bounds(&self, number: usize) -> (usize, usize) {
        let start = match number {
            0 => self.start,
            _ => self.commas.get(number - 1).map_or(self.end, |&comma| comma as usize + 1),
        };
        (start, self.commas.get(number).map_or(self.end, |&comma| comma as usize))
    }

    /// Field `number`, counted from 0, as it stands.
    #[inline]
    fn raw(&self, number: usize) -> &'a [u8] {
        let (start, end) = self.bounds(number);
        self.window.get(start..end).unwrap_or_default()
    }

    /// Field `number`, counted from 0, without the quotes around it; quotes inside stay doubled. Empty if
    /// the row is not so wide. Of a field that was cut off, what there is.
    #[inline]
    pub(crate) fn field(&self, number: usize) -> &'a [u8] {
        let raw = self.raw(number);
        match raw {
            [b'"', inner @ .., b'"'] | [b'"', inner @ ..] => inner,
            _ => raw,
        }
    }

    /// The number in field `number`, if that is one to eight digits and nothing else. Read without a branch for its
    /// length, which is another in every row.
    #[inline]
    pub(crate) fn digits(&self, number: usize) -> Option<i64> {
        const EACH: u64 = 0x0101_0101_0101_0101;
        let (start, end) = self.bounds(number);
        let length = end.checked_sub(start).filter(|length| (1..=8).contains(length))?;
        // With what stands before it in the window, of which zeros are made: the first byte is the lowest.
        let eight = self.window.get(end.checked_sub(8)?..end)?.first_chunk::<8>()?;
        let values = (u64::from_le_bytes(*eight) ^ (EACH * 0x30)) & (u64::MAX << (64 - 8 * length));
        if (values.wrapping_add(EACH * 0x76) | values) & (EACH << 7) != 0 {
            return None;
        }
        let pairs = values.wrapping_mul(10).wrapping_add(values >> 8);
        let every_fourth = 0x0000_00ff_0000_00ff;
        let high = (pairs & every_fourth).wrapping_mul(100 + (1_000_000 << 32));
        let low = ((pairs >> 16) & every_fourth).wrapping_mul(1 + (10_000 << 32));
        Some((high.wrapping_add(low) >> 32) as i64)
    }

    /// Whether each quoted field is quoted from its first byte to its last, with all quotes inside it
    /// doubled, and no other field holds a quote. A row that lost its end does not keep this up over the
    /// rows that follow it.
    pub(crate) fn is_well_quoted(&self) -> bool {
        (0..self.width()).all(|number| {
            let raw = self.raw(number);
            match raw {
                [b'"', inner @ .., b'"'] => {
                    let mut odd = false;
                    for &byte in inner {
                        if byte == b'"' {
                            odd = !odd;
                        } else if odd {
                            return false;
                        }
                    }
                    !odd
                }
                _ => !raw.contains(&b'"'),
            }
        })
    }

    /// Where the first and the last quote inside a field stand in the window; none if no field has one. The quote that
    /// closes the last field may be among them, where a carriage return follows.
    #[inline]
    fn inner_quotes(&self) -> Option<(usize, usize)> {
        let last_byte = self.end.checked_sub(1)?;
        let (from, upto) = (self.start / 64, last_byte / 64);
        let words = self.inner.get(from..=upto)?;
        let word = |place: usize, word: u64| {
            let begin = if place == 0 { u64::MAX << (self.start % 64) } else { u64::MAX };
            let end = if from + place == upto { u64::MAX >> (63 - last_byte % 64) } else { u64::MAX };
            word & begin & end
        };
        let (mut first, mut last) = (None, 0);
        for (place, bits) in words.iter().enumerate() {
            let bits = word(place, *bits);
            if bits != 0 {
                let base = (from + place) * 64;
                first.get_or_insert(base + bits.trailing_zeros() as usize);
                last = base + 63 - bits.leading_zeros() as usize;
            }
        }
        Some((first?, last))
    }

    /// Whether any of the fields `numbers` has a quote inside.
    #[inline]
    pub(crate) fn have_quotes_inside(&self, numbers: &[usize]) -> bool {
        let Some((first, last)) = self.inner_quotes() else { return false };
        // As a rule they all stand in one field, the name of the caller, which nobody asks for.
        let number = self.commas.iter().take_while(|&&comma| (comma as usize) < first).count();
        let (_, end) = self.bounds(number);
        if last < end && !numbers.contains(&number) {
            return false;
        }
        numbers.iter().any(|number| {
            let (start, end) = self.bounds(*number);
            // The first and the last byte may be the quotes around it.
            end > start + 2 && self.window.get(start + 1..end - 1).unwrap_or_default().contains(&b'"')
        })
    }

    /// The same row with doubled quotes undone, copied into `scratch`.
    #[cold]
    pub(crate) fn unescaped<'s>(&self, scratch: &'s mut Scratch) -> Row<'s> {
        self.rewritten(scratch, Quotes::Doubled, false)
    }

    /// The same row with what `quotes` does to its values undone, and blanks around them gone if `trim`, copied
    /// into `scratch`.
    pub(crate) fn rewritten<'s>(&self, scratch: &'s mut Scratch, quotes: Quotes, trim: bool) -> Row<'s> {
        scratch.clear();
        for number in 0..self.width() {
            let raw = if trim { self.raw(number).trim_ascii() } else { self.raw(number) };
            let value = match raw {
                [b'"', inner @ .., b'"'] | [b'"', inner @ ..] if quotes != Quotes::None => inner,
                _ => raw,
            };
            scratch.begin();
            match quotes {
                Quotes::Doubled => undouble(value, &mut scratch.bytes),
                // PHP doubles quotes, but for one behind a backslash; old exports wrote them as they were.
                Quotes::Php if raw.starts_with(b"\"") && raw.ends_with(b"\"") => {
                    undouble(value, &mut scratch.bytes);
                }
                Quotes::Php => scratch.bytes.extend_from_slice(raw),
                Quotes::Backslash => unescape(value, &mut scratch.bytes),
                Quotes::Unescaped | Quotes::None => scratch.bytes.extend_from_slice(value),
            }
            scratch.end();
        }
        scratch.row()
    }

    /// The row cut at `","` (with this delimiter), whatever quotes stand inside its values; none if it is not
    /// quoted from end to end.
    pub(crate) fn cut_between_quotes<'s>(&self, delimiter: u8, scratch: &'s mut Scratch) -> Option<Row<'s>> {
        let inner = self.bytes().strip_prefix(b"\"")?.strip_suffix(b"\"")?;
        scratch.clear();
        let mut rest = inner;
        while let Some(at) = memmem::find(rest, &[b'"', delimiter, b'"']) {
            scratch.push(rest.get(..at)?);
            rest = rest.get(at + 3..)?;
        }
        scratch.push(rest);
        Some(scratch.row())
    }

    /// The row with `excess` delimiters behind the start of field `number` taken for a part of it.
    pub(crate) fn merged<'s>(
        &self,
        number: usize,
        excess: usize,
        trim: bool,
        scratch: &'s mut Scratch,
    ) -> Row<'s> {
        scratch.clear();
        let mut next = 0;
        while next < self.width() {
            let last = if next == number { next + excess } else { next };
            let (start, end) = (self.bounds(next).0, self.bounds(last).1);
            let raw = self.window.get(start..end).unwrap_or_default();
            let raw = if trim { raw.trim_ascii() } else { raw };
            scratch.begin();
            undouble(
                match raw {
                    [b'"', inner @ .., b'"'] => inner,
                    _ => raw,
                },
                &mut scratch.bytes,
            );
            scratch.end();
            next = last + 1;
        }
        scratch.row()
    }
}

/// Each pair of quotes becomes one.
fn undouble(value: &[u8], out: &mut Vec<u8>) {
    let mut pending = false;
    for &byte in value {
        let quote = byte == b'"';
        if pending || !quote {
            out.extend(if pending && !quote { Some(b'"') } else { None });
            out.push(byte);
        }
        pending = quote && !pending;
    }
    out.extend(if pending { Some(b'"') } else { None });
}

/// A backslash goes, what stands behind it stays.
fn unescape(value: &[u8], out: &mut Vec<u8>) {
    let mut escapes = false;
    for &byte in value {
        escapes = byte == b'\\' && !escapes;
        if !escapes {
            out.push(byte);
        }
    }
}

/// Room for a row that had to be written anew.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scratch {
    bytes: Vec<u8>,
    commas: Vec<u32>,
}

impl Scratch {
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.commas.clear();
    }

    fn begin(&mut self) {
        if !self.bytes.is_empty() {
            self.commas.push(self.bytes.len() as u32);
            self.bytes.push(b',');
        }
        // Quoted anew: what `field` takes off.
        self.bytes.push(b'"');
    }

    fn end(&mut self) {
        self.bytes.push(b'"');
    }

    /// One more value.
    pub(crate) fn push(&mut self, value: &[u8]) {
        self.begin();
        self.bytes.extend_from_slice(value);
        self.end();
    }

    /// What was pushed, as a row. Its values are not quoted any further.
    pub(crate) fn row(&self) -> Row<'_> {
        Row { window: &self.bytes, commas: &self.commas, inner: &[], start: 0, end: self.bytes.len() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::index::{Index, Marks};
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_index_knows_the_fields_with_quotes_inside(text in "([a,\"]{0,300}|(aa,|\"aa\",|\"a\"\"a\",){0,60})\r?") {
            with_row(&text, |row| {
                for number in 0..row.width() {
                    let inside = |number: usize| {
                        let raw = row.raw(number);
                        raw.len() > 2 && raw[1..raw.len() - 1].contains(&b'"')
                    };
                    assert_eq!(row.have_quotes_inside(&[number]), inside(number), "{number} of {text}");
                    let rest: Vec<usize> = (number..row.width()).step_by(2).collect();
                    let any = rest.iter().any(|number| inside(*number));
                    assert_eq!(row.have_quotes_inside(&rest), any, "{rest:?} of {text}");
                }
            });
        }
    }

    proptest! {
        #[test]
        fn digits_are_the_number_that_the_field_says(fields in "[0-9:\",-]{0,12}(,[0-9]{0,10}){0,4}[a-z]?") {
            with_row(&fields, |row| {
                for number in 0..row.width() {
                    let text = String::from_utf8_lossy(row.raw(number)).into_owned();
                    let is_plain = (1..=8).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
                    let (_, end) = row.bounds(number);
                    let read = text.parse().ok().filter(|_| is_plain && end >= 8);
                    assert_eq!(row.digits(number), read, "{number} of {fields}");
                }
            });
        }
    }

    fn with_row<T>(text: &str, check: impl FnOnce(Row<'_>) -> T) -> T {
        let mut index = Index::default();
        index.build(text.as_bytes(), Marks::default());
        check(Row::new(text.as_bytes(), index.commas(), &index.inner, 0, text.len()))
    }

    #[test]
    fn fields_lose_the_quotes_around_them_and_commas_inside_stay() {
        with_row("\"a,b\",,\"\",7\r", |row| {
            assert_eq!(row.width(), 4);
            assert_eq!(
                [row.field(0), row.field(1), row.field(2), row.field(3), row.field(4)],
                [&b"a,b"[..], b"", b"", b"7", b""]
            );
            assert_eq!(row.bytes(), b"\"a,b\",,\"\",7");
        });
        with_row("\r", |row| assert_eq!(row.width(), 0));
    }

    #[test]
    fn doubled_quotes_are_undone_once() {
        let text = r#""""Sato, Hanako"" <101>","a","""","""""","x"y""#;
        with_row(text, |row| {
            assert!(
                row.have_quotes_inside(&[0])
                    && !row.have_quotes_inside(&[1])
                    && row.have_quotes_inside(&[1, 2])
            );
            let mut scratch = Scratch::default();
            let plain = row.unescaped(&mut scratch);
            let fields: Vec<_> = (0..plain.width())
                .map(|number| String::from_utf8_lossy(plain.field(number)).into_owned())
                .collect();
            assert_eq!(fields, [r#""Sato, Hanako" <101>"#, "a", "\"", "\"\"", "x\"y"]);
        });
    }

    #[test]
    fn a_row_that_swallowed_another_is_not_well_quoted() {
        for good in ["\"a\nb\",c", "\"\"\"Sato\"\" <1>\",\"\",", "a,b"] {
            assert!(with_row(good, |row| row.is_well_quoted()), "{good}");
        }
        for bad in ["\"a\n\"b\",c", "\"cut\n\"\"\"Sato\"\" <1>\",\"", "a\"b\"", "\"a\" ,b"] {
            assert!(!with_row(bad, |row| row.is_well_quoted()), "{bad}");
        }
    }
}
