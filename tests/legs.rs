//! Calls put together from their legs, in the orders and with the gaps that PBXs and logs have.
mod diversions;
mod live;
pub(crate) mod rows;
mod single_channels;
mod transfers;

use crate::harness::{lines, settings, wire};
use tollwatch_cdr::{CallEvent, CallEventKind, Cdr, EventTime, Identity, Leg, Outcome, Party, Record};
use tollwatch_detect::{AlertReason, Engine, Severity};

/// 2026-03-08 03:00:00 in Tokyo.
const NIGHT: i64 = 1_772_906_400;
const SIERRA_LEONE: &[u8] = b"010232221234567";

fn at(second: i64) -> EventTime {
    EventTime::from_seconds(NIGHT + second)
}

fn leg(id: &'static str) -> Leg<'static> {
    let party = match id.split_once('/') {
        Some(("Local", _)) => Party::Internal,
        Some((_, peer)) => Party::Peer(peer.rsplit_once('-').map_or(peer, |(name, _)| name).as_bytes()),
        None => Party::None,
    };
    Leg { id: id.as_bytes(), party }
}

fn event(second: i64, target: &'static str, kind: CallEventKind<'static>) -> Record<'static> {
    Record::CallEvent(CallEvent { at: at(second), target: leg(target), call_id: b"", tenant: b"", kind })
}

fn started(second: i64, origin: &'static str, target: &'static str) -> Record<'static> {
    let kind = CallEventKind::Started {
        origin: leg(origin),
        dialled: SIERRA_LEONE,
        sent: SIERRA_LEONE,
        rang: b"",
        from_outside: false,
        account: b"",
        source_address: b"",
    };
    event(second, target, kind)
}

