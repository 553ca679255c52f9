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
    account: 0,
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

const WITH_ID: Columns = Columns { uniqueid: Some(16), ..FIXED };
const NEW: Columns = Columns { linkedid: Some(17), sequence: Some(18), ..FIXED };
const NEW_WITH_USER_FIELD: Columns = Columns { linkedid: Some(18), sequence: Some(19), ..FIXED };
const NEW_WITH_ID: Columns = Columns { uniqueid: Some(16), ..NEW_WITH_USER_FIELD };
const ALL: Columns = Columns { uniqueid: Some(16), linkedid: Some(19), sequence: Some(20), ..FIXED };

/// Reads one row.
#[inline]
pub(crate) fn read<S: Sink>(
    row: &Row<'_>,
    reader: &mut Reader,
    place: Place,
    sink: &mut S,
) -> Result<(), Fault> {
    let columns = match row.width() {
        17 if has_id(row) => &WITH_ID,
        16 | 17 => &FIXED,
        18 => &WITH_ID,
        19 => &NEW,
        20 if has_id(row) => &NEW_WITH_ID,
        20 => &NEW_WITH_USER_FIELD,
        21 => &ALL,
        found => return Err(RejectReason::Width { found, expected: "16 to 21" }.into()),
    };
    reader.call(row, columns, place, sink)
}

/// A single column behind the fixed ones is the unique id if it has its shape, else the user field.
fn has_id(row: &Row<'_>) -> bool {
    creation_epoch(row.field(16)).is_some()
}
