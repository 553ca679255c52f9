//! What becomes of one row.
use crate::asterisk::{self, CelTracker};
use crate::call::{Reader, creation_epoch};
use crate::csv::{Fault, Row, Scratch};
use crate::descriptor::{Columns, Header, Plan, Quotes, ReaderKind, Shape};
use crate::header::{self, HeaderState};
use crate::json::{self, Value};
use crate::{Place, RejectReason, Sink, wire};

/// Reads the rows of a stream.
pub(super) struct RowReader<'d> {
    pub(super) plan: &'static Plan,
    pub(super) delimiter: u8,
    pub(super) header: &'d mut HeaderState,
    pub(super) reader: &'d mut Reader,
    pub(super) channels: &'d mut CelTracker,
}

impl RowReader<'_> {
    /// Puts the row into the sink, or says what is wrong with it.
    #[inline]
    pub(super) fn read<S: Sink>(&mut self, row: &Row<'_>, place: Place, sink: &mut S) -> Result<(), Fault> {
        let plan = self.plan;
        if !plan.skip.is_empty() && plan.skip.iter().any(|prefix| row.bytes().starts_with(prefix.as_bytes()))
        {
            sink.passed_over(place);
            return Ok(());
        }
        let direct = plan.shape == Shape::Separated && plan.quotes == Quotes::Doubled && !plan.trim;
        let done = if direct { self.columns(row, row, place, sink) } else { self.indirect(row, place, sink) };
        done.or_else(|fault| self.odd(row, fault, place, sink))
    }

    /// A row whose values do not stand in it as they are meant.
    #[inline(never)]
    fn indirect<S: Sink>(&mut self, row: &Row<'_>, place: Place, sink: &mut S) -> Result<(), Fault> {
        let plan = self.plan;
        if plan.reader == ReaderKind::Tollwatch {
            return wire::read(row.bytes(), place, sink);
        }
        let mut scratch = std::mem::take(&mut self.reader.spare);
        let plain = match plan.shape {
            Shape::Json => json_row(row.bytes(), plan, &mut scratch),
            Shape::Packets => Err(RejectReason::Shape.into()),
            Shape::Separated => Ok(row.rewritten(&mut scratch, plan.quotes, plan.trim)),
        };
        let done = plain.and_then(|plain| self.columns(&plain, row, place, sink));
        self.reader.spare = scratch;
        done
    }

    /// Reads `row`, which stands in the source as `raw`, by its columns.
    #[inline]
    fn columns<S: Sink>(
        &mut self,
        row: &Row<'_>,
        raw: &Row<'_>,
        place: Place,
        sink: &mut S,
    ) -> Result<(), Fault> {
        let Self { plan, header, reader, channels, .. } = self;
        let columns = columns_of(row, plan, header)?;
        if !plan.pass_over.is_empty() && is_passed_over(row, columns, plan) {
            sink.passed_over(place);
            return Ok(());
        }
        match plan.reader {
            ReaderKind::AsteriskCel => {
                asterisk::cel_csv::read(row, columns, plan, reader, channels, place, sink)
            }
            _ => reader.call(row, raw.bytes(), columns, plan, place, sink),
        }
    }

    /// A row that cannot be read as it stands: a header, a line of types, or one that can be mended.
    #[cold]
    fn odd<S: Sink>(&mut self, row: &Row<'_>, fault: Fault, place: Place, sink: &mut S) -> Result<(), Fault> {
        let plan = self.plan;
        if plan.shape == Shape::Json {
            return Err(fault);
        }
        let mut scratch = Scratch::default();
        let plain = row.rewritten(&mut scratch, plan.quotes, true);
        let names = match plan.header {
            Header::None => plan.layouts.iter().any(|layout| header::names_itself(&plain, layout, plan)),
            Header::Optional | Header::Required => self.header.take(&plain, plan).is_ok(),
        };
        let types = plan.type_line && header::is_type_line(&plain);
        // Spreadsheets end a table with rows of nothing.
        let nothing = plan.spreadsheet && (0..plain.width()).all(|number| plain.field(number).is_empty());
        if names || types || nothing {
            sink.passed_over(place);
            return Ok(());
        }
        let mut mended = Scratch::default();
        if plan.quotes == Quotes::Unescaped
            && let Some(cut) = row.cut_between_quotes(self.delimiter, &mut mended)
            && self.columns(&cut, row, place, sink).is_ok()
        {
            return Ok(());
        }
        if let Some((number, excess)) = self.overflow(row) {
            let merged = row.merged(number, excess, plan.trim, &mut mended);
            if self.columns(&merged, row, place, sink).is_ok() {
                return Ok(());
            }
        }
        Err(fault)
    }

    /// The field in which delimiters stand that cut nothing, and how many.
    fn overflow(&self, row: &Row<'_>) -> Option<(usize, usize)> {
        let name = self.plan.overflow?;
        let (number, width) = if let Some((_, width)) = self.header.columns() {
            (self.header.position(name)?, width)
        } else {
            let layout = self.plan.layouts.iter().max_by_key(|layout| layout.widest)?;
            (*layout.positions.get(name)?, layout.widest)
        };
        let excess = row.width().checked_sub(width).filter(|&excess| excess > 0)?;
        Some((number, excess))
    }
}

