//! Local civil time, as most PBXs write it, to event time.
use crate::EventTime;
use chrono::{DateTime, MappedLocalTime, NaiveDate, NaiveDateTime, Offset, TimeDelta, TimeZone};
use chrono_tz::Tz;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The time zone a source writes its times in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Zone(Kind);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Seconds east of UTC.
    Fixed(i32),
    Named(Tz),
}

/// A zone that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no time zone: an IANA name (Asia/Tokyo), UTC or an offset (+09:00) belongs here")]
pub struct ZoneError(String);

impl Zone {
    /// Coordinated universal time.
    pub const UTC: Self = Self(Kind::Fixed(0));

    /// Reads `UTC`, an IANA name (`Asia/Tokyo`, exact spelling) or a fixed offset (`+09:00`, `-0330`).
    pub fn parse(text: &str) -> Result<Self, ZoneError> {
        if text.eq_ignore_ascii_case("utc") || text == "Z" {
            return Ok(Self::UTC);
        }
        if let Some(seconds) = offset_seconds(text.as_bytes()) {
            return Ok(Self(Kind::Fixed(seconds)));
        }
        Tz::from_str(text).map(|tz| Self(Kind::Named(tz))).map_err(|_| ZoneError(text.to_owned()))
    }

    /// Seconds east of UTC at an instant.
    pub fn offset_at(self, at: EventTime) -> i64 {
        match self.0 {
            Kind::Fixed(seconds) => i64::from(seconds),
            Kind::Named(tz) => DateTime::from_timestamp(at.seconds(), 0).map_or(0, |at| {
                i64::from(tz.offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc())
            }),
        }
    }

    fn local(self, local: NaiveDateTime) -> MappedLocalTime<i64> {
        match self.0 {
            Kind::Fixed(seconds) => MappedLocalTime::Single(i64::from(seconds)),
            Kind::Named(tz) => {
                tz.offset_from_local_datetime(&local).map(|offset| i64::from(offset.fix().local_minus_utc()))
            }
        }
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Kind::Fixed(0) => f.write_str("UTC"),
            Kind::Fixed(seconds) => {
                let sign = if seconds < 0 { '-' } else { '+' };
                let minutes = seconds.abs() / 60;
                write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
            }
            Kind::Named(tz) => f.write_str(tz.name()),
        }
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.to_string()
    }
}

impl TryFrom<String> for Zone {
    type Error = ZoneError;
    fn try_from(text: String) -> Result<Self, ZoneError> {
        Self::parse(&text)
    }
}

fn offset_seconds(text: &[u8]) -> Option<i32> {
    let (sign, digits) = match text {
        [b'+', digits @ ..] => (1, digits),
        [b'-', digits @ ..] => (-1, digits),
        _ => return None,
    };
    let number = |tens: u8, ones: u8| {
        let digits = tens.is_ascii_digit() && ones.is_ascii_digit();
        digits.then(|| i32::from(tens - b'0') * 10 + i32::from(ones - b'0'))
    };
    let (hours, minutes) = match *digits {
        [a, b] => (number(a, b)?, 0),
        [a, b, b':', c, d] | [a, b, c, d] => (number(a, b)?, number(c, d)?),
        _ => return None,
    };
    (hours <= 14 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

/// A civil time without a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LocalTime {
    /// Days since 1970-01-01.
    pub(crate) day: i64,
    /// Seconds since midnight.
    pub(crate) second: i64,
}

impl LocalTime {
    /// Reads `YYYY-MM-DD HH:MM:SS`, exactly.
    #[inline]
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b' ', h1, h2, b':', n1, n2, b':', s1, s2] = text
        else {
            return None;
        };
        let mut bad = false;
        let mut digit = |byte: u8| {
            let value = byte.wrapping_sub(b'0');
            bad |= value > 9;
            i64::from(value)
        };
        let year = digit(y1) * 1000 + digit(y2) * 100 + digit(y3) * 10 + digit(y4);
        let month = digit(m1) * 10 + digit(m2);
        let day = digit(d1) * 10 + digit(d2);
        let second = second_of_day([h1, h2, b':', n1, n2, b':', s1, s2])?;
        if bad || !(1..=12).contains(&month) || day < 1 || day > days_in_month(year, month) {
            return None;
        }
        Some(Self { day: days_since_1970(year, month, day), second })
    }

    /// Seconds since 1970, were it UTC.
    pub(crate) fn seconds(self) -> i64 {
        self.day * 86_400 + self.second
    }

    fn to_chrono(self) -> Option<NaiveDateTime> {
        let day = NaiveDate::from_epoch_days(i32::try_from(self.day).ok()?)?;
        day.and_hms_opt(0, 0, 0)?.checked_add_signed(TimeDelta::seconds(self.second))
    }
}

