//! Attacks and innocent traffic that looks like them: who must be found, and who must not.
use crate::harness::{critical, feed, lines, root, settings};
use std::fs;
use tollwatch_cdr::Format;
use tollwatch_detect::Engine;
use tollwatch_simulate::{Kind, Scenario as Order, write_cdr_csv, write_cel_csv};

/// Kinds that the rules are not made for yet: who must be found in them, and how, has not been reviewed.
const NOT_REVIEWED: [Kind; 28] = [
    Kind::Spread,
    Kind::WeekendSlowBurn,
    Kind::WeekTrickle,
    Kind::NeighbourNumbers,
    Kind::RoundRobin,
    Kind::SameNumberRun,
    Kind::CheapCountryRanges,
    Kind::PremiumAtHome,
    Kind::Satellite,
    Kind::ForwardingCode,
    Kind::TestCallsThenPumping,
    Kind::Storm,
    Kind::RandomCallerIds,
    Kind::InventedExtensions,
    Kind::UsualCountry,
    Kind::FaxAllowListed,
    Kind::HeadOfficeAbroad,
    Kind::CallBackList,
    Kind::YearEndGreetings,
    Kind::ConferenceBridge,
    Kind::ShipBySatellite,
    Kind::ForwardToMobile,
    Kind::HotlineRedial,
    Kind::SalesRound,
    Kind::DepartmentNumbers,
    Kind::NewFloor,
    Kind::DailyStandUps,
    Kind::ServiceLinesAbroad,
];

/// Kinds of which the first hours show all that the days after them show.
const SAME_OVER_AND_OVER: [Kind; 4] =
    [Kind::SierraLeone2015, Kind::OneNumber, Kind::Burst, Kind::ForwardPumping];

/// The records of one office with one attack, or with nothing but one innocent oddity.
pub(crate) struct Scenario {
    pub(crate) name: String,
    pub(crate) format: Format,
    pub(crate) bytes: Vec<u8>,
    kind: Kind,
    extension: String,
}

impl Scenario {
    /// Every kind that the rules are made for, once as call records and once as live events.
    pub(crate) fn reviewed() -> impl Iterator<Item = Self> {
        Kind::ALL.into_iter().filter(|kind| !NOT_REVIEWED.contains(kind)).flat_map(|kind| {
            // A big attack shows nothing in a big office that it does not show in a small one, but for those that take
            // part. A big office writes as much in two days as a small one in eight.
            let (extensions, days) = if kind.extensions() > 8 { (kind.extensions(), 2) } else { (8, 8) };
            let case = Order::new(7).extensions(extensions).days(days).attack(kind).build().unwrap();
            let extension = case.office.number(case.incidents[0].extension).to_owned();
            let (mut cdr, mut cel) = (Vec::new(), Vec::new());
            write_cdr_csv(&case, &mut cdr).unwrap();
            write_cel_csv(&case, &mut cel).unwrap();
            [("asterisk_cdr_csv", cdr), ("asterisk_cel_csv", cel)].map(|(format, bytes)| Self {
                name: format!("{}.{}", kind.name(), if format == "asterisk_cel_csv" { "cel" } else { "cdr" }),
                format: Format::parse(format).unwrap(),
                bytes: if SAME_OVER_AND_OVER.contains(&kind) { cut(bytes) } else { bytes },
                kind,
                extension: extension.clone(),
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

/// Two megabytes of the same call are enough.
fn cut(mut bytes: Vec<u8>) -> Vec<u8> {
    if bytes.len() > 2_000_000 {
        let end = bytes[..2_000_000].iter().rposition(|byte| *byte == b'\n').unwrap();
        bytes.truncate(end + 1);
    }
    bytes
}

#[test]
fn every_attack_is_found_and_on_nobody_but_its_extension() {
    for scenario in Scenario::reviewed().filter(|scenario| scenario.kind.is_fraud()) {
        // Dial-plan probing is refused calls and slow drip hides among ordinary calls: a warning, not an alarm.
        let engine = scenario.scanned();
        let found = critical(&engine);
        assert_eq!(found, [scenario.extension.as_str()], "{}", scenario.name);
    }
}

#[test]
fn no_innocent_oddity_gets_anybody_up() {
    for scenario in Scenario::reviewed().filter(|scenario| !scenario.kind.is_fraud()) {
        assert_eq!(critical(&scenario.scanned()), [""; 0], "{}", scenario.name);
    }
}

#[test]
fn there_are_about_as_many_innocent_scenarios_as_guilty_ones() {
    let (guilty, innocent): (Vec<Kind>, Vec<Kind>) =
        Kind::ALL.into_iter().filter(|kind| !NOT_REVIEWED.contains(kind)).partition(|kind| kind.is_fraud());
    assert!(innocent.len() + 1 >= guilty.len());
}

/// The incidents of every scenario, line by line, so that a change of any rule or number is seen in review.
#[test]
fn the_incidents_of_every_scenario_are_those_that_were_reviewed() {
    let mut changed = Vec::new();
    for scenario in Scenario::reviewed() {
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
