//! Attacks, from one taken-over extension or from many. Figures are those of published cases; what is assumed says so.

mod disguise;
mod many;
mod slow;
mod targets;

use crate::call::{Call, HOUR, MINUTE, Outcome, Route, SECOND, Side};
use crate::japan_2015::JAPAN_2015_CALLS;
use crate::kind::Kind;
use crate::office::{Office, outgoing};
use crate::random::Random;
use crate::{innocent, numbers};

/// What is to happen, where and when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    pub(crate) kind: Kind,
    pub(crate) extension: usize,
    pub(crate) starts_at: i64,
    /// Place in the case's list of incidents.
    pub(crate) incident: usize,
    pub(crate) seed: u64,
}

impl Plan {
    /// The stream of this incident.
    pub(crate) fn random(self) -> Random {
        Random::named(self.seed, &format!("{} {}", self.kind, self.incident))
    }

    /// A call from the plan's extension over the trunk.
    pub(crate) fn call(self, started_at: i64, dialled: String, ring: i64, outcome: Outcome) -> Call {
        let route = outgoing(self.extension, dialled);
        Call { started_at, route, ring, outcome, incident: Some(self.incident) }
    }

    /// Those that take part: `count` extensions from the plan's on, or all where there are fewer.
    pub(crate) fn extensions(self, office: &Office, count: usize) -> impl Iterator<Item = Self> {
        let size = office.extensions.len();
        (0..count.min(size)).map(move |step| Self { extension: (self.extension + step) % size, ..self })
    }

    /// A call that is answered and hung up by the caller.
    pub(crate) fn answered(self, started_at: i64, dialled: String, ring: i64, talk: i64) -> Call {
        self.call(started_at, dialled, ring, Outcome::Answered { talk, released_by: Side::Caller })
    }
}

/// The calls of a plan. Extensions that it adds join the office.
pub(crate) fn calls(office: &mut Office, plan: Plan) -> Vec<Call> {
    let random = &mut plan.random();
    match plan.kind {
        Kind::SierraLeone2015 => sierra_leone(plan, random),
        Kind::OneNumber => one_number(plan, random),
        Kind::LongCalls => long_calls(plan, random),
        Kind::Burst => burst(plan, random),
        Kind::SlowDrip => slow_drip(plan, random),
        Kind::Probe => probe(plan, random),
        Kind::DialPlanProbing => dial_plan_probing(plan, random),
        Kind::ForwardPumping => forward_pumping(plan, random),
        Kind::Spread => many::spread(office, plan, random),
        Kind::Storm => many::storm(office, plan, random),
        Kind::InventedExtensions => many::invented_extensions(office, plan, random),
        Kind::WeekendSlowBurn => slow::weekend_slow_burn(plan, random),
        Kind::WeekTrickle => slow::week_trickle(office, plan, random),
        Kind::TestCallsThenPumping => slow::test_calls_then_pumping(plan, random),
        Kind::NeighbourNumbers => targets::neighbour_numbers(plan, random),
        Kind::RoundRobin => targets::round_robin(plan, random),
        Kind::SameNumberRun => targets::same_number_run(plan, random),
        Kind::CheapCountryRanges => targets::cheap_country_ranges(plan, random),
        Kind::PremiumAtHome => targets::premium_at_home(plan, random),
        Kind::Satellite => targets::satellite(plan, random),
        Kind::ForwardingCode => disguise::forwarding_code(plan, random),
        Kind::RandomCallerIds => disguise::random_caller_ids(plan, random),
        Kind::MondayOverseasBatch
        | Kind::FaxUs
        | Kind::ConferenceGb
        | Kind::OneRealGuineaCall
        | Kind::Wrong010
        | Kind::CallCentrePuertoRico
        | Kind::NewBranchPhilippines
        | Kind::UsualCountry
        | Kind::FaxAllowListed
        | Kind::HeadOfficeAbroad
        | Kind::CallBackList
        | Kind::YearEndGreetings
        | Kind::ConferenceBridge
        | Kind::ShipBySatellite
        | Kind::ForwardToMobile
        | Kind::HotlineRedial
        | Kind::SalesRound
        | Kind::DepartmentNumbers
        | Kind::NewFloor
        | Kind::DailyStandUps
        | Kind::ServiceLinesAbroad => innocent::calls(office, plan, random),
    }
}

