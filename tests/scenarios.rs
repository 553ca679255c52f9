//! Attacks and innocent traffic that looks like them: who must be found, and who must not.
mod table;

use crate::harness::{feed, root, settings_with, wire};
use chrono::NaiveDate;
use std::collections::BTreeSet;
use std::fs;
use std::sync::OnceLock;
use tollwatch_cdr::Format;
use tollwatch_detect::{Engine, IncidentV1, Severity};
use tollwatch_simulate::{ALLOW_LISTED_FAX, Case, Kind, Scenario as Order, write_cdr_csv, write_cel_csv};

const SEED: u64 = 7;
/// A Monday. June has no holiday in Japan.
const FIRST_DAY: Option<NaiveDate> = NaiveDate::from_ymd_opt(2026, 6, 1);
/// More warnings than this about one harmless thing, and nobody reads them any more.
const MOST_WARNINGS: usize = 2;

/// Whom an attack must be laid to, and how loudly.
#[derive(Clone, Copy, Debug)]
enum LaidTo {
    /// The extension that was taken over.
    Extension(Severity),
    /// The tenant, by an incident of this rule that names every extension that took part.
    Tenant(&'static str),
}

fn laid_to(kind: Kind) -> LaidTo {
    match kind {
        // Some forty yen a call, a dozen calls an hour. What shows them shows the fax and the desk that calls back its
        // customers as well.
        Kind::NeighbourNumbers | Kind::SameNumberRun => LaidTo::Extension(Severity::Warning),
        Kind::Spread | Kind::InventedExtensions => LaidTo::Tenant("spread"),
        Kind::Storm => LaidTo::Tenant("storm"),
        _ => LaidTo::Extension(Severity::Critical),
    }
}

/// Numbers that the operator allows, since no default can tell the innocent who call them from the guilty.
fn allowed(kind: Kind) -> Option<String> {
    let numbers = match kind {
        Kind::FaxAllowListed => format!("\"+{ALLOW_LISTED_FAX}\""),
        Kind::FaxUs => "\"+12125550142\"".to_owned(),
        Kind::MondayOverseasBatch => "\"+86100000\", \"+8220000\", \"+886210000\"".to_owned(),
        Kind::CallCentrePuertoRico => "\"+1787\"".to_owned(),
        Kind::ConferenceGb => "\"+442079460150\"".to_owned(),
        Kind::UsualCountry => "\"+22440000045\"".to_owned(),
        Kind::ShipBySatellite => "\"+870000000051\"".to_owned(),
        _ => return None,
    };
    Some(format!("\n[[allow]]\nnumbers = [{numbers}]\nextensions = [\"105\"]\nreason = \"known\"\n"))
}

/// The records of one office with one attack, or with nothing but one innocent oddity.
pub(crate) struct Scenario {
    pub(crate) name: String,
    pub(crate) format: Format,
    pub(crate) bytes: Vec<u8>,
    kind: Kind,
    truth: Truth,
    engine: OnceLock<Engine>,
}

/// What the simulator knows of the calls in question.
#[derive(Clone)]
struct Truth {
    took_part: BTreeSet<String>,
    /// Their starts in order, microseconds since 1970.
    starts: Vec<i64>,
}

/// An office with this kind of incident in it, and with nothing else.
fn case(kind: Kind, seed: u64) -> (Case, Truth) {
    let (extensions, days) = match kind {
        // A big office writes as much in two days as a small one in sixteen.
        Kind::Spread | Kind::Storm | Kind::HeadOfficeAbroad => (kind.extensions(), 2),
        // Before the last day of the year the office is closed for two.
        Kind::YearEndGreetings => (5, 20),
        // A week and a day come before the incident: only then are countries new, or usual.
        _ => (kind.extensions().max(5), 16),
    };
    let order = Order::new(seed).extensions(extensions).days(days).attack(kind);
    let order =
        if kind == Kind::YearEndGreetings { order } else { order.first_day(FIRST_DAY.unwrap_or_default()) };
    let mut case = order.build().unwrap();
    // The first calls of a big attack show all that the thousands after them show.
    let most = if kind == Kind::InventedExtensions { 40 } else { 400 };
    let mut of_incident = case.calls.iter().enumerate().filter(|(_, call)| call.incident.is_some());
    if let Some((end, _)) = of_incident.nth(most) {
        case.calls.truncate(end);
    }
    let calls = || case.calls.iter().filter(|call| call.incident.is_some());
    let truth = Truth {
        took_part: calls().map(|call| case.office.number(call.route.extension()).to_owned()).collect(),
        starts: calls().map(|call| call.started_at).collect(),
    };
    (case, truth)
}

impl Scenario {
    /// Every kind, once as call records and once as live events.
    pub(crate) fn all() -> &'static [Self] {
        static ALL: OnceLock<Vec<Scenario>> = OnceLock::new();
        ALL.get_or_init(|| Kind::ALL.into_iter().flat_map(Self::of).collect())
    }