/// Whether what stands in a column says that this row is passed over.
#[inline(never)]
fn is_passed_over(row: &Row<'_>, columns: &Columns, plan: &Plan) -> bool {
    let is = |(&column, holds): (&usize, &Vec<String>)| {
        let field = row.field(column);
        holds.iter().any(|text| text.as_bytes().eq_ignore_ascii_case(field))
    };
    columns.pass_over.iter().zip(&plan.pass_over).any(is)
}

/// Where the columns of this row stand.
#[inline]
fn columns_of<'c>(row: &Row<'_>, plan: &'static Plan, header: &'c HeaderState) -> Result<&'c Columns, Fault> {
    let found = row.width();
    if plan.header != Header::None
        && plan.shape == Shape::Separated
        && let Some((columns, width)) = header.columns()
    {
        return if found == width {
            Ok(columns)
        } else {
            Err(RejectReason::Width { found, expected: "as many as the header has" }.into())
        };
    }
    if plan.layouts.is_empty() {
        let missing = header::lacking(plan, &header::positions(plan, (0..found).map(|at| row.field(at))));
        return Err(RejectReason::Header { missing: missing.unwrap_or_default() }.into());
    }
    plan.layouts
        .iter()
        .find(|layout| {
            (layout.narrowest..=layout.widest).contains(&found)
                && layout.id.is_none_or(|column| creation_epoch(row.field(column)).is_some())
        })
        .map(|layout| &layout.columns)
        .ok_or_else(|| RejectReason::Width { found, expected: plan.expected.as_str() }.into())
}

/// The values of a JSON object as a row, in the order of the plan's names. What was cut off is missing; if that
/// is more than the descriptor's last words on the call, the id of the call is too, and the row is none.
fn json_row<'s>(text: &[u8], plan: &Plan, scratch: &'s mut Scratch) -> Result<Row<'s>, Fault> {
    let mut values = Vec::new();
    let mut spans = vec![(0, 0); plan.names.len()];
    let mut seen = 0;
    let whole = json::object(text, |key, value| {
        let Some(at) = plan.names.iter().position(|name| name.is(key)) else { return };
        let Some(span) = spans.get_mut(at).filter(|span| **span == (0, 0)) else { return };
        seen += 1;
        let start = values.len();
        match value {
            Value::Text(text) => json::unescape(text, &mut values),
            Value::Bare(text) => values.extend_from_slice(text),
            Value::None => {}
        }
        *span = (start, values.len());
    });
    let has = |name: usize| spans.get(name).is_some_and(|(start, end)| start < end);
    // Over more lines than one, what was cut off would be taken together with the record behind it.
    let cut = !whole && memchr::memchr2(b'\n', b'\r', text).is_some();
    if cut || seen == 0 || (!whole && !plan.sources.call_id.iter().any(|&name| has(name))) {
        return Err(RejectReason::Shape.into());
    }
    scratch.clear();
    for (start, end) in spans {
        scratch.push(values.get(start..end).unwrap_or_default());
    }
    Ok(scratch.row())
}
