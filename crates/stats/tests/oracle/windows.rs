//! Running totals, eviction, folding and overlap.
use crate::{SPECS, at, call, collect, specs};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use tollwatch_cdr::EventTime;
use tollwatch_numbering::Money;
use tollwatch_stats::{CallStat, Totals, Traits, WindowSpec, Windows};

fn totals_of(calls: &[CallStat], spec: WindowSpec, edge: EventTime) -> Totals {
    let begin = edge.plus_seconds(-spec.seconds);
    let mut totals = Totals::default();
    for c in calls.iter().filter(|c| c.traits.has(spec.traits) && c.first_at > begin && c.first_at <= edge) {
        totals.attempts += u64::from(c.attempts);
        totals.answered += u64::from(c.answered);
        totals.failed += u64::from(c.failed);
        totals.billable_seconds += u64::from(c.billable_seconds);
        totals.cost = totals.cost.saturating_add(c.cost);
    }
    totals
}

/// When a call starts: anywhere, or together with others.
fn start() -> impl Strategy<Value = i64> {
    prop_oneof![0i64..5000, (0i64..40).prop_map(|n| n * 97)]
}

/// Every window that counts `new`; its right edge is the start of a call that it counts.
fn windows_with(calls: &[CallStat], new: &CallStat) -> BTreeMap<(usize, EventTime), Totals> {
    let mut windows = BTreeMap::new();
    for (index, spec) in SPECS.iter().enumerate().filter(|(_, spec)| new.traits.has(spec.traits)) {
        let counted = calls.iter().filter(|c| c.traits.has(spec.traits));
        for edge in counted.map(|c| c.first_at).collect::<BTreeSet<_>>() {
            if edge >= new.first_at && new.first_at > edge.plus_seconds(-spec.seconds) {
                windows.insert((index, edge), totals_of(calls, *spec, edge));
            }
        }
    }
    windows
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_window_that_holds_the_call_is_shown_with_the_totals_of_a_recount_whatever_the_clock_says(
        starts in prop::collection::vec((start(), 0i64..400, any::<bool>(), 0i64..6000), 1..120),
        outliers in prop::collection::vec((any::<prop::sample::Index>(), 1000i64..1_000_000_000), 0..4),
        updates in prop::collection::vec((any::<prop::sample::Index>(), 0u32..90, any::<[bool; 3]>()), 0..20),
    ) {
        let mut starts = starts;
        for (which, ahead) in outliers {
            let which = which.index(starts.len());
            starts[which].0 += ahead;
        }
        let mut windows = Windows::default();
        let mut calls: Vec<CallStat> = Vec::new();
        for (id, (start, seconds, high_risk, now)) in starts.iter().enumerate() {
            let new = call(id as u64 + 1, *start, *seconds, *high_risk, 7);
            calls.push(new.clone());
            let mut seen = BTreeMap::new();
            windows.insert(&specs(), new.clone(), at(*now), &mut collect(&mut seen));
            prop_assert_eq!(&seen, &windows_with(&calls, &new));
        }
        for (which, billable, [failed, high_risk, international]) in updates {
            let which = which.index(calls.len());
            let changed = &mut calls[which];
            changed.billable_seconds = billable;
            changed.cost = Money::from_units(i64::from(billable) * 3);
            changed.failed = u32::from(failed);
            for (wanted, bit) in [(high_risk, Traits::HIGH_RISK), (international, Traits::INTERNATIONAL)] {
                changed.traits = if wanted { changed.traits.with(bit) } else { changed.traits.without(bit) };
            }
            let changed = changed.clone();
            let mut seen = BTreeMap::new();
            let after = windows.update(&specs(), changed.first_at, changed.call, |c| {
                *c = CallStat { first_at: at(0), last_at: EventTime::MAX, call: 0, ..changed.clone() };
            }, &mut collect(&mut seen));
            prop_assert_eq!(after.as_ref(), Some(&changed));
            prop_assert_eq!(&seen, &windows_with(&calls, &changed));
        }
    }

    #[test]
    fn calls_that_left_every_window_can_go_without_a_trace_though_others_lie_ahead(
        steps in prop::collection::vec((0i64..900, any::<bool>(), prop::option::weighted(0.1, 0i64..20_000)), 1..150),
    ) {
        let mut windows = Windows::default();
        let mut calls: Vec<CallStat> = Vec::new();
        let mut now = 0;
        for (id, (step, high_risk, ahead)) in steps.iter().enumerate() {
            now += step;
            let new = call(id as u64 + 1, now + ahead.unwrap_or(0), 5, *high_risk, 7);
            calls.push(new.clone());
            let mut seen = BTreeMap::new();
            windows.insert(&specs(), new.clone(), at(now), &mut collect(&mut seen));
            prop_assert_eq!(&seen, &windows_with(&calls, &new));
            windows.evict(&specs(), at(now - 3600));
            let mut kept: Vec<CallStat> =
                calls.iter().filter(|c| c.first_at > at(now - 3600)).cloned().collect();
            kept.sort_by_key(|c| c.first_at);
            prop_assert!(windows.calls().iter().eq(&kept));
        }
        // Eviction by a clock that has gone on since the last call came.
        windows.evict(&specs(), at(now + 10_000));
        prop_assert!(windows.calls().iter().all(|c| c.first_at > at(now + 10_000)));
        let new = call(1000, now + 20_000, 5, true, 7);
        calls.push(new.clone());
        let mut seen = BTreeMap::new();
        windows.insert(&specs(), new.clone(), at(now + 20_000), &mut collect(&mut seen));
        prop_assert_eq!(&seen, &windows_with(&calls, &new));
    }

    #[test]
    fn concurrency_is_the_most_calls_up_at_any_second(
        spans in prop::collection::vec((0i64..300, 1i64..120, any::<bool>()), 1..60),
        from in 0i64..300, length in 1i64..200,
    ) {
        let mut windows = Windows::default();
        for (id, (start, seconds, high_risk)) in spans.iter().enumerate() {
            windows.insert(
                &specs(), call(id as u64 + 1, *start, *seconds, *high_risk, 7), at(*start), &mut |_, _, _| {});
        }
        for (traits, least) in [(Traits::INTERNATIONAL, 3), (Traits::HIGH_RISK, 1)] {
            let up: Vec<Vec<i64>> = (from..from + length)
                .map(|second| spans.iter().filter(|(start, seconds, high_risk)| {
                    (traits == Traits::INTERNATIONAL || *high_risk) && *start <= second && second < start + seconds
                }).map(|(start, ..)| *start).collect())
                .collect();
            let slow = up.iter().map(Vec::len).max().unwrap_or(0) as u64;
            let oldest = up.iter().filter(|up| up.len() >= least).flatten().min().map(|start| at(*start));
            let fast = windows.most_concurrent(traits, at(from), at(from + length), least as u64);
            prop_assert_eq!(fast, (slow, oldest));
            let all = spans.iter().filter(|(start, seconds, high_risk)| {
                (traits == Traits::INTERNATIONAL || *high_risk) && *start < from + length && start + seconds > from
            }).count() as u64;
            for calls in [all.saturating_sub(1), all, all + 1] {
                let enough = windows.as_many_were_up(traits, at(from), at(from + length), calls);
                prop_assert_eq!(enough, calls <= all);
            }
        }
    }
}

