//! When a call began, was answered and ended, and for how long it is charged.
use super::{ABSENT, Columns, Counters, Fault, Plan, Reader, RejectReason, Row, fault};
use crate::Outcome;
use crate::civil::{Civil, DateOrder, TimeForms};
use crate::descriptor::{AnsweredBy, Unit};
use crate::number::{self, whole_seconds};
use crate::zone::{Choice, LocalClock};

/// Longer than any call: a duration beyond this is a slip of units.
const LONGEST_CALL_SECONDS: i64 = 7 * 86_400;
/// Printed times are cut to seconds and durations computed from finer ones, so that the two differ by a
/// second or two. More than this is a clock that was changed.
const ROUNDING_SECONDS: u64 = 5;

/// A timer that ends a session is this much off.
const LIMIT_SECONDS: u64 = 1;

/// 2001-01-01T00:00:00Z. A time before that is of a clock that started from nothing.
pub(crate) const CLOCK_SET_SINCE: i64 = 978_307_200;

/// 2010-01-02T00:00:00Z and 2099-12-30T00:00:00Z. Between them the years of all zones are written `201x` to `209x`.
const PLAIN_YEARS: std::ops::Range<i64> = 1_262_390_400..4_102_272_000;

/// The times of a call, in seconds since 1970 UTC. All of one width, as [`Outcome`] says why.
pub(super) struct Times {
    pub(super) started: i64,
    pub(super) answered: Option<i64>,
    pub(super) ended: i64,
    pub(super) billable: i64,
    pub(super) outcome: Outcome,
    /// A session timer ended it.
    pub(super) length_unknown: bool,
}

