//! Telephone numbers as ITU-T E.164 has them: a country code and a national number, 15 digits at most.
//!
//! No check of the numbering plan of a country is made beyond its code: revenue share fraud lives in ranges that were
//! never allocated, so "is it a valid number" is the wrong question here.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The fewest digits of a number, country code included. The shortest real ones (Niue, Tokelau) have 7.
pub(crate) const DIGITS_MIN: usize = 7;
/// The most digits of a number, country code included (ITU-T E.164 §6.1).
pub(crate) const DIGITS_MAX: usize = 15;

/// An E.164 number, country code first: `+224622123456` is `224622123456`.
///
/// No country code begins with 0, so the integer keeps every digit, the 0 of an Italian national number
/// (`+39 06 …`) among them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct E164(u64);

impl E164 {
    /// Reads ASCII digits, country code first, no plus sign.
    ///
    /// `None` unless there are 7 to 15 of them and they start with a country code that is assigned, or that is not
    /// and is sold in rate decks all the same (871–874, once Inmarsat; 997, reserved for Kazakhstan).
    /// Fewer than 7 digits are an extension or a short code, which have no E.164 form.
    pub fn from_digits(digits: &[u8]) -> Option<Self> {
        if !(DIGITS_MIN..=DIGITS_MAX).contains(&digits.len()) {
            return None;
        }
        country_code_length(digits)?;
        appended(0, digits).map(Self)
    }

    /// The number whose [`Self::value`] this is; `None` for an integer that is no number.
    pub fn from_value(value: u64) -> Option<Self> {
        let mut digits = [0_u8; 20];
        let mut left = value;
        let mut length = 0;
        for place in digits.iter_mut().rev() {
            if left == 0 {
                break;
            }
            *place = b'0' + (left % 10) as u8;
            left /= 10;
            length += 1;
        }
        Self::from_digits(digits.get(digits.len() - length..)?)
    }

    /// An assigned country code and the rest of the number.
    pub(crate) fn from_parts(country_code: u16, rest: &[u8]) -> Option<Self> {
        let length = country_code.checked_ilog10()? as usize + 1 + rest.len();
        if !(DIGITS_MIN..=DIGITS_MAX).contains(&length) {
            return None;
        }
        appended(u64::from(country_code), rest).map(Self)
    }

    /// The digits as one integer.
    pub fn value(self) -> u64 {
        self.0
    }

    /// How many digits there are, country code included.
    pub fn digits(self) -> u32 {
        self.0.checked_ilog10().map_or(1, |power| power + 1)
    }

    /// The country code: 1, 81, 224. 0 for a value that did not come from [`E164::from_digits`] (a damaged snapshot).
    pub fn country_code(self) -> u16 {
        let divisor = 10_u64.saturating_pow(self.digits().saturating_sub(3));
        let leading = (self.0 / divisor) as u16;
        match code_length(leading) {
            Some(1) => leading / 100,
            Some(2) => leading / 10,
            Some(_) => leading,
            None => 0,
        }
    }

    /// The block of 10,000 numbers that this one is in.
    pub fn range(self) -> E164Range {
        E164Range(self.0 / 10_000)
    }

    /// The number with its last four digits hidden, for logs and alerts that leave the house.
    pub fn masked(self) -> Masked {
        Masked(self)
    }
}

impl fmt::Display for E164 {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "+{}", self.0)
    }
}

/// A block of 10,000 neighbouring numbers: a number without its last four digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct E164Range(u64);

impl E164Range {
    /// The digits before the last four, as one integer.
    pub fn value(self) -> u64 {
        self.0
    }
}

impl fmt::Display for E164Range {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "+{}xxxx", self.0)
    }
}

/// Writes a number as `+22462212****`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Masked(E164);

impl fmt::Display for Masked {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "+{}****", self.0.range().value())
    }
}

/// Writes at most 15 ASCII digits behind `value`.
fn appended(value: u64, digits: &[u8]) -> Option<u64> {
    digits
        .iter()
        .try_fold(value, |value, digit| digit.is_ascii_digit().then(|| value * 10 + u64::from(digit - b'0')))
}

