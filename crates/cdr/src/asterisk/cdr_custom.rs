//! `asterisk_cdr_custom`: the sample mapping of `cdr_custom`, and any mapping that goes on behind it.
//!
//! All fields but the sequence are quoted, the durations too; they may have a fraction. The writer cuts a row
//! at 1,023 bytes, wherever that is.
use super::call::{Columns, Reader};
use crate::csv::{Fault, Row};
use crate::{Place, RejectReason, Sink};

/// clid, src, dst, dcontext, channel, dstchannel, lastapp, lastdata, start, answer, end, duration, billsec,
/// disposition, amaflags, accountcode, uniqueid, userfield, sequence.
const COLUMNS: Columns = Columns {
    account: 15,
    src: 1,
    dst: 2,
    dcontext: 3,
    channel: 4,
    dstchannel: 5,
    lastapp: 6,
    lastdata: 7,
    start: 8,
    answer: 9,
    end: 10,
    duration: 11,
    billsec: 12,
    disposition: 13,
    uniqueid: Some(16),
    linkedid: None,
    sequence: Some(18),
};
/// Some sites leave out the user field and the sequence, others add variables of their own.
const WIDTH_MIN: usize = 17;

/// Reads one row.
#[inline]
pub(crate) fn read<S: Sink>(
    row: &Row<'_>,
    reader: &mut Reader,
    place: Place,
    sink: &mut S,
) -> Result<(), Fault> {
    if row.width() < WIDTH_MIN {
        return Err(RejectReason::Width { found: row.width(), expected: "17 or more" }.into());
    }
    reader.call(row, &COLUMNS, place, sink)
}
