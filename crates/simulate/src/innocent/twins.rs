//! Innocent twins of attacks: the same trace, made by people at work.

use super::company::{partner, partners_all_along};
use crate::attack::{Plan, forwarded, in_turn};
use crate::call::{Call, HOUR, MINUTE, Outcome, Route, SECOND, Side};
use crate::numbers;
use crate::office::{Extension, Office, ordinary_end, outgoing};
use crate::random::Random;

/// A shipping company calls its vessel on each of four mornings, two to four minutes: the twin of satellite calls.
pub(super) fn ship_by_satellite(plan: Plan, random: &mut Random) -> Vec<Call> {
    (0..4)
        .map(|day| {
            let at = plan.starts_at + day * 24 * HOUR + random.between(0, 40 * MINUTE);
            let talk = random.between(2 * MINUTE, 4 * MINUTE);
            plan.answered(at, "010870000000051".to_owned(), random.between(6 * SECOND, 15 * SECOND), talk)
        })
        .collect()
}

/// Before the evening somebody forwards the desk phone to a mobile at home; six customers call.
pub(super) fn forward_to_mobile(plan: Plan, random: &mut Random) -> Vec<Call> {
    const MOBILE: &str = "09010000077";
    let route = Route::Feature { caller: plan.extension, dialled: format!("*72{MOBILE}") };
    let outcome = Outcome::Answered { talk: random.between(650_000, 800_000), released_by: Side::Called };
    let mut calls =
        vec![Call { started_at: plan.starts_at, route, ring: 1_300, outcome, incident: Some(plan.incident) }];
    let mut at = plan.starts_at;
    for _ in 0..6 {
        at += random.between(10 * MINUTE, 40 * MINUTE);
        let caller = numbers::domestic(random);
        calls.push(forwarded(plan, random, caller, at, MOBILE, 6 * MINUTE));
    }
    calls
}

/// Forty tries at a ticket hotline at home, nearly all of them busy: the twin of a run of one number, and of 0570.
pub(super) fn hotline_redial(plan: Plan, random: &mut Random) -> Vec<Call> {
    in_turn(plan.starts_at, 40, |place, at| {
        let dialled = "0570190123".to_owned();
        let call = if place == 39 {
            plan.answered(at, dialled, 5 * SECOND, 7 * MINUTE)
        } else {
            plan.call(at, dialled, random.between(300_000, 900_000), Outcome::Busy)
        };
        (call, random.between(15 * SECOND, 60 * SECOND))
    })
}

/// Before a journey a salesman calls nine partners in nine countries in an afternoon: the twin of a round robin.
pub(super) fn sales_round(plan: Plan, random: &mut Random) -> Vec<Call> {
    const PARTNERS: [&str; 9] = [
        "12125550131",
        "861000000131",
        "82200000131",
        "6620000131",
        "442079460131",
        "6510000131",
        "84400000131",
        "63200000131",
        "911000000131",
    ];
    in_turn(plan.starts_at, PARTNERS.len(), |place, at| {
        let (ring, outcome) = ordinary_end(random, 700);
        let dialled = format!("010{}", PARTNERS.get(place).copied().unwrap_or_default());
        (plan.call(at, dialled, ring, outcome), random.between(5 * MINUTE, 20 * MINUTE))
    })
}

/// A secretary calls partners all along, and on one day for three departments, each with its own number shown: the twin
/// of random caller ids.
pub(super) fn department_numbers(office: &Office, plan: Plan, random: &mut Random) -> Vec<Call> {
    let mut calls = in_turn(plan.starts_at, 18, |place, at| {
        let (ring, outcome) = ordinary_end(random, 650);
        let mut call = plan.call(at, partner(random), ring, outcome);
        if let Route::Outgoing { claimed, .. } = &mut call.route {
            *claimed = Some(format!("030000010{}", 1 + place % 3));
        }
        (call, random.between(4 * MINUTE, 15 * MINUTE))
    });
    calls.extend(partners_all_along(office, plan, random));
    calls
}

/// Twelve people move into a new floor with new phones; each calls twice at home and once abroad. The twin of invented
/// extensions: names never seen before are not bad in themselves.
pub(super) fn new_floor(office: &mut Office, plan: Plan, random: &mut Random) -> Vec<Call> {
    let first = office.extensions.len() + office.added.len();
    office.added.extend((0..12).map(|place| Extension {
        number: (680 + place).to_string(),
        name: String::new(),
        account: String::new(),
    }));
    let mut calls = Vec::new();
    for extension in first..first + 12 {
        let at = plan.starts_at + random.between(0, HOUR);
        calls.extend(in_turn(at, 3, |place, at| {
            let dialled = if place == 2 { partner(random) } else { numbers::domestic(random) };
            let (ring, outcome) = ordinary_end(random, 700);
            let route = outgoing(extension, dialled);
            let call = Call { started_at: at, route, ring, outcome, incident: Some(plan.incident) };
            (call, random.between(5 * MINUTE, 20 * MINUTE))
        }));
    }
    calls
}

/// A team in Hanoi has its stand-up of a quarter of an hour every two hours from nine on, on five working days: the twin
/// of a trickle.
pub(super) fn daily_stand_ups(office: &Office, plan: Plan, random: &mut Random) -> Vec<Call> {
    let mut calls = Vec::new();
    for hour in (0..7).flat_map(|day| [0, 2, 4, 6, 8].map(|hour| day * 24 + hour)) {
        let at = plan.starts_at + hour * HOUR + random.between(0, 4 * MINUTE);
        let (ring, talk) = (random.between(3 * SECOND, 9 * SECOND), 15 * MINUTE + random.normal(30 * SECOND));
        if office.is_working_day(at) {
            calls.push(plan.answered(at, "01084400000141".to_owned(), ring, talk));
        }
    }
    calls
}

/// Before a trade fair in Brussels three service lines there are called: the twin of special ranges of cheap countries.
pub(super) fn service_lines_abroad(plan: Plan, random: &mut Random) -> Vec<Call> {
    in_turn(plan.starts_at, 3, |place, at| {
        let dialled = format!("0103290900007{place}");
        let (ring, talk) = (random.between(3 * SECOND, 9 * SECOND), random.between(2 * MINUTE, 5 * MINUTE));
        (plan.answered(at, dialled, ring, talk), random.between(40 * MINUTE, 80 * MINUTE))
    })
}
