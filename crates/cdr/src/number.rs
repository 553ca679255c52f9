//! Durations, counts and telephone numbers as PBXs write them.
use crate::descriptor::{Numbers, Unit};

/// Whole seconds of a duration; a fraction is cut off.
#[inline(always)]
#[allow(clippy::inline_always, reason = "measured: two uses in the way of every row")]
pub(crate) fn duration(text: &[u8], unit: Unit) -> Option<i64> {
    match unit {
        Unit::Seconds => whole_seconds(text),
        Unit::Milliseconds => Some(whole_seconds(text)?.div_euclid(1_000)),
        Unit::Clock => clock_seconds(text),
    }
}

/// Whole seconds, with sign; a fraction behind a point or a comma is cut off.
#[inline]
pub(crate) fn whole_seconds(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    let mut value = 0i64;
    let mut read = digits.iter();
    for byte in read.by_ref() {
        match byte {
            b'0'..=b'9' => value = value.saturating_mul(10).saturating_add(i64::from(byte - b'0')),
            b'.' | b',' if !read.as_slice().is_empty() && read.as_slice().iter().all(u8::is_ascii_digit) => {
                break;
            }
            _ => return None,
        }
    }
    let first = digits.first()?;
    first.is_ascii_digit().then_some(if negative { -value } else { value })
}

/// `hh:mm:ss` with any number of hours, or `mm:ss`, with sign.
fn clock_seconds(text: &[u8]) -> Option<i64> {
    if let Some(text) = text.strip_prefix(b"-") {
        return clock_seconds(text)
            .filter(|&seconds| seconds >= 0 && !text.starts_with(b"-"))
            .map(|seconds| -seconds);
    }
    let mut parts = text.split(|&byte| byte == b':');
    let mut value = whole_seconds(parts.next()?).filter(|hours| (0..1_000_000).contains(hours))?;
    let mut more = 0;
    for part in parts {
        let next = whole_seconds(part).filter(|next| (0..60).contains(next))?;
        value = value * 60 + next;
        more += 1;
    }
    (1..=2).contains(&more).then_some(value)
}

/// Whether a spreadsheet made an exponent of a number (`4.47E+11`, `4,47E+11`): the digits are gone.
pub(crate) fn is_exponent(text: &[u8]) -> bool {
    let Some(at) = text.iter().position(|&byte| byte.eq_ignore_ascii_case(&b'e')) else { return false };
    let mantissa = text.get(..at).unwrap_or_default();
    let Some(exponent) = text.get(at + 1..).and_then(|exponent| exponent.strip_prefix(b"+")) else {
        return false;
    };
    let digits = |text: &[u8]| !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    let mantissa: Vec<u8> = mantissa.iter().copied().filter(|byte| !matches!(byte, b'.' | b',')).collect();
    digits(&mantissa) && digits(exponent)
}

impl Numbers {
    /// Copies a number without what marks it into `out`. Whether any mark was taken off.
    pub(crate) fn clean(&self, number: &[u8], out: &mut Vec<u8>) -> bool {
        let words = self.drop.iter().find_map(|word| number.strip_prefix(word.as_bytes()));
        let mut marked = false;
        for &byte in words.unwrap_or(number) {
            if self.strip.contains(&byte) {
                marked = true;
            } else {
                let other = self.replace.iter().find(|(from, _)| *from == byte);
                out.push(other.map_or(byte, |(_, to)| *to));
            }
        }
        marked
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_seconds_are_read_with_sign_and_fraction() {
        for (text, read) in [
            ("31", Some(31)),
            ("3.618531", Some(3)),
            ("3,5", Some(3)),
            ("-3", Some(-3)),
            ("0", Some(0)),
            ("", None),
            ("-", None),
            (".5", None),
            ("3.", None),
            ("3.x", None),
            ("3 ", None),
            ("136298900000.000000", Some(136_298_900_000)),
            ("99999999999999999999", Some(i64::MAX)),
        ] {
            assert_eq!(whole_seconds(text.as_bytes()), read, "{text}");
        }
    }

    #[test]
    fn a_clock_may_run_for_more_than_a_day() {
        for (text, read) in [
            ("26:40:41", Some(96_041)),
            ("00:00:25", Some(25)),
            ("1:05", Some(65)),
            ("00:60:00", None),
            ("25", None),
            ("1:2:3:4", None),
            ("1:-2", None),
            ("-0:05", Some(-5)),
            ("-1:00:05", Some(-3605)),
            ("--1:00", None),
            ("", None),
        ] {
            assert_eq!(duration(text.as_bytes(), Unit::Clock), read, "{text}");
        }
        assert_eq!(duration(b"67540", Unit::Milliseconds), Some(67));
    }

    #[test]
    fn an_exponent_is_known_and_a_name_is_none() {
        for text in ["4.47E+11", "4,47E+11", "1e+05", "447E+9"] {
            assert!(is_exponent(text.as_bytes()), "{text}");
        }
        for text in ["447911123456", "E+11", "1E", "alice", "4.47E11", "1E+x", ""] {
            assert!(!is_exponent(text.as_bytes()), "{text}");
        }
    }
}
