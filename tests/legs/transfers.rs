//! Calls that were sent on: who sent them, and how long their legs were up.
use super::rows::{Row, charged, narrow, row, wide};

const ABROAD: &str = "0102246555000012";
const TO_ABROAD: &str = "Dial PJSIP/0102246555000012@trunk,12,T";
const A: &str = "PJSIP/101-00000001";
const B: &str = "PJSIP/102-00000002";
const OUT: &str = "PJSIP/trunk-00000003";

#[test]
fn a_blind_transfer_is_charged_to_the_phone_that_was_called_whether_or_not_its_row_was_rewritten() {
    let abroad = row(A, OUT, ABROAD, TO_ABROAD, (12, 40), Some(28));
    // chan_pjsip writes the new number over the old one, chan_sip does not.
    for dialled in [ABROAD, "102"] {
        let first = row(A, B, dialled, "Dial PJSIP/102,5,tT", (0, 12), Some(10));
        assert_eq!(charged(&[first, abroad.clone()]), "102>2246555000012 28s", "{dialled}");
    }
}

#[test]
fn a_caller_whose_first_call_is_over_pays_for_the_next_one() {
    let first = row(A, B, "102", "Dial PJSIP/102,5,tT", (0, 12), Some(10));
    let own = "101>2246555000012 28s";
    // By another channel, in the second in which the first call ended.
    let again = row("PJSIP/101-00000004", OUT, ABROAD, TO_ABROAD, (12, 40), Some(28));
    assert_eq!(charged(&[first.clone(), again]), own);
    // By the same channel some time later, out of a menu.
    let menu = row(A, OUT, ABROAD, TO_ABROAD, (20, 48), Some(28));
    assert_eq!(charged(&[first, menu]), own);
    // The dialplan goes on when the phone has hung up (`g`): nobody dialled anything else.
    let first = row(A, B, "644", "Dial PJSIP/102,5,g", (0, 12), Some(10));
    let goes_on = row(A, OUT, "644", TO_ABROAD, (12, 40), Some(28));
    assert_eq!(charged(&[first, goes_on]), own);
    // The phone that was called never answered.
    let first = row(A, B, "102", "Dial PJSIP/102,5,tT", (0, 12), None);
    let after = row(A, OUT, ABROAD, TO_ABROAD, (12, 40), Some(28));
    assert_eq!(charged(&[first, after]), own);
}

#[test]
fn a_called_phone_that_its_caller_sends_abroad_is_not_charged() {
    let first = row(A, B, "102", "Dial PJSIP/102,5,tT", (0, 12), Some(10));
    let abroad = row(B, OUT, ABROAD, TO_ABROAD, (12, 40), Some(28)).calling("102");
    assert_eq!(charged(&[first.clone(), abroad]), "101>2246555000012 28s");
    // A call of its own, by a channel of its own.
    let own = row("PJSIP/102-00000005", OUT, ABROAD, TO_ABROAD, (5, 33), Some(28)).calling("102");
    assert_eq!(charged(&[first, own]), "102>2246555000012 28s");
}

fn from_outside(target: &'static str, dialled: &'static str, billable: Option<i64>) -> Row {
    row("PJSIP/trunk-00000009", target, dialled, "Dial PJSIP/100,20,tT", (0, 12), billable)
        .calling("0312345678")
        .context("from-trunk")
}

#[test]
fn a_phone_that_sends_an_outside_caller_abroad_is_charged() {
    let onward =
        row("PJSIP/trunk-00000009", OUT, ABROAD, TO_ABROAD, (12, 40), Some(28)).calling("0312345678");
    for dialled in ["815055550100", ABROAD] {
        let first = from_outside("PJSIP/100-0000000a", dialled, Some(10));
        assert_eq!(charged(&[first, onward.clone()]), "100>2246555000012 28s", "{dialled}");
    }
}

#[test]
fn an_outside_caller_whom_no_phone_sent_on_stands_under_the_trunk() {
    let onward =
        row("PJSIP/trunk-00000009", OUT, ABROAD, TO_ABROAD, (12, 40), Some(28)).calling("0312345678");
    let nobody = "trunk?>2246555000012 28s";
    assert_eq!(charged(std::slice::from_ref(&onward)), nobody, "DISA");
    // Rung, not answered; then the dialplan dials outside.
    let rung = from_outside("PJSIP/100-0000000a", "815055550100", None);
    assert_eq!(charged(&[rung, onward.clone()]), nobody);
    // A phone answered an earlier call of another channel.
    let earlier =
        row("PJSIP/trunk-00000008", "PJSIP/100-0000000a", "815055550100", "Dial PJSIP/100", (0, 12), Some(9));
    assert_eq!(charged(&[earlier.context("from-trunk"), onward.context("from-trunk")]), nobody);
}

const FIRST: &str = "PJSIP/trunk-00000011";
const SECOND: &str = "PJSIP/trunk-00000012";

#[test]
fn a_call_sent_on_between_two_outside_parties_is_charged_twice_to_the_phone_that_left_it() {
    let first =
        row("PJSIP/105-00000010", FIRST, "0355550100", "Dial PJSIP/0355550100@trunk", (0, 12), Some(10));
    let onward = row(FIRST, SECOND, ABROAD, TO_ABROAD, (12, 42), Some(28)).calling("0355550100");
    // The first leg is up for the whole time: 10 seconds, and 30.
    let both = "105>2246555000012+81355550100 68s";
    assert_eq!(charged(&[first.clone(), onward.clone()]), both);
    // Written within the same second the other way about, it is charged to 105 all the same.
    let moved = row(FIRST, SECOND, ABROAD, TO_ABROAD, (12, 13), Some(1)).calling("0355550100");
    assert_eq!(charged(&[moved, first]), "105>2246555000012+81355550100 11s");
}

