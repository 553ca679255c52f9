//! The tracker over rows of its own.
mod captures;

use super::*;
use crate::{EventTime, Outcome, Rejected};
use std::collections::BTreeMap;

/// Where the sample mapping has the columns that matter.
const POSITIONS: [usize; 12] = [0, 1, 3, 7, 8, 9, 10, 11, 13, 14, 15, 19];

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Started {
    origin: String,
    dialled: String,
    sent: String,
    rang: String,
    from_outside: bool,
}

/// What came out, in order and by target.
#[derive(Debug, Default)]
struct Heard {
    lines: Vec<String>,
    calls: usize,
    started: BTreeMap<String, Vec<Started>>,
    answered: BTreeMap<String, usize>,
    ended: BTreeMap<String, Vec<Outcome>>,
    diverted: Vec<(String, String)>,
}

impl Sink for Heard {
    fn record(&mut self, _: Place, record: &Record<'_>) {
        let Record::CallEvent(event) = record else { panic!("a CDR") };
        self.calls += 1;
        let target = text(event.target.id);
        match event.kind {
            CallEventKind::Started { origin, dialled, sent, rang, from_outside, .. } => {
                let started = Started {
                    origin: text(origin.id),
                    dialled: text(dialled),
                    sent: text(sent),
                    rang: text(rang),
                    from_outside,
                };
                self.lines.push(format!(
                    "{target} started by {} for {} sent {} rang {}{}",
                    started.origin,
                    started.dialled,
                    started.sent,
                    started.rang,
                    if from_outside { " from outside" } else { "" }
                ));
                self.started.entry(target).or_default().push(started);
            }
            CallEventKind::Answered => {
                self.lines.push(format!("{target} answered"));
                *self.answered.entry(target).or_default() += 1;
            }
            CallEventKind::Ended { outcome } => {
                self.lines.push(format!("{target} ended {outcome:?}"));
                self.ended.entry(target).or_default().push(outcome);
            }
            CallEventKind::CodeDialled { dialled, from_outside, .. } => {
                let outside = if from_outside { " from outside" } else { "" };
                self.lines.push(format!("{target} dialled {}{outside}", text(dialled)));
            }
            CallEventKind::Diverted { by } => {
                self.lines.push(format!("{target} diverted by {}", text(by)));
                self.diverted.push((target, text(by)));
            }
        }
    }
    fn passed_over(&mut self, _: Place) {
        self.calls += 1;
    }
    fn rejected(&mut self, rejected: &Rejected<'_>) {
        panic!("{rejected:?}");
    }
}

/// Feeds rows of 20 columns; takes a snapshot and restores it before every `snapshot_every`th row.
fn feed(rows: &[Vec<Vec<u8>>], snapshot_every: usize) -> Heard {
    let (mut tracker, mut heard) = (CelTracker::default(), Heard::default());
    for (number, row) in rows.iter().enumerate() {
        if number % snapshot_every == snapshot_every - 1 {
            tracker = serde_json::from_str(&serde_json::to_string(&tracker).unwrap()).unwrap();
        }
        let before = heard.calls;
        let at = EventTime::from_seconds(number as i64);
        tracker.row(at, &CelRow::new(&POSITIONS, |column| &row[column]), Place::default(), &mut heard);
        assert!(heard.calls > before, "a row that is not accounted for");
    }
    assert_eq!(tracker.forgotten(), 0);
    heard
}

/// `event unique linked channel extension [application data | extra]`, one row a line.
fn heard(rows: &str) -> Vec<String> {
    let rows: Vec<Vec<Vec<u8>>> = rows
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(|line| {
            let mut words = line.split_whitespace();
            let mut row = vec![Vec::new(); 20];
            for column in [0, 14, 15, 9, 7] {
                row[column] = words.next().unwrap_or_default().replace('_', "").into_bytes();
            }
            row[0] = line.split_whitespace().next().unwrap().into();
            row[8] = if text(&row[9]).contains("trunk") { "from-trunk" } else { "from-internal" }.into();
            match words.next() {
                Some(extra) if extra.starts_with('{') => row[19] = extra.into(),
                Some(application) => {
                    row[10] = application.into();
                    row[11] = words.next().unwrap_or_default().into();
                }
                None => {}
            }
            row
        })
        .collect();
    let straight = feed(&rows, usize::MAX).lines;
    assert_eq!(straight, feed(&rows, 1).lines, "a snapshot between any two rows changes nothing");
    straight
}

