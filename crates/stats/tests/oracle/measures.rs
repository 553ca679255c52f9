//! What is counted over the ring around one call.
use crate::{SPECS, at, call};
use proptest::prelude::*;
use std::collections::BTreeSet;
use tollwatch_cdr::EventTime;
use tollwatch_stats::{CallStat, Search, Traits, Windows};

const SECONDS: i64 = 60;
const GUINEA: u64 = 224_622_120_000;

/// Two of each of three ranges, and what nobody could read.
const NUMBERS: [u64; 7] =
    [0, GUINEA, GUINEA + 9_999, GUINEA + 10_000, GUINEA + 10_001, 37_122_334_400, 37_122_334_401];

fn country(destination: u16) -> Option<u16> {
    (destination != CallStat::NO_DESTINATION).then_some(destination / 2)
}

/// Calls in the order in which they came to be known.
fn calls() -> impl Strategy<Value = Vec<CallStat>> {
    let one = (0i64..400, any::<bool>(), prop::sample::select(&NUMBERS), 0u32..4, 0u16..5);
    prop::collection::vec(one, 1..60).prop_map(|calls| {
        let numbered = calls.into_iter().enumerate();
        numbered
            .map(|(id, (start, high_risk, number, extension, destination))| CallStat {
                extension,
                destination: if destination == 4 { CallStat::NO_DESTINATION } else { destination },
                ..call(id as u64 + 1, start, 5, high_risk, number)
            })
            .collect()
    })
}

fn ring(calls: &[CallStat]) -> Windows {
    let mut windows = Windows::default();
    for call in calls {
        windows.insert(&SPECS, call.clone(), at(400), &mut |_, _, _| {});
    }
    windows
}

fn is_in_window(call: &CallStat, edge: EventTime) -> bool {
    call.first_at > edge.plus_seconds(-SECONDS) && call.first_at <= edge
}

/// The right edges of the windows that hold a call, and what `count` makes of the calls in each.
fn best_of(
    calls: &[CallStat],
    hand: &CallStat,
    traits: Traits,
    count: impl Fn(Vec<&CallStat>) -> u64,
) -> Vec<(u64, EventTime)> {
    let edges: BTreeSet<EventTime> = calls.iter().map(|c| c.first_at).collect();
    let holding = edges.into_iter().filter(|edge| is_in_window(hand, *edge));
    let inside = |edge| calls.iter().filter(move |c| c.traits.has(traits) && is_in_window(c, edge)).collect();
    holding.map(|edge| (count(inside(edge)), edge)).collect()
}

fn distinct<V: Ord>(
    among: impl Fn(&CallStat) -> bool,
    value: impl Fn(&CallStat) -> Option<V>,
) -> impl Fn(Vec<&CallStat>) -> u64 {
    move |inside| {
        inside.iter().filter(|c| among(c)).filter_map(|c| value(c)).collect::<BTreeSet<V>>().len() as u64
    }
}

