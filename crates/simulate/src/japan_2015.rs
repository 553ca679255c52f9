//! The take-overs of Japanese office PBXs in spring 2015, rebuilt from the published figures of one of them.
//!
//! Published: a bill of 2,558,574 JPY in March 2015, some 14,000 to 15,000 calls to Sierra Leone in four days, line upon line
//! of "32 s, 175 JPY". Derived: 2,558,574 / 175 = 14,620.4, hence 14,620 calls of one started minute each, 2,558,500 JPY.
//! `datasets/cases/japan-2015/README.md` names the sources and the assumptions.

use chrono::NaiveDate;
use chrono_tz::Tz;

use crate::attack::{self, Plan};
use crate::case::Case;
use crate::kind::Kind;
use crate::office::Office;

/// Answered calls to Sierra Leone.
pub const JAPAN_2015_CALLS: usize = 14_620;

/// The office's weeks: Monday 9 to Sunday 29 March 2015.
const FIRST_DAY: (i32, u32, u32) = (2015, 3, 9);
const DAYS: u32 = 21;
/// Friday 20 March; the Saturday after it was the equinox holiday.
const ATTACK_DAY: u32 = 11;
/// Place of extension 105.
const VICTIM: usize = 4;

/// The case: three weeks of an office of twenty extensions, with the attack in it.
pub fn japan_2015(seed: u64) -> Case {
    let first_day = NaiveDate::from_ymd_opt(FIRST_DAY.0, FIRST_DAY.1, FIRST_DAY.2).unwrap_or_default();
    let mut office = Office::new(20, Tz::Asia__Tokyo, first_day, DAYS);
    office.holidays.extend(NaiveDate::from_ymd_opt(2015, 3, 21));
    let mut calls = office.ordinary(seed);
    let mut incidents = Vec::new();
    // The testers call on Friday afternoon, the pumping starts at a quarter past ten at night.
    let plans = [
        (Kind::DialPlanProbing, office.at(ATTACK_DAY, 14 * 3600 + 37 * 60)),
        (Kind::Probe, office.at(ATTACK_DAY, 16 * 3600 + 8 * 60)),
        (Kind::SierraLeone2015, office.at(ATTACK_DAY, 22 * 3600 + 15 * 60)),
    ];
    for (kind, starts_at) in plans {
        let plan = Plan { kind, extension: VICTIM, starts_at, incident: incidents.len(), seed };
        calls.extend(attack::calls(&mut office, plan));
        incidents.push(crate::Incident { kind, extension: VICTIM });
    }
    Case::new(office, calls, incidents, seed)
}
