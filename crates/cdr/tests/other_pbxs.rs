//! The formats of PBXs beside Asterisk, by inputs of our own.
#![allow(clippy::panic, clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]
mod common;
use common::{Calls, cdrs, cdrs_of, define, own};
use tollwatch_cdr::{Detection, OffsetCheck, Outcome, detect};

fn detected(text: &str) -> Option<&'static str> {
    match detect(text.as_bytes()) {
        Detection::Found { format, .. } => Some(format.name()),
        Detection::Unclear { .. } => None,
    }
}

/// A row of mod_cdr_csv by the template `example`.
fn freeswitch(name: &str, answer: &str, billsec: u32, cause: &str, ids: [&str; 2], account: &str) -> String {
    let [id, called] = ids;
    format!(
        "\"{name}\",\"0355550100\",\"0022465550015\",\"default\",\"2026-03-08 03:00:18\",\"{answer}\",\"2026-03-08 03:00:50\",\
         \"32\",\"{billsec}\",\"{cause}\",\"{id}\",\"{called}\",\"{account}\",\"PCMU\",\"PCMU\"\n"
    )
}

#[test]
fn freeswitchs_rows_are_read_by_both_templates_and_charged_to_the_account_before_the_number_shown_outside() {
    let row = freeswitch("Sato", "2026-03-08 03:00:20", 30, "NORMAL_CLEARING", ["a-1", ""], "105");
    assert_eq!(detected(&row), Some("freeswitch_cdr_csv"));
    let read = cdrs_of(define("freeswitch_cdr_csv"), "Asia/Tokyo", row.as_bytes());
    let call = &read.rows[0];
    assert_eq!(
        (call.started, call.answered, call.ended),
        (1_772_906_418, Some(1_772_906_420), 1_772_906_450)
    );
    assert_eq!((call.billable, call.outcome, call.origin.as_deref()), (30, Outcome::Answered, Some("105")));
    assert_eq!((call.calling.as_str(), call.dialled.as_str()), ("0355550100", "0022465550015"));
    assert_eq!((call.call_id.as_str(), call.legs[1].as_str(), call.account.as_str()), ("a-1", "a-1", "105"));
    assert_eq!(read.counters.answered_against_disposition, 0, "a cause contradicts no answer");
    let built_in = row.replace(",\"105\",\"PCMU\",\"PCMU\"", ", \"105\"");
    assert_eq!(detected(&built_in), Some("freeswitch_cdr_csv"));
    let read = cdrs_of(define("freeswitch_cdr_csv"), "Asia/Tokyo", built_in.as_bytes());
    assert_eq!(&read.rows[0].origin, &call.origin, "{:?}", read.rejected);
    let without = row.replace("\"105\"", "\"\"");
    assert_eq!(cdrs("freeswitch_cdr_csv", &without).rows[0].origin.as_deref(), Some("0355550100"));
}

#[test]
fn a_cause_of_normal_clearing_is_no_answer() {
    // B10
    let outcome = |answer: &str, billsec: u32, cause: &str| {
        let read = cdrs("freeswitch_cdr_csv", &freeswitch("x", answer, billsec, cause, ["a-1", ""], ""));
        (read.rows[0].outcome, read.rows[0].billable)
    };
    assert_eq!(outcome("", 0, "NORMAL_CLEARING"), (Outcome::NoAnswer, 0));
    assert_eq!(outcome("", 0, "USER_BUSY"), (Outcome::Busy, 0));
    assert_eq!(outcome("", 0, "CALL_REJECTED"), (Outcome::NoAnswer, 0));
    assert_eq!(outcome("", 0, "INVALID_GATEWAY"), (Outcome::Failed, 0));
    assert_eq!(outcome("1970-01-01 09:00:00", 0, "NORMAL_CLEARING"), (Outcome::NoAnswer, 0));
    assert_eq!(outcome("2026-03-08 03:00:20", 30, "USER_BUSY"), (Outcome::Answered, 30));
}

