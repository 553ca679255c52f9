//! Days on which a company is closed, single ones and ranges, of one year or of every year.
use crate::settings::Problem;
use chrono::{Datelike, NaiveDate};

/// A day as it is written: `2026-12-29`, or `12-29` for that day of every year.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Day {
    Dated(NaiveDate),
    /// Month and day. 02-29 is there in leap years only.
    Yearly(u32, u32),
}

impl Day {
    fn parse(text: &str) -> Option<Self> {
        let number = |text: &str, digits: usize| {
            let is_number = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
            is_number.then(|| text.parse::<u32>().ok()).flatten()
        };
        let mut parts = text.rsplit('-');
        let (day, month) = (number(parts.next()?, 2)?, number(parts.next()?, 2)?);
        match (parts.next(), parts.next()) {
            (None, _) => NaiveDate::from_ymd_opt(2000, month, day).map(|_| Self::Yearly(month, day)),
            (Some(year), None) => {
                let year = i32::try_from(number(year, 4)?).ok()?;
                NaiveDate::from_ymd_opt(year, month, day).map(Self::Dated)
            }
            _ => None,
        }
    }
}

/// One closing of a company, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Closing {
    Dated(NaiveDate, NaiveDate),
    /// Months and days; the range passes New Year where the first is after the last.
    Yearly((u32, u32), (u32, u32)),
}

impl Closing {
    fn parse(text: &str) -> Option<Self> {
        let (first, last) = text.split_once("..").unwrap_or((text, text));
        match (Day::parse(first)?, Day::parse(last)?) {
            (Day::Dated(first), Day::Dated(last)) => (first <= last).then_some(Self::Dated(first, last)),
            (Day::Yearly(month, day), Day::Yearly(last_month, last_day)) => {
                Some(Self::Yearly((month, day), (last_month, last_day)))
            }
            _ => None,
        }
    }

    /// Closings as they stand in the configuration.
    pub(super) fn list(raw: &[String], problems: &mut Vec<Problem>) -> Vec<Self> {
        let read = |text: &String| {
            let closing = Self::parse(text);
            if closing.is_none() {
                problems.push(Problem::new(
                    "business_hours.holidays".to_owned(),
                    format!("`{text}` is no day and no range of days"),
                    "YYYY-MM-DD, MM-DD for every year, or two of a kind with .. between, the earlier first",
                ));
            }
            closing
        };
        raw.iter().filter_map(read).collect()
    }

    pub(super) fn contains(self, date: NaiveDate) -> bool {
        let day = (date.month(), date.day());
        match self {
            Self::Dated(first, last) => (first..=last).contains(&date),
            Self::Yearly(first, last) if first <= last => (first..=last).contains(&day),
            Self::Yearly(first, last) => day >= first || day <= last,
        }
    }
}

/// Days on which a company works although they are holidays, as they stand in the configuration.
pub(super) fn working_days(raw: &[String], problems: &mut Vec<Problem>) -> Vec<NaiveDate> {
    let read = |text: &String| {
        if let Some(Day::Dated(date)) = Day::parse(text) {
            return Some(date);
        }
        problems.push(Problem::new(
            "business_hours.working_days".to_owned(),
            format!("`{text}` is no date"),
            "YYYY-MM-DD, one for each day",
        ));
        None
    };
    raw.iter().filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The days of 2027 and 2028 on which a closing holds: how many, the first and the last.
    fn days(text: &str) -> (usize, String, String) {
        let closing = Closing::parse(text).unwrap();
        let first = NaiveDate::from_ymd_opt(2027, 1, 1).unwrap();
        let days: Vec<String> = first
            .iter_days()
            .take(731)
            .filter(|day| closing.contains(*day))
            .map(|day| day.to_string())
            .collect();
        (days.len(), days.first().cloned().unwrap_or_default(), days.last().cloned().unwrap_or_default())
    }

    #[test]
    fn a_closing_holds_on_its_days_and_on_no_others() {
        let table = [
            ("2027-08-13", 1, "2027-08-13", "2027-08-13"),
            ("2027-08-13..2027-08-16", 4, "2027-08-13", "2027-08-16"),
            ("2027-12-30..2028-01-04", 6, "2027-12-30", "2028-01-04"),
            ("05-01", 2, "2027-05-01", "2028-05-01"),
            ("08-13..08-16", 8, "2027-08-13", "2028-08-16"),
            ("12-29..01-03", 12, "2027-01-01", "2028-12-31"),
            ("02-29", 1, "2028-02-29", "2028-02-29"),
            ("2026-08-13..2026-08-16", 0, "", ""),
        ];
        for (text, count, first, last) in table {
            assert_eq!(days(text), (count, first.to_owned(), last.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_is_no_day_is_refused() {
        let refused = [
            "",
            "2026-02-30",
            "2026-2-3",
            "26-02-03",
            "13-01",
            "02-30",
            "1-1",
            "12-29..",
            "..01-03",
            "2026-12-29..01-03",
            "2026-12-29..2026-12-28",
            "12-29..01-03..02-02",
            "+026-01-01",
            "2026-01-01 ",
            "1-2026-01-01",
            "年末年始",
        ];
        for text in refused {
            assert_eq!(Closing::parse(text), None, "{text}");
        }
    }
}
