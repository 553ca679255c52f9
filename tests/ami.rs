//! The manager interface against what the PBX wrote of the same calls.
use crate::harness::{captures, config, critical, feed, lines, settings, wire};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use tollwatch::{Config, Scanner};
use tollwatch_cdr::Format;
use tollwatch_detect::{Engine, IncidentV1};
use tollwatch_simulate::{Case, Kind, Scenario, write_ami, write_cdr_csv, write_cel_csv};

const RUNS: [(&str, &str); 10] = [
    ("r1-default", "Asia/Tokyo"),
    ("r3-unanswered-cancel-newcols", "Asia/Tokyo"),
    ("r6-chan-sip", "Asia/Tokyo"),
    ("r7-attack-3am", "Asia/Tokyo"),
    ("r8a-dst-fall-NY", "America/New_York"),
    ("r8b-dst-spring-NY", "America/New_York"),
    ("r9-stop-kill-rotate", "Asia/Tokyo"),
    ("r11-csv-overflow", "Asia/Tokyo"),
    ("r12-userfield", "Asia/Tokyo"),
    ("r13-vm-unregistered", "Asia/Tokyo"),
];

/// The packets of a stream for which `keep` holds, and what stands in front of the first.
pub(crate) fn packets(stream: &[u8], mut keep: impl FnMut(&[u8]) -> bool) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut rest = stream;
    while let Some(end) = rest.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
        let (packet, behind) = rest.split_at(end + 4);
        rest = behind;
        if keep(packet) {
            kept.extend_from_slice(packet);
        }
    }
    kept
}

pub(crate) fn is_cdr(packet: &[u8]) -> bool {
    packet.windows(11).any(|bytes| bytes == b"Event: Cdr\r")
}

/// A capture with the time of receipt in front of each packet, in a file of its own.
fn recorded(folder: &Path, run: &str, keep: impl Fn(&[u8]) -> bool) -> (tempfile::TempDir, PathBuf) {
    let stream = std::fs::read(folder.join(run).join("ami_raw.txt")).unwrap();
    let index = std::fs::read_to_string(folder.join(run).join("ami_raw.idx.csv")).unwrap();
    let mut reads = index.lines().skip(1).map(|line| {
        let (received, read) = line.split_once(',').unwrap();
        (read.split(',').map(|text| text.parse::<usize>().unwrap()).sum::<usize>(), received)
    });
    let mut read = reads.next().unwrap();
    let (mut out, mut at) = (Vec::new(), 0);
    while let Some(end) = stream[at..].windows(4).position(|bytes| bytes == b"\r\n\r\n") {
        let mut packet = &stream[at..at + end + 4];
        at += end + 4;
        while read.0 < at {
            read = reads.next().unwrap();
        }
        if packet.starts_with(b"Asterisk Call Manager/") {
            let (banner, behind) =
                packet.split_at(packet.iter().position(|&byte| byte == b'\n').unwrap() + 1);
            out.extend_from_slice(banner);
            packet = behind;
        }
        if keep(packet) {
            out.extend_from_slice(format!("Received: {}\r\n", read.1).as_bytes());
            out.extend_from_slice(packet);
        }
    }
    let own = tempfile::tempdir().unwrap();
    let path = own.path().join("ami.log");
    std::fs::write(&path, out).unwrap();
    (own, path)
}

fn scanned(files: &[&Path], zone: &str) -> Engine {
    let Config { sources, settings, .. } = config(zone);
    let mut engine = Engine::new(settings);
    let mut scanner = Scanner::new(sources);
    for file in files {
        scanner.open(file).unwrap_or_else(|error| panic!("{}: {error:?}", file.display()));
    }
    let report = scanner.run(&mut engine, &mut |_| {});
    let rejected: u64 = report.files.iter().flat_map(|file| file.rejected.values()).sum();
    assert_eq!(rejected, 0, "{files:?}");
    engine
}

/// Incidents without what depends on when a packet was written: rule, whom, how bad, which calls.
pub(crate) fn told(engine: &Engine) -> BTreeSet<String> {
    wire(engine)
        .into_iter()
        .map(|incident| {
            if overlaps(&incident) {
                return format!("{} {:?}", incident.rule, incident.scope);
            }
            let destinations: BTreeMap<_, _> =
                incident.destinations.iter().map(|one| (one.prefix.clone(), one.calls)).collect();
            format!(
                "{} {:?} {:?} {} answered {} {destinations:?} {:?}",
                incident.rule,
                incident.severity,
                incident.scope,
                incident.attempts,
                incident.answered,
                incident.call_ids,
            )
        })
        .collect()
}

/// What one has and the other has not, each way.
pub(crate) fn differing<T: Ord + Clone>(one: &BTreeSet<T>, other: &BTreeSet<T>) -> [Vec<T>; 2] {
    [one.difference(other).cloned().collect(), other.difference(one).cloned().collect()]
}

#[test]
fn each_run_gives_the_incidents_that_its_cel_file_gives() {
    let Some(folder) = captures() else { return };
    for (run, zone) in RUNS {
        let cel = scanned(&[&folder.join(run).join("cel-custom/Master.csv")], zone);
        let (_own, path) = recorded(&folder, run, |packet| !is_cdr(packet));
        let ami = scanned(&[&path], zone);
        let (by_ami, by_cel) = (told(&ami), told(&cel));
        assert!(by_ami == by_cel, "{run}: {:#?}", differing(&by_ami, &by_cel));
        assert_eq!(ami.counters().outbound, cel.counters().outbound, "{run}");
    }
}

