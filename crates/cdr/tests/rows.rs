//! Rows written by hand, one for each thing that goes wrong in the field.
#![allow(clippy::panic, clippy::unwrap_used, clippy::indexing_slicing, reason = "test code")]
mod common;
use common::{Kept, decode, for_each_cdr};
use tollwatch_cdr::{Cdr, Counters, EventTime, Leg, Outcome, Party};

const CSV: &str = "asterisk_cdr_csv";
const CUSTOM: &str = "asterisk_cdr_custom";

/// A row of `cdr_csv` with 18 columns.
fn row(start: &str, answer: &str, end: &str, duration: &str, billsec: &str, disposition: &str) -> String {
    let answer = if answer.is_empty() { String::new() } else { format!("\"{answer}\"") };
    format!(
        "\"wh\",\"105\",\"900224655500001\",\"from-internal\",\"\"\"Sato, \\\"\"H\"\" <105>\",\"PJSIP/105-00000006\",\
         \"PJSIP/trunk-00000007\",\"Dial\",\"PJSIP/00224655500001@trunk,12,T\",\"{start}\",{answer},\"{end}\",\
         {duration},{billsec},\"{disposition}\",\"DOCUMENTATION\",\"1762063179.0\",\"\"\n"
    )
}
fn plain() -> String {
    row("2026-03-08 03:00:18", "2026-03-08 03:00:19", "2026-03-08 03:00:22", "3", "3", "ANSWERED")
}
fn times(row: &str) -> (i64, Option<i64>, i64, u32, Outcome, Counters) {
    let mut read = None;
    let (kept, decoder) = for_each_cdr(CSV, "America/New_York", row.as_bytes(), |_, cdr| {
        let answered = cdr.answered_at.map(EventTime::seconds);
        read = Some((
            cdr.started_at.seconds(),
            answered,
            cdr.ended_at.seconds(),
            cdr.billable_seconds,
            cdr.outcome,
        ));
    });
    let (started, answered, ended, billable, outcome) = read.unwrap_or_else(|| panic!("{:?}", kept.rejected));
    (started, answered, ended, billable, outcome, decoder.counters())
}
fn why(kept: &Kept) -> Vec<(u64, &str)> {
    kept.rejected.iter().map(|(place, why, _)| (place.line, why.as_str())).collect()
}

#[test]
fn a_row_becomes_a_call_in_the_terms_of_the_field() {
    let mut seen = 0;
    for_each_cdr(CSV, "Asia/Tokyo", plain().as_bytes(), |place, cdr| {
        seen += 1;
        assert_eq!((place.line, place.byte), (1, 0));
        assert_eq!(
            *cdr,
            Cdr {
                started_at: EventTime::from_seconds(1_772_906_418),
                answered_at: Some(EventTime::from_seconds(1_772_906_419)),
                ended_at: EventTime::from_seconds(1_772_906_422),
                billable_seconds: 3,
                outcome: Outcome::Answered,
                calling: b"105",
                dialled: b"900224655500001",
                sent: b"00224655500001",
                rang: b"",
                origin: Leg { id: b"PJSIP/105-00000006", party: Party::Peer(b"105") },
                target: Leg { id: b"PJSIP/trunk-00000007", party: Party::Peer(b"trunk") },
                from_outside: false,
                call_id: b"1762063179.0",
                account: b"wh",
                source_address: b"",
                tenant: b"",
                identity: cdr.identity,
                length_unknown: false,
            }
        );
    });
    assert_eq!(seen, 1);
}

#[test]
fn a_doubled_quote_in_a_number_is_undone_and_moves_no_other_field() {
    let row = plain().replace("\"105\",\"900", "\"a,b\"\"c\",\"900");
    for_each_cdr(CSV, "UTC", row.as_bytes(), |_, cdr| {
        assert_eq!(
            (cdr.calling, cdr.dialled, cdr.sent),
            (&b"a,b\"c"[..], &b"900224655500001"[..], &b"00224655500001"[..])
        );
        assert_eq!(cdr.target.party, Party::Peer(b"trunk"));
    });
}

#[test]
fn answer_and_billable_seconds_outweigh_the_disposition() {
    let (start, answer, end) = ("2026-03-01 10:00:00", "2026-03-01 10:00:05", "2026-03-01 10:04:00");
    let read = times(&row(start, answer, end, "240", "235", "NO ANSWER"));
    assert_eq!((read.3, read.4, read.5.answered_against_disposition), (235, Outcome::Answered, 1));
    assert_eq!(times(&row(start, "", end, "240", "0", "NO ANSWER")).4, Outcome::NoAnswer);
    assert_eq!(times(&row(start, "", end, "240", "0", "CANCEL")).4, Outcome::NoAnswer);
    assert_eq!(times(&row(start, "", end, "240", "0", "BUSY")).4, Outcome::Busy);
    assert_eq!(times(&row(start, "", end, "240", "0", "CONGESTION")).4, Outcome::Failed);
    for never in ["1970-01-01 09:00:00", "2000-01-01 00:00:00", "0000-00-00 00:00:00"] {
        assert_eq!(times(&row(start, never, end, "240", "0", "NO ANSWER")).1, None, "{never}");
    }
}

