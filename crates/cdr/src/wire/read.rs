//! From the canonical form to records.
use super::{CallEventTypeV1, CallEventV1, CdrTypeV1, CdrV1, EventKindV1, LegV1, OutcomeV1, TimeV1};
use crate::call::hasher;
use crate::csv::Fault;
use crate::{
    CallEvent, CallEventKind, Cdr, EventTime, Identity, Leg, Outcome, Party, Place, Record, RejectReason,
    Sink,
};
use serde::Deserialize;
use std::hash::Hasher as _;

/// A duration beyond this is a slip of units.
const LONGEST_CALL_SECONDS: i64 = 7 * 86_400;

/// The outside as a party, where a record names no trunk.
const OUTSIDE: &str = "outside";

#[derive(Deserialize)]
struct Tag {
    #[serde(rename = "type")]
    kind: Kind,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Kind {
    Cdr(CdrTypeV1),
    CallEvent(CallEventTypeV1),
}

/// Reads one line. Bytes that are not UTF-8 are replaced: they are nobody's digits.
pub(crate) fn read<S: Sink>(line: &[u8], place: Place, sink: &mut S) -> Result<(), Fault> {
    let text = String::from_utf8_lossy(line);
    let Tag { kind } = parse(&text)?;
    match kind {
        Kind::Cdr(_) => {
            let cdr: CdrV1 = parse(&text)?;
            let mut hash = hasher();
            hash.write(line);
            let names = Names::new(hash.finish());
            let record = cdr_record(&cdr, hash.finish(), &names)?;
            sink.record(place, &Record::Cdr(record));
        }
        Kind::CallEvent(_) => {
            let event: CallEventV1 = parse(&text)?;
            let mut hash = hasher();
            hash.write(line);
            let names = Names::new(hash.finish());
            let record = event_record(&event, &names)?;
            sink.record(place, &Record::CallEvent(record));
        }
    }
    Ok(())
}

fn parse<'t, T: Deserialize<'t>>(text: &'t str) -> Result<T, Fault> {
    serde_json::from_str(text).map_err(|_| RejectReason::Shape.into())
}

fn fault(name: &'static str, reason: RejectReason) -> Fault {
    // Keys have no order: the name alone says which field it is.
    Fault { field: Some((0, name)), reason }
}

/// Names of legs that have none.
struct Names {
    origin: String,
    target: String,
}

impl Names {
    fn new(identity: u64) -> Self {
        Self { origin: format!("o{identity:016x}"), target: format!("{identity:016x}") }
    }
}

fn cdr_record<'a>(cdr: &'a CdrV1, whole: u64, names: &'a Names) -> Result<Cdr<'a>, Fault> {
    let at = |name, time: &TimeV1| time.read().ok_or_else(|| fault(name, RejectReason::Time));
    let started_at = at("started_at", &cdr.started_at)?;
    let ended_at = at("ended_at", &cdr.ended_at)?;
    let answered_at = cdr.answered_at.as_ref().map(|time| at("answered_at", time)).transpose()?;
    let length = ended_at.seconds_since(started_at);
    let in_call = |at: EventTime| (started_at..=ended_at).contains(&at);
    if !(0..=LONGEST_CALL_SECONDS).contains(&length) || answered_at.is_some_and(|at| !in_call(at)) {
        return Err(fault("ended_at", RejectReason::Contradiction));
    }
    let talk = answered_at.map_or(0, |answered| ended_at.seconds_since(answered) as u32);
    let billable_seconds = cdr.billable_seconds.unwrap_or(talk);
    if i64::from(billable_seconds) > LONGEST_CALL_SECONDS {
        return Err(fault("billable_seconds", RejectReason::Contradiction));
    }
    let outcome = match Outcome::from(cdr.outcome) {
        _ if answered_at.is_some() && billable_seconds > 0 => Outcome::Answered,
        outcome => outcome,
    };
    let answered_at = (outcome == Outcome::Answered).then(|| {
        answered_at.unwrap_or_else(|| ended_at.plus_seconds(-i64::from(billable_seconds)).max(started_at))
    });
    let extension = if cdr.extension.is_empty() { &cdr.calling } else { &cdr.extension };
    Ok(Cdr {
        started_at,
        answered_at,
        ended_at,
        billable_seconds,
        outcome,
        calling: cdr.calling.as_bytes(),
        dialled: cdr.dialled.as_bytes(),
        sent: cdr.sent.as_bytes(),
        rang: cdr.rang.as_bytes(),
        origin: leg(cdr.origin.as_ref(), &names.origin, extension),
        target: leg(cdr.target.as_ref(), &names.target, outside(&cdr.trunk, &cdr.dialled, cdr.from_outside)),
        from_outside: cdr.from_outside,
        call_id: cdr.call_id.as_bytes(),
        account: cdr.account.as_bytes(),
        source_address: cdr.source_address.as_bytes(),
        tenant: cdr.tenant.as_bytes(),
        identity: identity(&cdr.identity, whole),
        length_unknown: cdr.length_unknown,
    })
}

fn event_record<'a>(event: &'a CallEventV1, names: &'a Names) -> Result<CallEvent<'a>, Fault> {
    let at = event.at.read().ok_or_else(|| fault("at", RejectReason::Time))?;
    if event.target.id.is_empty() {
        // Nothing else joins the events of a leg.
        return Err(fault("target.id", RejectReason::Shape));
    }
    let mut target = leg(Some(&event.target), "", "");
    let kind = match event.event {
        EventKindV1::Started => {
            if target.party == Party::None {
                let trunk = outside(&event.trunk, &event.dialled, event.from_outside);
                target.party = party(trunk);
            }
            CallEventKind::Started {
                origin: leg(event.origin.as_ref(), &names.origin, &event.extension),
                dialled: event.dialled.as_bytes(),
                sent: event.sent.as_bytes(),
                rang: event.rang.as_bytes(),
                from_outside: event.from_outside,
                account: event.account.as_bytes(),
                source_address: event.source_address.as_bytes(),
            }
        }
        EventKindV1::Answered => CallEventKind::Answered,
        EventKindV1::Diverted => CallEventKind::Diverted { by: event.by.as_bytes() },
        EventKindV1::CodeDialled => {
            if target.party == Party::None {
                target.party = party(&event.extension);
            }
            CallEventKind::CodeDialled {
                dialled: event.dialled.as_bytes(),
                from_outside: event.from_outside,
                account: event.account.as_bytes(),
                source_address: event.source_address.as_bytes(),
            }
        }
        EventKindV1::Ended => {
            CallEventKind::Ended { outcome: event.outcome.map_or(Outcome::NoAnswer, Outcome::from) }
        }
    };
    let (call_id, tenant) = (event.call_id.as_bytes(), event.tenant.as_bytes());
    Ok(CallEvent { at, target, call_id, tenant, kind })
}

/// Who a leg goes to that names no channel.
fn outside<'a>(trunk: &'a str, dialled: &'a str, from_outside: bool) -> &'a str {
    match (trunk, from_outside) {
        (_, true) => dialled,
        ("", false) => OUTSIDE,
        (trunk, false) => trunk,
    }
}

fn party(peer: &str) -> Party<'_> {
    if peer.is_empty() { Party::None } else { Party::Peer(peer.as_bytes()) }
}