/// Lanes that each call, wait and call again: the dialler of most attacks. `next` makes a call that starts at the given
/// instant, and says how long the lane waits after it; the end is when it makes none.
fn lanes(starts: &[i64], mut next: impl FnMut(i64) -> Option<(Call, i64)>) -> Vec<Call> {
    let mut free_at = starts.to_vec();
    let mut calls = Vec::new();
    while let Some(lane) = free_at.iter_mut().min() {
        let Some((call, pause)) = next(*lane) else { break };
        *lane = call.ended_at() + pause;
        calls.push(call);
    }
    calls
}

/// So many calls, one after the other: `next` makes the n-th, from 0, that starts at the given instant, and says how long
/// the wait after it is.
pub(crate) fn in_turn(
    starts_at: i64,
    count: usize,
    mut next: impl FnMut(usize, i64) -> (Call, i64),
) -> Vec<Call> {
    let mut made = 0..count;
    lanes(&[starts_at], |at| made.next().map(|number| next(number, at)))
}

/// A pumped number answers nearly always, since it is a machine: 96 % here (85 % to 98 % assumed), else it fails fast.
fn machine(random: &mut Random, ring: i64, talk: i64) -> (i64, Outcome) {
    if random.chance(960) {
        return (ring, Outcome::Answered { talk, released_by: Side::Caller });
    }
    match random.below(3) {
        0 => (random.between(4_000, 900_000), Outcome::NotFound),
        1 => (random.between(4_000, 200_000), Outcome::Congested),
        _ => (random.between(200_000, 900_000), Outcome::Busy),
    }
}

/// 14,620 answered calls of about 32 s by two lanes, spaced so that they take four days; the mean is 1.4 calls at once.
fn sierra_leone(plan: Plan, random: &mut Random) -> Vec<Call> {
    let mut left = JAPAN_2015_CALLS;
    let starts = [plan.starts_at, plan.starts_at + 19 * SECOND];
    lanes(&starts, |at| {
        if left == 0 {
            return None;
        }
        // The plain head, the outside line before it, and the caller id withheld.
        let head = ["010", "0010", "184010"].get(random.weighted(&[86, 10, 4])).copied().unwrap_or("010");
        let dialled = format!("{head}{}", numbers::sierra_leone(random));
        let ring = random.between(2 * SECOND, 6 * SECOND);
        let talk = 32_500_000 + random.normal(2 * SECOND);
        let (ring, outcome) = machine(random, ring, talk);
        let call = plan.call(at, dialled, ring, outcome);
        left -= usize::from(call.talk().is_some());
        Some((call, random.between(4 * SECOND, 16_500_000)))
    })
}

/// One Polish premium-rate number for 60 hours, three calls a minute of 40 s to 120 s.
fn one_number(plan: Plan, random: &mut Random) -> Vec<Call> {
    let starts: Vec<i64> = (0..5).map(|lane| plan.starts_at + lane * 21 * SECOND).collect();
    lanes(&starts, |at| {
        let ring = random.between(SECOND, 5 * SECOND);
        let talk = random.between(40 * SECOND, 120 * SECOND);
        let (ring, outcome) = machine(random, ring, talk);
        let call = plan.call(at, "01048709000012".to_owned(), ring, outcome);
        (at < plan.starts_at + 60 * HOUR).then(|| (call, random.between(5 * SECOND, 30 * SECOND)))
    })
}

/// Six channels with calls of 30 to 180 minutes for a night.
fn long_calls(plan: Plan, random: &mut Random) -> Vec<Call> {
    let starts: Vec<i64> = (0..6).map(|lane| plan.starts_at + lane * 47 * SECOND).collect();
    lanes(&starts, |at| {
        let head = if random.chance(500) { "0109712000" } else { "0102529000" };
        let dialled = format!("{head}{:04}", random.below(12));
        let (ring, talk) = (random.between(SECOND, 8 * SECOND), random.between(30 * MINUTE, 180 * MINUTE));
        (at < plan.starts_at + 5 * HOUR)
            .then(|| (plan.answered(at, dialled, ring, talk), random.between(10 * SECOND, 3 * MINUTE)))
    })
}

