use super::*;
use chrono::TimeDelta;
use proptest::prelude::*;

fn at(text: &str) -> EventTime {
    EventTime::from_seconds(DateTime::parse_from_rfc3339(text).unwrap().timestamp())
}

fn texts(list: &[&str]) -> Vec<String> {
    list.iter().map(|text| (*text).to_owned()).collect()
}

fn span(days: &[&str], from: &str, to: &str) -> BusinessSpan {
    BusinessSpan { days: texts(days), from: from.to_owned(), to: to.to_owned() }
}

const WORKDAYS: [&str; 5] = ["mon", "tue", "wed", "thu", "fri"];

/// Eight to eight from Monday to Friday.
fn office() -> BusinessHours {
    BusinessHours {
        days: Some(texts(&WORKDAYS)),
        from: Some("08:00".to_owned()),
        to: Some("20:00".to_owned()),
        ..BusinessHours::default()
    }
}

fn spans(spans: Vec<BusinessSpan>) -> BusinessHours {
    BusinessHours { spans, ..BusinessHours::default() }
}

fn calendar(raw: &BusinessHours, country: &str, zone: &str) -> Calendar {
    let mut problems = Vec::new();
    let calendar = Calendar::validate(raw, country, zone, &mut problems);
    assert_eq!(problems, []);
    calendar
}

fn problems(raw: &BusinessHours, zone: &str) -> Vec<String> {
    let mut problems = Vec::new();
    Calendar::validate(raw, "JP", zone, &mut problems);
    problems.into_iter().map(|problem| problem.place).collect()
}

#[test]
fn nights_weekends_and_holidays_are_off_hours_in_local_time() {
    let raw = BusinessHours { holidays: Some(texts(&["2026-03-10", "08-13..08-16"])), ..office() };
    let calendar = calendar(&raw, "JP", "Asia/Tokyo");
    assert!(!calendar.is_off_hours(at("2026-03-06T19:59:59+09:00")), "Friday before closing");
    assert!(calendar.is_off_hours(at("2026-03-06T20:00:00+09:00")), "closing time itself");
    assert!(calendar.is_off_hours(at("2026-03-08T03:00:00+09:00")), "Sunday night");
    assert!(calendar.is_off_hours(at("2026-03-07T12:00:00+09:00")), "Saturday noon");
    assert!(!calendar.is_off_hours(at("2026-03-09T08:00:00+09:00")), "Monday opening");
    assert!(calendar.is_off_hours(at("2026-03-10T12:00:00+09:00")), "a closing of that year");
    assert!(calendar.is_off_hours(at("2031-08-14T12:00:00+09:00")), "a closing of every year");
    assert!(calendar.is_off_hours(at("2026-03-20T12:00:00+09:00")), "the equinox, a Friday");
}

#[test]
fn the_home_country_brings_its_holidays_and_its_year_end_unless_the_configuration_says_otherwise() {
    let equinox = at("2026-03-20T12:00:00+09:00");
    let year_end = at("2026-12-30T12:00:00+09:00");
    let off = |raw: &BusinessHours, country: &str| {
        let calendar = calendar(raw, country, "Asia/Tokyo");
        [calendar.is_off_hours(equinox), calendar.is_off_hours(year_end)]
    };
    let with = |calendar: &str| BusinessHours { calendar: Some(calendar.to_owned()), ..office() };
    assert_eq!(off(&office(), "JP"), [true, true]);
    assert_eq!(off(&office(), "DE"), [false, false]);
    assert_eq!(off(&with("none"), "JP"), [false, false]);
    assert_eq!(off(&with("JP"), "DE"), [true, true]);
    assert_eq!(off(&BusinessHours { holidays: Some(Vec::new()), ..office() }, "JP"), [true, false]);
}

#[test]
fn a_night_belongs_to_the_day_it_began_on() {
    let raw = BusinessHours {
        holidays: Some(texts(&["2026-03-04"])),
        ..spans(vec![span(&WORKDAYS, "18:00", "03:00")])
    };
    let calendar = calendar(&raw, "JP", "Asia/Tokyo");
    assert!(!calendar.is_off_hours(at("2026-03-07T02:59:59+09:00")), "the end of Friday's night");
    assert!(calendar.is_off_hours(at("2026-03-07T03:00:00+09:00")), "its closing");
    assert!(calendar.is_off_hours(at("2026-03-07T18:00:00+09:00")), "Saturday evening");
    assert!(calendar.is_off_hours(at("2026-03-09T02:00:00+09:00")), "Sunday's night");
    assert!(
        !calendar.is_off_hours(at("2026-03-04T02:00:00+09:00")),
        "the night before a holiday goes on into it"
    );
    assert!(calendar.is_off_hours(at("2026-03-05T02:00:00+09:00")), "the night that begins on a holiday");
}