/// The leg as written, or one of that name and peer.
fn leg<'a>(written: Option<&'a LegV1>, id: &'a str, peer: &'a str) -> Leg<'a> {
    match written {
        Some(leg) => {
            let party = if leg.internal { Party::Internal } else { party(&leg.peer) };
            // Nobody's channel needs no name.
            let named = !leg.id.is_empty() || party == Party::None;
            Leg { id: if named { &leg.id } else { id }.as_bytes(), party }
        }
        None => Leg { id: id.as_bytes(), party: party(peer) },
    }
}

/// Sixteen hexadecimal digits are the hash itself, as this program writes it.
fn identity(text: &str, whole: u64) -> Identity {
    if text.is_empty() {
        return Identity::OfRecord(whole);
    }
    if text.len() == 16
        && let Ok(identity) = u64::from_str_radix(text, 16)
    {
        return Identity::Given(identity);
    }
    let mut hash = hasher();
    hash.write(text.as_bytes());
    Identity::Given(hash.finish())
}

impl TimeV1 {
    /// The instant; none if it is no time, or beyond the year 5000.
    fn read(&self) -> Option<EventTime> {
        const LAST: f64 = 95_617_584_000.0;
        match self {
            Self::Rfc3339(text) => {
                let at = chrono::DateTime::parse_from_rfc3339(text).ok()?;
                Some(EventTime::from_micros(at.timestamp_micros()))
            }
            Self::Seconds(seconds) => {
                (0.0..LAST).contains(seconds).then(|| EventTime::from_micros((seconds * 1e6).round() as i64))
            }
        }
    }
}

impl From<OutcomeV1> for Outcome {
    fn from(outcome: OutcomeV1) -> Self {
        match outcome {
            OutcomeV1::Answered => Self::Answered,
            OutcomeV1::NoAnswer => Self::NoAnswer,
            OutcomeV1::Busy => Self::Busy,
            OutcomeV1::Failed => Self::Failed,
        }
    }
}
