//! A row turned into a call, by the plan of its format.
mod parties;
mod times;

use crate::asterisk::channel;
use crate::civil::DateOrder;
use crate::csv::{Fault, Row, Scratch};
use crate::descriptor::{ABSENT, Columns, Plan};
use crate::number::is_exponent;
use crate::offset::OffsetTally;
use crate::zone::{LocalClock, Reading};
use crate::{Cdr, Counters, EventTime, Identity, Outcome, Party, Place, Record, RejectReason, Sink, Zone};
use serde::{Deserialize, Serialize};
use std::hash::{BuildHasher, Hasher};
use times::Times;

pub(crate) use crate::civil::is_unset;
pub(crate) use times::{CLOCK_SET_SINCE, creation_epoch};

/// Reads calls: the zone they are written in, and what was odd about them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Reader {
    pub(crate) clock: LocalClock,
    /// Of day and month, where that had to be found out.
    pub(crate) order: Option<DateOrder>,
    /// Seconds after which timers end sessions of which no end was heard.
    pub(crate) session_limits: Vec<i64>,
    pub(crate) counters: Counters,
    pub(crate) offsets: OffsetTally,
    #[serde(skip)]
    pub(crate) scratch: Scratch,
    /// For rows that had to be written anew before their quotes are undone.
    #[serde(skip)]
    pub(crate) spare: Scratch,
    #[serde(skip)]
    numbers: Vec<u8>,
}

impl Reader {
    pub(crate) fn new(zone: Zone) -> Self {
        Self {
            clock: LocalClock::new(zone),
            order: None,
            session_limits: Vec::new(),
            counters: Counters::default(),
            offsets: OffsetTally::default(),
            scratch: Scratch::default(),
            spare: Scratch::default(),
            numbers: Vec::new(),
        }
    }

    /// Reads the call in `row`, which stands in the source as `raw`, and hands it to `sink`.
    #[inline]
    pub(crate) fn call<S: Sink>(
        &mut self,
        row: &Row<'_>,
        raw: &[u8],
        columns: &Columns,
        plan: &'static Plan,
        place: Place,
        sink: &mut S,
    ) -> Result<(), Fault> {
        let times = self.times(row, columns, plan)?;
        if plan.forms.started.is_civil(row.field(columns.started)) {
            let (zone, order) = (self.clock.zone(), self.order);
            self.offsets.row(zone, || {
                let civil = plan.forms.started.civil(row.field(columns.started), order)?;
                Some((civil, creation_epoch(row.field(columns.created_in))?))
            });
        }
        let identity = identity(row, raw, columns);
        if row.have_quotes_inside(&columns.texts) {
            return self.hand_out_unescaped(row, columns, plan, &times, identity, place, sink);
        }
        self.hand_out(row, columns, plan, &times, identity, place, sink)
    }

    #[cold]
    #[allow(clippy::too_many_arguments, reason = "the parts of one call")]
    fn hand_out_unescaped<S: Sink>(
        &mut self,
        row: &Row<'_>,
        columns: &Columns,
        plan: &'static Plan,
        times: &Times,
        identity: Identity,
        place: Place,
        sink: &mut S,
    ) -> Result<(), Fault> {
        let mut scratch = std::mem::take(&mut self.scratch);
        let row = row.unescaped(&mut scratch);
        let done = self.hand_out(&row, columns, plan, times, identity, place, sink);
        self.scratch = scratch;
        done
    }

    #[inline(always)]
    #[allow(clippy::inline_always, reason = "measured: a call is too big to be handed on")]
    #[allow(clippy::too_many_arguments, reason = "the parts of one call")]
    fn hand_out<S: Sink>(
        &mut self,
        row: &Row<'_>,
        columns: &Columns,
        plan: &'static Plan,
        times: &Times,
        identity: Identity,
        place: Place,
        sink: &mut S,
    ) -> Result<(), Fault> {
        let plain = columns.channel == ABSENT || columns.target_channel == ABSENT || plan.dialect.is_none();
        let names = if plain { parties::Names::new(identity.value()) } else { parties::Names::NONE };
        // Made where it is handed out from: a call is big enough for a copy to be felt.
        let record = Record::Cdr(parties::cdr(row, columns, plan, times, identity, &names));
        let Record::Cdr(cdr) = &record else { return Ok(()) };
        if cdr.dialled.is_empty() && is_empty(cdr, columns) {
            // An additional record of some drivers: neither of the parties is known, and nothing was charged.
            self.counters.without_parties += 1;
            sink.passed_over(place);
            return Ok(());
        }
        if plan.spreadsheet {
            without_exponents(row, columns, plan)?;
        }
        if plan.numbers.nothing {
            sink.record(place, &record);
        } else {
            self.hand_out_cleaned(cdr, plan, place, sink);
        }
        Ok(())
    }

