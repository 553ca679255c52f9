//! Cases to order: every kind does what its description says.
#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test may stop at once, its helpers too")]

mod attacks;
mod innocent;

use chrono::NaiveDate;
use tollwatch_simulate::{
    Call, Case, HOUR, Kind, MINUTE, Route, SECOND, Scenario, ScenarioError, write_call_labels, write_cdr_csv,
    write_cel_csv, write_incident_labels,
};

/// An office that is big enough for the kind.
fn with(kind: Kind) -> Case {
    let scenario = Scenario::new(42).extensions(kind.extensions().max(20)).attack(kind);
    scenario.build().expect("a usual office")
}

fn incident(case: &Case) -> Vec<&Call> {
    case.calls.iter().filter(|call| call.incident == Some(0)).collect()
}

fn most_at_once(calls: &[&Call]) -> usize {
    calls
        .iter()
        .map(|call| {
            calls
                .iter()
                .filter(|other| other.started_at <= call.started_at && call.started_at < other.ended_at())
                .count()
        })
        .max()
        .unwrap_or(0)
}

fn seconds_of(calls: &[&Call]) -> Vec<i64> {
    calls.iter().filter_map(|call| call.talk()).map(|talk| talk / SECOND).collect()
}

fn records(case: &Case) -> String {
    let mut bytes = Vec::new();
    write_cdr_csv(case, &mut bytes).expect("memory takes it");
    String::from_utf8(bytes).expect("names are ASCII here")
}

#[test]
fn a_seed_gives_the_same_files_and_another_seed_others() {
    let build = |seed| Scenario::new(seed).days(3).attack(Kind::Burst).build().expect("a usual office");
    let files = |seed| {
        let (mut events, mut calls) = (Vec::new(), Vec::new());
        write_cel_csv(&build(seed), &mut events).expect("memory takes it");
        write_call_labels(&build(seed), &mut calls).expect("memory takes it");
        (records(&build(seed)), events, calls)
    };
    assert_eq!(files(5), files(5));
    assert_ne!(files(5), files(6));
}

#[test]
fn an_incident_leaves_the_ordinary_calls_as_they_were() {
    for kind in Kind::ALL {
        let case = with(kind);
        let quiet =
            Scenario::new(42).extensions(case.office.extensions.len()).first_day(case.office.first_day);
        let quiet = quiet.build().expect("a usual office");
        let ordinary: Vec<&Call> = case.calls.iter().filter(|call| call.incident.is_none()).collect();
        assert_eq!(ordinary, quiet.calls.iter().collect::<Vec<_>>(), "{kind}");
    }
}

#[test]
fn every_kind_makes_calls_of_its_own_extension_that_its_labels_name() {
    for kind in Kind::ALL {
        let case = with(kind);
        let labelled = case.labelled_calls();
        assert_eq!(labelled.len(), incident(&case).len(), "{kind}");
        assert!(!labelled.is_empty(), "{kind}");
        let rows = records(&case);
        for label in labelled.iter().take(40) {
            let rows: Vec<&str> =
                rows.lines().filter(|row| row.contains(&format!("\"{}\",\"\"", label.call_id))).collect();
            assert_eq!(rows.len(), 1, "{kind}: {label:?}");
            assert!(rows[0].contains(&format!(",\"{}\",", label.dialled)), "{}", rows[0]);
        }
        let mut incidents = Vec::new();
        write_incident_labels(&case, &mut incidents).expect("memory takes it");
        let incidents = String::from_utf8_lossy(&incidents);
        let line = incidents.lines().nth(1).expect("one incident");
        let extension = case.office.number(case.incidents[0].extension);
        assert!(line.starts_with(&format!("0,{kind},{},{extension},20", kind.is_fraud())), "{line}");
        assert!(labelled.iter().any(|label| label.extension == extension), "{kind}");
        let is_of_the_office = case.office.added.is_empty();
        assert_eq!(extension == "105", is_of_the_office, "{kind}: {extension}");
    }
}

#[test]
fn the_events_of_every_kind_begin_answer_and_end_each_labelled_call() {
    for kind in Kind::ALL {
        let case = with(kind);
        let mut bytes = Vec::new();
        write_cel_csv(&case, &mut bytes).expect("memory takes it");
        let text = String::from_utf8(bytes).expect("names are ASCII here");
        let mut seen = std::collections::BTreeMap::<(&str, &str), usize>::new();
        for line in text.lines() {
            let fields: Vec<&str> = line.split("\",\"").collect();
            *seen.entry((fields[14], fields[0].trim_start_matches('"'))).or_default() += 1;
        }
        let count = |id: &str, event: &str| seen.get(&(id, event)).copied().unwrap_or(0);
        for label in case.labelled_calls() {
            let id = &*label.call_id;
            assert_eq!(count(id, "CHAN_START"), 1, "{kind}: {label:?}");
            assert_eq!(count(id, "CHAN_END"), 1, "{kind}: {label:?}");
            assert_eq!(count(id, "ANSWER"), usize::from(label.is_answered), "{kind}: {label:?}");
        }
    }
}

#[test]
fn one_number_is_called_about_three_times_a_minute_for_sixty_hours() {
    let case = with(Kind::OneNumber);
    let calls = incident(&case);
    assert!(calls.iter().all(|call| call.route.dialled() == calls[0].route.dialled()));
    let minutes = (calls[calls.len() - 1].started_at - calls[0].started_at) / MINUTE;
    assert!((59 * 60..=60 * 60).contains(&minutes), "{minutes}");
    let per_hour = calls.len() as i64 * 60 / minutes;
    assert!((140..=210).contains(&per_hour), "{per_hour} an hour");
}

