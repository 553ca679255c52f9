//! Rows of channel events: what `cel_custom` writes.
use super::cel::{CelRow, CelTracker};
use crate::call::{CLOCK_SET_SINCE, Reader, creation_epoch, fault, is_unset};
use crate::csv::{Fault, Row};
use crate::descriptor::{Columns, Plan};
use crate::zone::{Choice, LocalTime};
use crate::{EventTime, Place, RejectReason, Sink};

/// Reads one row.
pub(crate) fn read<S: Sink>(
    row: &Row<'_>,
    columns: &Columns,
    plan: &'static Plan,
    reader: &mut Reader,
    tracker: &mut CelTracker,
    place: Place,
    sink: &mut S,
) -> Result<(), Fault> {
    let [_, time, .., unique_id, _, _] = columns.events;
    let [_, source, ..] = plan.sources.events;
    let at = event_time(row, time, unique_id, reader).map_err(|reason| fault(plan, time, source, reason))?;
    if row.have_quotes_inside(&columns.events) {
        let row = row.unescaped(&mut reader.scratch);
        tracker.row(at, &CelRow::new(&columns.events, |column| row.field(column)), place, sink);
    } else {
        tracker.row(at, &CelRow::new(&columns.events, |column| row.field(column)), place, sink);
    }
    Ok(())
}

/// Seconds since 1970 UTC with a fraction, or what `dateformat=%F %T` gives, in local time. Where the PBX did not
/// know the time, the second in which the channel was created.
fn event_time(
    row: &Row<'_>,
    time: usize,
    unique_id: usize,
    reader: &mut Reader,
) -> Result<EventTime, RejectReason> {
    let created = || creation_epoch(row.field(unique_id));
    let at = written_time(row.field(time), created, reader).ok_or(RejectReason::Time)?;
    if at.seconds() >= CLOCK_SET_SINCE {
        return Ok(at);
    }
    let created = created().filter(|&epoch| epoch >= CLOCK_SET_SINCE).ok_or(RejectReason::ClockNotSet)?;
    reader.counters.untrusted_clock += 1;
    Ok(EventTime::from_seconds(created))
}

pub(super) fn written_time(
    text: &[u8],
    created: impl Fn() -> Option<i64>,
    reader: &mut Reader,
) -> Option<EventTime> {
    let dot = text.iter().position(|&byte| byte == b'.');
    let whole = text.get(..dot.unwrap_or(text.len()))?;
    let micros = match dot {
        Some(dot) => micros(text.get(dot + 1..)?)?,
        None => 0,
    };
    let seconds = if !whole.contains(&b':') {
        digits(whole)?
    } else if is_unset(whole) {
        0
    } else {
        let (seconds, reading) = reader.clock.read(whole, || Choice::NotBefore(created()))?;
        reader.counters.note(reading);
        reader.offsets.row(reader.clock.zone(), || Some((LocalTime::parse(whole)?, created()?)));
        seconds
    };
    Some(EventTime::from_micros(seconds * 1_000_000 + micros))
}

pub(super) fn micros(fraction: &[u8]) -> Option<i64> {
    let scale = [1_000_000, 100_000, 10_000, 1_000, 100, 10, 1].get(fraction.len())?;
    Some(digits(fraction)? * scale)
}

/// At most twelve digits: seconds up to the year 33658.
pub(super) fn digits(text: &[u8]) -> Option<i64> {
    if !(1..=12).contains(&text.len()) {
        return None;
    }
    text.iter()
        .try_fold(0i64, |value, &byte| byte.is_ascii_digit().then(|| value * 10 + i64::from(byte - b'0')))
}
