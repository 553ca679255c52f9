//! Hours of the week, for schedules and quiet hours.
use chrono::{DateTime, Datelike, TimeDelta, Timelike, Utc, Weekday};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tollwatch_detect::{EventTime, Problem, Zone};

const MINUTES_A_DAY: u32 = 24 * 60;
const MINUTES_A_WEEK: i64 = 7 * 24 * 60;

/// Hours of the week as they stand in the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawHours {
    /// Days on which they begin: `mon` … `sun`; every day without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<Vec<String>>,
    /// Beginning, `HH:MM` local.
    pub from: String,
    /// End, `HH:MM` local; one before `from` is of the next day.
    pub to: String,
    /// IANA zone or offset.
    pub timezone: String,
}

/// Hours of the week in a zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hours {
    days: [bool; 7],
    /// Minutes since the midnight that the day begins with.
    from: u32,
    /// The same; more than a day's where the hours pass midnight.
    to: u32,
    zone: Zone,
}

impl Hours {
    pub(crate) fn validate(raw: &RawHours, place: &str, problems: &mut Vec<Problem>) -> Self {
        let mut problem = |key: &str, what: String, hint: &str| {
            problems.push(Problem::new(format!("{place}.{key}"), what, hint));
        };
        let mut days = [raw.days.is_none(); 7];
        for day in raw.days.iter().flatten() {
            let weekday = day.parse::<Weekday>().ok();
            match weekday.and_then(|weekday| days.get_mut(weekday.num_days_from_monday() as usize)) {
                Some(is_on) => *is_on = true,
                None => problem("days", format!("`{day}` is no day"), "mon, tue, wed, thu, fri, sat, sun"),
            }
        }
        let mut minute = |text: &str, key: &str| {
            minute_of_day(text).unwrap_or_else(|| {
                problem(key, format!("`{text}` is no time of day"), "HH:MM from 00:00 to 24:00");
                0
            })
        };
        let (from, mut to) = (minute(&raw.from, "from"), minute(&raw.to, "to"));
        if from == to {
            problem("to", "no time lies between".to_owned(), "such as from = \"22:00\", to = \"07:00\"");
        }
        if to < from {
            to += MINUTES_A_DAY;
        }
        let zone = Zone::parse(&raw.timezone).unwrap_or_else(|error| {
            problem("timezone", error.to_string(), "such as Asia/Tokyo");
            Zone::UTC
        });
        if from == 0 && to == MINUTES_A_DAY && days.iter().all(|is_on| *is_on) {
            problem("to", "these hours never end".to_owned(), "leave them out");
        }
        Self { days, from, to, zone }
    }

    /// Whether an instant lies in them.
    pub fn contains(&self, at: DateTime<Utc>) -> bool {
        let offset = self.zone.offset_at(EventTime::from_seconds(at.timestamp()));
        let Some(local) = TimeDelta::try_seconds(offset).and_then(|offset| at.checked_add_signed(offset))
        else {
            return false;
        };
        let minute = local.hour() * 60 + local.minute();
        let is_on = |weekday: Weekday| {
            self.days.get(weekday.num_days_from_monday() as usize).is_some_and(|is_on| *is_on)
        };
        let today = is_on(local.weekday()) && (self.from..self.to).contains(&minute);
        let since_yesterday = is_on(local.weekday().pred()) && minute + MINUTES_A_DAY < self.to;
        today || since_yesterday
    }

    /// The first full minute from `at` on that does not lie in them. Minute by minute, so that a change of the clock
    /// needs no thought; it is asked for once an alert.
    pub fn end(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        let begun = at
            - TimeDelta::seconds(i64::from(at.second()))
            - TimeDelta::nanoseconds(i64::from(at.nanosecond()));
        (0..=MINUTES_A_WEEK)
            .map(|minutes| (begun + TimeDelta::minutes(minutes)).max(at))
            .find(|minute| !self.contains(*minute))
            .unwrap_or(at)
    }
}

fn minute_of_day(text: &str) -> Option<u32> {
    let (hour, minute) = text.split_once(':')?;
    let two_digits = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    if !two_digits(hour) || !two_digits(minute) {
        return None;
    }
    let (hour, minute): (u32, u32) = (hour.parse().ok()?, minute.parse().ok()?);
    (minute < 60 && (hour < 24 || (hour == 24 && minute == 0))).then_some(hour * 60 + minute)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(days: Option<&[&str]>, from: &str, to: &str, zone: &str) -> Result<Hours, Vec<Problem>> {
        let days = days.map(|days| days.iter().map(|day| (*day).to_owned()).collect());
        let raw = RawHours { days, from: from.to_owned(), to: to.to_owned(), timezone: zone.to_owned() };
        let mut problems = Vec::new();
        let hours = Hours::validate(&raw, "here", &mut problems);
        if problems.is_empty() { Ok(hours) } else { Err(problems) }
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn hours_that_pass_midnight_belong_to_the_day_they_begin_on() {
        // 22:00 in Tokyo is 13:00 UTC; 2026-03-06 is a Friday.
        let night = hours(Some(&["fri"]), "22:00", "07:00", "Asia/Tokyo").unwrap();
        assert!(!night.contains(at("2026-03-06T12:59:59Z")));
        assert!(night.contains(at("2026-03-06T13:00:00Z")));
        assert!(night.contains(at("2026-03-06T21:59:59Z")));
        assert!(!night.contains(at("2026-03-06T22:00:00Z")));
        assert!(!night.contains(at("2026-03-07T13:00:00Z")), "Saturday's night is another");
        assert_eq!(night.end(at("2026-03-06T13:30:15.5Z")), at("2026-03-06T22:00:00Z"));
        assert_eq!(night.end(at("2026-03-06T12:59:59Z")), at("2026-03-06T12:59:59Z"), "not in them");
    }

    #[test]
    fn the_end_is_where_the_wall_clock_says_so_when_the_clock_changes() {
        // Berlin goes from 02:00 to 03:00 on 2026-03-29: 07:00 is 05:00 UTC, an hour earlier than the day before.
        let night = hours(None, "22:00", "07:00", "Europe/Berlin").unwrap();
        assert_eq!(night.end(at("2026-03-27T23:00:00Z")), at("2026-03-28T06:00:00Z"));
        assert_eq!(night.end(at("2026-03-28T23:00:00Z")), at("2026-03-29T05:00:00Z"));
    }

    #[test]
    fn every_fault_is_told_with_its_place() {
        let problems = hours(Some(&["moonday"]), "7:00", "25:00", "Mars").unwrap_err();
        let places: Vec<&str> = problems.iter().map(|problem| problem.place.as_str()).collect();
        assert_eq!(places, ["here.days", "here.from", "here.to", "here.to", "here.timezone"]);
        assert!(hours(None, "00:00", "24:00", "UTC").is_err());
        assert!(hours(Some(&["sat"]), "00:00", "24:00", "UTC").is_ok());
    }
}
