//! What the first bytes of a stream say about how to read the rest.
use super::{Decoder, RECORD_MAX};
use crate::csv::Marks;
use crate::descriptor::{ABSENT, Header, Plan, Quotes, Shape};
use crate::header;
use crate::{DateOrder, Place, Record, Rejected, Sink};

impl Decoder {
    /// Finds out what must be known before the first record is read. False if more bytes are needed to know; the
    /// first [`RECORD_MAX`] always suffice, and no more are looked at, so that the cut of blocks changes nothing.
    pub(super) fn settle(&mut self, plan: &'static Plan, block: &[u8], end_of_input: bool) -> bool {
        if self.header.delimiter.is_some() && self.order_settled {
            return true;
        }
        let first = block.get(..RECORD_MAX).unwrap_or(block);
        let whole = end_of_input || first.len() == RECORD_MAX;
        if self.header.delimiter.is_none() {
            self.header.delimiter = header::delimiter(plan, first, whole);
        }
        if !self.order_settled && !plan.forms.has_two_orders() {
            self.order_settled = true;
        }
        if self.header.delimiter.is_some() && !self.order_settled && whole {
            self.reader.order = self.order_of(plan, first);
            self.order_settled = true;
        }
        self.header.delimiter.is_some() && self.order_settled
    }

    /// The order of day and month in all rows of `first` that tell; none if they tell nothing, or both.
    fn order_of(&self, plan: &'static Plan, first: &[u8]) -> Option<DateOrder> {
        let (mut rows, mut header) = (self.rows.clone(), self.header.clone());
        let (mut day_first, mut month_first) = (false, false);
        rows.scan(first, true, self.marks(plan), &mut Nowhere, |row, place, sink| {
            if plan.header != Header::None && header.take(row, plan).is_ok() {
                sink.passed_over(place);
                return Ok(());
            }
            let by_header = header.columns().map(|(columns, _)| columns);
            let columns = by_header.or_else(|| plan.layouts.first().map(|layout| &layout.columns));
            for (column, forms) in columns.into_iter().flat_map(|columns| {
                [
                    (columns.started, &plan.forms.started),
                    (columns.answered, &plan.forms.answered),
                    (columns.ended, &plan.forms.ended),
                ]
            }) {
                if column != ABSENT && forms.has_two_orders() {
                    match forms.order_of(row.field(column).trim_ascii()) {
                        Some(DateOrder::DayFirst) => day_first = true,
                        Some(DateOrder::MonthFirst) => month_first = true,
                        None => {}
                    }
                }
            }
            sink.passed_over(place);
            Ok(())
        });
        match (day_first, month_first) {
            (true, false) => Some(DateOrder::DayFirst),
            (false, true) => Some(DateOrder::MonthFirst),
            _ => None,
        }
    }

    /// What cuts this stream into fields and lines.
    pub(super) fn marks(&self, plan: &Plan) -> Marks {
        let json = plan.shape == Shape::Json;
        Marks {
            // JSON is not cut into fields by a byte; this one it cannot hold.
            delimiter: if json { 0 } else { self.header.delimiter.unwrap_or(b',') },
            quotes: json || plan.quotes != Quotes::None,
            backslash: json || matches!(plan.quotes, Quotes::Php | Quotes::Backslash),
            ..Marks::default()
        }
    }
}

/// Takes nothing.
struct Nowhere;

impl Sink for Nowhere {
    fn record(&mut self, _: Place, _: &Record<'_>) {}
    fn passed_over(&mut self, _: Place) {}
    fn rejected(&mut self, _: &Rejected<'_>) {}
}
