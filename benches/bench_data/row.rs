//! One row, and how it is written.

use std::cmp::{Ordering, Reverse};

/// 2026-03-01 00:00 in Tokyo, seconds since 1970 UTC.
const FIRST_SECOND: i64 = 1_772_290_800;

const FAMILIES: [&str; 8] =
    ["Sato", "Suzuki", "Takahashi", "Tanaka", "Watanabe", "Ito", "Yamamoto", "Nakamura"];
const GIVEN: [&str; 5] = ["Hanako", "Jun", "Aki", "Kenichi", "Mei"];

/// How a call ended, as `disposition`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Answered,
    NoAnswer,
    Busy,
    Failed,
}

impl Ending {
    fn name(self) -> &'static str {
        match self {
            Self::Answered => "ANSWERED",
            Self::NoAnswer => "NO ANSWER",
            Self::Busy => "BUSY",
            Self::Failed => "FAILED",
        }
    }
}

/// One call's row. Times are milliseconds since the first midnight.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) ended_at: i64,
    pub(crate) started_at: i64,
    /// Time to the answer, or to the end if there was none.
    pub(crate) ring: i64,
    pub(crate) number: u32,
    pub(crate) extension: u32,
    /// Another extension if below 100,000, else an outside number without its leading 0.
    pub(crate) dialled: u64,
    pub(crate) ending: Ending,
}

impl Ord for Row {
    /// The row that ends first is the greatest, since a binary heap gives the greatest first.
    fn cmp(&self, other: &Self) -> Ordering {
        Reverse((self.ended_at, self.number)).cmp(&Reverse((other.ended_at, other.number)))
    }
}

impl PartialOrd for Row {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Row {
    /// Puts the row's line in `line`, in place of what was there.
    pub(crate) fn write(&self, line: &mut Vec<u8>) {
        line.clear();
        let is_outside = self.dialled >= 100_000;
        let extension = u64::from(self.extension);
        line.extend_from_slice(b"\"");
        if !extension.is_multiple_of(3) {
            line.extend_from_slice(b"site-");
            digits(extension % 97, 3, line);
        }
        line.extend_from_slice(b"\",\"");
        digits(extension, 1, line);
        line.extend_from_slice(b"\",\"");
        self.push_dialled(line);
        line.extend_from_slice(b"\",\"from-internal\",\"\"\"");
        let name = |names: &[&'static str], key: u64| {
            names.get(key as usize % names.len().max(1)).map_or(&b""[..], |name| name.as_bytes())
        };
        line.extend_from_slice(name(&FAMILIES, extension / 7));
        line.extend_from_slice(if extension.is_multiple_of(7) { b", " } else { b" " });
        line.extend_from_slice(name(&GIVEN, extension / 3));
        line.extend_from_slice(b"\"\" <");
        digits(extension, 1, line);
        line.extend_from_slice(b">\",\"PJSIP/");
        digits(extension, 1, line);
        line.push(b'-');
        hexadecimal(self.number.wrapping_mul(2), line);
        line.extend_from_slice(b"\",\"PJSIP/");
        if is_outside {
            line.extend_from_slice(b"trunk");
        } else {
            self.push_dialled(line);
        }
        line.push(b'-');
        hexadecimal(self.number.wrapping_mul(2) + 1, line);
        line.extend_from_slice(b"\",\"Dial\",\"PJSIP/");
        self.push_dialled(line);
        line.extend_from_slice(if is_outside { b"@trunk,60,T\",\"" } else { b",30,tT\",\"" });
        push_time(self.started_at, line);
        line.extend_from_slice(b"\",");
        if self.ending == Ending::Answered {
            line.push(b'"');
            push_time(self.started_at + self.ring, line);
            line.push(b'"');
        }
        line.extend_from_slice(b",\"");
        push_time(self.ended_at, line);
        line.extend_from_slice(b"\",");
        let duration = self.ended_at - self.started_at;
        digits((duration / 1000) as u64, 1, line);
        line.push(b',');
        let talk = if self.ending == Ending::Answered { duration - self.ring } else { 0 };
        digits((talk / 1000) as u64, 1, line);
        line.extend_from_slice(b",\"");
        line.extend_from_slice(self.ending.name().as_bytes());
        line.extend_from_slice(b"\",\"DOCUMENTATION\",\"");
        digits((FIRST_SECOND + self.started_at / 1000) as u64, 1, line);
        line.push(b'.');
        digits(u64::from(self.number) * 2, 1, line);
        line.extend_from_slice(b"\",\"\"\n");
    }

    fn push_dialled(&self, line: &mut Vec<u8>) {
        if self.dialled >= 100_000 {
            line.push(b'0');
        }
        digits(self.dialled, 1, line);
    }
}

/// Local time of the PBX, `YYYY-MM-DD HH:MM:SS`. The month has 31 days; calls that end after it do so on 1 April.
fn push_time(millis: i64, line: &mut Vec<u8>) {
    let seconds = (millis / 1000) as u64;
    let day = seconds / 86_400;
    line.extend_from_slice(b"2026-");
    digits(3 + day / 31, 2, line);
    line.push(b'-');
    digits(1 + day % 31, 2, line);
    for (unit, mark) in [(3600, b' '), (60, b':'), (1, b':')] {
        line.push(mark);
        digits(seconds % 86_400 / unit % if unit == 3600 { 24 } else { 60 }, 2, line);
    }
}

/// Decimal digits, at least `width` of them.
fn digits(value: u64, width: u32, line: &mut Vec<u8>) {
    let mut unit = 10_u64.pow(width - 1);
    while value / unit >= 10 {
        unit *= 10;
    }
    while unit > 0 {
        line.push(b'0' + (value / unit % 10) as u8);
        unit /= 10;
    }
}

/// Eight hexadecimal digits.
fn hexadecimal(value: u32, line: &mut Vec<u8>) {
    for shift in (0..8).rev() {
        let digit = (value >> (shift * 4) & 15) as u8;
        line.push(if digit < 10 { b'0' + digit } else { b'a' + digit - 10 });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_what_asterisk_would_write() {
        let row = Row {
            ended_at: 86_400_000 * 30 + 3_661_999,
            started_at: 86_400_000 * 30 + 3_600_500,
            ring: 1_000,
            number: 7,
            extension: 10_003,
            dialled: 1_023_241_000_101,
            ending: Ending::Answered,
        };
        let mut line = Vec::new();
        row.write(&mut line);
        let expected = concat!(
            r#""site-012","10003","01023241000101","from-internal","""Ito, Mei"" <10003>","#,
            r#""PJSIP/10003-0000000e","PJSIP/trunk-0000000f","Dial","PJSIP/01023241000101@trunk,60,T","#,
            r#""2026-03-31 01:00:00","2026-03-31 01:00:01","2026-03-31 01:01:01",61,60,"ANSWERED","DOCUMENTATION","#,
            "\"1774886400.14\",\"\"\n"
        );
        assert_eq!(String::from_utf8_lossy(&line), expected);
    }

    #[test]
    fn an_unanswered_row_has_an_empty_bare_answer_and_no_billed_second() {
        let row = Row {
            ended_at: 30_000,
            started_at: 0,
            ring: 30_000,
            number: 0,
            extension: 10_001,
            dialled: 10_002,
            ending: Ending::NoAnswer,
        };
        let mut line = Vec::new();
        row.write(&mut line);
        let line = String::from_utf8_lossy(&line);
        assert!(line.contains(r#""2026-03-01 00:00:00",,"2026-03-01 00:00:30",30,0,"NO ANSWER""#), "{line}");
    }
}
