//! Rows of a PBX that ignores dial updates: one a channel, none of which names another.
use super::rows::{Row, charged, narrow, row, wide};

const ABROAD: &str = "0102246555000021";
const TO_ABROAD: &str = "Dial PJSIP/0102246555000021@trunk,12,T";

/// The caller's row.
fn dialled(channel: &'static str, seconds: (i64, i64)) -> Row {
    row(channel, "", ABROAD, TO_ABROAD, seconds, Some(seconds.1 - seconds.0)).calling("104")
}

/// The row of the channel that was called.
fn called(channel: &'static str, seconds: (i64, i64)) -> Row {
    row(channel, "", "", "AppDial (Outgoing Line)", seconds, Some(seconds.1 - seconds.0))
        .calling(ABROAD)
        .context("from-trunk")
}

#[test]
fn a_call_out_is_that_of_who_dialled_its_number_then() {
    let rows = [dialled("PJSIP/104-00000001", (0, 30)), called("PJSIP/trunk-00000002", (0, 29))];
    assert_eq!(charged(&rows), "104>2246555000021 29s");
    assert_eq!(charged(&[rows[1].clone(), rows[0].clone()]), "104>2246555000021 29s");
    // The same number again, by another phone.
    let again =
        [dialled("PJSIP/105-00000003", (60, 90)).calling("105"), called("PJSIP/trunk-00000004", (60, 89))];
    let all: Vec<Row> = rows.into_iter().chain(again).collect();
    assert_eq!(charged(&all), "104>2246555000021 29s, 105>2246555000021 29s");
}

#[test]
fn a_dial_string_is_no_proof_that_a_call_left() {
    // The trunk was down, and the caller left a message.
    assert_eq!(charged(&[dialled("PJSIP/104-00000001", (0, 30))]), "-");
}

#[test]
fn a_channel_that_nobody_is_known_to_have_dialled_stands_under_its_trunk() {
    assert_eq!(charged(&[called("PJSIP/trunk-00000002", (0, 29))]), "trunk?>2246555000021 29s");
    // Somebody dialled the number at another time, and then comes the row of who dialled it at this one.
    let rows = [
        called("PJSIP/trunk-00000002", (70, 99)),
        dialled("PJSIP/104-00000001", (10, 40)),
        dialled("PJSIP/105-00000003", (70, 100)).calling("105"),
    ];
    assert_eq!(charged(&rows), "105>2246555000021 29s");
    let rows = [dialled("PJSIP/104-00000001", (100, 130)), called("PJSIP/trunk-00000002", (0, 29))];
    assert_eq!(charged(&rows), "trunk?>2246555000021 29s");
}

#[test]
fn of_two_who_dialled_one_number_at_the_same_time_only_the_calls_id_tells_who_it_was() {
    let rows = [
        dialled("PJSIP/104-00000001", (0, 30)).linked("1772906400.0"),
        dialled("PJSIP/105-00000003", (1, 31)).calling("105").linked("1772906400.5"),
        called("PJSIP/trunk-00000002", (0, 29)).linked("1772906400.0"),
        called("PJSIP/trunk-00000004", (1, 21)).linked("1772906400.5"),
    ];
    assert_eq!(wide(&rows), "104>2246555000021 29s, 105>2246555000021 20s");
    assert_eq!(narrow(&rows), "trunk?>2246555000021+2246555000021 49s");
}

#[test]
fn calls_that_came_in_and_phones_that_were_called_are_no_calls_out() {
    let rows = [
        row("PJSIP/trunk-00000001", "", "815055550100", "Dial PJSIP/100,20", (0, 30), Some(28))
            .calling("0312345678")
            .context("from-trunk"),
        row("PJSIP/100-00000002", "", "", "AppDial (Outgoing Line)", (0, 30), Some(28)).calling("100"),
        row("PJSIP/trunk-00000003", "", "s", "BackGround menu", (0, 30), Some(28))
            .calling("0312345678")
            .context("from-trunk"),
    ];
    assert_eq!(charged(&rows), "-");
}

#[test]
fn a_call_forwarded_in_the_dialplan_stands_under_the_trunk_since_nothing_ties_its_halves() {
    let rows = [
        row(
            "PJSIP/104-00000001",
            "",
            "100",
            "Dial Local/0102246555000021@from-internal,30",
            (0, 30),
            Some(28),
        )
        .calling("104"),
        dialled("Local/0102246555000021@from-internal-00000001;2", (0, 30)),
        called("PJSIP/trunk-00000002", (0, 29)),
    ];
    assert_eq!(charged(&rows), "trunk?>2246555000021 29s");
}