/// The best of all windows, said of one that has it; or as much as was asked for.
fn check(slow: &[(u64, EventTime)], fast: impl Fn(u64) -> (u64, EventTime)) -> Result<(), TestCaseError> {
    let most = slow.iter().map(|(value, _)| *value).max().unwrap_or(0);
    for enough in [u64::MAX, 3, 1] {
        let (value, edge) = fast(enough);
        prop_assert!(value <= most && value >= most.min(enough), "{value} for {most}, {enough} are enough");
        prop_assert!(
            value == 0 || slow.contains(&(value, edge)),
            "{value} is not what the window at {edge} has"
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn different_values_of_any_attribute_are_those_of_the_best_window(
        calls in calls(), which in any::<prop::sample::Index>(), any_traits in any::<bool>(), among in 0u8..4,
    ) {
        let windows = ring(&calls);
        let hand = &calls[which.index(calls.len())];
        let traits = if any_traits { Traits::ANY } else { hand.traits };
        let search = |enough| Search { traits, seconds: SECONDS, least: 1, enough };
        let among = |other: &CallStat| match among {
            0 => true,
            1 => other.destination == hand.destination,
            2 => country(other.destination) == country(hand.destination),
            _ => other.range() == hand.range(),
        };
        let called_country = |c: &CallStat| country(c.destination);
        let slow = |count| best_of(&calls, hand, traits, count);
        let numbers = best_of(&calls, hand, traits, distinct(among, |c| Some(c.number).filter(|n| *n > 0)));
        check(&numbers, |enough| windows.most_distinct(hand, search(enough), among, CallStat::called_number))?;
        let most = numbers.iter().map(|(value, _)| *value).max().unwrap_or(0);
        let at_least_three = Search { least: 3, ..search(u64::MAX) };
        let (value, _) = windows.most_distinct(hand, at_least_three, among, CallStat::called_number);
        prop_assert!(value == most || (most < 3 && value < 3), "{value} for {most}, asked for from 3 on");
        let ranges = best_of(&calls, hand, traits, distinct(among, |c| {
            Some(c.number / 10_000).filter(|range| *range > 0)
        }));
        check(&ranges, |enough| windows.most_distinct(hand, search(enough), among, CallStat::range))?;
        let extensions = best_of(&calls, hand, traits, distinct(among, |c| Some(c.extension).filter(|e| *e > 0)));
        check(&extensions, |enough| windows.most_distinct(hand, search(enough), among, CallStat::placed_by))?;
        let countries = slow(distinct(among, called_country));
        check(&countries, |enough| windows.most_distinct(hand, search(enough), among, called_country))?;
    }

    #[test]
    fn calls_and_neighbours_of_a_range_are_those_of_the_best_window(
        calls in calls(), which in any::<prop::sample::Index>(),
    ) {
        let windows = ring(&calls);
        let hand = &calls[which.index(calls.len())];
        let search = |enough| Search { traits: hand.traits, seconds: SECONDS, least: 1, enough };
        let same = |c: &CallStat| hand.number > 0 && c.number / 10_000 == hand.number / 10_000;
        let in_range = best_of(&calls, hand, hand.traits, |inside| {
            inside.into_iter().filter(|c| same(c)).count() as u64
        });
        check(&in_range, |enough| windows.most_in_one_range(hand, search(enough)))?;
        let all = calls.iter().filter(|c| same(c)).count() as u64;
        prop_assert_eq!(windows.calls_to_range_of(hand), all);
        let neighbours = best_of(&calls, hand, hand.traits, distinct(same, |c| Some(c.number)));
        check(&neighbours, |enough| windows.most_neighbours(hand, search(enough)))?;
    }

    #[test]
    fn a_run_is_the_longest_stretch_of_calls_to_one_number_that_a_window_holds(
        mut calls in calls(), which in any::<prop::sample::Index>(), any_traits in any::<bool>(), few in any::<bool>(),
    ) {
        if few {
            // Two numbers, so that runs are long.
            for c in &mut calls {
                c.number = GUINEA + c.number % 2;
            }
        }
        let windows = ring(&calls);
        let hand = calls[which.index(calls.len())].clone();
        let traits = if any_traits { Traits::ANY } else { hand.traits };
        calls.sort_by_key(|c| c.first_at);
        let counted: Vec<&CallStat> = calls.iter().filter(|c| c.traits.has(traits)).collect();
        let place = counted.iter().position(|c| c.call == hand.call).unwrap();
        let mut slow = Vec::new();
        for (first, last) in (0..=place).flat_map(|first| (place..counted.len()).map(move |last| (first, last))) {
            let run = &counted[first..=last];
            let edge = counted[last].first_at;
            if run.iter().all(|c| c.number == hand.number && is_in_window(c, edge)) && hand.number > 0 {
                slow.push((run.len() as u64, edge));
            }
        }
        check(&slow, |enough| windows.longest_run_of_number(&hand, Search { traits, seconds: SECONDS, least: 1, enough }))?;
    }
}

#[test]
fn of_more_calls_than_are_looked_at_those_next_to_the_call_count() {
    let calls: Vec<CallStat> =
        (0..6000).map(|id| call(id + 1, id as i64 / 12, 5, true, GUINEA + id)).collect();
    let windows = ring(&calls);
    let search = Search { traits: Traits::HIGH_RISK, seconds: 3600, least: 1, enough: u64::MAX };
    let newest = &calls[5999];
    assert_eq!(windows.most_neighbours(newest, search), (4096, newest.first_at));
    assert_eq!(windows.most_in_one_range(newest, search), (4096, newest.first_at));
    let (most, edge) = windows.most_neighbours(&calls[3000], search);
    assert!(most >= 4096 && edge >= calls[3000].first_at, "{most}");
}

#[test]
fn a_run_ends_at_the_calls_that_were_folded() {
    let mut windows = Windows::default();
    let mut newest = call(1, 0, -1, true, GUINEA);
    windows.insert(&SPECS, newest.clone(), at(0), &mut |_, _, _| {});
    for id in 2..5000 {
        newest = call(id, id as i64, 2, true, GUINEA);
        windows.insert(&SPECS, newest.clone(), newest.first_at, &mut |_, _, _| {});
    }
    let single = windows.calls().iter().rev().take_while(|c| !c.is_pane()).count() as u64;
    assert!(single < 4000, "old calls are folded");
    let search = Search { traits: Traits::HIGH_RISK, seconds: 86_400, least: 1, enough: u64::MAX };
    assert_eq!(windows.longest_run_of_number(&newest, search), (single, newest.first_at));
}

#[test]
fn a_call_that_the_ring_does_not_hold_is_in_no_run() {
    let known = call(1, 0, 5, true, GUINEA);
    let windows = ring(std::slice::from_ref(&known));
    let search = Search { traits: Traits::HIGH_RISK, seconds: 60, least: 1, enough: u64::MAX };
    assert_eq!(windows.longest_run_of_number(&call(2, 0, 5, true, GUINEA), search).0, 0);
    assert_eq!(windows.longest_run_of_number(&known, search).0, 1);
    let instants = [EventTime::MIN, EventTime::MAX];
    for first_at in instants {
        let far = CallStat { first_at, last_at: first_at, ..known.clone() };
        assert_eq!(windows.longest_run_of_number(&far, search).0, 0, "and nothing overflows");
    }
}
