//! When the office is open.
mod closings;
mod hours;
mod japan;
mod known;

use crate::settings::Problem;
use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Timelike, Weekday};
use closings::Closing;
use hours::Span;
pub(crate) use known::KnownDays;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tollwatch_cdr::{EventTime, Zone};

/// Business hours as they stand in the configuration: `days`, `from` and `to`, or `spans`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BusinessHours {
    /// Working days: `mon` … `sun`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days: Option<Vec<String>>,
    /// Opening time, `HH:MM` local.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// Closing time, `HH:MM` local; one before `from` is of the next day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<String>,
    /// Several spans of hours, in place of `days`, `from` and `to`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub spans: Vec<BusinessSpan>,
    /// Whose national holidays are kept: `JP` or `none`; without, those of the home country if they are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<String>,
    /// Days and ranges on which nobody works, `YYYY-MM-DD`, `MM-DD`, two of a kind with `..` between; without, and with
    /// the calendar of Japan, `12-29..01-03`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holidays: Option<Vec<String>>,
    /// Days on which one works although they are holidays, `YYYY-MM-DD`.
    #[serde(default)]
    pub working_days: Vec<String>,
}

/// Hours of some days of the week, as they stand in the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BusinessSpan {
    /// Days on which they begin: `mon` … `sun`.
    pub days: Vec<String>,
    /// Opening time, `HH:MM` local.
    pub from: String,
    /// Closing time, `HH:MM` local; one before `from` is of the next day.
    pub to: String,
}

/// What Japanese offices close for beside the national holidays: the turn of the year (年末年始).
const JAPANESE_YEAR_END: &str = "12-29..01-03";

/// How far ahead the next opening is looked for. An office that is closed for longer has none.
const HORIZON_SECONDS: i64 = 2 * 366 * DAY_SECONDS;
const DAY_SECONDS: i64 = 86_400;

/// Business hours in a time zone.
#[derive(Clone, Debug)]
pub struct Calendar {
    pub(crate) zone: Zone,
    spans: Vec<Span>,
    keeps_japanese_holidays: bool,
    closings: Vec<Closing>,
    working_days: Vec<NaiveDate>,
}

/// The instant after `from` up to `until` from which on the clock has another offset. No zone changes twice a day.
fn change_of(zone: Zone, from: i64, until: i64) -> Option<i64> {
    let offset = |second| zone.offset_at(EventTime::from_seconds(second));
    let before = offset(from);
    if offset(until) == before {
        return None;
    }
    let (mut still, mut changed) = (from, until);
    while changed - still > 1 {
        let middle = still + (changed - still) / 2;
        if offset(middle) == before { still = middle } else { changed = middle }
    }
    Some(changed)
}

impl Calendar {
    pub(crate) fn validate(
        raw: &BusinessHours,
        home_country: &str,
        timezone: &str,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let zone = Zone::parse(timezone).unwrap_or_else(|_| {
            problems.push(Problem::new(
                "site.timezone".to_owned(),
                format!("`{timezone}` is no time zone"),
                "an IANA name such as Asia/Tokyo, or an offset such as +09:00",
            ));
            Zone::UTC
        });
        let spans = Span::list(raw, problems);
        let keeps_japanese_holidays = match raw.calendar.as_deref() {
            None => home_country == "JP",
            Some("JP") => true,
            Some("none") => false,
            Some(other) => {
                problems.push(Problem::new(
                    "business_hours.calendar".to_owned(),
                    format!("there is no calendar `{other}`"),
                    "JP or none; other countries' days go into business_hours.holidays",
                ));
                false
            }
        };
        let usual = if keeps_japanese_holidays { vec![JAPANESE_YEAR_END.to_owned()] } else { Vec::new() };
        let closings = Closing::list(raw.holidays.as_ref().unwrap_or(&usual), problems);
        let working_days = closings::working_days(&raw.working_days, problems);
        Self { zone, spans, keeps_japanese_holidays, closings, working_days }
    }

    /// The zone of the site's clock.
    pub fn zone(&self) -> Zone {
        self.zone
    }

    /// The site's wall clock at that instant.
    pub fn local(&self, at: EventTime) -> Option<NaiveDateTime> {
        let local = at.seconds().checked_add(self.zone.offset_at(at))?;
        DateTime::from_timestamp(local, 0).map(|local| local.naive_utc())
    }

    /// Whether nobody is expected in the office at that instant.
    pub fn is_off_hours(&self, at: EventTime) -> bool {
        let Some(local) = self.local(at) else { return true };
        let (today, minute) = (local.date(), local.hour() * 60 + local.minute());
        let yesterday = today.pred_opt().and_then(|yesterday| self.hours_of(yesterday));
        !self.is_open(self.hours_of(today), yesterday, minute)
    }

    /// Whether it is open at a minute of a day that has the hours of `today`, after one with those of `yesterday`.
    fn is_open(&self, today: Option<Weekday>, yesterday: Option<Weekday>, minute: u32) -> bool {
        let covers = |day| self.spans.iter().any(|span| span.covers(day, minute));
        let covers_morning = |day| self.spans.iter().any(|span| span.covers_morning_after(day, minute));
        today.is_some_and(covers) || yesterday.is_some_and(covers_morning)
    }

    /// The first instant after `after` at which the office opens, having been closed; none within two years if it is
    /// always closed or never.
    pub fn next_opening(&self, after: EventTime) -> Option<EventTime> {
        let mut from = after.seconds() + 1;
        let end = from + HORIZON_SECONDS;
        while from < end {
            // From here to there the wall clock runs evenly. It may open by the hour, or by the clock's jump at `from`.
            let until = change_of(self.zone, from, from + DAY_SECONDS).unwrap_or(from + DAY_SECONDS);
            let offset = self.zone.offset_at(EventTime::from_seconds(from));
            let days = (from + offset).div_euclid(DAY_SECONDS)..=(until + offset).div_euclid(DAY_SECONDS);
            let by_the_hour = days.flat_map(|day| {
                let midnight = day * DAY_SECONDS - offset;
                self.spans.iter().map(move |span| midnight + i64::from(span.opens_at()) * 60)
            });
            let opening = by_the_hour
                .filter(|at| (from..until).contains(at))
                .chain([from])
                .filter(|at| self.opens_at(EventTime::from_seconds(*at)))
                .min();
            if let Some(opening) = opening {
                return Some(EventTime::from_seconds(opening));
            }
            from = until;
        }
        None
    }

    fn opens_at(&self, at: EventTime) -> bool {
        !self.is_off_hours(at) && self.is_off_hours(at.plus_seconds(-1))
    }

    /// The day of the week whose hours a day has; none if nobody works on it. A working day on a day of the week that has
    /// no hours (a Saturday made up for) has those of the first that has.
    fn hours_of(&self, date: NaiveDate) -> Option<Weekday> {
        let weekday = date.weekday();
        let has_hours = |day: Weekday| self.spans.iter().any(|span| span.is_on(day));
        if self.working_days.contains(&date) {
            let week = std::iter::successors(Some(Weekday::Mon), |day| Some(day.succ())).take(7);
            return Some(weekday).into_iter().chain(week).find(|day| has_hours(*day));
        }
        let is_holiday = self.closings.iter().any(|closing| closing.contains(date))
            || (self.keeps_japanese_holidays && japan::is_holiday(date));
        (has_hours(weekday) && !is_holiday).then_some(weekday)
    }
}

#[cfg(test)]
mod tests;
