//! Pages against a slow oracle.
use crate::harness::{Around, around, engine, entry, get, incident, open};
use proptest::prelude::*;
use tollwatch_http::{Limits, View};

/// A moment, as microseconds after midnight, and the number of an incident.
type Detected = (u32, u16);

fn id(number: u16) -> String {
    format!("inc-{number:05}")
}

fn publish(around: &Around, detected: &[Detected]) {
    let entries = detected.iter().map(|&(micros, number)| {
        let tenant = if number % 3 == 0 { "osaka" } else { "default" };
        let at = format!("2026-11-25T00:00:{:02}.{:06}Z", micros / 1_000_000, micros % 1_000_000);
        entry(incident(&id(number), tenant, "105", &at, "open"))
    });
    around.view.publish(View::default().with_incidents(entries));
}

/// Newest first, by looking at all of them.
fn oracle(mut detected: Vec<Detected>, only_osaka: bool) -> Vec<String> {
    detected.retain(|(_, number)| !only_osaka || number % 3 == 0);
    detected.sort_by_key(|&(micros, number)| std::cmp::Reverse((micros, number)));
    detected.into_iter().map(|(_, number)| id(number)).collect()
}

proptest! {
    #[test]
    fn pages_show_every_incident_once_in_order_while_newer_ones_come_in(
        // Few moments, so that many incidents share one.
        detected in proptest::collection::btree_map(0_u16..500, (0_u32..8).prop_map(|n| n * 250_000), 0..40),
        limit in 1_usize..9,
        only_osaka in any::<bool>(),
    ) {
        let detected: Vec<Detected> = detected.into_iter().map(|(number, micros)| (micros, number)).collect();
        let around = around(&open(), Limits::default(), engine());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut all = detected.clone();
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            publish(&around, &all);
            let tenant = if only_osaka { "&tenant=osaka" } else { "" };
            let path = format!("/api/v1/incidents?limit={limit}{tenant}{cursor}");
            let page = runtime.block_on(get(&around.service, &path)).json();
            let incidents = page["incidents"].as_array().unwrap();
            prop_assert!(incidents.len() <= limit);
            seen.extend(incidents.iter().map(|one| one["incident"]["incident_id"].as_str().unwrap().to_owned()));
            let Some(next) = page["next_cursor"].as_str() else { break };
            prop_assert!(!incidents.is_empty());
            cursor = format!("&cursor={next}");
            all.push((3_000_000, 501 + all.len() as u16));
        }
        prop_assert_eq!(seen, oracle(detected, only_osaka));
    }
}
