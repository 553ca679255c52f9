//! Attacks that do not look like calls of the extension they come from.

use super::{Plan, forwarded, in_turn, machine, pumping_caller};
use crate::call::{Call, MINUTE, Outcome, Route, SECOND, Side};
use crate::random::Random;

/// At night `*72` and a foreign number, then a dozen outside calls; two hours later `*21*…#` to the next number, and again.
pub(super) fn forwarding_code(plan: Plan, random: &mut Random) -> Vec<Call> {
    let mut calls = Vec::new();
    let mut at = plan.starts_at;
    for (before, to, after) in [("*72", "010224400000211", ""), ("*21*", "010224400000212", "#")] {
        let route = Route::Feature { caller: plan.extension, dialled: format!("{before}{to}{after}") };
        // Answered within milliseconds, a beep, hung up by the dial plan.
        let outcome = Outcome::Answered { talk: random.between(650_000, 800_000), released_by: Side::Called };
        calls.push(Call { started_at: at, route, ring: 1_300, outcome, incident: Some(plan.incident) });
        for _ in 0..12 {
            at += random.between(5 * MINUTE, 12 * MINUTE);
            let caller = pumping_caller(random);
            calls.push(forwarded(plan, random, caller, at, to, 15 * MINUTE));
        }
        at += 20 * MINUTE;
    }
    calls
}

/// Sixty calls at night to one range of Somalia, each with a Japanese caller id that no other has.
pub(super) fn random_caller_ids(plan: Plan, random: &mut Random) -> Vec<Call> {
    let shift = random.below(10_000);
    in_turn(plan.starts_at, 60, |place, at| {
        // Steps of a prime give every number once, in no visible order.
        let claimed = format!("03000{:05}", (shift + place as u64 * 7919) % 10_000);
        let dialled = format!("0102529400{:03}", random.below(60));
        let (ring, talk) = (random.between(SECOND, 5 * SECOND), random.between(40 * SECOND, 120 * SECOND));
        let (ring, outcome) = machine(random, ring, talk);
        let mut call = plan.call(at, dialled, ring, outcome);
        if let Route::Outgoing { claimed: own, .. } = &mut call.route {
            *own = Some(claimed);
        }
        (call, random.between(10 * SECOND, 90 * SECOND))
    })
}
