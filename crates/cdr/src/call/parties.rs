//! Who called whom, over what.
use super::{Cdr, EventTime, Times, channel};
use crate::csv::Row;
use crate::descriptor::{ABSENT, Choice, Columns, Dialect, Plan};
use crate::{Identity, Leg, Party};

/// The outside as a party, where a record names no trunk: what was dialled says whether it was reached.
const OUTSIDE: &[u8] = b"outside";

/// Names for the legs of a record that names none: no two records have the same.
pub(super) struct Names([u8; 17]);

impl Names {
    /// For rows whose channels have names.
    pub(super) const NONE: Self = Self([0; 17]);

    pub(super) fn new(identity: u64) -> Self {
        let mut name = [b'o'; 17];
        for (at, digit) in name.iter_mut().skip(1).enumerate() {
            let nibble = (identity >> (60 - 4 * at)) as u8 & 15;
            *digit = if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 };
        }
        Self(name)
    }

    fn origin(&self) -> &[u8] {
        &self.0
    }

    fn target(&self) -> &[u8] {
        self.0.get(1..).unwrap_or_default()
    }
}

/// The first that is not empty.
#[inline(always)]
#[allow(clippy::inline_always, reason = "measured: most of it is known at each of its uses")]
fn first<'a>(row: &Row<'a>, columns: Choice) -> &'a [u8] {
    let [one, two, three] = columns;
    if one == ABSENT {
        return b"";
    }
    let field = row.field(one);
    if !field.is_empty() || two == ABSENT {
        return field;
    }
    let field = row.field(two);
    if field.is_empty() { row.field(three) } else { field }
}

/// Which way a call went, as far as the record says so.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Unsaid,
    Inbound,
    Internal,
}

#[inline(never)]
fn way_of(row: &Row<'_>, columns: &Columns, plan: &Plan) -> Way {
    let text = row.field(columns.direction);
    let is = |spellings: &[String]| spellings.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(text));
    if is(&plan.forms.inbound) {
        Way::Inbound
    } else if is(&plan.forms.internal) {
        Way::Internal
    } else {
        Way::Unsaid
    }
}

/// The call in a row.
#[inline]
pub(super) fn cdr<'a>(
    row: &Row<'a>,
    columns: &Columns,
    plan: &Plan,
    times: &Times,
    identity: Identity,
    names: &'a Names,
) -> Cdr<'a> {
    let way = if columns.direction == ABSENT { Way::Unsaid } else { way_of(row, columns, plan) };
    let (calling, mut dialled) = (first(row, columns.calling), first(row, columns.dialled));
    let asterisk = plan.dialect == Some(Dialect::Asterisk);
    let (origin, target, sent, rang);
    if asterisk && columns.channel != ABSENT {
        origin = channel::leg(row.field(columns.channel));
    } else {
        origin = plain_origin(row, columns, way, calling, names);
    }
    if asterisk && columns.target_channel != ABSENT {
        let data = row.field(columns.data);
        target = channel::leg(row.field(columns.target_channel));
        let application = row.field(columns.application);
        let by_string = channel::is_dial(application);
        sent = if by_string { channel::sent(data, target) } else { b"" };
        rang = match target.party {
            Party::Internal if by_string => channel::rang(data, target),
            Party::Internal if channel::is_follow_me(application) => channel::followed(data),
            _ => b"",
        };
        // Who is in a conference with whom has not dialled them.
        if !by_string && target.party != Party::None && channel::is_conference(application) {
            dialled = b"";
        }
    } else {
        target = plain_target(row, columns, way, dialled, names);
        sent = first(row, columns.sent);
        rang = first(row, columns.rang);
    }
    Cdr {
        started_at: EventTime::from_seconds(times.started),
        answered_at: times.answered.map(EventTime::from_seconds),
        ended_at: EventTime::from_seconds(times.ended),
        billable_seconds: times.billable as u32,
        outcome: times.outcome,
        calling,
        dialled,
        sent,
        rang,
        origin,
        target,
        from_outside: way == Way::Inbound || asterisk && channel::from_outside(row.field(columns.context)),
        call_id: first(row, columns.call_id),
        account: first(row, columns.account),
        source_address: first(row, columns.source_address),
        tenant: first(row, columns.tenant),
        identity,
        length_unknown: times.length_unknown,
    }
}

fn party(name: &[u8]) -> Party<'_> {
    if name.is_empty() { Party::None } else { Party::Peer(name) }
}

#[inline(never)]
fn plain_origin<'a>(
    row: &Row<'a>,
    columns: &Columns,
    way: Way,
    calling: &'a [u8],
    names: &'a Names,
) -> Leg<'a> {
    let diverter = first(row, columns.diverter);
    let named = if way == Way::Inbound {
        first(row, columns.trunk)
    } else if diverter.is_empty() || diverter == first(row, columns.dialled) {
        first(row, columns.extension)
    } else {
        diverter
    };
    Leg { id: names.origin(), party: party(if named.is_empty() { calling } else { named }) }
}

#[inline(never)]
fn plain_target<'a>(
    row: &Row<'a>,
    columns: &Columns,
    way: Way,
    dialled: &'a [u8],
    names: &'a Names,
) -> Leg<'a> {
    let id = first(row, columns.leg_id);
    let id = if id.is_empty() { names.target() } else { id };
    let trunk = first(row, columns.trunk);
    let party = match way {
        Way::Inbound | Way::Internal => party(dialled),
        Way::Unsaid if trunk.is_empty() => Party::Peer(OUTSIDE),
        Way::Unsaid => Party::Peer(trunk),
    };
    Leg { id, party }
}
