//! Blocks of bytes in, records out.
mod rows;
mod sniff;

use crate::asterisk::{Ami, CelTracker};
use crate::call::Reader;
use crate::csv::{RECORD_MAX, Rows};
use crate::descriptor::ReaderKind;
use crate::header::HeaderState;
use crate::{Carries, DateOrder, Format, OffsetCheck, Sink, Zone};
use rows::RowReader;
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
/// let mut decoder = Decoder::new(Format::parse("asterisk_cdr_csv")?, Zone::UTC);
/// let mut numbers = Numbers(Vec::new());
/// assert_eq!(decoder.decode(row, true, &mut numbers), row.len());
/// assert_eq!(numbers.0, ["0355550100"]);
/// # Ok::<(), tollwatch_cdr::FormatError>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Decoder {
    format: Format,
    rows: Rows,
    header: HeaderState,
    /// Whether it was found out, or given, which of day and month stands first.
    order_settled: bool,
    reader: Reader,
    channels: CelTracker,
    ami: Ami,
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
    /// Calls with more billable seconds than lie between their answer and their end: charged from answer to end.
    pub billable_against_times: u64,
    /// Records without a calling and a called party: no call can be told from them, so they are passed over.
    pub without_parties: u64,
    /// Called numbers that the PBX marked as incomplete or secret; the marks are taken off.
    pub marked_numbers: u64,
    /// Records whose start or end is missing, since the PBX's clock was not set: taken from what else the record
    /// says (the other of the two with the duration, or the second its channel was created in).
    pub untrusted_clock: u64,
    /// Records that the PBX cut off behind all that matters of the call.
    pub cut_off: u64,
    /// Answered calls that lasted as long as a session timer lets them: how long they were in truth is not known.
    pub at_session_limit: u64,
    /// Channels under way that were forgotten, since there were more of them than are kept.
    pub forgotten_channels: u64,
}

impl Decoder {
    /// A block of at least this many bytes always holds something that can be decoded: a caller whose buffer is
    /// larger always gets on.
    pub const RECORD_MAX: usize = RECORD_MAX;

    /// A decoder at the start of a stream whose civil times are those of `zone`, unless the format has its own.
    pub fn new(format: Format, zone: Zone) -> Self {
        Self {
            format,
            rows: Rows::default(),
            header: HeaderState::default(),
            order_settled: false,
            reader: Reader::new(format.plan().zone.unwrap_or(zone)),
            channels: CelTracker::default(),
            ami: Ami::default(),
        }
    }

    /// The same for a source whose operator says which of day and month stands first.
    #[must_use]
    pub fn with_date_order(mut self, order: DateOrder) -> Self {
        self.reader.order = Some(order);
        self.order_settled = true;
        self
    }

    /// The same for a source whose session timers end calls of which no end was heard, after one of these seconds.
    #[must_use]
    pub fn with_session_limits(mut self, seconds: &[i64]) -> Self {
        self.reader.session_limits = seconds.to_vec();
        self
    }

    /// What its records can say: all that its format can, less what the header read last has no column for.
    pub fn carries(&self) -> Carries {
        let plan = self.format.plan();
        let Some((columns, _)) = self.header.columns() else { return self.format.carries() };
        Carries::of(plan, columns)
    }

    /// Goes on where an earlier file of the same log ended: the channels that were up then are up now. For formats
    /// whose records stand alone there is nothing to take over.
    pub fn take_over(&mut self, earlier: &mut Self) {
        self.channels = std::mem::take(&mut earlier.channels);
        self.ami.take_over(&mut earlier.ami);
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
    /// rejected in pieces of that length. So many bytes are also waited for where the first of them must say how
    /// to read the rest: which of day and month stands first, or whether lines end in carriage returns.
    pub fn decode<S: Sink>(&mut self, block: &[u8], end_of_input: bool, sink: &mut S) -> usize {
        let plan = self.format.plan();
        if plan.reader == ReaderKind::AsteriskAmi {
            let Self { ami, reader, channels, .. } = self;
            return ami.decode(plan, reader, channels, (block, end_of_input), sink);
        }
        self.header.prepare(plan);
        if !self.settle(plan, block, end_of_input) {
            return 0;
        }
        let marks = self.marks(plan);
        let Self { rows, header, reader, channels, .. } = self;
        let mut row_reader = RowReader { plan, delimiter: marks.delimiter, header, reader, channels };
        rows.scan(block, end_of_input, marks, sink, |row, place, sink| row_reader.read(row, place, sink))
    }
}
