//! Attacks from many extensions, where nobody alone does much.

use super::{Plan, lanes, machine};
use crate::call::{Call, MINUTE, SECOND};
use crate::kind::Kind;
use crate::office::{Extension, Office};
use crate::random::Random;

/// Thirty extensions call one range of Guinea twice each, spread evenly over an hour.
pub(super) fn spread(office: &Office, plan: Plan, random: &mut Random) -> Vec<Call> {
    let callers: Vec<Plan> = plan.extensions(office, Kind::Spread.extensions()).collect();
    let step = 60 * MINUTE / (2 * callers.len().max(1)) as i64;
    let mut calls = Vec::new();
    for (number, caller) in callers.iter().chain(&callers).enumerate() {
        let at = plan.starts_at + number as i64 * step + random.between(0, step / 2);
        let dialled = format!("0102244000003{:02}", random.below(100));
        let (ring, talk) = (random.between(SECOND, 5 * SECOND), random.between(60 * SECOND, 240 * SECOND));
        let (ring, outcome) = machine(random, ring, talk);
        calls.push(caller.call(at, dialled, ring, outcome));
    }
    calls
}

/// Forty extensions, each on two lines at once, for ten minutes.
pub(super) fn storm(office: &Office, plan: Plan, random: &mut Random) -> Vec<Call> {
    let callers: Vec<Plan> = plan.extensions(office, Kind::Storm.extensions()).collect();
    let mut calls = Vec::new();
    for (number, caller) in callers.into_iter().enumerate() {
        let start = plan.starts_at + number as i64 * 400_000;
        calls.extend(lanes(&[start, start + 900_000], |at| {
            let dialled = format!("0102529200{:03}", random.below(400));
            let ring = random.between(SECOND, 4 * SECOND);
            let talk = random.between(50 * SECOND, 170 * SECOND);
            let (ring, outcome) = machine(random, ring, talk);
            let call = caller.call(at, dialled, ring, outcome);
            (at < plan.starts_at + 10 * MINUTE).then(|| (call, random.between(SECOND, 4 * SECOND)))
        }));
    }
    calls
}

/// Four hundred calls to Sierra Leone, one every six seconds, each from an extension that no PBX has: forged records, or
/// a PBX that takes any name. What is kept for each extension must not grow without end.
pub(super) fn invented_extensions(office: &mut Office, plan: Plan, random: &mut Random) -> Vec<Call> {
    const COUNT: usize = 400;
    let first = office.extensions.len() + office.added.len();
    // Steps of a prime below a million give every number once, in no visible order.
    let numbers = (0..COUNT).map(|index| 600_000 + index * 7919 % 100_000);
    office.added.extend(numbers.map(|number| Extension {
        number: number.to_string(),
        name: String::new(),
        account: String::new(),
    }));
    let mut at = plan.starts_at;
    let mut calls = Vec::with_capacity(COUNT);
    for extension in first..first + COUNT {
        let dialled = format!("01023241000{:03}", 400 + random.below(200));
        let (ring, talk) = (random.between(SECOND, 5 * SECOND), random.between(30 * SECOND, 90 * SECOND));
        let (ring, outcome) = machine(random, ring, talk);
        calls.push(Plan { extension, ..plan }.call(at, dialled, ring, outcome));
        at += random.between(4 * SECOND, 8 * SECOND);
    }
    calls
}