    /// Hands out the call with what marks its numbers taken off them.
    #[inline(never)]
    fn hand_out_cleaned<S: Sink>(&mut self, cdr: &Cdr<'_>, plan: &Plan, place: Place, sink: &mut S) {
        let peer = |party| if let Party::Peer(name) = party { name } else { &b""[..] };
        let parts =
            [cdr.calling, cdr.dialled, cdr.sent, cdr.rang, peer(cdr.origin.party), peer(cdr.target.party)];
        self.numbers.clear();
        let mut spans = [(0, 0); 6];
        for (number, (part, span)) in parts.into_iter().zip(&mut spans).enumerate() {
            let start = self.numbers.len();
            let marked = plan.numbers.clean(part, &mut self.numbers);
            self.counters.marked_numbers += u64::from(marked && number == 1);
            *span = (start, self.numbers.len());
        }
        let [calling, dialled, sent, rang, origin, target] =
            spans.map(|(start, end)| self.numbers.get(start..end).unwrap_or_default());
        let party = |party, name| if let Party::Peer(_) = party { Party::Peer(name) } else { party };
        let mut clean = Cdr { calling, dialled, sent, rang, ..*cdr };
        clean.origin.party = party(cdr.origin.party, origin);
        clean.target.party = party(cdr.target.party, target);
        sink.record(place, &Record::Cdr(clean));
    }
}

/// The digits of a telephone number that a spreadsheet made an exponent of are gone.
#[inline(never)]
fn without_exponents(row: &Row<'_>, columns: &Columns, plan: &'static Plan) -> Result<(), Fault> {
    let pairs = [(columns.dialled, plan.sources.dialled), (columns.calling, plan.sources.calling)];
    for (column, source) in pairs.into_iter().flat_map(|(columns, sources)| columns.into_iter().zip(sources))
    {
        if is_exponent(row.field(column)) {
            return Err(fault(plan, column, source, RejectReason::Exponent));
        }
    }
    Ok(())
}

#[cold]
fn is_empty(cdr: &Cdr<'_>, columns: &Columns) -> bool {
    let no_target = columns.target_channel == ABSENT || cdr.target.party == Party::None;
    cdr.calling.is_empty() && cdr.sent.is_empty() && no_target && cdr.outcome != Outcome::Answered
}

/// A fault of the field in `column`, whose name has the number `source`.
#[cold]
pub(crate) fn fault(plan: &'static Plan, column: usize, source: usize, reason: RejectReason) -> Fault {
    let name = plan.names.get(source).map_or("", |name| name.name.as_str());
    Fault { field: (column != ABSENT).then_some((column + 1, name)), reason }
}

/// The columns that make a row itself, where the format names them and they are there; elsewhere the row is all
/// there is. Asterisk's ids alone are not enough: uniqueid is shared by the rows of a forked record, and all
/// counters begin anew when the PBX does.
#[inline]
fn identity(row: &Row<'_>, raw: &[u8], columns: &Columns) -> Identity {
    let mut hasher = hasher();
    if row.field(columns.identity_where).is_empty() {
        hasher.write(raw);
        return Identity::OfRecord(hasher.finish());
    }
    for column in columns.identity {
        let part = row.field(column);
        hasher.write_u64(part.len() as u64);
        hasher.write(part);
    }
    let begin = if columns.started == ABSENT { columns.ended } else { columns.started };
    if columns.identity.contains(&begin) {
        Identity::OfRecord(hasher.finish())
    } else {
        Identity::Given(hasher.finish())
    }
}

/// The hash of what makes a record itself; the same in every build.
pub(crate) fn hasher() -> impl Hasher {
    const SEED: u64 = 0x746f_6c6c_7761_7463;
    foldhash::quality::FixedState::with_seed(SEED).build_hasher()
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
