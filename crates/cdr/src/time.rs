//! Event time: when something happened at the PBX.
use serde::{Deserialize, Serialize};
use std::fmt;

/// An instant at the PBX, in whole microseconds since 1970-01-01T00:00:00 UTC.
///
/// Shown as RFC 3339 in UTC; the fraction is shown only where there is one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventTime(i64);

impl EventTime {
    /// The earliest instant that can be written.
    pub const MIN: Self = Self(i64::MIN);
    /// The latest instant that can be written.
    pub const MAX: Self = Self(i64::MAX);

    /// From microseconds since 1970 UTC.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }
    /// From seconds since 1970 UTC; saturates.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }
    /// Microseconds since 1970 UTC.
    pub const fn micros(self) -> i64 {
        self.0
    }
    /// Whole seconds since 1970 UTC, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }
    /// This instant moved by `seconds`; saturates.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1_000_000)))
    }
    /// Whole seconds from `earlier` to this instant, rounded down; negative if `earlier` is later.
    pub const fn seconds_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0).div_euclid(1_000_000)
    }
}

impl fmt::Display for EventTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.0.rem_euclid(1_000_000);
        match chrono::DateTime::from_timestamp(self.seconds(), micros as u32 * 1000) {
            Some(at) if micros == 0 => write!(f, "{}", at.format("%Y-%m-%dT%H:%M:%SZ")),
            Some(at) => write!(f, "{}", at.format("%Y-%m-%dT%H:%M:%S%.6fZ")),
            None => write!(f, "{} s", self.seconds()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_shown_in_utc_with_a_fraction_only_where_there_is_one() {
        assert_eq!(EventTime::from_seconds(1_772_906_414).to_string(), "2026-03-07T18:00:14Z");
        assert_eq!(EventTime::from_micros(1_772_906_414_025_081).to_string(), "2026-03-07T18:00:14.025081Z");
        assert_eq!(EventTime::from_micros(-1).to_string(), "1969-12-31T23:59:59.999999Z");
    }

    #[test]
    fn seconds_round_down_before_1970_too() {
        assert_eq!(EventTime::from_micros(-1).seconds(), -1);
        assert_eq!(EventTime::from_seconds(5).seconds_since(EventTime::from_seconds(7)), -2);
    }
}
