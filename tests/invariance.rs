//! How the input is cut, interrupted and spread changes no byte of what comes out.
use crate::harness::{Feed, feed, lines, settings};
use crate::scenarios::Scenario;
use std::collections::BTreeMap;
use tollwatch_cdr::{Decoder, EventTime, Place, Record, Rejected, Sink, Zone};
use tollwatch_detect::Engine;

fn straight(scenario: &Scenario) -> Vec<String> {
    let mut engine = Engine::new(settings());
    feed(&mut engine, "default", scenario.format, &scenario.bytes, usize::MAX / 2, usize::MAX);
    engine.finish();
    lines(&engine)
}

#[test]
fn the_size_of_blocks_and_batches_changes_nothing() {
    for scenario in Scenario::all() {
        let expected = straight(scenario);
        for (block, flush_every) in [(4096, 1), (1000, 7), (311, 64), (65_536, 3)] {
            let mut engine = Engine::new(settings());
            feed(&mut engine, "default", scenario.format, &scenario.bytes, block, flush_every);
            engine.finish();
            assert_eq!(lines(&engine), expected, "{} in blocks of {block}", scenario.name);
        }
    }
}

#[test]
fn alerts_come_in_the_same_order_however_the_records_are_batched() {
    for scenario in Scenario::all() {
        let alerts = |flush_every| {
            let mut engine = Engine::new(settings());
            feed(&mut engine, "default", scenario.format, &scenario.bytes, 4096, flush_every);
            engine.finish();
            engine.take_alerts()
        };
        let expected = alerts(usize::MAX);
        for flush_every in [1, 5, 100] {
            // Not assert_eq: what it would print is megabytes.
            assert!(alerts(flush_every) == expected, "{} by {flush_every}", scenario.name);
        }
    }
}

#[test]
fn a_snapshot_anywhere_is_continued_without_a_trace() {
    for scenario in Scenario::all() {
        let expected = straight(scenario);
        // From a snapshot after every few records of a small stream to some forty in a large one.
        for block in [(scenario.bytes.len() / 40).max(1_700), scenario.bytes.len() / 13 + 11] {
            let mut engine = Engine::new(settings());
            let mut decoder = Decoder::new(scenario.format, Zone::parse("Asia/Tokyo").unwrap());
            let (mut start, mut end, mut snapshots) = (0, 0, 0);
            while end < scenario.bytes.len() {
                end = (end + block).min(scenario.bytes.len());
                let tenant = engine.tenant("default");
                let mut sink =
                    Feed { engine: &mut engine, tenant, records: 0, rejected: 0, flush_every: usize::MAX };
                start += decoder.decode(&scenario.bytes[start..end], end == scenario.bytes.len(), &mut sink);
                let engine_bytes = engine.snapshot().unwrap();
                let decoder_bytes = postcard::to_stdvec(&decoder).unwrap();
                engine = Engine::new(settings()).restore(&engine_bytes).unwrap();
                decoder = postcard::from_bytes(&decoder_bytes).unwrap();
                snapshots += 1;
            }
            engine.finish();
            assert!(snapshots >= 2, "{}: {snapshots} snapshots", scenario.name);
            assert_eq!(lines(&engine), expected, "{} with a snapshot every {block} bytes", scenario.name);
        }
    }
}

#[test]
fn what_has_changed_since_each_checkpoint_makes_the_whole_state() {
    for scenario in Scenario::all() {
        let expected = straight(scenario);
        let mut parts: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
        let mut engine = Engine::new(settings());
        engine.keep_changes();
        let mut decoder = Decoder::new(scenario.format, Zone::parse("Asia/Tokyo").unwrap());
        let block = (scenario.bytes.len() / 60).max(1_700);
        let (mut start, mut end, mut checkpoints) = (0, 0, 0);
        let mut alerts = Vec::new();
        while end < scenario.bytes.len() {
            end = (end + block).min(scenario.bytes.len());
            let tenant = engine.tenant("default");
            let mut sink =
                Feed { engine: &mut engine, tenant, records: 0, rejected: 0, flush_every: usize::MAX };
            start += decoder.decode(&scenario.bytes[start..end], end == scenario.bytes.len(), &mut sink);
            for (key, value) in engine.changes().unwrap() {
                match value {
                    Some(value) => parts.insert(key, value),
                    None => parts.remove(&key),
                };
            }
            alerts.extend(engine.take_alerts());
            checkpoints += 1;
            // Every third time the process ends here and another goes on.
            if checkpoints % 3 == 0 {
                let snapshot = engine.snapshot().unwrap();
                let stored = parts.iter().map(|(key, value)| (&**key, &**value));
                engine = Engine::new(settings()).resume(stored).unwrap();
                assert!(engine.snapshot().unwrap() == snapshot, "{} after {checkpoints}", scenario.name);
            }
        }
        engine.finish();
        assert_eq!(lines(&engine), expected, "{}", scenario.name);
        alerts.extend(engine.take_alerts());
        let mut whole = Engine::new(settings());
        feed(&mut whole, "default", scenario.format, &scenario.bytes, 1 << 16, usize::MAX);
        whole.finish();
        assert!(whole.take_alerts() == alerts, "{}: the same alerts", scenario.name);
    }
}

