//! Attacks and innocent traffic that looks like them: who must be found, and who must not.
use crate::harness::{critical, feed, lines, root, settings};
use std::fs;
use tollwatch_cdr::Format;
use tollwatch_detect::Engine;
use tollwatch_simulate::{Kind, Scenario as Order, write_cdr_csv, write_cel_csv};

/// The records of one office with one attack, or with nothing but one innocent oddity.
pub(crate) struct Scenario {
    pub(crate) name: String,
    pub(crate) format: Format,
    pub(crate) bytes: Vec<u8>,
    kind: Kind,
    extension: String,
}

impl Scenario {
    /// Every kind, once as call records and once as live events.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        Kind::ALL.into_iter().flat_map(|kind| {
            // A big attack shows nothing in a big office that it does not show in a small one.
            let case = Order::new(7).extensions(8).days(8).attack(kind).build().unwrap();
            let extension = case.office.extensions[case.incidents[0].extension].number.clone();
            let (mut cdr, mut cel) = (Vec::new(), Vec::new());
            write_cdr_csv(&case, &mut cdr).unwrap();
            write_cel_csv(&case, &mut cel).unwrap();
            [("asterisk_cdr_csv", cut(cdr)), ("asterisk_cel_csv", cut(cel))].map(|(format, bytes)| {
                let format = Format::parse(format).unwrap();
                Self {
                    name: format!("{}.{}", kind.name(), if format.spans_files() { "cel" } else { "cdr" }),
                    format,
                    bytes,
                    kind,
                    extension: extension.clone(),
                }
            })
        })
    }

    fn scanned(&self) -> Engine {
        let mut engine = Engine::new(settings());
        feed(&mut engine, "default", self.format, &self.bytes, 1 << 16, usize::MAX);
        engine.finish();
        engine
    }
}

/// Four days of pumping are the same call over and over; two megabytes of them are enough.
fn cut(mut bytes: Vec<u8>) -> Vec<u8> {
    if bytes.len() > 2_000_000 {
        let end = bytes[..2_000_000].iter().rposition(|byte| *byte == b'\n').unwrap();
        bytes.truncate(end + 1);
    }
    bytes
}

#[test]
fn every_attack_is_found_and_on_nobody_but_its_extension() {
    for scenario in Scenario::all().filter(|scenario| scenario.kind.is_fraud()) {
        // Dial-plan probing is refused calls and slow drip hides among ordinary calls: a warning, not an alarm.
        let engine = scenario.scanned();
        let found = critical(&engine);
        assert_eq!(found, [scenario.extension.as_str()], "{}", scenario.name);
    }
}

#[test]
fn no_innocent_oddity_gets_anybody_up() {
    for scenario in Scenario::all().filter(|scenario| !scenario.kind.is_fraud()) {
        assert_eq!(critical(&scenario.scanned()), [""; 0], "{}", scenario.name);
    }
}

#[test]
fn there_are_about_as_many_innocent_scenarios_as_guilty_ones() {
    let guilty = Kind::ALL.into_iter().filter(|kind| kind.is_fraud()).count();
    assert!(Kind::ALL.len() - guilty + 1 >= guilty);
}

/// The incidents of every scenario, line by line, so that a change of any rule or number is seen in review.
#[test]
fn the_incidents_of_every_scenario_are_those_that_were_reviewed() {
    let mut changed = Vec::new();
    for scenario in Scenario::all() {
        let path = root().join("tests/scenarios").join(format!("{}.jsonl", scenario.name));
        let mut found = lines(&scenario.scanned()).join("\n");
        if !found.is_empty() {
            found.push('\n');
        }
        if std::env::var_os("TOLLWATCH_BLESS").is_some() {
            fs::write(&path, &found).unwrap();
        }
        if fs::read_to_string(&path).unwrap_or_default() != found {
            changed.push(scenario.name);
        }
    }
    assert_eq!(
        changed, [""; 0],
        "run `TOLLWATCH_BLESS=1 cargo test` and look at what changed in tests/scenarios"
    );
}
