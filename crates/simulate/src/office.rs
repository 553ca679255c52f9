//! The office: its extensions, and the calls it makes when nothing is wrong.

use chrono::{Datelike, Days, NaiveDate, TimeZone, Weekday};
use chrono_tz::Tz;

use crate::call::{Call, HOUR, Outcome, Route, SECOND, Side};
use crate::{numbers, random::Random, tables};

/// How long a phone rings before `Dial` gives up, microseconds.
pub(crate) const RING_LIMIT: i64 = 30 * SECOND;

/// An extension of the PBX.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// Its number.
    pub number: String,
    /// Its display name, without quotes.
    pub name: String,
    /// Its account code; empty where it has none.
    pub account: String,
}

/// A PBX with its people and its clock.
#[derive(Debug, Clone)]
pub struct Office {
    /// Extensions, by number.
    pub extensions: Vec<Extension>,
    /// Extensions that an incident adds: new phones, or names that an attacker made up. Their places go on behind the
    /// others'.
    pub added: Vec<Extension>,
    /// The zone of its clock.
    pub zone: Tz,
    /// The number that outside callers dial.
    pub direct_number: String,
    /// Its first day, by its own calendar.
    pub first_day: NaiveDate,
    /// Days of traffic.
    pub days: u32,
    /// Days that are kept like Sundays.
    pub holidays: Vec<NaiveDate>,
}

const NAMES: [&str; 14] = [
    "Alice Reception",
    "Sato, Hanako",
    "Bob Mori",
    "Kimura",
    "Warehouse",
    "Dave Support",
    "Ito",
    "Yamada Taro",
    "Nakamura, Jun",
    "Meeting Room 1",
    "Suzuki",
    "Kobayashi Aki",
    "Watanabe",
    "Accounts",
];
const ACCOUNTS: [&str; 5] = ["sales", "", "sales", "support", "wh"];

impl Office {
    /// An office of `count` extensions, numbered from 100 up, or with more digits where these do not suffice.
    pub fn new(count: usize, zone: Tz, first_day: NaiveDate, days: u32) -> Self {
        let extensions = (0..count)
            .map(|index| Extension {
                number: number(index, count).to_string(),
                name: NAMES.get(index % NAMES.len()).copied().unwrap_or_default().to_owned(),
                account: ACCOUNTS.get(index % ACCOUNTS.len()).copied().unwrap_or_default().to_owned(),
            })
            .collect();
        let direct_number = numbers::DIRECT.to_owned();
        let (added, holidays) = (Vec::new(), Vec::new());
        Self { extensions, added, zone, direct_number, first_day, days, holidays }
    }

    /// The instant of a local time, microseconds since 1970 UTC: `day` days after the first, `seconds` after midnight.
    /// Of an hour that repeats the first is meant; an hour that does not exist is read as the one after it.
    pub fn at(&self, day: u32, seconds: i64) -> i64 {
        let date = self.date(day).unwrap_or(self.first_day);
        let local = date.and_time(chrono::NaiveTime::MIN) + chrono::TimeDelta::seconds(seconds);
        let instant = self
            .zone
            .from_local_datetime(&local)
            .earliest()
            .or_else(|| self.zone.from_local_datetime(&(local + chrono::TimeDelta::hours(1))).earliest());
        instant.map_or_else(|| local.and_utc().timestamp_micros(), |instant| instant.timestamp_micros())
    }

    /// The date of a day.
    pub fn date(&self, day: u32) -> Option<NaiveDate> {
        self.first_day.checked_add_days(Days::new(day as u64))
    }

    /// The weekday of a day, a holiday being a Sunday.
    pub fn weekday(&self, day: u32) -> Weekday {
        match self.date(day) {
            Some(date) if !self.holidays.contains(&date) => date.weekday(),
            _ => Weekday::Sun,
        }
    }

    /// Whether an instant lies on a working day.
    pub(crate) fn is_working_day(&self, instant: i64) -> bool {
        let local = self.zone.from_utc_datetime(
            &chrono::DateTime::from_timestamp_micros(instant).unwrap_or_default().naive_utc(),
        );
        let date = local.date_naive();
        !matches!(date.weekday(), Weekday::Sat | Weekday::Sun) && !self.holidays.contains(&date)
    }

    /// The extension at a place, an added one included.
    pub fn extension(&self, place: usize) -> Option<&Extension> {
        let beyond = place.checked_sub(self.extensions.len());
        beyond.map_or_else(|| self.extensions.get(place), |beyond| self.added.get(beyond))
    }

    /// The number of an extension, empty for a place that does not exist.
    pub fn number(&self, extension: usize) -> &str {
        self.extension(extension).map_or("", |extension| &extension.number)
    }

    /// The ordinary calls of all days, by start. One extension never has two calls at once.
    pub fn ordinary(&self, seed: u64) -> Vec<Call> {
        let mut calls = Vec::new();
        for day in 0..self.days {
            let share =
                tables::WEEKDAYS.get(self.weekday(day).num_days_from_monday() as usize).copied().unwrap_or(0);
            for extension in 0..self.extensions.len() {
                let mut random = Random::named(seed, &format!("office {day} {extension}"));
                for direction in 0..3 {
                    for _ in 0..random.cumulative(&tables::CALLS_PER_DAY) {
                        let call = self.ordinary_call(&mut random, day, extension, direction);
                        if random.chance(share) {
                            calls.push(call);
                        }
                    }
                }
            }
        }
        calls.sort_by_key(|call| (call.started_at, call.route.extension()));
        self.one_call_at_a_time(calls)
    }

