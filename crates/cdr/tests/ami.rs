//! The manager interface against the CEL file of the same calls, as a real Asterisk wrote both. Skipped where the
//! captures are not at hand.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "test code")]
mod common;
use common::capture;
use std::collections::BTreeMap;
use tollwatch_cdr::{CallEventKind, Decoder, EventTime, Format, Place, Record, Rejected, Sink, Zone};

const RUNS: [&str; 10] = [
    "r1-default",
    "r3-unanswered-cancel-newcols",
    "r6-chan-sip",
    "r7-attack-3am",
    "r8a-dst-fall-NY",
    "r8b-dst-spring-NY",
    "r9-stop-kill-rotate",
    "r11-csv-overflow",
    "r12-userfield",
    "r13-vm-unregistered",
];

/// What was told of each leg, in order; and what else there was.
#[derive(Debug, Default, PartialEq)]
struct Heard {
    legs: BTreeMap<String, Vec<(String, EventTime)>>,
    cdrs: usize,
    things: usize,
    records: usize,
    rejected: Vec<String>,
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl Sink for Heard {
    fn record(&mut self, _: Place, record: &Record<'_>) {
        self.records += 1;
        let Record::CallEvent(event) = record else {
            self.cdrs += 1;
            return;
        };
        let what = match event.kind {
            CallEventKind::Started { origin, dialled, sent, rang, from_outside, account, .. } => format!(
                "started by {} for {:?} sent {:?} rang {:?} outside {from_outside} account {:?} in {:?}",
                text(origin.id),
                text(dialled),
                text(sent),
                text(rang),
                text(account),
                text(event.call_id),
            ),
            CallEventKind::CodeDialled { dialled, from_outside, account, .. } => {
                format!("code {:?} outside {from_outside} account {:?}", text(dialled), text(account))
            }
            CallEventKind::Answered => "answered".to_owned(),
            CallEventKind::Diverted { by } => format!("diverted by {}", text(by)),
            CallEventKind::Ended { outcome } => format!("ended {outcome:?}"),
        };
        self.legs.entry(text(event.target.id)).or_default().push((what, event.at));
    }
    fn passed_over(&mut self, _: Place) {
        self.things += 1;
    }
    fn rejected(&mut self, rejected: &Rejected<'_>) {
        self.rejected.push(format!("{:?} {:?} {}", rejected.place, rejected.field, rejected.reason));
    }
}

fn heard(format: &str, input: &[u8]) -> Heard {
    let mut heard = Heard::default();
    let mut decoder = Decoder::new(Format::parse(format).unwrap(), Zone::parse("Asia/Tokyo").unwrap());
    assert_eq!(decoder.decode(input, true, &mut heard), input.len());
    assert_eq!(decoder.counters().forgotten_channels, 0);
    heard
}

/// The stream of a run with a time of receipt in front of each packet, and without those packets that
/// `keep` does not want.
fn stream(run: &str, keep: impl Fn(&[u8]) -> bool) -> Option<Vec<u8>> {
    let bytes = capture(&format!("{run}/ami_raw.txt"))?;
    let index = capture(&format!("{run}/ami_raw.idx.csv"))?;
    let mut reads = text(&index)
        .lines()
        .skip(1)
        .map(|line| {
            let mut fields = line.split(',').map(str::to_owned);
            let received = fields.next().unwrap();
            (fields.map(|field| field.parse::<usize>().unwrap()).sum::<usize>(), received)
        })
        .collect::<Vec<_>>()
        .into_iter()
        .peekable();
    let (mut out, mut at) = (Vec::new(), 0);
    while let Some(length) = memchr::memmem::find(&bytes[at..], b"\r\n\r\n") {
        let mut packet = &bytes[at..at + length + 4];
        at += length + 4;
        while reads.next_if(|(end, _)| *end < at).is_some() {}
        if packet.starts_with(b"Asterisk Call Manager/") {
            let banner = memchr::memchr(b'\n', packet).unwrap() + 1;
            out.extend_from_slice(&packet[..banner]);
            packet = &packet[banner..];
        }
        if keep(packet) {
            out.extend_from_slice(format!("Received: {}\r\n", reads.peek().unwrap().1).as_bytes());
            out.extend_from_slice(packet);
        }
    }
    out.extend_from_slice(&bytes[at..]);
    Some(out)
}

fn is_cel(packet: &[u8]) -> bool {
    packet.starts_with(b"Event: CEL\r")
}

#[test]
fn what_the_interface_tells_of_a_leg_is_what_cel_tells() {
    // Sent on by a transfer to a number whose first application is the one they are in: the interface does not say by
    // what dial string, CEL does. The number is that of the transfer.
    let without_dial_string = [("r1-default", "PJSIP/trunk-00000080"), ("r6-chan-sip", "SIP/trunk-00000033")];
    let mut odd = 0;
    for run in RUNS {
        let Some(file) = capture(&format!("{run}/cel-custom/Master.csv")) else { return };
        let expected = heard("asterisk_cel_csv", &file);
        for (kind, keep) in [
            ("both", (|_: &[u8]| true) as fn(&[u8]) -> bool),
            ("channel events", |packet| !is_cel(packet)),
            ("cel", is_cel),
        ] {
            let heard = heard("asterisk_ami", &stream(run, keep).unwrap());
            println!(
                "{run} {kind}: {} records, {} CDRs, {} passed over",
                heard.records, heard.cdrs, heard.things
            );
            assert_eq!(heard.rejected, [""; 0], "{run}");
            let ids: std::collections::BTreeSet<_> = expected.legs.keys().chain(heard.legs.keys()).collect();
            for id in ids {
                let none = Vec::new();
                let (one, other) =
                    (expected.legs.get(id).unwrap_or(&none), heard.legs.get(id).unwrap_or(&none));
                let what = |told: &[(String, EventTime)]| {
                    told.iter().map(|(what, _)| what.clone()).collect::<Vec<_>>()
                };
                let mut one = what(one);
                if kind != "cel" && without_dial_string.contains(&(run, id)) {
                    one[0] = one[0].replace("sent \"0112246555000013\"", "sent \"\"");
                }
                if one != what(other) {
                    odd += 1;
                    println!("{run} {kind} {id}\n   cel {:#?}\n   ami {:#?}", one, what(other));
                }
            }
        }
    }
    assert_eq!(odd, 0);
}
