//! The kinds of what went wrong elsewhere, each with an input of our own. The letters are the rows of our list of
//! public reports.
#![allow(clippy::panic, clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]
mod common;
use common::{cdrs, cdrs_of, define, own};
use tollwatch_cdr::{Outcome, Party};

const FREEPBX: &str = "calldate,src,dst,duration,billsec,disposition\n";

/// A row of `cdr_csv` with 18 columns.
fn asterisk(times: &str, disposition: &str) -> String {
    format!(
        "\"\",\"105\",\"0355550100\",\"from-internal\",\"\"\"A\"\" <105>\",\"PJSIP/105-00000006\",\"PJSIP/trunk-00000007\",\
         \"Dial\",\"PJSIP/0355550100@trunk,12\",{times},\"{disposition}\",\"DOCUMENTATION\",\"1772359200.1\",\"\"\n"
    )
}

#[test]
fn the_seconds_of_a_call_back_are_those_of_the_leg_itself_and_not_of_the_one_answered_before() {
    // A1
    let row = |answer: &str, billable: u32| {
        let times = format!("\"2026-03-01 10:00:00\",\"{answer}\",\"2026-03-01 10:05:00\",300,{billable}");
        let read = cdrs("asterisk_cdr_csv", &asterisk(&times, "ANSWERED"));
        (read.rows[0].billable, read.counters.billable_against_times)
    };
    assert_eq!(row("2026-03-01 10:01:30", 300), (210, 1));
    assert_eq!(row("2026-03-01 10:01:30", 211), (211, 0), "rounded");
    assert_eq!(row("2026-03-01 10:01:30", 60), (60, 0), "fewer seconds are what the PBX says");
    assert_eq!(row("2026-03-01 10:00:00", 300), (300, 0), "the first leg");
}

#[test]
fn an_answer_time_and_billable_seconds_outweigh_a_disposition() {
    // A2
    let read = cdrs(
        "asterisk_cdr_csv",
        &asterisk(
            "\"2026-03-01 10:00:00\",\"2026-03-01 10:00:05\",\"2026-03-01 10:04:00\",240,235",
            "NO ANSWER",
        ),
    );
    assert_eq!((read.rows[0].outcome, read.rows[0].billable), (Outcome::Answered, 235));
    assert_eq!(read.counters.answered_against_disposition, 1);
}

#[test]
fn every_spelling_of_never_means_not_answered() {
    // A3
    for never in
        ["", "\"\"", "\"1970-01-01 00:00:00\"", "\"2000-01-01 00:00:00\"", "\"0000-00-00 00:00:00\"", "NULL"]
    {
        let row =
            asterisk(&format!("\"2026-03-01 10:00:00\",{never},\"2026-03-01 10:00:09\",9,0"), "NO ANSWER");
        let read = cdrs("asterisk_cdr_csv", &row);
        assert_eq!((read.rows[0].answered, read.rows[0].outcome), (None, Outcome::NoAnswer), "{never}");
    }
    for never in ["0", "\"0\"", "0.000000", "\"1970-01-01T00:00:00+00:00\"", "null", "\"\""] {
        let row = format!(
            "{{\"src\":\"105\",\"dst\":\"203\",\"start\":1772359200,\"answer\":{never},\"end\":1772359209,\"duration\":9,\"billsec\":0,\"disposition\":\"BUSY\",\"uniqueid\":\"1.1\"}}\n"
        );
        let read = cdrs("asterisk_cdr_json", &row);
        assert_eq!((read.rows[0].answered, read.rows[0].outcome), (None, Outcome::Busy), "{never}");
    }
}