impl Reader {
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "measured: read back from memory, the times cost 50 ns a row")]
    pub(super) fn times(
        &mut self,
        row: &Row<'_>,
        columns: &Columns,
        plan: &'static Plan,
    ) -> Result<Times, Fault> {
        match self.plain_times(row, columns, plan) {
            Some(times) => Ok(times),
            None => self.odd_times(row, columns, plan),
        }
    }

    /// The times of the usual row: written plainly, on days that are known, and all saying the same. None of any other.
    #[inline(always)]
    #[allow(clippy::inline_always, reason = "measured, as above")]
    fn plain_times(&mut self, row: &Row<'_>, columns: &Columns, plan: &'static Plan) -> Option<Times> {
        let forms = &plan.forms;
        let is_plain = [&forms.started, &forms.ended, &forms.answered].iter().all(|forms| forms.is_plain());
        if !is_plain || forms.duration != Unit::Seconds || forms.billable != Unit::Seconds {
            return None;
        }
        let read = |text: &[u8]| self.clock.known(text).filter(|at| PLAIN_YEARS.contains(at));
        let (started, ended) = (read(row.field(columns.started))?, read(row.field(columns.ended))?);
        let (duration, talk) = (row.digits(columns.duration)?, row.digits(columns.billable)?);
        let span = ended - started;
        if span < 0 || span.abs_diff(duration) > ROUNDING_SECONDS || span.max(talk) > LONGEST_CALL_SECONDS {
            return None;
        }
        let answer = row.field(columns.answered);
        let answered = if answer.is_empty() { None } else { Some(read(answer)?) };
        if answered.is_some_and(|at| own_length_is_shorter(started, at, ended, Some(ended), talk)) {
            return None;
        }
        let (times, billable) = ((started, answered, ended), (talk, true));
        Some(conclude(&mut self.counters, &self.session_limits, row, columns, plan, times, billable))
    }

    /// The same of any row.
    #[inline(never)]
    fn odd_times(&mut self, row: &Row<'_>, columns: &Columns, plan: &'static Plan) -> Result<Times, Fault> {
        let Self { clock, order, counters, session_limits, .. } = self;
        let (forms, sources) = (&plan.forms, &plan.sources);
        let mut civil = CivilTimes { zone: clock, order: *order, counters, plan };
        let created = || Choice::NotBefore(creation_epoch(row.field(columns.created_in)));
        let text = row.field(columns.started);
        let begun = if forms.started.is_never(text) {
            None
        } else {
            let at = (columns.started, sources.started);
            Some(civil.read(text, &forms.started, at, created)?).filter(|&at| at >= CLOCK_SET_SINCE)
        };
        let duration = seconds(row, forms.duration, plan, (columns.duration, sources.duration))?;
        let billable = seconds(row, forms.billable, plan, (columns.billable, sources.billable))?;
        let text = row.field(columns.ended);
        let printed = if forms.ended.is_never(text) {
            None
        } else {
            let near = || match (begun, duration) {
                (Some(begun), Some(duration)) => Choice::Nearest(begun.saturating_add(duration)),
                (Some(begun), None) => Choice::NotBefore(Some(begun)),
                (None, _) => creation_epoch(row.field(columns.created_in))
                    .map_or(Choice::NotBefore(None), Choice::Nearest),
            };
            Some(civil.read(text, &forms.ended, (columns.ended, sources.ended), near)?)
                .filter(|&at| at >= CLOCK_SET_SINCE)
        };
        // A column that the format has, and no time in it.
        let lacks_start = begun.is_none() && columns.started != ABSENT;
        let (begun, printed) = if lacks_start || (printed.is_none() && columns.ended != ABSENT) {
            let known = (begun, printed, duration.or(billable));
            civil.by_one(row, columns, known)?
        } else {
            (begun, printed)
        };
        let contradiction = || {
            let (column, source) = if columns.duration == ABSENT {
                (columns.billable, sources.billable)
            } else {
                (columns.duration, sources.duration)
            };
            fault(plan, column, source, RejectReason::Contradiction)
        };
        let (started, ended, by_clock) = match (begun, printed, duration) {
            (Some(started), Some(printed), Some(duration)) => {
                let (ended, by) = ended(started, printed, duration).ok_or_else(contradiction)?;
                civil.counters.note_end(by);
                (started, ended, by == EndedBy::Clock)
            }
            (begun, printed, duration) => {
                let known = match (begun, printed) {
                    (Some(begun), Some(printed)) => Some(printed.saturating_sub(begun)),
                    _ => duration.or(billable),
                };
                let Some(length) = known else {
                    let reason = if begun.is_some() { RejectReason::Number } else { RejectReason::Time };
                    return Err(fault(
                        plan,
                        columns.duration.min(columns.billable),
                        sources.duration.min(sources.billable),
                        reason,
                    ));
                };
                if length > LONGEST_CALL_SECONDS {
                    return Err(contradiction());
                }
                civil.counters.ended_at_start += u64::from(length < 0);
                match (begun, printed) {
                    (Some(started), _) => (started, started + length.max(0), false),
                    (None, Some(ended)) => (ended - length.max(0), ended, false),
                    (None, None) => {
                        return Err(fault(plan, columns.ended, sources.ended, RejectReason::Time));
                    }
                }
            }
        };

        let answer = row.field(columns.answered);
        let answered = if forms.answered.is_never(answer) {
            None
        } else {
            let near = || Choice::Nearest(ended.saturating_sub(billable.unwrap_or_default()));
            // A date from before there was a clock to set (1899, 0000) is one more way to write "never".
            Some(civil.read(answer, &forms.answered, (columns.answered, sources.answered), near)?)
                .filter(|&at| at >= CLOCK_SET_SINCE)
        };
        let mut talk = match (billable, answered) {
            (Some(billable), _) if billable <= LONGEST_CALL_SECONDS => billable.max(0),
            (_, Some(answered)) if answered <= ended => ended - answered.max(started),
            (None, None) => ended - started,
            (None, Some(_)) => 0,
            (Some(_), _) => {
                return Err(fault(plan, columns.billable, sources.billable, RejectReason::Contradiction));
            }
        };
        if let Some(answered) = answered
            && own_length_is_shorter(started, answered, ended, printed, talk)
        {
            // The seconds are those of another leg of the call: a call-back counts from its first answer.
            talk = ended - answered;
            civil.counters.billable_against_times += 1;
        }
        if talk == 0
            && by_clock
            && let Some(answered) = answered
        {
            // The duration was never written, though the end was.
            talk = (ended - answered).max(0);
        }
        let (times, billable) = ((started, answered, ended), (talk, billable.is_some()));
        Ok(conclude(civil.counters, session_limits, row, columns, plan, times, billable))
    }
}

/// What follows from start, answer and end, and from the seconds that are charged: how many, and whether they are
/// written.
#[inline(always)]
#[allow(clippy::inline_always, reason = "measured, as above")]
fn conclude(
    counters: &mut Counters,
    session_limits: &[i64],
    row: &Row<'_>,
    columns: &Columns,
    plan: &'static Plan,
    (started, answered, ended): (i64, Option<i64>, i64),
    (talk, is_written): (i64, bool),
) -> Times {
    let written = (columns.outcome != ABSENT).then(|| plan.forms.outcome(row.field(columns.outcome)));
    let outcome = outcome(columns.answered_by, written, answered.is_some(), talk);
    let contradicts = written.is_some_and(|written| written != outcome) && !plan.forms.outcome_is_cause;
    counters.answered_against_disposition += u64::from(outcome == Outcome::Answered && contradicts);
    let is_answered = outcome == Outcome::Answered;
    let answered = is_answered.then(|| match answered {
        Some(answered) if (started..=ended).contains(&answered) => answered,
        _ => (ended - talk).max(started),
    });
    let counts = is_answered || (is_written && columns.answered_by == AnsweredBy::AnswerTime);
    let is_limit = |seconds: i64| session_limits.iter().any(|limit| limit.abs_diff(seconds) <= LIMIT_SECONDS);
    let length_unknown =
        is_answered && !session_limits.is_empty() && (is_limit(talk) || is_limit(ended - started));
    counters.at_session_limit += u64::from(length_unknown);
    Times { started, answered, ended, billable: if counts { talk } else { 0 }, outcome, length_unknown }
}

