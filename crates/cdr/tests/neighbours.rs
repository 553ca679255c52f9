//! Faults of the kinds that public reports name, where nobody has reported them yet.
#![allow(clippy::panic, clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]
mod common;
use common::{Calls, cdrs, cdrs_of, decode_in_blocks, define, own};
use tollwatch_cdr::{Detection, Outcome, detect};

const HEADER: &str = "calldate,src,dst,duration,billsec,disposition\n";
const EXPORT: &str = "2026-03-01 10:00:00,105,203,9,4,ANSWERED\n";

/// A row of `cdr_csv` with 18 columns.
fn row(account: &str, times: &str) -> String {
    format!(
        "\"{account}\",\"105\",\"0355550100\",\"from-internal\",\"\"\"A\"\" <105>\",\"PJSIP/105-00000006\",\"PJSIP/trunk-00000007\",\
         \"Dial\",\"PJSIP/0355550100@trunk,12\",{times},\"ANSWERED\",\"DOCUMENTATION\",\"1772359200.1\",\"\"\n"
    )
}

fn plain() -> String {
    row("wh", "\"2026-03-01 10:00:00\",\"2026-03-01 10:00:05\",\"2026-03-01 10:01:00\",60,55")
}

fn event(kind: &str, id: &str) -> String {
    format!(
        "\"{kind}\",\"1772906414.030799\",\"A\",\"105\",\"\",\"\",\"\",\"0022465\",\"from-internal\",\"PJSIP/105-00000006\",\
         \"Dial\",\"PJSIP/0022465@trunk\",\"3\",\"\",\"{id}\",\"1772906414.0\",\"\",\"\",\"\",\"\"\n"
    )
}

/// What stands in each row: account, and number.
fn accounts(read: &Calls) -> Vec<(&str, &str)> {
    read.rows.iter().map(|row| (row.account.as_str(), row.dialled.as_str())).collect()
}

#[test]
fn a_byte_order_mark_where_files_were_joined_is_part_of_no_value_and_hides_no_header() {
    let mark = "\u{feff}";
    let joined = format!("{mark}{}{mark}{}", plain(), plain());
    let read = cdrs("asterisk_cdr_csv", &joined);
    assert_eq!(accounts(&read), [("wh", "0355550100"); 2]);
    assert_eq!(read.rows[0].identity, read.rows[1].identity, "the same row read twice");
    // The second file has other columns.
    let other = format!(
        "{mark}calldate,dst,src,billsec,duration,disposition\n2026-03-01 10:00:00,204,106,4,9,ANSWERED\n"
    );
    let read = cdrs("freepbx_export", &format!("{mark}{HEADER}{EXPORT}{other}"));
    let called: Vec<_> = read.rows.iter().map(|row| (row.calling.as_str(), row.dialled.as_str())).collect();
    assert_eq!((called, read.rejected.len()), (vec![("105", "203"), ("106", "204")], 0));
    let json = "{\"type\":\"cdr\",\"started_at\":1772359200,\"ended_at\":1772359209,\"outcome\":\"busy\",\"dialled\":\"203\"}\n";
    assert_eq!(cdrs("tollwatch_jsonl", &format!("{json}{mark}{json}")).rows.len(), 2);
}

