//! Structural index: where separators and line ends stand that are not inside quotes.
//!
//! A byte is inside quotes if an odd number of quotes stand before it; a doubled quote flips twice and
//! leaves the field as it was. The parity of 64 bytes is one prefix sum without carry over a 64-bit mask
//! (the technique of simdjson, Langdale and Lemire 2019), so that quotes cost no branch.

#[cfg(target_arch = "x86_64")]
mod avx2;

use wide::i8x16;

/// The bytes that cut text into fields and lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Marks {
    /// Between fields.
    pub(crate) delimiter: u8,
    /// Behind lines.
    pub(crate) line: u8,
    /// `"` keeps fields together.
    pub(crate) quotes: bool,
    /// A backslash takes the meaning from the byte behind it.
    pub(crate) backslash: bool,
}

impl Default for Marks {
    fn default() -> Self {
        Self { delimiter: b',', line: b'\n', quotes: true, backslash: false }
    }
}

/// Where a line ends outside quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LineEnd {
    /// Offset of the line feed (or whatever ends lines).
    pub(crate) at: u32,
    /// Separators before it.
    pub(crate) commas: u32,
}

/// The index of one window of bytes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    /// Offsets of separators outside quotes, the first `comma_count` of them valid.
    commas: Vec<u32>,
    comma_count: usize,
    /// Line feeds outside quotes.
    pub(crate) lines: Vec<LineEnd>,
    /// Offsets of line feeds inside quotes.
    pub(crate) quoted_lines: Vec<u32>,
    /// Quotes that stand beside no separator and no line end, one bit a byte, 64 bytes a word: those inside fields.
    pub(crate) inner: Vec<u64>,
    /// The window ends inside quotes.
    pub(crate) open: bool,
}

impl Index {
    /// Separators outside quotes.
    pub(crate) fn commas(&self) -> &[u32] {
        self.commas.get(..self.comma_count).unwrap_or_default()
    }

    /// Indexes `window` (at most 4 GiB), which begins outside quotes.
    pub(crate) fn build(&mut self, window: &[u8], marks: Marks) {
        self.make_room(window.len());
        let mut state = State::default();
        let (chunks, tail) = window.as_chunks::<64>();
        if marks.backslash || !marks.quotes {
            for chunk in chunks {
                let masks = state.without_meaning(chunk, masks(chunk, marks), marks);
                self.chunk(&mut state, masks, prefix_parity(masks.quotes));
            }
        } else if !self.quick_chunks(&mut state, chunks, marks) {
            self.chunks(&mut state, chunks, marks);
        }
        if !tail.is_empty() {
            let mut padded = [0; 64];
            for (to, from) in padded.iter_mut().zip(tail) {
                *to = *from;
            }
            // The padding is no delimiter, whatever the delimiter is.
            let real = u64::MAX >> (64 - tail.len());
            let Masks { quotes, commas, lines } = masks(&padded, marks);
            let masks = Masks { quotes: quotes & real, commas: commas & real, lines: lines & real };
            let masks = state.without_meaning(&padded, masks, marks);
            self.chunk(&mut state, masks, prefix_parity(masks.quotes));
        }
        self.comma_count = state.commas;
        self.open = state.inside != 0;
    }

    fn make_room(&mut self, bytes: usize) {
        self.lines.clear();
        self.quoted_lines.clear();
        self.inner.clear();
        self.inner.reserve(bytes / 64 + 1);
        // Grown once and never cleared: what lies behind `comma_count` is never read.
        if self.commas.len() < bytes + 64 {
            self.commas.resize(bytes + 64, 0);
        }
    }

    /// By what this processor has and others have not. False if that is nothing.
    #[cfg(target_arch = "x86_64")]
    fn quick_chunks(&mut self, state: &mut State, chunks: &[[u8; 64]], marks: Marks) -> bool {
        avx2::chunks(self, state, chunks, marks)
    }

    #[cfg(not(target_arch = "x86_64"))]
    #[expect(clippy::unused_self, reason = "other processors have more")]
    fn quick_chunks(&mut self, _: &mut State, _: &[[u8; 64]], _: Marks) -> bool {
        false
    }

