//! Cells of a deck: amounts with either decimal sign, seconds, increments and dates.

use unicode_normalization::UnicodeNormalization;

use super::import::CalendarDate;
use crate::Money;

/// The sign before the decimals of an amount; the other one may group thousands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum DecimalSign {
    Point,
    Comma,
}

/// An amount, and how many decimals it was written with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Amount {
    pub(super) money: Money,
    pub(super) decimals: usize,
}

/// Digits and signs of an amount: full-width forms made plain, currency signs and names around it and spaces and
/// apostrophes in it removed.
fn plain(cell: &str) -> String {
    let text: String =
        cell.nfkc().filter(|letter| !letter.is_whitespace() && !"'’_".contains(*letter)).collect();
    text.trim_matches(|letter: char| !letter.is_ascii_digit() && !"+-.,".contains(letter)).to_owned()
}

/// The decimal sign of an amount, if the amount alone tells: `1,234` and `1.234` do not.
pub(super) fn decimal_sign(cell: &str) -> Option<DecimalSign> {
    let text = plain(cell);
    let (last, letter) = text.char_indices().rfind(|(_, letter)| ",.".contains(*letter))?;
    let (this, other) = match letter {
        ',' => (DecimalSign::Comma, DecimalSign::Point),
        _ => (DecimalSign::Point, DecimalSign::Comma),
    };
    let whole = text.get(..last)?.trim_start_matches(['+', '-']);
    let decimals = text.len() - last - 1;
    if whole.contains(letter) {
        // Twice in one amount: it groups thousands.
        return Some(other);
    }
    let groups_thousands = decimals == 3
        && (1..=3).contains(&whole.len())
        && !whole.starts_with('0')
        && !whole.contains([',', '.']);
    (!groups_thousands).then_some(this)
}

/// Reads an amount; `usual` says what the other amounts of the deck use where this one alone does not tell.
pub(super) fn amount(cell: &str, usual: DecimalSign) -> Option<Amount> {
    let text = plain(cell);
    let (decimal, group) = match decimal_sign(cell).unwrap_or(usual) {
        DecimalSign::Point => ('.', ','),
        DecimalSign::Comma => (',', '.'),
    };
    let (whole, fraction) = text.split_once(decimal).unwrap_or((&text, ""));
    let mut groups = whole.split(group);
    let grouped = groups.next().is_some_and(|first| first.len() <= 4) && groups.all(|rest| rest.len() == 3);
    if whole.contains(group) && !grouped || fraction.contains(group) {
        return None;
    }
    let money = Money::parse(&format!("{}.{fraction}", whole.replace(group, ""))).ok()?;
    Some(Amount { money, decimals: fraction.len() })
}

/// Reads seconds: `60`, `60.0`, `60 s`.
pub(super) fn seconds(cell: &str) -> Option<u32> {
    let text = plain(cell);
    let whole = text.split_once(['.', ',']).map_or(text.as_str(), |(whole, fraction)| {
        if fraction.bytes().all(|byte| byte == b'0') { whole } else { "" }
    });
    whole.parse().ok()
}

/// Reads a pair of increments: `60/1`, `60+1`; one number stands for both.
pub(super) fn increments(cell: &str) -> Option<(u32, u32)> {
    match cell.split_once(['/', '+', '-', ':']) {
        Some((first, next)) => Some((seconds(first)?, seconds(next)?)),
        None => seconds(cell).map(|both| (both, both)),
    }
}

/// Reads a date: `2026-07-01`, `2026/7/1`, `20260701`, `2026年7月1日`, a time of day after it or not, and `31.12.2026` or
/// `12/31/2026` where only one order of day and month is possible (`.` always means day first).
pub(super) fn date(cell: &str) -> Option<CalendarDate> {
    let text: String = cell.nfkc().collect();
    let day = text.split(['T', ' ']).next()?;
    let numbers: Vec<&str> =
        day.split(|letter: char| !letter.is_ascii_digit()).filter(|part| !part.is_empty()).collect();
    let number = |text: &str| text.parse::<u16>().ok();
    match numbers.as_slice() {
        [whole] if whole.len() == 8 => {
            CalendarDate::new(number(whole.get(..4)?)?, number(whole.get(4..6)?)?, number(whole.get(6..)?)?)
        }
        [year, month, day] if year.len() == 4 => {
            CalendarDate::new(number(year)?, number(month)?, number(day)?)
        }
        [first, second, year] if year.len() == 4 => {
            let (year, first, second) = (number(year)?, number(first)?, number(second)?);
            let day_first = CalendarDate::new(year, second, first);
            let month_first = CalendarDate::new(year, first, second);
            match (day_first, month_first) {
                (Some(date), None) | (None, Some(date)) => Some(date),
                (Some(date), Some(_)) if day.contains('.') || first == second => Some(date),
                _ => None,
            }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn micros(cell: &str, usual: DecimalSign) -> Option<i64> {
        amount(cell, usual).map(|amount| amount.money.micros())
    }

    #[test]
    fn amounts_are_read_with_either_decimal_sign() {
        for (cell, expected) in [
            ("0.175", 175_000),
            ("0,175", 175_000),
            ("175", 175_000_000),
            ("1,234.50", 1_234_500_000),
            ("1.234,50", 1_234_500_000),
            ("1'234.50", 1_234_500_000),
            ("1 234,5", 1_234_500_000),
            ("1,234,567", 1_234_567_000_000),
            ("¥175", 175_000_000),
            ("１７５円", 175_000_000),
            ("EUR 0.0123456", 12_346),
            (".5", 500_000),
            ("-1", -1_000_000),
        ] {
            assert_eq!(micros(cell, DecimalSign::Point), Some(expected), "{cell}");
        }
    }

    #[test]
    fn an_amount_that_could_be_either_follows_the_rest_of_the_deck() {
        assert_eq!(micros("1,234", DecimalSign::Point), Some(1_234_000_000));
        assert_eq!(micros("1,234", DecimalSign::Comma), Some(1_234_000));
        assert_eq!(micros("1.234", DecimalSign::Point), Some(1_234_000));
        assert_eq!(micros("1.234", DecimalSign::Comma), Some(1_234_000_000));
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for cell in ["", "n/a", "1e3", "1,2,3", "1.2.3,4,5", "175,-", "--1", ".", "1..2"] {
            assert_eq!(amount(cell, DecimalSign::Point), None, "{cell}");
        }
    }

    #[test]
    fn seconds_and_increments_are_whole() {
        assert_eq!((seconds("60"), seconds("60 s"), seconds("60.0")), (Some(60), Some(60), Some(60)));
        assert_eq!((seconds("0.5"), seconds("-6"), seconds("")), (None, None, None));
        assert_eq!(
            (increments("60/1"), increments("6"), increments("60/")),
            (Some((60, 1)), Some((6, 6)), None)
        );
    }

    #[test]
    fn dates_are_read_where_only_one_reading_is_possible() {
        let expected = CalendarDate::new(2026, 7, 31);
        for cell in [
            "2026-07-31",
            "2026/7/31",
            "20260731",
            "2026年7月31日",
            "2026-07-31T00:00:00Z",
            "31/07/2026",
            "7/31/2026",
        ] {
            assert_eq!(date(cell), expected, "{cell}");
        }
        assert_eq!(date("01.07.2026"), CalendarDate::new(2026, 7, 1));
        for cell in ["01/07/2026", "2026-13-01", "2026-02-30", "soon", "46204", ""] {
            assert_eq!(date(cell), None, "{cell}");
        }
    }
}
