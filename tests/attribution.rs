//! Who is charged for every call that truly left over a trunk, scenario by scenario of a real PBX, against a
//! table written by hand.
//!
//! `attribution/<run>.tsv` has a line a scenario: its name, what truly happened, what comes out of `cdr-csv`,
//! of `cdr-custom`, of CEL, and of `cdr-csv` and CEL together, and a note. A cell lists payers, each with the
//! numbers called and the billable seconds (`105>442079460006 2s`); `trunk?` is a call that stands
//! unattributed under that trunk, and `unread` a number that nobody could read. `=` is the truth, the seconds
//! within one a call. Whatever differs from the truth needs a note.
use crate::harness::captures;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tollwatch::{Config, Overrides, RawConfig, Scanner, Sources};
use tollwatch_detect::{Detection, Engine, IncidentV1, RawDetection, Settings};
use tollwatch_numbering::{Destinations, DialPlan, RateDeck, RawDialPlan};

const CSV: &str = "cdr-csv/Master.csv";
const CUSTOM: &str = "cdr-custom/Master.csv";
const CEL: &str = "cel-custom/Master.csv";
const INPUTS: [&[&str]; 4] = [&[CSV], &[CUSTOM], &[CEL], &[CSV, CEL]];

/// Numbers of the captures; each is a destination of its own here, so that an incident names it.
const NUMBERS: [&str; 12] = [
    "442079460000",
    "442079460001",
    "442079460002",
    "442079460005",
    "442079460006",
    "12125550100",
    "12125550101",
    "81355550100",
    "81355550101",
    "81355550102",
    "81355550105",
    "81355550106",
];

/// A PBX to which every call over a trunk is a call abroad, and every call an incident.
pub(crate) fn everything_counts() -> Settings {
    let mut numbers: Vec<String> = NUMBERS.iter().map(|&number| number.to_owned()).collect();
    numbers.extend((1..7).map(|n| format!("2246555000{n:02}")));
    numbers.extend((1..40).map(|n| format!("22465550000{n:02}")));
    numbers.extend((1..5).map(|n| format!("224699000{n}")));
    numbers.extend(["224655500155".to_owned(), "224655500156".to_owned()]);
    numbers.extend([3, 4, 20, 34, 63, 77, 80, 83, 84, 86, 87, 99].map(|n| format!("813555501{n:02}")));
    numbers.sort();
    numbers.dedup();
    let overlay: Vec<(&str, Option<u8>)> = numbers.iter().map(|number| (number.as_str(), Some(3))).collect();
    let raw: RawConfig = toml::from_str(tollwatch::default_text()).unwrap();
    let every_call = r#"
        name = "every_call"
        measure = "attempts"
        destinations = "international"
        thresholds = [{ window = "24h", warning = 1 }]
    "#;
    let detection = Detection {
        // A call of each extension is a case of its own, however many there are.
        raw: &RawDetection { storm_extensions: 100_000, ..raw.detection },
        limits: raw.limits,
        home_country: "none",
        business_hours: &raw.business_hours,
        timezone: "Asia/Tokyo",
        allow: &[],
        rules: &[toml::from_str(every_call).unwrap()],
    };
    let plan = DialPlan::new(RawDialPlan::default()).unwrap();
    let destinations = Destinations::bundled().unwrap().with_overlay(&overlay).unwrap();
    Settings::new(&detection, plan, Arc::new(destinations), Arc::new(RateDeck::bundled().unwrap()), "JPY")
        .unwrap()
}

/// All files are those of one tenant's PBX in Tokyo.
fn sources(tenant: &str) -> Sources {
    let text = format!("[site]\ntenant = \"{tenant}\"\n");
    Config::from_text(&text, "test", None, &Overrides::default()).unwrap().sources
}

/// What one scenario's lines say, and which of its files have any.
struct Scenario {
    name: String,
    files: BTreeMap<String, String>,
}

fn scenarios(run: &Path) -> Vec<Scenario> {
    let text = std::fs::read_to_string(run.join("scenarios.jsonl")).unwrap();
    let read = |line: &str| {
        let told: serde_json::Value = serde_json::from_str(line).unwrap();
        let mut files = BTreeMap::new();
        for (file, appends) in told["rows"].as_object().unwrap() {
            let mut text = String::new();
            for append in appends.as_array().unwrap() {
                for (at, line) in append["lines"].as_array().unwrap().iter().enumerate() {
                    let line = line.as_str().unwrap();
                    // A row that was seen when half of it had been written goes on in the next append.
                    if at == 0 && !line.starts_with('"') && text.ends_with('\n') {
                        text.pop();
                    }
                    text.push_str(line);
                    text.push('\n');
                }
            }
            files.insert(file.clone(), text);
        }
        Scenario { name: told["scenario"].as_str().unwrap().to_owned(), files }
    };
    text.lines().map(read).collect()
}

