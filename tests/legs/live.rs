//! The same by live events, where they know more or less than the rows.
use super::rows::{Event, heard};

const A: &str = "PJSIP/101-00000001";
const B: &str = "PJSIP/102-00000002";
const OUT: &str = "PJSIP/trunk-00000003";
const DIAL: &str = "AppDial (Outgoing Line)";

/// 101 has called 102, and both are connected.
fn connected() -> Vec<Event<'static>> {
    vec![
        (0, "CHAN_START", "101", "102", A, 1, "", ""),
        (10, "APP_START", "101", "102", A, 1, "Dial PJSIP/102,5,tT", ""),
        (20, "CHAN_START", "102", "s", B, 2, "", ""),
        (30, "ANSWER", "102", "102", B, 2, DIAL, ""),
        (40, "ANSWER", "101", "102", A, 1, "Dial PJSIP/102,5,tT", ""),
    ]
}

#[test]
fn each_of_two_numbers_on_one_trunk_is_known() {
    let second = "PJSIP/trunk-00000004";
    let data = "Dial PJSIP/0355550100@trunk&PJSIP/0102246555000021@trunk,12";
    let events = [
        (0, "CHAN_START", "101", "700", A, 1, "", ""),
        (10, "APP_START", "101", "700", A, 1, data, ""),
        (20, "CHAN_START", "", "s", OUT, 2, "", ""),
        (30, "CHAN_START", "", "s", second, 3, "", ""),
        (1000, "ANSWER", "700", "700", second, 3, DIAL, ""),
        (1010, "HANGUP", "700", "", OUT, 2, DIAL, r#"{"hangupcause":16}"#),
        (9000, "HANGUP", "700", "", second, 3, DIAL, r#"{"hangupcause":16}"#),
    ];
    assert_eq!(heard(&events), "101>2246555000021+81355550100 8s");
}

#[test]
fn a_call_moved_by_the_manager_interface_is_known_when_it_begins() {
    let mut events = connected();
    events.extend([
        (5000, "BRIDGE_EXIT", "101", "0102246555000021", A, 1, "Dial PJSIP/102,5,tT", ""),
        (5010, "HANGUP", "102", "", B, 2, DIAL, r#"{"hangupcause":16}"#),
        (5020, "CHAN_START", "", "s", OUT, 3, "", ""),
    ]);
    assert_eq!(heard(&events), "101>2246555000021 0s", "it rings, and nobody has answered");
    // The end of a call is no move.
    let mut events = connected();
    events.extend([
        (5000, "BRIDGE_EXIT", "101", "102", A, 1, "Dial PJSIP/102,5,tT", ""),
        (5010, "HANGUP", "101", "h", A, 1, "", r#"{"hangupcause":16}"#),
    ]);
    assert_eq!(heard(&events), "-");
}

#[test]
fn a_consultation_by_feature_code_is_charged_to_the_party_that_pressed_it() {
    let near = "Local/0102246555000021@from-internal-00000001;1";
    let far = "Local/0102246555000021@from-internal-00000001;2";
    for (presses, charged) in [("101", "101>2246555000021 0s"), ("102", "102>2246555000021 0s")] {
        let mut events = connected();
        events.extend([
            (5000, "CHAN_START", "", "0102246555000021", near, 3, "", ""),
            (5001, "CHAN_START", "", "0102246555000021", far, 4, "", ""),
            (
                5010,
                "APP_START",
                presses,
                "0102246555000021",
                far,
                4,
                "Dial PJSIP/0102246555000021@trunk,12",
                "",
            ),
            (5020, "CHAN_START", "", "s", OUT, 5, "", ""),
        ]);
        assert_eq!(heard(&events), charged);
    }
}

#[test]
fn a_redirecting_phone_pays_whatever_number_its_caller_shows() {
    let near = "Local/0102246555000021@from-internal-00000001;1";
    let far = "Local/0102246555000021@from-internal-00000001;2";
    let mut events = connected();
    events.truncate(3);
    events.extend([
        (100, "CHAN_START", "", "0102246555000021", near, 3, "", ""),
        (101, "CHAN_START", "", "0102246555000021", far, 4, "", ""),
        (110, "APP_START", "101", "0102246555000021", far, 4, "Dial PJSIP/0102246555000021@trunk,12", ""),
        (120, "CHAN_START", "", "s", OUT, 5, "", ""),
    ]);
    assert_eq!(heard(&events), "102>2246555000021 0s");
}

#[test]
fn a_leg_that_the_pbx_opened_for_a_call_file_does_not_disappear() {
    let opened = "AppDial2 (Outgoing Line)";
    let events = [
        (0, "CHAN_START", "", "s", OUT, 1, "", ""),
        (1000, "ANSWER", "0000", "s", OUT, 1, opened, ""),
        (9000, "HANGUP", "0000", "s", OUT, 1, opened, r#"{"hangupcause":16}"#),
    ];
    assert_eq!(heard(&events), "trunk?>unread 8s");
    // Never answered, it was an attempt.
    assert_eq!(heard(&[events[0], events[2]]), "trunk?>unread 0s");
    // A caller from outside who hears a menu was dialled by nobody.
    let menu = events.map(|(at, event, number, extension, channel, serial, ..)| {
        (at, event, number, extension, channel, serial, "BackGround menu", "")
    });
    assert_eq!(heard(&menu), "-");
    // A phone that is rung so that it may call is no call over a trunk.
    let phone = events.map(|(at, event, number, extension, _, serial, application, extra)| {
        (at, event, number, extension, A, serial, application, extra)
    });
    assert_eq!(heard(&phone), "-");
}

#[test]
fn a_forwarding_code_is_told_of_by_events_and_by_its_record_once() {
    let code = "*720102246555000018";
    let events = [
        (0, "CHAN_START", "101", code, A, 1, "", ""),
        (10, "ANSWER", "101", code, A, 1, "Answer ", ""),
        (4000, "HANGUP", "101", "h", A, 1, "", r#"{"hangupcause":16}"#),
        (4000, "CHAN_END", "101", "h", A, 1, "", ""),
    ];
    let record = super::rows::row(A, "", code, "Hangup ", (0, 4), Some(4));
    for (live, records) in [
        (&events[..], &[][..]),
        (&[], std::slice::from_ref(&record)),
        (&events[..], std::slice::from_ref(&record)),
    ] {
        let engine = super::rows::engine_of(live, records);
        assert_eq!(engine.counters().forwarding_codes, 1, "{} events", live.len());
        let incidents = crate::harness::wire(&engine);
        let forwarding: Vec<_> =
            incidents.iter().filter(|incident| incident.rule == "forwarding_abroad").collect();
        assert_eq!(forwarding.len(), 1, "{incidents:?}");
        assert_eq!((&*forwarding[0].scope.value, forwarding[0].attempts), ("101", 1));
        assert_eq!(forwarding[0].exposure.amount, "0.00");
    }
}
