//! What all of Asterisk's call detail records have in common, wherever their columns stand.
use super::channel;
use crate::csv::{Fault, Row, Scratch};
use crate::offset::OffsetTally;
use crate::zone::{Choice, LocalClock, LocalTime, Reading};
use crate::{Cdr, Counters, EventTime, Outcome, Place, Record, RejectReason, Sink, Zone};
use serde::{Deserialize, Serialize};
use std::hash::{BuildHasher, Hasher};

/// Longer than any call: a duration beyond this is a slip of units.
const LONGEST_CALL_SECONDS: i64 = 7 * 86_400;
/// Printed times are cut to seconds and durations computed from finer ones, so that the two differ by a
/// second or two. More than this is a clock that was changed.
const ROUNDING_SECONDS: u64 = 5;

/// 2001-01-01T00:00:00Z. A time before that is of a clock that started from nothing.
pub(super) const CLOCK_SET_SINCE: i64 = 978_307_200;

/// Where a format keeps its columns, counted from 0.
#[derive(Clone, Copy, Debug)]
pub(super) struct Columns {
    pub(super) account: usize,
    pub(super) src: usize,
    pub(super) dst: usize,
    pub(super) dcontext: usize,
    pub(super) channel: usize,
    pub(super) dstchannel: usize,
    pub(super) lastapp: usize,
    pub(super) lastdata: usize,
    pub(super) start: usize,
    pub(super) answer: usize,
    pub(super) end: usize,
    pub(super) duration: usize,
    pub(super) billsec: usize,
    pub(super) disposition: usize,
    pub(super) uniqueid: Option<usize>,
    pub(super) linkedid: Option<usize>,
    pub(super) sequence: Option<usize>,
}

/// Reads calls: the zone they are written in, and what was odd about them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Reader {
    pub(crate) clock: LocalClock,
    pub(crate) counters: Counters,
    pub(crate) offsets: OffsetTally,
    #[serde(skip)]
    pub(super) scratch: Scratch,
}

impl Reader {
    pub(crate) fn new(zone: Zone) -> Self {
        Self {
            clock: LocalClock::new(zone),
            counters: Counters::default(),
            offsets: OffsetTally::default(),
            scratch: Scratch::default(),
        }
    }

    /// Reads the call in `row` and hands it to `sink`.
    #[inline]
    pub(super) fn call<S: Sink>(
        &mut self,
        row: &Row<'_>,
        columns: &Columns,
        place: Place,
        sink: &mut S,
    ) -> Result<(), Fault> {
        let times = self.times(row, columns).or_else(|fault| {
            // The names of the columns instead of what they hold: one test on a path that is never hot.
            if is_header(row, columns) { Ok(None) } else { Err(fault) }
        })?;
        let Some(times) = times else {
            sink.passed_over(place);
            return Ok(());
        };
        self.offsets.row(self.clock.zone(), || {
            Some((LocalTime::parse(row.field(columns.start))?, creation_epoch(uniqueid(row, columns))?))
        });
        let identity = identity(row, columns);
        let call_id = columns.linkedid.or(columns.uniqueid).unwrap_or(columns.src);
        let hostile = [
            columns.account,
            columns.dst,
            columns.src,
            columns.lastdata,
            columns.channel,
            columns.dstchannel,
            call_id,
        ];
        if hostile.iter().any(|&column| row.has_quote_inside(column)) {
            let row = row.unescaped(&mut self.scratch);
            sink.record(place, &Record::Cdr(cdr(&row, columns, &times, identity)));
        } else {
            sink.record(place, &Record::Cdr(cdr(row, columns, &times, identity)));
        }
        Ok(())
    }

    #[inline]
    fn times(&mut self, row: &Row<'_>, columns: &Columns) -> Result<Option<Times>, Fault> {
        let Self { clock, counters, .. } = self;
        let start = time(row, columns.start, "start", clock, counters, || {
            Choice::NotBefore(creation_epoch(uniqueid(row, columns)))
        });
        let Some(started) = believable(&start) else { return self.times_by_one(row, columns) };
        let duration = number(row, columns.duration, "duration")?;
        let end = time(row, columns.end, "end", clock, counters, || {
            Choice::Nearest(started.saturating_add(duration))
        });
        let Some(end) = believable(&end) else { return self.times_by_one(row, columns) };
        self.times_between(row, columns, (started, duration, end))
    }