#[test]
fn long_calls_and_bursts_hold_as_many_channels_as_they_say() {
    let case = with(Kind::LongCalls);
    assert_eq!(most_at_once(&incident(&case)), 6);
    assert!(seconds_of(&incident(&case)).iter().all(|talk| (30 * 60..=180 * 60).contains(talk)));
    let case = with(Kind::Burst);
    assert!((35..=40).contains(&most_at_once(&incident(&case))));
}

#[test]
fn a_slow_drip_never_has_two_calls_within_twenty_minutes_nor_one_at_night() {
    let case = with(Kind::SlowDrip);
    let calls = incident(&case);
    assert!(calls.windows(2).all(|pair| pair[1].started_at - pair[0].started_at >= 20 * MINUTE));
    for call in calls {
        let hour = (call.started_at + 9 * HOUR) / HOUR % 24;
        assert!((9..18).contains(&hour), "{hour} o'clock");
    }
}

#[test]
fn probing_the_dial_plan_never_gets_through_and_tries_one_tail_behind_many_heads() {
    let case = with(Kind::DialPlanProbing);
    let calls = incident(&case);
    assert!(calls.iter().all(|call| call.talk().is_none()));
    assert!(
        calls.iter().all(|call| call.route.dialled().is_some_and(|dialled| dialled.ends_with("23241000101")))
    );
    let heads: std::collections::BTreeSet<_> = calls.iter().map(|call| call.route.dialled()).collect();
    assert_eq!(heads.len(), calls.len());
}

#[test]
fn a_probe_is_short_calls_to_eight_countries() {
    let case = with(Kind::Probe);
    let calls = incident(&case);
    assert!((8..=24).contains(&calls.len()));
    assert!(seconds_of(&calls).iter().all(|talk| (5..=40).contains(talk)));
    let countries: std::collections::BTreeSet<_> = calls
        .iter()
        .filter_map(|call| call.route.dialled())
        .map(|dialled| dialled[3..6].to_owned())
        .collect();
    assert_eq!(countries.len(), 8);
}

#[test]
fn a_forwarded_call_leaves_two_rows_and_only_the_labels_name_the_extension_that_pays() {
    let case = with(Kind::ForwardPumping);
    assert!(incident(&case).iter().all(|call| matches!(call.route, Route::Forwarded { .. })));
    let text = records(&case);
    let rows: Vec<&str> = text.lines().filter(|row| row.contains("Local/")).collect();
    assert_eq!(rows.len(), 160);
    let (inner, paid): (Vec<&str>, Vec<&str>) = rows.iter().partition(|row| row.contains(";1\","));
    assert_eq!((inner.len(), paid.len()), (80, 80));
    assert!(
        inner
            .iter()
            .all(|row| row.contains(",\"105\",\"from-internal\",") && row.contains("@from-internal,30\""))
    );
    assert!(paid.iter().all(|row| row.contains("@trunk,60,T\"") && !row.contains("105\"")));
    assert!(case.labelled_calls().iter().all(|call| call.extension == "105" && call.billable_seconds >= 119));
}

#[test]
fn a_real_call_to_guinea_is_one_call_of_six_minutes_in_office_hours() {
    let case = with(Kind::OneRealGuineaCall);
    let calls = incident(&case);
    assert_eq!(calls.len(), 1);
    assert_eq!(seconds_of(&calls)[0] / 60, 6);
    assert_eq!((calls[0].started_at + 9 * HOUR) / HOUR % 24, 10);
}

#[test]
fn a_new_branch_is_called_by_several_extensions() {
    let case = with(Kind::NewBranchPhilippines);
    let callers: std::collections::BTreeSet<_> =
        incident(&case).iter().map(|call| call.route.extension()).collect();
    assert_eq!(callers.len(), 4);
}

#[test]
fn nobody_is_in_two_ordinary_calls_at_once() {
    let case = Scenario::new(3).build().expect("a usual office");
    let mut free_at = [i64::MIN; 20];
    for call in &case.calls {
        let extension = call.route.extension();
        assert!(free_at[extension] <= call.started_at, "{call:?}");
        free_at[extension] = call.ended_at();
    }
    assert!(case.calls.len() > 1500, "{}", case.calls.len());
}

#[test]
fn times_are_the_pbx_s_own_across_a_change_of_clocks() {
    let day = NaiveDate::from_ymd_opt(2026, 3, 6).expect("a date");
    let scenario = Scenario::new(1).first_day(day).days(4).zone_named("America/New_York").expect("a zone");
    let case = scenario.build().expect("a usual office");
    // Friday's noon is 17:00 UTC, Monday's 16:00: the clocks went forward on Sunday the 8th.
    assert_eq!(case.office.at(3, 12 * 3600) - case.office.at(0, 12 * 3600), 71 * HOUR);
    assert_eq!(
        case.office.at(2, 2 * 3600 + 1800),
        case.office.at(2, 3 * 3600 + 1800),
        "02:30 does not exist"
    );
    for row in records(&case).lines() {
        let hour = row.split("\"2026-03-").nth(1).map(|rest| rest[3..5].to_owned()).expect("a start");
        assert!(("08"..="18").contains(&&*hour), "{row}");
    }
}

#[test]
fn what_cannot_be_built_is_refused() {
    assert_eq!(
        Scenario::new(1).extensions(0).build().map(|_| ()),
        Err(ScenarioError::ExtensionCount { count: 0 })
    );
    assert_eq!(Scenario::new(1).days(0).build().map(|_| ()), Err(ScenarioError::DayCount { count: 0 }));
    assert!(Scenario::new(1).zone_named("Asia/Nowhere").is_err());
    let one = Scenario::new(1).extensions(1).days(2).attack(Kind::NewBranchPhilippines).build();
    assert!(one.is_ok_and(|case| !case.calls.is_empty()), "an office of one extension");
}
