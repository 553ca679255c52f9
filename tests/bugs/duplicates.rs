//! Legs, repeated records and rotated files.
use super::{Call, call, engine_of, of_rule, read, rows};
use crate::harness::{critical, lines, scan, settings};
use crate::legs::rows::heard;
use std::path::Path;
use tollwatch_cdr::Format;
use tollwatch_detect::Engine;

#[test]
fn legs_that_share_an_id_are_each_counted_and_a_row_read_twice_is_not() {
    // B1: with a sequence, which tells the legs apart, and without, where the whole row does.
    for wide in [true, false] {
        let leg = |sequence: u8, dialled: &str| {
            let row = call(1, 0).row().replace(super::SIERRA_LEONE, dialled);
            let row = row.replace("trunk-00000001", &format!("trunk-0000000{sequence}"));
            let narrow = row.rsplitn(4, ',').last().unwrap();
            if wide {
                format!("{},{sequence}\n", row.rsplit_once(',').unwrap().0)
            } else {
                format!("{narrow}\n")
            }
        };
        let first = leg(1, super::SIERRA_LEONE);
        let three = [&first[..], &leg(2, "010232221234568"), &leg(3, "010232221234569")].concat();
        let engine = engine_of(&three);
        assert_eq!((engine.counters().watched, engine.counters().duplicates), (3, 0), "{three}");
        let engine = engine_of(&[&first[..], &three].concat());
        assert_eq!((engine.counters().watched, engine.counters().duplicates), (3, 1), "{three}");
    }
}

#[test]
fn counters_that_begin_anew_with_a_restart_hide_no_call() {
    // B2: sequence, serial of the id and channel names are those of the first call again.
    let again = [call(0, 0), call(0, 600)];
    let engine = engine_of(&rows(&again));
    assert_eq!((engine.counters().watched, engine.counters().duplicates), (2, 0));
    let engine = engine_of(&rows(&[again[0], again[1], again[0]]));
    assert_eq!((engine.counters().watched, engine.counters().duplicates), (2, 1));
}

#[test]
fn a_log_that_is_read_again_changes_no_counter_and_no_incident() {
    // B3
    let log = rows(&(0..12).map(|i| call(i, i64::from(i) * 60)).collect::<Vec<_>>());
    let mut engine = engine_of(&log);
    let (before, incidents) = (engine.counters(), lines(&engine));
    assert_eq!((before.watched, before.duplicates), (12, 0));
    let snapshot = engine.snapshot().unwrap();
    let mut engine = Engine::new(settings()).restore(&snapshot).unwrap();
    read(&mut engine, "asterisk_cdr_csv", &log);
    let mut after = engine.counters();
    assert_eq!((after.cdrs, after.duplicates), (24, 12));
    (after.cdrs, after.duplicates) = (before.cdrs, 0);
    assert_eq!(after, before);
    assert_eq!(lines(&engine), incidents);
}

#[test]
fn a_source_may_hold_answered_calls_alone_or_unanswered_ones_alone() {
    // B8
    for answered in [true, false] {
        let calls: Vec<Call<'_>> = (0..5).map(|i| Call { answered, ..call(i, i64::from(i) * 60) }).collect();
        let engine = engine_of(&rows(&calls));
        let burst = of_rule(&engine, "high_risk_burst");
        assert_eq!((burst.len(), burst[0].attempts), (1, 5), "answered: {answered}");
        assert_eq!(burst[0].answered, if answered { 5 } else { 0 });
        assert_eq!(burst[0].billable_seconds, if answered { 150 } else { 0 });
    }
}