    /// Start or end is missing, or both: the other one and the duration tell it, or the second in which the
    /// channel was created.
    #[cold]
    fn times_by_one(&mut self, row: &Row<'_>, columns: &Columns) -> Result<Option<Times>, Fault> {
        let Self { clock, counters, .. } = self;
        let epoch = creation_epoch(uniqueid(row, columns)).filter(|&epoch| epoch >= CLOCK_SET_SINCE);
        let mut read = |column: usize, name| -> Result<Option<i64>, Fault> {
            let near = || epoch.map_or(Choice::NotBefore(None), Choice::Nearest);
            if is_unset(row.field(column)) {
                return Ok(None);
            }
            let read = time(row, column, name, clock, counters, near)?;
            Ok((read >= CLOCK_SET_SINCE).then_some(read))
        };
        let (start, end) = (read(columns.start, "start")?, read(columns.end, "end")?);
        if start.or(end).or(epoch).is_none() {
            let field = Some((columns.start + 1, "start"));
            return Err(Fault { field, reason: RejectReason::ClockNotSet });
        }
        let duration = number(row, columns.duration, "duration")?;
        let lasted = Some(duration.max(0)).filter(|&lasted| lasted <= LONGEST_CALL_SECONDS).ok_or(Fault {
            field: Some((columns.duration + 1, "duration")),
            reason: RejectReason::Contradiction,
        })?;
        counters.untrusted_clock += 1;
        let started = start.or(end.map(|end| end - lasted)).or(epoch).unwrap_or_default();
        self.times_between(row, columns, (started, duration, started + lasted))
    }

    #[inline]
    fn times_between(
        &mut self,
        row: &Row<'_>,
        columns: &Columns,
        (started, duration, end): (i64, i64, i64),
    ) -> Result<Option<Times>, Fault> {
        let Self { clock, counters, .. } = self;
        let billable = number(row, columns.billsec, "billsec")?;
        let ended = ended(started, end, duration, counters).ok_or(Fault {
            field: Some((columns.duration + 1, "duration")),
            reason: RejectReason::Contradiction,
        })?;

        let answer = row.field(columns.answer);
        let answered = if is_unset(answer) {
            None
        } else {
            let near = || Choice::Nearest(ended.saturating_sub(billable));
            Some(time(row, columns.answer, "answer", clock, counters, near)?)
        };
        let billable = match answered {
            _ if billable <= LONGEST_CALL_SECONDS => billable.max(0),
            Some(answered) if answered <= ended => ended - answered,
            _ => {
                let field = Some((columns.billsec + 1, "billsec"));
                return Err(Fault { field, reason: RejectReason::Contradiction });
            }
        };
        let written = outcome(row.field(columns.disposition));
        let outcome = if answered.is_some() && billable > 0 { Outcome::Answered } else { written };
        counters.answered_against_disposition += u64::from(outcome != written);
        let answered = (outcome == Outcome::Answered).then(|| match answered {
            Some(answered) if (started..=ended).contains(&answered) => answered,
            _ => (ended - billable).max(started),
        });
        Ok(Some(Times { started, answered, ended, billable: billable as u32, outcome }))
    }
}

struct Times {
    started: i64,
    answered: Option<i64>,
    ended: i64,
    billable: u32,
    outcome: Outcome,
}

#[inline]
fn cdr<'a>(row: &Row<'a>, columns: &Columns, times: &Times, identity: u64) -> Cdr<'a> {
    let target = row.field(columns.dstchannel);
    let lastdata = row.field(columns.lastdata);
    let target_leg = channel::leg(target);
    let application = row.field(columns.lastapp);
    let dialled_by_string = channel::is_dial(application);
    let rang = match target_leg.party {
        crate::Party::Internal if dialled_by_string => channel::rang(lastdata, target),
        crate::Party::Internal if channel::is_follow_me(application) => channel::followed(lastdata),
        _ => b"",
    };
    // Who is in a conference with whom has not dialled them.
    let met = target_leg.party != crate::Party::None && channel::is_conference(application);
    let column = |column: Option<usize>| column.map_or(&b""[..], |column| row.field(column));
    let linkedid = column(columns.linkedid);
    Cdr {
        started_at: EventTime::from_seconds(times.started),
        answered_at: times.answered.map(EventTime::from_seconds),
        ended_at: EventTime::from_seconds(times.ended),
        billable_seconds: times.billable,
        outcome: times.outcome,
        calling: row.field(columns.src),
        dialled: if met { b"" } else { row.field(columns.dst) },
        sent: if dialled_by_string { channel::sent(lastdata, target) } else { b"" },
        rang,
        origin: channel::leg(row.field(columns.channel)),
        target: target_leg,
        from_outside: channel::from_outside(row.field(columns.dcontext)),
        call_id: if linkedid.is_empty() { column(columns.uniqueid) } else { linkedid },
        account: row.field(columns.account),
        source_address: b"",
        tenant: b"",
        identity,
    }
}

