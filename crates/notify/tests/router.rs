//! Routes, hours and mutes.
#![allow(clippy::unwrap_used, reason = "a test may stop at once, its helpers too")]
use chrono::{DateTime, Utc};
use tollwatch_detect::{AlertReasonV1, AlertV1, Problem, Severity};
use tollwatch_notify::{Matchers, Mute, NotifyPlan, RawNotify, Routed, Router, sample_alerts};

const TWO: &str = "[[notifiers]]\nname = \"day\"\ntype = \"jsonl\"\npath = \"day.jsonl\"\n\
    [[notifiers]]\nname = \"night\"\ntype = \"jsonl\"\npath = \"night.jsonl\"\n";

fn router(routes: &str) -> Result<Router, Vec<Problem>> {
    let raw: RawNotify = toml::from_str(&format!("{TWO}{routes}")).unwrap();
    let mut problems = Vec::new();
    let plan = NotifyPlan::validate(&raw, &mut problems);
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok(plan.build(None, &|_| None).unwrap().router)
}

fn alert(reason: AlertReasonV1, severity: Severity) -> AlertV1 {
    let mut alerts = sample_alerts().into_iter().map(|(alert, _)| alert);
    let mut alert = alerts.find(|alert| alert.reason == reason).unwrap();
    alert.severity = severity;
    alert
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// Places of the notifiers, and whether each waits.
fn told(routed: &Routed, now: DateTime<Utc>) -> Vec<(usize, bool)> {
    let Routed::To(to) = routed else { return Vec::new() };
    to.iter().map(|addressee| (addressee.notifier, addressee.not_before > now)).collect()
}

#[test]
fn without_routes_everything_goes_everywhere_at_once() {
    let now = at("2026-03-07T18:00:00Z");
    let routed = router("").unwrap().route(&alert(AlertReasonV1::Opened, Severity::Warning), now, &[]);
    assert_eq!(told(&routed, now), [(0, false), (1, false)]);
}

#[test]
fn quiet_hours_hold_warnings_until_they_end_and_let_critical_ones_through() {
    let routes = "[[routes]]\nnotifiers = [\"day\"]\n\
        quiet_hours = { from = \"22:00\", to = \"07:00\", timezone = \"Asia/Tokyo\" }\n\
        [[routes]]\nnotifiers = [\"night\"]\nseverity = \"critical\"\n";
    let router = router(routes).unwrap();
    let night = at("2026-03-07T18:00:00Z");
    let warning = router.route(&alert(AlertReasonV1::Opened, Severity::Warning), night, &[]);
    let Routed::To(to) = &warning else { panic!("{warning:?}") };
    assert_eq!(to.len(), 1);
    assert_eq!(to[0].not_before, at("2026-03-07T22:00:00Z"));
    let critical = router.route(&alert(AlertReasonV1::Opened, Severity::Critical), night, &[]);
    assert_eq!(told(&critical, night), [(0, false), (1, false)]);
}

#[test]
fn who_was_called_in_his_hours_hears_that_it_is_over_outside_them() {
    let routes = "[[routes]]\nnotifiers = [\"night\"]\n\
        when = { from = \"22:00\", to = \"07:00\", timezone = \"Asia/Tokyo\" }\n";
    let router = router(routes).unwrap();
    let noon = at("2026-03-07T03:00:00Z");
    assert_eq!(told(&router.route(&alert(AlertReasonV1::Opened, Severity::Critical), noon, &[]), noon), []);
    let over = router.route(&alert(AlertReasonV1::Resolved, Severity::Critical), noon, &[]);
    assert_eq!(told(&over, noon), [(1, false)]);
}

#[test]
fn a_mute_covers_what_it_matches_until_it_expires_but_never_the_end() {
    let router = router("").unwrap();
    let now = at("2026-03-07T18:00:00Z");
    let mute = |rule: Option<&str>, value: Option<&str>| Mute {
        matchers: Matchers {
            rule: rule.map(str::to_owned),
            value: value.map(str::to_owned),
            ..Matchers::default()
        },
        until: at("2026-03-07T19:00:00Z"),
        reason: "a known dialler".to_owned(),
    };
    let opened = alert(AlertReasonV1::Opened, Severity::Critical);
    let is_muted = |mute: Mute, alert: &AlertV1, now| router.route(alert, now, &[mute]) == Routed::Muted(0);
    assert!(is_muted(mute(Some("burst_*"), Some("105")), &opened, now));
    assert!(!is_muted(mute(Some("burst_*"), Some("106")), &opened, now));
    assert!(!is_muted(mute(None, None), &opened, now), "a mute that names nothing covers nothing");
    assert!(!is_muted(mute(Some("*"), None), &opened, at("2026-03-07T19:00:00Z")));
    let over = alert(AlertReasonV1::Resolved, Severity::Critical);
    assert!(!is_muted(mute(Some("*"), None), &over, now));
}

#[test]
fn every_fault_of_a_route_is_told_with_its_place() {
    let routes =
        "[[routes]]\nnotifiers = []\n[[routes]]\nnotifiers = [\"day\", \"noon\"]\nrules = [\"a***\"]\n";
    let problems = router(routes).unwrap_err();
    let places: Vec<&str> = problems.iter().map(|problem| problem.place.as_str()).collect();
    assert_eq!(places, ["routes[0].notifiers", "routes[1].notifiers[1]", "routes[1].rules[0]"]);
}
