//! What no single rule shows: arming, storms, tenants, scopes, learning and the life of an incident. Each from files,
//! scanned as the command scans them.
mod arming;
mod life_cycle;
mod scopes;
mod storms;
mod tenants;
mod usual_countries;

use crate::harness::wire;
use std::fmt::Write as _;
use tollwatch::{Config, Overrides, Scanner};
use tollwatch_cdr::EventTime;
use tollwatch_detect::{Engine, IncidentV1};

/// Monday 2 March 2026, 00:00 in Tokyo.
const MONDAY: i64 = 1_772_377_200;
const MINUTE: i64 = 60;
const HOUR: i64 = 3600;
const DAY: i64 = 86_400;

const GUINEA: &str = "010224655500001";
const FRANCE: &str = "01033123456789";
const UNITED_KINGDOM: &str = "010442071234567";
const SINGAPORE: &str = "0106562345678";
const AT_HOME: &str = "0355550100";

/// A call over a trunk as Asterisk writes it; without seconds nobody answered.
#[derive(Clone, Copy)]
struct Call<'a> {
    start: i64,
    seconds: i64,
    extension: &'a str,
    dialled: &'a str,
    account: &'a str,
}

/// A call of half a minute by 105 to Guinea, so long after that Monday began.
fn call(start: i64) -> Call<'static> {
    Call { start: MONDAY + start, seconds: 30, extension: "105", dialled: GUINEA, account: "" }
}

/// Rows in the order in which the PBX writes them: of the ends of the calls.
fn rows(calls: &[Call<'_>]) -> String {
    let mut calls = calls.to_vec();
    calls.sort_by_key(|call| call.start + call.seconds);
    let mut rows = String::new();
    for (serial, call) in calls.iter().enumerate() {
        let Call { start, seconds, extension, dialled, account } = call;
        let civil =
            |at: i64| EventTime::from_seconds(at + 9 * HOUR).to_string().replace('T', " ").replace('Z', "");
        let (began, ended) = (civil(*start), civil(start + seconds));
        let (answer, outcome) =
            if *seconds > 0 { (format!("\"{began}\""), "ANSWERED") } else { (String::new(), "NO ANSWER") };
        let _ = writeln!(
            rows,
            "\"{account}\",\"{extension}\",\"{dialled}\",\"from-internal\",\"{extension}\",\"PJSIP/{extension}-{serial:08x}\",\
             \"PJSIP/trunk-{serial:08x}\",\"Dial\",\"PJSIP/{dialled}@trunk,30\",\"{began}\",{answer},\"{ended}\",\
             {seconds},{seconds},\"{outcome}\",\"DOCUMENTATION\",\"{start}.{serial}\",\"\""
        );
    }
    rows
}

/// Scans files of this content with this configuration on top of the embedded one.
fn scan(config: &str, files: &[&str]) -> Engine {
    let overrides = Overrides { timezone: Some("Asia/Tokyo".to_owned()), ..Overrides::default() };
    let Config { sources, settings, tenants, .. } =
        Config::from_text(config, "test.toml", None, &overrides).unwrap();
    let mut engine = Config::engine(settings, tenants);
    let mut scanner = Scanner::new(sources);
    let folder = tempfile::tempdir().unwrap();
    for (number, content) in files.iter().enumerate() {
        let path = folder.path().join(format!("{number}.txt"));
        std::fs::write(&path, content).unwrap();
        scanner.open(&path).unwrap_or_else(|error| panic!("{error:?}"));
    }
    let report = scanner.run(&mut engine, &mut |_| {});
    assert!(report.files.iter().all(|file| file.error.is_none() && file.rejected.is_empty()));
    engine
}

/// The incidents of a rule.
fn of_rule(engine: &Engine, rule: &str) -> Vec<IncidentV1> {
    wire(engine).into_iter().filter(|incident| incident.rule == rule).collect()
}

/// Whom the incidents of a rule are about.
fn about(engine: &Engine, rule: &str) -> Vec<String> {
    let mut about: Vec<String> =
        of_rule(engine, rule).into_iter().map(|incident| incident.scope.value).collect();
    about.sort();
    about
}

/// An office that has been recorded for eight days before the Tuesday of the second week, so that new countries are told
/// apart by then.
fn quiet_week() -> Vec<Call<'static>> {
    (0..9).map(|day| Call { dialled: AT_HOME, ..call(day * DAY + 9 * HOUR) }).collect()
}
/// Tuesday of the second week, 10:00.
const TUESDAY: i64 = 8 * DAY + 10 * HOUR;
