//! One source of the service: read as it grows, decoded, and its records kept until their turn comes.
use super::conditions::Detail;
use super::pulse::Pulse;
use super::reader::{self, Reader};
use crate::config::{Followed, From};
use crate::scan::{Counting, Quarantine, Recorded, Tally, with_causes};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;
use std::time::SystemTime;
use tollwatch_cdr::{Decoder, Detection, EventTime, Format, OffsetCheck, Record, Zone, detect};
use tollwatch_detect::TenantId;
use tollwatch_source::{Chunk, Counters, FileNumber, Position, SourceError};

/// A source is live while the newest of its records is so near to the clock on the wall when it is read.
const LIVE_SECONDS: i64 = 600;
/// If so many bytes do not tell the format, more will not.
const ENOUGH: usize = 64 * 1024;
/// Of so many records, the share that cannot be read is looked at.
const SHARE_OF: u64 = 200;

/// A source, and all that is known of it.
#[derive(Debug)]
pub(super) struct Intake {
    pub(super) followed: Followed,
    pub(super) tenant: TenantId,
    reader: Reader,
    decoding: Decoding,
    /// Records that wait for their turn, and how many have had it.
    pub(super) queue: Recorded,
    pub(super) next: usize,
    pub(super) tally: Tally,
    pub(super) pulse: Pulse,
    /// Event time at which the newest record was known.
    pub(super) last_record: Option<EventTime>,
    pub(super) last_read: Option<DateTime<Utc>>,
    /// Its records are of now, so that time may pass without them.
    pub(super) live: bool,
    /// Why it cannot be read.
    pub(super) error: Option<String>,
    pub(super) since: DateTime<Utc>,
    /// Everything that is there has been read.
    pub(super) is_dry: bool,
    recent: Recent,
    /// What was counted when the metrics were last told.
    told: (u64, u64),
}

/// The decoders of a source: one for each of its files that is not over.
#[derive(Debug)]
struct Decoding {
    format: Option<Format>,
    zone: Zone,
    files: BTreeMap<FileNumber, Decoder>,
    /// That of the file last read to its end, or of the time before a restart.
    latest: Option<Decoder>,
}

/// How many of the last records could not be read.
#[derive(Clone, Copy, Debug, Default)]
struct Recent {
    records: u64,
    rejected: u64,
    /// The share when it was last looked at, in percent.
    percent: u64,
}

/// What a checkpoint keeps of a source.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Kept {
    position: Position,
    decoder: Option<Decoder>,
    pulse: Pulse,
    last_record: Option<EventTime>,
    live: bool,
}

impl Intake {
    /// A source that goes on where `kept` was, or begins.
    pub(super) fn new(followed: Followed, tenant: TenantId, kept: Option<Kept>, now: DateTime<Utc>) -> Self {
        let reader = Reader::new(&followed.from, kept.as_ref().map(|kept| &kept.position));
        let (decoder, mut pulse, last_record, live) = match kept {
            Some(Kept { decoder, pulse, last_record, live, .. }) => (decoder, pulse, last_record, live),
            None => (None, Pulse::default(), None, false),
        };
        pulse.pause();
        let format = followed.source.format.or(decoder.as_ref().map(Decoder::format));
        let zone = followed.zone;
        Self {
            tenant,
            reader,
            decoding: Decoding { format, zone, files: BTreeMap::new(), latest: decoder },
            queue: Recorded::default(),
            next: 0,
            tally: Tally::default(),
            pulse,
            last_record,
            last_read: None,
            live,
            error: None,
            since: now,
            is_dry: false,
            recent: Recent::default(),
            told: (0, 0),
            followed,
        }
    }

    /// What is to be kept of it, once its records have had their turn.
    pub(super) fn kept(&self) -> Kept {
        Kept {
            position: self.reader.position(),
            decoder: self.decoding.files.values().next_back().or(self.decoding.latest.as_ref()).cloned(),
            pulse: self.pulse.clone(),
            last_record: self.last_record,
            live: self.live,
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.followed.name
    }
    pub(super) fn format(&self) -> Option<Format> {
        self.decoding.format
    }
    pub(super) fn zone(&self) -> Zone {
        self.decoding.zone
    }
    pub(super) fn counters(&self) -> Counters {
        self.reader.counters()
    }

    /// What the ids of the records say against the zone.
    pub(super) fn contradiction(&self) -> Option<OffsetCheck> {
        let decoder = self.decoding.files.values().next_back().or(self.decoding.latest.as_ref())?;
        Some(decoder.offset_check()).filter(|check| matches!(check, OffsetCheck::Contradicts { .. }))
    }

    /// The share of the last records that could not be read, in percent.
    pub(super) fn rejected_percent(&self) -> u64 {
        let Recent { records, rejected, percent } = self.recent;
        // A new source that cannot be read at all should not have to wait for two hundred records.
        let young = if records >= 20 { 100 * rejected / records } else { 0 };
        percent.max(young)
    }

    /// Records that were read, and that could not be, since this was last asked.
    pub(super) fn counted_since(&mut self) -> (u64, u64) {
        let now = (self.tally.records, self.tally.rejected());
        let before = std::mem::replace(&mut self.told, now);
        (now.0 - before.0, now.1 - before.1)
    }

    /// Reads on by one piece, decodes it, and keeps its records. Whether there was anything.
    pub(super) fn read(
        &mut self,
        now: DateTime<Utc>,
        wall: SystemTime,
        offset: i64,
        quarantine: Option<&mut Quarantine>,
    ) -> bool {
        let Self { reader, decoding, queue, tally, followed, .. } = self;
        let path = reader::path(&followed.from);
        let before = (tally.records, tally.rejected());
        let read = match reader.poll(wall) {
            Ok(Some(chunk)) => {
                let mut newest = None;
                let mut take = |record: &Record<'_>| {
                    newest = newest.max(Some(record.known_at()));
                    queue.push(record);
                };
                let used = decoding.decode(&chunk, path, tally, quarantine, &mut take);
                let progress = used.as_ref().is_ok_and(|used| *used > 0 || chunk.last);
                let last = chunk.last.then_some(chunk.file);
                if let Ok(used) = used {
                    reader.consume(used);
                    decoding.ends(last);
                }
                used.map(|_| (progress, newest))
            }
            Ok(None) => Ok((false, None)),
            Err(error) => Err(Stop::Source(error)),
        };
        self.recent.count(self.tally.records - before.0, self.tally.rejected() - before.1);
        match read {
            Ok((progress, newest)) => {
                self.failed(None, now);
                if progress {
                    self.last_read = Some(now);
                    self.pulse.beat(now.timestamp(), offset);
                }
                if let Some(newest) = newest {
                    self.last_record = self.last_record.max(Some(newest));
                    self.live = (now.timestamp() - newest.seconds()).abs() <= LIVE_SECONDS;
                }
                self.is_dry = !progress;
                progress
            }
            Err(stop) => {
                self.failed(Some(stop.to_string()), now);
                self.is_dry = true;
                false
            }
        }
    }