#[test]
fn a_name_with_quotes_and_commas_shifts_no_column_of_freeswitch() {
    for name in ["Doe, \"JD\" John", "\"", "", "Łukasz", "a\", \"b"] {
        let read = cdrs("freeswitch_cdr_csv", &freeswitch(name, "", 0, "NO_ANSWER", ["a-1", ""], "105"));
        assert_eq!(read.rows.first().map(|row| row.dialled.as_str()), Some("0022465550015"), "{name}");
    }
}

#[test]
fn ids_that_freeswitch_made_from_the_time_tell_the_zone() {
    // Each ten seconds after the last, from 2026-03-07T18:00:00Z on, and written as they are in Tokyo.
    let rows: String = (0_u64..40)
        .map(|i| {
            let ticks = (12_219_292_800 + 1_772_906_400 + 10 * i) * 10_000_000;
            let (low, mid, high) = (ticks & 0xffff_ffff, ticks >> 32 & 0xffff, ticks >> 48 & 0xfff);
            let id = format!("{low:08x}-{mid:04x}-1{high:03x}-8000-000000000000");
            let (minute, second) = (i / 6, i % 6);
            freeswitch("x", "", 0, "NO_ANSWER", [&id, ""], "105")
                .replace("03:00:18", &format!("03:{minute:02}:{second}0"))
                .replace("03:00:50", &format!("03:{minute:02}:{second}0"))
                .replace("\"32\"", "\"0\"")
        })
        .collect();
    let check = |zone: &str| {
        let mut decoder = common::decoder("freeswitch_cdr_csv", zone);
        decoder.decode(rows.as_bytes(), true, &mut Calls::default());
        decoder.offset_check()
    };
    assert!(matches!(check("Asia/Tokyo"), OffsetCheck::Agrees { rows: 40, agreeing: 40 }));
    let OffsetCheck::Contradicts { observed, .. } = check("UTC") else { panic!("{:?}", check("UTC")) };
    assert_eq!(observed.seconds(), 9 * 3600);
}

/// Columns of Cisco's manager that these tests use, among others.
const CUCM: &str = "\"cdrRecordType\",\"globalCallID_callId\",\"dateTimeOrigination\",\"callingPartyNumber\",\"originalCalledPartyNumber\",\
    \"finalCalledPartyNumber\",\"destCause_value\",\"dateTimeConnect\",\"dateTimeDisconnect\",\"lastRedirectDn\",\"pkid\",\
    \"duration\",\"origDeviceName\",\"destDeviceName\",\"joinOnBehalfOf\",\"outpulsedCalledPartyNumber\",\"origIpv4v6Addr\"\n\
    INTEGER,INTEGER,INTEGER,VARCHAR(50),VARCHAR(50),VARCHAR(50),INTEGER,INTEGER,INTEGER,VARCHAR(50),UNIQUEIDENTIFIER,\
    INTEGER,VARCHAR(129),VARCHAR(129),INTEGER,VARCHAR(50),VARCHAR(64)\n";

fn cucm(called: [&str; 3], connect: i64, cause: u32, pkid: &str) -> String {
    let [original, last, redirect] = called;
    let duration = if connect > 0 { 1_772_938_850 - connect } else { 0 };
    format!(
        "1,25447,1772938818,\"201\",\"{original}\",\"{last}\",{cause},{connect},1772938850,\"{redirect}\",\"{pkid}\",\
         {duration},\"SEP001122334455\",\"TRUNK-CARRIER\",0,\"0022465550015\",\"192.0.2.7\"\n"
    )
}

