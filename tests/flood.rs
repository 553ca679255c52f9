//! Floods of callers and of extensions that do not exist: what is kept stays within its limits and is counted, and an
//! attack in the same stream is found as if there were no flood.
mod kinds;
mod storms;

use crate::harness::wire;
use tollwatch::{Config, Overrides};
use tollwatch_cdr::{Cdr, EventTime, Identity, Leg, Outcome, Party, Record};
use tollwatch_detect::{Engine, IncidentV1, Severity};

const LIMITS: &str =
    "[limits]\ntenants = 50\nkeys = 1000\ncalls = 10000\nlegs = 2000\nrecords = 5000\nincidents = 1000\n";
/// Saturday 14 March 2026, 22:00 in Tokyo.
const BEGIN: i64 = 1_773_493_200;
const FLOOD: u64 = 20_000;
/// A number in Guinea, as it is dialled in Japan.
const GUINEA: &str = "010224655500001";

/// An answered call of half a minute.
#[derive(Clone)]
struct Call {
    serial: u64,
    at: i64,
    seconds: u32,
    from: String,
    to: String,
    calling: String,
    dialled: String,
    id: String,
    account: String,
    tenant: String,
    from_outside: bool,
}

impl Call {
    /// A call by an extension over a trunk.
    fn out(extension: &str, dialled: &str, serial: u64, at: i64) -> Self {
        Self {
            serial,
            at,
            seconds: 30,
            from: extension.to_owned(),
            to: "trunk".to_owned(),
            calling: extension.to_owned(),
            dialled: dialled.to_owned(),
            id: String::new(),
            account: String::new(),
            tenant: String::new(),
            from_outside: false,
        }
    }

    fn observe(&self, engine: &mut Engine) {
        self.observe_as(engine, self.serial);
    }

    /// The same in the record of that identity.
    fn observe_as(&self, engine: &mut Engine, identity: u64) {
        let default = engine.tenant("default");
        let named = (!self.tenant.is_empty()).then(|| engine.named_tenant(self.tenant.as_bytes()));
        let (from, to) = (format!("PJSIP/x-{:08x}", self.serial), format!("PJSIP/y-{:08x}", self.serial));
        let party = |name| match name {
            "" => Party::None,
            "Local" => Party::Internal,
            name => Party::Peer(str::as_bytes(name)),
        };
        let talked = i64::from(self.seconds);
        let cdr = Cdr {
            started_at: EventTime::from_seconds(self.at),
            answered_at: Some(EventTime::from_seconds(self.at + 2)),
            ended_at: EventTime::from_seconds(self.at + 2 + talked),
            billable_seconds: self.seconds,
            outcome: Outcome::Answered,
            calling: self.calling.as_bytes(),
            dialled: self.dialled.as_bytes(),
            sent: b"",
            rang: b"",
            origin: Leg { id: from.as_bytes(), party: party(&self.from) },
            target: Leg { id: to.as_bytes(), party: party(&self.to) },
            from_outside: self.from_outside,
            call_id: self.id.as_bytes(),
            account: self.account.as_bytes(),
            source_address: b"",
            tenant: self.tenant.as_bytes(),
            identity: Identity::OfRecord(identity),
            length_unknown: false,
        };
        engine.observe(named.flatten().unwrap_or(default), 0, &Record::Cdr(cdr));
    }
}

/// An engine with small limits, and with these rules instead of its own if there are any.
fn engine(rules: &str) -> Engine {
    let config = Config::from_text(&format!("{LIMITS}{rules}"), "test", None, &Overrides::default());
    Engine::new(config.unwrap().settings)
}

/// An attack by extension 105, with or without a flood of invented extensions and random callers around it. What was
/// found about 105, and the engine.
fn run(flood: bool) -> (Vec<IncidentV1>, Engine) {
    let mut engine = engine("");
    for i in 0..FLOOD {
        let at = BEGIN + i as i64 / 4;
        if flood {
            // One in ten goes where it is expensive.
            let dialled = if i % 10 == 0 { GUINEA } else { "01012125550100" };
            Call::out(&format!("{}", 300_000 + i), dialled, 3 * i + 1, at).observe(&mut engine);
            kinds::random_caller(i, 3 * i + 2, at).observe(&mut engine);
        }
        if i % 100 == 0 {
            Call::out("105", "010224655500002", 3 * i + 3, at).observe(&mut engine);
        }
    }
    engine.finish();
    let about_105 = wire(&engine).into_iter().filter(|incident| incident.scope.value == "105").collect();
    (about_105, engine)
}

#[test]
fn an_attack_is_found_in_a_flood_as_it_is_without_one() {
    let (quiet, _) = run(false);
    let (flooded, _) = run(true);
    let is_the_burst =
        |i: &IncidentV1| i.rule == "high_risk_burst" && i.severity == Severity::Critical && i.attempts == 200;
    assert!(quiet.iter().any(is_the_burst), "{quiet:?}");
    assert_eq!(flooded, quiet, "to the last call id");
}

#[test]
fn what_is_kept_of_a_flood_stays_within_its_limits_and_is_counted() {
    let (_, mut engine) = run(true);
    let counters = engine.counters();
    assert!(counters.keys_let_go >= FLOOD - 1000, "{counters:?}");
    assert!(counters.legs_forgotten_early > 0 && counters.records_forgotten_early > 0, "{counters:?}");
    let flooded = engine.snapshot().unwrap().len();
    let (_, mut quiet) = run(false);
    let quiet = quiet.snapshot().unwrap().len();
    // 20,000 keys would be several megabytes.
    assert!(flooded < quiet + 1_500_000, "{flooded} bytes, without the flood {quiet}");
}