/// Puts three calls a second on one key, and one that starts `ahead` of its second, and checks that nothing is counted
/// less than there was, nor more than a pane more, and that no call of the last ten minutes is folded.
fn check_hot_key(calls_in_all: u64, outlier: Option<(u64, i64)>) -> Windows {
    let mut windows = Windows::default();
    let mut calls: Vec<CallStat> = Vec::new();
    for id in 0..calls_in_all {
        let now = (id / 3) as i64;
        let start = outlier.filter(|(which, _)| *which == id).map_or(now, |(_, ahead)| now + ahead);
        let new = call(id + 1, start, 2, id % 2 == 0, id);
        calls.push(new.clone());
        let mut newest = BTreeMap::new();
        windows.insert(&specs(), new.clone(), at(now), &mut |index, edge, totals| {
            if edge == new.first_at {
                newest.insert(index, *totals);
            }
        });
        if id % 97 != 0 {
            continue;
        }
        for (index, spec) in SPECS.iter().enumerate().filter(|(_, spec)| new.traits.has(spec.traits)) {
            let exact = totals_of(&calls, *spec, new.first_at);
            let wider = WindowSpec { seconds: spec.seconds + (spec.seconds / 900).max(4), ..*spec };
            let most = totals_of(&calls, wider, new.first_at);
            let seen = newest.get(&index).copied().unwrap_or_default();
            assert!(
                (exact.attempts..=most.attempts).contains(&seen.attempts),
                "window {index} at call {id}: {} not in {}..={}",
                seen.attempts,
                exact.attempts,
                most.attempts
            );
            assert!(seen.cost >= exact.cost && seen.cost <= most.cost);
        }
        let recent = calls.iter().filter(|c| c.first_at > at(now - 600));
        for c in recent.step_by(50).chain(calls.iter().filter(|c| c.first_at > at(now))) {
            assert_eq!(windows.find(c.first_at, c.call), Some(c), "folded at second {now}");
        }
    }
    windows
}

