//! When the office is open.
use crate::settings::Problem;
use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Timelike, Weekday};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tollwatch_cdr::{EventTime, Zone};

/// Business hours as they stand in the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BusinessHours {
    /// Working days: `mon` … `sun`.
    pub days: Vec<String>,
    /// Opening time, `HH:MM` local.
    pub from: String,
    /// Closing time, `HH:MM` local.
    pub to: String,
    /// Days on which nobody works, `YYYY-MM-DD`.
    #[serde(default)]
    pub holidays: Vec<String>,
}

impl Default for BusinessHours {
    fn default() -> Self {
        Self {
            days: ["mon", "tue", "wed", "thu", "fri"].map(str::to_owned).to_vec(),
            from: "08:00".to_owned(),
            to: "20:00".to_owned(),
            holidays: Vec::new(),
        }
    }
}

/// Business hours in a time zone.
#[derive(Clone, Debug)]
pub struct Calendar {
    pub(crate) zone: Zone,
    open_days: [bool; 7],
    from_minute: u32,
    to_minute: u32,
    holidays: Vec<NaiveDate>,
}

impl Calendar {
    pub(crate) fn validate(raw: &BusinessHours, timezone: &str, problems: &mut Vec<Problem>) -> Self {
        let zone = Zone::parse(timezone).unwrap_or_else(|_| {
            problems.push(Problem::new(
                "site.timezone".to_owned(),
                format!("`{timezone}` is no time zone"),
                "an IANA name such as Asia/Tokyo, or an offset such as +09:00",
            ));
            Zone::UTC
        });
        let mut open_days = [false; 7];
        for day in &raw.days {
            match day
                .parse::<Weekday>()
                .ok()
                .and_then(|d| open_days.get_mut(d.num_days_from_monday() as usize))
            {
                Some(open) => *open = true,
                None => problems.push(Problem::new(
                    "business_hours.days".to_owned(),
                    format!("`{day}` is no day"),
                    "mon, tue, wed, thu, fri, sat, sun",
                )),
            }
        }
        let mut minute = |text: &str, place: &str| {
            minute_of_day(text).unwrap_or_else(|| {
                problems.push(Problem::new(
                    place.to_owned(),
                    format!("`{text}` is no time of day"),
                    "HH:MM from 00:00 to 24:00",
                ));
                0
            })
        };
        let (from_minute, to_minute) =
            (minute(&raw.from, "business_hours.from"), minute(&raw.to, "business_hours.to"));
        if from_minute >= to_minute {
            problems.push(Problem::new(
                "business_hours.to".to_owned(),
                format!("closes at {} before it opens at {}", raw.to, raw.from),
                "hours over midnight cannot be said yet; use 00:00 and 24:00 for always",
            ));
        }
        let mut holidays = Vec::new();
        for day in &raw.holidays {
            match NaiveDate::parse_from_str(day, "%Y-%m-%d") {
                Ok(date) => holidays.push(date),
                Err(_) => problems.push(Problem::new(
                    "business_hours.holidays".to_owned(),
                    format!("`{day}` is no date"),
                    "YYYY-MM-DD",
                )),
            }
        }
        holidays.sort_unstable();
        Self { zone, open_days, from_minute, to_minute, holidays }
    }

    /// The site's wall clock at that instant.
    pub fn local(&self, at: EventTime) -> Option<NaiveDateTime> {
        let local = at.seconds().checked_add(self.zone.offset_at(at))?;
        DateTime::from_timestamp(local, 0).map(|local| local.naive_utc())
    }

    /// Whether nobody is expected in the office at that instant.
    pub fn is_off_hours(&self, at: EventTime) -> bool {
        let Some(local) = self.local(at) else { return true };
        let minute = local.hour() * 60 + local.minute();
        let open_day = self.open_days.get(local.weekday().num_days_from_monday() as usize) == Some(&true)
            && self.holidays.binary_search(&local.date()).is_err();
        !open_day || minute < self.from_minute || minute >= self.to_minute
    }
}

fn minute_of_day(text: &str) -> Option<u32> {
    let (hours, minutes) = text.split_once(':')?;
    if hours.len() != 2 || minutes.len() != 2 || !text.bytes().all(|b| b.is_ascii_digit() || b == b':') {
        return None;
    }
    let (hours, minutes) = (hours.parse::<u32>().ok()?, minutes.parse::<u32>().ok()?);
    (minutes < 60 && hours * 60 + minutes <= 1440).then_some(hours * 60 + minutes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> EventTime {
        EventTime::from_seconds(DateTime::parse_from_rfc3339(text).unwrap().timestamp())
    }

    #[test]
    fn nights_weekends_and_holidays_are_off_hours_in_local_time() {
        let raw = BusinessHours { holidays: vec!["2026-01-01".to_owned()], ..BusinessHours::default() };
        let mut problems = Vec::new();
        let calendar = Calendar::validate(&raw, "Asia/Tokyo", &mut problems);
        assert_eq!(problems, []);
        assert!(!calendar.is_off_hours(at("2026-03-06T19:59:59+09:00")), "Friday before closing");
        assert!(calendar.is_off_hours(at("2026-03-06T20:00:00+09:00")), "closing time itself");
        assert!(calendar.is_off_hours(at("2026-03-08T03:00:00+09:00")), "Sunday night");
        assert!(calendar.is_off_hours(at("2026-03-07T12:00:00+09:00")), "Saturday noon");
        assert!(!calendar.is_off_hours(at("2026-03-09T08:00:00+09:00")), "Monday opening");
        assert!(calendar.is_off_hours(at("2026-01-01T12:00:00+09:00")), "New Year's Day, a Thursday");
    }

    #[test]
    fn every_fault_of_the_hours_is_named() {
        let raw = BusinessHours {
            days: vec!["mon".to_owned(), "someday".to_owned()],
            from: "9:00".to_owned(),
            to: "25:00".to_owned(),
            holidays: vec!["2026-02-30".to_owned()],
        };
        let mut problems = Vec::new();
        Calendar::validate(&raw, "Tokyo", &mut problems);
        let places: Vec<&str> = problems.iter().map(|problem| problem.place.as_str()).collect();
        assert_eq!(
            places,
            [
                "site.timezone",
                "business_hours.days",
                "business_hours.from",
                "business_hours.to",
                "business_hours.to",
                "business_hours.holidays"
            ]
        );
    }
}