    fn of(kind: Kind) -> [Self; 2] {
        let (case, truth) = case(kind, SEED);
        let (mut cdr, mut cel) = (Vec::new(), Vec::new());
        write_cdr_csv(&case, &mut cdr).unwrap();
        write_cel_csv(&case, &mut cel).unwrap();
        [("cdr", cdr), ("cel", cel)].map(|(short, bytes)| Self {
            name: format!("{}.{short}", kind.name()),
            format: Format::parse(&format!("asterisk_{short}_csv")).unwrap(),
            bytes,
            kind,
            truth: truth.clone(),
            engine: OnceLock::new(),
        })
    }

    /// With the defaults; the fax that looks premium has its entry in the allow-list.
    fn scanned(&self) -> &Engine {
        let fax = allowed(self.kind).filter(|_| self.kind == Kind::FaxAllowListed);
        self.engine.get_or_init(|| scan(self.format, &self.bytes, &fax.unwrap_or_default()))
    }
}

fn scan(format: Format, bytes: &[u8], addition: &str) -> Engine {
    let mut engine = Engine::new(settings_with(addition));
    feed(&mut engine, "default", format, bytes, 1 << 16, usize::MAX);
    engine.finish();
    engine
}

fn assert_is_laid_to_those_who_took_part(name: &str, kind: Kind, truth: &Truth, engine: &Engine) {
    let incidents = wire(engine);
    assert!(incidents.iter().all(|incident| !incident.scope.unattributed), "{name}: on nobody");
    let named: BTreeSet<String> = incidents.iter().flat_map(|incident| incident.extensions.clone()).collect();
    assert_eq!(named, truth.took_part, "{name}");
    let worst = |kind: &str| {
        let severities = incidents.iter().filter(|incident| incident.scope.kind == kind);
        severities.map(|incident| incident.severity).max()
    };
    match laid_to(kind) {
        LaidTo::Extension(severity) => assert_eq!(worst("extension"), Some(severity), "{name}"),
        LaidTo::Tenant(rule) => {
            let of_rule: Vec<&IncidentV1> =
                incidents.iter().filter(|incident| incident.rule == rule).collect();
            let [incident] = of_rule[..] else { panic!("{name}: {} of {rule}", of_rule.len()) };
            let extensions: BTreeSet<String> = incident.extensions.iter().cloned().collect();
            assert_eq!(extensions, truth.took_part, "{name}");
            assert_eq!((incident.severity, &*incident.scope.kind), (Severity::Critical, "tenant"), "{name}");
        }
    }
}

fn assert_gets_nobody_up(name: &str, engine: &Engine) {
    let critical = wire(engine).into_iter().filter(|incident| incident.severity == Severity::Critical);
    let critical: Vec<String> = critical.map(|incident| incident.rule).collect();
    assert_eq!(critical, [""; 0], "{name}");
}

#[test]
fn every_attack_is_found_and_laid_to_nobody_but_those_who_took_part() {
    for scenario in Scenario::all().iter().filter(|scenario| scenario.kind.is_fraud()) {
        let Scenario { name, kind, truth, .. } = scenario;
        assert_is_laid_to_those_who_took_part(name, *kind, truth, scenario.scanned());
    }
}

/// The test calls are three, seven to nine hours before.
#[test]
fn test_calls_arm_the_extension_for_the_pumping_hours_later() {
    for scenario in Scenario::all().iter().filter(|it| it.kind == Kind::TestCallsThenPumping) {
        let incidents = wire(scenario.scanned());
        let armed: Vec<&IncidentV1> =
            incidents.iter().filter(|incident| incident.rule == "high_risk_while_armed").collect();
        let [armed] = armed[..] else { panic!("{}: {armed:?}", scenario.name) };
        assert_eq!((armed.severity, armed.attempts), (Severity::Critical, 122), "{}", scenario.name);
        let pumping = scenario.truth.starts[4].div_euclid(1_000_000);
        let critical = scenario.scanned().incidents().into_iter().zip(&incidents);
        let at = critical
            .filter(|(_, wire)| wire.incident_id == armed.incident_id)
            .find_map(|it| it.0.critical_at);
        // At the second call of the pumping, or with its record.
        assert!(at.is_some_and(|at| (pumping..pumping + 240).contains(&at.seconds())), "{}", scenario.name);
    }
}

