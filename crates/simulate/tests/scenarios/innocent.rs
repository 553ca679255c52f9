//! The innocent twins of the newer attacks.
use crate::{incident, most_at_once, seconds_of, with};
use chrono::Datelike;
use std::collections::BTreeSet;
use tollwatch_simulate::{ALLOW_LISTED_FAX, Call, HOUR, Kind, MINUTE, Route, Scenario};

fn numbers<'a>(calls: &[&'a Call]) -> BTreeSet<&'a str> {
    calls.iter().filter_map(|call| call.route.dialled()).collect()
}

fn extensions(calls: &[&Call]) -> BTreeSet<usize> {
    calls.iter().map(|call| call.route.extension()).collect()
}

/// Days since 1970 and the hour, in Tokyo.
fn local(call: &Call) -> (i64, i64) {
    let hours = (call.started_at + 9 * HOUR) / HOUR;
    (hours / 24, hours % 24)
}

#[test]
fn a_usual_country_is_called_every_working_day_and_one_night() {
    let case = with(Kind::UsualCountry);
    let calls = incident(&case);
    let days: BTreeSet<i64> = calls.iter().map(|call| local(call).0).collect();
    assert_eq!(days.len(), 15, "three weeks");
    let nights: Vec<&&Call> = calls.iter().filter(|call| !(8..20).contains(&local(call).1)).collect();
    assert_eq!(nights.len(), 1);
    let before = calls.iter().filter(|call| call.started_at < nights[0].started_at).count();
    assert!(before >= 14, "{before} calls before the one at night");
    assert!(numbers(&calls).iter().all(|number| number.starts_with("01022440000045")));
}

#[test]
fn an_allow_listed_fax_has_one_number_and_sends_at_night() {
    let case = with(Kind::FaxAllowListed);
    let calls = incident(&case);
    assert_eq!((calls.len(), numbers(&calls)), (24, BTreeSet::from([&*format!("010{ALLOW_LISTED_FAX}")])));
    assert!(calls.iter().all(|call| local(call).1 == 21));
}

#[test]
fn fifty_people_call_the_head_office_once_each_within_an_hour() {
    let case = with(Kind::HeadOfficeAbroad);
    let calls = incident(&case);
    assert_eq!((calls.len(), extensions(&calls).len(), numbers(&calls).len()), (50, 50, 1));
    assert!(calls[49].started_at - calls[0].started_at < HOUR);
    assert!(calls.iter().all(|call| local(call).1 == 10));
}

#[test]
fn a_call_back_list_goes_number_by_number_and_stays_at_home() {
    let case = with(Kind::CallBackList);
    let calls = incident(&case);
    let dialled: Vec<u64> =
        calls.iter().filter_map(|call| call.route.dialled()?.strip_prefix("030000")?.parse().ok()).collect();
    assert_eq!(dialled, (6000..6060).collect::<Vec<u64>>());
}

#[test]
fn year_end_greetings_are_short_calls_on_the_last_day_of_the_year_to_countries_called_before() {
    for days in [8, 21] {
        let case =
            Scenario::new(42).days(days).attack(Kind::YearEndGreetings).build().expect("a usual office");
        let calls = incident(&case);
        let is_last = |call: &&&Call| {
            let day = (call.started_at + 9 * HOUR - (case.office.at(0, 0) + 9 * HOUR)) / (24 * HOUR);
            case.office.date(day as u32).is_some_and(|date| (date.month(), date.day()) == (12, 31))
        };
        let greetings: Vec<&Call> = calls.iter().filter(is_last).copied().collect();
        assert_eq!(greetings.len(), 36, "{days} days");
        assert!(seconds_of(&greetings).iter().all(|talk| (40..=150).contains(talk)));
        let country = |call: &&Call| call.route.dialled().map(|number| number[3..5].to_owned());
        let before: BTreeSet<_> = calls.iter().filter(|call| !is_last(call)).map(country).collect();
        let greeted: BTreeSet<_> = greetings.iter().map(country).collect();
        assert!(days == 8 || greeted.is_subset(&before), "{greeted:?} {before:?}");
    }
}