#[test]
fn a_hole_of_zeros_where_a_log_was_cut_back_hides_no_row_behind_it() {
    // A writer that does not append goes on at its old place when its log is cut back to nothing.
    for length in [1, 63, 4096, 70_000] {
        let hole = "\0".repeat(length);
        for text in [format!("{hole}{}{}", plain(), plain()), format!("{}{hole}{}", plain(), plain())] {
            let read = cdrs("asterisk_cdr_csv", &text);
            assert_eq!(accounts(&read), [("wh", "0355550100"); 2], "{length}: {:?}", read.why());
            assert_eq!((read.passed_over, read.rejected.len()), (1, 0));
            let whole = decode_in_blocks("asterisk_cdr_csv", "UTC", text.as_bytes(), &[text.len()]);
            for cuts in [&[1, 7, 64][..], &[1000], &[length.max(2) - 1]] {
                assert_eq!(decode_in_blocks("asterisk_cdr_csv", "UTC", text.as_bytes(), cuts), whole);
            }
        }
        let read = cdrs("freepbx_export", &format!("{hole}{HEADER}{EXPORT}"));
        assert_eq!((read.rows.len(), read.passed_over), (1, 2), "{length}");
        let start = event("CHAN_START", "1772906414.0");
        let leg = event("CHAN_START", "1772906414.1").replace("PJSIP/105-00000006", "PJSIP/trunk-00000007");
        let text = format!("{hole}{start}{}{leg}", event("APP_START", "1772906414.0"));
        assert_eq!(cdrs("asterisk_cel_csv", &text).events.len(), 1, "{length}");
    }
    assert_eq!(cdrs("asterisk_cdr_csv", "\0\0\0").passed_over, 1);
}

#[test]
fn letters_of_several_bytes_and_breaks_inside_quotes_may_lie_across_the_ends_of_blocks() {
    let name = "\u{20bb7}\u{1f600}\n\r\n\u{20bb7}";
    let text: String = (0..3).map(|_| plain().replace("\"\"A\"\"", &format!("\"\"{name}\"\""))).collect();
    let whole = decode_in_blocks("asterisk_cdr_csv", "UTC", text.as_bytes(), &[text.len()]);
    assert_eq!((whole.records.len(), whole.rejected.len()), (3, 0));
    for block in 1..80 {
        assert_eq!(decode_in_blocks("asterisk_cdr_csv", "UTC", text.as_bytes(), &[block]), whole, "{block}");
    }
}

#[test]
fn a_date_before_there_was_a_clock_is_no_answer_and_never_a_charge() {
    let lines = "columns = [\"a\", \"b\", \"start\", \"answer\", \"end\"]";
    let fields = "calling = \"a\"\ndialled = \"b\"\nstarted_at = { column = \"start\" }\nanswered_at = { column = \"answer\" }\nended_at = { column = \"end\" }";
    let read = |answer: &str| {
        let text = format!("105,203,2026-03-01 10:00:00,{answer},2026-03-01 10:01:00\n");
        let read = cdrs_of(own(lines, fields), "UTC", text.as_bytes());
        (read.rows[0].outcome, read.rows[0].billable)
    };
    for never in
        ["1899-12-30 00:00:00", "1601-01-01 00:00:00", "0001-01-01 00:00:00", "0000-01-01 00:00:00", ""]
    {
        assert_eq!(read(never), (Outcome::NoAnswer, 0), "{never}");
    }
    // Answered before it began: it cannot have talked for longer than it lasted.
    assert_eq!(read("2025-03-01 10:00:00"), (Outcome::Answered, 60));
    assert_eq!(read("2026-03-01 10:00:10"), (Outcome::Answered, 50));
}

#[test]
fn years_that_are_none_lose_no_record_that_something_else_dates() {
    let times = |start: &str, end: &str| {
        let times = format!("\"{start}\",\"2026-03-01 10:00:05\",\"{end}\",60,55");
        let read = cdrs("asterisk_cdr_csv", &row("wh", &times));
        read.rows.first().map(|row| (row.started, row.ended, row.billable))
    };
    let right = Some((1_772_359_200, 1_772_359_260, 55));
    assert_eq!(times("2026-03-01 10:00:00", "2026-03-01 10:01:00"), right);
    assert_eq!(times("2026-03-01 10:00:00", "9999-12-31 23:59:59"), right, "by its duration");
    assert_eq!(times("0000-00-00 00:00:00", "2026-03-01 10:01:00"), right);
    assert_eq!(times("0000-01-01 00:00:00", "2026-03-01 10:01:00"), right);
    assert_eq!(times("1899-12-30 00:00:00", "0000-01-01 00:00:00"), right, "by its id");
    // A leap second, where the PBX counts them.
    assert_eq!(times("2026-03-01 09:59:60", "2026-03-01 10:01:00"), right);
    assert_eq!(times("2026-03-01 09:59:61", "2026-03-01 10:01:00"), None);
}

