//! How times are written: by patterns, as seconds since 1970, with an offset.
mod h323;

use crate::zone::{Choice, LocalClock, LocalTime, Reading};
use h323::H323;

/// Which of day and month stands first in dates that do not tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DateOrder {
    /// 31/12
    DayFirst,
    /// 12/31
    MonthFirst,
}

/// One way to write a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TimeForm {
    /// `2026-03-08 03:00:18`
    Iso,
    /// `2026-03-08T03:00:18.5+09:00`
    Rfc3339,
    /// `*03:00:18.250 UTC Sun Mar 8 2026`
    H323,
    /// Since 1970 UTC, so many to the second.
    Epoch(i64),
    /// Parts of a civil time between other bytes.
    Pattern(Pattern),
}

impl TimeForm {
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        Ok(match text {
            "iso" => Self::Iso,
            "rfc3339" => Self::Rfc3339,
            "h323" => Self::H323,
            "epoch_seconds" => Self::Epoch(1),
            "epoch_milliseconds" => Self::Epoch(1_000),
            "epoch_microseconds" => Self::Epoch(1_000_000),
            pattern => Self::Pattern(Pattern::parse(pattern)?),
        })
    }
}

/// A part of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Year,
    ShortYear,
    Month,
    Day,
    MonthName,
    Hour,
    HalfDayHour,
    HalfDay,
    Minute,
    Second,
    /// Passed over.
    Fraction,
    Byte(u8),
}

/// Parts of a civil time between other bytes. Numbers may lack leading zeros where a byte that is no digit
/// follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern(Vec<Part>);

const MONTHS: [&[u8; 3]; 12] =
    [b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"];

/// The number of a month by the three letters of its English name.
fn month_of(name: &[u8]) -> Option<u32> {
    let at = MONTHS.iter().position(|month| name.eq_ignore_ascii_case(*month))?;
    Some(at as u32 + 1)
}

impl Pattern {
    fn parse(text: &str) -> Result<Self, &'static str> {
        let mut parts = Vec::new();
        let mut bytes = text.bytes();
        while let Some(byte) = bytes.next() {
            parts.push(if byte == b'%' {
                match bytes.next() {
                    Some(b'Y') => Part::Year,
                    Some(b'y') => Part::ShortYear,
                    Some(b'm') => Part::Month,
                    Some(b'd') => Part::Day,
                    Some(b'b') => Part::MonthName,
                    Some(b'H') => Part::Hour,
                    Some(b'I') => Part::HalfDayHour,
                    Some(b'p') => Part::HalfDay,
                    Some(b'M') => Part::Minute,
                    Some(b'S') => Part::Second,
                    Some(b'f') => Part::Fraction,
                    _ => return Err("a part that no pattern has"),
                }
            } else {
                Part::Byte(byte)
            });
        }
        let pattern = Self(parts);
        let has = |parts: &[Part]| parts.iter().any(|part| pattern.0.contains(part));
        let date = has(&[Part::Year, Part::ShortYear]) && has(&[Part::Month, Part::MonthName]);
        let time = has(&[Part::Hour]) || (has(&[Part::HalfDayHour]) && has(&[Part::HalfDay]));
        if !(date && has(&[Part::Day])) {
            return Err("a date needs a year, a month and a day");
        }
        if time { Ok(pattern) } else { Err("a time needs an hour (with %I, %p too)") }
    }

    /// Which of day and month it takes first, if both are figures.
    fn order(&self) -> Option<DateOrder> {
        let place = |part| self.0.iter().position(|&other| other == part);
        let (day, month) = (place(Part::Day)?, place(Part::Month)?);
        Some(if day < month { DateOrder::DayFirst } else { DateOrder::MonthFirst })
    }

    fn swapped(&self) -> Self {
        Self(
            self.0
                .iter()
                .map(|&part| match part {
                    Part::Day => Part::Month,
                    Part::Month => Part::Day,
                    part => part,
                })
                .collect(),
        )
    }

    /// The time in `text` as `YYYY-MM-DD HH:MM:SS`. What cannot be a time is found out when that is read.
    fn read(&self, mut text: &[u8]) -> Option<[u8; 19]> {
        let (mut year, mut month, mut day) = (0, 0, 0);
        let (mut hour, mut minute, mut second, mut afternoon) = (0, 0, 0, None);
        for &part in &self.0 {
            let mut number = |digits: usize| {
                let length = text.iter().take(digits).take_while(|byte| byte.is_ascii_digit()).count();
                let (number, rest) = text.split_at_checked(length).filter(|_| length > 0)?;
                text = rest;
                Some(number.iter().fold(0u32, |value, byte| value * 10 + u32::from(byte - b'0')))
            };
            match part {
                Part::Year => year = number(4)?,
                Part::ShortYear => year = 2000 + number(2)?,
                Part::Month => month = number(2)?,
                Part::Day => day = number(2)?,
                Part::Hour => hour = number(2)?,
                Part::HalfDayHour => hour = number(2).filter(|hour| (1..=12).contains(hour))? % 12,
                Part::Minute => minute = number(2)?,
                Part::Second => second = number(2)?,
                Part::Fraction => drop(number(9)?),
                Part::MonthName => {
                    let (name, rest) = text.split_first_chunk::<3>()?;
                    month = month_of(name)?;
                    text = rest;
                }
                Part::HalfDay => {
                    let (mark, rest) = text.split_first_chunk::<2>()?;
                    afternoon = Some(match mark.to_ascii_lowercase().as_slice() {
                        b"am" => false,
                        b"pm" => true,
                        _ => return None,
                    });
                    text = rest;
                }
                Part::Byte(byte) => text = text.strip_prefix(&[byte])?,
            }
        }
        if !text.is_empty() || year < 1000 {
            return None;
        }
        let hour = hour + if afternoon == Some(true) { 12 } else { 0 };
        let mut iso = *b"0000-00-00 00:00:00";
        let digits = [year / 100, year % 100, month, day, hour, minute, second];
        for (at, value) in [0, 2, 5, 8, 11, 14, 17].into_iter().zip(digits) {
            for (place, digit) in [(at, value / 10 % 10), (at + 1, value % 10)] {
                *iso.get_mut(place)? = b'0' + digit as u8;
            }
        }
        Some(iso)
    }
}

