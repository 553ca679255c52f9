//! National holidays of Japan, from the Act on National Holidays (国民の祝日に関する法律, Act 178 of 1948) as it stood in
//! each year from 2000 to 2099, and the special acts for 2019, 2020 and 2021.
//!
//! A day that parliament moves after this was written is a matter for `holidays` and `working_days` in the configuration.
use chrono::{Datelike, NaiveDate, Weekday};

/// The years for which the days are known. Before 2000 Happy Mondays were otherwise, and the formula of the equinoxes
/// ends in 2099.
const FIRST_YEAR: i32 = 2000;
const LAST_YEAR: i32 = 2099;

#[derive(Clone, Copy, Debug)]
enum When {
    /// That day of the month.
    On(u32),
    /// The n-th Monday of the month.
    Monday(u32),
    Equinox,
}
use When::{Equinox, Monday, On};

/// Month, day, and the first and last year of each holiday of Article 2.
const HOLIDAYS: [(u32, When, i32, i32); 29] = [
    (1, On(1), FIRST_YEAR, LAST_YEAR),
    (1, Monday(2), FIRST_YEAR, LAST_YEAR),
    (2, On(11), FIRST_YEAR, LAST_YEAR),
    (2, On(23), 2020, LAST_YEAR),
    (3, Equinox, FIRST_YEAR, LAST_YEAR),
    (4, On(29), FIRST_YEAR, LAST_YEAR),
    // Enthronement (Act 99 of 2018). The days before and after it follow from Article 3.
    (5, On(1), 2019, 2019),
    (5, On(3), FIRST_YEAR, LAST_YEAR),
    (5, On(4), 2007, LAST_YEAR),
    (5, On(5), FIRST_YEAR, LAST_YEAR),
    // Marine Day, Sports Day and Mountain Day moved for the Olympic Games of 2020, and again when these were put off.
    (7, On(20), FIRST_YEAR, 2002),
    (7, Monday(3), 2003, 2019),
    (7, On(23), 2020, 2020),
    (7, On(24), 2020, 2020),
    (7, On(22), 2021, 2021),
    (7, On(23), 2021, 2021),
    (7, Monday(3), 2022, LAST_YEAR),
    (8, On(11), 2016, 2019),
    (8, On(10), 2020, 2020),
    (8, On(8), 2021, 2021),
    (8, On(11), 2022, LAST_YEAR),
    (9, On(15), FIRST_YEAR, 2002),
    (9, Monday(3), 2003, LAST_YEAR),
    (9, Equinox, FIRST_YEAR, LAST_YEAR),
    (10, Monday(2), FIRST_YEAR, 2019),
    (10, Monday(2), 2022, LAST_YEAR),
    (11, On(3), FIRST_YEAR, LAST_YEAR),
    (11, On(23), FIRST_YEAR, LAST_YEAR),
    (12, On(23), FIRST_YEAR, 2018),
];

/// The ceremony of enthronement, by the same act as the day itself.
const CEREMONY: (i32, u32, u32) = (2019, 10, 22);

/// Whether a day is a national holiday or one of the days off that follow from them; always false outside 2000 to 2099.
pub(super) fn is_holiday(date: NaiveDate) -> bool {
    (FIRST_YEAR..=LAST_YEAR).contains(&date.year())
        && (is_national(date) || is_substitute(date) || is_between(date))
}

/// A holiday that the act names (Article 2).
fn is_national(date: NaiveDate) -> bool {
    let (year, month, day) = (date.year(), date.month(), date.day());
    let falls = |when: When| match when {
        On(on) => day == on,
        Monday(nth) => date.weekday() == Weekday::Mon && day.div_ceil(7) == nth,
        Equinox => day == equinox(year, month),
    };
    (year, month, day) == CEREMONY
        || HOLIDAYS.iter().any(|&(in_month, when, first, last)| {
            month == in_month && (first..=last).contains(&year) && falls(when)
        })
}

/// Article 3, paragraph 2: a holiday on a Sunday makes the next day that is none a day off. Until 2006 it was the next
/// day only.
fn is_substitute(date: NaiveDate) -> bool {
    let before = std::iter::successors(date.pred_opt(), NaiveDate::pred_opt);
    let reach = if date.year() < 2007 { 1 } else { 7 };
    !is_national(date)
        && before.take(reach).take_while(|day| is_national(*day)).any(|day| day.weekday() == Weekday::Sun)
}

