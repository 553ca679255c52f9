//! What a source's own ids say of its time zone.
//!
//! Where an id embeds the second in which its channel was created (Asterisk's `1772906414.0`) and the start of
//! the leg is civil time, the start read as UTC less that second, rounded to 15 minutes, is the source's offset
//! from UTC. A leg that began later than its channel gives a larger value, so one row says nothing and the mode
//! of many rows does. The mode is taken stretch by stretch, so that a zone that is right for half of the year is
//! not taken for right in the other half.
use crate::zone::LocalTime;
use crate::{EventTime, Zone};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// All of the first rows are looked at, and one of so many behind them.
const FIRST_ROWS: u64 = 256;
const THEN_EVERY: u64 = 64;
/// So many rows that were looked at make a stretch.
const STRETCH: usize = 32;
/// Fewer rows than this say nothing.
const FEWEST: usize = 8;
/// All offsets from UTC that are in use, -12:00 to +14:00, in quarters of an hour.
const IN_USE: std::ops::RangeInclusive<i64> = -48..=56;
const QUARTER: i64 = 900;

/// An offset from UTC, rounded to 15 minutes: all that are in use are whole quarters of an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct UtcOffset(i8);

impl UtcOffset {
    /// The offset nearest to so many seconds east of UTC; none if no place on Earth has it.
    pub fn nearest(seconds: i64) -> Option<Self> {
        let quarters = seconds.saturating_add(QUARTER / 2).div_euclid(QUARTER);
        IN_USE.contains(&quarters).then_some(Self(quarters as i8))
    }

    /// Seconds east of UTC.
    pub fn seconds(self) -> i64 {
        i64::from(self.0) * QUARTER
    }
}

impl fmt::Display for UtcOffset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let minutes = self.0.unsigned_abs() as u32 * 15;
        let sign = if self.0 < 0 { '-' } else { '+' };
        write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

/// Why nothing can be said of a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Untold {
    /// No record has a civil time, so that no zone matters.
    NoCivilTimes,
    /// No record has an id with an epoch.
    NoEpochs,
    /// Some have, but too few.
    TooFewRows,
    /// As many rows speak for the zone as for another one, or each for another.
    Tied,
}

/// Whether the configured zone is that of the records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OffsetCheck {
    /// It cannot be told.
    Unknown {
        /// Rows compared.
        rows: u64,
        /// Why.
        why: Untold,
    },
    /// The ids say the same as the zone.
    Agrees {
        /// Rows compared.
        rows: u64,
        /// Rows among them that say just what the zone says at that instant. The rest began later than their
        /// channels.
        agreeing: u64,
    },
    /// In some stretch, the ids say something else.
    Contradicts {
        /// The offset that the most rows of such stretches show.
        observed: UtcOffset,
        /// What the zone says for those rows.
        configured: UtcOffset,
        /// Rows that show it.
        rows: u64,
        /// Rows compared.
        of: u64,
        /// Rows among them that say what the zone says.
        agreeing: u64,
        /// First instant of a row that shows it.
        from: EventTime,
        /// Last instant of a row that shows it.
        until: EventTime,
    },
}

/// One row: when, what the zone says of that instant, what the row says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    epoch: i64,
    configured: UtcOffset,
    observed: UtcOffset,
}

/// Rows of stretches whose mode is not what the zone says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Against {
    observed: UtcOffset,
    configured: UtcOffset,
    rows: u64,
    from: i64,
    until: i64,
}

/// Compares rows with a zone, a few of them, in constant memory.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct OffsetTally {
    /// Rows with a civil time so far.
    civil_rows: u64,
    last_epoch: Option<i64>,
    compared: u64,
    agreeing: u64,
    stretch: Vec<Seen>,
    verdicts: Verdicts,
}

/// What the stretches said.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Verdicts {
    stretches: u64,
    agreeing: u64,
    /// One for each pair of offsets.
    against: Vec<Against>,
}

