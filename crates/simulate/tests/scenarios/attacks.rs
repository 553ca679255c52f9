//! The attacks that a rule per extension and hour does not see.
use crate::{incident, most_at_once, records, seconds_of, with};
use std::collections::{BTreeMap, BTreeSet};
use tollwatch_simulate::{Call, Case, HOUR, Kind, MINUTE, Route, Scenario, write_cel_csv};

fn dialled<'a>(calls: &[&'a Call]) -> Vec<&'a str> {
    calls.iter().filter_map(|call| call.route.dialled()).collect()
}

fn per_extension(calls: &[&Call]) -> BTreeMap<usize, usize> {
    let mut counts = BTreeMap::new();
    for call in calls {
        *counts.entry(call.route.extension()).or_default() += 1;
    }
    counts
}

/// From the first start to the last.
fn spread_over(calls: &[&Call]) -> i64 {
    calls[calls.len() - 1].started_at - calls[0].started_at
}

/// Hour of the day in Tokyo.
fn hour(call: &Call) -> i64 {
    (call.started_at + 9 * HOUR) / HOUR % 24
}

fn gaps(calls: &[&Call]) -> Vec<i64> {
    calls.windows(2).map(|pair| pair[1].started_at - pair[0].started_at).collect()
}

fn events(case: &Case) -> String {
    let mut bytes = Vec::new();
    write_cel_csv(case, &mut bytes).expect("memory takes it");
    String::from_utf8(bytes).expect("names are ASCII here")
}

#[test]
fn a_spread_is_two_calls_of_each_of_thirty_extensions_to_one_range_within_an_office_hour() {
    let case = with(Kind::Spread);
    let calls = incident(&case);
    let counts = per_extension(&calls);
    assert_eq!(counts.len(), 30);
    assert!(counts.values().all(|count| *count == 2));
    assert!((50 * MINUTE..=HOUR).contains(&spread_over(&calls)));
    assert!(calls.iter().all(|call| hour(call) == 14));
    assert!(dialled(&calls).iter().all(|number| number.starts_with("0102244000003")));
}

#[test]
fn a_small_office_lends_all_its_extensions_to_a_spread() {
    let case = Scenario::new(42).extensions(6).attack(Kind::Spread).build().expect("a small office");
    assert_eq!(per_extension(&incident(&case)), (0..6).map(|extension| (extension, 2)).collect());
}

#[test]
fn a_storm_is_forty_extensions_with_two_lines_each_at_once() {
    let case = with(Kind::Storm);
    let calls = incident(&case);
    assert_eq!(per_extension(&calls).len(), 40);
    assert!((70..=80).contains(&most_at_once(&calls)), "{}", most_at_once(&calls));
    assert!(spread_over(&calls) <= 10 * MINUTE);
}

#[test]
fn a_slow_burn_is_160_calls_between_friday_evening_and_monday_morning_never_two_within_twenty_minutes() {
    let case = with(Kind::WeekendSlowBurn);
    let calls = incident(&case);
    assert_eq!(calls.len(), 160);
    assert!(gaps(&calls).iter().all(|gap| (20 * MINUTE..=40 * MINUTE).contains(gap)));
    assert!((55 * HOUR..64 * HOUR).contains(&spread_over(&calls)), "{}", spread_over(&calls) / HOUR);
    assert!(dialled(&calls).iter().map(|number| &number[3..6]).collect::<BTreeSet<_>>().len() > 2);
}

#[test]
fn a_trickle_is_one_call_of_eight_minutes_in_each_office_hour_of_a_week() {
    let case = with(Kind::WeekTrickle);
    let calls = incident(&case);
    assert_eq!(calls.len(), 5 * 9);
    let hours: BTreeSet<i64> = calls.iter().map(|call| call.started_at / HOUR).collect();
    assert_eq!(hours.len(), calls.len(), "no two in one hour");
    assert!(calls.iter().all(|call| (9..18).contains(&hour(call))));
    assert!((5 * 24 * HOUR..7 * 24 * HOUR).contains(&spread_over(&calls)));
    assert!(seconds_of(&calls).iter().all(|talk| (450..=510).contains(talk)));
}

