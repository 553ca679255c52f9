//! Many extensions at once are one case, which lists them and hides none that costs more than the others.
use super::{Call, DAY, HOUR, MINUTE, TUESDAY, call, of_rule, rows, scan};
use crate::harness::wire;
use std::collections::BTreeSet;
use tollwatch_detect::{AlertReason, Engine, ScopeKind};

/// Three calls to Guinea within minutes, which is critical, by so many extensions one after the other.
fn attacked(extensions: &[String]) -> Vec<Call<'_>> {
    let starts = (0..).zip(extensions);
    let calls = starts.flat_map(|(i, extension)| {
        [0, 1, 2].map(|n| Call { extension, ..call(TUESDAY + i * MINUTE + n * 40) })
    });
    calls.collect()
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|i| format!("{}", 200 + i)).collect()
}

/// How often the alerts of single extensions went out.
fn of_extensions(engine: &mut Engine) -> Vec<(String, AlertReason)> {
    let alerts = engine.take_alerts().into_iter();
    let of_extension = alerts.filter(|alert| alert.incident.scope.kind == ScopeKind::Extension);
    of_extension.map(|alert| (alert.incident.scope.value.to_string(), alert.reason)).collect()
}

#[test]
fn five_extensions_with_a_critical_incident_are_a_storm_that_lists_them_and_four_are_none() {
    let four = names(4);
    let mut engine = scan("", &[&rows(&attacked(&four))]);
    assert_eq!(of_rule(&engine, "storm").len(), 0);
    assert!(wire(&engine).iter().all(|incident| incident.folded_into.is_none()));
    let told: BTreeSet<String> = of_extensions(&mut engine).into_iter().map(|(name, _)| name).collect();
    assert!(told.into_iter().eq(four), "each is told of");

    let eight = names(8);
    let mut engine = scan("", &[&rows(&attacked(&eight))]);
    let storms = of_rule(&engine, "storm");
    let [storm] = &storms[..] else { panic!("{storms:?}") };
    assert_eq!((&*storm.scope.kind, &storm.extensions), ("tenant", &eight));
    assert_eq!((storm.attempts, &*storm.exposure.amount), (24, &*sum_of_calls(24)));
    let folded = wire(&engine).into_iter().filter(|incident| incident.folded_into.is_some());
    let folded: BTreeSet<String> = folded.map(|incident| incident.scope.value).collect();
    assert!(folded.into_iter().eq(eight.clone()), "what each has stays in the report");
    let told: BTreeSet<String> = of_extensions(&mut engine).into_iter().map(|(name, _)| name).collect();
    assert!(told.into_iter().eq(eight[..5].iter().cloned()), "the last three woke nobody of their own");
}

/// What so many calls of half a minute cost.
fn sum_of_calls(count: u32) -> String {
    let one = scan("", &[&rows(&[call(TUESDAY)])]);
    let total = one.counters().exposure.micros() * i64::from(count);
    tollwatch_numbering::Money::from_micros(total).to_string()
}

#[test]
fn extensions_attacked_on_different_days_are_no_storm() {
    let many = names(8);
    let mut calls = attacked(&many);
    for (i, call) in (0..).zip(&mut calls) {
        call.start += (i / 3) * (DAY - HOUR);
    }
    assert_eq!(of_rule(&scan("", &[&rows(&calls)]), "storm").len(), 0);
}

#[test]
fn who_costs_far_more_than_the_rest_of_a_storm_is_told_of_beside_it() {
    let many = names(20);
    let dear = "105".to_owned();
    let late = TUESDAY + 30 * MINUTE;
    let run = |minutes: i64| {
        let own = [0, 1, 2].map(|n| Call {
            extension: &dear,
            seconds: minutes * MINUTE - 5,
            ..call(late + n * 40)
        });
        scan("", &[&rows(&[&attacked(&many)[..], &own].concat())])
    };
    let mut engine = run(30);
    let storms = of_rule(&engine, "storm");
    assert!(storms.len() == 1 && storms[0].extensions.contains(&dear), "the storm names it");
    assert!(of_extensions(&mut engine).iter().any(|(name, _)| *name == dear), "and it is told of");
    let own: Vec<_> = wire(&engine).into_iter().filter(|incident| incident.scope.value == dear).collect();
    assert!(!own.is_empty() && own.iter().all(|incident| incident.folded_into.is_none()), "{own:?}");
    let rest = wire(&engine).into_iter().filter(|incident| incident.scope.value == "219");
    assert!(rest.clone().count() > 0 && rest.into_iter().all(|incident| incident.folded_into.is_some()));
    // One that is like the others is not.
    let mut engine = run(1);
    assert!(of_extensions(&mut engine).iter().all(|(name, _)| *name != dear));
    assert!(of_rule(&engine, "storm")[0].extensions.contains(&dear));
}
