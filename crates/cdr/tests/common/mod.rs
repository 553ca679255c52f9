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

/// The built-in format of this name.
pub(crate) fn define(name: &str) -> Format {
    Format::parse(name).unwrap()
}

/// A format of our own with these `[lines]` and `[fields]` (and whatever stands behind them).
pub(crate) fn own(lines: &str, fields: &str) -> Format {
    Format::define(&descriptor(lines, fields)).unwrap_or_else(|error| panic!("{error}"))
}

/// A descriptor of a format of our own.
pub(crate) fn descriptor(lines: &str, fields: &str) -> String {
    let text = "{ english = \"e\", japanese = \"日\" }";
    format!(
        "name = \"own\"\n[operator]\npath = \"p\"\nreads = {text}\nswitch_on = {text}\nblind_to = {text}\n[lines]\n{lines}\n[fields]\n{fields}\n"
    )
}

/// A call, in owned terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) started: i64,
    pub(crate) answered: Option<i64>,
    pub(crate) ended: i64,
    pub(crate) billable: u32,
    pub(crate) outcome: tollwatch_cdr::Outcome,
    pub(crate) calling: String,
    pub(crate) dialled: String,
    pub(crate) sent: String,
    /// The peer, if it is one.
    pub(crate) origin: Option<String>,
    /// The party, as it is shown.
    pub(crate) target: Option<String>,
    pub(crate) from_outside: bool,
    pub(crate) call_id: String,
    pub(crate) account: String,
    pub(crate) source_address: String,
    pub(crate) legs: [String; 2],
    pub(crate) identity: u64,
}

/// A record that was rejected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) place: Place,
    pub(crate) why: String,
    pub(crate) hint: Option<tollwatch_cdr::Hint>,
}

/// The calls of an input, and what else there was.
#[derive(Debug, Default, Clone)]
pub(crate) struct Calls {
    pub(crate) rows: Vec<Row>,
    pub(crate) events: Vec<String>,
    pub(crate) passed_over: usize,
    pub(crate) rejected: Vec<Refused>,
    pub(crate) counters: tollwatch_cdr::Counters,
}

impl Calls {
    pub(crate) fn why(&self) -> Vec<&str> {
        self.rejected.iter().map(|refused| refused.why.as_str()).collect()
    }
}

impl Sink for Calls {
    fn record(&mut self, _: Place, record: &Record<'_>) {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match record {
            Record::Cdr(cdr) => self.rows.push(Row {
                started: cdr.started_at.seconds(),
                answered: cdr.answered_at.map(tollwatch_cdr::EventTime::seconds),
                ended: cdr.ended_at.seconds(),
                billable: cdr.billable_seconds,
                outcome: cdr.outcome,
                calling: text(cdr.calling),
                dialled: text(cdr.dialled),
                sent: text(cdr.sent),
                origin: match cdr.origin.party {
                    tollwatch_cdr::Party::Peer(peer) => Some(text(peer)),
                    _ => None,
                },
                target: Some(format!("{:?}", cdr.target.party)),
                from_outside: cdr.from_outside,
                call_id: text(cdr.call_id),
                account: text(cdr.account),
                source_address: text(cdr.source_address),
                legs: [text(cdr.origin.id), text(cdr.target.id)],
                identity: cdr.identity.value(),
            }),
            Record::CallEvent(event) => self.events.push(format!("{event:?}")),
        }
    }
    fn passed_over(&mut self, _: Place) {
        self.passed_over += 1;
    }
    fn rejected(&mut self, rejected: &Rejected<'_>) {
        let field = rejected.field.map_or(String::new(), |(_, name)| format!("{name}: "));
        let why = format!("{field}{}", rejected.reason);
        self.rejected.push(Refused { place: rejected.place, why, hint: Some(rejected.reason.hint()) });
    }
}

/// The calls of `input` in the built-in format of this name, in UTC.
pub(crate) fn cdrs(format: &str, input: &str) -> Calls {
    cdrs_of(define(format), "UTC", input.as_bytes())
}

/// The calls of `input`. Also holds that blocks of any length give the same.
pub(crate) fn cdrs_of(format: Format, zone: &str, input: &[u8]) -> Calls {
    let mut decoder = Decoder::new(format, Zone::parse(zone).unwrap());
    let mut calls = Calls::default();
    assert_eq!(decoder.decode(input, true, &mut calls), input.len());
    calls.counters = decoder.counters();
    calls
}