#[test]
fn test_calls_are_few_and_short_and_come_hours_before_the_pumping_of_their_range() {
    let case = with(Kind::TestCallsThenPumping);
    let calls = incident(&case);
    let (tests, pumping) = calls.split_at(3);
    assert!(seconds_of(tests).iter().all(|talk| (5..=40).contains(talk)));
    assert_eq!(seconds_of(tests).len(), 2, "the first was no number");
    assert!((6 * HOUR..10 * HOUR).contains(&(pumping[0].started_at - tests[2].ended_at())));
    assert_eq!(pumping.len(), 120);
    assert!(dialled(&calls).iter().all(|number| number.starts_with("0102529300")));
}

#[test]
fn neighbour_numbers_go_up_by_one_or_two_and_none_comes_twice() {
    let case = with(Kind::NeighbourNumbers);
    let calls = incident(&case);
    let lines: Vec<u64> = dialled(&calls)
        .iter()
        .map(|number| number.strip_prefix("010351400780").expect("one range").parse().expect("digits"))
        .collect();
    assert_eq!(lines.len(), 30);
    assert!(lines.windows(2).all(|pair| (1..=2).contains(&(pair[1] - pair[0]))), "{lines:?}");
}

#[test]
fn a_round_robin_calls_forty_countries_once_each() {
    let case = with(Kind::RoundRobin);
    let calls = incident(&case);
    let numbers: BTreeSet<&str> = dialled(&calls).into_iter().collect();
    assert_eq!((calls.len(), numbers.len()), (40, 40));
    // The national part is zeros but for its ends, so what stands before is the country.
    let countries: BTreeSet<&str> =
        numbers.iter().filter_map(|number| number[3..].split("000").next()).collect();
    assert_eq!(countries.len(), 40);
    assert!((2 * HOUR..5 * HOUR).contains(&spread_over(&calls)));
}

#[test]
fn a_run_is_one_number_over_and_over() {
    let case = with(Kind::SameNumberRun);
    let calls = incident(&case);
    assert_eq!((calls.len(), dialled(&calls).into_iter().collect::<BTreeSet<_>>().len()), (25, 1));
    assert!(gaps(&calls).iter().all(|gap| (3 * MINUTE..7 * MINUTE).contains(gap)));
}

#[test]
fn cheap_countries_are_called_at_their_special_ranges_and_one_range_most() {
    let case = with(Kind::CheapCountryRanges);
    let calls = incident(&case);
    let share = |head: &str| dialled(&calls).iter().filter(|number| number[3..].starts_with(head)).count();
    let shares = ["449", "3290", "4190", "3989"].map(share);
    assert_eq!(shares.iter().sum::<usize>(), 50);
    assert!(shares[0] >= 28 && shares.iter().all(|share| *share > 0), "{shares:?}");
}

#[test]
fn premium_at_home_and_satellites_are_what_they_say() {
    let case = with(Kind::PremiumAtHome);
    let numbers = dialled(&incident(&case)).into_iter().map(|number| (&number[..4], number.len()));
    assert_eq!(numbers.collect::<BTreeSet<_>>(), BTreeSet::from([("0570", 10), ("0990", 10)]));
    let case = with(Kind::Satellite);
    let heads: BTreeSet<&str> = dialled(&incident(&case)).into_iter().map(|number| &number[3..6]).collect();
    assert_eq!(heads, BTreeSet::from(["870", "881", "882", "883"]));
}

#[test]
fn a_forwarding_code_is_dialled_at_night_before_the_calls_that_it_forwards() {
    let case = with(Kind::ForwardingCode);
    let calls = incident(&case);
    let codes: Vec<usize> =
        (0..calls.len()).filter(|place| matches!(calls[*place].route, Route::Feature { .. })).collect();
    assert_eq!((codes, calls.len()), (vec![0, 13], 26));
    assert!(calls.iter().all(|call| (1..7).contains(&hour(call))), "all at night");
    for (code, forwarded) in [(calls[0], &calls[1..13]), (calls[13], &calls[14..])] {
        let code = code.route.dialled().expect("a code");
        for call in forwarded {
            assert!(matches!(call.route, Route::Forwarded { by: 4, .. }), "{call:?}");
            assert!(code.contains(call.route.dialled().expect("a number")), "{code}");
        }
    }
}