/// Article 3, paragraph 3: a day between two holidays. Until 2006 not if it was a Sunday.
fn is_between(date: NaiveDate) -> bool {
    let is_excepted = date.year() < 2007 && date.weekday() == Weekday::Sun;
    !is_excepted && date.pred_opt().is_some_and(is_national) && date.succ_opt().is_some_and(is_national)
}

/// Day of the equinox in March, else in September, by the approximation of 新こよみ便利帳 (Japan Hydrographic Department,
/// 1991) for 1980 to 2099. The law leaves the day to astronomy: the National Astronomical Observatory announces it in
/// February of the year before.
fn equinox(year: i32, month: u32) -> u32 {
    // Millionths of a day, so that no float decides.
    let since = i64::from(year) - 1980;
    let at_start = if month == 3 { 20_843_100 } else { 23_248_800 };
    ((at_start + 242_194 * since) / 1_000_000 - since / 4) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn day(year: i32, month: u32, day: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(year, month, day).unwrap()
    }

    /// What is off between two days, as text.
    fn between(first: NaiveDate, last: NaiveDate) -> Vec<String> {
        first
            .iter_days()
            .take_while(|day| *day <= last)
            .filter(|day| is_holiday(*day))
            .map(|d| d.to_string())
            .collect()
    }

    #[test]
    fn every_day_from_1999_to_2100_is_a_holiday_just_if_the_list_says_so() {
        let listed: BTreeSet<NaiveDate> = include_str!("../../../../datasets/holidays/jp.csv")
            .lines()
            .skip(1)
            .map(|line| line.get(..10).unwrap().parse().unwrap())
            .collect();
        assert!(listed.len() > 1700);
        for date in day(1999, 1, 1).iter_days().take_while(|date| date.year() <= 2100) {
            assert_eq!(is_holiday(date), listed.contains(&date), "{date}");
        }
    }

    #[test]
    fn the_enthronement_made_ten_days_off_in_a_row_with_the_weekends() {
        assert_eq!(
            between(day(2019, 4, 27), day(2019, 5, 7)),
            [
                "2019-04-29",
                "2019-04-30",
                "2019-05-01",
                "2019-05-02",
                "2019-05-03",
                "2019-05-04",
                "2019-05-05",
                "2019-05-06"
            ]
        );
        assert!(is_holiday(day(2019, 10, 22)));
        assert!(
            !is_holiday(day(2019, 2, 23)) && !is_holiday(day(2019, 12, 23)),
            "no emperor's birthday in 2019"
        );
    }

    #[test]
    fn a_holiday_on_a_sunday_passes_over_holidays_only_since_2007() {
        // 3 May was a Sunday in both years.
        assert_eq!(
            between(day(2009, 5, 1), day(2009, 5, 8)),
            ["2009-05-03", "2009-05-04", "2009-05-05", "2009-05-06"]
        );
        assert_eq!(between(day(1998, 5, 1), day(1998, 5, 8)), [""; 0], "before the years that are known");
        assert_eq!(
            between(day(2006, 4, 29), day(2006, 5, 8)),
            ["2006-04-29", "2006-05-03", "2006-05-04", "2006-05-05"]
        );
        // 4 May 2003 was a Sunday between two holidays; its Monday was a holiday in itself.
        assert_eq!(between(day(2003, 5, 1), day(2003, 5, 8)), ["2003-05-03", "2003-05-05"]);
    }

    #[test]
    fn a_day_between_two_holidays_is_off_too() {
        assert_eq!(between(day(2026, 9, 19), day(2026, 9, 25)), ["2026-09-21", "2026-09-22", "2026-09-23"]);
    }

    #[test]
    fn the_olympic_games_moved_three_holidays_twice() {
        assert_eq!(between(day(2020, 7, 1), day(2020, 8, 31)), ["2020-07-23", "2020-07-24", "2020-08-10"]);
        assert_eq!(
            between(day(2021, 7, 1), day(2021, 8, 31)),
            ["2021-07-22", "2021-07-23", "2021-08-08", "2021-08-09"]
        );
        for year in [2020, 2021] {
            assert_eq!(between(day(year, 10, 1), day(year, 10, 31)), [""; 0]);
        }
    }
}