#[test]
fn each_group_of_days_has_its_own_spans() {
    let raw = spans(vec![
        span(&WORKDAYS, "09:00", "12:00"),
        span(&WORKDAYS, "13:00", "18:00"),
        span(&["sat"], "10:00", "14:00"),
    ]);
    let calendar = calendar(&raw, "JP", "Asia/Tokyo");
    let open = |text: &str| !calendar.is_off_hours(at(text));
    assert!(open("2026-03-06T11:59:00+09:00") && !open("2026-03-06T12:30:00+09:00"));
    assert!(open("2026-03-06T13:00:00+09:00") && open("2026-03-07T13:30:00+09:00"));
    assert!(!open("2026-03-07T09:30:00+09:00") && !open("2026-03-08T10:30:00+09:00"));
}

#[test]
fn a_working_day_overrules_holidays_and_a_saturday_then_has_mondays_hours() {
    let worked = texts(&["2026-09-22", "2026-09-26", "2026-12-30"]);
    let raw = BusinessHours { working_days: worked, ..office() };
    let calendar = calendar(&raw, "JP", "Asia/Tokyo");
    assert!(!calendar.is_off_hours(at("2026-09-22T12:00:00+09:00")), "between two national holidays");
    assert!(!calendar.is_off_hours(at("2026-12-30T12:00:00+09:00")), "at the year's end");
    assert!(!calendar.is_off_hours(at("2026-09-26T19:59:00+09:00")), "a Saturday");
    assert!(calendar.is_off_hours(at("2026-09-26T20:00:00+09:00")), "after its hours");
    assert!(calendar.is_off_hours(at("2026-10-03T12:00:00+09:00")), "the Saturday after");
}

#[test]
fn outside_2000_to_2099_only_the_days_of_the_week_count() {
    let calendar = calendar(&office(), "JP", "Asia/Tokyo");
    assert!(!calendar.is_off_hours(at("2101-02-11T12:00:00+09:00")), "Foundation Day, a Friday");
    assert!(calendar.is_off_hours(EventTime::MAX) && calendar.is_off_hours(EventTime::MIN));
    assert_eq!(calendar.next_opening(EventTime::MAX), None);
    assert_eq!(calendar.next_opening(EventTime::MIN), None);
}

#[test]
fn every_fault_of_the_hours_is_named() {
    let raw = BusinessHours {
        days: Some(texts(&["mon", "someday"])),
        from: Some("9:00".to_owned()),
        to: Some("25:00".to_owned()),
        calendar: Some("jp".to_owned()),
        holidays: Some(texts(&["2026-02-30"])),
        working_days: texts(&["05-01"]),
        ..BusinessHours::default()
    };
    let expected = ["site.timezone", "business_hours.days", "business_hours.from", "business_hours.to"];
    let lists = ["business_hours.calendar", "business_hours.holidays", "business_hours.working_days"];
    assert_eq!(problems(&raw, "Tokyo"), [expected.as_slice(), &lists].concat());
}

#[test]
fn hours_are_said_once_and_have_a_length() {
    let faults = |raw: &BusinessHours| problems(raw, "Asia/Tokyo");
    let long = span(&["sat"], "10:00", "14:00");
    assert_eq!(faults(&BusinessHours { spans: vec![long.clone()], ..office() }), ["business_hours.days"]);
    assert_eq!(faults(&BusinessHours { from: None, ..office() }), ["business_hours.from"]);
    assert_eq!(
        faults(&BusinessHours::default()),
        ["business_hours.days", "business_hours.from", "business_hours.to"]
    );
    let empty = [span(&["sun"], "10:00", "10:00"), span(&["sun"], "24:00", "03:00")];
    let raw = spans([vec![long, span(&["sun"], "20:00", "00:00")], empty.to_vec()].concat());
    assert_eq!(faults(&raw), ["business_hours.spans[2].to", "business_hours.spans[3].to"]);
}

#[test]
fn the_next_opening_passes_over_weekends_holidays_and_the_year_end() {
    let calendar = calendar(&office(), "JP", "Asia/Tokyo");
    let table = [
        ("2026-03-06T12:00:00+09:00", "2026-03-09T08:00:00+09:00"),
        ("2026-03-09T07:59:59+09:00", "2026-03-09T08:00:00+09:00"),
        ("2026-03-09T08:00:00+09:00", "2026-03-10T08:00:00+09:00"),
        ("2026-04-28T22:00:00+09:00", "2026-04-30T08:00:00+09:00"),
        ("2026-05-02T01:00:00+09:00", "2026-05-07T08:00:00+09:00"),
        ("2026-12-28T21:00:00+09:00", "2027-01-04T08:00:00+09:00"),
    ];
    for (after, opening) in table {
        assert_eq!(calendar.next_opening(at(after)), Some(at(opening)), "{after}");
    }
}