#[test]
fn a_clock_that_was_changed_in_the_call_does_not_change_its_length() {
    // The hour that comes twice: the channel was created at 01:59:39 of the first.
    let read = times(&row(
        "2025-11-02 01:59:39",
        "2025-11-02 01:59:40",
        "2025-11-02 01:00:20",
        "40",
        "39",
        "ANSWERED",
    ));
    assert_eq!((read.0, read.1, read.2), (1_762_063_179, Some(1_762_063_180), 1_762_063_220));
    assert_eq!(read.5.ambiguous_times, 3);
    // A leg begun after the change, in a channel created before it.
    let read = times(&row("2025-11-02 01:00:20", "", "2025-11-02 01:00:25", "5", "0", "NO ANSWER"));
    assert_eq!((read.0, read.2), (1_762_063_220, 1_762_063_225));
    // The hour that never comes.
    let read = times(&row("2026-03-08 01:59:50", "", "2026-03-08 03:00:10", "20", "0", "NO ANSWER"));
    assert_eq!(read.2 - read.0, 20);
    // A zone without summer time for a PBX that has it: the end looks an hour early.
    let read = times(&row(
        "2026-01-08 01:59:50",
        "2026-01-08 01:59:51",
        "2026-01-08 01:00:10",
        "20",
        "19",
        "ANSWERED",
    ));
    assert_eq!((read.2 - read.0, read.5.ended_by_duration), (20, 1));
    let read = times(&row("2026-01-08 10:00:10", "", "2026-01-08 10:00:07", "-3", "0", "FAILED"));
    assert_eq!((read.2 - read.0, read.5.ended_at_start), (0, 1));
}

#[test]
fn a_bad_row_is_rejected_alone_with_its_place_field_and_reason() {
    let good = plain();
    let bad = [
        "a,b,c\n".to_owned(),
        good.replace("2026-03-08 03:00:22", "2026-03-08 25:00:22"),
        good.replace(",3,3,", ",3,x,"),
        good.replace(",3,3,", ",3,604801,").replace("\"2026-03-08 03:00:19\"", ""),
    ];
    let input = format!("{good}{}{good}\n{}{}{good}\r\n{}{good}", bad[0], bad[1], bad[2], bad[3]);
    let (kept, _) = decode(CSV, "UTC", input.as_bytes());
    assert_eq!((kept.records.len(), kept.passed_over.len()), (4, 2));
    assert_eq!(
        why(&kept),
        [
            (2, "3 fields where 16 to 21 belong"),
            (5, "field 12 (end): not a time"),
            (6, "field 14 (billsec): not a whole number"),
            (9, "field 14 (billsec): start, end and duration contradict one another"),
        ]
    );
    for ((place, _, bytes), bad) in kept.rejected.iter().zip(&bad) {
        assert_eq!(bytes, bad.as_bytes());
        assert!(input[place.byte as usize..].starts_with(bad.as_str()));
    }
}

#[test]
fn a_row_cut_inside_quotes_loses_only_itself() {
    let good = plain();
    let cut = format!("{}\n", &good[..good.find("from-internal").unwrap() + 4]);
    let input = format!("{good}{cut}{good}{good}{cut}{cut}{good}");
    let (kept, _) = decode(CSV, "UTC", input.as_bytes());
    assert_eq!(kept.records.len(), 4);
    assert_eq!(why(&kept), [2, 5, 6].map(|line| (line, "a quoted field is not closed")));
    // And if no quote ever puts it right, the rows behind are found all the same.
    let input = format!("{cut}{}", good.repeat(1000));
    assert_eq!(decode(CSV, "UTC", input.as_bytes()).0.records.len(), 1000);
}

#[test]
fn a_call_whose_row_was_made_too_long_to_be_written_is_not_hidden() {
    let start = "\"\"\"A\"\" <107>\",\"107\",\"400224655500157\",\"from-internal\",\"PJSIP/107-00000004\",\
                 \"PJSIP/trunk-00000005\",\"Dial\",\"PJSIP/00224655500157@trunk,12,T\",\"2026-11-25 11:28:01\",\
                 \"2026-11-25 11:28:02\",\"2026-11-25 11:28:04\",\"2\",\"2.25\",\"ANSWERED\",\"DOCUMENTATION\",\"\",\
                 \"1795573681.8\",";
    let input = format!("{start}\"\"\"\"\"\n{start}\"\",7\n{}\n", &start[..200]);
    let mut sent = Vec::new();
    let (kept, decoder) =
        for_each_cdr(CUSTOM, "Asia/Tokyo", input.as_bytes(), |_, cdr| sent.push(cdr.sent.to_vec()));
    assert_eq!(sent, [b"00224655500157", b"00224655500157"]);
    assert_eq!((decoder.counters().cut_off, kept.rejected.len()), (1, 1));
}

