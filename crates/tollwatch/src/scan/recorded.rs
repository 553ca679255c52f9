//! Records kept for a while: their bytes side by side in one buffer.
use tollwatch_cdr::{CallEvent, CallEventKind, Cdr, Leg, Party, Record};

/// Records with bytes of their own.
#[derive(Debug, Default)]
pub(crate) struct Recorded {
    bytes: Vec<u8>,
    records: Vec<(usize, Record<'static>, [u32; 16])>,
}

impl Recorded {
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.records.clear();
    }

    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    /// Keeps a copy of a record.
    pub(crate) fn push(&mut self, record: &Record<'_>) {
        let start = self.bytes.len();
        let mut ends = [0_u32; 16];
        let mut next = 0;
        let shape = map(record, &mut |field| {
            self.bytes.extend_from_slice(field);
            if let Some(end) = ends.get_mut(next) {
                *end = (self.bytes.len() - start) as u32;
            }
            next += 1;
            &[]
        });
        self.records.push((start, shape, ends));
    }

    /// The record at an index, as it was.
    pub(crate) fn get(&self, index: usize) -> Option<Record<'_>> {
        let (start, shape, ends) = self.records.get(index)?;
        let mut next = 0;
        let mut from = *start;
        Some(map(shape, &mut |_| {
            let until = start + ends.get(next).map_or(0, |end| *end as usize);
            next += 1;
            let field = self.bytes.get(from..until).unwrap_or_default();
            from = until;
            field
        }))
    }
}

/// The same record with each of its byte fields replaced, always in the same order.
fn map<'a, 'b>(record: &Record<'a>, field: &mut impl FnMut(&'a [u8]) -> &'b [u8]) -> Record<'b> {
    match record {
        Record::Cdr(cdr) => Record::Cdr(Cdr {
            started_at: cdr.started_at,
            answered_at: cdr.answered_at,
            ended_at: cdr.ended_at,
            billable_seconds: cdr.billable_seconds,
            outcome: cdr.outcome,
            calling: field(cdr.calling),
            dialled: field(cdr.dialled),
            sent: field(cdr.sent),
            rang: field(cdr.rang),
            origin: leg(cdr.origin, field),
            target: leg(cdr.target, field),
            from_outside: cdr.from_outside,
            call_id: field(cdr.call_id),
            account: field(cdr.account),
            source_address: field(cdr.source_address),
            tenant: field(cdr.tenant),
            identity: cdr.identity,
            length_unknown: cdr.length_unknown,
        }),
        Record::CallEvent(event) => Record::CallEvent(CallEvent {
            at: event.at,
            target: leg(event.target, field),
            call_id: field(event.call_id),
            tenant: field(event.tenant),
            kind: match event.kind {
                CallEventKind::Started {
                    origin,
                    dialled,
                    sent,
                    rang,
                    from_outside,
                    account,
                    source_address,
                } => CallEventKind::Started {
                    origin: leg(origin, field),
                    dialled: field(dialled),
                    sent: field(sent),
                    rang: field(rang),
                    from_outside,
                    account: field(account),
                    source_address: field(source_address),
                },
                CallEventKind::Answered => CallEventKind::Answered,
                CallEventKind::Diverted { by } => CallEventKind::Diverted { by: field(by) },
                CallEventKind::CodeDialled { dialled, from_outside, account, source_address } => {
                    CallEventKind::CodeDialled {
                        dialled: field(dialled),
                        from_outside,
                        account: field(account),
                        source_address: field(source_address),
                    }
                }
                CallEventKind::Ended { outcome } => CallEventKind::Ended { outcome },
            },
        }),
    }
}

fn leg<'a, 'b>(leg: Leg<'a>, field: &mut impl FnMut(&'a [u8]) -> &'b [u8]) -> Leg<'b> {
    Leg {
        id: field(leg.id),
        party: match leg.party {
            Party::None => Party::None,
            Party::Internal => Party::Internal,
            Party::Peer(peer) => Party::Peer(field(peer)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tollwatch_cdr::{EventTime, Identity, Outcome};

    #[test]
    fn a_record_comes_back_as_it_was() {
        let cdr = Record::Cdr(Cdr {
            started_at: EventTime::from_seconds(1),
            answered_at: None,
            ended_at: EventTime::from_seconds(9),
            billable_seconds: 0,
            outcome: Outcome::Busy,
            calling: b"105",
            dialled: b"0102246",
            sent: b"",
            rang: b"",
            origin: Leg { id: b"PJSIP/105-1", party: Party::Peer(b"105") },
            target: Leg { id: b"Local/7@x", party: Party::Internal },
            from_outside: false,
            call_id: b"1.0",
            account: b"sales",
            source_address: b"192.0.2.7",
            tenant: b"",
            identity: Identity::Given(7),
            length_unknown: true,
        });
        let event = Record::CallEvent(CallEvent {
            at: EventTime::from_seconds(3),
            target: Leg { id: b"PJSIP/trunk-2", party: Party::Peer(b"trunk") },
            call_id: b"1.1",
            tenant: b"north",
            kind: CallEventKind::Diverted { by: b"102" },
        });
        let code = Record::CallEvent(CallEvent {
            at: EventTime::from_seconds(4),
            target: Leg { id: b"PJSIP/105-1", party: Party::Peer(b"105") },
            call_id: b"1.2",
            tenant: b"",
            kind: CallEventKind::CodeDialled {
                dialled: b"*720102246",
                from_outside: true,
                account: b"sales",
                source_address: b"192.0.2.7",
            },
        });
        let mut kept = Recorded::default();
        kept.push(&cdr);
        kept.push(&event);
        kept.push(&code);
        assert_eq!(kept.get(0), Some(cdr));
        assert_eq!(kept.get(1), Some(event));
        assert_eq!(kept.get(2), Some(code));
        assert_eq!(kept.get(3), None);
    }
}
