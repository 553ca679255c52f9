//! Attacks that take their time, so that no hour looks bad.

use super::{Plan, in_turn, machine};
use crate::call::{Call, HOUR, MINUTE, Outcome, SECOND};
use crate::office::Office;
use crate::random::Random;

/// 160 calls of 4 to 10 minutes from Friday evening to Monday morning. Published: 160 calls of an Irish office over a
/// weekend, some 4,000 EUR. A call every 20 to 40 minutes is assumed elsewhere; here 27 at most, or the weekend is too short.
pub(super) fn weekend_slow_burn(plan: Plan, random: &mut Random) -> Vec<Call> {
    let mut at = plan.starts_at;
    let mut calls = Vec::new();
    for _ in 0..160 {
        let head = random.pick(&["2244000004", "2529200004", "2454000004", "96020004"]).copied();
        let dialled = format!("010{}{:02}", head.unwrap_or_default(), random.below(20));
        let (ring, talk) = (random.between(SECOND, 6 * SECOND), random.between(4 * MINUTE, 10 * MINUTE));
        calls.push(plan.answered(at, dialled, ring, talk));
        at += random.between(20 * MINUTE, 27 * MINUTE);
    }
    calls
}

/// Eight minutes once in each hour from nine to six on every working day of seven days, to a range of Somalia.
pub(super) fn week_trickle(office: &Office, plan: Plan, random: &mut Random) -> Vec<Call> {
    let mut calls = Vec::new();
    for hour in (0..7).flat_map(|day| (0..9).map(move |hour| day * 24 + hour)) {
        let at = plan.starts_at + hour * HOUR + random.between(0, 50 * MINUTE);
        if office.is_working_day(at) {
            let dialled = format!("0102529500{:03}", random.below(30));
            let talk = 8 * MINUTE + random.normal(5 * SECOND);
            calls.push(plan.answered(at, dialled, random.between(SECOND, 6 * SECOND), talk));
        }
    }
    calls
}

/// Three short calls to numbers of one range, and 30 minutes to 24 hours later (Yates; seven to nine hours here) the
/// pumping of that range.
pub(super) fn test_calls_then_pumping(plan: Plan, random: &mut Random) -> Vec<Call> {
    let number = |random: &mut Random| format!("0102529300{:03}", random.below(60));
    let mut calls = in_turn(plan.starts_at, 3, |place, at| {
        let (ring, dialled) = (random.between(SECOND, 7 * SECOND), number(random));
        let call = if place == 0 {
            plan.call(at, dialled, ring, Outcome::NotFound)
        } else {
            plan.answered(at, dialled, ring, random.between(5 * SECOND, 40 * SECOND))
        };
        (call, random.between(MINUTE, 4 * MINUTE))
    });
    let pumping_at = plan.starts_at + random.between(7 * HOUR, 9 * HOUR);
    calls.extend(in_turn(pumping_at, 120, |_, at| {
        let (ring, talk) = (random.between(SECOND, 5 * SECOND), random.between(60 * SECOND, 180 * SECOND));
        let (ring, outcome) = machine(random, ring, talk);
        (plan.call(at, number(random), ring, outcome), random.between(3 * SECOND, 20 * SECOND))
    }));
    calls
}
