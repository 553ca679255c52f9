//! Blocks of bytes in, records out.
use crate::asterisk::{self, CelTracker, Reader};
use crate::csv::{RECORD_MAX, Rows};
use crate::{Format, OffsetCheck, Sink, Zone};
use serde::{Deserialize, Serialize};

/// Reads one stream of one format, block by block.
///
/// Does no IO and is a value: serialised between any two blocks and restored, it goes on as if nothing had
/// been. What it hands out does not depend on where the blocks are cut.
///
/// ```
/// use tollwatch_cdr::{Decoder, Format, Place, Record, Rejected, Sink, Zone};
///
/// struct Numbers(Vec<String>);
/// impl Sink for Numbers {
///     fn record(&mut self, _: Place, record: &Record<'_>) {
///         if let Record::Cdr(cdr) = record {
///             self.0.push(String::from_utf8_lossy(cdr.dialled).into_owned());
///         }
///     }
///     fn passed_over(&mut self, _: Place) {}
///     fn rejected(&mut self, _: &Rejected<'_>) {}
/// }
/// let row = br#""","105","0355550100","from-internal","""A"" <105>","PJSIP/105-00000006","PJSIP/trunk-00000007","Dial","PJSIP/0355550100@trunk,12","2026-03-08 03:00:18","2026-03-08 03:00:19","2026-03-08 03:00:22",3,3,"ANSWERED","DOCUMENTATION"
/// "#;
/// let mut decoder = Decoder::new(Format::AsteriskCdrCsv, Zone::UTC);
/// let mut numbers = Numbers(Vec::new());
/// assert_eq!(decoder.decode(row, true, &mut numbers), row.len());
/// assert_eq!(numbers.0, ["0355550100"]);
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Decoder {
    format: Format,
    rows: Rows,
    reader: Reader,
    channels: CelTracker,
}

/// What was odd about records that could be read all the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Civil times that came twice, since the clock was put back. The one taken is the first that fits what
    /// else the record says (the second its channel was created in, the duration).
    pub ambiguous_times: u64,
    /// Civil times that never came, since the clock was put forward. They are moved forward with it.
    pub nonexistent_times: u64,
    /// Calls whose printed end contradicts the duration: ended at start + duration.
    pub ended_by_duration: u64,
    /// Calls without a believable duration: ended when printed.
    pub ended_by_clock: u64,
    /// Calls that end before they begin: ended at once.
    pub ended_at_start: u64,
    /// Calls with an answer and billable seconds whose disposition says they were not answered.
    pub answered_against_disposition: u64,
    /// Records whose start or end is missing, since the PBX's clock was not set: taken from what else the record
    /// says (the other of the two with the duration, or the second its channel was created in).
    pub untrusted_clock: u64,
    /// Records that the PBX cut off behind all that matters of the call.
    pub cut_off: u64,
    /// Channels under way that were forgotten, since there were more of them than are kept.
    pub forgotten_channels: u64,
}

impl Decoder {
    /// A block of at least this many bytes always holds something that can be decoded: a caller whose buffer is
    /// larger always gets on.
    pub const RECORD_MAX: usize = RECORD_MAX;

    /// A decoder at the start of a stream whose civil times are those of `zone`.
    pub fn new(format: Format, zone: Zone) -> Self {
        Self { format, rows: Rows::default(), reader: Reader::new(zone), channels: CelTracker::default() }
    }

    /// Goes on where an earlier file of the same log ended: the channels that were up then are up now. For formats
    /// whose records stand alone there is nothing to take over.
    pub fn take_over(&mut self, earlier: &mut Self) {
        self.channels = std::mem::take(&mut earlier.channels);
    }

    /// The format it reads.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The zone it reads civil times in.
    pub fn zone(&self) -> Zone {
        self.reader.clock.zone()
    }

    /// What was odd so far.
    pub fn counters(&self) -> Counters {
        Counters {
            cut_off: self.rows.cut_off,
            forgotten_channels: self.channels.forgotten(),
            ..self.reader.counters
        }
    }

    /// What the ids of the records so far say of the zone.
    pub fn offset_check(&self) -> OffsetCheck {
        self.reader.offsets.check()
    }

    /// Decodes the whole records at the start of `block` and returns the bytes they take. The caller puts the
    /// rest in front of what it reads next. With `end_of_input` everything is taken.
    ///
    /// A record that cannot be read is rejected alone. A row that was cut off inside quotes is found by
    /// looking ahead at most [`Self::RECORD_MAX`] bytes; it loses only itself. A line longer than that is
    /// rejected in pieces of that length.
    pub fn decode<S: Sink>(&mut self, block: &[u8], end_of_input: bool, sink: &mut S) -> usize {
        let Self { format, rows, reader, channels } = self;
        match format {
            Format::AsteriskCdrCsv => rows.scan(block, end_of_input, sink, |row, place, sink| {
                asterisk::cdr_csv::read(row, reader, place, sink)
            }),
            Format::AsteriskCdrCustom => rows.scan(block, end_of_input, sink, |row, place, sink| {
                asterisk::cdr_custom::read(row, reader, place, sink)
            }),
            Format::AsteriskCelCsv => rows.scan(block, end_of_input, sink, |row, place, sink| {
                asterisk::cel_csv::read(row, reader, channels, place, sink)
            }),
        }
    }
}