/// When the call ended: as printed, unless that contradicts the duration and the duration is the better
/// witness (the clock was changed while the call went on, or the zone is not the one configured).
fn ended(started: i64, printed: i64, duration: i64, counters: &mut Counters) -> Option<i64> {
    let span = printed.saturating_sub(started);
    if span >= 0 && span.abs_diff(duration) <= ROUNDING_SECONDS && span <= LONGEST_CALL_SECONDS {
        return Some(printed);
    }
    let plausible = |seconds: i64| (1..=LONGEST_CALL_SECONDS).contains(&seconds);
    if plausible(duration) {
        counters.ended_by_duration += 1;
        return Some(started + duration);
    }
    if plausible(span) {
        counters.ended_by_clock += 1;
        return Some(printed);
    }
    if span.max(duration) > LONGEST_CALL_SECONDS {
        return None;
    }
    counters.ended_at_start += 1;
    Some(started)
}

fn uniqueid<'a>(row: &Row<'a>, columns: &Columns) -> &'a [u8] {
    columns.uniqueid.map_or(b"", |column| row.field(column))
}

/// Columns of a header line name themselves.
#[cold]
fn is_header(row: &Row<'_>, columns: &Columns) -> bool {
    let names = [(columns.src, &b"src"[..]), (columns.dst, b"dst"), (columns.start, b"start")];
    names.iter().all(|&(column, name)| row.field(column).eq_ignore_ascii_case(name))
}

/// (uniqueid, linkedid, sequence, start) is unique where there is a sequence: uniqueid is shared by the rows of
/// a forked record, and both counters begin anew when the PBX does. Elsewhere the row is all there is.
#[inline]
fn identity(row: &Row<'_>, columns: &Columns) -> u64 {
    const SEED: u64 = 0x746f_6c6c_7761_7463;
    let mut hasher = foldhash::quality::FixedState::with_seed(SEED).build_hasher();
    let column = |column: Option<usize>| column.map_or(&b""[..], |column| row.field(column));
    let sequence = column(columns.sequence);
    if sequence.is_empty() {
        hasher.write(row.bytes());
    } else {
        for part in [column(columns.uniqueid), column(columns.linkedid), sequence, row.field(columns.start)] {
            hasher.write_u64(part.len() as u64);
            hasher.write(part);
        }
    }
    hasher.finish()
}

#[inline]
fn time(
    row: &Row<'_>,
    column: usize,
    name: &'static str,
    clock: &mut LocalClock,
    counters: &mut Counters,
    choice: impl FnOnce() -> Choice,
) -> Result<i64, Fault> {
    let (seconds, reading) = clock
        .read(row.field(column), choice)
        .ok_or(Fault { field: Some((column + 1, name)), reason: RejectReason::Time })?;
    counters.note(reading);
    Ok(seconds)
}

/// A time that was read, unless it is of a clock that was not set.
#[inline]
fn believable(read: &Result<i64, Fault>) -> Option<i64> {
    read.as_ref().ok().copied().filter(|&at| at >= CLOCK_SET_SINCE)
}

/// All the ways in which "never" is written, and times of the last century: a clock that was never set.
#[inline]
pub(super) fn is_unset(text: &[u8]) -> bool {
    text.is_empty()
        || text.starts_with(b"19")
        || matches!(text, b"NULL" | b"0000-00-00 00:00:00" | b"2000-01-01 00:00:00")
}

/// Whole seconds; a fraction is cut off.
#[inline]
fn number(row: &Row<'_>, column: usize, name: &'static str) -> Result<i64, Fault> {
    whole_seconds(row.field(column))
        .ok_or(Fault { field: Some((column + 1, name)), reason: RejectReason::Number })
}