#[test]
fn a_checkpoint_costs_what_has_changed_and_not_what_there_is() {
    let mut engine = Engine::new(settings());
    engine.keep_changes();
    let tenant = engine.tenant("default");
    let mut serial = 0;
    let mut call = |engine: &mut Engine, extension: usize, at: i64| {
        serial += 1;
        let (from, to) =
            (format!("PJSIP/{}-{serial:08x}", 100_000 + extension), format!("PJSIP/trunk-{serial:08x}"));
        let row = format!(
            "\"\",\"{}\",\"01012125550100\",\"x\",\"\",\"{from}\",\"{to}\",\"Dial\",\"\",\"{1}\",\"{1}\",\"{1}\",9,9,\
             \"ANSWERED\",\"DOCUMENTATION\",\"{at}.{serial}\",\"\"\n",
            100_000 + extension,
            EventTime::from_seconds(at).to_string().replace('T', " ").replace('Z', ""),
        );
        let mut sink = Feed { engine, tenant, records: 0, rejected: 0, flush_every: usize::MAX };
        let format = tollwatch_cdr::Format::parse("asterisk_cdr_csv").unwrap();
        Decoder::new(format, Zone::UTC).decode(row.as_bytes(), true, &mut sink);
        assert_eq!((sink.records, sink.rejected), (1, 0));
    };
    let size = |changes: tollwatch_detect::Changes| changes.values().flatten().map(Vec::len).sum::<usize>();
    for extension in 0..2_000 {
        call(&mut engine, extension, 1_773_493_200 + extension as i64 * 15);
    }
    let whole = size(engine.changes().unwrap());
    let idle = size(engine.changes().unwrap());
    for extension in 0..20 {
        call(&mut engine, extension * 7, 1_773_523_200 + extension as i64);
    }
    let hundredth = size(engine.changes().unwrap());
    assert_eq!(idle, 0);
    assert!(hundredth * 20 < whole, "{hundredth} of {whole} bytes");
}

#[test]
fn time_that_passes_without_records_lets_out_earlier_what_would_come_out_later() {
    for scenario in Scenario::all() {
        let run = |ticks: bool| {
            let mut engine = Engine::new(settings());
            let tenant = engine.tenant("default");
            let mut sink = Ticking { engine: &mut engine, tenant, last: None, ticks };
            let mut decoder = Decoder::new(scenario.format, Zone::parse("Asia/Tokyo").unwrap());
            decoder.decode(&scenario.bytes, true, &mut sink);
            engine.finish();
            let incidents = lines(&engine);
            (incidents, engine.take_alerts())
        };
        assert!(run(true) == run(false), "{}", scenario.name);
    }
}

/// Lets time pass between any two records that are not a leap apart.
struct Ticking<'e> {
    engine: &'e mut Engine,
    tenant: tollwatch_detect::TenantId,
    last: Option<EventTime>,
    ticks: bool,
}

impl Sink for Ticking<'_> {
    fn record(&mut self, _: Place, record: &Record<'_>) {
        let at = record.known_at();
        if let Some(last) =
            self.last.filter(|last| self.ticks && at > *last && at < last.plus_seconds(80_000))
        {
            let between = at.seconds_since(last);
            for part in 1..4 {
                self.engine.advance(self.tenant, last.plus_seconds(between * part / 4));
            }
        }
        self.last = self.last.max(Some(at));
        self.engine.observe(self.tenant, 0, record);
    }
    fn passed_over(&mut self, _: Place) {}
    fn rejected(&mut self, _: &Rejected<'_>) {}
}

#[test]
fn tenants_on_one_engine_and_on_many_have_the_same_incidents() {
    let scenarios = Scenario::all();
    let mut together = Engine::new(settings());
    for scenario in scenarios {
        feed(&mut together, &scenario.name, scenario.format, &scenario.bytes, 4096, 50);
    }
    together.finish();
    let mut apart: Vec<String> = Vec::new();
    for scenario in scenarios {
        let mut alone = Engine::new(settings());
        feed(&mut alone, &scenario.name, scenario.format, &scenario.bytes, 4096, 50);
        alone.finish();
        apart.extend(lines(&alone));
    }
    let mut together = lines(&together);
    together.sort();
    apart.sort();
    assert!(!together.is_empty());
    assert_eq!(together, apart);
}

#[test]
fn what_is_no_snapshot_is_refused_and_never_continued() {
    use tollwatch_detect::SnapshotError;
    let mut engine = Engine::new(settings());
    let good = engine.snapshot().unwrap();
    assert_eq!(Engine::new(settings()).restore(b"hello").unwrap_err(), SnapshotError::NotASnapshot);
    let mut parts: tollwatch_detect::Changes = postcard::from_bytes(&good[8..]).unwrap();
    // The head of the engine's own parts.
    let head = parts.get_mut(&[255, 255, 255, 255, 0][..]).unwrap().as_mut().unwrap();
    head[0] = 99;
    let newer = postcard::to_extend(&parts, good[..8].to_vec()).unwrap();
    assert_eq!(Engine::new(settings()).restore(&newer).unwrap_err(), SnapshotError::Version { found: 99 });
    assert_eq!(Engine::new(settings()).restore(&good[..good.len() - 1]).unwrap_err(), SnapshotError::Damaged);
}
