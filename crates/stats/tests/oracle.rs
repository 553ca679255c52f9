//! The windows against an oracle that adds everything up from scratch.
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use tollwatch_cdr::EventTime;
use tollwatch_numbering::Money;
use tollwatch_stats::{CallStat, Totals, Traits, WindowSpec, Windows};

const SPECS: [WindowSpec; 4] = [
    WindowSpec { traits: Traits::ANY, seconds: 60 },
    WindowSpec { traits: Traits::HIGH_RISK, seconds: 60 },
    WindowSpec { traits: Traits::INTERNATIONAL, seconds: 600 },
    WindowSpec { traits: Traits::INTERNATIONAL, seconds: 3600 },
];

fn call(call: u64, start: i64, seconds: i64, high_risk: bool, number: u64) -> CallStat {
    let at = EventTime::from_seconds(start);
    let traits =
        if high_risk { Traits::INTERNATIONAL.with(Traits::HIGH_RISK) } else { Traits::INTERNATIONAL };
    CallStat {
        first_at: at,
        last_at: at,
        ended_at: if seconds < 0 { EventTime::MAX } else { at.plus_seconds(seconds) },
        call,
        call_id: Box::default(),
        number,
        destination: (number % 2) as u16,
        traits,
        attempts: 1,
        answered: u32::from(seconds > 0),
        billable_seconds: seconds.max(0) as u32,
        cost: Money::from_units(seconds.max(0)),
    }
}

fn totals_of(calls: &[CallStat], spec: WindowSpec, edge: EventTime) -> Totals {
    let begin = edge.plus_seconds(-spec.seconds);
    let mut totals = Totals::default();
    for c in calls.iter().filter(|c| c.traits.has(spec.traits) && c.first_at > begin && c.first_at <= edge) {
        totals.attempts += u64::from(c.attempts);
        totals.answered += u64::from(c.answered);
        totals.billable_seconds += u64::from(c.billable_seconds);
        totals.cost = totals.cost.saturating_add(c.cost);
    }
    totals
}

/// Every window whose right edge is the start of a call and that holds `new`.
fn windows_with(calls: &[CallStat], new: &CallStat) -> BTreeMap<(usize, EventTime), Totals> {
    let mut windows = BTreeMap::new();
    for (index, spec) in SPECS.iter().enumerate().filter(|(_, spec)| new.traits.has(spec.traits)) {
        for edge in calls.iter().map(|c| c.first_at).collect::<BTreeSet<_>>() {
            if edge >= new.first_at && new.first_at > edge.plus_seconds(-spec.seconds) {
                windows.insert((index, edge), totals_of(calls, *spec, edge));
            }
        }
    }
    windows
}