    fn chunks(&mut self, state: &mut State, chunks: &[[u8; 64]], marks: Marks) {
        for chunk in chunks {
            let masks = masks(chunk, marks);
            self.chunk(state, masks, prefix_parity(masks.quotes));
        }
    }

    /// Takes in 64 bytes, of which `parity` has the prefix parity of the quotes.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "measured: the loop over chunks keeps its state in registers")]
    fn chunk(&mut self, state: &mut State, masks: Masks, parity: u64) {
        let inside = parity ^ state.inside;
        // All ones if the chunk ends inside quotes.
        state.inside = ((inside as i64) >> 63) as u64;
        let commas = masks.commas & !inside;
        if masks.lines != 0 {
            self.line_ends(state, masks.lines & !inside, masks.lines & inside, commas);
        }
        let ends = (masks.commas | masks.lines) & !inside;
        let beside = (ends << 1) | state.behind | (ends >> 1);
        if ends & 1 != 0
            && let Some(before) = self.inner.last_mut()
        {
            *before &= u64::MAX >> 1;
        }
        self.inner.push(masks.quotes & !beside);
        state.behind = ends >> 63;
        let Some(free) = self.commas.get_mut(state.commas..) else { return };
        // Eight slots are filled whether there are so many or not: the usual number of separators differs from
        // chunk to chunk, and a branch that is guessed wrong costs more than they all do.
        let mut bits = commas;
        if let Some(eight) = free.first_chunk_mut::<8>() {
            for slot in eight {
                *slot = state.base + bits.trailing_zeros();
                bits &= bits.wrapping_sub(1);
            }
        }
        if bits != 0 {
            for slot in free.iter_mut().skip(8) {
                *slot = state.base + bits.trailing_zeros();
                bits &= bits - 1;
                if bits == 0 {
                    break;
                }
            }
        }
        state.commas += commas.count_ones() as usize;
        state.base += 64;
    }