/// A time that was read, in seconds since 1970 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Civil {
    /// Read.
    At(i64, Reading),
    /// No form fits.
    No,
    /// Two forms fit that differ by the order of day and month.
    Unordered,
}

/// All ways in which the times of a column are written.
#[derive(Debug)]
pub(crate) struct TimeForms {
    /// Nothing but `YYYY-MM-DD HH:MM:SS`.
    iso: bool,
    forms: Vec<TimeForm>,
    never: Vec<String>,
    two_orders: bool,
}

impl TimeForms {
    pub(crate) fn new(mut forms: Vec<TimeForm>, never: Vec<String>) -> Self {
        if forms.is_empty() {
            forms.push(TimeForm::Iso);
        }
        let two_orders = forms.iter().any(|form| match form {
            TimeForm::Pattern(pattern) if pattern.order().is_some() => {
                forms.contains(&TimeForm::Pattern(pattern.swapped()))
            }
            _ => false,
        });
        Self { iso: forms == [TimeForm::Iso], forms, never, two_orders }
    }

    pub(crate) fn has_two_orders(&self) -> bool {
        self.two_orders
    }

    /// Reads a time. `order` is that of the whole source, if it has been found out.
    #[inline]
    pub(crate) fn read(
        &self,
        text: &[u8],
        clock: &mut LocalClock,
        order: Option<DateOrder>,
        choice: impl Fn() -> Choice,
    ) -> Civil {
        if self.iso {
            return match clock.read(text, choice) {
                Some((at, reading)) => Civil::At(at, reading),
                None => Civil::No,
            };
        }
        self.read_forms(text, clock, order, &choice)
    }

    #[cold]
    fn read_forms(
        &self,
        text: &[u8],
        clock: &mut LocalClock,
        order: Option<DateOrder>,
        choice: &dyn Fn() -> Choice,
    ) -> Civil {
        let mut read = Civil::No;
        for form in &self.forms {
            let next = match form {
                TimeForm::Iso => clock.read(text, choice),
                TimeForm::Rfc3339 => rfc3339(text).map(|at| (at, Reading::Plain)),
                TimeForm::H323 => H323::parse(text).and_then(|time| time.read(clock, choice)),
                TimeForm::Epoch(scale) => epoch(text, *scale).map(|at| (at, Reading::Plain)),
                TimeForm::Pattern(pattern) => {
                    if !self.is_of(pattern, order) {
                        continue;
                    }
                    pattern.read(text).and_then(|iso| clock.read(&iso, choice))
                }
            };
            match (read, next) {
                (_, None) => {}
                (Civil::No, Some((at, reading))) => {
                    read = Civil::At(at, reading);
                    if !self.two_orders || order.is_some() {
                        break;
                    }
                }
                (Civil::At(at, _), Some((other, _))) if at == other => {}
                _ => return Civil::Unordered,
            }
        }
        read
    }

