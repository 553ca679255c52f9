//! From files to incidents: one pass over everything that was given.
mod merge;
mod recorded;

use recorded::Recorded;
use std::path::{Path, PathBuf};
use tollwatch_cdr::{
    DateOrder, Decoder, Detection, EventTime, Format, Hint, Place, Record, Rejected, Sink, Zone, detect_among,
};
use tollwatch_detect::{Engine, TenantId};
use tollwatch_source::{Blocks, Input, SourceError};

/// All files of a scan are taken for the records of one PBX.
const SYSTEM: u16 = 0;
/// So many rejected records are shown with their place.
const MOST_SAMPLES: usize = 10;

/// If so many bytes do not tell the format, more will not.
const ENOUGH: usize = 64 * 1024;

/// The input cannot be used.
#[derive(Debug)]
pub enum ScanError {
    /// A file cannot be read.
    Source(SourceError),
    /// The format of a file cannot be told.
    Format {
        /// The file.
        path: PathBuf,
        /// What was found out, in English and Japanese.
        why: [String; 2],
    },
}

/// A record that was rejected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectSample {
    /// Where it stands.
    pub place: Place,
    /// The field, counted from 1, with its name.
    pub field: Option<(usize, &'static str)>,
    /// Why.
    pub reason: String,
    /// What to do about it, where anything helps.
    pub hint: Option<Hint>,
}

/// How far a scan has come.
#[derive(Clone, Copy, Debug)]
pub struct Reading {
    /// Bytes of the files that have been read, as they stand on disk.
    pub bytes: u64,
}

/// What became of one file.
#[derive(Clone, Debug)]
pub struct FileReport {
    /// The file.
    pub path: PathBuf,
    /// Its format.
    pub format: Format,
    /// Why it was taken for that, in English and Japanese; empty if the format was given.
    pub why: [String; 2],
    /// Lines that held a call or a live event.
    pub records: u64,
    /// Lines that hold none and are none of the format's faults.
    pub passed_over: u64,
    /// Records that could not be read, by reason.
    pub rejected: std::collections::BTreeMap<String, u64>,
    /// The first of them.
    pub samples: Vec<RejectSample>,
    /// An error that ended the file early; what was before it counts.
    pub error: Option<String>,
}

/// What became of a scan.
#[derive(Clone, Debug)]
pub struct ScanReport {
    /// File by file, as given.
    pub files: Vec<FileReport>,
}

/// Reads files into an engine.
#[derive(Debug)]
pub struct Scanner {
    tenant: String,
    zone: Zone,
    format: Option<Format>,
    date_order: Option<DateOrder>,
    inputs: Vec<Opened>,
}

/// A file that was opened and whose format is known.
#[derive(Debug)]
struct Opened {
    blocks: Blocks,
    decoder: Decoder,
    tally: Tally,
    report: FileReport,
}

#[derive(Debug, Default)]
struct Tally {
    records: u64,
    passed_over: u64,
    last_line: Option<u64>,
    rejected: std::collections::BTreeMap<String, u64>,
    samples: Vec<RejectSample>,
}

impl Scanner {
    /// A scanner without files, for the records of a tenant's PBX that stands in `zone`; `format` for all
    /// files, or none to tell it from each file's first records.
    pub fn new(tenant: &str, zone: Zone, format: Option<Format>) -> Self {
        Self { tenant: tenant.to_owned(), zone, format, date_order: None, inputs: Vec::new() }
    }

    /// The same where the operator says which of day and month stands first in dates that do not tell.
    #[must_use]
    pub fn with_date_order(self, order: Option<DateOrder>) -> Self {
        Self { date_order: order, ..self }
    }

    /// Opens a file (`-` is standard input) and finds out its format.
    pub fn open(&mut self, path: &Path) -> Result<(), ScanError> {
        let mut blocks = Blocks::new(Input::open(path).map_err(ScanError::Source)?);
        // A pipe gives what it has, which may be less than a record; a file gives a whole block at once.
        let (format, why) = loop {
            blocks.fill().map_err(ScanError::Source)?;
            let first = blocks.current();
            // A log that was just rotated is empty, and nothing is wrong with that.
            let empty =
                if first.last && first.bytes.is_empty() { Format::all().first().copied() } else { None };
            let detected = || detect_among(first.bytes, Format::all(), self.date_order);
            match self.format.or(empty).map_or_else(detected, given) {
                Detection::Found { format, english, japanese } => break (format, [english, japanese]),
                Detection::Unclear { english, japanese, .. } if first.last || first.bytes.len() >= ENOUGH => {
                    return Err(ScanError::Format { path: path.to_owned(), why: [english, japanese] });
                }
                Detection::Unclear { .. } => {}
            }
        };
        self.inputs.push(Opened {
            blocks,
            decoder: match self.date_order {
                Some(order) => Decoder::new(format, self.zone).with_date_order(order),
                None => Decoder::new(format, self.zone),
            },
            tally: Tally::default(),
            report: FileReport {
                path: path.to_owned(),
                format,
                why,
                records: 0,
                passed_over: 0,
                rejected: std::collections::BTreeMap::new(),
                samples: Vec::new(),
                error: None,
            },
        });
        Ok(())
    }