/// One payer of a scenario: the numbers called, and the billable seconds of all of them.
pub(crate) type Payers = BTreeMap<String, (Vec<String>, u64)>;

pub(crate) fn payers(incidents: &[IncidentV1], tenant: &str) -> Payers {
    let mut payers = Payers::new();
    for incident in incidents.iter().filter(|incident| incident.tenant == tenant) {
        let unattributed = if incident.scope.unattributed { "?" } else { "" };
        let entry = payers.entry(format!("{}{unattributed}", incident.scope.value)).or_default();
        let mut calls = 0;
        for destination in &incident.destinations {
            let number = if destination.prefix.is_empty() { "unread" } else { &destination.prefix };
            entry.0.extend((0..destination.calls).map(|_| number.to_owned()));
            calls += destination.calls;
        }
        entry.0.extend((calls..incident.attempts).map(|_| "unread".to_owned()));
        entry.0.sort();
        entry.1 += incident.billable_seconds;
    }
    payers
}

pub(crate) fn written(payers: &Payers) -> String {
    let one = |(who, (numbers, seconds)): (&String, &(Vec<String>, u64))| {
        format!("{who}>{} {seconds}s", numbers.join("+"))
    };
    let all: Vec<String> = payers.iter().map(one).collect();
    if all.is_empty() { "-".to_owned() } else { all.join(", ") }
}

fn read(cell: &str) -> Payers {
    let one = |text: &str| {
        let (who, rest) = text.split_once('>').unwrap_or_else(|| panic!("{text:?} of {cell:?}"));
        let (numbers, seconds) = rest.rsplit_once(' ').unwrap_or_else(|| panic!("{text:?} of {cell:?}"));
        let numbers = numbers.split('+').map(str::to_owned).collect();
        (who.to_owned(), (numbers, seconds.trim_end_matches('s').parse().unwrap()))
    };
    if cell == "-" { Payers::new() } else { cell.split(", ").map(one).collect() }
}

/// The same payers and numbers, and the seconds within one a call.
fn same(truth: &Payers, found: &Payers) -> bool {
    truth.len() == found.len()
        && truth.iter().zip(found).all(|((who, (numbers, seconds)), (other, (found, more)))| {
            who == other && numbers == found && seconds.abs_diff(*more) <= numbers.len() as u64
        })
}

/// Every scenario's payers, from the inputs in their order; one engine, a tenant a scenario.
fn measured(scenarios: &[Scenario]) -> BTreeMap<String, [Payers; 4]> {
    let folder = tempfile::tempdir().unwrap();
    let mut found: BTreeMap<String, [Payers; 4]> = BTreeMap::new();
    for (column, input) in INPUTS.into_iter().enumerate() {
        let mut engine = Engine::new(everything_counts());
        for scenario in scenarios {
            let mut scanner = Scanner::new(sources(&scenario.name));
            for &file in input {
                let Some(text) = scenario.files.get(file) else { continue };
                let path: PathBuf = folder.path().join(file.replace('/', "-"));
                std::fs::write(&path, text).unwrap();
                scanner.open(&path).unwrap();
            }
            let report = scanner.run(&mut engine, &mut |_| {});
            assert!(
                report.files.iter().all(|file| file.rejected.is_empty()),
                "{}: {report:?}",
                scenario.name
            );
            found.entry(scenario.name.clone()).or_default();
        }
        let incidents = crate::harness::wire(&engine);
        for (name, cells) in &mut found {
            cells[column] = payers(&incidents, name);
        }
    }
    found
}

/// What one payer owes for all scenarios together is what comes out of the whole files, read as one log.
fn check_sum(run: &Path, found: &BTreeMap<String, [Payers; 4]>) {
    for (column, input) in INPUTS.into_iter().enumerate() {
        let mut engine = Engine::new(everything_counts());
        let mut scanner = Scanner::new(sources("whole"));
        for file in input {
            scanner.open(&run.join(file)).unwrap();
        }
        scanner.run(&mut engine, &mut |_| {});
        let whole = payers(&crate::harness::wire(&engine), "whole");
        let mut sum = Payers::new();
        for cells in found.values() {
            for (who, (numbers, seconds)) in &cells[column] {
                let entry = sum.entry(who.clone()).or_default();
                entry.0.extend(numbers.iter().cloned());
                entry.0.sort();
                entry.1 += seconds;
            }
        }
        assert_eq!(written(&whole), written(&sum), "{} {input:?}", run.display());
    }
}

