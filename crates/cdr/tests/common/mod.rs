//! A sink that keeps everything, and the captures of a real Asterisk where they are at hand.
#![allow(dead_code, clippy::unwrap_used, clippy::panic, reason = "test code; each test binary uses its part")]
use std::path::PathBuf;
use tollwatch_cdr::{Decoder, Format, Place, Record, Rejected, Sink, Zone};

/// Everything a decoder handed out, in order, as text.
#[derive(Debug, Default, PartialEq, Eq, Clone)]
pub(crate) struct Kept {
    pub(crate) records: Vec<(Place, String)>,
    pub(crate) passed_over: Vec<Place>,
    pub(crate) rejected: Vec<(Place, String, Vec<u8>)>,
}

impl Sink for Kept {
    fn record(&mut self, place: Place, record: &Record<'_>) {
        self.records.push((place, format!("{record:?}")));
    }
    fn passed_over(&mut self, place: Place) {
        self.passed_over.push(place);
    }
    fn rejected(&mut self, rejected: &Rejected<'_>) {
        let field =
            rejected.field.map_or(String::new(), |(number, name)| format!("field {number} ({name}): "));
        self.rejected.push((rejected.place, format!("{field}{}", rejected.reason), rejected.bytes.to_vec()));
    }
}

/// A decoder of the built-in format of this name.
pub(crate) fn decoder(format: &str, zone: &str) -> Decoder {
    Decoder::new(Format::parse(format).unwrap(), Zone::parse(zone).unwrap())
}

/// Decodes `input` in one block.
pub(crate) fn decode(format: &str, zone: &str, input: &[u8]) -> (Kept, Decoder) {
    let mut decoder = decoder(format, zone);
    let mut kept = Kept::default();
    assert_eq!(decoder.decode(input, true, &mut kept), input.len());
    (kept, decoder)
}

/// Calls `each` with every CDR of `input`, and returns what else there was.
pub(crate) fn for_each_cdr(
    format: &str,
    zone: &str,
    input: &[u8],
    each: impl FnMut(Place, &tollwatch_cdr::Cdr<'_>),
) -> (Kept, Decoder) {
    struct Each<F> {
        each: F,
        kept: Kept,
    }
    impl<F: FnMut(Place, &tollwatch_cdr::Cdr<'_>)> Sink for Each<F> {
        fn record(&mut self, place: Place, record: &Record<'_>) {
            if let Record::Cdr(cdr) = record {
                (self.each)(place, cdr);
            }
        }
        fn passed_over(&mut self, place: Place) {
            self.kept.passed_over(place);
        }
        fn rejected(&mut self, rejected: &Rejected<'_>) {
            self.kept.rejected(rejected);
        }
    }
    let mut decoder = decoder(format, zone);
    let mut sink = Each { each, kept: Kept::default() };
    assert_eq!(decoder.decode(input, true, &mut sink), input.len());
    (sink.kept, decoder)
}

/// The bytes of a capture. None, with a word on the terminal, where the captures are not at hand.
pub(crate) fn capture(path: &str) -> Option<Vec<u8>> {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/asterisk"));
    let path = root.join(path);
    match std::fs::read(&path) {
        Ok(bytes) => Some(bytes),
        Err(error) => {
            println!("skipped: {}: {error}", path.display());
            None
        }
    }
}

/// Reads `input` in blocks of the lengths in `cuts` (each at least 1, repeated), snapshotting and restoring
/// the decoder between any two of them.
pub(crate) fn decode_in_blocks(format: &str, zone: &str, input: &[u8], cuts: &[usize]) -> Kept {
    let mut decoder = decoder(format, zone);
    let mut kept = Kept::default();
    let (mut buffer, mut rest) = (Vec::new(), input);
    for &cut in cuts.iter().cycle() {
        let (block, behind) = rest.split_at(cut.clamp(1, rest.len().max(1)).min(rest.len()));
        rest = behind;
        buffer.extend_from_slice(block);
        let taken = decoder.decode(&buffer, rest.is_empty(), &mut kept);
        buffer.drain(..taken);
        let snapshot = serde_json::to_string(&decoder).unwrap();
        decoder = serde_json::from_str(&snapshot).unwrap();
        if rest.is_empty() {
            break;
        }
    }
    assert!(buffer.is_empty(), "everything is taken at the end of the input");
    kept
}