/// How many of the leading digits are the country code; `None` where the code is spare.
pub(crate) fn country_code_length(digits: &[u8]) -> Option<usize> {
    let [first, second, third, ..] = *digits else {
        return None;
    };
    let leading = [first, second, third].iter().try_fold(0_u16, |value, digit| {
        digit.is_ascii_digit().then(|| value * 10 + u16::from(digit - b'0'))
    })?;
    code_length(leading)
}

/// Country codes by their first three digits (ITU-T E.164 Annex, list of assigned country codes, as of 2026-07).
/// No code is the prefix of another, so three digits decide.
fn code_length(leading: u16) -> Option<usize> {
    match leading {
        100..=199 | 700..=799 => Some(1),
        200..=209
        | 270..=279
        | 300..=349
        | 360..=369
        | 390..=419
        | 430..=499
        | 510..=589
        | 600..=669
        | 810..=829
        | 840..=849
        | 860..=869
        | 900..=959
        | 980..=989 => Some(2),
        211..=213
        | 216
        | 218
        | 220..=258
        | 260..=269
        | 290
        | 291
        | 297..=299
        | 350..=359
        | 370..=383
        | 385..=387
        | 389
        | 420
        | 421
        | 423
        | 500..=509
        | 590..=599
        | 670
        | 672..=683
        | 685..=692
        | 800
        | 808
        | 850
        | 852
        | 853
        | 855
        | 856
        | 870..=874
        | 878
        | 880..=883
        | 886
        | 888
        | 960..=968
        | 970..=977
        | 979
        | 991..=998 => Some(3),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(digits: &str) -> E164 {
        E164::from_digits(digits.as_bytes()).expect("an E.164 number")
    }

    #[test]
    fn a_number_is_written_with_a_plus_sign_and_masked_without_its_last_four_digits() {
        let guinea = number("224622123456");
        assert_eq!(guinea.to_string(), "+224622123456");
        assert_eq!(guinea.masked().to_string(), "+22462212****");
        assert_eq!(guinea.range().to_string(), "+22462212xxxx");
        assert_eq!((guinea.value(), guinea.digits()), (224_622_123_456, 12));
    }

    #[test]
    fn neighbouring_numbers_share_a_range_and_numbers_of_another_length_do_not() {
        assert_eq!(number("224622120000").range(), number("224622129999").range());
        assert_ne!(number("224622129999").range(), number("224622130000").range());
        assert_ne!(number("22462212345").range(), number("224622123456").range());
    }

    #[test]
    fn seven_to_fifteen_digits_are_a_number_and_nothing_else_is() {
        for digits in ["6834001", "881612345678901"] {
            assert_eq!(number(digits).digits() as usize, digits.len());
        }
        for digits in ["", "1", "683400", "2246221234567890", "0312345678", "22462a123456", "+22462212345"] {
            assert_eq!(E164::from_digits(digits.as_bytes()), None, "{digits}");
        }
    }

    #[test]
    fn a_spare_country_code_is_no_number() {
        for digits in ["210123456789", "28912345678", "999123456789", "384123456789", "801234567890"] {
            assert_eq!(E164::from_digits(digits.as_bytes()), None, "{digits}");
        }
    }

    #[test]
    fn the_country_code_has_one_two_or_three_digits() {
        for (digits, code) in [
            ("18765550101", 1),
            ("77012345678", 7),
            ("81312345678", 81),
            ("390612345678", 39),
            ("224622123456", 224),
            ("8821612345678", 882),
            ("6834001", 683),
        ] {
            assert_eq!(number(digits).country_code(), code, "{digits}");
        }
    }

    #[test]
    fn two_hundred_and_twenty_two_codes_are_known() {
        // 206 geographic and 9 global codes of libphonenumber 9.0.43, 379 (Vatican, assigned and unused),
        // the four of old Inmarsat, 991 (trial) and 997 (reserved).
        let mut codes: Vec<u16> = (100..1000)
            .filter_map(|leading| {
                let length = code_length(leading)?;
                Some(leading / 10_u16.pow(3 - length as u32))
            })
            .collect();
        codes.dedup();
        assert_eq!(codes.len(), 222);
    }
}