#[test]
fn a_record_without_a_start_takes_it_from_its_end_and_without_both_is_rejected_alone() {
    // A4
    let good = r#"{"src":"105","dst":"203","start":1772359200,"end":1772359209,"duration":9,"billsec":0,"uniqueid":"a"}"#;
    let without = good.replace("\"start\":1772359200,", "");
    let neither = without.replace("1772359209", "0");
    let read = cdrs("asterisk_cdr_json", &format!("{neither}\n{without}\n{good}\n"));
    assert_eq!(read.rows.iter().map(|row| row.started).collect::<Vec<_>>(), [1_772_359_200; 2]);
    assert_eq!(read.why(), ["start: no usable time: the clock of the PBX was not set"]);
    assert_eq!(read.counters.untrusted_clock, 1);
}

#[test]
fn a_negative_duration_counts_as_none_and_is_counted() {
    // A5
    let read = cdrs(
        "asterisk_cdr_csv",
        &asterisk("\"2026-03-01 10:00:10\",,\"2026-03-01 10:00:07\",-3,0", "FAILED"),
    );
    assert_eq!((read.rows[0].started, read.rows[0].ended), (1_772_359_210, 1_772_359_210));
    assert_eq!(read.counters.ended_at_start, 1);
    let read = cdrs("freepbx_export", &format!("{FREEPBX}2026-03-01 10:00:10,105,203,-3,0,FAILED\n"));
    assert_eq!((read.rows[0].ended, read.counters.ended_at_start), (1_772_359_210, 1));
}

#[test]
fn a_slip_of_units_is_checked_against_the_times_and_refused_without_them() {
    // A6
    let slip = "136298900000.000000";
    let times =
        format!("\"2026-03-01 10:00:00\",\"2026-03-01 10:00:00\",\"2026-03-01 10:02:16\",{slip},{slip}");
    let read = cdrs("asterisk_cdr_csv", &asterisk(&times, "ANSWERED"));
    assert_eq!((read.rows[0].ended - read.rows[0].started, read.rows[0].billable), (136, 136));
    let read =
        cdrs("freepbx_export", &format!("{FREEPBX}2026-03-01 10:00:00,105,203,{slip},{slip},ANSWERED\n"));
    assert_eq!(read.why(), ["duration: start, end and duration contradict one another"]);
}

#[test]
fn a_duration_of_nothing_is_taken_from_the_times() {
    // A8
    let times = "\"2026-03-01 10:00:00\",\"2026-03-01 10:00:10\",\"2026-03-01 10:01:30\",0,0";
    let read = cdrs("asterisk_cdr_csv", &asterisk(times, "ANSWERED"));
    assert_eq!(
        (read.rows[0].billable, read.rows[0].outcome, read.counters.ended_by_clock),
        (80, Outcome::Answered, 1)
    );
}

#[test]
fn ringing_is_charged_only_where_nothing_tells_it_from_talking() {
    // A12
    let columns = |more: &str, fields: &str| {
        own(
            &format!("columns = [\"a\", \"b\", \"start\", \"seconds\"{more}]"),
            &format!(
                "calling = \"a\"\ndialled = \"b\"\nstarted_at = {{ column = \"start\" }}\nduration = {{ column = \"seconds\" }}\n{fields}"
            ),
        )
    };
    let row = "105,0355550100,2026-03-01 10:00:00,60";
    let plain = columns("", "answered_by = \"billable_seconds\"");
    assert_eq!(cdrs_of(plain, "UTC", format!("{row}\n").as_bytes()).rows[0].billable, 60);
    let answer = columns(", \"answer\"", "answered_at = { column = \"answer\" }");
    let read = cdrs_of(answer, "UTC", format!("{row},2026-03-01 10:00:25\n").as_bytes());
    assert_eq!((read.rows[0].billable, read.rows[0].answered), (35, Some(1_772_359_225)));
    let talk = columns(
        ", \"talk\"",
        "billable = { column = \"talk\", unit = \"clock\" }\nanswered_by = \"billable_seconds\"",
    );
    let read = cdrs_of(talk, "UTC", format!("{row},0:34\n{row},0:00\n").as_bytes());
    assert_eq!(
        (read.rows[0].billable, read.rows[1].billable, read.rows[1].outcome),
        (34, 0, Outcome::NoAnswer)
    );
}