    /// Bytes of all files on disk, if known.
    pub fn size(&self) -> Option<u64> {
        self.inputs.iter().map(|opened| opened.blocks.input().size_hint()).sum()
    }

    /// Reads everything into the engine, several files by event time, and tells `progress` after each block.
    pub fn run(self, engine: &mut Engine, progress: &mut dyn FnMut(Reading)) -> ScanReport {
        let tenant = engine.tenant(&self.tenant);
        let mut inputs = self.inputs;
        match inputs.as_mut_slice() {
            [only] => only.read_all(&mut Feed { engine, tenant }, progress),
            many => merge::read_all(many, &mut Feed { engine, tenant }, progress),
        }
        engine.finish();
        ScanReport { files: inputs.into_iter().map(Opened::into_report).collect() }
    }
}

/// An error in one line, with what caused it.
pub(crate) fn with_causes(error: &SourceError) -> String {
    let mut words = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        words.push_str(": ");
        words.push_str(&error.to_string());
        cause = error.source();
    }
    words
}

/// A format that was given is not looked for.
fn given(format: Format) -> Detection {
    Detection::Found { format, english: String::new(), japanese: String::new() }
}

/// The engine as the place where records go.
struct Feed<'e> {
    engine: &'e mut Engine,
    tenant: TenantId,
}

impl Feed<'_> {
    fn take(&mut self, record: &Record<'_>) {
        self.engine.observe(self.tenant, SYSTEM, record);
    }

    /// A scan shows incidents as they stand at its end; what led there is not kept.
    fn drop_alerts(&mut self) {
        drop(self.engine.take_alerts());
    }
}

impl Opened {
    /// When the first record of a log of live events came to be known; none for other formats.
    fn first_event(&self) -> Option<EventTime> {
        if !self.decoder.format().spans_files() {
            return None;
        }
        let mut first = EventTime::MAX;
        let mut take = |record: &Record<'_>| first = first.min(record.known_at());
        let block = self.blocks.current();
        let mut sink = Counting { tally: &mut Tally::default(), take: &mut take };
        self.decoder.clone().decode(block.bytes, block.last, &mut sink);
        Some(first)
    }

    /// Decodes the block at hand and reads the next. Whether there is more to come.
    fn step(&mut self, mut take: impl FnMut(&Record<'_>)) -> bool {
        let block = self.blocks.current();
        let last = block.last;
        let mut sink = Counting { tally: &mut self.tally, take: &mut take };
        let used = self.decoder.decode(block.bytes, last, &mut sink);
        self.blocks.consume(used);
        match self.blocks.fill() {
            Ok(Some(_)) => true,
            Ok(None) => false,
            Err(error) => {
                self.report.error = Some(with_causes(&error));
                false
            }
        }
    }

    fn read_all(&mut self, feed: &mut Feed<'_>, progress: &mut dyn FnMut(Reading)) {
        while self.step(|record| feed.take(record)) {
            feed.drop_alerts();
            progress(Reading { bytes: self.blocks.input().position() });
        }
    }

    fn into_report(self) -> FileReport {
        let Tally { records, passed_over, rejected, samples, .. } = self.tally;
        FileReport { records, passed_over, rejected, samples, ..self.report }
    }
}

/// Counts what a decoder reads and hands the records on.
struct Counting<'t, F> {
    tally: &'t mut Tally,
    take: &'t mut F,
}

impl<F: FnMut(&Record<'_>)> Sink for Counting<'_, F> {
    fn record(&mut self, place: Place, record: &Record<'_>) {
        // A line of live events may tell of two things at once, and is still one line.
        if self.tally.last_line != Some(place.line) {
            self.tally.records += 1;
            self.tally.last_line = Some(place.line);
        }
        (self.take)(record);
    }

    fn passed_over(&mut self, _: Place) {
        self.tally.passed_over += 1;
    }

    fn rejected(&mut self, rejected: &Rejected<'_>) {
        let reason = rejected.reason.to_string();
        if self.tally.samples.len() < MOST_SAMPLES {
            let (place, field) = (rejected.place, rejected.field);
            let hint = rejected.reason.hint();
            self.tally.samples.push(RejectSample { place, field, reason: reason.clone(), hint });
        }
        *self.tally.rejected.entry(reason).or_default() += 1;
    }
}

/// Records of a file that wait for their turn.
#[derive(Debug, Default)]
struct Queue {
    records: Recorded,
    next: usize,
}
