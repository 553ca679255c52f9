//! How the input is cut, interrupted and spread changes no byte of what comes out.
use crate::harness::{Feed, feed, lines, settings};
use crate::scenarios::Scenario;
use tollwatch_cdr::{Decoder, Zone};
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
    let mut newer = good.clone();
    newer[9] = 99;
    assert_eq!(Engine::new(settings()).restore(&newer).unwrap_err(), SnapshotError::Version { found: 99 });
    let text = tollwatch::default_text().replace("critical = 60 }]", "critical = 61 }]");
    let other = tollwatch::Config::from_text(&text, "test", None, &tollwatch::Overrides::default()).unwrap();
    assert_eq!(Engine::new(other.settings).restore(&good).unwrap_err(), SnapshotError::OtherRules);
    assert_eq!(Engine::new(settings()).restore(&good[..good.len() - 1]).unwrap_err(), SnapshotError::Damaged);
}
