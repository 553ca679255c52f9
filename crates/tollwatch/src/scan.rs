//! From files to incidents: one pass over everything that was given.
mod feed;
mod merge;
mod quarantine;
mod recorded;
mod tally;
mod timezone;

pub(crate) use crate::config::{Source, Sources, Timezone};
use feed::Feed;
pub(crate) use merge::turn_of;
pub use quarantine::Quarantine;
pub(crate) use quarantine::QuarantinedV1;
pub(crate) use recorded::Recorded;
use std::path::{Path, PathBuf};
pub use tally::RejectSample;
pub(crate) use tally::{Counting, Tally};
use tollwatch_cdr::{
    Carries, Counters, DateOrder, Decoder, Detection, EventTime, Format, OffsetCheck, Record, Untold, Zone,
    detect_among,
};
use tollwatch_detect::Engine;
use tollwatch_source::{Blocks, Input, SourceError};

/// If so many bytes do not tell the format, or the time zone, more will not.
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
    /// The time zone of a file was to be told from its records, and they do not tell it.
    Timezone {
        /// The file.
        path: PathBuf,
        /// Why.
        why: Untold,
    },
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
    /// Whose it is, and from which PBX.
    pub source: Source,
    /// What its records can say.
    pub carries: Carries,
    /// The zone its civil times were read in.
    pub zone: Zone,
    /// The zone was told from the first records.
    pub zone_is_found: bool,
    /// What the records say of the zone.
    pub offset: OffsetCheck,
    /// What was odd about records that were read all the same.
    pub odd: Counters,
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
#[derive(Debug)]
pub struct ScanReport {
    /// File by file, as given.
    pub files: Vec<FileReport>,
    /// Tenants whose records were read.
    pub tenants: usize,
    /// Where the rejected records are, if they were to be kept.
    pub quarantine: Option<Quarantine>,
}

/// Reads files into an engine.
#[derive(Debug)]
pub struct Scanner {
    sources: Sources,
    quarantine: Option<Quarantine>,
    date_order: Option<DateOrder>,
    inputs: Vec<Opened>,
}

/// A file that was opened and whose format and zone are known.
#[derive(Debug)]
struct Opened {
    path: PathBuf,
    source: Source,
    why: [String; 2],
    /// The zone that its records told.
    found_zone: Option<Zone>,
    blocks: Blocks,
    decoder: Decoder,
    tally: Tally,
    error: Option<String>,
}

impl Scanner {
    /// A scanner without files, which will be read as `sources` says.
    pub fn new(sources: Sources) -> Self {
        Self { sources, quarantine: None, date_order: None, inputs: Vec::new() }
    }

    /// The same where the operator says which of day and month stands first in dates that do not tell.
    #[must_use]
    pub fn with_date_order(self, order: Option<DateOrder>) -> Self {
        Self { date_order: order, ..self }
    }

    /// Records that cannot be read are kept there.
    pub fn keep_rejected(&mut self, quarantine: Quarantine) {
        self.quarantine = Some(quarantine);
    }

    /// Opens a file (`-` is standard input) and finds out its format, and its time zone if need be.
    pub fn open(&mut self, path: &Path) -> Result<(), ScanError> {
        let source = self.sources.of(path).clone();
        let mut blocks = Blocks::new(Input::open(path).map_err(ScanError::Source)?);
        // A pipe gives what it has, which may be less than a record; a file gives a whole block at once.
        let (format, why, zone, found_zone) = loop {
            blocks.fill().map_err(ScanError::Source)?;
            let first = blocks.current();
            let enough = first.last || first.bytes.len() >= ENOUGH;
            // A log that was just rotated is empty, and nothing is wrong with that.
            let empty =
                if first.last && first.bytes.is_empty() { Format::all().first().copied() } else { None };
            let detected = || detect_among(first.bytes, Format::all(), self.date_order);
            let (format, why) = match source.format.or(empty).map_or_else(detected, given) {
                Detection::Found { format, english, japanese } => (format, [english, japanese]),
                Detection::Unclear { english, japanese, .. } if enough => {
                    return Err(ScanError::Format { path: path.to_owned(), why: [english, japanese] });
                }
                Detection::Unclear { .. } => continue,
            };
            match source.timezone {
                Timezone::Known(zone) => break (format, why, zone, None),
                Timezone::Auto => match timezone::of_records(format, first, self.sources.country()) {
                    Ok(found) => break (format, why, found.unwrap_or(Zone::UTC), found),
                    Err(why) if enough => {
                        return Err(ScanError::Timezone { path: path.to_owned(), why });
                    }
                    Err(_) => {}
                },
            }
        };
        let decoder = Decoder::new(format, zone).with_session_limits(&source.session_limits);
        let decoder = match self.date_order {
            Some(order) => decoder.with_date_order(order),
            None => decoder,
        };
        self.inputs.push(Opened {
            path: path.to_owned(),
            source,
            why,
            found_zone,
            blocks,
            decoder,
            tally: Tally::default(),
            error: None,
        });
        Ok(())
    }

