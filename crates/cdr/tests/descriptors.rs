//! What a descriptor can say, and what it is told when it is wrong.
#![allow(clippy::panic, clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]
mod common;
use common::{cdrs_of, descriptor, own};
use tollwatch_cdr::{Decoder, Format, Outcome, Zone};

const LINES: &str = "columns = [\"a\", \"b\", \"start\", \"seconds\"]";
const FIELDS: &str = "calling = \"a\"\ndialled = \"b\"\nstarted_at = { column = \"start\" }\nduration = { column = \"seconds\" }";

#[test]
fn all_faults_of_a_descriptor_are_told_at_once_with_place_and_hint() {
    let text = descriptor(
        "columns = [\"a\", \"a\", \"start\"]\ndelimiter = \"ab\"\noverflow = \"z\"",
        "dialled = \"b\"\nstarted_at = { column = \"start\", forms = [\"%Q\"] }\n[numbers]\nstrip = \"5\"",
    )
    .replace("name = \"own\"", "name = \"My PBX\"\nzone = \"Tokyo\"");
    let faults = Format::define(&text).unwrap_err().faults;
    let places: Vec<&str> = faults.iter().map(|fault| fault.place.as_str()).collect();
    assert_eq!(
        places,
        [
            "name",
            "zone",
            "lines.delimiter",
            "lines.columns.1",
            "fields.dialled",
            "fields.started_at.forms",
            "fields.extension",
            "fields.duration",
            "lines.overflow",
            "numbers.strip",
        ]
    );
    assert!(faults.iter().all(|fault| !fault.what.is_empty() && !fault.hint.is_empty()), "{faults:?}");
    let unknown = Format::define(&descriptor("colums = []", FIELDS)).unwrap_err().to_string();
    assert!(unknown.contains("colums") && unknown.contains("line"), "{unknown}");
}

#[test]
fn the_order_of_day_and_month_is_found_in_the_whole_first_block_or_given_or_refused() {
    let dates = "started_at = { column = \"start\", forms = [\"%d/%m/%Y %H:%M\", \"%m/%d/%Y %H:%M\"] }";
    let format = own(LINES, &FIELDS.replace("started_at = { column = \"start\" }", dates));
    let unclear = "105,203,2/3/2026 9:05,9\n";
    let read = cdrs_of(format, "UTC", unclear.as_bytes());
    assert_eq!(read.why(), ["start: day and month of the date cannot be told apart"]);
    assert!(read.rejected[0].hint.unwrap().english.contains("--date-order"));
    let later = format!("{}105,203,25/3/2026 9:05,9\n", unclear.repeat(1000));
    let read = cdrs_of(format, "UTC", later.as_bytes());
    assert_eq!((read.rows.len(), read.rows[0].started), (1001, 1_772_442_300));
    // Dates of both orders are nobody's.
    let both = format!("{later}105,203,3/25/2026 9:05,9\n");
    assert_eq!(cdrs_of(format, "UTC", both.as_bytes()).rows.len(), 2);
    // What the first 64 KiB do not tell, nothing behind them does.
    let too_late = format!("{}105,203,25/3/2026 9:05,9\n", unclear.repeat(3000));
    assert_eq!(cdrs_of(format, "UTC", too_late.as_bytes()).rows.len(), 1);
    let mut calls = common::Calls::default();
    Decoder::new(format, Zone::UTC).with_date_order(tollwatch_cdr::DateOrder::MonthFirst).decode(
        unclear.as_bytes(),
        true,
        &mut calls,
    );
    assert_eq!(calls.rows[0].started, 1_770_109_500);
}

#[test]
fn a_direction_a_trunk_and_an_extension_say_who_called_over_what() {
    let lines =
        "columns = [\"way\", \"a\", \"b\", \"ext\", \"trunk\", \"start\", \"seconds\", \"leg\", \"tenant\"]";
    let fields = "calling = \"a\"\ndialled = \"b\"\nextension = \"ext\"\ntrunk = \"trunk\"\nstarted_at = { column = \"start\" }\nduration = { column = \"seconds\" }\ndirection = { column = \"way\", inbound = [\"in\"], internal = [\"int\"] }\nleg_id = \"leg\"\ntenant = \"tenant\"";
    let format = own(lines, fields);
    let row = |way: &str, a: &str, b: &str, trunk: &str| {
        format!("{way},{a},{b},105,{trunk},2026-03-01 10:00:00,9,L7,north\n")
    };
    let text = [
        row("OUT", "0312345678", "0022465", "carrier"),
        row("in", "0355550100", "105", "carrier"),
        row("Int", "105", "203", ""),
        row("OUT", "", "0022465", ""),
    ]
    .concat();
    let read = cdrs_of(format, "UTC", text.as_bytes());
    let parties: Vec<_> = read
        .rows
        .iter()
        .map(|row| (row.origin.as_deref().unwrap(), row.target.clone().unwrap(), row.from_outside))
        .collect();
    let peer = |name: &str| format!("{:?}", tollwatch_cdr::Party::Peer(name.as_bytes()));
    assert_eq!(
        parties,
        [
            ("105", peer("carrier"), false),
            ("carrier", peer("105"), true),
            ("105", peer("203"), false),
            ("105", peer("outside"), false)
        ]
    );
    assert!(read.rows.iter().all(|row| row.legs[1] == "L7"));
}

