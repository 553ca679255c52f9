//! Many extensions at once, and one among them that matters more than all others.
use super::{BEGIN, Call, GUINEA, engine};
use crate::harness::wire;
use tollwatch_detect::AlertReason;

const ONE_CALL: &str = "[[rules]]\nname = \"one_call\"\nmeasure = \"attempts\"\ndestinations = \"high_risk\"\n\
                        thresholds = [{ window = \"60m\", critical = 1 }]\n";

#[test]
fn an_expensive_attack_is_not_hidden_by_a_storm_of_cheap_ones() {
    let mut engine = engine(ONE_CALL);
    // More extensions than a storm names.
    for i in 0..1200_u32 {
        let cheap = Call { seconds: 10, ..Call::out(&format!("{}", 3000 + i), GUINEA, i.into(), BEGIN) };
        Call { at: BEGIN + i64::from(i), ..cheap }.observe(&mut engine);
    }
    engine.flush();
    let before = engine.take_alerts();
    assert!(before.iter().any(|alert| alert.incident.extensions.len() >= 5), "a storm has begun");
    assert_eq!(engine.counters().extensions_not_named, 200);
    for i in 0..30_u32 {
        let long = Call::out("105", GUINEA, 10_000 + u64::from(i), BEGIN + 1200 + i64::from(i));
        Call { seconds: 600, ..long }.observe(&mut engine);
    }
    engine.flush();
    let alerts = engine.take_alerts();
    let about_105 = alerts.iter().filter(|alert| &*alert.incident.scope.value == "105");
    assert!(about_105.clone().any(|alert| alert.reason == AlertReason::ExposureDoubled), "{alerts:?}");
    let incidents = wire(&engine);
    let storm = incidents.iter().find(|incident| incident.rule == "storm").unwrap();
    assert!(storm.extensions.iter().any(|extension| extension == "105"), "the storm names it");
    assert_eq!(storm.extensions.len(), 1000);
    let own = incidents.iter().find(|incident| incident.scope.value == "105").unwrap();
    assert_eq!(own.folded_into, None, "and does not speak for it");
    let others =
        incidents.iter().filter(|incident| incident.rule == "one_call" && incident.scope.value != "105");
    assert!(others.clone().filter(|other| other.folded_into.is_some()).count() >= 995);
}
