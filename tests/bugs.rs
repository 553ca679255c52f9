//! The kinds of what went wrong elsewhere, each with an input of our own, where the whole shows them. The letters in
//! the tests are the rows of `docs/known-bugs.md`.
mod detector;
mod duplicates;
mod numbers;
mod windows;

use crate::harness::{feed, settings, wire};
use tollwatch_cdr::{EventTime, Format};
use tollwatch_detect::{Engine, IncidentV1};

/// 2026-03-08 03:00:00 in Tokyo, a Sunday.
const NIGHT: i64 = 1_772_906_400;
const SIERRA_LEONE: &str = "010232221234567";

/// A call over a trunk as the PBX writes it; seconds count from `NIGHT`.
#[derive(Clone, Copy)]
struct Call<'a> {
    serial: u32,
    start: i64,
    seconds: i64,
    answered: bool,
    extension: &'a str,
    calling: &'a str,
    name: &'a str,
    dialled: &'a str,
}

/// A call of half a minute by 105; `serial` tells its channels from those of others.
fn call(serial: u32, start: i64) -> Call<'static> {
    let (extension, dialled) = ("105", SIERRA_LEONE);
    Call { serial, start, seconds: 30, answered: true, extension, calling: extension, name: "A", dialled }
}

/// Local time in Tokyo.
fn clock(second: i64) -> String {
    let at = EventTime::from_seconds(NIGHT + second + 9 * 3600);
    at.to_string().replace('T', " ").replace('Z', "")
}

impl Call<'_> {
    fn row(&self) -> String {
        let Self { serial, start, seconds, extension, calling, name, dialled, .. } = self;
        let (began, ended, created) = (clock(*start), clock(start + seconds), NIGHT + start);
        let (answer, billable, outcome) = if self.answered {
            (format!("\"{began}\""), *seconds, "ANSWERED")
        } else {
            (String::new(), 0, "NO ANSWER")
        };
        format!(
            "\"\",\"{calling}\",\"{dialled}\",\"from-internal\",\"\"\"{name}\"\" <{calling}>\",\
             \"PJSIP/{extension}-{serial:08x}\",\"PJSIP/trunk-{serial:08x}\",\"Dial\",\"PJSIP/{dialled}@trunk,30\",\
             \"{began}\",{answer},\"{ended}\",{seconds},{billable},\"{outcome}\",\"DOCUMENTATION\",\
             \"{created}.{serial}\",\"\",\"\",\"{created}.{serial}\",{serial}\n"
        )
    }
}

fn rows(calls: &[Call<'_>]) -> String {
    calls.iter().map(Call::row).collect()
}

fn read(engine: &mut Engine, format: &str, text: &str) {
    let format = Format::parse(format).unwrap();
    feed(engine, "default", format, text.as_bytes(), 64 * 1024, usize::MAX);
    engine.finish();
}

/// An engine with the embedded defaults that has read the rows.
fn engine_of(text: &str) -> Engine {
    let mut engine = Engine::new(settings());
    read(&mut engine, "asterisk_cdr_csv", text);
    engine
}

/// The same with live events.
fn engine_of_events(text: &str) -> Engine {
    let mut engine = Engine::new(settings());
    read(&mut engine, "tollwatch_jsonl", text);
    engine
}

/// The incidents of a rule.
fn of_rule(engine: &Engine, rule: &str) -> Vec<IncidentV1> {
    wire(engine).into_iter().filter(|incident| incident.rule == rule).collect()
}

/// A live call by 105 begins.
fn started(at: i64, serial: u32) -> String {
    format!(
        r#"{{"type":"call_event","event":"started","at":{},"target":{{"id":"t{serial}","peer":"trunk"}},"extension":"105","dialled":"{SIERRA_LEONE}"}}"#,
        NIGHT + at
    ) + "\n"
}

/// Something more happens to it.
fn event(at: i64, serial: u32, event: &str) -> String {
    format!(
        r#"{{"type":"call_event","event":"{event}","at":{},"target":{{"id":"t{serial}","peer":"trunk"}}}}"#,
        NIGHT + at
    ) + "\n"
}
