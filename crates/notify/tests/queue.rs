//! The queue against a slow, obvious one.
#![allow(clippy::unwrap_used, reason = "a test may stop at once, its helpers too")]
use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;
use std::sync::Arc;
use std::time::Duration;
use tollwatch_detect::{AboutV1, AlertV1};
use tollwatch_notify::{ItemState, Outcome, Queue, Settled, sample_alerts};

fn alert(incident: u8) -> Arc<AlertV1> {
    let (mut alert, _) = sample_alerts().remove(0);
    if let AboutV1::Calls(calls) = &mut alert.about {
        calls.incident_id = format!("inc-{incident}");
    }
    Arc::new(alert)
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_772_906_400 + seconds, 0).unwrap()
}

#[derive(Clone, Debug)]
enum Step {
    Push { incident: u8, held_seconds: i64 },
    Wait(i64),
    Take,
    Record { which: usize, outcome: Outcome },
    Retry(usize),
    Withdraw(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let reason = || "x".to_owned();
    let outcome = prop_oneof![
        3 => Just(Outcome::Delivered),
        3 => Just(Outcome::Retry { after: None, reason: reason() }),
        1 => Just(Outcome::Retry { after: Some(Duration::from_secs(40)), reason: reason() }),
        1 => Just(Outcome::Refused { reason: reason() }),
    ];
    prop_oneof![
        4 => (0_u8..3, prop_oneof![Just(0), Just(0), 1_i64..100])
            .prop_map(|(incident, held_seconds)| Step::Push { incident, held_seconds }),
        3 => (0_i64..60).prop_map(Step::Wait),
        6 => Just(Step::Take),
        6 => (any::<usize>(), outcome).prop_map(|(which, outcome)| Step::Record { which, outcome }),
        2 => any::<usize>().prop_map(Step::Retry),
        1 => any::<usize>().prop_map(Step::Withdraw),
    ]
}

#[derive(Clone, Debug, PartialEq)]
enum Phase {
    Waiting,
    InFlight,
    Dead,
}

struct Slow {
    sequence: u64,
    incident: u8,
    phase: Phase,
    attempts: u32,
    next_at: DateTime<Utc>,
}

fn first_due(items: &[Slow]) -> Option<(DateTime<Utc>, u64)> {
    let is_free = |item: &&Slow| {
        item.phase == Phase::Waiting
            && !items.iter().any(|other| {
                other.incident == item.incident
                    && (other.phase == Phase::InFlight
                        || (other.phase == Phase::Waiting && other.sequence < item.sequence))
            })
    };
    items.iter().filter(is_free).map(|item| (item.next_at, item.sequence)).min()
}

proptest! {
    #[test]
    fn a_queue_gives_what_the_slow_one_gives_in_the_order_of_each_incident(
        steps in proptest::collection::vec(step(), 0..120),
    ) {
        let mut queue = Queue::new(7);
        let mut slow: Vec<Slow> = Vec::new();
        let (mut now, mut next) = (at(0), 0);
        for step in steps {
            match step {
                Step::Push { incident, held_seconds } => {
                    let not_before = now + TimeDelta::seconds(held_seconds);
                    queue.push(next, alert(incident), ItemState::new(now, not_before));
                    let held = |item: &&mut Slow| {
                        item.incident == incident
                            && item.phase != Phase::Dead
                            && item.attempts == 0
                            && item.next_at > not_before
                    };
                    slow.iter_mut().filter(held).for_each(|item| item.next_at = not_before);
                    let (phase, next_at) = (Phase::Waiting, not_before);
                    slow.push(Slow { sequence: next, incident, phase, attempts: 0, next_at });
                    next += 1;
                }
                Step::Wait(seconds) => now += TimeDelta::seconds(seconds),
                Step::Take => {
                    let expected = first_due(&slow).filter(|(due, _)| *due <= now).map(|(_, sequence)| sequence);
                    prop_assert_eq!(queue.take(now).map(|due| due.sequence), expected);
                    if let Some(item) = slow.iter_mut().find(|item| Some(item.sequence) == expected) {
                        item.phase = Phase::InFlight;
                    }
                }
                Step::Record { which, outcome } => {
                    let in_flight: Vec<usize> =
                        (0..slow.len()).filter(|i| slow[*i].phase == Phase::InFlight).collect();
                    if in_flight.is_empty() {
                        prop_assert_eq!(queue.record(next, &outcome, now), None);
                        continue;
                    }
                    let index = in_flight[which % in_flight.len()];
                    let settled = queue.record(slow[index].sequence, &outcome, now).unwrap();
                    match (&outcome, settled) {
                        (Outcome::Delivered, Settled::Delivered) => {
                            slow.remove(index);
                        }
                        (Outcome::Retry { after, .. }, Settled::Again(then)) => {
                            let item = &mut slow[index];
                            (item.phase, item.attempts, item.next_at) = (Phase::Waiting, item.attempts + 1, then);
                            let asked = TimeDelta::from_std(after.unwrap_or_default()).unwrap();
                            prop_assert!(then >= now + asked && then > now);
                        }
                        (Outcome::Retry { .. }, Settled::Dead) => {
                            slow[index].phase = Phase::Dead;
                            prop_assert_eq!(slow[index].attempts + 1, tollwatch_notify::MOST_ATTEMPTS);
                        }
                        (Outcome::Refused { .. }, Settled::Dead) => slow[index].phase = Phase::Dead,
                        (outcome, settled) => prop_assert!(false, "{outcome:?} led to {settled:?}"),
                    }
                }
                Step::Retry(which) if slow.is_empty() => prop_assert!(!queue.retry(which as u64, now)),
                Step::Retry(which) => {
                    let at = which % slow.len();
                    let item = &mut slow[at];
                    let has_failed = match item.phase {
                        Phase::Dead => true,
                        Phase::Waiting => item.attempts > 0,
                        Phase::InFlight => false,
                    };
                    prop_assert_eq!(queue.retry(item.sequence, now), has_failed);
                    if has_failed {
                        (item.phase, item.attempts, item.next_at) = (Phase::Waiting, 0, now);
                    }
                }
                Step::Withdraw(which) if slow.is_empty() => prop_assert!(!queue.withdraw(which as u64)),
                Step::Withdraw(which) => {
                    let at = which % slow.len();
                    let may_go = slow[at].phase != Phase::InFlight;
                    prop_assert_eq!(queue.withdraw(slow[at].sequence), may_go);
                    if may_go {
                        slow.remove(at);
                    }
                }
            }
            prop_assert_eq!(queue.next_due(), first_due(&slow).map(|(due, _)| due));
            let alive = slow.iter().filter(|item| item.phase != Phase::Dead).count();
            prop_assert_eq!(queue.pending(), alive);
            let dead: Vec<u64> =
                slow.iter().filter(|item| item.phase == Phase::Dead).map(|item| item.sequence).collect();
            prop_assert_eq!(queue.dead().map(|(sequence, ..)| sequence).collect::<Vec<_>>(), dead);
        }
    }
}

#[test]
fn a_warning_held_for_the_night_goes_out_when_its_incident_turns_critical() {
    let mut queue = Queue::new(1);
    queue.push(1, alert(1), ItemState::new(at(0), at(9 * 3600)));
    assert_eq!(queue.take(at(10)), None);
    assert_eq!(queue.push(2, alert(1), ItemState::new(at(10), at(10))), [1]);
    assert_eq!(queue.take(at(10)).unwrap().sequence, 1);
    assert_eq!(queue.take(at(10)), None, "the second waits for the first");
    assert_eq!(queue.record(1, &Outcome::Delivered, at(11)), Some(Settled::Delivered));
    assert_eq!(queue.take(at(11)).unwrap().sequence, 2);
}

#[test]
fn a_notifier_that_wants_no_more_gets_nothing_until_it_is_enabled_and_loses_nothing() {
    let mut queue = Queue::new(1);
    queue.push(1, alert(1), ItemState::new(at(0), at(0)));
    queue.take(at(0)).unwrap();
    let gone = Outcome::Gone { reason: "HTTP 410".to_owned() };
    assert_eq!(queue.record(1, &gone, at(1)), Some(Settled::Disabled));
    assert_eq!((queue.take(at(99)), queue.next_due(), queue.pending()), (None, None, 1));
    queue.enable();
    assert_eq!(queue.take(at(99)).unwrap().sequence, 1);
}

#[test]
fn an_item_says_why_it_failed_and_a_state_of_before_that_was_kept_is_read() {
    let mut queue = Queue::new(1);
    queue.push(1, alert(1), ItemState::new(at(0), at(0)));
    queue.take(at(0)).unwrap();
    queue.record(1, &Outcome::Retry { after: None, reason: "HTTP 503".to_owned() }, at(1));
    let state = queue.state(1).unwrap().clone();
    assert_eq!((state.attempts, state.last_error.as_deref()), (1, Some("HTTP 503")));
    let mut kept = serde_json::to_value(&state).unwrap();
    kept.as_object_mut().unwrap().remove("last_error");
    let read: ItemState = serde_json::from_value(kept).unwrap();
    assert_eq!(read, ItemState { last_error: None, ..state });
}