/// Reads `HH:MM:SS`. `:60` is a leap second where the PBX counts them.
#[inline]
fn second_of_day(text: [u8; 8]) -> Option<i64> {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let values = u64::from_le_bytes(text) ^ u64::from_le_bytes(*b"00:00:00");
    // A byte above 9 (above 0 in the places of the colons) reaches its top bit, and no sum leaves its byte
    // unless the top bit was set before.
    let reach = u64::from_le_bytes([0x76, 0x76, 0x7f, 0x76, 0x76, 0x7f, 0x76, 0x76]);
    if (values.wrapping_add(reach) | values) & (EACH << 7) != 0 {
        return None;
    }
    // Each byte ten times and the one behind it: below 100, so that none reaches into another.
    let pairs = values.wrapping_mul(10).wrapping_add(values >> 8);
    let pair = |at: u32| i64::from((pairs >> (8 * at)) as u8);
    let (hour, minute, second) = (pair(0), pair(3), pair(6));
    (hour < 24 && minute < 60 && second <= 60).then_some(hour * 3600 + minute * 60 + second)
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 in the Gregorian calendar, for years from 0 on: the year is counted from March,
/// so that the leap day comes last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap_days + (153 * month + 2) / 5 + day - 719_469
}

/// How a civil time was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// It happened once.
    Plain,
    /// It happened twice, since the clock was put back.
    Ambiguous,
    /// It never happened, since the clock was put forward.
    Nonexistent,
}

/// Which of two readings of a civil time to take, in seconds since 1970 UTC.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Choice {
    /// The first that is not before this; the second if both are.
    NotBefore(Option<i64>),
    /// The nearest to this.
    Nearest(i64),
}

/// Turns the civil times of one zone into seconds since 1970 UTC. Dates on which the clock is not changed are
/// remembered as they are written: a file has few of them, and a look-up in the zone's history costs more than
/// all else in a row.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(into = "Zone", from = "Zone")]
pub(crate) struct LocalClock {
    zone: Zone,
    dates: [Date; 8],
}

#[derive(Clone, Copy, Debug)]
struct Date {
    text: [u8; 10],
    /// Its midnight, in seconds since 1970 UTC.
    midnight: i64,
}

impl LocalClock {
    pub(crate) fn new(zone: Zone) -> Self {
        Self { zone, dates: [Date { text: [0; 10], midnight: 0 }; 8] }
    }

    pub(crate) fn zone(&self) -> Zone {
        self.zone
    }

    /// Reads `YYYY-MM-DD HH:MM:SS` of a date that is remembered; none of any other, and if it is not exactly that.
    #[inline]
    pub(crate) fn known(&self, text: &[u8]) -> Option<i64> {
        let (date, [b' ', time @ ..]) = text.split_first_chunk::<10>()? else { return None };
        let known = self.dates.get(usize::from(date.last()? & 7)).filter(|known| known.text == *date)?;
        Some(known.midnight + second_of_day(time.try_into().ok()?)?)
    }