fn collect(seen: &mut BTreeMap<(usize, EventTime), Totals>) -> impl FnMut(usize, EventTime, &Totals) + '_ {
    |index, edge, totals| {
        assert!(seen.insert((index, edge), *totals).is_none(), "a window is shown once");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_window_that_holds_the_call_is_shown_with_the_totals_of_a_recount(
        starts in prop::collection::vec((0i64..5000, 0i64..400, any::<bool>()), 1..120),
        updates in prop::collection::vec((any::<prop::sample::Index>(), 0u32..90), 0..20),
    ) {
        let mut windows = Windows::default();
        let mut calls: Vec<CallStat> = Vec::new();
        for (id, (start, seconds, high_risk)) in starts.iter().enumerate() {
            let new = call(id as u64 + 1, *start, *seconds, *high_risk, 7);
            calls.push(new.clone());
            let mut seen = BTreeMap::new();
            windows.insert(&SPECS, new.clone(), &mut collect(&mut seen));
            prop_assert_eq!(&seen, &windows_with(&calls, &new));
        }
        for (which, billable) in updates {
            let at = which.index(calls.len());
            calls[at].billable_seconds = billable;
            calls[at].cost = Money::from_units(i64::from(billable) * 3);
            let changed = calls[at].clone();
            let mut seen = BTreeMap::new();
            let after = windows.update(&SPECS, changed.first_at, changed.call, |c| {
                c.billable_seconds = changed.billable_seconds;
                c.cost = changed.cost;
            }, &mut collect(&mut seen));
            prop_assert_eq!(after.as_ref(), Some(&changed));
            prop_assert_eq!(&seen, &windows_with(&calls, &changed));
        }
    }

    #[test]
    fn calls_that_left_every_window_can_go_without_a_trace(
        steps in prop::collection::vec((0i64..900, any::<bool>()), 1..150),
    ) {
        let mut windows = Windows::default();
        let mut calls: Vec<CallStat> = Vec::new();
        let mut now = 0;
        for (id, (step, high_risk)) in steps.iter().enumerate() {
            now += step;
            let new = call(id as u64 + 1, now, 5, *high_risk, 7);
            calls.push(new.clone());
            let mut seen = BTreeMap::new();
            windows.insert(&SPECS, new.clone(), &mut collect(&mut seen));
            prop_assert_eq!(&seen, &windows_with(&calls, &new));
            windows.evict(&SPECS, EventTime::from_seconds(now - 3600));
            prop_assert!(windows.calls().iter().all(|c| c.first_at > EventTime::from_seconds(now - 3600)));
        }
    }

    #[test]
    fn concurrency_is_the_most_calls_up_at_any_second(
        spans in prop::collection::vec((0i64..300, 1i64..120, any::<bool>()), 1..60),
        from in 0i64..300, length in 1i64..200,
    ) {
        let mut windows = Windows::default();
        for (id, (start, seconds, high_risk)) in spans.iter().enumerate() {
            windows.insert(&SPECS, call(id as u64 + 1, *start, *seconds, *high_risk, 7), &mut |_, _, _| {});
        }
        for traits in [Traits::INTERNATIONAL, Traits::HIGH_RISK] {
            let slow = (from..from + length)
                .map(|second| spans.iter().filter(|(start, seconds, high_risk)| {
                    (traits == Traits::INTERNATIONAL || *high_risk) && *start <= second && second < start + seconds
                }).count())
                .max().unwrap_or(0) as u64;
            let fast = windows.most_concurrent(
                traits, EventTime::from_seconds(from), EventTime::from_seconds(from + length));
            prop_assert_eq!(fast, slow);
        }
    }

    #[test]
    fn distinct_numbers_are_counted_per_destination_in_the_best_window(
        calls in prop::collection::vec((0i64..400, 0u64..12), 1..60),
        which in any::<prop::sample::Index>(),
    ) {
        let mut windows = Windows::default();
        for (id, (start, number)) in calls.iter().enumerate() {
            windows.insert(&SPECS, call(id as u64 + 1, *start, 5, true, *number), &mut |_, _, _| {});
        }
        let (started, number) = calls[which.index(calls.len())];
        let destination = (number % 2) as u16;
        let slow = calls.iter().map(|(edge, _)| *edge)
            .filter(|edge| *edge >= started && started > edge - 60)
            .map(|edge| calls.iter()
                .filter(|(at, n)| (n % 2) as u16 == destination && *at > edge - 60 && *at <= edge)
                .map(|(_, n)| n).collect::<BTreeSet<_>>().len())
            .max().unwrap_or(0) as u64;
        let (fast, _) = windows.most_distinct_numbers(
            Traits::HIGH_RISK, destination, EventTime::from_seconds(started), 60, usize::MAX);
        prop_assert_eq!(fast, slow);
    }
}

#[test]
fn a_hot_key_never_counts_less_than_there_was_and_at_most_a_pane_more() {
    let mut windows = Windows::default();
    let mut calls: Vec<CallStat> = Vec::new();
    // Three calls a second for two hours: 21,600 calls on one key.
    for id in 0..21_600_u64 {
        let new = call(id + 1, (id / 3) as i64, 2, id % 2 == 0, id);
        calls.push(new.clone());
        let mut newest = BTreeMap::new();
        windows.insert(&SPECS, new.clone(), &mut |index, edge, totals| {
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
            let seen = newest[&index];
            assert!(
                (exact.attempts..=most.attempts).contains(&seen.attempts),
                "window {index} at call {id}: {} not in {}..={}",
                seen.attempts,
                exact.attempts,
                most.attempts
            );
            assert!(seen.cost >= exact.cost && seen.cost <= most.cost);
        }
    }
    // Two kinds of calls in 900 panes of the hour, the calls of ten minutes, and as much again before the next fold.
    assert!(windows.calls().len() < 2 * (2 * 900 + 3 * 600) + 2_048, "{} entries", windows.calls().len());
}

#[test]
fn an_open_call_is_never_evicted_or_folded() {
    let mut windows = Windows::default();
    windows.insert(&SPECS, call(1, 0, -1, true, 7), &mut |_, _, _| {});
    for id in 2..5000 {
        windows.insert(&SPECS, call(id, id as i64, 2, true, 7), &mut |_, _, _| {});
    }
    windows.evict(&SPECS, EventTime::from_seconds(4_000));
    assert!(windows.find(EventTime::from_seconds(0), 1).is_some_and(CallStat::is_open));
}