/// Keeps of each call whether its length is unknown, and its seconds.
struct Unknown<'u>(&'u mut Vec<(bool, u32)>);
impl tollwatch_cdr::Sink for Unknown<'_> {
    fn record(&mut self, _: tollwatch_cdr::Place, record: &tollwatch_cdr::Record<'_>) {
        if let tollwatch_cdr::Record::Cdr(cdr) = record {
            self.0.push((cdr.length_unknown, cdr.billable_seconds));
        }
    }
    fn passed_over(&mut self, _: tollwatch_cdr::Place) {}
    fn rejected(&mut self, rejected: &tollwatch_cdr::Rejected<'_>) {
        panic!("{rejected:?}");
    }
}

#[test]
fn a_call_as_long_as_a_session_timer_allows_is_of_unknown_length() {
    // A9
    let lasts = |seconds: i64, limits: &[i64]| {
        let end = tollwatch_cdr::EventTime::from_seconds(1_772_359_205 + seconds).to_string();
        let end = end.replace('T', " ").replace('Z', "");
        let times =
            format!("\"2026-03-01 10:00:00\",\"2026-03-01 10:00:05\",\"{end}\",{},{seconds}", seconds + 5);
        let mut unknown = Vec::new();
        let mut decoder = common::decoder("asterisk_cdr_csv", "UTC").with_session_limits(limits);
        let text = asterisk(&times, "ANSWERED");
        decoder.decode(text.as_bytes(), true, &mut Unknown(&mut unknown));
        assert_eq!(decoder.counters().at_session_limit, u64::from(unknown[0].0));
        // What the PBX says is handed on all the same.
        assert_eq!(unknown[0].1, seconds as u32);
        unknown[0].0
    };
    let limits = [10_800, 43_200];
    for seconds in [10_799, 10_800, 10_801, 43_201, 43_199] {
        assert!(lasts(seconds, &limits) && !lasts(seconds, &[]), "{seconds}");
    }
    // The timer may have begun with the ringing.
    assert!(lasts(10_795, &limits));
    for seconds in [10_790, 10_802, 60, 0, 43_203] {
        assert!(!lasts(seconds, &limits), "{seconds}");
    }
}

#[test]
fn a_record_without_parties_is_passed_over_and_counted() {
    // B7
    let empty = "\"\",\"\",\"\",\"default\",\"\",\"Dongle/d0-0100000000\",\"\",\"\",\"\",\"2026-03-01 10:00:00\",,\"2026-03-01 10:00:00\",0,0,\"FAILED\",\"DOCUMENTATION\",\"1772359200.2\",\"\"\n";
    let read = cdrs("asterisk_cdr_csv", empty);
    assert_eq!((read.rows.len(), read.passed_over, read.counters.without_parties), (0, 1, 1));
}

#[test]
fn a_header_is_passed_over_wherever_it_comes_again() {
    // C3
    let row = "2026-03-01 10:00:00,105,203,9,4,ANSWERED\n";
    let read = cdrs("freepbx_export", &format!("{FREEPBX}{row}{row}{FREEPBX}{row}"));
    assert_eq!((read.rows.len(), read.passed_over, read.rejected.len()), (3, 2, 0));
    let header = "accountcode,src,dst,dcontext,clid,channel,dstchannel,lastapp,lastdata,start,answer,end,duration,billsec,disposition,amaflags\n";
    let good = asterisk("\"2026-03-01 10:00:00\",,\"2026-03-01 10:00:09\",9,0", "BUSY");
    let read = cdrs("asterisk_cdr_csv", &format!("{header}{good}{header}{good}"));
    assert_eq!((read.rows.len(), read.passed_over), (2, 2));
}

