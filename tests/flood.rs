//! Floods of callers and of extensions that do not exist: what is kept stays within its limits, and an attack in the
//! same stream is found as if there were no flood.
use tollwatch::{Config, Overrides};
use tollwatch_cdr::{Cdr, EventTime, Leg, Outcome, Party, Record};
use tollwatch_detect::{Engine, Severity};

const LIMITS: &str = "[limits]\nkeys = 1000\nlegs = 2000\nrecords = 5000\nincidents = 1000\n";
/// Saturday 14 March 2026, 22:00 in Tokyo.
const BEGIN: i64 = 1_773_493_200;
const FLOOD: u64 = 20_000;

fn call(engine: &mut Engine, extension: &str, calling: &str, dialled: &str, serial: u64, at: i64) {
    let tenant = engine.tenant("default");
    let (from, to) = (format!("PJSIP/{extension}-{serial:08x}"), format!("PJSIP/trunk-{serial:08x}"));
    let cdr = Cdr {
        started_at: EventTime::from_seconds(at),
        answered_at: Some(EventTime::from_seconds(at + 2)),
        ended_at: EventTime::from_seconds(at + 32),
        billable_seconds: 30,
        outcome: Outcome::Answered,
        calling: calling.as_bytes(),
        dialled: dialled.as_bytes(),
        sent: b"",
        rang: b"",
        origin: Leg { id: from.as_bytes(), party: Party::Peer(extension.as_bytes()) },
        target: Leg { id: to.as_bytes(), party: Party::Peer(b"trunk") },
        from_outside: false,
        call_id: b"",
        account: b"",
        source_address: b"",
        tenant: b"",
        identity: serial,
    };
    engine.observe(tenant, 0, &Record::Cdr(cdr));
}

/// An attack by extension 105, with or without a flood of invented extensions and random callers around it. What was
/// found about 105, and the engine.
fn run(flood: bool) -> (Vec<String>, Engine) {
    let config = Config::from_text(LIMITS, "test", None, &Overrides::default()).unwrap();
    let mut engine = Engine::new(config.settings);
    for i in 0..FLOOD {
        let at = BEGIN + i as i64 / 4;
        if flood {
            // One in ten goes where it is expensive.
            let dialled = if i % 10 == 0 { "010224655500001" } else { "01012125550100" };
            call(&mut engine, &format!("{}", 300_000 + i), "0355550100", dialled, 3 * i + 1, at);
            call(&mut engine, "200", &format!("{:012}", i * 7919), "0355550123", 3 * i + 2, at);
        }
        if i % 100 == 0 {
            call(&mut engine, "105", "105", "010224655500002", 3 * i + 3, at);
        }
    }
    engine.finish();
    let about_105 = engine
        .incidents()
        .into_iter()
        .filter(|incident| &*incident.scope.value == "105")
        .map(|incident| {
            let rule = engine.settings().rules()[incident.rule].name.clone();
            format!("{rule} {:?} {} {}", incident.severity, incident.detected_at, incident.attempts)
        })
        .collect();
    (about_105, engine)
}

#[test]
fn an_attack_is_found_in_a_flood_as_it_is_without_one() {
    let (quiet, _) = run(false);
    let (flooded, engine) = run(true);
    assert!(quiet.iter().any(|line| line.starts_with("high_risk_burst Critical")), "{quiet:?}");
    assert_eq!(flooded, quiet);
    let critical = engine.incidents().into_iter().any(|incident| {
        incident.severity == Severity::Critical
            && (&*incident.scope.value == "105" || incident.extensions.contains("105"))
            && incident.folded_into.is_none()
    });
    assert!(critical, "whatever is folded, somebody is told of 105");
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
