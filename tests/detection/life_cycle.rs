//! An incident opens, is followed, rises, doubles, ends, and opens again as another.
use super::{AT_HOME, Call, DAY, HOUR, MINUTE, MONDAY, TUESDAY, call, rows, scan};
use tollwatch_detect::{AlertReason, Severity};

const RULE: &str = "[[rules]]\nname = \"burst\"\nmeasure = \"attempts\"\ndestinations = \"high_risk\"\n\
                    thresholds = [{ window = \"60m\", warning = 2, critical = 5 }]\n";

#[test]
fn an_incident_is_told_of_when_it_opens_rises_doubles_and_ends_and_not_with_every_call() {
    // Ten calls, then silence but for a call at home; the next day two more.
    let first = (0..10).map(|i| call(TUESDAY + i * 2 * MINUTE));
    let at_home = [3 * HOUR, DAY].map(|after| Call { dialled: AT_HOME, ..call(TUESDAY + after) });
    let again = (0..2).map(|i| call(TUESDAY + DAY + HOUR + i * MINUTE));
    let mut engine = scan(RULE, &[&rows(&first.chain(at_home).chain(again).collect::<Vec<_>>())]);
    let alerts = engine.take_alerts();
    let told: Vec<(AlertReason, Severity, u64)> =
        alerts.iter().map(|alert| (alert.reason, alert.incident.severity, alert.incident.attempts)).collect();
    assert_eq!(
        told,
        [
            (AlertReason::Opened, Severity::Warning, 2),
            // The exposure of the last alert was that of two calls, then of four, then of five.
            (AlertReason::ExposureDoubled, Severity::Warning, 4),
            (AlertReason::Escalated, Severity::Critical, 5),
            (AlertReason::ExposureDoubled, Severity::Critical, 10),
            (AlertReason::Resolved, Severity::Critical, 10),
            (AlertReason::Opened, Severity::Warning, 2),
        ]
    );
    let ids: Vec<&str> = alerts.iter().map(|alert| &*alert.incident.id).collect();
    assert!(ids[..5].iter().all(|id| *id == ids[0]) && ids[5] != ids[0], "{ids:?}");
    // With the last call out of the window it is low, and it has to be so for another hour.
    let last = MONDAY + TUESDAY + 18 * MINUTE;
    assert_eq!(alerts[4].incident.resolved_at.map(tollwatch_cdr::EventTime::seconds), Some(last + 2 * HOUR));
    assert_eq!(alerts[4].at.seconds(), last + 2 * HOUR);
}

#[test]
fn an_incident_whose_value_stays_above_half_goes_on_and_below_half_it_ends() {
    let rule = RULE.replace("warning = 2, critical = 5", "warning = 4");
    let burst = || (0..4).map(|i| call(TUESDAY + i * MINUTE));
    let resolved = |calls: Vec<Call<'_>>| {
        let end = Call { dialled: AT_HOME, ..call(TUESDAY + 9 * HOUR) };
        let mut engine = scan(&rule, &[&rows(&[calls, vec![end]].concat())]);
        let alerts = engine.take_alerts();
        assert_eq!(alerts.iter().filter(|alert| alert.reason == AlertReason::Opened).count(), 1);
        let end = alerts.iter().find(|alert| alert.reason == AlertReason::Resolved);
        end.map(|alert| alert.at.seconds() - MONDAY - TUESDAY)
    };
    // The second last of the burst leaves the window after an hour and two minutes: then one is left, less than half.
    assert_eq!(resolved(burst().collect()), Some(2 * HOUR + 2 * MINUTE));
    // Two in each hour until the afternoon keep it going.
    let trickle = (1..8).map(|i| call(TUESDAY + i * 30 * MINUTE));
    assert_eq!(resolved(burst().chain(trickle).collect()), Some(3 * HOUR + 2 * HOUR));
    // One in each hour does not.
    let trickle = (1..8).map(|i| call(TUESDAY + i * 61 * MINUTE + 3 * MINUTE));
    let ended = resolved(burst().chain(trickle).collect());
    // The first of them is taken together with the last of the burst, which left the window just before it.
    assert!(
        ended.is_some_and(|at| (2 * HOUR + 2 * MINUTE..=2 * HOUR + 3 * MINUTE).contains(&at)),
        "{ended:?}"
    );
}
