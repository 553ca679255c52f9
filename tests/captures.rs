//! What a real Asterisk wrote, where its captures lie beside the repository.
use crate::harness::{captures, critical, scan, wire};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const CSV: &str = "cdr-csv/Master.csv";
const CUSTOM: &str = "cdr-custom/Master.csv";
const CEL: &str = "cel-custom/Master.csv";

fn scan_run(folder: &Path, run: &str, files: &[&str], zone: &str) -> (tollwatch_detect::Engine, u64) {
    let paths: Vec<PathBuf> = files.iter().map(|file| folder.join(run).join(file)).collect();
    let paths: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
    let (engine, report) = scan(&paths, zone);
    let rejected = report.files.iter().flat_map(|file| file.rejected.values()).sum();
    (engine, rejected)
}

/// Watched calls of each extension or unattributed trunk, by the greatest of its incidents.
fn calls(engine: &tollwatch_detect::Engine) -> BTreeMap<String, u64> {
    let mut calls = BTreeMap::new();
    for incident in wire(engine).into_iter().filter(|incident| incident.scope.kind != "tenant") {
        let most = calls.entry(incident.scope.value).or_insert(0);
        *most = incident.attempts.max(*most);
    }
    calls
}

#[test]
fn the_attack_at_three_in_the_morning_is_found_in_every_file_and_in_two_together() {
    let Some(folder) = captures() else { return };
    for files in [vec![CSV], vec![CUSTOM], vec![CEL], vec![CSV, CEL], vec![CEL, CSV], vec![CSV, CUSTOM, CEL]]
    {
        let (engine, rejected) = scan_run(&folder, "r7-attack-3am", &files, "Asia/Tokyo");
        assert_eq!(rejected, 0, "{files:?}");
        assert_eq!(critical(&engine), ["101", "105"], "{files:?}");
        let calls = calls(&engine);
        // 5 probing calls, 40 calls to Guinea, 12 to one number; and 6 forwarded by 101.
        assert_eq!(calls, BTreeMap::from([("101".to_owned(), 6), ("105".to_owned(), 57)]), "{files:?}");
        assert_eq!(engine.counters().outbound, 65, "{files:?}: no call counts twice");
    }
}

#[test]
fn live_events_find_the_attack_before_its_first_record_is_written() {
    let Some(folder) = captures() else { return };
    let first = |files: &[&str]| {
        let (engine, _) = scan_run(&folder, "r7-attack-3am", files, "Asia/Tokyo");
        wire(&engine).into_iter().find(|incident| incident.rule == "high_risk_burst").unwrap()
    };
    let (live, record) = (first(&[CEL]), first(&[CSV]));
    assert!(live.detected_at < record.detected_at, "{} {}", live.detected_at, record.detected_at);
}

#[test]
fn the_whole_suite_of_calls_gives_what_its_rows_justify_and_nothing_more() {
    let Some(folder) = captures() else { return };
    let (engine, rejected) = scan_run(&folder, "r1-default", &[CSV], "Asia/Tokyo");
    assert_eq!(rejected, 0);
    let counters = engine.counters();
    assert_eq!(counters.cdrs, 258);
    // ForkCDR wrote two rows twice, byte for byte.
    assert_eq!(counters.duplicates, 2);
    assert_eq!(counters.unclassified, 0);
    // DISA, a call straight through, and two originated calls have no extension in any row.
    let expected = [("100", 2), ("101", 3), ("102", 5), ("105", 8), ("trunk", 4)];
    let expected: BTreeMap<String, u64> =
        expected.into_iter().map(|(name, n)| (name.to_owned(), n)).collect();
    assert_eq!(calls(&engine), expected);
}

#[test]
fn every_row_of_every_run_is_read() {
    let Some(folder) = captures() else { return };
    let zones = [("r8a-dst-fall-NY", "America/New_York"), ("r8b-dst-spring-NY", "America/New_York")];
    let mut runs = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if !path.join(CSV).is_file() {
            continue;
        }
        let run = path.file_name().unwrap().to_string_lossy().into_owned();
        let zone = zones.iter().find(|(name, _)| *name == run).map_or("Asia/Tokyo", |(_, zone)| zone);
        for file in [CSV, CUSTOM, CEL] {
            let (_, rejected) = scan_run(&folder, &run, &[file], zone);
            assert_eq!(rejected, 0, "{run}/{file}");
        }
        runs += 1;
    }
    assert_eq!(runs, 10);
}