    /// The only order of day and month in which `text` is a time; none if it is one in both or in neither.
    pub(crate) fn order_of(&self, text: &[u8]) -> Option<DateOrder> {
        let is_time = |order| {
            let mut clock = LocalClock::new(crate::Zone::UTC);
            self.read_forms(text, &mut clock, Some(order), &|| Choice::NotBefore(None)) != Civil::No
        };
        match (is_time(DateOrder::DayFirst), is_time(DateOrder::MonthFirst)) {
            (true, false) => Some(DateOrder::DayFirst),
            (false, true) => Some(DateOrder::MonthFirst),
            _ => None,
        }
    }

    /// Whether `text`, which is a time, is a civil one.
    #[inline]
    pub(crate) fn is_civil(&self, text: &[u8]) -> bool {
        self.iso || (text.contains(&b':') && text.get(10) != Some(&b'T') && !self.says_its_offset(text))
    }

    fn says_its_offset(&self, text: &[u8]) -> bool {
        let of = |form: &TimeForm| {
            *form == TimeForm::H323 && H323::parse(text).is_some_and(|time| time.offset.is_some())
        };
        self.forms.iter().any(of)
    }

    /// The civil time in `text`; none if it is none, or written with its offset or as seconds since 1970.
    pub(crate) fn civil(&self, text: &[u8], order: Option<DateOrder>) -> Option<LocalTime> {
        self.forms.iter().find_map(|form| match form {
            TimeForm::Iso => LocalTime::parse(text),
            TimeForm::Pattern(pattern) if self.is_of(pattern, order) => {
                LocalTime::parse(&pattern.read(text)?)
            }
            TimeForm::H323 => {
                let H323 { iso, offset } = H323::parse(text)?;
                LocalTime::parse(&iso).filter(|_| offset.is_none())
            }
            TimeForm::Pattern(_) | TimeForm::Rfc3339 | TimeForm::Epoch(_) => None,
        })
    }

    /// Whether times may be written as `pattern` says, if that is the order of day and month.
    fn is_of(&self, pattern: &Pattern, order: Option<DateOrder>) -> bool {
        !self.two_orders || order.is_none() || pattern.order().is_none() || pattern.order() == order
    }

    /// Whether times are written as `YYYY-MM-DD HH:MM:SS`, and what never was is left out.
    #[inline]
    pub(crate) fn is_plain(&self) -> bool {
        self.iso && self.never.is_empty()
    }

    /// All the ways in which "never" is written, and dates of the last century: a clock that was never set.
    #[inline]
    pub(crate) fn is_never(&self, text: &[u8]) -> bool {
        match text {
            [] => true,
            [b'2', b'0', second, ..] if *second != b'0' && self.never.is_empty() => false,
            _ => self.is_spelled_never(text),
        }
    }

    #[cold]
    fn is_spelled_never(&self, text: &[u8]) -> bool {
        is_unset(text) || self.never.iter().any(|never| never.as_bytes() == text)
    }
}

/// The usual ways in which "never" is written, and dates of the last century.
pub(crate) fn is_unset(text: &[u8]) -> bool {
    let zero = |byte: &u8| matches!(byte, b'0' | b'.' | b'-' | b'/' | b':' | b' ' | b'T' | b'Z');
    text.iter().all(zero)
        || matches!(text, b"NULL" | b"***" | b"\\N" | b"2000-01-01 00:00:00")
        || matches!(text, [b'1', b'9', _, _, b'-' | b'/', ..])
}

/// An instant with its offset, cut to seconds.
pub(crate) fn rfc3339(text: &[u8]) -> Option<i64> {
    let text = std::str::from_utf8(text).ok()?;
    Some(chrono::DateTime::parse_from_rfc3339(text).ok()?.timestamp())
}

