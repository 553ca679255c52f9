//! The countries that a company calls as a rule are learned over weeks, from business hours. Ninety days of records.
use super::{Call, DAY, GUINEA, HOUR, MONDAY, SINGAPORE, UNITED_KINGDOM, call, of_rule, rows, scan};
use tollwatch_cdr::EventTime;

const UNUSUAL: &str = "[[rules]]\nname = \"unusual\"\nmeasure = \"attempts\"\ndestinations = \"unusual_country\"\n\
                       thresholds = [{ window = \"10m\", warning = 1 }]\n";
/// Ten in the morning, and eleven at night.
const MORNING: i64 = 10 * HOUR;
const NIGHT: i64 = 23 * HOUR;

/// The days, counted from the first Monday, on which calls to a country were unusual.
fn unusual_days(calls: &[Call<'_>], country: &str) -> Vec<i64> {
    let engine = scan(UNUSUAL, &[&rows(calls)]);
    let incidents = of_rule(&engine, "unusual").into_iter();
    let of_country =
        incidents.filter(|incident| incident.destinations.iter().all(|to| to.country == country));
    let at = |text: &str| -> i64 {
        (0..100 * 24)
            .map(|hour| MONDAY + hour * HOUR)
            .rfind(|at| *EventTime::from_seconds(*at).to_string() <= *text)
            .unwrap()
    };
    of_country.map(|incident| (at(&incident.first_call_at) - MONDAY).div_euclid(DAY)).collect()
}

fn is_workday(day: i64) -> bool {
    day % 7 < 5
}

/// A call to Britain on each workday of these.
fn to_britain(days: impl Iterator<Item = i64>) -> Vec<Call<'static>> {
    let days = days.filter(|day| is_workday(*day));
    days.map(|day| Call { extension: "106", dialled: UNITED_KINGDOM, ..call(day * DAY + MORNING) }).collect()
}

/// One call at home a day, by which time passes.
fn every_day() -> Vec<Call<'static>> {
    (0..90).map(|day| Call { dialled: super::AT_HOME, ..call(day * DAY + 12 * HOUR) }).collect()
}

#[test]
fn a_country_that_is_called_on_three_days_is_usual_until_it_has_not_been_called_for_weeks() {
    let calls = [every_day(), to_britain((0..40).chain(85..86))].concat();
    // The day before a call teaches nothing yet, so the fifth day is the first that is usual.
    assert_eq!(unusual_days(&calls, "GB"), [0, 1, 2, 3, 85]);
}

#[test]
fn who_calls_every_night_teaches_nothing() {
    let nights = (0..90).flat_map(|day| {
        (0..20).map(move |i| Call { dialled: SINGAPORE, ..call(day * DAY + NIGHT + i * 20) })
    });
    let calls = [every_day(), to_britain(0..90), nights.collect()].concat();
    assert_eq!(unusual_days(&calls, "SG"), (0..90).collect::<Vec<_>>());
    assert_eq!(unusual_days(&calls, "GB"), [0, 1, 2, 3], "and what was learned stays");
}

#[test]
fn a_flood_within_two_days_makes_no_country_usual_and_none_unusual() {
    // 500 calls on each of two days in business hours; days later they are still a matter to look at.
    let flood = [50, 51]
        .into_iter()
        .flat_map(|day| (0..500).map(move |i| Call { seconds: 5, ..call(day * DAY + MORNING + i * 20) }));
    let after = [53, 54].map(|day| Call { dialled: GUINEA, ..call(day * DAY + MORNING) });
    let calls = [every_day(), to_britain(0..90), flood.collect(), after.to_vec()].concat();
    assert_eq!(unusual_days(&calls, "GN"), [50, 51, 53, 54]);
    assert_eq!(unusual_days(&calls, "GB"), [0, 1, 2, 3]);
}