impl OffsetTally {
    /// Looks at a row with a civil time, if it is its turn: `times` gives the civil time and the epoch.
    #[inline]
    pub(crate) fn row(&mut self, zone: Zone, times: impl FnOnce() -> Option<(LocalTime, i64)>) {
        let index = self.civil_rows;
        self.civil_rows += 1;
        if (index < FIRST_ROWS || index.is_multiple_of(THEN_EVERY))
            && let Some((civil, epoch)) = times()
        {
            self.compare(zone, civil, epoch);
        }
    }

    #[cold]
    fn compare(&mut self, zone: Zone, civil: LocalTime, epoch: i64) {
        // The legs of one channel are one witness: they begin later and later, all by the same epoch.
        if self.last_epoch.replace(epoch) == Some(epoch) {
            return;
        }
        let observed = UtcOffset::nearest(civil.seconds().saturating_sub(epoch));
        let configured = UtcOffset::nearest(zone.offset_at(EventTime::from_seconds(epoch)));
        let (Some(observed), Some(configured)) = (observed, configured) else { return };
        self.compared += 1;
        self.agreeing += u64::from(observed == configured);
        self.stretch.push(Seen { epoch, configured, observed });
        if self.stretch.len() == STRETCH {
            self.verdicts.conclude(&self.stretch);
            self.stretch.clear();
        }
    }

    pub(crate) fn check(&self) -> OffsetCheck {
        let mut verdicts = self.verdicts.clone();
        if self.stretch.len() >= FEWEST {
            verdicts.conclude(&self.stretch);
        }
        let Self { civil_rows, compared: rows, agreeing, .. } = *self;
        // Of two equals the lower offset: what is too large was late.
        let order = |found: &Against| (u64::MAX - found.rows, found.observed, found.configured);
        if let Some(most) = verdicts.against.iter().min_by_key(|&found| order(found)) {
            return OffsetCheck::Contradicts {
                observed: most.observed,
                configured: most.configured,
                rows: most.rows,
                of: rows,
                agreeing,
                from: EventTime::from_seconds(most.from),
                until: EventTime::from_seconds(most.until),
            };
        }
        let why = match () {
            () if verdicts.agreeing > 0 => return OffsetCheck::Agrees { rows, agreeing },
            () if verdicts.stretches > 0 => Untold::Tied,
            () if rows > 0 => Untold::TooFewRows,
            () if civil_rows > 0 => Untold::NoEpochs,
            () => Untold::NoCivilTimes,
        };
        OffsetCheck::Unknown { rows, why }
    }
}

