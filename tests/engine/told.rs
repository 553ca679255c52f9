//! What the engine tells of a record, and of the calls of an incident.
use super::{Call, DAY, HOME, SATURDAY, SIERRA_LEONE, Telling, call};
use crate::harness::settings;
use tollwatch_detect::{Engine, Evidence, Incident, Observed};

fn engine() -> (Engine, tollwatch_detect::TenantId) {
    let mut engine = Engine::new(settings());
    let tenant = engine.tenant("default");
    (engine, tenant)
}

/// The incident of 105 by a rule, and its calls.
fn evidence(engine: &Engine, rule: &str, most: usize) -> (Incident, Vec<Evidence>) {
    let is_of_rule =
        |incident: &Incident| engine.settings().rules().get(incident.rule).is_some_and(|it| it.name == rule);
    let is_wanted = |incident: &Incident| &*incident.scope.value == "105" && is_of_rule(incident);
    let incident = engine.incidents().into_iter().find(is_wanted).unwrap();
    let calls = engine.evidence(&incident, most);
    (incident, calls)
}

#[test]
fn a_record_is_taken_or_was_read_before_or_comes_later_than_the_windows_reach() {
    let (mut engine, tenant) = engine();
    let mut tell = |call: Call<'_>| call.tell(Telling::Cdr, &mut engine, tenant);
    assert_eq!(tell(call(1, SATURDAY)), Observed::Taken);
    assert_eq!(tell(call(1, SATURDAY)), Observed::Duplicate);
    assert_eq!(tell(call(2, SATURDAY + 60)), Observed::Taken);
    assert_eq!(tell(call(3, SATURDAY - 30 * DAY)), Observed::Late);
    // No rule watches it, so that no window could have held it.
    assert_eq!(tell(Call { dialled: HOME, ..call(4, SATURDAY - 30 * DAY) }), Observed::Taken);
}

#[test]
fn the_calls_of_an_incident_are_those_that_it_counts_as_they_stand() {
    let (mut engine, tenant) = engine();
    for serial in 0..5 {
        let dialled = if serial == 3 { SIERRA_LEONE } else { super::GUINEA };
        let own = Call { dialled, ..call(serial, SATURDAY + 20 * serial as i64) };
        own.tell(Telling::Cdr, &mut engine, tenant);
        Call { dialled: HOME, ..call(100 + serial, SATURDAY) }.tell(Telling::Cdr, &mut engine, tenant);
        Call { extension: "106", ..call(200 + serial, SATURDAY) }.tell(Telling::Cdr, &mut engine, tenant);
    }
    let live = Call { billable: 20, ..call(9, SATURDAY + 200) };
    live.tell(Telling::Started, &mut engine, tenant);
    engine.flush();
    let (incident, calls) = evidence(&engine, "high_risk_burst", 50);
    assert_eq!(incident.attempts, 6);
    let ids: Vec<&str> = calls.iter().map(|call| &*call.call_id).collect();
    assert_eq!(ids, ["0", "1", "2", "3", "4", "9"]);
    assert!(calls.iter().all(|call| call.extension.as_deref() == Some("105")));
    assert_eq!(calls[3].number.unwrap().to_string(), "+232221234567");
    let row = engine.settings().destinations().get(calls[3].destination.unwrap());
    assert_eq!(row.iso2, "SL");
    let last = |calls: &[Evidence]| {
        let last = calls.last().unwrap();
        (last.answered, last.billable_seconds)
    };
    assert_eq!(last(&calls), (false, 0));
    live.tell(Telling::Answered, &mut engine, tenant);
    live.tell(Telling::Cdr, &mut engine, tenant);
    engine.flush();
    let (incident, calls) = evidence(&engine, "high_risk_burst", 50);
    assert_eq!(last(&calls), (true, 20));
    let cost = calls.iter().fold(tollwatch_numbering::Money::ZERO, |sum, call| sum.saturating_add(call.cost));
    assert_eq!(cost, incident.exposure);
    assert_eq!(evidence(&engine, "high_risk_burst", 2).1.len(), 2, "no more than are asked for");
}