#[test]
fn two_outside_parties_joined_by_a_phone_go_on_at_its_cost() {
    let rows = [
        row("PJSIP/105-00000013", SECOND, ABROAD, TO_ABROAD, (6, 10), Some(3)).calling("105"),
        row("PJSIP/105-00000010", FIRST, "0355550100", "Dial PJSIP/0355550100@trunk", (0, 10), Some(8)),
        row(FIRST, SECOND, "", "AppDial (Outgoing Line)", (10, 40), Some(30))
            .calling("0355550100")
            .context("from-trunk"),
    ];
    assert_eq!(charged(&rows), "105>2246555000012+81355550100 71s", "3 and 8 seconds, and 30 of both");
}

#[test]
fn a_consultation_abroad_stays_with_the_phone_that_consulted() {
    let rows = [
        row("PJSIP/102-00000005", OUT, ABROAD, TO_ABROAD, (6, 10), Some(3)).calling("102"),
        row(A, B, "102", "Dial PJSIP/102,5,tT", (0, 10), Some(9)),
        // The call that was joined shows the number that 101 had dialled.
        row(A, OUT, "102", "Dial PJSIP/102,5,tT", (10, 40), Some(30)),
    ];
    assert_eq!(charged(&rows), "102>2246555000012 33s");
    // The consultation ended, and 101 was never joined with it.
    assert_eq!(charged(&rows[..2]), "102>2246555000012 3s");
}

#[test]
fn a_party_outside_that_is_parked_and_fetched_stays_the_call_of_who_dialled() {
    let rows = [
        row("PJSIP/104-00000020", OUT, ABROAD, TO_ABROAD, (0, 10), Some(8)).calling("104"),
        row(OUT, "", ABROAD, "Park default:701", (10, 20), Some(10)).calling(ABROAD),
        row(OUT, "PJSIP/103-00000021", ABROAD, TO_ABROAD, (20, 30), Some(10)).calling(ABROAD),
        row("PJSIP/103-00000021", "", "701", "ParkedCall default,701", (20, 20), Some(0)).calling("103"),
    ];
    assert_eq!(charged(&rows), "104>2246555000012 28s");
}

#[test]
fn a_phone_that_picked_up_a_call_and_sent_it_abroad_is_charged() {
    let rows = [
        row(A, B, "102", "Dial PJSIP/102,5,tT", (0, 3), Some(0)),
        row(A, "PJSIP/103-00000021", "102", "Dial PJSIP/102,5,tT", (3, 12), Some(9)),
        row(A, OUT, ABROAD, TO_ABROAD, (12, 40), Some(28)),
    ];
    assert_eq!(charged(&rows), "103>2246555000012 28s");
}

#[test]
fn who_meets_in_a_conference_has_not_dialled_one_another() {
    let caller = "PJSIP/trunk-00000030";
    let rows = [
        row("PJSIP/104-00000020", OUT, ABROAD, TO_ABROAD, (0, 10), Some(8)).calling("104"),
        row(A, caller, "81505555603", "ConfBridge room1", (0, 60), Some(60)),
        row(A, OUT, "81505555603", "ConfBridge room1", (10, 60), Some(50)),
        row(caller, OUT, "81505555603", "ConfBridge room1", (10, 70), Some(60)).calling("0312345678"),
        row(caller, "", "81505555603", "ConfBridge room1", (70, 75), Some(5)).calling("0312345678"),
    ];
    assert_eq!(charged(&rows), "104>2246555000012 68s", "up from second 2 to 70, and no other call");
}

#[test]
fn a_leg_between_trunks_is_tied_to_who_began_its_call_by_the_calls_id_alone() {
    let first =
        row("PJSIP/105-00000010", FIRST, "0355550100", "Dial PJSIP/0355550100@trunk", (0, 12), Some(10));
    // The channel was renamed since; nothing but the id is left.
    let onward =
        row("PJSIP/trunk-0000001f", SECOND, ABROAD, TO_ABROAD, (12, 42), Some(28)).calling("0355550100");
    let rows = [first.calling("105").linked("1772906400.0"), onward.clone().linked("1772906400.0")];
    assert_eq!(wide(&rows), "105>2246555000012+81355550100 38s");
    assert_eq!(narrow(&rows), "105>81355550100 10s, trunk?>2246555000012 28s");
    // Another call has another id.
    let rows = [rows[0].clone(), onward.clone().linked("1772906400.9")];
    assert_eq!(wide(&rows), "105>81355550100 10s, trunk?>2246555000012 28s");
    // Where two extensions are in the call, it is neither's.
    let other = row(
        "PJSIP/106-00000014",
        "PJSIP/trunk-00000015",
        "0355550101",
        "Dial PJSIP/0355550101@trunk",
        (3, 9),
        Some(4),
    );
    let rows = [rows[0].clone(), other.calling("106").linked("1772906400.0"), onward.linked("1772906400.0")];
    assert_eq!(wide(&rows), "105>81355550100 10s, 106>81355550101 4s, trunk?>2246555000012 28s");
}
