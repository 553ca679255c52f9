//! What a company does that looks like the newer attacks.

use crate::ALLOW_LISTED_FAX;
use crate::attack::{Plan, in_turn};
use crate::call::{Call, HOUR, MINUTE, Outcome, SECOND};
use crate::kind::Kind;
use crate::office::{Office, ordinary_end};
use crate::random::Random;

/// A mine in Guinea is called twice on every working day, and once at night, where the plan begins.
pub(super) fn usual_country(office: &Office, plan: Plan, random: &mut Random) -> Vec<Call> {
    let number = |random: &mut Random| format!("01022440000045{}", random.below(4));
    let talk = |random: &mut Random| random.between(2 * MINUTE, 6 * MINUTE);
    let dialled = number(random);
    let mut calls = vec![plan.answered(plan.starts_at, dialled, 8 * SECOND, talk(random))];
    for day in 0..office.days {
        for hour in [10, 16] {
            let at = office.at(day, hour * 3600) + random.between(0, 50 * MINUTE);
            let (dialled, talk) = (number(random), talk(random));
            if office.is_working_day(at) {
                calls.push(plan.answered(at, dialled, random.between(4 * SECOND, 12 * SECOND), talk));
            }
        }
    }
    calls
}

/// Eight orders a night, on three nights, to the supplier's fax on a Swiss 090 number.
pub(super) fn fax_allow_listed(plan: Plan, random: &mut Random) -> Vec<Call> {
    (0..3)
        .flat_map(|day| {
            in_turn(plan.starts_at + day * 24 * HOUR, 8, |_, at| {
                let (dialled, talk) =
                    (format!("010{ALLOW_LISTED_FAX}"), random.between(40 * SECOND, 80 * SECOND));
                (plan.answered(at, dialled, 4 * SECOND, talk), random.between(30 * SECOND, 90 * SECOND))
            })
        })
        .collect()
}

/// Fifty people ask the head office in New York once each, two to nine minutes, within an hour.
pub(super) fn head_office_abroad(office: &Office, plan: Plan, random: &mut Random) -> Vec<Call> {
    plan.extensions(office, Kind::HeadOfficeAbroad.extensions())
        .enumerate()
        .map(|(place, caller)| {
            let at = plan.starts_at + place as i64 * 66 * SECOND + random.between(0, 40 * SECOND);
            let ring = random.between(3 * SECOND, 12 * SECOND);
            caller.answered(at, "01012125550170".to_owned(), ring, random.between(2 * MINUTE, 9 * MINUTE))
        })
        .collect()
}

/// Sixty customers in one exchange at home, number by number.
pub(super) fn call_back_list(plan: Plan, random: &mut Random) -> Vec<Call> {
    in_turn(plan.starts_at, 60, |place, at| {
        let (ring, outcome) = ordinary_end(random, 650);
        let dialled = format!("030000{:04}", 6000 + place);
        (plan.call(at, dialled, ring, outcome), random.between(15 * SECOND, 90 * SECOND))
    })
}

/// How a partner's number begins, in each of the five countries that the company calls all along.
const PARTNERS: [&str; 5] =
    ["0101212555011", "01086100000012", "0108220000012", "010662000012", "01044207946012"];

/// A partner in one of those countries.
pub(super) fn partner(random: &mut Random) -> String {
    let country = random.below(PARTNERS.len() as u64) as usize;
    partner_in(country, random)
}

fn partner_in(country: usize, random: &mut Random) -> String {
    let head = PARTNERS.get(country % PARTNERS.len()).copied().unwrap_or_default();
    format!("{head}{}", random.below(10))
}

/// Three partners on each working day before the one on which the plan begins, in one country after the other.
pub(super) fn partners_all_along(office: &Office, plan: Plan, random: &mut Random) -> Vec<Call> {
    let mut calls = Vec::new();
    for day in 0..office.days {
        for hour in [9, 14, 17] {
            let at = office.at(day, hour * 3600) + random.between(0, 40 * MINUTE);
            if office.is_working_day(at) && at < plan.starts_at - 12 * HOUR {
                let (dialled, talk) = (partner_in(calls.len(), random), random.between(MINUTE, 8 * MINUTE));
                calls.push(plan.answered(at, dialled, random.between(3 * SECOND, 12 * SECOND), talk));
            }
        }
    }
    calls
}

/// Partners abroad are called now and then, and on the last day of the year 36 of them for a minute or two.
pub(super) fn year_end_greetings(office: &Office, plan: Plan, random: &mut Random) -> Vec<Call> {
    let mut calls = in_turn(plan.starts_at, 36, |_, at| {
        let (ring, outcome) = ordinary_end(random, 600);
        let outcome = match outcome {
            Outcome::Answered { released_by, .. } => {
                Outcome::Answered { talk: random.between(40 * SECOND, 150 * SECOND), released_by }
            }
            other => other,
        };
        let call = plan.call(at, partner(random), ring, outcome);
        (call, random.between(60 * SECOND, 180 * SECOND))
    });
    calls.extend(partners_all_along(office, plan, random));
    calls
}

/// Eight colleagues dial into a bridge in London within two minutes and stay for an hour.
pub(super) fn conference_bridge(office: &Office, plan: Plan, random: &mut Random) -> Vec<Call> {
    plan.extensions(office, Kind::ConferenceBridge.extensions())
        .map(|caller| {
            let at = plan.starts_at + random.between(0, 2 * MINUTE);
            caller.answered(
                at,
                "010442079460170".to_owned(),
                2 * SECOND,
                random.between(50 * MINUTE, 65 * MINUTE),
            )
        })
        .collect()
}
