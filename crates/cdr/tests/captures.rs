//! What a real Asterisk wrote. Skipped where the captures are not at hand.
mod common;
use common::{capture, for_each_cdr};
use tollwatch_cdr::{Outcome, Party};

const RUNS: [(&str, &str, usize); 10] = [
    ("r1-default", "Asia/Tokyo", 258),
    ("r3-unanswered-cancel-newcols", "Asia/Tokyo", 180),
    ("r6-chan-sip", "Asia/Tokyo", 91),
    ("r7-attack-3am", "Asia/Tokyo", 75),
    ("r8a-dst-fall-NY", "America/New_York", 10),
    ("r8b-dst-spring-NY", "America/New_York", 10),
    ("r9-stop-kill-rotate", "Asia/Tokyo", 30),
    ("r11-csv-overflow", "Asia/Tokyo", 2),
    // Five lines, one of which goes on with a row that spans two.
    ("r12-userfield", "Asia/Tokyo", 4),
    ("r13-vm-unregistered", "Asia/Tokyo", 8),
];

#[test]
fn every_row_of_every_master_csv_is_a_record() {
    for (run, zone, rows) in RUNS {
        let Some(input) = capture(&format!("{run}/cdr-csv/Master.csv")) else { return };
        let mut records = 0;
        let (kept, _) = for_each_cdr("asterisk_cdr_csv", zone, &input, |_, cdr| {
            records += 1;
            assert!(cdr.ended_at >= cdr.started_at, "{cdr:?}");
            assert!(cdr.answered_at.is_some() == (cdr.outcome == Outcome::Answered), "{cdr:?}");
        });
        assert_eq!((records, kept.rejected.len(), kept.passed_over.len()), (rows, 0, 0), "{run}");
    }
}

#[test]
fn every_row_of_every_custom_file_is_a_record_even_where_it_was_cut_at_1023_bytes() {
    for (run, zone, _) in RUNS {
        for file in ["Master.csv", "MasterHires.csv"] {
            let Some(input) = capture(&format!("{run}/cdr-custom/{file}")) else { return };
            let lines = input.split(|&byte| byte == b'\n').count() - 1;
            let spanned = usize::from(run == "r12-userfield");
            let mut records = 0;
            let (kept, _) = for_each_cdr("asterisk_cdr_custom", zone, &input, |_, _| records += 1);
            assert_eq!(records + spanned, lines, "{run}/{file}");
            assert!(kept.rejected.is_empty(), "{run}/{file}: {:?}", kept.rejected);
        }
    }
}

#[test]
fn the_same_calls_stand_in_both_files() {
    for (run, zone, _) in RUNS {
        let calls = |format: &str, file: &str| {
            let mut calls = Vec::new();
            let input = capture(&format!("{run}/{file}"))?;
            for_each_cdr(format, zone, &input, |_, cdr| {
                // Neither the ids nor the hash are in both.
                calls.push(format!(
                    "{:?}",
                    tollwatch_cdr::Cdr {
                        call_id: b"",
                        identity: tollwatch_cdr::Identity::OfRecord(0),
                        ..*cdr
                    }
                ));
            });
            calls.sort();
            Some(calls)
        };
        let Some(csv) = calls("asterisk_cdr_csv", "cdr-csv/Master.csv") else { return };
        let Some(custom) = calls("asterisk_cdr_custom", "cdr-custom/Master.csv") else { return };
        // r11 dropped a row in one file and cut rows in the other; r9's file was renamed on purpose.
        if !["r11-csv-overflow", "r9-stop-kill-rotate"].contains(&run) {
            assert_eq!(csv, custom, "{run}");
        }
    }
}

#[test]
fn a_call_across_a_change_of_the_clock_lasts_as_long_as_its_duration() {
    for (run, at_change) in [("r8a-dst-fall-NY", 1_762_063_200), ("r8b-dst-spring-NY", 1_772_953_200)] {
        let Some(input) = capture(&format!("{run}/cdr-csv/Master.csv")) else { return };
        let mut starts = Vec::new();
        let mut longest = 0;
        let (_, decoder) = for_each_cdr("asterisk_cdr_csv", "America/New_York", &input, |_, cdr| {
            let lasted = cdr.ended_at.seconds_since(cdr.started_at);
            assert!((0..=42).contains(&lasted), "{cdr:?}");
            longest = longest.max(lasted);
            let created: i64 =
                std::str::from_utf8(cdr.call_id).unwrap().split('.').next().unwrap().parse().unwrap();
            assert!((0..=5).contains(&(cdr.started_at.seconds() - created)), "{cdr:?}");
            starts.push(cdr.started_at.seconds());
        });
        assert!(starts.iter().any(|&at| at < at_change) && starts.iter().any(|&at| at >= at_change), "{run}");
        assert!(longest >= 40, "{run}: {longest}");
        let ambiguous = decoder.counters().ambiguous_times;
        assert_eq!(ambiguous > 0, run == "r8a-dst-fall-NY", "{run}: {:?}", decoder.counters());
        assert_eq!(decoder.counters().ended_by_duration, 0, "{run}");
    }
}

#[test]
fn in_the_night_of_the_attack_every_trunk_leg_shows_what_was_sent() {
    let Some(input) = capture("r7-attack-3am/cdr-csv/Master.csv") else { return };
    let (mut legs, mut guinea, mut secret) = (0, 0, false);
    for_each_cdr("asterisk_cdr_csv", "Asia/Tokyo", &input, |_, cdr| {
        secret |= cdr.sent.windows(5).any(|part| part == b"dummy");
        if cdr.target.party == Party::Peer(b"trunk") {
            legs += 1;
            assert!(!cdr.sent.is_empty(), "{cdr:?}");
            guinea += usize::from(cdr.sent.windows(4).any(|part| part == b"2246"));
        }
    });
    println!("{legs} trunk legs, {guinea} to Guinea");
    assert!(legs > 50 && guinea >= 40 && !secret);
}

#[test]
fn no_row_of_any_event_log_is_rejected_and_each_file_is_known_by_its_first_rows() {
    for (run, zone, _) in RUNS {
        for (format, file) in [
            ("asterisk_cel_csv", "cel-custom/Master.csv"),
            ("asterisk_cdr_csv", "cdr-csv/Master.csv"),
            ("asterisk_cdr_custom", "cdr-custom/Master.csv"),
        ] {
            let Some(input) = capture(&format!("{run}/{file}")) else { return };
            let detected = tollwatch_cdr::detect(&input);
            assert!(
                matches!(detected, tollwatch_cdr::Detection::Found { format: found, .. } if found.name() == format),
                "{run}/{file}: {detected:?}"
            );
            let (kept, decoder) = common::decode(format, zone, &input);
            assert!(kept.rejected.is_empty(), "{run}/{file}: {:?}", kept.rejected);
            assert!(!kept.records.is_empty(), "{run}/{file}");
            assert_eq!(decoder.counters().forgotten_channels, 0, "{run}/{file}");
            assert_eq!(kept, common::decode_in_blocks(format, zone, &input, &[100, 7000, 1]), "{run}/{file}");
        }
    }
}
