//! Innocent traffic that looks like an attack: what a rule must not fire on.

mod company;
mod twins;

use crate::attack::Plan;
use crate::call::{Call, HOUR, MINUTE, Outcome, SECOND};
use crate::kind::Kind;
use crate::office::{Office, ordinary_end, ordinary_talk};
use crate::random::Random;

pub(crate) fn calls(office: &mut Office, plan: Plan, random: &mut Random) -> Vec<Call> {
    match plan.kind {
        Kind::MondayOverseasBatch => monday_batch(plan, random),
        Kind::FaxUs => fax(plan, random),
        Kind::ConferenceGb => conference(plan, random),
        Kind::OneRealGuineaCall => guinea(plan, random),
        Kind::Wrong010 => wrong_prefix(plan, random),
        Kind::CallCentrePuertoRico => puerto_rico(plan, random),
        Kind::NewBranchPhilippines => philippines(office, plan, random),
        Kind::UsualCountry => company::usual_country(office, plan, random),
        Kind::FaxAllowListed => company::fax_allow_listed(plan, random),
        Kind::HeadOfficeAbroad => company::head_office_abroad(office, plan, random),
        Kind::CallBackList => company::call_back_list(plan, random),
        Kind::YearEndGreetings => company::year_end_greetings(office, plan, random),
        Kind::ConferenceBridge => company::conference_bridge(office, plan, random),
        Kind::ShipBySatellite => twins::ship_by_satellite(plan, random),
        Kind::ForwardToMobile => twins::forward_to_mobile(plan, random),
        Kind::HotlineRedial => twins::hotline_redial(plan, random),
        Kind::SalesRound => twins::sales_round(plan, random),
        Kind::DepartmentNumbers => twins::department_numbers(office, plan, random),
        Kind::NewFloor => twins::new_floor(office, plan, random),
        Kind::DailyStandUps => twins::daily_stand_ups(office, plan, random),
        Kind::ServiceLinesAbroad => twins::service_lines_abroad(plan, random),
        _ => Vec::new(),
    }
}

/// Twenty-five agents in China, Korea and Taiwan within an hour and a half, two to six minutes each.
fn monday_batch(plan: Plan, random: &mut Random) -> Vec<Call> {
    let mut at = plan.starts_at;
    let mut calls = Vec::new();
    for agent in 0..25 {
        let head = ["010861000000", "01082200000", "010886210000"];
        let head = head.get(agent % 3).copied().unwrap_or_default();
        let (ring, outcome) = ordinary_end(random, 700);
        let outcome = match outcome {
            Outcome::Answered { released_by, .. } => {
                Outcome::Answered { talk: random.between(MINUTE, 6 * MINUTE), released_by }
            }
            other => other,
        };
        let call = plan.call(at, format!("{head}{:03}", 100 + agent), ring, outcome);
        at = call.ended_at() + random.between(5 * SECOND, 40 * SECOND);
        calls.push(call);
    }
    calls
}

/// Thirty documents at night to one number, each tried up to three times: the other machine is often busy.
fn fax(plan: Plan, random: &mut Random) -> Vec<Call> {
    let mut at = plan.starts_at;
    let mut calls = Vec::new();
    for _ in 0..30 {
        for _ in 0..3 {
            let dialled = "01012125550142".to_owned();
            let call = if random.chance(600) {
                plan.answered(at, dialled, 4 * SECOND, random.between(35 * SECOND, 90 * SECOND))
            } else {
                plan.call(at, dialled, random.between(300_000, 900_000), Outcome::Busy)
            };
            at = call.ended_at() + random.between(30 * SECOND, MINUTE);
            let is_sent = call.talk().is_some();
            calls.push(call);
            if is_sent {
                break;
            }
        }
    }
    calls
}

/// A conference of 100 to 160 minutes with London on each of four evenings.
fn conference(plan: Plan, random: &mut Random) -> Vec<Call> {
    (0..4)
        .map(|day| {
            let at = plan.starts_at + day * 24 * HOUR + random.between(0, 5 * MINUTE);
            plan.answered(
                at,
                "010442079460150".to_owned(),
                3 * SECOND,
                random.between(100 * MINUTE, 160 * MINUTE),
            )
        })
        .collect()
}

/// One call of six minutes.
fn guinea(plan: Plan, random: &mut Random) -> Vec<Call> {
    let talk = 6 * MINUTE + random.between(0, 30 * SECOND);
    vec![plan.answered(plan.starts_at, "010224400000351".to_owned(), 9 * SECOND, talk)]
}

/// Digits left out, the area code's zero left in, the prefix twice; then the call that was meant.
fn wrong_prefix(plan: Plan, random: &mut Random) -> Vec<Call> {
    let mut at = plan.starts_at;
    let mut calls = Vec::new();
    for dialled in ["01044020794", "0100442079460160", "010010442079460160", "010442079460160"] {
        let call = if dialled == "010442079460160" {
            plan.answered(at, dialled.to_owned(), 7 * SECOND, 4 * MINUTE)
        } else {
            plan.call(at, dialled.to_owned(), random.between(50_000, 900_000), Outcome::NotFound)
        };
        at = call.ended_at() + random.between(8 * SECOND, 25 * SECOND);
        calls.push(call);
    }
    calls
}

/// Ninety customers called back over an afternoon, +1 787.
fn puerto_rico(plan: Plan, random: &mut Random) -> Vec<Call> {
    let mut at = plan.starts_at;
    let mut calls = Vec::new();
    for _ in 0..90 {
        let (ring, outcome) = ordinary_end(random, 600);
        let call = plan.call(at, format!("010178755501{:02}", random.below(100)), ring, outcome);
        at = call.ended_at() + random.between(15 * SECOND, 90 * SECOND);
        calls.push(call);
    }
    calls
}

/// Four colleagues call a new branch in Manila some ten times a day each, for three days.
fn philippines(office: &Office, plan: Plan, random: &mut Random) -> Vec<Call> {
    let mut calls = Vec::new();
    for colleague in plan.extensions(office, Kind::NewBranchPhilippines.extensions()) {
        for day in 0..3 {
            let mut at = plan.starts_at + day * 24 * HOUR + random.between(0, 40 * MINUTE);
            for _ in 0..random.between(8, 12) {
                let dialled = format!("01063200000{:03}", random.below(8));
                let (ring, outcome) = ordinary_end(random, 750);
                let call = colleague.call(at, dialled, ring, outcome);
                at = call.ended_at() + random.between(5 * MINUTE, 60 * MINUTE) + ordinary_talk(random);
                calls.push(call);
            }
        }
    }
    calls
}