fn answered(second: i64, target: &'static str) -> Record<'static> {
    event(second, target, CallEventKind::Answered)
}

fn ended(second: i64, target: &'static str) -> Record<'static> {
    event(second, target, CallEventKind::Ended { outcome: Outcome::NoAnswer })
}

fn cdr(start: i64, end: i64, origin: &'static str, target: &'static str) -> Record<'static> {
    Record::Cdr(Cdr {
        started_at: at(start),
        answered_at: Some(at(start)),
        ended_at: at(end),
        billable_seconds: (end - start) as u32,
        outcome: Outcome::Answered,
        calling: b"105",
        dialled: SIERRA_LEONE,
        sent: SIERRA_LEONE,
        rang: b"",
        origin: leg(origin),
        target: leg(target),
        from_outside: false,
        call_id: b"",
        account: b"",
        source_address: b"",
        tenant: b"",
        identity: Identity::OfRecord((start * 100_000 + end) as u64 ^ target.len() as u64),
        length_unknown: false,
    })
}

fn run(engine: &mut Engine, records: &[Record<'_>]) {
    let tenant = engine.tenant("default");
    for record in records {
        engine.observe(tenant, 0, record);
    }
    engine.finish();
}

fn exposure(records: &[Record<'_>]) -> (u64, String) {
    let mut engine = Engine::new(settings());
    run(&mut engine, records);
    (engine.counters().watched, engine.counters().exposure.to_string())
}

/// Something that moves the clock and costs nothing.
fn tick(second: i64) -> Record<'static> {
    answered(second, "PJSIP/none-00000000")
}

const TRUNK: &str = "PJSIP/trunk-00000001";
const BRIDGE: &str = "Local/1@x-00000001";

#[test]
fn what_becomes_of_a_call_that_waits_for_its_owner_is_not_lost() {
    // Nobody ever says whose the bridge is: after five seconds the call stands under its trunk, answered at 2.
    let live = [started(0, BRIDGE, TRUNK), answered(2, TRUNK), tick(60), tick(150), ended(182, TRUNK)];
    assert_eq!(exposure(&live), (1, "525.00".to_owned()), "three started minutes");
    // It is over, and its CDR has come, before the wait is.
    let both = [
        started(0, BRIDGE, TRUNK),
        answered(1, TRUNK),
        ended(4, TRUNK),
        cdr(0, 4, BRIDGE, TRUNK),
        tick(60),
        cdr(0, 4, BRIDGE, TRUNK),
    ];
    assert_eq!(exposure(&both), (1, "175.00".to_owned()));
    // The rest of a transferred call comes while its first part waits.
    let parts = [cdr(0, 100, BRIDGE, TRUNK), cdr(100, 130, BRIDGE, TRUNK), tick(200)];
    assert_eq!(
        exposure(&parts),
        (1, "525.00".to_owned()),
        "100 s and 30 s of one call are three started minutes"
    );
}

#[test]
fn a_call_closed_for_its_age_keeps_its_money_when_its_end_is_seen_after_all() {
    let hours = 3600;
    let mut engine = Engine::new(settings());
    run(&mut engine, &[started(0, "PJSIP/105-1", TRUNK), answered(0, TRUNK), tick(12 * hours + 60)]);
    let twelve_hours = engine.counters().exposure;
    assert_eq!(engine.counters().closed_for_age, 1);
    assert_eq!(twelve_hours.to_string(), "126000.00", "720 started minutes");
    run(&mut engine, &[ended(13 * hours, TRUNK)]);
    assert!(engine.counters().exposure >= twelve_hours, "{}", engine.counters().exposure);
}

#[test]
fn a_channel_name_that_comes_back_is_another_call_even_if_the_first_never_ended() {
    let records = [
        started(0, "PJSIP/105-1", TRUNK),
        answered(1, TRUNK),
        // The PBX was killed; after its restart the names begin anew.
        started(600, "PJSIP/105-1", TRUNK),
        answered(601, TRUNK),
        ended(631, TRUNK),
        cdr(600, 631, "PJSIP/105-1", TRUNK),
    ];
    let (calls, _) = exposure(&records);
    assert_eq!(calls, 2);
    // The same where only the CDR of the second call is seen, a day later.
    let day = 86_400;
    let records =
        [started(0, "PJSIP/105-1", TRUNK), answered(1, TRUNK), cdr(day, day + 30, "PJSIP/105-1", TRUNK)];
    assert_eq!(exposure(&records).0, 2);
}

#[test]
fn calls_that_prove_to_overlap_only_by_their_rest_are_seen_to_overlap() {
    let a = "PJSIP/trunk-0000000a";
    let records = [
        cdr(0, 60, "PJSIP/105-1", a),
        cdr(300, 400, "PJSIP/105-2", "PJSIP/trunk-000000bb"),
        cdr(300, 401, "PJSIP/105-3", "PJSIP/trunk-00000ccc"),
        // The rest of the first call: it was up all the time.
        cdr(60, 600, "PJSIP/105-1", a),
    ];
    let mut engine = Engine::new(settings());
    run(&mut engine, &records);
    let overlap: Vec<_> =
        wire(&engine).into_iter().filter(|i| i.rule == "concurrent_high_risk_calls").collect();
    assert_eq!(overlap.len(), 1);
    assert_eq!(overlap[0].severity, Severity::Critical, "three at once: {overlap:?}");
    assert_eq!(overlap[0].attempts, 3, "{overlap:?}");
}

#[test]
fn letting_old_calls_go_changes_no_incident_however_the_records_are_batched() {
    let day = 86_400;
    let mut records = vec![tick(0)];
    // Very late records: twelve-minute calls that began nearly two days before they came to be known.
    let late: Vec<String> = (0..8).map(|i| format!("PJSIP/trunk-{i:08x}")).collect();
    let late: Vec<&'static str> = late.into_iter().map(|name| &*name.leak()).collect();
    for (i, target) in (0_i64..).zip(&late) {
        let start = -47 * 3600 + i * 900;
        records.push(cdr(start, start + 720, "PJSIP/105-1", target));
    }
    records.push(cdr(1800, 1830, "PJSIP/105-1", "PJSIP/trunk-0000ffff"));
    for hour in 1..60 {
        records.push(tick(hour * 3600));
    }
    records.push(tick(3 * day));
    let mut expected = None;
    for batch in [1, 3, 20, 1000] {
        let mut engine = Engine::new(settings());
        let tenant = engine.tenant("default");
        for records in records.chunks(batch) {
            for record in records {
                engine.observe(tenant, 0, record);
            }
            engine.flush();
        }
        engine.finish();
        let found = lines(&engine);
        assert!(found.iter().any(|line| line.contains("exposure_per_day")), "{found:?}");
        assert_eq!(expected.get_or_insert_with(|| found.clone()), &found, "batches of {batch}");
    }
}

#[test]
fn an_incident_that_opened_at_no_cost_still_says_when_its_exposure_doubles() {
    let trunks = ["PJSIP/trunk-00000001", "PJSIP/trunk-00000002", "PJSIP/trunk-00000003"];
    let mut records: Vec<Record<'_>> =
        (0_i64..).zip(trunks).map(|(i, trunk)| started(i, "PJSIP/105-1", trunk)).collect();
    records.extend((10_i64..).zip(trunks).map(|(i, trunk)| answered(i, trunk)));
    records.push(tick(3600));
    let mut engine = Engine::new(settings());
    run(&mut engine, &records);
    let doubled = engine
        .take_alerts()
        .into_iter()
        .filter(|alert| alert.reason == AlertReason::ExposureDoubled && alert.incident.rule == 0)
        .count();
    assert!(doubled >= 3, "{doubled} alerts in an hour of three calls");
}

#[test]
fn the_seconds_of_a_call_on_a_hot_key_are_settled_while_its_records_may_still_come() {
    let mut engine = Engine::new(settings());
    // A live call of seventy minutes, among four thousand short calls that make the key hot.
    let mut records = vec![started(0, "PJSIP/105-1", TRUNK), answered(0, TRUNK)];
    let name = |i: i64| -> &'static str { format!("PJSIP/trunk-{:08x}", 16 + i).leak() };
    records.extend((0..4200).map(|i| cdr(i, i + 1, "PJSIP/105-1", name(i))));
    records.push(ended(4200, TRUNK));
    // Some minutes and calls later comes its record: it was longer than the events said.
    records.extend((4201..4500).map(|i| cdr(i, i + 1, "PJSIP/105-1", name(i))));
    run(&mut engine, &records);
    let before = engine.counters().exposure;
    run(&mut engine, &[cdr(0, 4501, "PJSIP/105-1", TRUNK)]);
    let rest = engine.counters().exposure.saturating_sub(before);
    assert_eq!(rest.to_string(), "1050.00", "76 started minutes instead of 70");
    assert_eq!(engine.counters().unsettled, 0);
}