    /// The zone of the first file whose records told it.
    pub fn found_zone(&self) -> Option<Zone> {
        self.inputs.iter().find_map(|opened| opened.found_zone)
    }

    /// Bytes of all files on disk, if known.
    pub fn size(&self) -> Option<u64> {
        self.inputs.iter().map(|opened| opened.blocks.input().size_hint()).sum()
    }

    /// Reads everything into the engine, several files by event time, and tells `progress` after each block.
    pub fn run(self, engine: &mut Engine, progress: &mut dyn FnMut(Reading)) -> ScanReport {
        let Self { mut quarantine, mut inputs, .. } = self;
        let mut feed = Feed::new(engine, inputs.iter().map(|input| &input.source));
        match inputs.as_mut_slice() {
            [only] => only.read_all(&mut feed, quarantine.as_mut(), progress),
            many => merge::read_all(many, &mut feed, quarantine.as_mut(), progress),
        }
        let tenants = feed.tenants();
        engine.finish();
        ScanReport { files: inputs.into_iter().map(Opened::into_report).collect(), tenants, quarantine }
    }
}

/// An error in one line, with what caused it.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
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

impl Opened {
    /// When the first record of a log of live events came to be known; none for other formats.
    fn first_event(&self) -> Option<EventTime> {
        if !self.decoder.format().spans_files() {
            return None;
        }
        let mut first = EventTime::MAX;
        let mut take = |record: &Record<'_>| first = first.min(record.known_at());
        let block = self.blocks.current();
        let mut sink = Counting { tally: &mut Tally::default(), quarantine: None, take: &mut take };
        self.decoder.clone().decode(block.bytes, block.last, &mut sink);
        Some(first)
    }

    /// Decodes the block at hand and reads the next. Whether there is more to come.
    fn step(&mut self, quarantine: Option<&mut Quarantine>, mut take: impl FnMut(&Record<'_>)) -> bool {
        let block = self.blocks.current();
        let last = block.last;
        let quarantine = quarantine.map(|quarantine| (quarantine, &*self.path, self.decoder.format()));
        let mut sink = Counting { tally: &mut self.tally, quarantine, take: &mut take };
        let used = self.decoder.decode(block.bytes, last, &mut sink);
        self.blocks.consume(used);
        match self.blocks.fill() {
            Ok(Some(_)) => true,
            Ok(None) => false,
            Err(error) => {
                self.error = Some(with_causes(&error));
                false
            }
        }
    }

    fn read_all(
        &mut self,
        feed: &mut Feed<'_>,
        mut quarantine: Option<&mut Quarantine>,
        progress: &mut dyn FnMut(Reading),
    ) {
        while self.step(quarantine.as_deref_mut(), |record| feed.take(0, record)) {
            feed.drop_alerts();
            progress(Reading { bytes: self.blocks.input().position() });
        }
    }

    fn into_report(self) -> FileReport {
        let Tally { records, passed_over, rejected, samples, .. } = self.tally;
        FileReport {
            path: self.path,
            format: self.decoder.format(),
            why: self.why,
            source: self.source,
            carries: self.decoder.carries(),
            zone: self.decoder.zone(),
            zone_is_found: self.found_zone.is_some(),
            offset: self.decoder.offset_check(),
            odd: self.decoder.counters(),
            records,
            passed_over,
            rejected,
            samples,
            error: self.error,
        }
    }
}

/// Records of a file that wait for their turn.
#[derive(Debug, Default)]
struct Queue {
    records: Recorded,
    next: usize,
}
