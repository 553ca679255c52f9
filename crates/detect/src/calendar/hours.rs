//! Spans of hours, by day of the week.
use super::{BusinessHours, BusinessSpan};
use crate::settings::Problem;
use chrono::Weekday;

const MINUTES_A_DAY: u32 = 24 * 60;

/// Hours of some days of the week.
#[derive(Clone, Debug)]
pub(super) struct Span {
    days: [bool; 7],
    /// Minutes since the midnight that the day begins with.
    from: u32,
    /// The same; more than a day's where the span passes midnight.
    to: u32,
}

impl Span {
    /// The spans as they stand in the configuration, in its short or in its long form.
    pub(super) fn list(raw: &BusinessHours, problems: &mut Vec<Problem>) -> Vec<Self> {
        let keys = [("days", raw.days.is_some()), ("from", raw.from.is_some()), ("to", raw.to.is_some())];
        if !raw.spans.is_empty() {
            if let Some((key, _)) = keys.into_iter().find(|(_, is_there)| *is_there) {
                problems.push(Problem::new(
                    format!("business_hours.{key}"),
                    "stands beside spans".to_owned(),
                    "say all hours in [[business_hours.spans]], or all in days, from and to",
                ));
            }
            let place = |i: usize| format!("business_hours.spans[{i}]");
            return raw
                .spans
                .iter()
                .enumerate()
                .map(|(i, span)| Self::validate(span, &place(i), problems))
                .collect();
        }
        for (key, _) in keys.into_iter().filter(|(_, is_there)| !is_there) {
            problems.push(Problem::new(
                format!("business_hours.{key}"),
                "is missing".to_owned(),
                "say days, from and to, or [[business_hours.spans]]",
            ));
        }
        let (Some(days), Some(from), Some(to)) = (&raw.days, &raw.from, &raw.to) else { return Vec::new() };
        let span = BusinessSpan { days: days.clone(), from: from.clone(), to: to.clone() };
        vec![Self::validate(&span, "business_hours", problems)]
    }

    fn validate(raw: &BusinessSpan, place: &str, problems: &mut Vec<Problem>) -> Self {
        let mut days = [false; 7];
        for day in &raw.days {
            let weekday = day.parse::<Weekday>().ok();
            match weekday.and_then(|weekday| days.get_mut(weekday.num_days_from_monday() as usize)) {
                Some(open) => *open = true,
                None => problems.push(Problem::new(
                    format!("{place}.days"),
                    format!("`{day}` is no day"),
                    "mon, tue, wed, thu, fri, sat, sun",
                )),
            }
        }
        let mut minute = |text: &str, key: &str| {
            let minute = minute_of_day(text);
            if minute.is_none() {
                problems.push(Problem::new(
                    format!("{place}.{key}"),
                    format!("`{text}` is no time of day"),
                    "HH:MM from 00:00 to 24:00",
                ));
            }
            minute
        };
        let (Some(from), Some(to)) = (minute(&raw.from, "from"), minute(&raw.to, "to")) else {
            return Self { days, from: 0, to: 0 };
        };
        if from == to || from == MINUTES_A_DAY {
            problems.push(Problem::new(
                format!("{place}.to"),
                format!("no time lies between {} and {}", raw.from, raw.to),
                "from 00:00 to 24:00 for always; a time before `from` is one of the next day",
            ));
        }
        Self { days, from, to: if to < from { to + MINUTES_A_DAY } else { to } }
    }

    /// Minute of its days at which it opens.
    pub(super) fn opens_at(&self) -> u32 {
        self.from
    }

    /// Whether it has hours on that day of the week.
    pub(super) fn is_on(&self, weekday: Weekday) -> bool {
        self.days.get(weekday.num_days_from_monday() as usize) == Some(&true)
    }

    /// Whether it is open so many minutes after that day began, the next day's counted on.
    pub(super) fn covers(&self, weekday: Weekday, minute: u32) -> bool {
        self.is_on(weekday) && (self.from..self.to).contains(&minute)
    }

    /// The same on the morning after that day.
    pub(super) fn covers_morning_after(&self, weekday: Weekday, minute: u32) -> bool {
        self.covers(weekday, minute + MINUTES_A_DAY)
    }
}

fn minute_of_day(text: &str) -> Option<u32> {
    let (hours, minutes) = text.split_once(':')?;
    if hours.len() != 2 || minutes.len() != 2 || !text.bytes().all(|b| b.is_ascii_digit() || b == b':') {
        return None;
    }
    let (hours, minutes) = (hours.parse::<u32>().ok()?, minutes.parse::<u32>().ok()?);
    (minutes < 60 && hours * 60 + minutes <= MINUTES_A_DAY).then_some(hours * 60 + minutes)
}
