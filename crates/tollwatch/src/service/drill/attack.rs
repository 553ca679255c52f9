//! The calls of a drill, and what the rules make of them.
use crate::config::Config;
use crate::scan::{Counting, Tally};
use chrono::{DateTime, Utc};
use tollwatch_cdr::{
    CallEvent, CallEventKind, CallEventV1, Decoder, EventTime, Format, Leg, Party, Record, Zone,
};
use tollwatch_detect::{AlertV1, Settings, Severity};
use tollwatch_numbering::{Destination, DestinationId, E164, Form};
use tollwatch_stats::Traits;

/// Who seems to be abused, and by which line.
const EXTENSION: &[u8] = b"DRILL";
const TRUNK: &[u8] = b"DRILL-TRUNK";
/// A rule that needs more calls than this is no alarm for a burst.
const MOST_CALLS: u64 = 100;
/// So many countries are tried: the operator may allow calls to some.
const MOST_COUNTRIES: usize = 5;
/// Digits of the numbers, with the country code.
const DIGITS: usize = 11;

/// What the rules made of made-up calls.
#[derive(Debug)]
pub(super) struct Attack {
    pub(super) calls: u64,
    /// Where they went, in English and in Japanese.
    pub(super) destination: [String; 2],
    /// Marked as those of a drill.
    pub(super) alerts: Vec<AlertV1>,
}

/// Lets calls begin, one after the other, until an alert is critical. If no destination brings that about, the first that
/// raised an alert at all; none if none did.
pub(super) fn make_up(config: &Config, tenant: &str, drill: &str, now: DateTime<Utc>) -> Option<Attack> {
    let settings =
        config.tenants.iter().find(|own| own.name == tenant).map_or(&config.settings, |own| &own.settings);
    let mut alarmed = None;
    for (stem, destination) in targets(settings) {
        let attack = attack(config, tenant, drill, &stem, destination, now)?;
        if attack.alerts.iter().any(|alert| alert.severity == Severity::Critical) {
            return Some(attack);
        }
        if !attack.alerts.is_empty() {
            alarmed.get_or_insert(attack);
        }
    }
    alarmed
}

/// An attack on one destination; none if the records cannot be read back.
fn attack(
    config: &Config,
    tenant: &str,
    drill: &str,
    stem: &str,
    destination: &Destination,
    now: DateTime<Utc>,
) -> Option<Attack> {
    // An engine of its own, which forgets all of it with the end of this function.
    let mut engine = Config::engine(config.settings.clone(), config.tenants.clone());
    let tenant_id = engine.tenant(tenant);
    let mut decoder = Decoder::new(Format::parse("tollwatch_jsonl").ok()?, Zone::UTC);
    let names = [destination.name_en.clone(), destination.name_ja.clone()];
    let mut attack = Attack { calls: 0, destination: names, alerts: Vec::new() };
    while attack.calls < MOST_CALLS {
        // They begin together, as those of a dialler do.
        let at = EventTime::from_micros(now.timestamp_micros().saturating_add(attack.calls as i64));
        let line = record(drill, attack.calls, &format!("+{stem}{:02}", attack.calls), at)?;
        let mut tally = Tally::default();
        let mut take = |record: &Record<'_>| {
            engine.observe(tenant_id, 0, record);
        };
        let mut sink = Counting { tally: &mut tally, quarantine: None, take: &mut take };
        decoder.decode(&line, false, &mut sink);
        if tally.records != 1 || tally.rejected() > 0 {
            return None;
        }
        attack.calls += 1;
        engine.flush();
        for alert in engine.take_alerts() {
            attack.alerts.push(AlertV1::of_calls(&alert, engine.settings_of(tenant)).of_drill());
        }
        if attack.alerts.iter().any(|alert| alert.severity == Severity::Critical) {
            break;
        }
    }
    Some(attack)
}

/// The line of a call that begins.
fn record(drill: &str, call: u64, dialled: &str, at: EventTime) -> Option<Vec<u8>> {
    let leg = format!("{drill}-{call}");
    let kind = CallEventKind::Started {
        origin: Leg { id: b"", party: Party::Peer(EXTENSION) },
        dialled: dialled.as_bytes(),
        sent: b"",
        rang: b"",
        from_outside: false,
        account: EXTENSION,
        source_address: b"",
    };
    let target = Leg { id: leg.as_bytes(), party: Party::Peer(TRUNK) };
    let event = CallEvent { at, target, call_id: leg.as_bytes(), tenant: b"", kind };
    let mut line = serde_json::to_vec(&CallEventV1::from(&event)).ok()?;
    line.push(b'\n');
    Some(line)
}

/// Beginnings of numbers in the riskiest countries, by the table that is in force: what stands before the last two digits.
fn targets(settings: &Settings) -> Vec<(String, &Destination)> {
    let mut countries: Vec<&str> = Vec::new();
    let mut targets = Vec::new();
    let is_risky = |row: &&(DestinationId, &Destination)| row.1.tier == Some(1);
    for (id, row) in settings.destinations().iter().filter(|row| is_risky(&row)) {
        if targets.len() == MOST_COUNTRIES {
            break;
        }
        if countries.contains(&row.iso2.as_str()) {
            continue;
        }
        if let Some(stem) = stem(settings, id, row) {
            countries.push(&row.iso2);
            targets.push((stem, row));
        }
    }
    targets
}

/// A beginning whose numbers are those of this row, and that the rules take for risky.
fn stem(settings: &Settings, id: DestinationId, row: &Destination) -> Option<String> {
    let room = DIGITS.checked_sub(row.prefix.len() + 2)?;
    ('0'..='9').map(|digit| row.prefix.clone() + &String::from(digit).repeat(room)).find(|stem| {
        let number = format!("{stem}00");
        let called = settings.plan().normalise(format!("+{number}").as_bytes(), Form::Dialled);
        let is_of_row = E164::from_digits(number.as_bytes())
            .is_some_and(|number| settings.destinations().lookup(number) == Some(id));
        is_of_row && settings.watch(&called).is_some_and(|watched| watched.traits.has(Traits::HIGH_RISK))
    })
}
