//! Call records as Asterisk's `cdr_csv` writes them.
//!
//! Eighteen columns (`loguniqueid=yes`, `loguserfield=yes`): accountcode, src, dst, dcontext, clid, channel, dstchannel,
//! lastapp, lastdata, start, answer, end, duration, billsec, disposition, amaflags, uniqueid, userfield. Text is quoted,
//! quotes are doubled, numbers are bare, a time that never was is nothing between two commas, lines end in LF. Times are the
//! PBX's local time. Rows stand in the order in which the calls were over.

use std::io::{self, Write};

use chrono::{DateTime, TimeZone};
use chrono_tz::Tz;

use crate::call::{Outcome, Route, SECOND};
use crate::case::Case;
use crate::switch::{Placed, Role};

/// Bytes that Asterisk keeps of src, dst, clid and lastdata (its buffers hold 80 with the final zero).
const FIELD_LIMIT: usize = 79;

/// One row, its fields as they are before quoting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row<'a> {
    pub(crate) account: &'a str,
    pub(crate) source: &'a str,
    pub(crate) destination: &'a str,
    pub(crate) context: &'a str,
    pub(crate) caller_id: String,
    pub(crate) channel: &'a str,
    pub(crate) destination_channel: &'a str,
    pub(crate) application: &'static str,
    pub(crate) last_data: String,
    pub(crate) started_at: i64,
    pub(crate) answered_at: Option<i64>,
    pub(crate) ended_at: i64,
    pub(crate) disposition: &'static str,
    pub(crate) unique_id: &'a str,
}

impl Row<'_> {
    /// Seconds from start to end, cut as Asterisk cuts them.
    pub(crate) fn duration(&self) -> i64 {
        (self.ended_at - self.started_at).div_euclid(SECOND)
    }

    /// Seconds from answer to end, cut the same way.
    pub(crate) fn billable_seconds(&self) -> i64 {
        self.answered_at.map_or(0, |answered_at| (self.ended_at - answered_at).div_euclid(SECOND))
    }
}

/// Writes `Master.csv`.
pub fn write_cdr_csv(case: &Case, out: &mut impl Write) -> io::Result<()> {
    let placed = case.placed();
    let mut order: Vec<&Placed<'_>> = placed.iter().collect();
    order.sort_by_key(|one| one.ended_at);
    for one in order {
        for row in rows(case, one) {
            write_row(&row, case.office.zone, out)?;
        }
    }
    out.flush()
}

/// The rows of a call: two for a forwarded one, else one.
pub(crate) fn rows<'a>(case: &'a Case, placed: &'a Placed<'a>) -> Vec<Row<'a>> {
    let call = placed.call;
    let disposition = match call.outcome {
        Outcome::Answered { .. } => "ANSWERED",
        Outcome::NoAnswer | Outcome::Cancelled | Outcome::NotFound => "NO ANSWER",
        Outcome::Busy => "BUSY",
        Outcome::Congested => "FAILED",
    };
    let person = |index: usize| case.office.extension(index);
    let (name, source, account) = match &call.route {
        Route::Outgoing { caller, claimed: Some(claimed), .. } => {
            ("", &**claimed, person(*caller).map_or("", |person| &*person.account))
        }
        Route::Internal { caller, .. } | Route::Outgoing { caller, .. } | Route::Feature { caller, .. } => {
            person(*caller).map_or(("", "", ""), |person| (&*person.name, &*person.number, &*person.account))
        }
        Route::Incoming { caller, .. } | Route::Forwarded { caller, .. } => {
            (outside_name(caller), &**caller, "")
        }
    };
    let row = Row {
        account,
        source,
        destination: "",
        context: "from-internal",
        caller_id: format!("\"{name}\" <{source}>"),
        channel: placed.name(Role::Caller),
        destination_channel: placed.name(Role::Called),
        application: "Dial",
        last_data: dial_data(case, &call.route),
        started_at: call.started_at,
        answered_at: placed.answered_at,
        ended_at: placed.released_at,
        disposition,
        unique_id: placed.unique_id(Role::Caller),
    };
    match &call.route {
        Route::Internal { called, .. } => vec![Row { destination: case.office.number(*called), ..row }],
        Route::Outgoing { dialled, .. } => vec![Row { destination: dialled, ..row }],
        Route::Feature { dialled, .. } => {
            vec![Row { destination: dialled, application: "Hangup", ..row }]
        }
        Route::Incoming { .. } => {
            vec![Row { destination: &case.office.direct_number, context: "from-trunk", ..row }]
        }
        Route::Forwarded { by, dialled, .. } => {
            let second = Row {
                destination: dialled,
                channel: placed.name(Role::LocalSecond),
                started_at: placed
                    .channel(Role::LocalSecond)
                    .map_or(call.started_at, |local| local.created_at),
                unique_id: placed.unique_id(Role::LocalSecond),
                ..row.clone()
            };
            let first = Row {
                destination: case.office.number(*by),
                destination_channel: placed.name(Role::LocalFirst),
                last_data: local_data(dialled),
                ..row
            };
            // Which of the two comes first is a matter of a millisecond in the PBX.
            if placed.released_at % 2 == 0 { vec![first, second] } else { vec![second, first] }
        }
    }
}

/// The name that goes with an outside caller id.
pub(crate) fn outside_name(caller: &str) -> &'static str {
    if caller == "anonymous" { "Anonymous" } else { "" }
}

/// The argument of the `Dial` that reaches the far end; empty where there is none.
pub(crate) fn dial_data(case: &Case, route: &Route) -> String {
    match route {
        Route::Internal { called, .. } | Route::Incoming { called, .. } => {
            format!("PJSIP/{},30,tT", case.office.number(*called))
        }
        Route::Outgoing { sent, .. } | Route::Forwarded { sent, .. } => format!("PJSIP/{sent}@trunk,60,T"),
        Route::Feature { .. } => String::new(),
    }
}

/// The argument of the `Dial` that forwards.
pub(crate) fn local_data(dialled: &str) -> String {
    format!("Local/{dialled}@from-internal,30")
}

fn write_row(row: &Row<'_>, zone: Tz, out: &mut impl Write) -> io::Result<()> {
    for text in [row.account, row.source, row.destination, row.context, &row.caller_id, row.channel] {
        write_text(text, out)?;
        out.write_all(b",")?;
    }
    for text in [row.destination_channel, row.application, &row.last_data] {
        write_text(text, out)?;
        out.write_all(b",")?;
    }
    for instant in [Some(row.started_at), row.answered_at, Some(row.ended_at)] {
        if let Some(instant) = instant {
            write!(out, "\"{}\"", local_time(instant, zone))?;
        }
        out.write_all(b",")?;
    }
    write!(out, "{},{},\"{}\",\"DOCUMENTATION\",", row.duration(), row.billable_seconds(), row.disposition)?;
    writeln!(out, "\"{}\",\"\"", row.unique_id)
}

fn write_text(text: &str, out: &mut impl Write) -> io::Result<()> {
    let bytes = text.as_bytes();
    let kept = bytes.get(..FIELD_LIMIT).unwrap_or(bytes);
    out.write_all(b"\"")?;
    for (index, part) in kept.split(|byte| *byte == b'"').enumerate() {
        if index > 0 {
            out.write_all(b"\"\"")?;
        }
        out.write_all(part)?;
    }
    out.write_all(b"\"")
}

pub(crate) fn local_time(instant: i64, zone: Tz) -> String {
    let utc = DateTime::from_timestamp_micros(instant).unwrap_or_default().naive_utc();
    zone.from_utc_datetime(&utc).format("%Y-%m-%d %H:%M:%S").to_string()
}