#[inline]
fn whole_seconds(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    let mut value = 0i64;
    let mut read = digits.iter();
    for byte in read.by_ref() {
        match byte {
            b'0'..=b'9' => value = value.saturating_mul(10).saturating_add(i64::from(byte - b'0')),
            b'.' if read.as_slice().iter().all(u8::is_ascii_digit) && !text.ends_with(b".") => break,
            _ => return None,
        }
    }
    let first = digits.first()?;
    first.is_ascii_digit().then_some(if negative { -value } else { value })
}

#[inline]
fn outcome(disposition: &[u8]) -> Outcome {
    match disposition {
        b"ANSWERED" | b"8" => Outcome::Answered,
        b"NO ANSWER" | b"NOANSWER" | b"CANCEL" | b"0" | b"1" | b"32" => Outcome::NoAnswer,
        b"BUSY" | b"4" => Outcome::Busy,
        _ => Outcome::Failed,
    }
}

/// The second at which a channel was created, from its `uniqueid`: `1772906414.0`, or
/// `pbx-1772906414.0` where the PBX has a name.
pub(super) fn creation_epoch(uniqueid: &[u8]) -> Option<i64> {
    let dot = uniqueid.iter().rposition(|&byte| byte == b'.')?;
    let serial = uniqueid.get(dot + 1..)?;
    let named = uniqueid.get(..dot)?;
    let epoch = match named.iter().rposition(|&byte| byte == b'-') {
        Some(hyphen) => named.get(hyphen + 1..)?,
        None => named,
    };
    let digits = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    ((9..=10).contains(&epoch.len()) && digits(epoch) && digits(serial)).then(|| whole_seconds(epoch))?
}

impl Counters {
    #[inline]
    pub(crate) fn note(&mut self, reading: Reading) {
        match reading {
            Reading::Plain => {}
            Reading::Ambiguous => self.ambiguous_times += 1,
            Reading::Nonexistent => self.nonexistent_times += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_seconds_are_read_with_sign_and_fraction() {
        for (text, read) in [
            ("31", Some(31)),
            ("3.618531", Some(3)),
            ("-3", Some(-3)),
            ("0", Some(0)),
            ("", None),
            ("-", None),
            (".5", None),
            ("3.", None),
            ("3.x", None),
            ("3 ", None),
            ("136298900000.000000", Some(136_298_900_000)),
            ("99999999999999999999", Some(i64::MAX)),
        ] {
            assert_eq!(whole_seconds(text.as_bytes()), read, "{text}");
        }
    }

    #[test]
    fn the_creation_second_is_read_from_every_shape_of_uniqueid() {
        for (text, read) in [
            ("1772906414.0", Some(1_772_906_414)),
            ("pbx-1772906414.12", Some(1_772_906_414)),
            ("head-office.example-1772906414.12", Some(1_772_906_414)),
            ("user text", None),
            ("1772906414", None),
            ("1772906414.x", None),
            ("12.5", None),
            ("", None),
        ] {
            assert_eq!(creation_epoch(text.as_bytes()), read, "{text}");
        }
    }

    #[test]
    fn the_end_is_the_printed_one_unless_it_contradicts_the_duration() {
        let at = 1_000_000;
        let end = |printed: i64, duration: i64| {
            let mut counters = Counters::default();
            (ended(at, at + printed, duration, &mut counters).map(|end| end - at), counters)
        };
        assert_eq!(end(40, 40), (Some(40), Counters::default()));
        assert_eq!(end(41, 39).0, Some(41));
        assert_eq!(end(-3560, 40), (Some(40), Counters { ended_by_duration: 1, ..Counters::default() }));
        assert_eq!(end(3640, 40).0, Some(40));
        assert_eq!(end(90, 0), (Some(90), Counters { ended_by_clock: 1, ..Counters::default() }));
        assert_eq!(end(136, 136_298_900_000).0, Some(136));
        assert_eq!(end(-3, -3), (Some(0), Counters { ended_at_start: 1, ..Counters::default() }));
        assert_eq!(end(8 * 86_400, 8 * 86_400).0, None);
        assert_eq!(end(i64::MAX - at, i64::MAX).0, None);
    }
}
