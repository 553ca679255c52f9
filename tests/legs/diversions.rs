//! Calls that were diverted before anybody answered, and attempts that are told of more than once.
use super::rows::{charged, incidents, narrow, row};

const ABROAD: &str = "0102246555000021";
const TO_ABROAD: &str = "Dial PJSIP/0102246555000021@trunk,12,T";
const A: &str = "PJSIP/104-00000001";
const OUT: &str = "PJSIP/trunk-00000003";
const NEAR: &str = "Local/0102246555000021@from-internal-00000001;1";
const FAR: &str = "Local/0102246555000021@from-internal-00000001;2";

/// 104 dialled `dialled` by `application`, and the PBX called itself for the number abroad.
fn diverted(dialled: &'static str, application: &'static str) -> String {
    let near = row(A, NEAR, dialled, application, (0, 30), Some(28)).calling("104");
    let far = row(FAR, OUT, ABROAD, TO_ABROAD, (0, 30), Some(28)).calling("104");
    let found = charged(&[near.clone(), far.clone()]);
    assert_eq!(charged(&[far, near]), found, "whichever row comes first");
    found
}

#[test]
fn a_phone_that_redirects_pays_if_it_is_the_only_one_that_rang() {
    assert_eq!(diverted("102", "Dial PJSIP/102,5,tT"), "102>2246555000021 28s");
    assert_eq!(diverted("202", "Dial PJSIP/102,5,tT"), "102>2246555000021 28s");
    // One of a group's phones redirected; the rows do not say which, so it is the group's.
    assert_eq!(diverted("601", "Dial PJSIP/101&PJSIP/102&PJSIP/103,5,tT"), "601>2246555000021 28s");
}

#[test]
fn a_number_that_follows_an_extension_is_the_extensions() {
    assert_eq!(diverted("100", "Dial Local/0102246555000021@from-internal,30"), "100>2246555000021 28s");
    assert_eq!(diverted("604", "FollowMe 101,s"), "101>2246555000021 28s");
    assert_eq!(diverted("602", "Queue support,tT,,,10"), "602>2246555000021 28s", "a member outside");
}

#[test]
fn text_smuggled_into_the_number_charges_nobody_but_who_dialled_it() {
    let own = "104>2246555000021 28s";
    let smuggled = "103&Local/0102246555000021@from-internal";
    assert_eq!(diverted(smuggled, "Dial PJSIP/103&Local/0102246555000021@from-internal,5,tT"), own);
    // So long that the record is cut off before the part that matters.
    let long = "Dial PJSIP/103&Local/103@from-internal&Local/103@from-internal&Local/103@from-inte";
    assert_eq!(long.len(), "Dial ".len() + 79 - 2);
    let cut = "Dial PJSIP/103&Local/103@from-internal&Local/103@from-internal&Local/103@from-intern";
    assert_eq!(cut.len(), "Dial ".len() + 79);
    assert_eq!(diverted(smuggled, cut), own);
}

#[test]
fn of_two_numbers_on_one_trunk_both_count_as_the_one_abroad() {
    let data = "Dial PJSIP/0355550100&PJSIP/0102246555000021@trunk,12,T";
    let both = "Dial PJSIP/0355550100@trunk&PJSIP/0102246555000021@trunk,12,T";
    let rows = [
        row(A, OUT, "0355550100&PJSIP/0102246555000021@trunk", both, (0, 30), None).calling("104"),
        row(A, "PJSIP/trunk-00000004", "0355550100&PJSIP/0102246555000021@trunk", both, (0, 30), Some(28)),
    ];
    assert_eq!(charged(&rows), "104>2246555000021+2246555000021 28s");
    let rows = [row(A, OUT, "0355550100&PJSIP/0102246555000021", data, (0, 30), Some(28)).calling("104")];
    assert_eq!(charged(&rows), "104>2246555000021 28s");
}

#[test]
fn a_failed_dials_second_row_and_a_fork_are_no_second_attempt() {
    let failed = row(A, OUT, ABROAD, TO_ABROAD, (0, 30), None).calling("104");
    let second = row(A, "", ABROAD, "Hangup", (30, 30), None).calling("104");
    assert_eq!(charged(&[failed.clone(), second]), "104>2246555000021 0s");
    // A fork of a call of one second: only its sequence tells the rows apart.
    let short = row(A, OUT, ABROAD, TO_ABROAD, (0, 1), Some(1)).calling("104");
    let fork = short.clone().account("fork");
    assert_eq!(charged(&[short, fork]), "104>2246555000021 1s");
    // Over two trunks, two legs left.
    let other =
        row(A, "PJSIP/trunk2-00000004", ABROAD, "Dial PJSIP/0102246555000021@trunk2", (30, 60), Some(20));
    assert_eq!(charged(&[failed, other.calling("104")]), "104>2246555000021+2246555000021 20s");
}

#[test]
fn a_trunk_that_loops_back_charges_nobody_for_its_other_end() {
    let out = row(
        A,
        "IAX2/loop-2044",
        "60355550106",
        "Dial IAX2/loop:s3cret@192.0.2.1/0355550106,12",
        (0, 9),
        Some(9),
    );
    let out = out.calling("104");
    let back = row("IAX2/loop-14126", "", "0355550106", "Wait 2", (0, 9), Some(9))
        .calling("104")
        .context("from-iax");
    assert_eq!(charged(&[out.clone(), back.clone()]), "104>81355550106 9s");
    assert_eq!(charged(&[back, out.clone()]), "104>81355550106 9s");
    // The other end dials on: another leg, which nobody can be charged for.
    let onward =
        row("IAX2/loop-14126", OUT, ABROAD, TO_ABROAD, (0, 9), Some(9)).calling("104").context("from-iax");
    assert_eq!(charged(&[onward, out]), "104>81355550106 9s, trunk?>2246555000021 9s");
}

#[test]
fn the_passcode_of_an_outside_caller_is_never_shown() {
    let rows = [row("PJSIP/trunk-00000009", OUT, ABROAD, TO_ABROAD, (0, 30), Some(28))
        .calling("22466600001")
        .account("4242")];
    assert_eq!(charged(&rows), "trunk?>2246555000021 28s");
    let shown = incidents(&rows);
    assert!(shown.contains("trunk") && !shown.contains("4242") && !shown.contains("22466600001"), "{shown}");
}

#[test]
fn a_call_file_that_dials_a_trunk_and_a_menu_for_callers_look_alike_and_are_no_call_out() {
    let row = row("PJSIP/trunk-00000009", "", "s", "Playback hello", (0, 30), Some(28)).context("from-trunk");
    assert_eq!(charged(&[row.clone().calling("").account("spool")]), "-");
    assert_eq!(charged(&[row.calling("0312345678")]), "-");
}

#[test]
fn a_member_outside_whose_queue_is_told_of_much_later_stands_under_the_trunk() {
    let near = row(A, NEAR, "602", "Queue support,tT", (0, 300), Some(28)).calling("104");
    let far = row(FAR, OUT, ABROAD, TO_ABROAD, (0, 30), Some(28)).calling("104");
    assert_eq!(narrow(&[far, near]), "trunk?>2246555000021 28s");
}