/// Reads the times of a row.
struct CivilTimes<'r> {
    zone: &'r mut LocalClock,
    order: Option<DateOrder>,
    counters: &'r mut Counters,
    plan: &'static Plan,
}

impl CivilTimes<'_> {
    /// Start or end is missing, or both: the other one and the duration tell it, or the second in which the channel
    /// was created.
    #[cold]
    fn by_one(
        &mut self,
        row: &Row<'_>,
        columns: &Columns,
        (start, end, duration): (Option<i64>, Option<i64>, Option<i64>),
    ) -> Result<(Option<i64>, Option<i64>), Fault> {
        let (plan, sources) = (self.plan, &self.plan.sources);
        let epoch = creation_epoch(row.field(columns.created_in)).filter(|&epoch| epoch >= CLOCK_SET_SINCE);
        if start.or(end).or(epoch).is_none() {
            let (column, source) = if columns.started == ABSENT {
                (columns.ended, sources.ended)
            } else {
                (columns.started, sources.started)
            };
            return Err(fault(plan, column, source, RejectReason::ClockNotSet));
        }
        let (column, source) = (columns.duration, sources.duration);
        let lasted = duration.ok_or_else(|| fault(plan, column, source, RejectReason::Number))?.max(0);
        if lasted > LONGEST_CALL_SECONDS {
            return Err(fault(plan, column, source, RejectReason::Contradiction));
        }
        self.counters.untrusted_clock += 1;
        let started = start.or(end.map(|end| end - lasted)).or(epoch).unwrap_or_default();
        Ok((Some(started), Some(started + lasted)))
    }

    /// The one place where civil times of calls are read.
    #[inline]
    fn read(
        &mut self,
        text: &[u8],
        forms: &TimeForms,
        (column, source): (usize, usize),
        choice: impl Fn() -> Choice,
    ) -> Result<i64, Fault> {
        match forms.read(text, self.zone, self.order, choice) {
            Civil::At(seconds, reading) => {
                self.counters.note(reading);
                Ok(seconds)
            }
            Civil::No => Err(fault(self.plan, column, source, RejectReason::Time)),
            Civil::Unordered => Err(fault(self.plan, column, source, RejectReason::DateOrder)),
        }
    }
}

/// A duration; none if the row has none.
#[inline(always)]
#[allow(clippy::inline_always, reason = "measured: two uses in the way of every row")]
fn seconds(
    row: &Row<'_>,
    unit: Unit,
    plan: &'static Plan,
    (column, source): (usize, usize),
) -> Result<Option<i64>, Fault> {
    if unit == Unit::Seconds
        && let Some(seconds) = row.digits(column)
    {
        return Ok(Some(seconds));
    }
    let text = row.field(column);
    if text.is_empty() {
        return Ok(None);
    }
    let read = number::duration(text, unit);
    read.map(Some).ok_or_else(|| fault(plan, column, source, RejectReason::Number))
}

/// What was taken for the better witness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum EndedBy {
    Both,
    Duration,
    Clock,
    Start,
}

impl Counters {
    #[inline]
    fn note_end(&mut self, by: EndedBy) {
        match by {
            EndedBy::Both => {}
            EndedBy::Duration => self.ended_by_duration += 1,
            EndedBy::Clock => self.ended_by_clock += 1,
            EndedBy::Start => self.ended_at_start += 1,
        }
    }
}

/// When the call ended: as printed, unless that contradicts the duration and the duration is the better
/// witness (the clock was changed while the call went on, or the zone is not the one configured).
#[inline]
fn ended(started: i64, printed: i64, duration: i64) -> Option<(i64, EndedBy)> {
    let span = printed.saturating_sub(started);
    if span >= 0 && span.abs_diff(duration) <= ROUNDING_SECONDS && span <= LONGEST_CALL_SECONDS {
        return Some((printed, EndedBy::Both));
    }
    let plausible = |seconds: i64| (1..=LONGEST_CALL_SECONDS).contains(&seconds);
    if plausible(duration) {
        return Some((started + duration, EndedBy::Duration));
    }
    if plausible(span) {
        return Some((printed, EndedBy::Clock));
    }
    (span.max(duration) <= LONGEST_CALL_SECONDS).then_some((started, EndedBy::Start))
}