#[test]
fn the_records_of_ciscos_manager_are_found_by_name_whatever_their_order_and_case() {
    let plain = ["90022465550015", "90022465550015", "90022465550015"];
    let text = format!("{CUCM}{}", cucm(plain, 1_772_938_820, 16, "p-1"));
    assert_eq!(detected(&text), Some("cisco_cucm_cdr"));
    let upper = text.replace("dateTimeOrigination", "DATETIMEORIGINATION").replace("pkid", "PKID");
    for text in [&text, &upper] {
        // What it is read in does not matter: the times are seconds since 1970.
        let read = cdrs_of(define("cisco_cucm_cdr"), "Asia/Tokyo", text.as_bytes());
        assert_eq!(
            (read.rows.len(), read.passed_over, read.rejected.len()),
            (1, 2, 0),
            "{:?}",
            read.rejected
        );
        let call = &read.rows[0];
        assert_eq!((call.started, call.answered, call.billable), (1_772_938_818, Some(1_772_938_820), 30));
        assert_eq!((call.origin.as_deref(), call.sent.as_str()), (Some("201"), "0022465550015"));
        assert_eq!((call.source_address.as_str(), call.call_id.as_str()), ("192.0.2.7", "25447"));
        assert!(
            call.target.as_deref().unwrap().contains(&format!("{:?}", b"TRUNK-CARRIER")),
            "{:?}",
            call.target
        );
    }
}

#[test]
fn a_call_that_a_phone_of_ciscos_manager_forwards_is_on_account_of_that_phone() {
    let origin = |called: [&str; 3]| {
        let read = cdrs("cisco_cucm_cdr", &format!("{CUCM}{}", cucm(called, 1_772_938_820, 16, "p-1")));
        (read.rows[0].origin.clone().unwrap(), read.rows[0].dialled.clone())
    };
    let abroad = "90022465550015";
    assert_eq!(origin([abroad, abroad, abroad]), ("201".to_owned(), abroad.to_owned()));
    assert_eq!(origin([abroad, abroad, ""]), ("201".to_owned(), abroad.to_owned()));
    assert_eq!(origin(["203", abroad, "203"]), ("203".to_owned(), abroad.to_owned()));
    assert_eq!(origin(["203", abroad, "204"]), ("204".to_owned(), abroad.to_owned()), "the last of two");
}

#[test]
fn a_connect_time_of_nothing_is_no_answer_and_the_same_record_has_the_same_identity() {
    let plain = ["203", "203", "203"];
    let rows = [cucm(plain, 0, 16, "p-1"), cucm(plain, 0, 17, "p-1"), cucm(plain, 0, 47, "p-2")].concat();
    let read = cdrs("cisco_cucm_cdr", &format!("{CUCM}{rows}"));
    let outcomes: Vec<_> = read.rows.iter().map(|row| (row.outcome, row.answered)).collect();
    assert_eq!(
        outcomes,
        [(Outcome::NoAnswer, None), (Outcome::Busy, None), (Outcome::Failed, None)],
        "{:?}",
        read.rejected
    );
    assert!(read.rows[0].identity == read.rows[1].identity && read.rows[0].identity != read.rows[2].identity);
}

#[test]
fn quality_records_and_legs_to_a_recorder_are_no_calls() {
    let plain = ["203", "203", "203"];
    let call = cucm(plain, 1_772_938_820, 16, "p-1");
    let quality = call.replacen("1,25447", "2,25447", 1);
    let recorder = call.replace("\"TRUNK-CARRIER\",0,", "\"TRUNK-CARRIER\",27,");
    let read = cdrs("cisco_cucm_cdr", &format!("{CUCM}{quality}{recorder}{call}"));
    assert_eq!((read.rows.len(), read.passed_over, read.rejected.len()), (1, 4, 0));
}

/// A record of a gateway by the compact template.
fn gateway(setup: &str, connect: &str, disconnect: &str, cause: &str, way: &str, call_id: u32) -> String {
    format!(
        "1772906450,{call_id},1,2,\"9364550F D96211E2 8F0D9C9C 52CD806F\",\"0022465550015\",\"\",\"{setup}\",\"\",\"{connect}\",\
         \"{disconnect}\",\"{cause}  \",\"text (16)\",\"{way}\",0,\"speech\",283,45280,273,43680,\"\",\"201\",\"0022465550015\",\
         \"TWC\",\"03/08/2026 03:00:18.738\",\"201\",\"0022465550015\",0,189,9364550F,10CB,\"\",\"\",\"\",\"\"\n"
    )
}