    #[inline]
    fn line_ends(&mut self, state: &State, mut outside: u64, mut inside: u64, commas: u64) {
        while outside != 0 {
            let bit = outside.trailing_zeros();
            let before = commas & ((1 << bit) - 1);
            self.lines
                .push(LineEnd { at: state.base + bit, commas: state.commas as u32 + before.count_ones() });
            outside &= outside - 1;
        }
        while inside != 0 {
            self.quoted_lines.push(state.base + inside.trailing_zeros());
            inside &= inside - 1;
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct State {
    base: u32,
    inside: u64,
    /// One if the chunk before ended with a separator or a line end, as the beginning of all counts too.
    behind: u64,
    commas: usize,
    /// The chunk before ended with a backslash that takes the meaning from what follows.
    escapes: bool,
}

impl Default for State {
    fn default() -> Self {
        Self { base: 0, inside: 0, behind: 1, commas: 0, escapes: false }
    }
}

impl State {
    /// The same masks without quotes where they are ordinary bytes, and without what a backslash makes so.
    fn without_meaning(&mut self, chunk: &[u8; 64], masks: Masks, marks: Marks) -> Masks {
        let mut kept = Masks { quotes: if marks.quotes { masks.quotes } else { 0 }, ..masks };
        if marks.backslash && (self.escapes || chunk.contains(&b'\\')) {
            let mut ordinary = 0;
            for (bit, &byte) in chunk.iter().enumerate() {
                if self.escapes {
                    ordinary |= 1 << bit;
                }
                self.escapes = byte == b'\\' && !self.escapes;
            }
            kept.quotes &= !ordinary;
            kept.commas &= !ordinary;
        }
        kept
    }
}

/// One bit a byte, lowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Masks {
    quotes: u64,
    commas: u64,
    lines: u64,
}

/// Bit n of the result: whether an odd number of the bits 0 to n are set.
#[inline]
fn prefix_parity(mut bits: u64) -> u64 {
    for shift in [1, 2, 4, 8, 16, 32] {
        bits ^= bits << shift;
    }
    bits
}

/// Compares sixteen bytes at once where the machine can (SSE2, NEON).
#[inline]
fn masks(chunk: &[u8; 64], marks: Marks) -> Masks {
    let equal =
        |bytes: i8x16, byte: u8| u64::from(bytes.simd_eq(i8x16::splat(byte as i8)).to_bitmask() as u16);
    let mut masks = Masks { quotes: 0, commas: 0, lines: 0 };
    let (quarters, _) = chunk.as_chunks::<16>();
    for (quarter, shift) in quarters.iter().zip([0, 16, 32, 48]) {
        let bytes = i8x16::from(quarter.map(|byte| byte as i8));
        masks.quotes |= equal(bytes, b'"') << shift;
        masks.commas |= equal(bytes, marks.delimiter) << shift;
        masks.lines |= equal(bytes, marks.line) << shift;
    }
    masks
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Byte by byte.
    fn plain(window: &[u8], marks: Marks) -> (Vec<u32>, Vec<LineEnd>, Vec<u32>, bool) {
        let (mut commas, mut lines, mut quoted, mut open) = (Vec::new(), Vec::new(), Vec::new(), false);
        let mut ordinary = false;
        for (at, &byte) in window.iter().enumerate() {
            match byte {
                b'"' if marks.quotes && !ordinary => open = !open,
                _ if byte == marks.delimiter && !open && !ordinary => commas.push(at as u32),
                _ if byte == marks.line && !open => {
                    lines.push(LineEnd { at: at as u32, commas: commas.len() as u32 });
                }
                _ if byte == marks.line => quoted.push(at as u32),
                _ => {}
            }
            ordinary = marks.backslash && byte == b'\\' && !ordinary;
        }
        (commas, lines, quoted, open)
    }

    /// Quotes with neither neighbour a separator or the end of a line outside of quotes.
    fn inner(window: &[u8], commas: &[u32], lines: &[LineEnd], marks: Marks) -> Vec<u64> {
        let mut words = vec![0; window.len().div_ceil(64)];
        let ends: Vec<u32> = commas.iter().copied().chain(lines.iter().map(|line| line.at)).collect();
        let mut ordinary = false;
        for (at, &byte) in window.iter().enumerate() {
            let beside = at == 0 || ends.iter().any(|&end| end + 1 == at as u32 || end == at as u32 + 1);
            if byte == b'"' && marks.quotes && !ordinary && !beside {
                words[at / 64] |= 1 << (at % 64);
            }
            ordinary = marks.backslash && byte == b'\\' && !ordinary;
        }
        words
    }

    fn marks() -> impl Strategy<Value = Marks> {
        let delimiter = prop_oneof![Just(b','), Just(b';'), Just(0u8)];
        let line = prop_oneof![Just(b'\n'), Just(b'\r')];
        (delimiter, line, any::<bool>(), any::<bool>())
            .prop_map(|(delimiter, line, quotes, backslash)| Marks { delimiter, line, quotes, backslash })
    }

    fn text() -> impl Strategy<Value = Vec<u8>> {
        let byte = prop_oneof![
            Just(b'"'),
            Just(b','),
            Just(b'\n'),
            Just(b'\r'),
            Just(b'\\'),
            Just(b'x'),
            any::<u8>()
        ];
        proptest::collection::vec(byte, 0..400)
    }

    proptest! {
        #[test]
        fn the_index_is_what_reading_byte_by_byte_gives(
            first in text(), second in text(), marks in marks(),
        ) {
            let mut index = Index::default();
            for window in [first, second] {
                index.build(&window, marks);
                let (commas, lines, quoted, open) = plain(&window, marks);
                prop_assert_eq!(index.commas(), &commas[..]);
                prop_assert_eq!(&index.lines, &lines);
                prop_assert_eq!(&index.quoted_lines, &quoted);
                prop_assert_eq!(index.open, open);
                prop_assert_eq!(&index.inner, &inner(&window, &commas, &lines, marks));
            }
        }
    }
}