#[test]
fn legs_without_names_are_told_apart_and_the_same_record_keeps_its_names() {
    let row = "105,203,2026-03-01 10:00:00,9\n";
    let read =
        cdrs_of(own(LINES, FIELDS), "UTC", format!("{row}{row}{}", row.replace(",9", ",8")).as_bytes());
    assert_eq!(read.rows[0].legs, read.rows[1].legs);
    assert!(read.rows[0].legs[0] != read.rows[2].legs[0] && read.rows[0].legs[1] != read.rows[2].legs[1]);
    assert_ne!(read.rows[0].legs[0], read.rows[0].legs[1]);
}

#[test]
fn a_format_that_writes_only_ends_has_its_starts_from_the_durations() {
    let fields = FIELDS.replace("started_at", "ended_at");
    let read = cdrs_of(own(LINES, &fields), "UTC", b"105,203,2026-03-01 10:00:00,9\n");
    assert_eq!((read.rows[0].started, read.rows[0].ended), (1_772_359_191, 1_772_359_200));
}

#[test]
fn a_format_may_have_a_zone_of_its_own() {
    let text = descriptor(LINES, FIELDS).replace("name = \"own\"", "name = \"own\"\nzone = \"utc\"");
    let format = Format::define(&text).unwrap();
    let read = cdrs_of(format, "Asia/Tokyo", b"105,203,2026-03-01 10:00:00,9\n");
    assert_eq!(read.rows[0].started, 1_772_359_200);
    assert_eq!(Decoder::new(format, Zone::parse("Asia/Tokyo").unwrap()).zone(), Zone::UTC);
}

#[test]
fn backslashes_take_the_meaning_from_quotes_and_delimiters() {
    let format = own(&format!("{LINES}\nquotes = \"backslash\""), FIELDS);
    let read = cdrs_of(
        format,
        "UTC",
        b"\"a\\\"b\",c\\,d,2026-03-01 10:00:00,9\n\"e\\\\\",f,2026-03-01 10:00:00,9\n",
    );
    assert_eq!((read.rows[0].calling.as_str(), read.rows[0].dialled.as_str()), ("a\"b", "c,d"));
    assert_eq!((read.rows[1].calling.as_str(), read.rows[1].dialled.as_str()), ("e\\", "f"));
}

#[test]
fn an_optional_header_finds_columns_by_name_and_their_order_serves_without_one() {
    let format = own(&format!("{LINES}\nheader = \"optional\"\n[spellings]\nb = [\"number\"]"), FIELDS);
    let plain = cdrs_of(format, "UTC", b"105,203,2026-03-01 10:00:00,9\n");
    let named = cdrs_of(format, "UTC", b"start,seconds,NUMBER,a\n2026-03-01 10:00:00,9,203,105\n");
    assert_eq!((named.rows[0].dialled.as_str(), named.passed_over), ("203", 1));
    assert_eq!((&plain.rows[0].calling, plain.rows[0].outcome), (&named.rows[0].calling, Outcome::Answered));
}

#[test]
fn a_decoder_of_an_own_format_goes_on_after_a_snapshot() {
    let format = own("header = \"required\"", FIELDS);
    let mut decoder = Decoder::new(format, Zone::UTC);
    let mut calls = common::Calls::default();
    let header = b"b,a,seconds,start\n";
    assert_eq!(decoder.decode(header, false, &mut calls), header.len());
    let text = serde_json::to_string(&decoder).unwrap();
    let mut decoder: Decoder = serde_json::from_str(&text).unwrap();
    assert_eq!(decoder.format(), format);
    decoder.decode(b"203,105,9,2026-03-01 10:00:00\n", true, &mut calls);
    assert_eq!((calls.rows[0].calling.as_str(), calls.rows[0].dialled.as_str()), ("105", "203"));
}