#[test]
fn an_office_that_never_closes_or_never_works_has_no_next_opening() {
    let week = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let none = |raw: &BusinessHours| {
        calendar(raw, "DE", "Europe/Berlin").next_opening(at("2026-03-06T12:00:00Z")).is_none()
    };
    assert!(none(&spans(vec![span(&week, "00:00", "24:00")])));
    assert!(none(&spans(vec![span(&[], "00:00", "24:00")])));
    assert!(!none(&BusinessHours {
        holidays: Some(texts(&["12-25"])),
        ..spans(vec![span(&week, "00:00", "24:00")])
    }));
}

/// Whether a raw calendar is open at a wall-clock time, read off the configuration as a person would.
fn is_open_by_hand(raw: &BusinessHours, local: NaiveDateTime) -> bool {
    let works = |date: NaiveDate, span: &BusinessSpan| {
        let day = date.format("%a").to_string().to_lowercase();
        let is_closed = raw.holidays.iter().flatten().any(|holiday| *holiday == date.to_string());
        span.days.contains(&day) && !is_closed
    };
    let clock = local.format("%H:%M").to_string();
    let (today, yesterday) = (local.date(), local.date().pred_opt().unwrap());
    raw.spans.iter().any(|span| {
        if span.from < span.to {
            works(today, span) && clock >= span.from && clock < span.to
        } else {
            (works(today, span) && clock >= span.from) || (works(yesterday, span) && clock < span.to)
        }
    })
}

fn time_of_day() -> impl Strategy<Value = String> {
    // Often near the hours at which clocks change.
    (prop_oneof![0_u32..4, 0_u32..24], prop_oneof![Just(0_u32), Just(30), 0_u32..60])
        .prop_map(|(hour, minute)| format!("{hour:02}:{minute:02}"))
}

fn any_span() -> impl Strategy<Value = BusinessSpan> {
    let week = vec!["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    (proptest::sample::subsequence(week, 1..=7), time_of_day(), time_of_day())
        .prop_filter("it has a length", |(_, from, to)| from != to)
        .prop_map(|(days, from, to)| span(&days, &from, &to))
}

/// Zones and a day around which their clocks change, at night, at midnight, by half an hour, by a day; and one that stays.
const CLOCKS: [(&str, &str); 8] = [
    ("Asia/Tokyo", "2026-03-08"),
    ("America/New_York", "2026-03-08"),
    ("America/New_York", "2026-11-01"),
    ("Europe/Berlin", "2026-10-25"),
    ("America/Sao_Paulo", "2018-11-04"),
    ("America/Sao_Paulo", "2018-02-18"),
    ("Australia/Lord_Howe", "2026-04-05"),
    ("Pacific/Apia", "2011-12-30"),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(384))]

    #[test]
    fn hours_and_openings_are_those_of_a_walk_minute_by_minute(
        list in proptest::collection::vec(any_span(), 1..3),
        (zone, day) in proptest::sample::select(&CLOCKS[..]),
        back in 0_i64..4 * DAY_SECONDS,
        closed in proptest::collection::vec(-4_i64..6, 0..3),
    ) {
        let day: NaiveDate = day.parse().unwrap();
        let closed = closed.iter().map(|days| (day + TimeDelta::days(*days)).to_string()).collect();
        let raw = BusinessHours { holidays: Some(closed), ..spans(list) };
        let calendar = calendar(&raw, "US", zone);
        let zone = Zone::parse(zone).unwrap();
        let after = day.and_hms_opt(12, 0, 0).unwrap().and_utc().timestamp() - back;
        let is_open = |at: i64| {
            let local = at + zone.offset_at(EventTime::from_seconds(at));
            is_open_by_hand(&raw, DateTime::from_timestamp(local, 0).unwrap().naive_utc())
        };
        let mut was_open = is_open(after);
        let mut found = None;
        // Every clock here changes on a whole minute, so that nothing happens between two of them.
        for at in (after + 1..after + 16 * DAY_SECONDS).filter(|at| at % 60 == 0) {
            let open = is_open(at);
            prop_assert_eq!(calendar.is_off_hours(EventTime::from_seconds(at)), !open, "{}", at);
            if open && !was_open {
                found = Some(EventTime::from_seconds(at));
                break;
            }
            was_open = open;
        }
        let next = calendar.next_opening(EventTime::from_seconds(after));
        if found.is_some() || next.is_some_and(|next| next.seconds() < after + 16 * DAY_SECONDS) {
            prop_assert_eq!(next, found);
        }
    }
}