impl Verdicts {
    /// The mode of a stretch, if it is one: more rows than any other offset has, and a quarter of all.
    fn conclude(&mut self, stretch: &[Seen]) {
        self.stretches += 1;
        let agreeing = stretch.iter().filter(|seen| seen.observed == seen.configured).count();
        let mut others: BTreeMap<UtcOffset, usize> = BTreeMap::new();
        for seen in stretch.iter().filter(|seen| seen.observed != seen.configured) {
            *others.entry(seen.observed).or_default() += 1;
        }
        let (other, rows) =
            others.into_iter().rev().max_by_key(|(_, rows)| *rows).unwrap_or((UtcOffset(0), 0));
        if agreeing.max(rows) * 4 < stretch.len() || agreeing == rows {
            return;
        }
        if agreeing > rows {
            self.agreeing += 1;
            return;
        }
        for &Seen { epoch, configured, observed } in stretch.iter().filter(|seen| seen.observed == other) {
            let pair = (observed, configured);
            match self.against.iter_mut().find(|found| (found.observed, found.configured) == pair) {
                Some(found) => {
                    found.rows += 1;
                    found.from = found.from.min(epoch);
                    found.until = found.until.max(epoch);
                }
                None if observed == configured => {}
                None => {
                    self.against.push(Against { observed, configured, rows: 1, from: epoch, until: epoch });
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offset(text: &str) -> UtcOffset {
        let zone = Zone::parse(text).unwrap();
        UtcOffset::nearest(zone.offset_at(EventTime::from_seconds(0))).unwrap()
    }

    #[test]
    fn an_offset_is_the_nearest_quarter_of_an_hour_that_is_in_use() {
        for (seconds, shown) in [
            (20_700, "+05:45"),
            (20_700 + 449, "+05:45"),
            (20_700 + 450, "+06:00"),
            (20_700 - 450, "+05:45"),
            (20_700 - 451, "+05:30"),
            (-12_600, "-03:30"),
            (0, "+00:00"),
            (14 * 3600, "+14:00"),
            (14 * 3600 + 450, "none"),
            (-13 * 3600, "none"),
            (i64::MAX, "none"),
            (i64::MIN, "none"),
        ] {
            let read = UtcOffset::nearest(seconds);
            assert_eq!(read.map_or("none".to_owned(), |offset| offset.to_string()), shown, "{seconds}");
        }
        assert_eq!(offset("+05:45").seconds(), 20_700);
    }

    /// Feeds rows as (seconds from the epoch's own civil time in UTC, epoch).
    fn check(zone: &str, rows: impl IntoIterator<Item = (i64, i64)>) -> OffsetCheck {
        let zone = Zone::parse(zone).unwrap();
        let mut tally = OffsetTally::default();
        for (ahead, epoch) in rows {
            tally.row(zone, || Some((LocalTime { day: 0, second: epoch + ahead }, epoch)));
        }
        tally.check()
    }

    #[test]
    fn too_few_rows_a_tie_and_no_rows_are_told_apart() {
        let unknown = |rows, why| OffsetCheck::Unknown { rows, why };
        assert_eq!(check("UTC", []), unknown(0, Untold::NoCivilTimes));
        let nine = |from: i64, to: i64| (from..to).map(|i| (9 * 3600, 1_772_906_414 + i));
        assert_eq!(check("Asia/Tokyo", nine(0, 7)), unknown(7, Untold::TooFewRows));
        assert_eq!(check("Asia/Tokyo", nine(0, 8)), OffsetCheck::Agrees { rows: 8, agreeing: 8 });
        let half = nine(0, 8).chain((8..16).map(|i| (0, 1_772_906_414 + i)));
        assert_eq!(check("Asia/Tokyo", half), unknown(16, Untold::Tied));
        let mut tally = OffsetTally::default();
        tally.row(Zone::UTC, || None);
        assert_eq!(tally.check(), unknown(0, Untold::NoEpochs));
    }

    #[test]
    fn the_legs_of_one_channel_are_one_witness() {
        let legs = (0..100).map(|_| (3600, 1_772_906_414));
        assert_eq!(check("UTC", legs), OffsetCheck::Unknown { rows: 1, why: Untold::TooFewRows });
    }

    #[test]
    fn a_fixed_offset_is_contradicted_in_summer_and_an_iana_name_is_not() {
        // A row an hour in Berlin for a year.
        let berlin = Zone::parse("Europe/Berlin").unwrap();
        let year = || {
            (0..365 * 24_i64).map(|hour| {
                let at = 1_767_225_600 + hour * 3600;
                (berlin.offset_at(EventTime::from_seconds(at)), at)
            })
        };
        assert!(
            matches!(check("Europe/Berlin", year()), OffsetCheck::Agrees { rows, agreeing } if rows == agreeing)
        );
        let OffsetCheck::Contradicts { observed, configured, from, until, .. } = check("+01:00", year())
        else {
            panic!("{:?}", check("+01:00", year()));
        };
        assert_eq!((observed, configured), (offset("+02:00"), offset("+01:00")));
        // Never outside of summer time, 29 March to 25 October 2026, and for most of it.
        let summer = 1_774_746_000..1_792_890_000;
        assert!(summer.contains(&from.seconds()) && summer.contains(&until.seconds()), "{from} {until}");
        assert!(until.seconds_since(from) > 100 * 86_400, "{from} {until}");
    }
}