#[test]
fn a_file_cut_at_its_first_or_last_record_loses_only_that() {
    // C4
    let good = asterisk("\"2026-03-01 10:00:00\",,\"2026-03-01 10:00:09\",9,0", "BUSY");
    let first = &good[good.find("10:00:00").unwrap()..];
    let read = cdrs("asterisk_cdr_csv", &format!("{first}{good}{good}"));
    assert_eq!((read.rows.len(), read.rejected.len()), (2, 1));
    let report = "44123,32123,\"NOROUTE\",93,80,1,2026-03-01 10:00:00\n44123,32123,\"NOROUTE\",93,80,1";
    let read = cdrs("voip_report_csv", report);
    assert_eq!((read.rows.len(), read.why()), (1, vec!["cut off by the end of the input"]));
    let json = r#"{"src":"105","dst":"203","start":1772359200,"end":1772359209,"duration":9,"billsec":0,"uniqueid":"1.1"}"#;
    let read = cdrs("asterisk_cdr_json", &format!("{}\n{json}\n{}", &json[30..], &json[..40]));
    assert_eq!((read.rows.len(), read.rejected.len()), (1, 2));
}

#[test]
fn a_json_row_that_the_pbx_cut_off_behind_its_id_is_read_and_one_before_it_lost_alone() {
    // C4
    let row = |number: u8, user: &str| {
        format!(
            r#"{{"src":"105","dst":"203","start":1772359200,"end":1772359209,"duration":9,"billsec":0,"uniqueid":"1.{number}","userfield":"{user}","sequence":{number}}}"#
        )
    };
    let behind = &row(1, "much text")[..110];
    let before = &row(2, "")[..60];
    let spanning = row(3, "two\nlines");
    let read = cdrs(
        "asterisk_cdr_json",
        &format!("{behind}\n{}\n{before}\n{}\n{spanning}\n", row(4, ""), row(5, "")),
    );
    let ids: Vec<&str> = read.rows.iter().map(|row| row.call_id.as_str()).collect();
    assert_eq!(ids, ["1.1", "1.4", "1.5", "1.3"], "{:?}", read.rejected);
    assert_eq!((read.rejected.len(), read.counters.cut_off), (1, 1));
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_name_and_utf16_is_refused_clearly() {
    // C5
    let text = format!("\u{feff}{FREEPBX}2026-03-01 10:00:00,105,203,9,4,ANSWERED\n");
    assert_eq!(cdrs("freepbx_export", &text).rows.len(), 1);
    for order in [u16::to_le_bytes, u16::to_be_bytes] {
        let wide: Vec<u8> = text.encode_utf16().flat_map(order).collect();
        let read = cdrs_of(define("freepbx_export"), "UTC", &wide);
        assert_eq!((read.rows.len(), read.why()), (0, vec!["the file is in UTF-16"]));
        assert!(read.rejected[0].hint.unwrap().english.contains("iconv"));
    }
}

#[test]
fn names_in_no_encoding_drop_no_row_and_no_digit() {
    // C7
    let bytes =
        |text: &str| text.bytes().map(|byte| if byte == b'~' { 0xe9 } else { byte }).collect::<Vec<u8>>();
    let row =
        asterisk("\"2026-03-01 10:00:00\",,\"2026-03-01 10:00:09\",9,0", "BUSY").replace("\"A\"", "\"Jos~\"");
    assert_eq!(cdrs_of(define("asterisk_cdr_csv"), "UTC", &bytes(&row)).rows[0].dialled, "0355550100");
    let row = r#"{"clid":"Jos~","src":"105","dst":"203","start":1772359200,"end":1772359209,"duration":9,"uniqueid":"1.1"}"#;
    assert_eq!(cdrs_of(define("asterisk_cdr_json"), "UTC", &bytes(row)).rows[0].dialled, "203");
    let row = r#"{"type":"cdr","calling":"Jos~","started_at":1772359200,"ended_at":1772359209,"outcome":"busy","dialled":"203"}"#;
    assert_eq!(cdrs_of(define("tollwatch_jsonl"), "UTC", &bytes(row)).rows[0].dialled, "203");
}

#[test]
fn quotes_and_commas_in_names_shift_no_column_where_the_pbx_escapes_nothing() {
    // C9
    let lines =
        "columns = [\"name\", \"calling\", \"dialled\", \"start\", \"seconds\"]\nquotes = \"unescaped\"";
    let fields = "calling = \"calling\"\ndialled = \"dialled\"\nstarted_at = { column = \"start\" }\nduration = { column = \"seconds\" }";
    let rest = "\"1001\",\"0035679000001\",\"2026-03-01 10:00:00\",\"9\"\n";
    for name in ["Doe", "Doe, \"JD\" John", "Doe \"JD, John", "\"", "Doe, John", "\"a\",b\""] {
        let read = cdrs_of(own(lines, fields), "UTC", format!("\"{name}\",{rest}\"x\",{rest}").as_bytes());
        let dialled: Vec<&str> = read.rows.iter().map(|row| row.dialled.as_str()).collect();
        assert_eq!(dialled, ["0035679000001", "0035679000001"], "{name}: {:?}", read.rejected);
    }
    // Where a name brings whole columns with it, nothing tells which are real.
    let read = cdrs_of(own(lines, fields), "UTC", format!("\"a\",\"b\",{rest}").as_bytes());
    assert_eq!((read.rows.len(), read.why()), (0, vec!["6 fields where 5 belong"]));
    // Without quotes: what is too much belongs to the one column that may hold it.
    let lines = "columns = [\"name\", \"calling\", \"dialled\", \"start\", \"seconds\"]\nquotes = \"none\"\noverflow = \"name\"";
    let rest = "1001,0035679000001,2026-03-01 10:00:00,9\n";
    for name in ["Doe", "Doe, \"JD\" John", "a,b,c,d", "\""] {
        let read = cdrs_of(own(lines, fields), "UTC", format!("{name},{rest}").as_bytes());
        assert_eq!(read.rows.first().map(|row| row.dialled.as_str()), Some("0035679000001"), "{name}");
    }
}

#[test]
fn columns_added_by_an_upgrade_are_found_by_name_and_refused_by_width() {
    // C11
    let more = "calldate,src,new,dst,newer,duration,billsec,disposition\n2026-03-01 10:00:00,105,x,203,y,9,4,ANSWERED\n";
    let text = format!("{FREEPBX}2026-03-01 10:00:00,105,203,9,4,ANSWERED\n{}", more.to_uppercase());
    let read = cdrs("freepbx_export", &text);
    assert_eq!(read.rows.iter().map(|row| row.dialled.as_str()).collect::<Vec<_>>(), ["203", "203"]);
    let read = cdrs("freepbx_export", &format!("{FREEPBX}2026-03-01 10:00:00,105,x,203,9,4,ANSWERED\n"));
    assert_eq!(read.why(), ["7 fields where as many as the header has belong"]);
    let wide = asterisk("\"2026-03-01 10:00:00\",,\"2026-03-01 10:00:09\",9,0", "BUSY")
        .replace(",\"\"\n", ",1,2,3,4,5\n");
    let read = cdrs("asterisk_cdr_csv", &wide);
    assert_eq!(read.why(), ["22 fields where 16 to 21 belong"]);
    assert!(read.rejected[0].hint.unwrap().japanese.contains("列数"));
}

#[test]
fn a_line_of_types_is_no_record() {
    // C12
    let lines = "header = \"required\"\ntype_line = true";
    let fields = "calling = \"calling\"\ndialled = \"dialled\"\nstarted_at = { column = \"start\", forms = [\"epoch_seconds\"] }\nbillable = { column = \"seconds\" }\nanswered_by = \"billable_seconds\"";
    let text = "\"start\",\"calling\",\"dialled\",\"seconds\"\nINTEGER,VARCHAR(50),VARCHAR(50),INTEGER\n1772359200,\"105\",\"203\",9\n";
    let read = cdrs_of(own(lines, fields), "UTC", text.as_bytes());
    assert_eq!((read.rows.len(), read.passed_over, read.rejected.len()), (1, 2, 0));
    let read = cdrs_of(own("header = \"required\"", fields), "UTC", text.as_bytes());
    assert_eq!(read.rejected.len(), 1);
}

#[test]
fn padded_columns_between_bars_are_read_by_their_order() {
    // C13
    let lines = "columns = [\"syslog\", \"kind\", \"calling\", \"dialled\", \"start\", \"seconds\"]\ndelimiter = \"|\"\ntrim = true\nquotes = \"none\"\nskip = [\"#\", \"total\"]";
    let fields = "calling = \"calling\"\ndialled = \"dialled\"\nstarted_at = { column = \"start\" }\nbillable = { column = \"seconds\" }\nanswered_by = \"billable_seconds\"";
    let text = "# CDR\n<181>[S=3] |STOP   |105  |0355550100 |2026-03-01 10:00:00 |309 \ntotal 1\n";
    let read = cdrs_of(own(lines, fields), "UTC", text.as_bytes());
    assert_eq!(
        (read.rows[0].dialled.as_str(), read.rows[0].billable, read.passed_over),
        ("0355550100", 309, 2)
    );
    assert_eq!(read.rows[0].origin, Some("105".to_owned()));
}

#[test]
fn what_a_spreadsheet_did_is_read_where_nothing_is_lost_and_refused_where_digits_are_gone() {
    // C15
    let text = format!(
        "{FREEPBX}13/3/26 9:05,1001,0355550100,9,4,ANSWERED\n2/3/26 9:05,1001,4.47E+11,9,4,ANSWERED\n2/3/26 10:05,\"4,47E+11\",203,9,4,ANSWERED\n,,,,,\n"
    );
    let read = cdrs("freepbx_export", &text.replace('\n', "\r"));
    assert_eq!((read.rows.len(), read.rows[0].started, read.passed_over), (1, 1_773_392_700, 2));
    let exponent = "an exponent stands where a telephone number belongs";
    assert_eq!(read.why(), [format!("dst: {exponent}"), format!("src: {exponent}")]);
    assert!(read.rejected[0].hint.unwrap().english.contains("digits are gone"));
}

#[test]
fn marks_in_numbers_are_stripped_and_counted() {
    // D7
    let lines = "columns = [\"calling\", \"dialled\", \"start\", \"seconds\"]";
    let fields = "calling = \"calling\"\ndialled = \"dialled\"\nstarted_at = { column = \"start\" }\nbillable = { column = \"seconds\" }\nanswered_by = \"billable_seconds\"";
    let numbers =
        "[numbers]\ndrop = [\"Ext.\"]\nstrip = \"?].XPF-\"\nreplace = { \">\" = \"*\", \"<\" = \"#\" }";
    let format = own(lines, &format!("{fields}\n{numbers}"));
    for (written, read_as, marks) in [
        ("0113726555?", "0113726555", 1),
        ("123..............", "123", 1),
        ("900-37127", "90037127", 1),
        (">72<", "*72#", 0),
        ("0355550100", "0355550100", 0),
    ] {
        let read = cdrs_of(format, "UTC", format!("Ext.10016,{written},2026-03-01 10:00:00,9\n").as_bytes());
        assert_eq!(
            (read.rows[0].dialled.as_str(), read.counters.marked_numbers),
            (read_as, marks),
            "{written}"
        );
        assert_eq!((read.rows[0].calling.as_str(), read.rows[0].origin.as_deref()), ("10016", Some("10016")));
        assert_eq!(read.rows[0].target, Some(format!("{:?}", Party::Peer(b"outside"))));
    }
}