#[test]
fn a_leg_that_a_cisco_gateway_placed_is_an_attempt_and_the_one_that_came_in_is_its_other_half() {
    let times = [
        "*03:00:18.734 JST Sun Mar 8 2026",
        "*03:00:20.264 JST Sun Mar 8 2026",
        "*03:00:50.584 JST Sun Mar 8 2026",
    ];
    let leg = |way: &str, call_id| gateway(times[0], times[1], times[2], "10", way, call_id);
    let text = format!("{}{}", leg("answer", 41), leg("originate", 42));
    assert_eq!(detected(&text), Some("cisco_gateway_csv"));
    let read = cdrs_of(define("cisco_gateway_csv"), "Asia/Tokyo", text.as_bytes());
    assert_eq!((read.rows.len(), read.passed_over, read.rejected.len()), (1, 1, 0), "{:?}", read.rejected);
    let call = &read.rows[0];
    assert_eq!(
        (call.started, call.answered, call.ended),
        (1_772_906_418, Some(1_772_906_420), 1_772_906_450)
    );
    assert_eq!((call.billable, call.outcome, call.origin.as_deref()), (30, Outcome::Answered, Some("201")));
    assert_eq!((call.dialled.as_str(), call.legs[1].as_str()), ("0022465550015", "42"));
    // The zone in the text counts before that of the source.
    let utc = text.replace("03:00", "18:00").replace("JST Sun Mar 8", "UTC Sat Mar 7");
    let read = cdrs_of(define("cisco_gateway_csv"), "Asia/Tokyo", utc.as_bytes());
    assert_eq!(read.rows[0].started, 1_772_906_418);
    let outcome = |cause: &str| {
        let row = gateway(times[0], "", times[2], cause, "originate", 1);
        cdrs_of(define("cisco_gateway_csv"), "Asia/Tokyo", row.as_bytes()).rows[0].outcome
    };
    assert_eq!(
        [outcome("10"), outcome("11"), outcome("2F")],
        [Outcome::NoAnswer, Outcome::Busy, Outcome::Failed]
    );
}

#[test]
fn a_gateway_whose_clock_was_not_set_loses_its_records_by_name_and_no_others() {
    // A16
    let unset = [
        "*00:01:10.123 UTC Mon Mar 1 1993",
        "*00:01:12.123 UTC Mon Mar 1 1993",
        "*00:01:40.123 UTC Mon Mar 1 1993",
    ];
    let set = [
        "18:00:18.734 UTC Sat Mar 7 2026",
        "18:00:20.264 UTC Sat Mar 7 2026",
        "18:00:50.584 UTC Sat Mar 7 2026",
    ];
    let row = |times: [&str; 3]| gateway(times[0], times[1], times[2], "10", "originate", 7);
    let text = [row(set), row(unset), row(["", "", ""]), row(set)].concat();
    let read = cdrs("cisco_gateway_csv", &text);
    let why = "h323-setup-time: no usable time: the clock of the PBX was not set";
    assert_eq!((read.rows.len(), read.why()), (2, vec![why, why]));
    assert!(read.rejected[0].hint.unwrap().english.contains("NTP"));
    // One of the two times is enough where the other is not set.
    let half = row(["", "*18:00:20.264 UTC Sat Mar 7 2026", "*18:00:50.584 UTC Sat Mar 7 2026"]);
    let read = cdrs("cisco_gateway_csv", &half);
    assert_eq!(read.rows.len() + read.rejected.len(), 1, "accounted for");
}

#[test]
fn rows_are_passed_over_by_what_stands_in_a_column_in_any_case() {
    let lines = "columns = [\"kind\", \"a\", \"b\", \"start\", \"seconds\"]\npass_over = [{ column = \"kind\", holds = [\"start\", \"\"] }]";
    let fields = "calling = \"a\"\ndialled = \"b\"\nstarted_at = { column = \"start\" }\nbillable = { column = \"seconds\" }\nanswered_by = \"billable_seconds\"";
    let row = |kind: &str| format!("{kind},105,0355550100,2026-03-01 10:00:00,60\n");
    let text = [row("START"), row("start"), row(""), row("stop")].concat();
    let read = cdrs_of(own(lines, fields), "UTC", text.as_bytes());
    assert_eq!((read.rows.len(), read.passed_over, read.rejected.len()), (1, 3, 0));
}
