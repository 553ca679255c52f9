//! Which calls start in a second.

use std::collections::BinaryHeap;

use tollwatch_simulate::{Random, ordinary_talk};

use crate::row::{Ending, Row};

/// Seconds of the file's 30 days.
pub(crate) const SECONDS: i64 = 30 * DAY;
const DAY: i64 = 86_400;

/// Number of the first extension.
const FIRST_EXTENSION: u32 = 10_000;
const EXTENSIONS: u32 = 20_000;

/// Bursts, each of six hours from one extension.
const BURSTS: u64 = 100;
const BURST_SECONDS: i64 = 6 * 3600;
/// Rows of bursts, per thousand.
const BURST_SHARE: u64 = 30;

/// Weight of each hour: business hours, and a little all night.
const HOURS: [u64; 24] =
    [4, 3, 2, 2, 2, 4, 12, 40, 90, 130, 130, 120, 70, 110, 110, 110, 100, 80, 50, 30, 20, 14, 10, 6];
/// Weight of each day of a week that begins on a Sunday, as March 2026 does.
const WEEKDAYS: [u64; 7] = [10, 100, 100, 100, 100, 100, 25];

/// Heads of international calls without the leading 0, their weights, and how many digits follow.
const COUNTRIES: [(u64, u64, u32); 16] = [
    (101_212, 20, 7),
    (101_415, 10, 7),
    (1_086_100, 18, 7),
    (108_220, 12, 7),
    (1_088_620, 8, 7),
    (1_085_220, 6, 6),
    (10_650, 6, 7),
    (10_660, 6, 7),
    (10_630, 8, 8),
    (10_840, 6, 8),
    (10_910, 6, 9),
    (10_440, 6, 9),
    (10_490, 5, 9),
    (10_330, 3, 8),
    (10_610, 4, 8),
    (10_550, 2, 9),
];
/// Ranges that bursts go to, 100 numbers each.
const PUMPED: [u64; 6] =
    [10_232_410_001, 10_224_400_002, 10_252_910_003, 10_371_900_004, 10_245_400_005, 10_960_200_006];

#[derive(Debug, Clone, Copy)]
struct Burst {
    starts_at: i64,
    extension: u32,
    range: u64,
    owed: u64,
}

impl Burst {
    /// Extension and range of the call that starts in this second, if one does: never more than one a second, as long as a
    /// burst has no more rows than seconds.
    fn due(&mut self, second: i64, rows: u64) -> Option<(u32, u64)> {
        if !(self.starts_at..self.starts_at + BURST_SECONDS).contains(&second) {
            return None;
        }
        self.owed += rows;
        let is_due = self.owed >= BURST_SECONDS as u64;
        self.owed -= if is_due { BURST_SECONDS as u64 } else { 0 };
        is_due.then_some((self.extension, self.range))
    }
}

/// The calls of the whole month, second by second.
#[derive(Debug)]
pub(crate) struct Traffic {
    random: Random,
    /// Cumulative activity of the extensions, by rank.
    activity: Vec<u64>,
    bursts: Vec<Burst>,
    rows_of_a_burst: u64,
    ordinary: u64,
    all_weight: u64,
    owed: u64,
    number: u32,
}

impl Traffic {
    pub(crate) fn new(rows: u64, seed: u64) -> Self {
        let mut random = Random::named(seed, "bursts");
        let rows_of_a_burst = (rows * BURST_SHARE / 1000 / BURSTS).min(BURST_SECONDS as u64);
        let bursts = (0..BURSTS)
            .map(|burst| Burst {
                // Between 20 o'clock and 2 at night, never so late that the month ends first.
                starts_at: random.between(0, 28) * DAY + 20 * 3600 + random.between(0, 6 * 3600),
                extension: random.below(EXTENSIONS as u64) as u32,
                range: PUMPED.get(burst as usize % PUMPED.len()).copied().unwrap_or_default(),
                owed: 0,
            })
            .collect();
        Self {
            random: Random::named(seed, "calls"),
            activity: zipf(),
            bursts,
            rows_of_a_burst,
            ordinary: rows - rows_of_a_burst * BURSTS,
            all_weight: (0..SECONDS / 3600).map(|hour| weight(hour * 3600) * 3600).sum(),
            owed: 0,
            number: 0,
        }
    }

    /// Adds the calls that start within a second.
    pub(crate) fn starting_at(&mut self, second: i64, open: &mut BinaryHeap<Row>) {
        self.owed += self.ordinary * weight(second);
        while self.owed >= self.all_weight {
            self.owed -= self.all_weight;
            open.push(self.ordinary_row(second));
        }
        let rows = self.rows_of_a_burst;
        let due: Vec<(u32, u64)> =
            self.bursts.iter_mut().filter_map(|burst| burst.due(second, rows)).collect();
        for (extension, range) in due {
            let dialled = range * 100 + self.random.below(100);
            let talk = 32_500 + self.random.normal(2000);
            let row = self.row(second, extension, dialled, (960, talk));
            open.push(row);
        }
    }