#[test]
fn the_attack_is_flagged_when_its_third_call_begins() {
    let Some(folder) = captures() else { return };
    let (_own, path) = recorded(&folder, "r7-attack-3am", |packet| !is_cdr(packet));
    let engine = scanned(&[&path], "Asia/Tokyo");
    let first = wire(&engine)
        .into_iter()
        .filter(|incident| incident.scope.value == "105")
        .min_by_key(|incident| incident.detected_at.clone())
        .unwrap();
    println!("{} at {} by {:?}", first.rule, first.detected_at, first.detected_on);
    assert_eq!(format!("{:?}", first.detected_on), "Start");
    // The starts of 105's calls over the trunk, in order.
    let stream = String::from_utf8_lossy(&std::fs::read(&path).unwrap()).into_owned();
    let mut starts = Vec::new();
    for packet in stream.split("\r\n\r\n").filter(|packet| packet.contains("Event: DialBegin")) {
        let value =
            |key: &str| packet.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default().to_owned();
        if value("Channel: ").starts_with("PJSIP/105-") && value("DialString: ").contains("@trunk") {
            starts.push(value("Timestamp: "));
        }
    }
    let third: f64 = starts[2].parse().unwrap();
    let detected = chrono::DateTime::parse_from_rfc3339(&first.detected_at).unwrap();
    assert!(detected.timestamp_micros() as f64 / 1e6 <= third + 0.001, "{} {third}", first.detected_at);
}

/// Rule and whom, with calls, seconds and money. How many calls overlap is a matter of the milliseconds in which events
/// were written; of that only whom it is about.
fn sums(engine: &Engine) -> BTreeSet<(String, u64, u64, String)> {
    let sum = |incident: IncidentV1| {
        let key = format!("{} {:?}", incident.rule, incident.scope);
        if overlaps(&incident) {
            return (key, 0, 0, String::new());
        }
        (key, incident.attempts, incident.billable_seconds, format!("{:?}", incident.exposure))
    };
    wire(engine).into_iter().map(sum).collect()
}

fn overlaps(incident: &IncidentV1) -> bool {
    incident.rule.starts_with("concurrent")
}

#[test]
fn call_records_and_the_interface_give_one_call_one_count_and_the_settled_seconds() {
    let Some(folder) = captures() else { return };
    let csv = folder.join("r7-attack-3am/cdr-csv/Master.csv");
    let custom = folder.join("r7-attack-3am/cdr-custom/Master.csv");
    let cel = folder.join("r7-attack-3am/cel-custom/Master.csv");
    let (_live, live) = recorded(&folder, "r7-attack-3am", |packet| !is_cdr(packet));
    let (_all, all) = recorded(&folder, "r7-attack-3am", |_| true);
    let (_cdrs, cdrs) = recorded(&folder, "r7-attack-3am", is_cdr);
    let settled = sums(&scanned(&[&csv, &cel], "Asia/Tokyo"));
    let recorded = sums(&scanned(&[&csv], "Asia/Tokyo"));
    for (files, expected) in [
        (vec![&*cdrs], &recorded),
        (vec![&*cdrs, &*csv], &recorded),
        (vec![&*all], &settled),
        (vec![&*live, &*csv], &settled),
        (vec![&*csv, &*live], &settled),
        (vec![&*all, &*csv], &settled),
        (vec![&*all, &*custom, &*csv], &settled),
    ] {
        let engine = scanned(&files, "Asia/Tokyo");
        assert_eq!(critical(&engine), ["101", "105"], "{files:?}");
        assert_eq!(engine.counters().outbound, 65, "{files:?}: no call counts twice");
        let found = sums(&engine);
        assert!(found == *expected, "{files:?}: {:#?}", differing(&found, expected));
    }
}

pub(crate) fn case(kind: Kind) -> Case {
    Scenario::new(7).extensions(20).days(4).attack(kind).build().unwrap()
}

pub(crate) fn written(write: impl FnOnce(&mut Vec<u8>) -> std::io::Result<()>) -> Vec<u8> {
    let mut bytes = Vec::new();
    write(&mut bytes).unwrap();
    bytes
}

fn fed(streams: &[(&str, &[u8])]) -> Engine {
    let mut engine = Engine::new(settings());
    for (format, bytes) in streams {
        feed(&mut engine, "default", Format::parse(format).unwrap(), bytes, 8_192, 64);
    }
    engine.finish();
    engine
}

#[test]
fn simulated_attacks_are_found_by_the_interface_as_by_cel_to_the_byte() {
    for kind in
        [Kind::Burst, Kind::ForwardPumping, Kind::Probe, Kind::LongCalls, Kind::OneNumber, Kind::Spread]
    {
        let case = case(kind);
        let (ami, cel) = (written(|out| write_ami(&case, out)), written(|out| write_cel_csv(&case, out)));
        let live = packets(&ami, |packet| !is_cdr(packet));
        let (by_ami, by_cel) = (fed(&[("asterisk_ami", &live)]), fed(&[("asterisk_cel_csv", &cel)]));
        assert!(!lines(&by_cel).is_empty(), "{kind:?}");
        assert!(lines(&by_ami) == lines(&by_cel), "{kind:?}");
        // What the interface says of call records is what the file says.
        let cdr = written(|out| write_cdr_csv(&case, out));
        let records = packets(&ami, is_cdr);
        let (by_record, by_row) = (fed(&[("asterisk_ami", &records)]), fed(&[("asterisk_cdr_csv", &cdr)]));
        let sums = |engine: &Engine| {
            let sum = |incident: IncidentV1| {
                (
                    incident.rule,
                    incident.attempts,
                    incident.billable_seconds,
                    format!("{:?}", incident.exposure),
                )
            };
            wire(engine).into_iter().map(sum).collect::<Vec<_>>()
        };
        assert_eq!(sums(&by_record), sums(&by_row), "{kind:?}");
        assert_eq!(by_record.counters().duplicates, 0);
    }
}
