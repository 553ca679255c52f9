//! What the detector counts, for whom, and when it says so.
use super::{Call, call, engine_of, engine_of_events, event, of_rule, read, rows, started};
use crate::harness::{critical, lines, wire};
use tollwatch::{Config, Overrides};
use tollwatch_detect::{DetectedOn, Engine, Severity};

#[test]
fn a_long_call_is_told_of_while_it_lasts_if_events_are_live_and_at_its_end_if_not() {
    // E1
    let six_hours = 6 * 3600;
    let mut live = started(0, 1) + &event(0, 1, "answered");
    for minute in 1..360 {
        live += &event(minute * 60, 9, "answered");
    }
    live += &event(six_hours, 1, "ended");
    let found = of_rule(&engine_of_events(&live), "long_high_risk_call");
    assert_eq!((found.len(), found[0].detected_on), (1, DetectedOn::InProgress));
    assert!(found[0].detected_at.starts_with("2026-03-07T18:2"), "{}", found[0].detected_at);
    let found = of_rule(&engine_of(&Call { seconds: six_hours, ..call(1, 0) }.row()), "long_high_risk_call");
    assert_eq!((found.len(), found[0].detected_on), (1, DetectedOn::Cdr));
    assert_eq!(found[0].detected_at, "2026-03-08T00:00:00Z");
}

#[test]
fn calls_at_home_raise_nothing_and_a_rule_can_be_switched_off() {
    // E2
    let home: Vec<Call<'_>> =
        (0..30).map(|i| Call { dialled: "0355550100", ..call(i, i64::from(i) * 40) }).collect();
    let engine = engine_of(&rows(&home));
    assert_eq!((engine.counters().outbound, engine.counters().watched), (30, 0));
    assert_eq!(lines(&engine), [""; 0]);
    let burst = rows(&(0..5).map(|i| call(i, i64::from(i) * 60)).collect::<Vec<_>>());
    let text = "[[tenants]]\nname = \"default\"\ndisabled_rules = [\"high_risk_burst\"]\n";
    let config = Config::from_text(text, "test", None, &Overrides::default()).unwrap();
    let mut engine = Config::engine(config.settings, config.tenants);
    read(&mut engine, "asterisk_cdr_csv", &burst);
    assert!(of_rule(&engine, "high_risk_burst").is_empty());
    assert!(!wire(&engine).is_empty(), "the other rules go on");
}

#[test]
fn the_end_of_a_call_that_never_began_takes_nothing_away() {
    // E3
    let calls: String =
        (1..5).map(|i| started(i64::from(i), i) + &event(i64::from(i) + 1, i, "answered")).collect();
    let strays = [event(-9, 77, "ended"), event(-8, 78, "ended"), event(-7, 78, "ended")].concat();
    let twice = [event(60, 1, "ended"), event(61, 1, "ended")].concat();
    let plain = engine_of_events(&[&calls[..], &event(60, 1, "ended")].concat());
    let found = of_rule(&plain, "concurrent_high_risk_calls");
    assert_eq!((found.len(), found[0].attempts), (1, 4));
    let strange = engine_of_events(&[strays, calls, twice].concat());
    assert_eq!(of_rule(&strange, "concurrent_high_risk_calls")[0].trigger.value, found[0].trigger.value);
    assert_eq!(strange.counters().watched, plain.counters().watched);
    assert_eq!(strange.counters().exposure, plain.counters().exposure);
}

#[test]
fn every_way_of_ending_ends_a_call() {
    // E4
    let one_after_the_other = |ends: bool| -> String {
        (0_u32..)
            .zip(["no_answer", "busy", "failed", "answered", "no_answer"])
            .map(|(i, outcome)| {
                let at = i64::from(i) * 60;
                let end = event(at + 20, i, "ended").replace('\n', "");
                let end = format!("{},\"outcome\":\"{outcome}\"}}\n", &end[..end.len() - 1]);
                started(at, i) + if ends { &end } else { "" }
            })
            .collect()
    };
    let engine = engine_of_events(&one_after_the_other(true));
    assert_eq!(engine.counters().watched, 5);
    assert!(of_rule(&engine, "concurrent_high_risk_calls").is_empty());
    let orphans = one_after_the_other(false);
    assert_eq!(of_rule(&engine_of_events(&orphans), "concurrent_high_risk_calls").len(), 1);
    let later = event(13 * 3600, 99, "answered");
    assert_eq!(engine_of_events(&[orphans, later].concat()).counters().closed_for_age, 5);
}

