//! The tracker over captures of a real Asterisk, where they are at hand.
use super::*;
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Rows of a capture's file. None, with a word on the terminal, where the captures are not at hand.
fn capture(path: &str) -> Option<Vec<Vec<Vec<u8>>>> {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/asterisk"));
    let path = root.join(path);
    let Ok(bytes) = std::fs::read(&path) else {
        println!("skipped: {} is not at hand", path.display());
        return None;
    };
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(&*bytes);
    let rows = reader.byte_records().map(|row| row.unwrap().iter().map(<[u8]>::to_vec).collect());
    Some(rows.collect())
}

/// Legs whose start differs from their call record, by run and leg.
///
/// What the record of the first leg of a transferred call has as its number is rewritten to where the call
/// went; the event has what was dialled.
const REWRITTEN: [(&str, &str); 9] = [
    ("r1-default", "PJSIP/102-00000079"),
    ("r1-default", "PJSIP/102-0000007c"),
    ("r1-default", "PJSIP/102-00000082"),
    ("r1-default", "PJSIP/102-00000085"),
    ("r1-default", "PJSIP/102-00000096"),
    ("r1-default", "PJSIP/102-00000099"),
    ("r6-chan-sip", "SIP/102-00000038"),
    // After parking: a name where the event has the number of the car park.
    ("r1-default", "PJSIP/102-0000009d"),
    // Cut off in the record, whole in the event.
    ("r6-chan-sip", "SIP/trunk-0000008f"),
];
/// No row has the dial string of a channel that was sent on and stays in Dial.
const WITHOUT_DIAL_STRING: [(&str, &str); 5] = [
    ("r1-default", "PJSIP/trunk-0000007d"),
    ("r1-default", "PJSIP/trunk-00000083"),
    ("r1-default", "PJSIP/trunk-00000097"),
    ("r6-chan-sip", "SIP/trunk-00000030"),
    ("r6-chan-sip", "SIP/trunk-00000036"),
];
/// A second record of a leg that was handed to another party; the event has who dialled it.
const HANDED_OVER: [(&str, &str); 6] = [
    ("r1-default", "PJSIP/103-00000089"),
    ("r1-default", "PJSIP/trunk-0000008d"),
    ("r1-default", "PJSIP/trunk-00000091"),
    ("r1-default", "Local/103@from-internal-00000001"),
    ("r6-chan-sip", "SIP/103-0000003c"),
    ("r6-chan-sip", "SIP/trunk-00000040"),
];
/// Channels that nobody dialled and a record pairs all the same: call pick-up, fetched from the car park,
/// members of a conference.
const NOBODY_DIALLED: [(&str, &str); 4] = [
    ("r1-default", "PJSIP/103-000000a0"),
    ("r1-default", "PJSIP/103-000000a3"),
    ("r1-default", "PJSIP/102-00000100"),
    ("r1-default", "PJSIP/104-00000101"),
];
/// Channel names begin anew when the PBX is started again.
const NAMED_AGAIN: [(&str, &str); 1] = [("r9-stop-kill-rotate", "PJSIP/trunk-00000001")];

#[test]
fn every_leg_of_a_capture_starts_once_with_the_origin_and_the_numbers_of_its_call_record() {
    let runs = [
        ("r1-default", 227),
        ("r3-unanswered-cancel-newcols", 142),
        ("r6-chan-sip", 87),
        ("r7-attack-3am", 75),
        ("r9-stop-kill-rotate", 30),
        ("r13-vm-unregistered", 3),
    ];
    let excepted: [&[(&str, &str)]; 5] =
        [&REWRITTEN, &WITHOUT_DIAL_STRING, &HANDED_OVER, &NOBODY_DIALLED, &NAMED_AGAIN];
    for (run, records) in runs {
        let Some(events) = capture(&format!("{run}/cel-custom/Master.csv")) else { return };
        let Some(calls) = capture(&format!("{run}/cdr-csv/Master.csv")) else { return };
        let heard = feed(&events, usize::MAX);
        assert_eq!(heard.lines, feed(&events, 97).lines, "{run}");
        let legs = calls.iter().filter(|call| !call[6].is_empty());
        assert_eq!(legs.clone().count(), records, "{run}");
        let (mut odd, mut expected_odd) = (BTreeSet::new(), BTreeSet::new());
        expected_odd
            .extend(excepted.iter().copied().flatten().filter(|(at, _)| *at == run).map(|(_, id)| *id));
        for call in legs {
            let leg = channel::leg(&call[6]);
            let (id, by_string) = (text(leg.id), channel::is_dial(&call[7]));
            let only_if = |condition: bool, bytes: &[u8]| if condition { text(bytes) } else { String::new() };
            let followed = leg.party == Party::Internal && channel::is_follow_me(&call[7]);
            let redirects = by_string && leg.party == Party::Internal;
            let record = Started {
                origin: text(channel::leg(&call[5]).id),
                dialled: text(&call[2]),
                sent: only_if(by_string, channel::sent(&call[8], channel::leg(&call[6]))),
                rang: if followed {
                    text(channel::followed(&call[8]))
                } else {
                    only_if(redirects, channel::rang(&call[8], channel::leg(&call[6])))
                },
                from_outside: channel::from_outside(&call[3]),
            };
            let starts = heard.started.get(&id).map_or(&[][..], Vec::as_slice);
            if starts != [record.clone()] {
                assert!(expected_odd.contains(&*id), "{run} {id}: {record:?}, but {starts:?}");
                odd.insert(id.clone());
            }
            if leg.party == Party::Peer(b"trunk") {
                let times = if excepted[4].contains(&(run, &id)) { 3 } else { 1 };
                assert_eq!(starts.len(), times, "{run} {id}");
                let answered = &*call[14] == b"ANSWERED";
                assert_eq!(heard.answered.get(&id).copied(), answered.then_some(times), "{run} {id}");
                assert_eq!(heard.ended[&id].len(), times, "{run} {id}");
                assert_eq!(heard.ended[&id][0] == Outcome::Answered, answered, "{run} {id}");
            }
            if excepted[1].contains(&(run, &id)) {
                assert_eq!(starts, [Started { sent: String::new(), ..record }], "{run} {id}");
            }
        }
        assert!(odd.iter().map(String::as_str).eq(expected_odd), "{run}: {odd:?}");
        for (id, starts) in &heard.started {
            assert_eq!(heard.ended.get(id).map(Vec::len), Some(starts.len()), "{run} {id}");
        }
    }
}

#[test]
fn a_call_that_leaves_no_record_is_heard_all_the_same() {
    let Some(events) = capture("r1-default/cel-custom/Master.csv") else { return };
    let heard = feed(&events, usize::MAX);
    // NoCDR(): answered abroad, and not a row in any file.
    assert_eq!(heard.started["PJSIP/trunk-00000109"][0].sent, "0112246990001");
    assert_eq!(heard.ended["PJSIP/trunk-00000109"], [Outcome::Answered]);
    // 105 sends an outside party on abroad and is in no record of that call.
    assert!(heard.diverted.contains(&("PJSIP/trunk-0000007f".into(), "105".into())));
    // Each redirect is told with the phone that redirects; but one is the carrier's own, and one leg with a
    // phone is a transfer by feature code.
    let redirects = events.iter().filter(|row| row[0] == b"FORWARD").count();
    assert!(redirects > 10);
    let rang = |started: &&Started| matches!(&*started.rang, "100" | "102");
    assert_eq!(heard.started.values().flatten().filter(rang).count(), redirects - 1 + 1);
}