    fn failed(&mut self, error: Option<String>, now: DateTime<Utc>) {
        if self.error.is_some() != error.is_some() {
            self.since = now;
        }
        self.error = error;
    }

    /// It is silent: what is to be said of it.
    pub(super) fn silence(&self, now: DateTime<Utc>, offset: i64) -> Option<Detail> {
        let last =
            self.pulse.last().or_else(|| self.followed.silent_after.map(|_| self.since.timestamp()))?;
        let limit = self.followed.silent_after.or_else(|| self.pulse.silent_after(offset))?;
        let quiet = now.timestamp().saturating_sub(last);
        (quiet > limit).then(|| {
            let (quiet, limit) = (quiet / 60, limit / 60);
            if let From::Interface(_) = self.followed.from {
                return Detail::new(
                    format!("nothing was heard for {quiet} min; it is silent after {limit} min. Is the PBX running?"),
                    format!("{quiet} 分間、何も届いていません ({limit} 分で無音とみなします)。PBX は動いていますか。"),
                );
            }
            Detail::new(
                format!(
                    "no record for {quiet} min; it is silent after {limit} min. Is the PBX running, does it still \
                     write call records, and to this file?"
                ),
                format!(
                    "{quiet} 分間、記録がありません ({limit} 分で無音とみなします)。PBX は動いていますか。\
                     通話記録は今もこのファイルに書かれていますか。"
                ),
            )
        })
    }
}

impl Recent {
    fn count(&mut self, records: u64, rejected: u64) {
        self.records += records + rejected;
        self.rejected += rejected;
        if self.records >= SHARE_OF {
            *self = Self { records: 0, rejected: 0, percent: 100 * self.rejected / self.records };
        }
    }
}

/// Why nothing could be read.
#[derive(Debug)]
enum Stop {
    Source(SourceError),
    Format(String),
}

impl std::fmt::Display for Stop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Source(error) => f.write_str(&with_causes(error)),
            Self::Format(why) => f.write_str(why),
        }
    }
}

impl Decoding {
    /// Decodes a chunk; says how many of its bytes were used.
    fn decode(
        &mut self,
        chunk: &Chunk<'_>,
        path: &Path,
        tally: &mut Tally,
        quarantine: Option<&mut Quarantine>,
        take: &mut impl FnMut(&Record<'_>),
    ) -> Result<usize, Stop> {
        let format = match self.format {
            Some(format) => format,
            None => match detect(chunk.bytes) {
                Detection::Found { format, .. } => *self.format.insert(format),
                // It may be told by what is still to come.
                Detection::Unclear { .. } if !chunk.last && chunk.bytes.len() < ENOUGH => return Ok(0),
                Detection::Unclear { english, .. } => return Err(Stop::Format(english)),
            },
        };
        if !self.files.contains_key(&chunk.file) {
            let mut decoder = match &self.latest {
                // A file that is gone on with has its header behind it.
                Some(latest) if !chunk.begins_file => latest.clone(),
                _ => Decoder::new(format, self.zone),
            };
            // What was up when a log of live events was rotated is up still.
            let earlier = self.files.values_mut().next_back().or(self.latest.as_mut());
            if let Some(earlier) = earlier.filter(|_| chunk.begins_file && format.spans_files()) {
                decoder.take_over(earlier);
            }
            self.files.insert(chunk.file, decoder);
        }
        let Some(decoder) = self.files.get_mut(&chunk.file) else { return Ok(0) };
        let quarantine = quarantine.map(|quarantine| (quarantine, path, format));
        let mut sink = Counting { tally, quarantine, take };
        Ok(decoder.decode(chunk.bytes, chunk.last, &mut sink))
    }

    /// A file was read to its end.
    fn ends(&mut self, file: Option<FileNumber>) {
        if let Some(decoder) = file.and_then(|file| self.files.remove(&file))
            && self.files.is_empty()
        {
            self.latest = Some(decoder);
        }
    }
}
