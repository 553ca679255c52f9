//! From records to the canonical form.
use super::{CallEventTypeV1, CallEventV1, CdrTypeV1, CdrV1, EventKindV1, LegV1, OutcomeV1, TimeV1};
use crate::{CallEvent, CallEventKind, Cdr, EventTime, Leg, Outcome, Party};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl From<EventTime> for TimeV1 {
    fn from(at: EventTime) -> Self {
        Self::Rfc3339(at.to_string())
    }
}

impl From<Outcome> for OutcomeV1 {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Answered => Self::Answered,
            Outcome::NoAnswer => Self::NoAnswer,
            Outcome::Busy => Self::Busy,
            Outcome::Failed => Self::Failed,
        }
    }
}

impl From<Leg<'_>> for LegV1 {
    fn from(leg: Leg<'_>) -> Self {
        let peer = if let Party::Peer(peer) = leg.party { text(peer) } else { String::new() };
        Self { id: text(leg.id), peer, internal: leg.party == Party::Internal }
    }
}

impl From<&Cdr<'_>> for CdrV1 {
    /// Bytes that are not UTF-8 are replaced.
    fn from(cdr: &Cdr<'_>) -> Self {
        Self {
            kind: CdrTypeV1::Cdr,
            started_at: cdr.started_at.into(),
            answered_at: cdr.answered_at.map(TimeV1::from),
            ended_at: cdr.ended_at.into(),
            billable_seconds: Some(cdr.billable_seconds),
            outcome: cdr.outcome.into(),
            calling: text(cdr.calling),
            dialled: text(cdr.dialled),
            sent: text(cdr.sent),
            rang: text(cdr.rang),
            origin: Some(cdr.origin.into()),
            target: Some(cdr.target.into()),
            extension: String::new(),
            trunk: String::new(),
            from_outside: cdr.from_outside,
            call_id: text(cdr.call_id),
            account: text(cdr.account),
            source_address: text(cdr.source_address),
            tenant: text(cdr.tenant),
            length_unknown: cdr.length_unknown,
            identity: format!("{:016x}", cdr.identity.value()),
        }
    }
}

impl From<&CallEvent<'_>> for CallEventV1 {
    /// Bytes that are not UTF-8 are replaced.
    fn from(event: &CallEvent<'_>) -> Self {
        let mut written = Self {
            kind: CallEventTypeV1::CallEvent,
            event: EventKindV1::Answered,
            at: event.at.into(),
            target: event.target.into(),
            call_id: text(event.call_id),
            tenant: text(event.tenant),
            origin: None,
            extension: String::new(),
            trunk: String::new(),
            dialled: String::new(),
            sent: String::new(),
            rang: String::new(),
            from_outside: false,
            account: String::new(),
            source_address: String::new(),
            by: String::new(),
            outcome: None,
        };
        match event.kind {
            CallEventKind::Started { origin, dialled, sent, rang, from_outside, account, source_address } => {
                written.event = EventKindV1::Started;
                written.origin = Some(origin.into());
                written.dialled = text(dialled);
                written.sent = text(sent);
                written.rang = text(rang);
                written.from_outside = from_outside;
                written.account = text(account);
                written.source_address = text(source_address);
            }
            CallEventKind::Answered => {}
            CallEventKind::Diverted { by } => {
                written.event = EventKindV1::Diverted;
                written.by = text(by);
            }
            CallEventKind::CodeDialled { dialled, from_outside, account, source_address } => {
                written.event = EventKindV1::CodeDialled;
                written.dialled = text(dialled);
                written.from_outside = from_outside;
                written.account = text(account);
                written.source_address = text(source_address);
            }
            CallEventKind::Ended { outcome } => {
                written.event = EventKindV1::Ended;
                written.outcome = Some(outcome.into());
            }
        }
        written
    }
}
