//! Which window a call belongs to, whenever its record comes.
use super::{Call, call, engine_of, of_rule, rows};
use crate::harness::critical;
use tollwatch_detect::{DetectedOn, Severity};

#[test]
fn calls_of_a_clock_that_was_not_set_count_when_their_channels_were_made() {
    // A16
    let unset = |i: u32| {
        let row = call(i, i64::from(i) * 60).row();
        row.replace("2026-03-08 03:", "1993-03-01 00:")
    };
    let text: String = (0..4).map(unset).collect();
    let engine = engine_of(&[call(9, -60).row(), text].concat());
    let burst = of_rule(&engine, "high_risk_burst");
    assert_eq!((burst.len(), burst[0].attempts, burst[0].severity), (1, 5, Severity::Critical));
    assert_eq!(burst[0].first_call_at, "2026-03-07T17:59:00Z");
}

#[test]
fn a_window_passes_midnight() {
    // E5
    let midnight = -3 * 3600;
    let calls: Vec<Call<'_>> =
        (0..).zip([-31, -11, 9]).map(|(i, second)| call(i, midnight + second)).collect();
    let burst = of_rule(&engine_of(&rows(&calls)), "high_risk_burst");
    assert_eq!((burst.len(), burst[0].attempts, burst[0].severity), (1, 3, Severity::Critical));
    // The first is out of the ten minutes, wherever midnight is.
    let calls = [call(0, midnight - 590), call(1, midnight - 11), call(2, midnight + 11)];
    let burst = of_rule(&engine_of(&rows(&calls)), "high_risk_burst");
    assert_eq!(burst[0].severity, Severity::Warning);
}

#[test]
fn long_calls_that_begin_together_are_a_burst_though_their_records_come_hours_later() {
    // E9
    let calls: Vec<Call<'_>> =
        (0..20).map(|i| Call { seconds: 3 * 3600, ..call(i, i64::from(i) * 15) }).collect();
    let mut backwards = calls.clone();
    backwards.reverse();
    for calls in [calls, backwards] {
        let engine = engine_of(&rows(&calls));
        assert_eq!(engine.counters().late, 0);
        let burst = of_rule(&engine, "high_risk_burst");
        assert_eq!((burst.len(), burst[0].attempts, burst[0].severity), (1, 20, Severity::Critical));
        assert_eq!(burst[0].first_call_at, "2026-03-07T18:00:00Z");
        assert_eq!(burst[0].detected_on, DetectedOn::Cdr);
        assert!(burst[0].detected_at.as_str() >= "2026-03-07T21:00:00Z", "{}", burst[0].detected_at);
    }
}

#[test]
fn records_that_come_in_one_lump_are_judged_by_when_their_calls_began() {
    // E10
    let burst: Vec<Call<'_>> = (0..5).map(|i| call(i, i64::from(i) * 60)).collect();
    let apart: Vec<Call<'_>> = (0..5).map(|i| call(i, i64::from(i) * 7200)).collect();
    let newest = |at| Call { extension: "106", dialled: "0355550100", ..call(9, at) };
    let engine = engine_of(&rows(&[vec![newest(600)], burst].concat()));
    assert_eq!((critical(&engine), engine.counters().late), (vec!["105".to_owned()], 0));
    // A lump of calls that were hours apart is no burst.
    let engine = engine_of(&rows(&[vec![newest(40_000)], apart].concat()));
    assert!(of_rule(&engine, "high_risk_burst").is_empty());
}
