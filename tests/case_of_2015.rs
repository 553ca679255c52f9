//! The bundled case: the take-over of a Japanese PBX in spring 2015.
use crate::harness::{lines, root, scan, wire};
use tollwatch_detect::{DetectedOn, IncidentV1, Severity};

/// 14,620 answered calls of up to a minute at 175 JPY a started minute.
const BILLED: &str = "2558500.00";

fn file(name: &str) -> std::path::PathBuf {
    root().join("datasets/cases/japan-2015").join(name)
}

/// The incident of a rule that holds the pumping (the probing hours before has its own).
fn pumping<'i>(incidents: &'i [IncidentV1], rule: &str) -> &'i IncidentV1 {
    incidents
        .iter()
        .filter(|incident| incident.rule == rule)
        .max_by_key(|incident| incident.attempts)
        .unwrap_or_else(|| panic!("no incident of {rule}"))
}

#[test]
fn on_live_events_the_alarm_rings_at_the_third_call_at_the_latest() {
    let (engine, report) = scan(&[&file("cel.csv.zst")], "Asia/Tokyo");
    assert!(report.files[0].rejected.is_empty());
    let incidents = wire(&engine);
    let burst = pumping(&incidents, "high_risk_burst");
    assert_eq!(burst.scope.value, "105");
    assert_eq!(burst.severity, Severity::Critical);
    assert_eq!(burst.detected_on, DetectedOn::Start);
    assert_eq!(burst.trigger.value, "2", "the second call's start");
    assert_eq!(burst.exposure.amount, BILLED, "every call of the attack is in one incident");
    assert_eq!(burst.exposure_at_detection.amount, "175.00", "only the first call has been charged by then");
    assert_eq!(burst.exposure_at_critical.as_ref().unwrap().amount, "350.00", "critical at the third start");
    assert_eq!(burst.answered, 14_620);
}

#[test]
fn call_records_alone_find_the_same_attack_a_call_later() {
    let (live, _) = scan(&[&file("cel.csv.zst")], "Asia/Tokyo");
    let (records, _) = scan(&[&file("Master.csv.zst")], "Asia/Tokyo");
    let (live, records) = (wire(&live), wire(&records));
    let (on_event, on_cdr) = (pumping(&live, "high_risk_burst"), pumping(&records, "high_risk_burst"));
    assert_eq!(on_cdr.detected_on, DetectedOn::Cdr);
    assert_eq!(on_cdr.exposure.amount, BILLED);
    assert_eq!(on_cdr.attempts, on_event.attempts);
    assert!(on_cdr.detected_at > on_event.detected_at);
}

#[test]
fn records_and_events_of_the_same_calls_are_one_call_each() {
    let cel = file("cel.csv.zst");
    let csv = file("Master.csv.zst");
    let (events, _) = scan(&[&cel], "Asia/Tokyo");
    let (both, _) = scan(&[&csv, &cel], "Asia/Tokyo");
    let (swapped, _) = scan(&[&cel, &csv], "Asia/Tokyo");
    assert_eq!(lines(&both), lines(&swapped), "the order of the files on the command line means nothing");
    assert_eq!(both.counters().watched, events.counters().watched, "no call is counted twice");
    assert_eq!(pumping(&wire(&both), "high_risk_burst").exposure.amount, BILLED, "settled by the records");
}

#[test]
fn nobody_else_in_the_office_is_suspected() {
    let (engine, _) = scan(&[&file("Master.csv.zst"), &file("cel.csv.zst")], "Asia/Tokyo");
    let others: Vec<String> = wire(&engine)
        .into_iter()
        .filter(|incident| incident.scope.kind != "tenant" && incident.scope.value != "105")
        .map(|incident| format!("{} {}", incident.rule, incident.scope.value))
        .collect();
    assert_eq!(others, [""; 0]);
}

#[test]
fn an_incident_ends_when_its_hours_end_and_begins_again_with_them() {
    for files in [["cel.csv.zst"].as_slice(), &["Master.csv.zst"]] {
        let paths: Vec<_> = files.iter().map(|name| file(name)).collect();
        let paths: Vec<&std::path::Path> = paths.iter().map(std::path::PathBuf::as_path).collect();
        let (engine, _) = scan(&paths, "Asia/Tokyo");
        let nights: Vec<IncidentV1> = wire(&engine).into_iter().filter(|i| i.rule == "off_hours").collect();
        // Friday night to Monday morning, Monday night, Tuesday night.
        assert_eq!(nights.len(), 3, "{files:?}");
        assert!(
            nights[0].resolved_at.as_deref().is_some_and(|at| at.starts_with("2015-03-23T00:59")),
            "{nights:?}"
        );
    }
}

#[test]
fn a_log_of_events_may_be_cut_anywhere_by_rotation() {
    let log = std::fs::File::open(file("cel.csv.zst")).unwrap();
    let mut input = tollwatch_source::Input::from_reader("cel", log).unwrap();
    let (mut bytes, mut buffer) = (Vec::new(), vec![0; 1 << 20]);
    loop {
        let read = input.read(&mut buffer).unwrap();
        if read == 0 {
            break;
        }
        bytes.extend_from_slice(&buffer[..read]);
    }
    let whole = lines(&scan(&[&file("cel.csv.zst")], "Asia/Tokyo").0);
    let folder = tempfile::tempdir().unwrap();
    // Cuts in the middle of calls, wherever a line ends.
    let cut = |at: usize| bytes[..at].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    for (first, second) in [(bytes.len() / 5, bytes.len() / 2), (bytes.len() / 3, bytes.len() * 7 / 9)] {
        let (first, second) = (cut(first), cut(second));
        let parts = [&bytes[second..], &bytes[first..second], &bytes[..first]];
        let paths: Vec<_> =
            ["Master.csv", "Master.csv.1", "Master.csv.2"].map(|name| folder.path().join(name)).to_vec();
        for (path, part) in paths.iter().zip(parts) {
            std::fs::write(path, part).unwrap();
        }
        let paths: Vec<&std::path::Path> = paths.iter().map(std::path::PathBuf::as_path).collect();
        assert!(lines(&scan(&paths, "Asia/Tokyo").0) == whole, "cut at {first} and {second}");
    }
}