#[test]
fn line_feeds_in_a_field_header_lines_marks_and_returns_are_taken_in_stride() {
    let header = "accountcode,src,dst,dcontext,clid,channel,dstchannel,lastapp,lastdata,start,answer,end,duration,billsec,disposition,amaflags\n";
    let spanning = plain().replace(",\"\"\n", ",\"one\ntwo, \"\"three\"\"\n\"\n");
    let input = format!("\u{feff}{header}{spanning}{header}{}", plain().replace('\n', "\r\n"));
    let (kept, _) = decode(CSV, "UTC", input.as_bytes());
    assert_eq!((kept.records.len(), kept.passed_over.len(), kept.rejected.len()), (2, 2, 0));
    assert_eq!(kept.records.iter().map(|(place, _)| place.line).collect::<Vec<_>>(), [2, 6]);
}

#[test]
fn the_last_row_counts_without_its_line_end_but_not_without_its_half() {
    let row = plain();
    let (kept, _) = decode(CSV, "UTC", row.trim_end().as_bytes());
    assert_eq!((kept.records.len(), kept.rejected.len()), (1, 0));
    let (kept, _) = decode(CSV, "UTC", format!("{row}{}", &row[..150]).as_bytes());
    assert_eq!((kept.records.len(), why(&kept)), (1, vec![(2, "cut off by the end of the input")]));
}

#[test]
fn the_width_says_which_columns_there_are_and_may_change_in_the_middle() {
    let all = plain().replace(",\"\"\n", "");
    let fixed = all.replace(",\"1762063179.0\"", "");
    let rows = [
        (fixed.clone(), ""),
        (format!("{fixed},\"user field\""), ""),
        (format!("{fixed},\"pbx-1762063179.3\""), "pbx-1762063179.3"),
        (format!("{all},\"user\""), "1762063179.0"),
        (format!("{fixed},\"peer\",\"1762063179.1\",7"), "1762063179.1"),
        (format!("{all},\"peer\",\"1762063179.1\",7"), "1762063179.1"),
        (format!("{fixed},\"user\",\"peer\",\"1762063179.2\",7"), "1762063179.2"),
        (format!("{all},\"user\",\"peer\",\"\",7"), "1762063179.0"),
    ];
    let input = rows.each_ref().map(|(row, _)| row.as_str()).join("\n");
    let mut ids = Vec::new();
    let (kept, _) = for_each_cdr(CSV, "UTC", input.as_bytes(), |_, cdr| {
        ids.push(String::from_utf8_lossy(cdr.call_id).into_owned());
    });
    assert_eq!(ids, rows.map(|(_, id)| id), "{:?}", kept.rejected);
}

#[test]
fn the_same_row_has_the_same_identity_and_another_row_another() {
    let identities = |text: &str| {
        let mut identities = Vec::new();
        for_each_cdr(CSV, "UTC", text.as_bytes(), |_, cdr| identities.push(cdr.identity));
        identities
    };
    let with_sequence =
        |number: u32| plain().replace(",\"\"\n", &format!(",\"\",\"\",\"1762063179.0\",{number}\n"));
    let input = [
        plain(),
        plain().replace('\n', "\r\n"),
        plain().replace("00001@", "00002@"),
        with_sequence(1),
        with_sequence(2),
    ];
    let read = identities(&input.concat());
    assert_eq!(read[0], read[1]);
    assert_eq!(std::collections::BTreeSet::from_iter(&read).len(), 4);
    // With a sequence, what else is in the row does not matter.
    assert_eq!(identities(&with_sequence(1).replace(",3,3,", ",4,4,"))[0], read[3]);
}

#[test]
fn an_event_time_is_seconds_with_a_fraction_or_a_civil_time_and_nothing_longer() {
    let event = |time: &str| {
        let row = format!(
            "\"ANSWER\",\"{time}\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"\",\"3\",\"\",\"1.0\",\"1.0\",\"\",\"\",\"\",\"\"\n"
        );
        let (kept, _) = decode("asterisk_cel_csv", "Asia/Tokyo", row.as_bytes());
        (kept.passed_over.len(), kept.rejected.len())
    };
    for good in ["1772906414.030799", "1772906414", "2026-03-08 03:00:14", "2026-03-08 03:00:14.5"] {
        assert_eq!(event(good), (1, 0), "{good}");
    }
    for bad in [
        "",
        ".5",
        "1772906414.",
        "1772906414.0000001",
        "1790000000000000000000000005572737.7",
        "-1",
        "08/03/2026",
    ] {
        assert_eq!(event(bad), (0, 1), "{bad}");
    }
}