#[test]
fn a_cause_of_normal_clearing_is_no_answer() {
    // B10
    let phone = "PJSIP/101-00000001";
    let out = "PJSIP/trunk-00000002";
    let dial = "AppDial (Outgoing Line)";
    let events = |answered: bool| {
        let mut events = vec![
            (0, "CHAN_START", "101", "0102246555000021", phone, 1, "", ""),
            (
                10,
                "APP_START",
                "101",
                "0102246555000021",
                phone,
                1,
                "Dial PJSIP/0102246555000021@trunk,12",
                "",
            ),
            (20, "CHAN_START", "", "s", out, 2, "", ""),
        ];
        if answered {
            events.push((2000, "ANSWER", "0102246555000021", "0102246555000021", out, 2, dial, ""));
        }
        events.push((9000, "HANGUP", "0102246555000021", "", out, 2, dial, r#"{"hangupcause":16}"#));
        heard(&events)
    };
    assert_eq!(events(false), "101>2246555000021 0s");
    assert_eq!(events(true), "101>2246555000021 7s");
}

#[test]
fn every_format_says_what_it_is_blind_to() {
    // B12
    for format in Format::all() {
        let blind = &format.describe().blind_to;
        assert!(!blind.english.is_empty() && !blind.japanese.is_empty(), "{}", format.name());
    }
}

/// What the scan of such files finds: watched calls, and the incidents.
fn scanned(parts: &[&str]) -> (u64, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let mut paths = Vec::new();
    for (number, part) in parts.iter().enumerate() {
        let path = folder.path().join(format!("Master.csv.{number}"));
        std::fs::write(&path, part).unwrap();
        paths.push(path);
    }
    let paths: Vec<&Path> = paths.iter().map(std::path::PathBuf::as_path).collect();
    let (engine, report) = scan(&paths, "Asia/Tokyo");
    assert!(report.files.iter().all(|file| file.rejected.is_empty() && file.error.is_none()));
    (engine.counters().watched, lines(&engine))
}

#[test]
fn a_log_rotated_by_copy_or_by_name_counts_each_call_once() {
    // C1, C2
    let row: Vec<String> = (0..12).map(|i| call(i, i64::from(i) * 60).row()).collect();
    let (old, new) = (row[..10].concat(), row[10..].concat());
    let whole = scanned(&[&row.concat()]);
    assert_eq!(whole.0, 12);
    assert_eq!(scanned(&[&new, &old]), whole, "by name");
    assert_eq!(scanned(&[&old, &new]), whole, "in any order");
    assert_eq!(scanned(&[&old, &old, &new]), whole, "a copy beside the original");
    assert_eq!(scanned(&[&row.concat(), &old]), whole, "copied, and not yet cut back");
    assert_eq!(scanned(&[&row[8..].concat(), &old]), whole, "two rows in both");
}

#[test]
fn a_name_is_part_of_no_key() {
    // C8
    let names = ["Łukasz", "", "山田", "\u{202e}x", "A"];
    let calls: Vec<Call<'_>> =
        (0..).zip(names).map(|(i, name)| Call { name, ..call(i, i64::from(i) * 60) }).collect();
    let engine = engine_of(&rows(&calls));
    assert_eq!(critical(&engine), ["105"]);
    assert_eq!(of_rule(&engine, "high_risk_burst")[0].attempts, 5);
    assert!(!lines(&engine).concat().contains("Łukasz"));
}

/// A completed call by 105 to Sierra Leone, as another program writes it; seconds count from `NIGHT`.
fn written(start: i64, identity: &str) -> String {
    let (start, end) = (super::NIGHT + start, super::NIGHT + start + 30);
    format!(
        r#"{{"type":"cdr","identity":"{identity}","started_at":{start},"ended_at":{end},"billable_seconds":30,"outcome":"answered","extension":"105","dialled":"{}"}}"#,
        super::SIERRA_LEONE
    ) + "\n"
}

#[test]
fn a_record_that_was_given_a_name_is_one_call_though_it_says_another_start_the_next_time() {
    let counted = |text: &str| {
        let mut engine = Engine::new(settings());
        read(&mut engine, "tollwatch_jsonl", text);
        (engine.counters().watched, engine.counters().duplicates)
    };
    // A quarter of an hour and twelve hours apart, and with a name that looks like a hash.
    for name in ["call-17", "00000000000000ff"] {
        for apart in [0, 900, 43_200] {
            let again = [written(0, name), written(apart, name)].concat();
            assert_eq!(counted(&again), (1, 1), "{name}, {apart} seconds apart");
        }
    }
    assert_eq!(counted(&[written(0, "call-17"), written(0, "call-18")].concat()), (2, 0));
    // Days later the PBX has begun to count anew.
    let days = |day: i64| [written(0, &format!("of-day-{day}")), written(day * 86_400, "call-17")].concat();
    assert_eq!(counted(&[days(0), days(1), days(2), days(3)].concat()).0, 4 + 2);
}

#[test]
fn freeswitchs_row_of_a_called_leg_is_its_callers_call() {
    // B4
    let leg = |id: &str, called: &str, account: &str, minute: u32| {
        format!(
            "\"x\",\"0355550100\",\"010232221234567\",\"default\",\"2026-03-08 03:{minute:02}:18\",\"2026-03-08 03:{minute:02}:20\",\
             \"2026-03-08 03:{minute:02}:50\",\"32\",\"30\",\"NORMAL_CLEARING\",\"{id}\",\"{called}\",\"{account}\",\"PCMU\",\"PCMU\"\n"
        )
    };
    let both: String = (0..3)
        .map(|i| leg(&format!("a{i}"), &format!("b{i}"), "105", i) + &leg(&format!("b{i}"), "", "", i))
        .collect();
    let callers: String = (0..3).map(|i| leg(&format!("a{i}"), "", "105", i)).collect();
    for text in [both, callers] {
        let mut engine = Engine::new(settings());
        read(&mut engine, "freeswitch_cdr_csv", &text);
        assert_eq!((engine.counters().watched, critical(&engine)), (3, vec!["105".to_owned()]), "{text}");
        assert_eq!(of_rule(&engine, "high_risk_burst")[0].billable_seconds, 90);
    }
}