#[test]
fn no_innocent_oddity_gets_anybody_up_and_few_are_worth_a_look() {
    for scenario in Scenario::all().iter().filter(|scenario| !scenario.kind.is_fraud()) {
        let engine = scenario.scanned();
        assert_gets_nobody_up(&scenario.name, engine);
        let warnings = wire(engine).len();
        assert!(
            warnings <= MOST_WARNINGS || allowed(scenario.kind).is_some(),
            "{}: {warnings} warnings, and nothing to be set against them",
            scenario.name
        );
    }
}

/// What allowed numbers cost is watched all the same, as any call abroad.
#[test]
fn what_no_default_can_tell_from_an_attack_the_operator_silences_by_its_number() {
    for scenario in Scenario::all() {
        let Some(addition) = allowed(scenario.kind) else { continue };
        let Scenario { name, format, bytes, .. } = scenario;
        let without = wire(&scan(*format, bytes, ""));
        assert!(without.len() >= MOST_WARNINGS, "{name} needs no setting: {without:?}");
        let with = scan(*format, bytes, &addition);
        assert_gets_nobody_up(name, &with);
        let rules: Vec<String> = wire(&with).into_iter().map(|incident| incident.rule).collect();
        let costs = if scenario.kind == Kind::ConferenceGb { &["exposure_per_hour"][..] } else { &[] };
        assert_eq!(rules, costs, "{name}");
    }
}

#[test]
fn other_offices_with_other_attacks_are_judged_alike() {
    let format = Format::parse("asterisk_cdr_csv").unwrap();
    for (kind, seed) in Kind::ALL.into_iter().flat_map(|kind| [1, 2, 3].map(|seed| (kind, seed))) {
        let (case, truth) = case(kind, seed);
        let mut bytes = Vec::new();
        write_cdr_csv(&case, &mut bytes).unwrap();
        let addition = allowed(kind).filter(|_| kind == Kind::FaxAllowListed);
        let engine = scan(format, &bytes, &addition.unwrap_or_default());
        let name = format!("{} with seed {seed}", kind.name());
        if kind.is_fraud() {
            assert_is_laid_to_those_who_took_part(&name, kind, &truth, &engine);
        } else {
            assert_gets_nobody_up(&name, &engine);
        }
    }
}

/// The yardstick of false alerts is their number for each 1,000 extension-days.
#[test]
fn an_ordinary_office_has_less_than_one_warning_for_a_thousand_extension_days() {
    let format = Format::parse("asterisk_cdr_csv").unwrap();
    let (extensions, days) = (80, 28);
    for seed in [1, 2] {
        let order = Order::new(seed).extensions(extensions).days(days);
        let case = order.first_day(FIRST_DAY.unwrap_or_default()).build().unwrap();
        let mut bytes = Vec::new();
        write_cdr_csv(&case, &mut bytes).unwrap();
        let engine = scan(format, &bytes, "");
        assert_gets_nobody_up(&format!("seed {seed}"), &engine);
        let warnings = wire(&engine).len();
        assert!(warnings * 1000 < extensions * days as usize, "seed {seed}: {warnings}");
        assert!(engine.counters().watched > 30, "it calls abroad, too: {}", engine.counters().watched);
    }
}

/// The incidents of every scenario, line by line, so that a change of any rule or number is seen in review. Those that a
/// storm speaks for are left out.
#[test]
fn the_incidents_of_every_scenario_are_those_that_were_reviewed() {
    let mut changed = Vec::new();
    for scenario in Scenario::all() {
        let path = root().join("tests/scenarios").join(format!("{}.jsonl", scenario.name));
        let alone = wire(scenario.scanned()).into_iter().filter(|incident| incident.folded_into.is_none());
        let found: String = alone.map(|incident| serde_json::to_string(&incident).unwrap() + "\n").collect();
        if std::env::var_os("TOLLWATCH_BLESS").is_some() {
            fs::write(&path, &found).unwrap();
        }
        if fs::read_to_string(&path).ok() != Some(found) {
            changed.push(&*scenario.name);
        }
    }
    assert_eq!(
        changed, [""; 0],
        "run `TOLLWATCH_BLESS=1 cargo test` and look at what changed in tests/scenarios"
    );
}
