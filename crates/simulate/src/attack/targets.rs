//! Attacks that show by what they call.

use super::{Plan, in_turn, machine};
use crate::call::{Call, MINUTE, SECOND};
use crate::random::Random;

/// Thirty numbers upwards, one or two apart, every four to six minutes, to Portugal, where `40` is no part of the plan and
/// ordinary calls are cheap.
pub(super) fn neighbour_numbers(plan: Plan, random: &mut Random) -> Vec<Call> {
    let mut line = 290;
    in_turn(plan.starts_at, 30, |_, at| {
        line += random.between(1, 2);
        let dialled = format!("010351400780{line}");
        let (ring, talk) = (random.between(SECOND, 5 * SECOND), random.between(40 * SECOND, 90 * SECOND));
        let (ring, outcome) = machine(random, ring, talk);
        (plan.call(at, dialled, ring, outcome), random.between(3 * MINUTE, 5 * MINUTE))
    })
}

/// Countries with a number outside the plan of each, as libphonenumber has it, but of a length that the country has.
const ROUND: [&str; 40] = [
    "224100000001",
    "23210000001",
    "252100000001",
    "220100000001",
    "37110000001",
    "37210000001",
    "9601000001",
    "245100000001",
    "2391000001",
    "21610000001",
    "37010000001",
    "37810000001",
    "355100000001",
    "387100000001",
    "37310000001",
    "9941000001",
    "996100000001",
    "9921000001",
    "998100000001",
    "263100000001",
    "265100000001",
    "25710000001",
    "23510000001",
    "22710000001",
    "22610000001",
    "250100000001",
    "6771000001",
    "6781000001",
    "6851000001",
    "6761000001",
    "5310000001",
    "50910000001",
    "591100000001",
    "595100000001",
    "880100000001",
    "95100000001",
    "855100000001",
    "856100000001",
    "976100000001",
    "212100000001",
];

/// One call of one to three minutes to each of forty countries, some three hours in all.
pub(super) fn round_robin(plan: Plan, random: &mut Random) -> Vec<Call> {
    in_turn(plan.starts_at, ROUND.len(), |place, at| {
        let dialled = format!("010{}", ROUND.get(place).copied().unwrap_or_default());
        let (ring, talk) = (random.between(SECOND, 6 * SECOND), random.between(60 * SECOND, 180 * SECOND));
        let (ring, outcome) = machine(random, ring, talk);
        (plan.call(at, dialled, ring, outcome), random.between(MINUTE, 4 * MINUTE))
    })
}

/// Twenty-five calls of a minute to one number in Portugal, with three to five minutes between.
pub(super) fn same_number_run(plan: Plan, random: &mut Random) -> Vec<Call> {
    in_turn(plan.starts_at, 25, |_, at| {
        let (ring, talk) = (random.between(SECOND, 5 * SECOND), random.between(50 * SECOND, 75 * SECOND));
        let (ring, outcome) = machine(random, ring, talk);
        (plan.call(at, "010351400660001".to_owned(), ring, outcome), random.between(3 * MINUTE, 5 * MINUTE))
    })
}

/// Fifty calls over some seven office hours to countries that everybody calls. Seven of ten go to one range of the United
/// Kingdom (since 2018 fraud has moved to such countries; Commsrisk, Iconx).
pub(super) fn cheap_country_ranges(plan: Plan, random: &mut Random) -> Vec<Call> {
    in_turn(plan.starts_at, 50, |_, at| {
        let dialled = match random.weighted(&[70, 10, 10, 10]) {
            // 0909 8790 xxx, set aside by Ofcom for drama; the others lie outside their plans.
            0 => format!("010449098790{:03}", random.below(60)),
            1 => format!("010329090000{:02}", random.below(100)),
            2 => format!("0104190700{:04}", random.below(40)),
            _ => format!("010398900000{:02}", random.below(100)),
        };
        let (ring, talk) = (random.between(SECOND, 6 * SECOND), random.between(90 * SECOND, 300 * SECOND));
        let (ring, outcome) = machine(random, ring, talk);
        (plan.call(at, dialled, ring, outcome), random.between(4 * MINUTE, 6 * MINUTE))
    })
}

/// Forty calls of three to eight minutes on a Saturday evening to 0990 (premium rate, out of service since 2014) and 0570
/// (shared cost).
pub(super) fn premium_at_home(plan: Plan, random: &mut Random) -> Vec<Call> {
    in_turn(plan.starts_at, 40, |_, at| {
        let head = if random.chance(750) { "099000" } else { "057019" };
        let dialled = format!("{head}{:04}", random.below(25));
        let (ring, talk) = (random.between(SECOND, 5 * SECOND), random.between(3 * MINUTE, 8 * MINUTE));
        let (ring, outcome) = machine(random, ring, talk);
        (plan.call(at, dialled, ring, outcome), random.between(10 * SECOND, 60 * SECOND))
    })
}

/// Sixteen calls of one to four minutes, in turn to +870, +881, +882 and +883, at night: 600 to 1,100 JPY a minute.
pub(super) fn satellite(plan: Plan, random: &mut Random) -> Vec<Call> {
    const HEADS: [&str; 4] = ["8700000000", "8810000000", "8821300000", "8830000000"];
    in_turn(plan.starts_at, 16, |place, at| {
        let head = HEADS.get(place % HEADS.len()).copied().unwrap_or_default();
        let dialled = format!("010{head}{:02}", 10 + random.below(30));
        let (ring, talk) =
            (random.between(3 * SECOND, 9 * SECOND), random.between(60 * SECOND, 240 * SECOND));
        let (ring, outcome) = machine(random, ring, talk);
        (plan.call(at, dialled, ring, outcome), random.between(20 * SECOND, 2 * MINUTE))
    })
}