#[test]
fn a_conference_bridge_holds_eight_colleagues_at_once() {
    let case = with(Kind::ConferenceBridge);
    let calls = incident(&case);
    assert_eq!((calls.len(), extensions(&calls).len(), most_at_once(&calls)), (8, 8, 8));
    assert_eq!(numbers(&calls).len(), 1);
    assert!(seconds_of(&calls).iter().all(|talk| (50 * 60..=65 * 60).contains(talk)));
    assert!(calls[7].started_at - calls[0].started_at <= 2 * MINUTE);
}

#[test]
fn a_vessel_is_called_once_on_each_of_four_mornings() {
    let case = with(Kind::ShipBySatellite);
    let calls = incident(&case);
    let days: BTreeSet<i64> = calls.iter().map(|call| local(call).0).collect();
    assert_eq!((calls.len(), days.len(), numbers(&calls).len()), (4, 4, 1));
    assert!(calls.iter().all(|call| (9..=10).contains(&local(call).1)));
}

#[test]
fn a_forwarding_to_a_mobile_stays_at_home() {
    let case = with(Kind::ForwardToMobile);
    let calls = incident(&case);
    assert!(matches!(&calls[0].route, Route::Feature { dialled, .. } if dialled == "*7209010000077"));
    assert_eq!(calls.len(), 7);
    assert!(calls[1..].iter().all(|call| matches!(call.route, Route::Forwarded { by: 4, .. })));
    assert_eq!(numbers(&calls[1..]), BTreeSet::from(["09010000077"]));
}

#[test]
fn a_hotline_is_busy_39_times_before_it_answers() {
    let case = with(Kind::HotlineRedial);
    let calls = incident(&case);
    assert_eq!((calls.len(), seconds_of(&calls), numbers(&calls).len()), (40, vec![7 * 60], 1));
    assert!(calls[39].talk().is_some());
}

#[test]
fn a_sales_round_is_one_call_each_to_nine_countries_in_an_afternoon() {
    let case = with(Kind::SalesRound);
    let calls = incident(&case);
    assert_eq!((calls.len(), numbers(&calls).len()), (9, 9));
    assert!(calls.iter().all(|call| (14..20).contains(&local(call).1)));
}

#[test]
fn three_departments_show_three_numbers_on_one_extension() {
    let case = with(Kind::DepartmentNumbers);
    let calls = incident(&case);
    let shown: Vec<&str> = calls
        .iter()
        .filter_map(|call| match &call.route {
            Route::Outgoing { claimed, .. } => claimed.as_deref(),
            _ => None,
        })
        .collect();
    let different: BTreeSet<&str> = shown.iter().copied().collect();
    assert_eq!((shown.len(), extensions(&calls).len(), different.len()), (18, 1, 3));
    assert!(calls.len() > 18, "partners are called on the days before, too");
}

#[test]
fn a_new_floor_is_twelve_new_extensions_with_one_call_abroad_each() {
    let case = with(Kind::NewFloor);
    let calls = incident(&case);
    assert_eq!((calls.len(), extensions(&calls).len()), (36, 12));
    assert!(extensions(&calls).iter().all(|extension| *extension >= 20));
    let abroad: Vec<&Call> = calls
        .iter()
        .filter(|call| call.route.dialled().is_some_and(|number| number.starts_with("010")))
        .copied()
        .collect();
    assert_eq!((abroad.len(), extensions(&abroad).len()), (12, 12));
}

#[test]
fn stand_ups_are_five_a_day_on_five_working_days() {
    let case = with(Kind::DailyStandUps);
    let calls = incident(&case);
    let days: BTreeSet<i64> = calls.iter().map(|call| local(call).0).collect();
    assert_eq!((calls.len(), days.len(), numbers(&calls).len()), (25, 5, 1));
    assert!(calls.iter().all(|call| (9..18).contains(&local(call).1)));
}

#[test]
fn service_lines_abroad_are_three_calls_never_two_within_forty_minutes() {
    let case = with(Kind::ServiceLinesAbroad);
    let calls = incident(&case);
    assert_eq!((calls.len(), numbers(&calls).len()), (3, 3));
    assert!(calls.windows(2).all(|pair| pair[1].started_at - pair[0].started_at >= 40 * MINUTE));
}
