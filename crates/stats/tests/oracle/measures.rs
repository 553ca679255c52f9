//! What is counted over the ring around one call.
use crate::{at, call, specs};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
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
        windows.insert(&specs(), call.clone(), at(400), &mut |_, _, _| {});
    }
    windows
}

fn is_in_window(call: &CallStat, edge: EventTime) -> bool {
    call.first_at > edge.plus_seconds(-SECONDS) && call.first_at <= edge
}

/// The windows that hold a call and end with one that is comparable to it: what `count` makes of the calls in each, and
/// its right edge.
fn windows_of(
    calls: &[CallStat],
    hand: &CallStat,
    traits: Traits,
    comparable: impl Fn(&CallStat) -> bool,
    count: impl Fn(Vec<&CallStat>) -> u64,
) -> Vec<(u64, EventTime)> {
    let ends_one = |c: &&CallStat| c.traits.has(traits) && comparable(c);
    let edges: BTreeSet<EventTime> = calls.iter().filter(ends_one).map(|c| c.first_at).collect();
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

/// What is shown of the windows is what they have, if it is enough; nothing is shown twice.
fn check(
    slow: &[(u64, EventTime)],
    fast: impl Fn(u64, &mut dyn FnMut(u64, EventTime)),
) -> Result<(), TestCaseError> {
    for least in [1, 2, 5] {
        let mut shown = Vec::new();
        fast(least, &mut |value, edge| shown.push((value, edge)));
        let reached: Vec<(u64, EventTime)> =
            slow.iter().copied().filter(|(value, _)| *value >= least).collect();
        prop_assert_eq!(shown, reached, "from {} on", least);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn different_values_of_any_attribute_are_those_of_the_windows_that_hold_the_call(
        calls in calls(), which in any::<prop::sample::Index>(), any_traits in any::<bool>(), among in 0u8..4,
    ) {
        let windows = ring(&calls);
        let hand = &calls[which.index(calls.len())];
        let traits = if any_traits { Traits::ANY } else { hand.traits };
        let search = |least| Search { traits, seconds: SECONDS, least };
        let among = |other: &CallStat| match among {
            0 => true,
            1 => other.destination == hand.destination,
            2 => country(other.destination) == country(hand.destination),
            _ => other.range() == hand.range(),
        };
        let called_country = |c: &CallStat| country(c.destination);
        let numbers = windows_of(&calls, hand, traits, among, distinct(among, |c| Some(c.number).filter(|n| *n > 0)));
        check(&numbers, |least, mut visit| {
            windows.visit_distinct(hand, search(least), among, CallStat::called_number, &mut visit);
        })?;
        let ranges = windows_of(&calls, hand, traits, among, distinct(among, |c| {
            Some(c.number / 10_000).filter(|range| *range > 0)
        }));
        check(&ranges, |least, mut visit| {
            windows.visit_distinct(hand, search(least), among, CallStat::range, &mut visit);
        })?;
        let extensions = windows_of(&calls, hand, traits, among, distinct(among, |c| Some(c.extension).filter(|e| *e > 0)));
        check(&extensions, |least, mut visit| {
            windows.visit_distinct(hand, search(least), among, CallStat::placed_by, &mut visit);
        })?;
        let countries = windows_of(&calls, hand, traits, among, distinct(among, called_country));
        check(&countries, |least, mut visit| {
            windows.visit_distinct(hand, search(least), among, called_country, &mut visit);
        })?;
    }

    #[test]
    fn calls_and_neighbours_of_a_range_are_those_of_the_windows_that_hold_the_call(
        calls in calls(), which in any::<prop::sample::Index>(),
    ) {
        let windows = ring(&calls);
        let hand = &calls[which.index(calls.len())];
        let search = |least| Search { traits: hand.traits, seconds: SECONDS, least };
        let same = |c: &CallStat| hand.number > 0 && c.number / 10_000 == hand.number / 10_000;
        let in_range = windows_of(&calls, hand, hand.traits, same, |inside| {
            inside.into_iter().filter(|c| same(c)).count() as u64
        });
        check(&in_range, |least, mut visit| windows.visit_calls_in_range(hand, search(least), &mut visit))?;
        let all = calls.iter().filter(|c| same(c)).count() as u64;
        prop_assert!(windows.at_most_to_range_of(hand) >= all);
        let neighbours = windows_of(&calls, hand, hand.traits, same, distinct(same, |c| Some(c.number)));
        check(&neighbours, |least, mut visit| windows.visit_neighbours(hand, search(least), &mut visit))?;
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
        let mut slow: BTreeMap<(usize, EventTime), u64> = BTreeMap::new();
        for (first, last) in (0..=place).flat_map(|first| (place..counted.len()).map(move |last| (first, last))) {
            let run = &counted[first..=last];
            let edge = counted[last].first_at;
            if run.iter().all(|c| c.number == hand.number && is_in_window(c, edge)) && hand.number > 0 {
                // The longest that ends with this call.
                let longest = slow.entry((last, edge)).or_default();
                *longest = (*longest).max(run.len() as u64);
            }
        }
        let slow: Vec<(u64, EventTime)> = slow.into_iter().map(|((_, edge), length)| (length, edge)).collect();
        check(&slow, |least, mut visit| {
            windows.visit_runs_of_number(&hand, Search { traits, seconds: SECONDS, least }, &mut visit);
        })?;
    }
}

#[test]
fn of_more_calls_than_are_looked_at_those_next_to_the_call_count() {
    let calls: Vec<CallStat> =
        (0..6000).map(|id| call(id + 1, id as i64 / 12, 5, true, GUINEA + id)).collect();
    let windows = ring(&calls);
    let search = Search { traits: Traits::HIGH_RISK, seconds: 3600, least: 1 };
    let newest = &calls[5999];
    let (mut last, mut middle) = (Vec::new(), Vec::new());
    windows.visit_neighbours(newest, search, &mut |value, edge| last.push((value, edge)));
    windows.visit_calls_in_range(newest, search, &mut |value, edge| last.push((value, edge)));
    assert_eq!(last, [(4096, newest.first_at); 2]);
    windows.visit_neighbours(&calls[3000], search, &mut |value, edge| middle.push((value, edge)));
    assert!(middle.iter().all(|(_, edge)| *edge >= calls[3000].first_at));
    assert!(middle.iter().any(|(value, _)| *value >= 4096));
}

fn longest_run(windows: &Windows, call: &CallStat, search: Search) -> u64 {
    let mut longest = 0;
    windows.visit_runs_of_number(call, search, &mut |length, _| longest = length.max(longest));
    longest
}

#[test]
fn a_run_ends_at_the_calls_that_were_folded() {
    let mut windows = Windows::default();
    let mut newest = call(1, 0, -1, true, GUINEA);
    windows.insert(&specs(), newest.clone(), at(0), &mut |_, _, _| {});
    for id in 2..5000 {
        newest = call(id, id as i64, 2, true, GUINEA);
        windows.insert(&specs(), newest.clone(), newest.first_at, &mut |_, _, _| {});
    }
    let single = windows.calls().iter().rev().take_while(|c| !c.is_pane()).count() as u64;
    assert!(single < 4000, "old calls are folded");
    let search = Search { traits: Traits::HIGH_RISK, seconds: 86_400, least: 1 };
    assert_eq!(longest_run(&windows, &newest, search), single);
}

#[test]
fn a_call_that_the_ring_does_not_hold_is_in_no_run() {
    let known = call(1, 0, 5, true, GUINEA);
    let windows = ring(std::slice::from_ref(&known));
    let search = Search { traits: Traits::HIGH_RISK, seconds: 60, least: 1 };
    assert_eq!(longest_run(&windows, &call(2, 0, 5, true, GUINEA), search), 0);
    assert_eq!(longest_run(&windows, &known, search), 1);
    let instants = [EventTime::MIN, EventTime::MAX];
    for first_at in instants {
        let far = CallStat { first_at, last_at: first_at, ..known.clone() };
        assert_eq!(longest_run(&windows, &far, search), 0, "and nothing overflows");
    }
}