    fn ordinary_call(&self, random: &mut Random, day: u32, extension: usize, direction: u8) -> Call {
        let second = random.weighted(&tables::HOURS) as i64 * 3600 + random.between(0, 3599);
        let started_at = self.at(day, second) + random.between(0, SECOND - 1);
        let (route, answered) = match direction {
            0 if self.extensions.len() > 1 => {
                let step = 1 + random.below(self.extensions.len() as u64 - 1) as usize;
                (
                    Route::Internal { caller: extension, called: (extension + step) % self.extensions.len() },
                    720,
                )
            }
            1 => (Route::Incoming { caller: numbers::caller(random), called: extension }, 800),
            // Few offices call abroad at all, and in those that do it is the work of a few people.
            _ if extension % 8 == 3 && random.chance(60) => {
                (outgoing(extension, numbers::business_abroad(random)), 600)
            }
            _ => (outgoing(extension, numbers::domestic(random)), 700),
        };
        let (ring, outcome) = match (ordinary_end(random, answered), direction) {
            // A colleague's number always exists, and no trunk is needed.
            ((ring, Outcome::NotFound | Outcome::Congested), 0) => (ring, Outcome::Cancelled),
            (end, _) => end,
        };
        Call { started_at, route, ring, outcome, incident: None }
    }

    /// Drops the calls of somebody who is on the phone, and makes the calls to such a one find it busy.
    fn one_call_at_a_time(&self, calls: Vec<Call>) -> Vec<Call> {
        let mut free_at = vec![i64::MIN; self.extensions.len()];
        let mut kept = Vec::with_capacity(calls.len());
        for mut call in calls {
            let is_busy =
                |extension: usize| free_at.get(extension).is_some_and(|free| *free > call.started_at);
            if is_busy(call.route.extension()) {
                continue;
            }
            if let Route::Internal { called, .. } = call.route {
                if is_busy(called) {
                    call.outcome = Outcome::Busy;
                    call.ring = 40_000;
                } else if let Some(free) = free_at.get_mut(called) {
                    *free = call.ended_at() + 3 * SECOND;
                }
            }
            if let Some(free) = free_at.get_mut(call.route.extension()) {
                *free = call.ended_at() + 3 * SECOND;
            }
            kept.push(call);
        }
        kept
    }
}

/// The number of an extension in an office of `count`: three digits while they suffice, then four, then more.
///
/// In Japan 104, 110 to 119 and other numbers from 100 to 199 are services, 110 and 119 the police and the fire brigade, so an
/// office skips them: 100 to 103, 105 to 109, then 200 and up.
fn number(index: usize, count: usize) -> usize {
    match (index, count) {
        (0..4, ..=800) => 100 + index,
        (4..9, ..=800) => 101 + index,
        (_, ..=800) => 191 + index,
        (_, ..=9000) => 1000 + index,
        (_, ..=90_000) => 10_000 + index,
        _ => 100_000 + index,
    }
}

/// A call that goes out as it was dialled.
pub(crate) fn outgoing(caller: usize, dialled: String) -> Route {
    Route::Outgoing { caller, claimed: None, sent: numbers::sent(&dialled).to_owned(), dialled }
}

/// How long it rang and how it ended: `answered` of a thousand calls are.
pub(crate) fn ordinary_end(random: &mut Random, answered: u64) -> (i64, Outcome) {
    let ring = random.between(1_500_000, 14_000_000);
    if random.chance(answered) {
        return (ring, Outcome::Answered { talk: ordinary_talk(random), released_by: side(random) });
    }
    match random.weighted(&[45, 30, 20, 3, 2]) {
        0 => (RING_LIMIT + random.between(4_000, 30_000), Outcome::NoAnswer),
        1 => (ring, Outcome::Cancelled),
        2 => (random.between(5_000, 900_000), Outcome::Busy),
        3 => (random.between(5_000, 300_000), Outcome::NotFound),
        _ => (random.between(5_000, 300_000), Outcome::Congested),
    }
}

/// A draw of an ordinary call's time of talk, microseconds: a mixture of two log-normals with a mean of 111 s.
pub fn ordinary_talk(random: &mut Random) -> i64 {
    let table = if random.chance(tables::SHORT_SHARE) { &tables::SHORT_TALK } else { &tables::LONG_TALK };
    (random.quantile(table) * 1000 + random.between(0, 999)).min(2 * HOUR)
}

fn side(random: &mut Random) -> Side {
    if random.chance(550) { Side::Caller } else { Side::Called }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_extension_of_three_digits_is_a_japanese_service_number() {
        let numbers: Vec<usize> = (0..800).map(|index| number(index, 800)).collect();
        assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "no number twice");
        assert!(!numbers.iter().any(|number| *number == 104 || (110..200).contains(number)));
        assert_eq!((numbers[4], numbers[8], numbers[9], numbers[799]), (105, 109, 200, 990));
        assert_eq!((number(0, 801), number(9000, 9001)), (1000, 19_000));
    }
}