/// Holds the run against its table. Scenarios without a line have no call over a trunk, whatever is read.
fn check(run: &str, table: &str) -> usize {
    let Some(folder) = captures() else { return 0 };
    let scenarios = scenarios(&folder.join(run));
    let found = measured(&scenarios);
    check_sum(&folder.join(run), &found);
    let table = crate::harness::root().join("tests/attribution").join(table);
    let text = std::fs::read_to_string(&table).unwrap();
    let lines: BTreeMap<&str, Vec<&str>> = text
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| (line.split('\t').next().unwrap_or_default(), line.split('\t').collect()))
        .collect();
    let mut wrong = String::new();
    for scenario in &scenarios {
        let line =
            lines.get(scenario.name.as_str()).cloned().unwrap_or_else(|| vec!["", "-", "=", "=", "=", "="]);
        let truth = line[1];
        let shown: Vec<String> = found[&scenario.name]
            .iter()
            .map(|cell| if same(&read(truth), cell) { "=".to_owned() } else { written(cell) })
            .collect();
        let note = line.get(6).copied().unwrap_or_default();
        let silent = note.is_empty() && shown.iter().any(|cell| cell != "=");
        if line.len() < 6 || shown.iter().zip(&line[2..]).any(|(shown, told)| shown != told) || silent {
            let _ = writeln!(wrong, "{}\t{truth}\t{}\t{note}", scenario.name, shown.join("\t"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} does not say (without a note nothing may differ):\n{wrong}",
        table.display()
    );
    for name in lines.keys() {
        assert!(scenarios.iter().any(|scenario| scenario.name == *name), "{run} has no scenario {name}");
    }
    lines.len()
}

#[test]
fn every_scenario_of_the_suite_is_charged_as_its_table_says() {
    let lines = check("r1-default", "r1.tsv");
    assert!(lines == 0 || lines == 159, "a line a scenario, not {lines}");
}

#[test]
fn rows_with_linkedid_and_of_unanswered_calls_are_charged_as_their_table_says() {
    check("r3-unanswered-cancel-newcols", "r3.tsv");
}

#[test]
fn rows_of_chan_sip_are_charged_as_their_table_says() {
    check("r6-chan-sip", "r6.tsv");
}

#[test]
fn rows_of_voicemail_user_fields_and_overlong_records_are_charged_as_their_tables_say() {
    check("r11-csv-overflow", "r11.tsv");
    check("r12-userfield", "r12.tsv");
    check("r13-vm-unregistered", "r13.tsv");
}

/// Rows that were written within the same second, in the other order; those of one channel are always in
/// theirs.
fn reordered(text: &str) -> String {
    let mut rows: Vec<(String, std::cmp::Reverse<String>, &str)> = Vec::new();
    for row in text.lines() {
        // A channel's rows are written when it ends, so that all of them count by its last.
        let channel = row.split(',').find(|field| field.contains('/') && field.contains('-'));
        let channel = channel.unwrap_or(row).to_owned();
        let end = row.rsplit(',').nth(4).unwrap_or_default().to_owned();
        rows.push((end, std::cmp::Reverse(channel), row));
    }
    let ends: BTreeMap<String, String> =
        rows.iter().map(|(end, channel, _)| (channel.0.clone(), end.clone())).collect();
    for row in &mut rows {
        row.0.clone_from(&ends[&row.1.0]);
    }
    rows.sort_by(|a, b| (&a.0, &a.1).cmp(&(&b.0, &b.1)));
    rows.iter().flat_map(|(.., row)| [*row, "\n"]).collect()
}

#[test]
fn rows_written_within_the_same_second_may_come_in_any_order_of_their_channels() {
    let Some(folder) = captures() else { return };
    let mut scenarios = scenarios(&folder.join("r1-default"));
    let before = measured(&scenarios);
    let mut moved = 0;
    for scenario in &mut scenarios {
        if let Some(text) =
            scenario.files.get_mut(CSV).filter(|text| text.lines().all(|row| row.ends_with('"')))
        {
            let other = reordered(text);
            moved += usize::from(other != *text);
            *text = other;
        }
    }
    assert!(moved > 5, "{moved} scenarios have rows of several channels in one second");
    let after = measured(&scenarios);
    for (name, cells) in &before {
        for column in [0, 3] {
            let (before, after) = (&cells[column], &after[name][column]);
            assert!(same(before, after), "{name}: {} {}", written(before), written(after));
        }
    }
}