#[test]
fn a_hot_key_never_counts_less_than_there_was_and_at_most_a_pane_more() {
    let windows = check_hot_key(21_600, None);
    // Two kinds of calls in 900 panes of the hour, the calls of ten minutes, and as much again before the next fold.
    assert!(windows.calls().len() < 2 * (2 * 900 + 3 * 600) + 2_048, "{} entries", windows.calls().len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn a_call_that_lies_ahead_makes_no_other_call_of_a_hot_key_older(
        which in 0u64..5000, ahead in prop_oneof![1i64..2000, 2000i64..100_000_000],
    ) {
        let windows = check_hot_key(6000, Some((which, ahead)));
        prop_assert!(windows.calls().iter().any(CallStat::is_pane), "the key is hot");
    }

    #[test]
    fn a_late_call_of_a_hot_key_is_counted_with_no_fewer_calls_than_there_were(
        late in prop::collection::vec((0i64..3000, any::<bool>()), 1..100),
        lasts in prop::collection::vec(prop_oneof![9 => Just(2i64), 1 => Just(-1)], 1..50),
    ) {
        let mut windows = Windows::default();
        let mut calls: Vec<CallStat> = Vec::new();
        for id in 0..6000 {
            // Four calls in bursts of a second, of one kind or of two.
            let start = (id / 4) as i64 * 2;
            let seconds = lasts[id as usize % lasts.len()];
            calls.push(call(id + 1, start, seconds, id % 7 < 3, id));
            windows.insert(&specs(), calls[calls.len() - 1].clone(), at(start), &mut |_, _, _| {});
        }
        prop_assert!(windows.calls().iter().any(CallStat::is_pane), "the key is hot");
        for (id, (start, high_risk)) in late.into_iter().enumerate() {
            let new = call(10_000 + id as u64, start, 2, high_risk, 7);
            calls.push(new.clone());
            let mut seen = BTreeMap::new();
            windows.insert(&specs(), new, at(3000), &mut collect(&mut seen));
            for ((index, edge), totals) in seen.into_iter().step_by(20) {
                let exact = totals_of(&calls, SPECS[index], edge);
                prop_assert!(totals.attempts >= exact.attempts, "window {index} to {edge}: {totals:?} {exact:?}");
            }
        }
    }
}

#[test]
fn a_pane_adds_up_failed_calls_and_names_nobody() {
    let mut windows = Windows::default();
    for id in 0..3000 {
        let new = CallStat { extension: 3, ..call(id + 1, id as i64, (id % 2) as i64, false, 7) };
        windows.insert(&specs(), new, at(id as i64), &mut |_, _, _| {});
    }
    let sum = |of: fn(&CallStat) -> u32| windows.calls().iter().map(of).sum::<u32>();
    assert_eq!((sum(|c| c.attempts), sum(|c| c.answered), sum(|c| c.failed)), (3000, 1500, 1500));
    let pane = windows.calls().iter().find(|c| c.is_pane()).expect("old calls are folded");
    assert_eq!((pane.called_number(), pane.range(), pane.placed_by()), (None, None, None));
}

#[test]
fn an_open_call_is_never_evicted_or_folded() {
    let mut windows = Windows::default();
    windows.insert(&specs(), call(1, 0, -1, true, 7), at(0), &mut |_, _, _| {});
    for id in 2..5000 {
        windows.insert(&specs(), call(id, id as i64, 2, true, 7), at(id as i64), &mut |_, _, _| {});
    }
    windows.evict(&specs(), at(4_000));
    assert!(windows.find(at(0), 1).is_some_and(CallStat::is_open));
}

#[test]
fn a_crowd_within_one_second_is_folded_and_every_call_of_it_is_counted() {
    let mut windows = Windows::default();
    let (mut largest, mut shown) = (0, BTreeMap::new());
    for id in 1..=40_000_u64 {
        // In no order of their names; every tenth goes on.
        let new = call(
            id.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            0,
            if id % 10 == 0 { -1 } else { 2 },
            id % 2 == 0,
            7,
        );
        shown.clear();
        windows.insert(&specs(), new, at(60), &mut collect(&mut shown));
        assert_eq!(shown.get(&(3, at(0))).map(|totals| totals.attempts), Some(id));
        largest = largest.max(windows.calls().len());
    }
    assert_eq!(shown.len(), 4, "one window of each kind: they start together");
    let open = windows.calls().iter().filter(|c| c.is_open()).count();
    assert_eq!(open, 4_000, "a call that goes on is not folded");
    assert!(largest < 2 * (open + 4_098) + 2, "{largest} entries at once");
    let known = windows.calls().iter().filter(|c| !c.is_pane());
    assert!(known.clone().all(|c| windows.find(c.first_at, c.call) == Some(c)), "each is found by its name");
    // A late call of the same second, and one before it, are counted with all of them.
    for (start, expected) in [(0, 40_001), (-30, 40_002)] {
        shown.clear();
        windows.insert(&specs(), call(77, start, 2, false, 7), at(60), &mut collect(&mut shown));
        assert_eq!(shown.get(&(3, at(0))).map(|totals| totals.attempts), Some(expected));
    }
}

#[test]
fn a_key_with_more_calls_than_can_be_kept_folds_even_the_newest_and_counts_no_fewer() {
    let mut windows = Windows::default();
    let mut largest = 0;
    for id in 1..=60_000_u64 {
        let first_at = EventTime::from_micros(id as i64 * 160);
        let new = CallStat { first_at, last_at: first_at, ..call(id, 0, 2, id % 2 == 0, 7) };
        let mut attempts = 0;
        windows.insert(&specs(), new, at(60), &mut |index, edge, totals| {
            if index == 3 && edge == first_at {
                attempts = totals.attempts;
            }
        });
        assert_eq!(attempts, id, "they are all within an hour");
        largest = largest.max(windows.calls().len());
    }
    assert!(largest <= 2 * 16 * 2048, "{largest} entries at once");
    assert!(windows.calls().len() < 32_000, "{}", windows.calls().len());
}
