//! Other rules and tables under a running engine: what is remembered goes on.
use crate::harness::{feed, lines, settings};
use crate::scenarios::Scenario;
use tollwatch::{Config, Overrides};
use tollwatch_detect::{AlertReason, Engine, IncidentV1, Settings};

fn settings_of(text: &str) -> Settings {
    Config::from_text(text, "test", None, &Overrides::default()).unwrap().settings
}

/// The default rules, the last first.
fn turned_round() -> Settings {
    let mut config: toml::Table = tollwatch::default_text().parse().unwrap();
    config["rules"].as_array_mut().unwrap().reverse();
    settings_of(&config.to_string())
}

fn without(rule: &str) -> Settings {
    let mut config: toml::Table = tollwatch::default_text().parse().unwrap();
    config["rules"].as_array_mut().unwrap().retain(|table| table["name"].as_str() != Some(rule));
    settings_of(&config.to_string())
}

/// The records of a scenario in two parts.
fn halves(scenario: &Scenario) -> [&[u8]; 2] {
    let middle = scenario.bytes.len() / 2;
    let end = middle + scenario.bytes[middle..].iter().position(|byte| *byte == b'\n').unwrap() + 1;
    [&scenario.bytes[..end], &scenario.bytes[end..]]
}

fn half_way(scenario: &Scenario) -> Engine {
    let mut engine = Engine::new(settings());
    feed(&mut engine, "default", scenario.format, halves(scenario)[0], 1 << 16, usize::MAX);
    engine
}

fn to_the_end(mut engine: Engine, scenario: &Scenario) -> Vec<String> {
    feed(&mut engine, "default", scenario.format, halves(scenario)[1], 1 << 16, usize::MAX);
    engine.finish();
    let mut lines = lines(&engine);
    lines.sort();
    lines
}

fn of_cdrs() -> impl Iterator<Item = &'static Scenario> {
    Scenario::all().iter().filter(|scenario| scenario.format.name() == "asterisk_cdr_csv")
}

#[test]
fn the_same_rules_in_another_order_change_nothing() {
    for scenario in of_cdrs() {
        let expected = to_the_end(half_way(scenario), scenario);
        let mut engine = half_way(scenario);
        engine.reconfigure(turned_round(), []);
        assert_eq!(to_the_end(engine, scenario), expected, "{}", scenario.name);
    }
}

#[test]
fn other_rows_in_the_table_of_destinations_do_not_mix_up_what_is_known() {
    let overlay =
        "[[destinations]]\nprefix = \"1201\"\ntier = 0\n[[destinations]]\nprefix = \"8180\"\ntier = 0\n";
    for scenario in of_cdrs() {
        let expected = to_the_end(half_way(scenario), scenario);
        let mut engine = half_way(scenario);
        engine.reconfigure(settings_of(overlay), []);
        engine.reconfigure(settings(), []);
        assert_eq!(to_the_end(engine, scenario), expected, "{}", scenario.name);
    }
}

#[test]
fn a_snapshot_is_taken_up_under_other_rules_as_a_running_engine_is() {
    for scenario in of_cdrs() {
        let mut running = half_way(scenario);
        let snapshot = running.snapshot().unwrap();
        running.reconfigure(turned_round(), []);
        let restored = Engine::new(turned_round()).restore(&snapshot).unwrap();
        assert_eq!(to_the_end(restored, scenario), to_the_end(running, scenario), "{}", scenario.name);
    }
}

#[test]
fn the_incidents_of_a_rule_that_is_gone_are_over_and_the_others_go_on() {
    let scenario = of_cdrs().find(|scenario| scenario.name == "burst.cdr").unwrap();
    let mut engine = Engine::new(settings());
    // As long as the attack goes on.
    let all: Vec<&[u8]> = scenario.bytes.split_inclusive(|byte| *byte == b'\n').collect();
    let mut fed = 0;
    let ongoing = |engine: &Engine, rule: &str| {
        engine
            .incidents()
            .iter()
            .map(|incident| IncidentV1::new(incident, engine.settings()))
            .filter(|incident| incident.rule == rule && incident.resolved_at.is_none())
            .count()
    };
    while ongoing(&engine, "high_risk_burst") == 0 || ongoing(&engine, "slow_burn") == 0 {
        feed(&mut engine, "default", scenario.format, all[fed], 1 << 16, 1);
        fed += 1;
    }
    engine.take_alerts();
    engine.reconfigure(without("high_risk_burst"), []);
    let over: Vec<String> = engine
        .take_alerts()
        .iter()
        .filter(|alert| alert.reason == AlertReason::Resolved)
        .map(|alert| IncidentV1::new(&alert.incident, engine.settings()).rule)
        .collect();
    assert_eq!(over, ["removed_rule"]);
    assert_eq!((ongoing(&engine, "high_risk_burst"), ongoing(&engine, "slow_burn")), (0, 1));
}