/// Forty calls at once for ninety minutes.
fn burst(plan: Plan, random: &mut Random) -> Vec<Call> {
    let starts: Vec<i64> = (0..40).map(|lane| plan.starts_at + lane * 1_300_000).collect();
    lanes(&starts, |at| {
        let dialled = format!("0102529100{:03}", random.below(300));
        let ring = random.between(SECOND, 4 * SECOND);
        let talk = random.between(60 * SECOND, 240 * SECOND);
        let (ring, outcome) = machine(random, ring, talk);
        let call = plan.call(at, dialled, ring, outcome);
        (at < plan.starts_at + 90 * MINUTE).then(|| (call, random.between(SECOND, 4 * SECOND)))
    })
}

/// A call every 20 to 40 minutes for three office days, to special ranges of small European countries.
fn slow_drip(plan: Plan, random: &mut Random) -> Vec<Call> {
    let mut calls = Vec::new();
    for day in 0..3 {
        let mut at = plan.starts_at + day * 24 * HOUR;
        while at < plan.starts_at + day * 24 * HOUR + 9 * HOUR {
            let head = ["3787700", "3709000", "3729000", "4239000", "3719000"];
            let head = random.pick(&head).copied().unwrap_or_default();
            let dialled = format!("010{head}{:04}", random.below(40));
            let (ring, talk) = (random.between(SECOND, 6 * SECOND), random.between(3 * MINUTE, 10 * MINUTE));
            calls.push(plan.answered(at, dialled, ring, talk));
            at += random.between(20 * MINUTE, 40 * MINUTE);
        }
    }
    calls
}

/// One to three short calls each to eight countries in a row.
fn probe(plan: Plan, random: &mut Random) -> Vec<Call> {
    const RANGES: [&str; 8] = [
        "2244000001",
        "3719000001",
        "2529000001",
        "2454000001",
        "3729000001",
        "9602000001",
        "2209000001",
        "2399000001",
    ];
    let mut at = plan.starts_at;
    let mut calls = Vec::new();
    for range in RANGES {
        for _ in 0..random.between(1, 3) {
            let dialled = format!("010{range}{}", random.below(10));
            let ring = random.between(SECOND, 7 * SECOND);
            let call = if random.chance(600) {
                plan.answered(at, dialled, ring, random.between(5 * SECOND, 40 * SECOND))
            } else {
                let outcome = if random.chance(500) { Outcome::NotFound } else { Outcome::Cancelled };
                plan.call(at, dialled, ring, outcome)
            };
            at = call.ended_at() + random.between(5 * SECOND, 90 * SECOND);
            calls.push(call);
        }
    }
    calls
}

/// The head that works is looked for; the trunk refuses all of it, the right one included, as the number is not yet live.
fn dial_plan_probing(plan: Plan, random: &mut Random) -> Vec<Call> {
    const HEADS: [&str; 12] =
        ["00", "000", "900", "011", "9011", "0011", "+", "8010", "9010", "99010", "0010", "010"];
    let mut at = plan.starts_at;
    let mut calls = Vec::new();
    for head in HEADS {
        let outcome = if random.chance(600) { Outcome::Congested } else { Outcome::NotFound };
        let ring = random.between(5_000, 300_000);
        calls.push(plan.call(at, format!("{head}23241000101"), ring, outcome));
        at += random.between(3 * SECOND, 40 * SECOND);
    }
    calls
}

/// Eighty outside calls to an extension that forwards to a foreign number, one to three at a time.
fn forward_pumping(plan: Plan, random: &mut Random) -> Vec<Call> {
    let mut at = plan.starts_at;
    let mut calls = Vec::new();
    for _ in 0..80 {
        let caller = pumping_caller(random);
        calls.push(forwarded(plan, random, caller, at, "010224400000201", 8 * MINUTE));
        at += random.between(90 * SECOND, 300 * SECOND);
    }
    calls
}

/// Who calls a forwarded extension to pump it.
fn pumping_caller(random: &mut Random) -> String {
    format!("22440000{:04}", random.below(30))
}

/// A call from outside that the plan's extension forwards, of two minutes to `longest`.
pub(crate) fn forwarded(
    plan: Plan,
    random: &mut Random,
    caller: String,
    started_at: i64,
    dialled: &str,
    longest: i64,
) -> Call {
    let sent = numbers::sent(dialled).to_owned();
    let route = Route::Forwarded { caller, by: plan.extension, dialled: dialled.to_owned(), sent };
    let outcome = Outcome::Answered { talk: random.between(2 * MINUTE, longest), released_by: Side::Caller };
    let ring = random.between(SECOND, 4 * SECOND);
    Call { started_at, route, ring, outcome, incident: Some(plan.incident) }
}
