//! The tables of `docs/rules.md`: how soon each attack is found, and what each innocent oddity raises.
use super::{LaidTo, Scenario, allowed, laid_to, scan};
use crate::harness::{root, wire};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use tollwatch_cdr::EventTime;
use tollwatch_detect::{Engine, Incident, Severity};
use tollwatch_numbering::Money;

const BEGIN: &str = "<!-- scenarios -->\n";
const END: &str = "<!-- /scenarios -->\n";

/// Each kind with its call records and its live events.
fn kinds(fraud: bool) -> impl Iterator<Item = (&'static Scenario, &'static Scenario)> {
    let pairs = Scenario::all().chunks_exact(2).map(|pair| (&pair[0], &pair[1]));
    pairs.filter(move |(records, _)| records.kind.is_fraud() == fraud)
}

fn tables() -> String {
    let mut text = "\
| attack | who is named | first alarm, from records | critical, from records | first alarm, live | critical, live |
|---|---|---|---|---|---|
"
    .to_owned();
    for (records, live) in kinds(true) {
        let who = match laid_to(records.kind) {
            LaidTo::Extension(_) => "the extension".to_owned(),
            LaidTo::Tenant(rule) => format!("{} extensions, by `{rule}`", records.truth.took_part.len()),
        };
        let cells = [records, live].map(|scenario| {
            let first =
                earliest(scenario, |incident| Some((incident.detected_at, incident.exposure_at_detection)));
            let critical =
                earliest(scenario, |incident| incident.critical_at.zip(incident.exposure_at_critical));
            format!("{first} | {critical}")
        });
        let _ = writeln!(text, "| `{}` | {who} | {} | {} |", records.kind, cells[0], cells[1]);
    }
    text.push_str(
        "\n| innocent | from records | live | by these rules | with its numbers allowed |\n|---|---|---|---|---|\n",
    );
    for (records, live) in kinds(false) {
        let [of_records, of_live] =
            [records, live].map(|scenario| scan(scenario.format, &scenario.bytes, ""));
        let set = allowed(records.kind).map(|addition| {
            let with =
                [records, live].map(|scenario| counts(&scan(scenario.format, &scenario.bytes, &addition)));
            if with[0] == with[1] { with[0].clone() } else { with.join("; live ") }
        });
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | {} | {} |",
            records.kind,
            counts(&of_records),
            counts(&of_live),
            rules(&[of_records, of_live]),
            set.unwrap_or_default()
        );
    }
    text
}

/// How many incidents there are of each severity.
fn counts(engine: &Engine) -> String {
    let incidents = wire(engine);
    let of = |severity| incidents.iter().filter(|incident| incident.severity == severity).count();
    match (of(Severity::Critical), of(Severity::Warning)) {
        (0, 0) => "nothing".to_owned(),
        (0, 1) => "1 warning".to_owned(),
        (0, warnings) => format!("{warnings} warnings"),
        (critical, warnings) => format!("{critical} critical, {warnings} warnings"),
    }
}

fn rules(engines: &[Engine]) -> String {
    let rules: BTreeSet<String> =
        engines.iter().flat_map(wire).map(|incident| format!("`{}`", incident.rule)).collect();
    rules.into_iter().collect::<Vec<_>>().join(", ")
}

/// The earliest of the moments that incidents have: its rule, the calls begun by then, the time since the first, and what
/// was known to be spent.
fn earliest(scenario: &Scenario, moment: impl Fn(&Incident) -> Option<(EventTime, Money)>) -> String {
    let engine = scenario.scanned();
    let rules = wire(engine).into_iter().map(|incident| incident.rule);
    let moments = engine.incidents().into_iter().zip(rules);
    let earliest = moments
        .filter_map(|(incident, rule)| moment(&incident).map(|(at, spent)| (at, rule, spent)))
        .min_by_key(|(at, ..)| *at);
    let Some((at, rule, spent)) = earliest else { return "none".to_owned() };
    // Records know no fractions of a second.
    let starts: Vec<i64> = scenario.truth.starts.iter().map(|start| start.div_euclid(1_000_000)).collect();
    let begun = starts.partition_point(|start| *start <= at.seconds());
    let calls = if begun == 1 { "call" } else { "calls" };
    let seconds = starts.first().map_or(0, |first| at.seconds() - first);
    let spent = spent.to_string();
    format!("`{rule}`: {begun} {calls}, {}, {} JPY", span(seconds), spent.trim_end_matches(".00"))
}

fn span(seconds: i64) -> String {
    match (seconds / 3600, seconds / 60 % 60) {
        (0, 0) => format!("{seconds} s"),
        (0, minutes) => format!("{minutes} min"),
        (hours, minutes) => format!("{hours} h {minutes:02} min"),
    }
}

#[test]
fn the_page_on_rules_says_how_soon_each_attack_is_found() {
    let path = root().join("docs/rules.md");
    let page = fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).expect("the page marks where the tables begin");
    let (kept, after) = rest.split_once(END).expect("and where they end");
    let made = tables();
    if std::env::var_os("TOLLWATCH_BLESS").is_some() {
        fs::write(&path, format!("{before}{BEGIN}{made}{END}{after}")).unwrap();
    } else {
        assert!(kept == made, "run `TOLLWATCH_BLESS=1 cargo test` and look at what changed in docs/rules.md");
    }
}

#[test]
fn spans_of_time_are_told_in_the_unit_that_fits() {
    assert_eq!(
        [0, 59, 60, 3599, 3600, 90_061].map(span),
        ["0 s", "59 s", "1 min", "59 min", "1 h 00 min", "25 h 01 min"]
    );
}