    /// Reads `YYYY-MM-DD HH:MM:SS`; none if it is not exactly that.
    #[inline]
    pub(crate) fn read(&mut self, text: &[u8], choice: impl FnOnce() -> Choice) -> Option<(i64, Reading)> {
        if let Some(at) = self.known(text) {
            return Some((at, Reading::Plain));
        }
        let local = LocalTime::parse(text)?;
        let (read, midnight) = self.look_up(local, choice());
        // By the last digit of the day.
        let date = text.first_chunk::<10>()?;
        if let (Some(midnight), Some(slot)) = (midnight, self.dates.get_mut(usize::from(date.last()? & 7))) {
            *slot = Date { text: *date, midnight };
        }
        Some(read)
    }

    /// The reading of `local`, and the day's midnight if its clock is not changed that day.
    #[cold]
    fn look_up(&self, local: LocalTime, choice: Choice) -> ((i64, Reading), Option<i64>) {
        let offset_at = |second| {
            let time = LocalTime { day: local.day, second }.to_chrono()?;
            self.zone.local(time).single()
        };
        // A day with a change of the clock has another offset at its end than at its start, or begins or ends
        // in an hour that is ambiguous or missing.
        let whole_day = offset_at(0)
            .filter(|&offset| offset_at(43_200) == Some(offset) && offset_at(86_399) == Some(offset));
        let seconds = local.seconds();
        if let Some(offset) = whole_day {
            return ((seconds - offset, Reading::Plain), Some(local.day * 86_400 - offset));
        }
        let read = match local.to_chrono().map_or(MappedLocalTime::None, |time| self.zone.local(time)) {
            MappedLocalTime::Single(offset) => (seconds - offset, Reading::Plain),
            MappedLocalTime::Ambiguous(one, other) => {
                let first = seconds - one.max(other);
                let second = seconds - one.min(other);
                let take_first = match choice {
                    Choice::NotBefore(None) => true,
                    Choice::NotBefore(Some(limit)) => first >= limit,
                    Choice::Nearest(to) => first.abs_diff(to) <= second.abs_diff(to),
                };
                (if take_first { first } else { second }, Reading::Ambiguous)
            }
            MappedLocalTime::None => {
                // Read by the clock before the change, which moves the time forward by the hour left out.
                let day_before = LocalTime { day: local.day - 1, second: local.second }.to_chrono();
                let offset = day_before.and_then(|time| self.zone.local(time).earliest()).unwrap_or(0);
                (seconds - offset, Reading::Nonexistent)
            }
        };
        (read, None)
    }
}

impl From<Zone> for LocalClock {
    fn from(zone: Zone) -> Self {
        Self::new(zone)
    }
}

