//! Amounts of one currency, exact to a millionth of its unit.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Micro-units in one unit of a currency.
const UNIT: i64 = 1_000_000;
/// Digits after the point that are kept.
const FRACTION_DIGITS: usize = 6;

/// An amount of money in micro-units of one currency: `1_234_500_000` is 1234.50 JPY.
///
/// Integers add up to the same sum in any order, which floating point does not. The range is ±9.2 × 10¹² units;
/// the `saturating_…` operations stop there. Serialised as the bare integer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Money(i64);

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The largest amount.
    pub const MAX: Self = Self(i64::MAX);

    /// An amount in micro-units.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// An amount in whole units (yen, euros); beyond ±9.2 × 10¹² the nearest amount that fits.
    pub const fn from_units(units: i64) -> Self {
        Self(units.saturating_mul(UNIT))
    }

    /// The amount in micro-units.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// The sum, or `None` where it does not fit.
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(micros) => Some(Self(micros)),
            None => None,
        }
    }

    /// The sum, or the nearest amount that fits.
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The difference, or the nearest amount that fits.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// Reads `1234.50`: an optional sign, digits, and at most one decimal point with a digit on at least one side.
    /// Digits beyond the sixth after the point are rounded half up.
    pub fn parse(text: &str) -> Result<Self, MoneyError> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.len() + fraction.len() == 0 || !is_digits(whole) || !is_digits(fraction) {
            return Err(MoneyError::NotAnAmount);
        }
        let mut micros = 0_i64;
        let kept = fraction.bytes().chain(std::iter::repeat(b'0')).take(FRACTION_DIGITS);
        for byte in whole.bytes().chain(kept) {
            micros = micros
                .checked_mul(10)
                .and_then(|value| value.checked_add(i64::from(byte - b'0')))
                .ok_or(MoneyError::TooLarge)?;
        }
        if fraction.as_bytes().get(FRACTION_DIGITS).is_some_and(|&digit| digit >= b'5') {
            micros = micros.checked_add(1).ok_or(MoneyError::TooLarge)?;
        }
        Ok(Self(if negative { -micros } else { micros }))
    }
}

impl FromStr for Money {
    type Err = MoneyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

/// Writes two decimals, half a hundredth rounded away from zero: `1234.50`, also for currencies without a minor unit.
impl fmt::Display for Money {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hundredths = (self.0.unsigned_abs() + 5_000) / 10_000;
        let sign = if self.0 < 0 && hundredths > 0 { "-" } else { "" };
        write!(formatter, "{sign}{}.{:02}", hundredths / 100, hundredths % 100)
    }
}

/// Why a text is no amount of money.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum MoneyError {
    /// Something other than digits and one decimal point.
    #[error("not an amount of money such as 1234.50")]
    NotAnAmount,
    /// More than ±9.2 × 10¹² units.
    #[error("an amount beyond 9,200,000,000,000")]
    TooLarge,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_amount_is_written_with_two_decimals_rounded_half_up() {
        for (micros, text) in [
            (0, "0.00"),
            (1_234_500_000, "1234.50"),
            (93_333_334, "93.33"),
            (4_999, "0.00"),
            (5_000, "0.01"),
            (994_999, "0.99"),
            (995_000, "1.00"),
            (-4_999, "0.00"),
            (-1_500_000, "-1.50"),
            (i64::MAX, "9223372036854.78"),
            (i64::MIN, "-9223372036854.78"),
        ] {
            assert_eq!(Money::from_micros(micros).to_string(), text);
        }
    }

    #[test]
    fn amounts_are_read_to_the_micro_unit() {
        for (text, micros) in [
            ("1234.50", 1_234_500_000),
            ("175", 175_000_000),
            (".5", 500_000),
            ("5.", 5_000_000),
            ("-0.000001", -1),
            ("+8", 8_000_000),
            ("2.6666665", 2_666_667),
            ("2.6666664999", 2_666_666),
            ("0009", 9_000_000),
        ] {
            assert_eq!(Money::parse(text).map(Money::micros), Ok(micros), "{text}");
        }
    }

    #[test]
    fn what_is_no_amount_is_refused() {
        for text in ["", ".", "-", "--1", "1,5", "1.2.3", "1e3", " 1", "１", "NaN"] {
            assert_eq!(Money::parse(text), Err(MoneyError::NotAnAmount), "{text}");
        }
        for text in ["9223372036855", "9223372036854.7758075", &"9".repeat(400)] {
            assert_eq!(Money::parse(text), Err(MoneyError::TooLarge), "{text}");
        }
    }

    #[test]
    fn sums_stop_at_the_ends_of_the_range() {
        assert_eq!(Money::MAX.saturating_add(Money::from_units(1)), Money::MAX);
        assert_eq!(Money::MAX.checked_add(Money::from_micros(1)), None);
        assert_eq!(Money::from_units(3).saturating_sub(Money::from_units(5)), Money::from_units(-2));
        assert_eq!(Money::from_units(i64::MAX), Money::MAX);
    }

    proptest! {
        #[test]
        fn two_decimals_survive_writing_and_reading(hundredths in -900_000_000_000_000_i64..900_000_000_000_000) {
            let amount = Money::from_micros(hundredths * 10_000);
            prop_assert_eq!(amount.to_string().parse::<Money>(), Ok(amount));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".*") {
            if let Ok(amount) = Money::parse(&text) {
                prop_assert!(text.bytes().any(|byte| byte.is_ascii_digit()), "{amount}");
            }
        }
    }
}
