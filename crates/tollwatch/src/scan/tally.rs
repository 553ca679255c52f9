//! What is counted while a file is decoded.
use super::Quarantine;
use std::collections::BTreeMap;
use std::path::Path;
use tollwatch_cdr::{Format, Place, Record, Rejected, Sink};

/// So many rejected records are shown with their place.
const MOST_SAMPLES: usize = 10;
/// So many reasons are told apart: a number of fields is one, and a damaged file may have any.
const MOST_REASONS: usize = 50;
const OTHER_REASONS: &str = "other reasons";

/// A record that was rejected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RejectSample {
    /// Where it stands.
    pub place: Place,
    /// The field, counted from 1, with its name.
    pub field: Option<(usize, &'static str)>,
    /// Why.
    pub reason: String,
}

#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) records: u64,
    pub(super) passed_over: u64,
    last_line: Option<u64>,
    pub(super) rejected: BTreeMap<String, u64>,
    /// The same by the kind of reason, of which there are few.
    by_kind: BTreeMap<&'static str, u64>,
    pub(super) samples: Vec<RejectSample>,
}

impl Tally {
    /// Records that could not be read.
    pub(crate) fn rejected(&self) -> u64 {
        self.rejected.values().sum()
    }

    /// Lines that are no records, or of calls that are none of ours.
    pub(crate) fn passed_over(&self) -> u64 {
        self.passed_over
    }

    /// Records that could not be read, by the kind of reason.
    pub(crate) fn by_kind(&self) -> &BTreeMap<&'static str, u64> {
        &self.by_kind
    }

    /// The same by reason.
    pub(crate) fn by_reason(&self) -> &BTreeMap<String, u64> {
        &self.rejected
    }
}

/// Counts what a decoder reads and hands the records on.
pub(crate) struct Counting<'t, F> {
    pub(crate) tally: &'t mut Tally,
    /// Where rejected records go, with the file and the format they are of.
    pub(crate) quarantine: Option<(&'t mut Quarantine, &'t Path, Format)>,
    pub(crate) take: &'t mut F,
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
        if let Some((quarantine, file, format)) = &mut self.quarantine {
            quarantine.keep(file, *format, rejected);
        }
        let Tally { rejected: reasons, samples, by_kind, .. } = &mut *self.tally;
        *by_kind.entry(rejected.reason.kind()).or_default() += 1;
        let reason = rejected.reason.to_string();
        if samples.len() < MOST_SAMPLES {
            let (place, field) = (rejected.place, rejected.field);
            samples.push(RejectSample { place, field, reason: reason.clone() });
        }
        let is_new = reasons.len() >= MOST_REASONS && !reasons.contains_key(&reason);
        *reasons.entry(if is_new { OTHER_REASONS.to_owned() } else { reason }).or_default() += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tollwatch_cdr::RejectReason;

    #[test]
    fn a_file_of_any_damage_has_a_bounded_list_of_reasons() {
        let mut tally = Tally::default();
        let mut sink = Counting { tally: &mut tally, quarantine: None, take: &mut |_: &Record<'_>| {} };
        for found in 0..1000 {
            let reason = RejectReason::Width { found, expected: "16 to 21" };
            sink.rejected(&Rejected { place: Place::default(), field: None, reason, bytes: b"" });
        }
        assert_eq!(tally.by_kind(), &BTreeMap::from([("width", 1000)]));
        assert_eq!((tally.rejected.len(), tally.samples.len()), (MOST_REASONS + 1, MOST_SAMPLES));
        assert_eq!(tally.rejected.get(OTHER_REASONS), Some(&(1000 - MOST_REASONS as u64)));
        assert_eq!(tally.rejected.values().sum::<u64>(), 1000);
    }
}