    fn ordinary_row(&mut self, second: i64) -> Row {
        let extension = self.extension();
        let random = &mut self.random;
        // 40, 47 and 10 of the 97 rows in a hundred that are no burst.
        let (dialled, answered) = match random.weighted(&[40, 47, 10]) {
            0 => (u64::from(FIRST_EXTENSION) + random.below(u64::from(EXTENSIONS)), 720),
            1 => (national(random), 700),
            _ => (abroad(random), 600),
        };
        let talk = ordinary_talk(&mut self.random) / 1000;
        self.row(second, extension, dialled, (answered, talk))
    }

    /// A row; of a thousand such calls so many are answered, and then take so long.
    fn row(&mut self, second: i64, extension: u32, dialled: u64, (answered, talk): (u64, i64)) -> Row {
        let random = &mut self.random;
        let started_at = second * 1000 + random.between(0, 999);
        let (ending, ring) = if random.chance(answered) {
            (Ending::Answered, random.between(1500, 14_000))
        } else {
            match random.weighted(&[70, 25, 5]) {
                0 => (Ending::NoAnswer, random.between(3000, 30_000)),
                1 => (Ending::Busy, random.between(5, 900)),
                _ => (Ending::Failed, random.between(5, 300)),
            }
        };
        let talk = if ending == Ending::Answered { talk } else { 0 };
        let number = self.number;
        self.number += 1;
        let extension = FIRST_EXTENSION + extension;
        Row { ended_at: started_at + ring + talk, started_at, ring, number, extension, dialled, ending }
    }

    /// An extension by its activity. Neighbouring ranks lie far apart.
    fn extension(&mut self) -> u32 {
        let draw = self.random.below(self.activity.last().copied().unwrap_or(0));
        let rank = self.activity.partition_point(|sum| *sum <= draw) as u32;
        rank * 7919 % EXTENSIONS
    }
}

fn weight(second: i64) -> u64 {
    let hour = HOURS.get((second % DAY / 3600) as usize).copied().unwrap_or(0);
    hour * WEEKDAYS.get((second / DAY % 7) as usize).copied().unwrap_or(0)
}

/// A Japanese number without its leading 0: fixed lines whose exchange begins with 0, which nobody has, and a few mobiles.
fn national(random: &mut Random) -> u64 {
    match random.weighted(&[50, 20, 30]) {
        0 => 300_000_000 + random.below(10_000_000),
        1 => 600_000_000 + random.below(10_000_000),
        _ => 9_010_000_000 + random.below(100),
    }
}

fn abroad(random: &mut Random) -> u64 {
    let weights = COUNTRIES.map(|(_, weight, _)| weight);
    let (head, _, digits) = COUNTRIES.get(random.weighted(&weights)).copied().unwrap_or_default();
    head * 10_u64.pow(digits) + random.below(10_000)
}

/// Cumulative activity of Zipf's law with exponent 0.8: rank r has 2^25 / r^(4/5), found as the largest w for which
/// w^5 r^4 is at most 2^125, in integers since a power of fractions may differ between machines.
fn zipf() -> Vec<u64> {
    let mut sum = 0;
    (1..=u128::from(EXTENSIONS))
        .map(|rank| {
            let fits = |w: u128| {
                w.checked_pow(5).and_then(|w5| w5.checked_mul(rank.pow(4))).is_some_and(|all| all <= 1 << 125)
            };
            let (mut low, mut high) = (0_u128, (1 << 25) + 1);
            while high - low > 1 {
                let middle = u128::midpoint(low, high);
                *(if fits(middle) { &mut low } else { &mut high }) = middle;
            }
            sum += low as u64;
            sum
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn activity_follows_zipfs_law_with_exponent_four_fifths() {
        let cumulative = zipf();
        let of = |rank: usize| cumulative[rank] - cumulative[rank - 1];
        assert_eq!(cumulative[0], 1 << 25);
        // 32^0.8 is 16, 1024^0.8 is 256.
        assert_eq!(of(31), 1 << 21);
        assert_eq!(of(1023), 1 << 17);
    }

    #[test]
    fn every_row_ordered_is_made() {
        let mut traffic = Traffic::new(20_000, 3);
        let mut rows = BinaryHeap::new();
        for second in 0..SECONDS {
            traffic.starting_at(second, &mut rows);
        }
        assert_eq!(rows.len(), 20_000);
        let pumped = rows.iter().filter(|row| PUMPED.contains(&(row.dialled / 100))).count();
        assert_eq!(pumped, 600);
        let internal = rows.iter().filter(|row| row.dialled < 100_000).count();
        assert!((7600..8400).contains(&internal), "{internal} of 20,000");
    }
}