#[test]
fn durations_may_be_longer_than_a_day_and_not_less_than_nothing() {
    let lines = "columns = [\"a\", \"b\", \"start\", \"lasted\"]";
    let fields = "calling = \"a\"\ndialled = \"b\"\nstarted_at = { column = \"start\" }\nbillable = { column = \"lasted\", unit = \"clock\" }\nanswered_by = \"billable_seconds\"";
    let read = |lasted: &str| {
        let text = format!("105,203,2026-03-01 10:00:00,{lasted}\n");
        cdrs_of(own(lines, fields), "UTC", text.as_bytes())
    };
    assert_eq!(read("26:40:41").rows[0].billable, 96_041);
    let negative = read("-0:00:05");
    assert_eq!((negative.rows[0].billable, negative.counters.ended_at_start), (0, 1), "{:?}", negative.why());
    assert_eq!(read("170:00:00").why(), ["lasted: start, end and duration contradict one another"]);
}

#[test]
fn figures_of_other_scripts_are_no_numbers_of_ours() {
    let wide = plain().replace(",60,55,", ",６０,55,");
    assert_eq!(cdrs("asterisk_cdr_csv", &wide).why(), ["duration: not a whole number"]);
    let wide = plain().replace("2026-03-01 10:00:00", "２０２６-03-01 10:00:00");
    assert_eq!(cdrs("asterisk_cdr_csv", &wide).why(), ["start: not a time"]);
    // What was dialled is handed on as it stands.
    let dialled = plain().replace("0355550100", "٠٠٢٢٤٦٥");
    assert_eq!(cdrs("asterisk_cdr_csv", &dialled).rows[0].dialled, "٠٠٢٢٤٦٥");
}

#[test]
fn a_row_of_another_width_in_the_middle_is_read_by_its_own_or_lost_alone() {
    let narrow = plain().replace(",\"1772359200.1\",\"\"\n", "\n");
    let wide = plain().replace(",\"\"\n", ",\"\",\"\",\"1772359200.1\",7\n");
    let text = [plain(), narrow, "\"cut\",\"of\",3\n".to_owned(), wide, plain()].concat();
    let read = cdrs("asterisk_cdr_csv", &text);
    assert_eq!((read.rows.len(), read.why()), (4, vec!["3 fields where 16 to 21 belong"]));
    let short = "\"x\",\"105\",\"203\",\"c\",\"2026-03-08 03:00:18\",\"\",\"2026-03-08 03:00:22\",\"4\",\"0\",\"NO_ANSWER\",\"a-1\",\"\", \"\"\n";
    let long = short.replace(", \"\"\n", ",\"\",\"PCMU\",\"PCMU\"\n");
    let read = cdrs("freeswitch_cdr_csv", &format!("{short}{long}{short}"));
    assert_eq!((read.rows.len(), read.rejected.len()), (3, 0));
}

#[test]
fn lines_that_end_in_carriage_returns_are_told_apart_from_ones_that_hold_them() {
    let text = format!("{HEADER}{EXPORT}{EXPORT}").replace('\n', "\r");
    assert!(matches!(detect(text.as_bytes()), Detection::Found { .. }));
    for cuts in [&[1][..], &[64], &[1000]] {
        let read = decode_in_blocks("freepbx_export", "UTC", text.as_bytes(), cuts);
        assert_eq!((read.records.len(), read.rejected.len()), (2, 0));
    }
    // Both at each end.
    let text = format!("{HEADER}{EXPORT}{EXPORT}").replace('\n', "\r\n");
    assert_eq!(cdrs_of(define("freepbx_export"), "UTC", text.as_bytes()).rows.len(), 2);
}
