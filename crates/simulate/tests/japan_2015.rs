//! The case that is shipped in `datasets/cases/japan-2015`.
#![allow(clippy::expect_used, reason = "a test may stop at once, its helpers too")]

use std::{fs, path::PathBuf};

use tollwatch_simulate::{
    Case, JAPAN_2015_CALLS, Outcome, japan_2015, write_cdr_csv, write_cel_csv, write_incident_labels,
};

/// The seed of the shipped files.
const SEED: u64 = 2015;

fn shipped(name: &str) -> Vec<u8> {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../datasets/cases/japan-2015");
    fs::read(directory.join(name)).expect("the case is shipped with the source")
}

fn unpacked(name: &str) -> Vec<u8> {
    zstd::decode_all(&*shipped(name)).expect("a whole zstd frame")
}

/// Where two texts first differ, instead of megabytes of both.
fn assert_same(name: &str, made: &[u8], shipped: &[u8]) {
    for (number, (made, shipped)) in
        made.split(|b| *b == b'\n').zip(shipped.split(|b| *b == b'\n')).enumerate()
    {
        assert_eq!(
            String::from_utf8_lossy(made),
            String::from_utf8_lossy(shipped),
            "{name}, line {}",
            number + 1
        );
    }
    assert_eq!(made.len(), shipped.len(), "{name}: one file goes on where the other ends");
}

fn to_sierra_leone(case: &Case) -> impl Iterator<Item = &tollwatch_simulate::Call> {
    case.calls.iter().filter(|call| call.route.dialled().is_some_and(|dialled| dialled.contains("23241")))
}

#[test]
fn the_shipped_files_are_what_the_generator_writes() {
    let case = japan_2015(SEED);
    let (mut records, mut events, mut labels) = (Vec::new(), Vec::new(), Vec::new());
    write_cdr_csv(&case, &mut records).expect("memory takes it");
    assert_same("Master.csv", &records, &unpacked("Master.csv.zst"));
    write_cel_csv(&case, &mut events).expect("memory takes it");
    assert_same("cel.csv", &events, &unpacked("cel.csv.zst"));
    write_incident_labels(&case, &mut labels).expect("memory takes it");
    assert_same("labels.csv", &labels, &shipped("labels.csv"));
}

#[test]
fn the_bill_is_14620_started_minutes_at_175_yen_whatever_the_seed() {
    for seed in [SEED, 1, 99] {
        let case = japan_2015(seed);
        let talks: Vec<i64> = to_sierra_leone(&case).filter_map(tollwatch_simulate::Call::talk).collect();
        assert_eq!(talks.len(), JAPAN_2015_CALLS);
        assert!(talks.iter().all(|talk| (1_000_000..=60_000_000).contains(talk)), "one started minute each");
        let charge: i64 = case
            .labelled_calls()
            .iter()
            .filter(|call| call.dialled.contains("23241"))
            .map(|call| (call.billable_seconds + 59) / 60 * 175)
            .sum();
        assert_eq!(charge, 2_558_500);
        assert_eq!(2_558_574 - charge, 74, "what the published bill has more");
    }
}

#[test]
fn the_attack_lasts_four_days_on_two_lines() {
    let case = japan_2015(SEED);
    let attack: Vec<_> = case.calls.iter().filter(|call| call.incident == Some(2)).collect();
    let hours = (attack.last().unwrap().started_at - attack[0].started_at) / tollwatch_simulate::HOUR;
    assert!((94..=97).contains(&hours), "{hours} hours");
    let mut open: Vec<i64> = Vec::new();
    let mut most = 0;
    for call in &attack {
        open.retain(|end| *end > call.started_at);
        open.push(call.ended_at());
        most = most.max(open.len());
    }
    assert_eq!(most, 2);
    let failed = attack.iter().filter(|call| !matches!(call.outcome, Outcome::Answered { .. })).count();
    assert!((300..1000).contains(&failed), "{failed} attempts failed");
    let mean = attack.iter().filter_map(|call| call.talk()).sum::<i64>() / JAPAN_2015_CALLS as i64;
    assert!((31_900_000..33_000_000).contains(&mean), "{mean} microseconds");
}

#[test]
fn probing_comes_hours_before_the_pumping_and_from_the_same_extension() {
    let case = japan_2015(SEED);
    let calls = case.labelled_calls();
    let first = |incident| calls.iter().find(|call| call.incident == incident).unwrap();
    for incident in [0, 1] {
        let ahead = first(2).started_at - first(incident).started_at;
        let hours = ahead / tollwatch_simulate::HOUR;
        assert!((1..24).contains(&hours));
    }
    assert!(calls.iter().all(|call| call.extension == "105"));
}

#[test]
fn the_office_is_nearly_silent_at_weekends_and_rarely_calls_abroad() {
    let case = japan_2015(SEED);
    let mut per_day = [0; 21];
    let mut abroad = 0;
    for call in case.calls.iter().filter(|call| call.incident.is_none()) {
        per_day[((call.started_at - case.office.at(0, 0)) / (24 * tollwatch_simulate::HOUR)) as usize] += 1;
        abroad += usize::from(call.route.dialled().is_some_and(|dialled| dialled.starts_with("010")));
    }
    for (day, calls) in per_day.into_iter().enumerate() {
        let expected = if day % 7 >= 5 { 0..=40 } else { 100..=350 };
        assert!(expected.contains(&calls), "day {day}: {calls} calls");
    }
    assert!((4..=25).contains(&abroad), "{abroad} calls abroad");
}