/// At most eighteen digits and a fraction, which is cut off.
fn epoch(text: &[u8], scale: i64) -> Option<i64> {
    let dot = text.iter().position(|&byte| byte == b'.').unwrap_or(text.len());
    let (whole, fraction) = text.split_at_checked(dot)?;
    let is_number = |text: &[u8]| text.iter().all(u8::is_ascii_digit);
    let digits = fraction.strip_prefix(b".").unwrap_or(b"0");
    if !(1..=18).contains(&whole.len()) || !is_number(whole) || digits.is_empty() || !is_number(digits) {
        return None;
    }
    let number = whole.iter().fold(0i64, |value, byte| value * 10 + i64::from(byte - b'0'));
    // Beyond the year 5000 it is a slip of units.
    Some(number / scale).filter(|&seconds| seconds < 95_617_584_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Zone;

    fn read(forms: &[&str], text: &str, order: Option<DateOrder>) -> Civil {
        let forms = forms.iter().map(|form| TimeForm::parse(form).unwrap()).collect();
        let mut clock = LocalClock::new(Zone::UTC);
        TimeForms::new(forms, Vec::new()).read(text.as_bytes(), &mut clock, order, || Choice::NotBefore(None))
    }
    fn at(seconds: i64) -> Civil {
        Civil::At(seconds, Reading::Plain)
    }

    #[test]
    fn every_form_gives_the_same_instant() {
        for (form, text) in [
            ("iso", "2026-03-08 09:05:00"),
            ("rfc3339", "2026-03-08T18:05:00.25+09:00"),
            ("epoch_seconds", "1772960700.75"),
            ("epoch_milliseconds", "1772960700750"),
            ("epoch_microseconds", "1772960700750000"),
            ("%Y/%m/%d %H:%M", "2026/3/8 9:05"),
            ("%d/%m/%y %H:%M", "8/3/26 9:05"),
            ("%m/%d/%Y %I:%M %p", "3/8/2026 9:05 AM"),
            ("%Y%m%d%H%M%S.%f", "20260308090500.123"),
            ("%d %b %Y %H:%M:%S", "08 MAR 2026 09:05:00"),
        ] {
            assert_eq!(read(&[form], text, None), at(1_772_960_700), "{form} {text}");
        }
        assert_eq!(read(&["%m/%d/%Y %I:%M%p"], "3/8/2026 12:05am", None), at(1_772_928_300));
        assert_eq!(read(&["%m/%d/%Y %I:%M%p"], "3/8/2026 12:05PM", None), at(1_772_971_500));
    }

    #[test]
    fn what_is_no_time_is_read_as_none() {
        for (form, text) in [
            ("%d/%m/%y %H:%M", "31/02/26 9:05"),
            ("%d/%m/%y %H:%M", "8/3/26 9:05 "),
            ("%d/%m/%y %H:%M", "8/3/26"),
            ("%d/%m/%Y %H:%M", "8/3/26 9:05"),
            ("%m/%d/%Y %I:%M %p", "3/8/2026 13:05 PM"),
            ("epoch_seconds", "1772960700."),
            ("epoch_seconds", "-5"),
            ("epoch_seconds", "1772960700000"),
            ("rfc3339", "2026-03-08T18:05:00"),
        ] {
            assert_eq!(read(&[form], text, None), Civil::No, "{form} {text}");
        }
        for bad in ["%d/%m %H:%M", "%Y-%m-%d", "%Y-%m-%d %I:%M", "%Y-%q"] {
            assert!(TimeForm::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn day_and_month_are_told_apart_by_the_order_or_where_only_one_is_possible() {
        let both = ["%d/%m/%y %H:%M", "%m/%d/%y %H:%M"];
        assert_eq!(read(&both, "2/3/26 9:05", None), Civil::Unordered);
        assert_eq!(read(&both, "3/3/26 9:05", None), read(&both[..1], "3/3/26 9:05", None));
        assert_eq!(read(&both, "2/3/26 9:05", Some(DateOrder::DayFirst)), at(1_772_442_300));
        assert_eq!(read(&both, "3/2/26 9:05", Some(DateOrder::MonthFirst)), at(1_772_442_300));
        let forms = both.iter().map(|form| TimeForm::parse(form).unwrap()).collect();
        let forms = TimeForms::new(forms, Vec::new());
        assert!(forms.has_two_orders());
        assert_eq!(forms.order_of(b"24/08/17 09:32"), Some(DateOrder::DayFirst));
        assert_eq!(forms.order_of(b"08/24/17 09:32"), Some(DateOrder::MonthFirst));
        assert_eq!((forms.order_of(b"08/04/17 09:32"), forms.order_of(b"calldate")), (None, None));
    }

    #[test]
    fn never_is_known_in_all_its_spellings_and_no_time_is_never() {
        let forms = TimeForms::new(Vec::new(), vec!["n/a".to_owned()]);
        for never in [
            "",
            "0",
            "0.000000",
            "NULL",
            "***",
            "0000-00-00 00:00:00",
            "2000-01-01 00:00:00",
            "1970-01-01T00:00:00+00:00",
            "n/a",
        ] {
            assert!(forms.is_never(never.as_bytes()), "{never}");
        }
        for time in ["2026-03-08 03:00:18", "2000-01-01 00:00:01", "1772960700", "2/3/26 9:05"] {
            assert!(!forms.is_never(time.as_bytes()), "{time}");
        }
    }
}