#[test]
fn a_call_over_the_trunk_starts_is_answered_and_ends_once() {
    let lines = heard(
        "CHAN_START   1.1 1.1 PJSIP/105-01   900224655500
         APP_START    1.1 1.1 PJSIP/105-01   900224655500 Dial PJSIP/00224655500@trunk,12,T
         CHAN_START   1.2 1.1 PJSIP/trunk-02 s
         ANSWER       1.2 1.1 PJSIP/trunk-02 900224655500 AppDial
         ANSWER       1.1 1.1 PJSIP/105-01   900224655500 Dial PJSIP/00224655500@trunk,12,T
         APP_END      1.1 1.1 PJSIP/105-01   900224655500 Dial PJSIP/00224655500@trunk,12,T
         HANGUP       1.2 1.1 PJSIP/trunk-02 _ {\"hangupcause\":16}
         CHAN_END     1.2 1.1 PJSIP/trunk-02 _
         HANGUP       1.1 1.1 PJSIP/105-01   h {\"hangupcause\":16}
         LINKEDID_END 1.1 1.1 PJSIP/105-01   h",
    );
    assert_eq!(
        lines,
        [
            "PJSIP/trunk-02 started by PJSIP/105-01 for 900224655500 sent 00224655500 rang ",
            "PJSIP/trunk-02 answered",
            "PJSIP/trunk-02 ended Answered",
        ]
    );
}

#[test]
fn legs_without_an_answer_end_by_their_cause() {
    for (cause, ended) in
        [("17", "Busy"), ("16", "NoAnswer"), ("19", "NoAnswer"), ("34", "Failed"), ("1", "Failed")]
    {
        let lines = heard(&format!(
            "CHAN_START 1.1 1.1 PJSIP/105-01 102
             APP_START  1.1 1.1 PJSIP/105-01 102 Dial PJSIP/102,5
             CHAN_START 1.2 1.1 PJSIP/102-02 s
             HANGUP     1.2 1.1 PJSIP/102-02 102 {{\"hangupcause\":{cause}}}"
        ));
        assert_eq!(lines[1], format!("PJSIP/102-02 ended {ended}"));
    }
}

#[test]
fn nobody_starts_a_call_from_outside_nor_one_of_the_manager_interface() {
    let lines = heard(
        "CHAN_START 1.1 1.1 PJSIP/trunk-01 0355550100
         ANSWER     1.1 1.1 PJSIP/trunk-01 0355550100
         HANGUP     1.1 1.1 PJSIP/trunk-01 h {\"hangupcause\":16}
         CHAN_START 2.1 2.1 Local/0224@x-01;1 s
         CHAN_START 2.2 2.1 Local/0224@x-01;2 0224
         APP_START  2.2 2.1 Local/0224@x-01;2 0224 Dial PJSIP/0224@trunk
         CHAN_START 2.3 2.1 PJSIP/trunk-03 s",
    );
    assert_eq!(lines, ["PJSIP/trunk-03 started by Local/0224@x-01 for 0224 sent 0224 rang "]);
}

#[test]
fn a_phone_that_redirects_is_named_and_both_halves_of_the_internal_leg_carry_one_id() {
    let lines = heard(
        "CHAN_START 1.1 1.1 PJSIP/101-01 102
         APP_START  1.1 1.1 PJSIP/101-01 102 Dial PJSIP/102,5,tT
         CHAN_START 1.2 1.1 PJSIP/102-02 s
         CHAN_START 1.3 1.1 Local/0224@in-00;1 0224
         CHAN_START 1.4 1.1 Local/0224@in-00;2 0224
         FORWARD    1.1 1.1 PJSIP/101-01 102 {\"forward\":\"0224\"}
         APP_START  1.4 1.1 Local/0224@in-00;2 0224 Dial PJSIP/0224@trunk
         HANGUP     1.2 1.1 PJSIP/102-02 102 {\"hangupcause\":23}
         CHAN_START 1.5 1.1 PJSIP/trunk-03 s",
    );
    assert_eq!(
        lines,
        [
            "PJSIP/102-02 started by PJSIP/101-01 for 102 sent  rang ",
            "Local/0224@in-00 started by PJSIP/101-01 for 102 sent  rang 102",
            "PJSIP/102-02 ended NoAnswer",
            "PJSIP/trunk-03 started by Local/0224@in-00 for 0224 sent 0224 rang ",
        ]
    );
}

#[test]
fn members_of_a_group_that_are_all_outside_get_each_its_own_number() {
    let lines = heard(
        "CHAN_START 1.1 1.1 PJSIP/105-01 600
         APP_START  1.1 1.1 PJSIP/105-01 600 Dial Local/0901@in/n&Local/0902@in/n
         CHAN_START 1.2 1.1 Local/0901@in-00;1 0901
         CHAN_START 1.3 1.1 Local/0901@in-00;2 0901
         CHAN_START 1.4 1.1 Local/0902@in-01;1 0902
         CHAN_START 1.5 1.1 Local/0902@in-01;2 0902
         APP_START  1.3 1.1 Local/0901@in-00;2 0901 Dial PJSIP/0901@trunk
         APP_START  1.5 1.1 Local/0902@in-01;2 0902 Dial PJSIP/0902@trunk
         CHAN_START 1.6 1.1 PJSIP/trunk-02 s
         CHAN_START 1.7 1.1 PJSIP/trunk-03 s",
    );
    assert_eq!(
        lines,
        [
            "Local/0901@in-00 started by PJSIP/105-01 for 600 sent  rang ",
            "Local/0902@in-01 started by PJSIP/105-01 for 600 sent  rang ",
            "PJSIP/trunk-02 started by Local/0901@in-00 for 0901 sent 0901 rang ",
            "PJSIP/trunk-03 started by Local/0902@in-01 for 0902 sent 0902 rang ",
        ]
    );
}

#[test]
fn a_party_that_is_transferred_abroad_dials_for_the_one_who_transferred() {
    // The application stays Dial, so that no row tells of the second call.
    let lines = heard(
        "CHAN_START    1.1 1.1 PJSIP/101-01 102
         APP_START     1.1 1.1 PJSIP/101-01 102 Dial PJSIP/102,5,tT
         CHAN_START    1.2 1.1 PJSIP/102-02 s
         ANSWER        1.2 1.1 PJSIP/102-02 102 AppDial
         BLINDTRANSFER 1.2 1.1 PJSIP/102-02 _ {\"extension\":\"0224\",\"context\":\"from-internal\",\"transferee_channel_name\":\"PJSIP/101-01\",\"transferee_channel_uniqueid\":\"1.1\"}
         HANGUP        1.2 1.1 PJSIP/102-02 _ {\"hangupcause\":16}
         CHAN_START    1.3 1.1 PJSIP/trunk-03 s",
    );
    assert_eq!(
        lines[2..],
        [
            "PJSIP/101-01 diverted by 102",
            "PJSIP/102-02 ended Answered",
            "PJSIP/trunk-03 started by PJSIP/101-01 for 0224 sent  rang ",
        ]
    );
}

#[test]
fn both_parties_of_an_attended_transfer_are_left() {
    let lines = heard(
        "CHAN_START       1.1 1.1 PJSIP/105-01 0355550100
         ATTENDEDTRANSFER 1.1 1.1 PJSIP/105-01 0355550100 {\"transferee_channel_name\":\"PJSIP/trunk-02\",\"transfer_target_channel_name\":\"PJSIP/trunk-04\"}
         ATTENDEDTRANSFER 1.1 1.1 PJSIP/105-01 0355550100 {\"bridge1_id\":\"x\"}",
    );
    assert_eq!(lines, ["PJSIP/trunk-02 diverted by 105", "PJSIP/trunk-04 diverted by 105"]);
}

#[test]
fn a_channel_moved_by_the_manager_interface_starts_its_leg_when_the_number_is_known() {
    let lines = heard(
        "CHAN_START 1.1 1.1 PJSIP/101-01 102
         APP_START  1.1 1.1 PJSIP/101-01 102 Dial PJSIP/102,5,tT
         CHAN_START 1.2 1.1 PJSIP/102-02 s
         ANSWER     1.2 1.1 PJSIP/102-02 102 AppDial
         HANGUP     1.2 1.1 PJSIP/102-02 _ {\"hangupcause\":16}
         CHAN_START 1.3 1.1 PJSIP/trunk-03 s
         ANSWER     1.3 1.1 PJSIP/trunk-03 0224 AppDial",
    );
    assert_eq!(
        lines[3..],
        ["PJSIP/trunk-03 started by PJSIP/101-01 for 0224 sent  rang ", "PJSIP/trunk-03 answered"]
    );
}

#[test]
fn a_subroutine_of_the_dialplan_does_not_hide_the_number() {
    let lines = heard(
        "CHAN_START 1.1 1.1 PJSIP/105-01 90224
         APP_START  1.1 1.1 PJSIP/105-01 s Dial PJSIP/0224@trunk
         CHAN_START 1.2 1.1 PJSIP/trunk-02 s",
    );
    assert_eq!(lines, ["PJSIP/trunk-02 started by PJSIP/105-01 for 90224 sent 0224 rang "]);
}

#[test]
fn where_applications_are_not_logged_the_caller_is_still_found() {
    let lines = heard(
        "CHAN_START 1.1 1.1 PJSIP/105-01 90224
         CHAN_START 1.2 1.1 PJSIP/trunk-02 s
         CHAN_END   1.2 1.1 PJSIP/trunk-02 90224",
    );
    assert_eq!(
        lines,
        ["PJSIP/trunk-02 started by PJSIP/105-01 for 90224 sent  rang ", "PJSIP/trunk-02 ended NoAnswer"]
    );
}

#[test]
fn a_leg_that_joined_another_call_outlives_the_end_of_its_own() {
    let lines = heard(
        "CHAN_START   1.1 1.1 PJSIP/105-01 0224
         APP_START    1.1 1.1 PJSIP/105-01 0224 Dial PJSIP/0224@trunk
         CHAN_START   1.2 1.1 PJSIP/trunk-02 s
         ANSWER       1.2 1.1 PJSIP/trunk-02 0224 AppDial
         HANGUP       1.1 1.1 PJSIP/105-01 h {\"hangupcause\":16}
         LINKEDID_END 1.1 1.1 PJSIP/105-01 h
         BRIDGE_EXIT  1.2 0.9 PJSIP/trunk-02 0224 AppDial
         HANGUP       1.2 0.9 PJSIP/trunk-02 _ {\"hangupcause\":16}",
    );
    assert_eq!(lines[2..], ["PJSIP/trunk-02 ended Answered"]);
}

#[test]
fn calls_of_a_pbx_that_was_killed_end_when_it_is_started_again() {
    let lines = heard(
        "CHAN_START 10.0 10.0 PJSIP/105-00   0224
         APP_START  10.0 10.0 PJSIP/105-00   0224 Dial PJSIP/0224@trunk
         CHAN_START 10.1 10.0 PJSIP/trunk-01 s
         ANSWER     10.1 10.0 PJSIP/trunk-01 0224 AppDial
         CHAN_START 99.0 99.0 PJSIP/105-00   0225",
    );
    assert_eq!(lines[2..], ["PJSIP/trunk-01 ended Answered"]);
}

#[test]
fn an_endless_stream_of_new_channels_does_not_grow_memory() {
    let (mut tracker, mut heard) = (CelTracker::default(), Heard::default());
    let long = "7".repeat(60_000);
    let mut start = |id: &str, field: &str| {
        let row = CelRow::new(&POSITIONS, |column| match column {
            0 => b"CHAN_START",
            14 | 15 => id.as_bytes(),
            _ => field.as_bytes(),
        });
        tracker.row(EventTime::default(), &row, Place::default(), &mut heard);
        if id == "long" { serde_json::to_string(&tracker).unwrap().len() } else { 0 }
    };
    assert!(start("long", &long) < 256 * 6 * 4);
    for number in 0..40_000 {
        start(&format!("1.{number}"), "102");
    }
    assert_eq!(tracker.forgotten(), 40_001 - 32 * 1024);
}

#[test]
fn a_code_that_the_pbx_took_itself_is_told_when_its_channel_is_over_and_one_that_dialled_on_is_none() {
    let took = "CHAN_START 1.1 1.1 PJSIP/101-1 *720102246\nANSWER 1.1 1.1 PJSIP/101-1 *720102246 Answer\n\
        HANGUP 1.1 1.1 PJSIP/101-1 h\nCHAN_END 1.1 1.1 PJSIP/101-1 h\n";
    assert_eq!(heard(took), ["PJSIP/101-1 dialled *720102246"]);
    // The dialplan goes on elsewhere, and the code is what was dialled.
    let moved =
        took.replace("ANSWER 1.1 1.1 PJSIP/101-1 *720102246 Answer", "ANSWER 1.1 1.1 PJSIP/101-1 900 Answer");
    assert_eq!(heard(&moved), ["PJSIP/101-1 dialled *720102246"]);
    // Dialled behind another number: the code is where the channel went.
    let later =
        took.replace("CHAN_START 1.1 1.1 PJSIP/101-1 *720102246", "CHAN_START 1.1 1.1 PJSIP/101-1 700");
    assert_eq!(heard(&later), ["PJSIP/101-1 dialled *720102246"]);
    // A code in front of a number hides the caller and makes a call.
    let hides = "CHAN_START 1.1 1.1 PJSIP/101-1 *670102246\nAPP_START 1.1 1.1 PJSIP/101-1 *670102246 Dial PJSIP/0102246@trunk\n\
        APP_END 1.1 1.1 PJSIP/101-1 *670102246 Dial PJSIP/0102246@trunk\nHANGUP 1.1 1.1 PJSIP/101-1 h\n";
    assert_eq!(heard(hides), [""; 0]);
    // So it does where the PBX logs no applications.
    let unlogged = "CHAN_START 1.1 1.1 PJSIP/101-1 *670102246\nCHAN_START 1.2 1.1 PJSIP/trunk-2 s\nHANGUP 1.1 1.1 PJSIP/101-1 h\n";
    assert_eq!(heard(unlogged).len(), 1, "the leg alone");
    let own_half = took.replace("PJSIP/101-1", "Local/*720102246@x-1;2");
    assert_eq!(heard(&own_half), [""; 0], "no phone has dialled it");
    let outside = took.replace("PJSIP/101-1", "PJSIP/trunk-1");
    assert_eq!(heard(&outside), ["PJSIP/trunk-1 dialled *720102246 from outside"]);
    assert_eq!(heard(&took.replace("*720102246", "0102246")), [""; 0]);
}

proptest::proptest! {
    #[test]
    fn no_rows_in_any_order_break_the_life_of_a_leg(
        rows in proptest::collection::vec((0..10_usize, 0..6_u8, 0..6_u8, 0..5_usize, 0..6_usize), 0..200),
        snapshot_every in 1..50_usize,
    ) {
        const EVENTS: [&str; 10] = [
            "CHAN_START", "CHAN_START", "APP_START", "APP_START", "APP_END", "ANSWER", "HANGUP", "LINKEDID_END",
            "BLINDTRANSFER", "BRIDGE_EXIT",
        ];
        const DATA: [&str; 5] = ["PJSIP/1", "PJSIP/0224@2&Local/3@x", "DAHDI/g1/0224", "", "\u{ff}/"];
        const NAMES: [&str; 6] = ["PJSIP/1-1", "PJSIP/2-2", "Local/3@x-3;1", "Local/3@x-3;2", "DAHDI/i4/0224-1", ""];
        let rows: Vec<Vec<Vec<u8>>> = rows.iter().map(|&(event, unique, linked, data, name)| {
            let mut row = vec![Vec::new(); 20];
            row[0] = EVENTS[event].into();
            row[7] = if data == 0 { "s".into() } else { format!("0{data}").into_bytes() };
            row[9] = NAMES[name].into();
            row[10] = if event == 3 { "Queue".into() } else { "Dial".into() };
            row[11] = DATA[data].into();
            row[14] = format!("1.{unique}").into_bytes();
            row[15] = format!("1.{linked}").into_bytes();
            row[19] = format!("{{\"extension\":\"7\",\"transferee_channel_name\":\"{}\",\
                \"transferee_channel_uniqueid\":\"1.{linked}\",\"hangupcause\":{data}}}", NAMES[data]).into();
            row
        }).collect();
        let straight = feed(&rows, usize::MAX);
        proptest::prop_assert_eq!(&straight.lines, &feed(&rows, snapshot_every).lines);
        for (id, ended) in &straight.ended {
            let started = straight.started.get(id).map_or(0, Vec::len);
            let answered = straight.answered.get(id).copied().unwrap_or_default();
            proptest::prop_assert!(ended.len() <= started && answered <= started, "{}: {:?}", id, straight.lines);
        }
    }
}
