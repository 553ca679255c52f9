//! `asterisk_cdr_csv`: what `cdr_csv` writes to `Master.csv`.
//!
//! No header, and the width says which options are on: `loguniqueid` and `loguserfield` add one column each,
//! `newcdrcolumns` adds three. An upgrade or a change of options changes it in the middle of a file.
use super::call::{Columns, Reader, creation_epoch};
use crate::csv::{Fault, Row};
use crate::{Place, RejectReason, Sink};

/// accountcode, src, dst, dcontext, clid, channel, dstchannel, lastapp, lastdata, start, answer, end, duration,
/// billsec, disposition, amaflags; then what the options add.
const FIXED: Columns = Columns {
    src: 1,
    dst: 2,
    dcontext: 3,
    channel: 5,
    dstchannel: 6,
    lastapp: 7,
    lastdata: 8,
    start: 9,
    answer: 10,
    end: 11,
    duration: 12,
    billsec: 13,
    disposition: 14,
    uniqueid: None,
    linkedid: None,
    sequence: None,
};

/// Reads one row.
#[inline]
pub(crate) fn read<S: Sink>(
    row: &Row<'_>,
    reader: &mut Reader,
    place: Place,
    sink: &mut S,
) -> Result<(), Fault> {
    let columns = match row.width() {
        16 => FIXED,
        17 => Columns { uniqueid: uniqueid(row), ..FIXED },
        18 => Columns { uniqueid: Some(16), ..FIXED },
        19 => Columns { linkedid: Some(17), sequence: Some(18), ..FIXED },
        20 => Columns { uniqueid: uniqueid(row), linkedid: Some(18), sequence: Some(19), ..FIXED },
        21 => Columns { uniqueid: Some(16), linkedid: Some(19), sequence: Some(20), ..FIXED },
        found => return Err(RejectReason::Width { found, expected: "16 to 21" }.into()),
    };
    reader.call(row, &columns, place, sink)
}

/// A single column behind the fixed ones is the unique id if it has its shape, else the user field.
fn uniqueid(row: &Row<'_>) -> Option<usize> {
    let column = row.field(16);
    (creation_epoch(column).is_some() || column.eq_ignore_ascii_case(b"uniqueid")).then_some(16)
}