/// As a real Asterisk 20.20 wrote it of `*72` and a number.
#[test]
fn a_code_leaves_one_row_without_a_second_channel_and_a_channel_that_hangs_up_by_itself() {
    let case = with(Kind::ForwardingCode);
    let label = &case.labelled_calls()[0];
    assert_eq!(label.dialled, "*72010224400000211");
    let text = records(&case);
    let rows: Vec<&str> = text.lines().filter(|row| row.contains("\"*72")).collect();
    assert_eq!(rows.len(), 1);
    assert!(rows[0].contains("\",\"\",\"Hangup\",\"\",\"2026-"), "{}", rows[0]);
    assert!(rows[0].contains("\",0,0,\"ANSWERED\",\"DOCUMENTATION\",\""), "{}", rows[0]);
    let text = events(&case);
    let steps: Vec<Vec<&str>> = text
        .lines()
        .filter(|line| line.contains(&format!("\"{}\"", label.call_id)))
        .map(|line| line.split("\",\"").collect())
        .collect();
    let column = |place: usize| steps.iter().map(|fields| fields[place]).collect::<Vec<_>>();
    assert_eq!(column(0), ["\"CHAN_START", "\"ANSWER", "\"HANGUP", "\"CHAN_END", "\"LINKEDID_END"]);
    assert_eq!(column(10), ["", "Answer", "", "", ""]);
    assert_eq!(column(7), ["*72010224400000211", "*72010224400000211", "h", "h", "h"]);
    let hangup = steps[2].join("");
    assert!(hangup.contains("hangupsource\"\":\"\"dialplan/builtin"), "{hangup}");
}

#[test]
fn random_caller_ids_hide_one_extension_that_only_the_channel_names() {
    let case = with(Kind::RandomCallerIds);
    assert!(incident(&case).iter().all(|call| call.route.extension() == 4));
    let ids: BTreeSet<String> = case.labelled_calls().into_iter().map(|label| label.call_id).collect();
    let is_one = |line: &&str| ids.iter().any(|id| line.contains(&format!("\"{id}\"")));
    let text = records(&case);
    let sources: BTreeSet<&str> =
        text.lines().filter(is_one).filter_map(|row| row.split("\",\"").nth(1)).collect();
    assert_eq!(sources.len(), 60);
    assert!(text.lines().filter(is_one).all(|row| row.contains("\"PJSIP/105-") && !row.contains("<105>")));
    let text = events(&case);
    let starts =
        text.lines().filter(|line| line.starts_with("\"CHAN_START") && line.contains("\"PJSIP/105-"));
    let claimed: BTreeSet<&str> =
        starts.filter(is_one).filter_map(|line| line.split("\",\"").nth(3)).collect();
    assert_eq!(claimed, sources);
}

#[test]
fn invented_extensions_call_once_each_and_are_none_of_the_office() {
    let case = with(Kind::InventedExtensions);
    let calls = incident(&case);
    assert_eq!((calls.len(), per_extension(&calls).len()), (400, 400));
    assert!(spread_over(&calls) < HOUR);
    let own: BTreeSet<&str> = case.office.extensions.iter().map(|extension| &*extension.number).collect();
    let labels = case.labelled_calls();
    let named: BTreeSet<&str> = labels.iter().map(|label| &*label.extension).collect();
    assert_eq!(named.len(), 400);
    assert!(named.is_disjoint(&own));
    let text = records(&case);
    assert!(labels.iter().all(|label| text.contains(&format!("\"PJSIP/{}-", label.extension))));
}

#[test]
fn invented_extensions_take_no_part_in_another_attack() {
    let scenario = Scenario::new(42).extensions(8).attack(Kind::InventedExtensions).attack(Kind::Spread);
    let case = scenario.build().expect("a small office");
    let spread = case.calls.iter().filter(|call| call.incident == Some(1));
    assert!(spread.into_iter().all(|call| call.route.extension() < 8));
}