/// Whether more seconds are billable than lie between the answer and an end that the clock and the duration agree on.
#[inline]
fn own_length_is_shorter(started: i64, answered: i64, ended: i64, printed: Option<i64>, talk: i64) -> bool {
    printed == Some(ended)
        && (started..=ended).contains(&answered)
        && talk > (ended - answered).saturating_add(ROUNDING_SECONDS as i64)
}

#[inline]
fn outcome(by: AnsweredBy, written: Option<Outcome>, answer_time: bool, talk: i64) -> Outcome {
    let not_answered =
        || written.filter(|&written| written != Outcome::Answered).unwrap_or(Outcome::NoAnswer);
    match by {
        AnsweredBy::AnswerTime if answer_time && talk > 0 => Outcome::Answered,
        AnsweredBy::AnswerTime if answer_time => written.unwrap_or(Outcome::Answered),
        AnsweredBy::AnswerTime | AnsweredBy::Outcome => written.unwrap_or(Outcome::NoAnswer),
        AnsweredBy::BillableSeconds if talk > 0 => Outcome::Answered,
        AnsweredBy::BillableSeconds => not_answered(),
    }
}

/// The second at which a channel was created, from its id: `1772906414.0`, `pbx-1772906414.0` where the PBX
/// has a name, or a UUID made from the time.
pub(crate) fn creation_epoch(id: &[u8]) -> Option<i64> {
    if id.len() == 36 && id.get(13..15) == Some(b"-1") {
        return uuid_epoch(id);
    }
    let dot = id.iter().rposition(|&byte| byte == b'.')?;
    let serial = id.get(dot + 1..)?;
    let named = id.get(..dot)?;
    let epoch = match named.iter().rposition(|&byte| byte == b'-') {
        Some(hyphen) => named.get(hyphen + 1..)?,
        None => named,
    };
    let digits = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    ((9..=10).contains(&epoch.len()) && digits(epoch) && digits(serial)).then(|| whole_seconds(epoch))?
}

/// The second in a UUID of version 1, which counts tenths of microseconds from the start of the Gregorian calendar
/// (RFC 9562, section 5.1).
#[cold]
fn uuid_epoch(id: &[u8]) -> Option<i64> {
    const GREGORIAN: i64 = 12_219_292_800;
    let mut value = [0; 5];
    for (part, value) in id.split(|&byte| byte == b'-').zip(&mut value) {
        let digits = std::str::from_utf8(part).ok().filter(|_| part.iter().all(u8::is_ascii_hexdigit))?;
        *value = i64::from_str_radix(digits, 16).ok()?;
    }
    let hyphens = [8, 13, 18, 23].iter().all(|&at| id.get(at) == Some(&b'-'));
    let [low, mid, high, ..] = value;
    hyphens.then_some(((high & 0xfff) << 48 | mid << 32 | low) / 10_000_000 - GREGORIAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_creation_second_is_read_from_every_shape_of_uniqueid() {
        for (text, read) in [
            ("1772906414.0", Some(1_772_906_414)),
            ("pbx-1772906414.12", Some(1_772_906_414)),
            ("d80e22e0-4c15-11ea-97a0-9dd79410affb", Some(1_581_346_729)),
            ("d80e22e0-4c15-41ea-97a0-9dd79410affb", None),
            ("d80e22e0-4c15-11ea-97a0-9dd79410aff_", None),
            ("d80e22e0-4c15-1-1ea-97a0-9dd79410aff", None),
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
            ended(at, at.saturating_add(printed), duration).map(|(end, by)| (end - at, by))
        };
        assert_eq!(end(40, 40), Some((40, EndedBy::Both)));
        assert_eq!(end(41, 39), Some((41, EndedBy::Both)));
        assert_eq!(end(-3560, 40), Some((40, EndedBy::Duration)));
        assert_eq!(end(3640, 40), Some((40, EndedBy::Duration)));
        assert_eq!(end(90, 0), Some((90, EndedBy::Clock)));
        assert_eq!(end(136, 136_298_900_000), Some((136, EndedBy::Clock)));
        assert_eq!(end(-3, -3), Some((0, EndedBy::Start)));
        assert_eq!(end(8 * 86_400, 8 * 86_400), None);
        assert_eq!(end(i64::MAX, i64::MAX), None);
    }
}