#[test]
fn two_who_call_in_turn_are_told_apart() {
    // E6
    let other = "010232229876543";
    let calls: Vec<Call<'_>> = (0..40)
        .map(|i| {
            let mine = call(i, i64::from(i) * 40);
            if i % 2 == 0 { mine } else { Call { extension: "106", calling: "106", dialled: other, ..mine } }
        })
        .collect();
    let engine = engine_of(&rows(&calls));
    let runs: Vec<(String, u64)> = of_rule(&engine, "same_number_run")
        .into_iter()
        .map(|incident| (incident.scope.value, incident.attempts))
        .collect();
    assert_eq!(
        runs,
        [("105".to_owned(), 20), ("106".to_owned(), 20)],
        "no run is broken by the other's calls"
    );
    // What only both together reach, neither has.
    let engine = engine_of(&rows(&calls[..4]));
    assert!(of_rule(&engine, "high_risk_burst").iter().all(|burst| burst.severity == Severity::Warning));
}

#[test]
fn made_up_callers_make_no_keys_and_too_many_extensions_are_let_go() {
    // E7
    let names: Vec<String> = (0..3000).map(|i| format!("{}", 100_000 + i * 37)).collect();
    let spoofed: Vec<Call<'_>> =
        (0_u32..).zip(&names).map(|(i, calling)| Call { calling, ..call(i, i64::from(i)) }).collect();
    let engine = |text: &str| {
        let overrides = Overrides { timezone: Some("Asia/Tokyo".to_owned()), ..Overrides::default() };
        let config = Config::from_text("[limits]\nkeys = 1000\n", "test", None, &overrides).unwrap();
        let mut engine: Engine = Config::engine(config.settings, config.tenants);
        read(&mut engine, "asterisk_cdr_csv", text);
        engine
    };
    let found = engine(&rows(&spoofed));
    assert_eq!((critical(&found), found.counters().keys_let_go), (vec!["105".to_owned()], 0));
    // Extensions that truly are as many, each with a call that harms nobody, and a burst behind them.
    let many: Vec<Call<'_>> = (0_u32..)
        .zip(&names)
        .map(|(i, extension)| Call {
            extension,
            dialled: "01012125550100",
            ..call(i, 10 * 3600 + i64::from(i))
        })
        .chain((0..5).map(|i| call(5000 + i, 11 * 3600 + i64::from(i) * 60)))
        .collect();
    let found = engine(&rows(&many));
    assert!(found.counters().keys_let_go >= 1000, "{}", found.counters().keys_let_go);
    assert!(critical(&found).contains(&"105".to_owned()));
}

#[test]
fn silence_after_an_alarm_does_not_end_the_incident() {
    // E8: the call was cut off, and the PBX writes no record of that.
    let burst = rows(&(0..5).map(|i| call(i, i64::from(i) * 60)).collect::<Vec<_>>());
    let engine = engine_of(&burst);
    assert_eq!(of_rule(&engine, "high_risk_burst")[0].resolved_at, None);
    // Others go on calling: within its window it is not over, and after it is.
    let at_home = |at: i64| Call { extension: "106", dialled: "0355550100", ..call(99, at) }.row();
    let engine = engine_of(&[burst.clone(), at_home(1200)].concat());
    assert_eq!(of_rule(&engine, "high_risk_burst")[0].resolved_at, None);
    let engine = engine_of(&[burst, at_home(12 * 3600)].concat());
    assert!(of_rule(&engine, "high_risk_burst")[0].resolved_at.is_some());
}

#[test]
fn the_minutes_of_calls_that_a_session_timer_ended_raise_no_alarm_by_themselves() {
    // A9: three calls of an office to Germany by day, of which no end was heard.
    let long = |i: u32| Call {
        seconds: 3 * 3600,
        dialled: "0104930555550100",
        ..call(i, 31 * 3600 + i64::from(i) * 1800)
    };
    let text = rows(&(0..3).map(long).collect::<Vec<_>>());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("Master.csv");
    std::fs::write(&file, &text).unwrap();
    let scan = |limits: &str| {
        let text = tollwatch::default_text().replace("session_limits = []", limits);
        let Config { sources, settings, .. } =
            Config::from_text(&text, "test", None, &Overrides::default()).unwrap();
        let mut engine = Engine::new(settings);
        let mut scanner = tollwatch::Scanner::new(sources);
        scanner.open(&file).unwrap();
        let report = scanner.run(&mut engine, &mut |_| {});
        (engine, report.files[0].odd.at_session_limit)
    };
    let (engine, counted) = scan("");
    assert!(
        counted == 0 && wire(&engine).iter().any(|incident| incident.rule == "exposure_per_day"),
        "{:?}",
        lines(&engine)
    );
    let (engine, counted) = scan("session_limits = [\"3h\"]");
    assert_eq!((counted, engine.counters().watched, lines(&engine)), (3, 3, vec![]));
    // The calls count, and so do those that were hung up.
    let burst: String =
        (10..15).map(|i| Call { seconds: 3 * 3600, ..call(i, i64::from(i) * 60) }.row()).collect();
    std::fs::write(&file, &burst).unwrap();
    let (engine, counted) = scan("session_limits = [\"3h\"]");
    let found = of_rule(&engine, "high_risk_burst");
    assert_eq!((counted, found[0].attempts, found[0].answered, found[0].billable_seconds), (5, 5, 5, 300));
}