impl From<LocalClock> for Zone {
    fn from(clock: LocalClock) -> Self {
        clock.zone
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(zone: &str, text: &str, choice: Choice) -> (i64, Reading) {
        LocalClock::new(Zone::parse(zone).unwrap()).read(text.as_bytes(), || choice).unwrap()
    }
    const FIRST: Choice = Choice::NotBefore(None);

    #[test]
    fn a_zone_is_a_name_or_an_offset() {
        for (text, shown) in [
            ("UTC", "UTC"),
            ("utc", "UTC"),
            ("+09:00", "+09:00"),
            ("-0330", "-03:30"),
            ("+9", ""),
            ("+25:00", ""),
            ("Asia/Tokyo", "Asia/Tokyo"),
            ("Asia/Tokio", ""),
            ("", ""),
        ] {
            assert_eq!(Zone::parse(text).map_or(String::new(), |zone| zone.to_string()), shown, "{text}");
        }
    }

    #[test]
    fn only_real_civil_times_are_read() {
        for bad in [
            "2026-02-29 00:00:00",
            "2026-13-01 00:00:00",
            "2026-00-01 00:00:00",
            "2026-01-00 00:00:00",
            "2026-01-01 24:00:00",
            "2026-01-01 00:60:00",
            "2026-01-01 00:00:61",
            "2026-01-01T00:00:00",
            "2026-01-01 00:00:0a",
            "2026-01-01 00:00",
            "0000-00-00 00:00:00",
        ] {
            assert_eq!(LocalTime::parse(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(LocalTime::parse(b"2024-02-29 23:59:59").map(LocalTime::seconds), Some(1_709_251_199));
        assert_eq!(LocalTime::parse(b"1969-12-31 23:59:59").map(LocalTime::seconds), Some(-1));
    }

    #[test]
    fn every_day_of_four_centuries_has_the_number_that_chrono_gives_it() {
        let mut day = NaiveDate::from_ymd_opt(1900, 1, 1).unwrap();
        while day < NaiveDate::from_ymd_opt(2301, 1, 1).unwrap() {
            let text = format!("{day} 00:00:01");
            let read = LocalTime::parse(text.as_bytes()).unwrap();
            assert_eq!(read.to_chrono().unwrap().date(), day);
            day = day.succ_opt().unwrap();
        }
    }

    #[test]
    fn an_ordinary_time_has_one_reading() {
        assert_eq!(read("Asia/Tokyo", "2026-03-08 03:00:14", FIRST), (1_772_906_414, Reading::Plain));
        assert_eq!(read("+09:00", "2026-03-08 03:00:14", FIRST), (1_772_906_414, Reading::Plain));
        // The day on which New York's clock goes back, before and after.
        assert_eq!(read("America/New_York", "2025-11-02 00:30:00", FIRST), (1_762_057_800, Reading::Plain));
        assert_eq!(read("America/New_York", "2025-11-02 02:30:00", FIRST), (1_762_068_600, Reading::Plain));
    }

    #[test]
    fn the_hour_that_comes_twice_is_settled_by_what_is_known_of_the_call() {
        let (zone, text) = ("America/New_York", "2025-11-02 01:30:00");
        let (first, second) = (1_762_061_400, 1_762_065_000);
        assert_eq!(read(zone, text, FIRST), (first, Reading::Ambiguous));
        assert_eq!(read(zone, text, Choice::NotBefore(Some(first))), (first, Reading::Ambiguous));
        assert_eq!(read(zone, text, Choice::NotBefore(Some(first + 1))), (second, Reading::Ambiguous));
        assert_eq!(read(zone, text, Choice::Nearest(second - 20)), (second, Reading::Ambiguous));
        assert_eq!(read(zone, text, Choice::Nearest(first + 20)), (first, Reading::Ambiguous));
    }

    #[test]
    fn the_hour_that_never_comes_is_moved_forward() {
        assert_eq!(
            read("America/New_York", "2026-03-08 02:30:00", FIRST),
            (1_772_955_000, Reading::Nonexistent)
        );
        assert_eq!(read("America/New_York", "2026-03-08 03:30:00", FIRST), (1_772_955_000, Reading::Plain));
        // Samoa left out a whole day.
        assert_eq!(read("Pacific/Apia", "2011-12-30 12:00:00", FIRST).1, Reading::Nonexistent);
    }

    #[test]
    fn remembered_days_give_what_the_zone_gives() {
        let zone = Zone::parse("America/Sao_Paulo").unwrap();
        let mut warm = LocalClock::new(zone);
        // 2017 and 2018: two changes a year, at midnight.
        let start = NaiveDate::from_ymd_opt(2017, 1, 1).unwrap().and_hms_opt(0, 59, 59).unwrap();
        for hour in 0..2 * 365 * 24 {
            let text = (start + TimeDelta::hours(hour)).format("%F %T").to_string();
            let cold = LocalClock::new(zone).read(text.as_bytes(), || FIRST);
            assert_eq!(warm.read(text.as_bytes(), || FIRST), cold, "{text}");
            assert_eq!(warm.read(text.as_bytes(), || FIRST), cold, "{text}");
        }
        for bad in ["2018-12-31 24:00:00", "2018-12-31T23:00:00", "2018-12-31 23:00:0", "2018-12-31 23-00-00"]
        {
            assert_eq!(warm.read(bad.as_bytes(), || FIRST), None, "{bad}");
        }
    }
}
