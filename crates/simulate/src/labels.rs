//! The truth as CSV: one file of incidents, one of calls.

use std::io::{self, Write};

use chrono::{DateTime, SecondsFormat};

use crate::case::{Case, LabelledCall};

/// Writes the incidents: `incident,kind,is_fraud,extension,t_first_call,t_last_end,calls,answered,billable_seconds,billable_minutes`.
///
/// `extension` is one that took part; where there are several, the labels of the calls name each. Times are RFC 3339 UTC,
/// `billable_minutes` counts started minutes per call. An incident without a call is left out.
pub fn write_incident_labels(case: &Case, out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "incident,kind,is_fraud,extension,t_first_call,t_last_end,calls,answered,billable_seconds,billable_minutes"
    )?;
    let labelled = case.labelled_calls();
    for (index, incident) in case.incidents.iter().enumerate() {
        let calls: Vec<&LabelledCall> = labelled.iter().filter(|call| call.incident == index).collect();
        let Some(first) = calls.first() else { continue };
        writeln!(
            out,
            "{index},{},{},{},{},{},{},{},{},{}",
            incident.kind,
            incident.kind.is_fraud(),
            case.office.number(incident.extension),
            instant(first.started_at),
            instant(calls.iter().map(|call| call.ended_at).max().unwrap_or(first.ended_at)),
            calls.len(),
            calls.iter().filter(|call| call.is_answered).count(),
            calls.iter().map(|call| call.billable_seconds).sum::<i64>(),
            calls.iter().map(|call| (call.billable_seconds + 59) / 60).sum::<i64>(),
        )?;
    }
    out.flush()
}

/// Writes the calls of incidents: `call_id,incident,kind,is_fraud,extension,dialled,t_start,is_answered,billable_seconds`.
///
/// `call_id` is the `uniqueid` of the record; a call without a line is ordinary.
pub fn write_call_labels(case: &Case, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "call_id,incident,kind,is_fraud,extension,dialled,t_start,is_answered,billable_seconds")?;
    for call in case.labelled_calls() {
        let Some(incident) = case.incidents.get(call.incident) else { continue };
        writeln!(
            out,
            "{},{},{},{},{},{},{},{},{}",
            call.call_id,
            call.incident,
            incident.kind,
            incident.kind.is_fraud(),
            call.extension,
            call.dialled,
            instant(call.started_at),
            call.is_answered,
            call.billable_seconds,
        )?;
    }
    out.flush()
}

fn instant(micros: i64) -> String {
    DateTime::from_timestamp_micros(micros).unwrap_or_default().to_rfc3339_opts(SecondsFormat::Millis, true)
}
