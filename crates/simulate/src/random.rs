//! A seeded generator of its own, so that a seed gives the same bytes on every machine and for good.
//!
//! SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014). Integers only:
//! logarithms and exponentials may differ in the last bit between machines.

/// The increment of SplitMix64: 2^64 divided by the golden ratio.
const GOLDEN_GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;

/// A stream of pseudo-random integers.
#[derive(Debug, Clone)]
pub struct Random {
    state: u64,
}

impl Random {
    /// The stream of a seed.
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// A stream that depends on `seed` and `name` only, so that adding an attack leaves the office's calls as they were.
    pub fn named(seed: u64, name: &str) -> Self {
        // FNV-1a: any fixed hash serves, as long as it never changes.
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ byte as u64).wrapping_mul(0x0100_0000_01b3)
        });
        Self::new(mix(seed) ^ hash)
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GOLDEN_GAMMA);
        mix(self.state)
    }

    /// A number in `0..bound`; 0 for a bound of 0. The bias of the multiplication is below 2^-32 for every bound used here.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((self.next_u64() as u128 * bound as u128) >> 64) as u64
    }

    /// A number in `low..=high`.
    pub fn between(&mut self, low: i64, high: i64) -> i64 {
        low + self.below((high - low).max(0) as u64 + 1) as i64
    }

    /// True in `per_thousand` of 1,000 draws.
    pub fn chance(&mut self, per_thousand: u64) -> bool {
        self.below(1000) < per_thousand
    }

    /// One of `items`, each as likely; nothing of an empty slice.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> Option<&'a T> {
        items.get(self.below(items.len() as u64) as usize)
    }

    /// The index of one of `weights`, as likely as its weight; 0 where all are nothing.
    pub fn weighted(&mut self, weights: &[u64]) -> usize {
        let mut left = self.below(weights.iter().sum());
        for (index, weight) in weights.iter().enumerate() {
            if left < *weight {
                return index;
            }
            left -= weight;
        }
        0
    }

    /// The first index of a cumulative table whose entry exceeds a draw below the table's last entry.
    pub fn cumulative(&mut self, table: &[u32]) -> usize {
        let draw = self.below(table.last().copied().unwrap_or(0) as u64) as u32;
        table.partition_point(|entry| *entry <= draw)
    }

    /// A draw from a distribution given by its quantiles at equal steps, with straight lines between them.
    pub fn quantile(&mut self, quantiles: &[i64]) -> i64 {
        const STEP: u64 = 1 << 20;
        let draw = self.below(quantiles.len().saturating_sub(1) as u64 * STEP);
        let index = (draw / STEP) as usize;
        match (quantiles.get(index), quantiles.get(index + 1)) {
            (Some(low), Some(high)) => low + (high - low) * (draw % STEP) as i64 / STEP as i64,
            _ => quantiles.first().copied().unwrap_or(0),
        }
    }

    /// A normal draw of mean 0 and standard deviation `deviation`: the sum of twelve even ones (Irwin-Hall), hence never
    /// beyond six deviations.
    pub fn normal(&mut self, deviation: i64) -> i64 {
        (0..12).map(|_| self.between(0, deviation)).sum::<i64>() - 6 * deviation
    }
}

fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stream_is_the_published_splitmix64() {
        // First outputs for seed 1234567, as in the reference implementations' tests.
        let mut random = Random::new(1_234_567);
        assert_eq!(random.next_u64(), 6_457_827_717_110_365_317);
        assert_eq!(random.next_u64(), 3_203_168_211_198_807_973);
        assert_eq!(random.next_u64(), 9_817_491_932_198_370_423);
    }

    #[test]
    fn named_streams_of_one_seed_differ_and_repeat() {
        assert_ne!(Random::named(1, "a").next_u64(), Random::named(1, "b").next_u64());
        assert_eq!(Random::named(1, "a").next_u64(), Random::named(1, "a").next_u64());
    }

    #[test]
    fn draws_keep_within_their_bounds_and_reach_both_ends() {
        let mut random = Random::new(7);
        let draws: Vec<i64> = (0..2000).map(|_| random.between(-3, 3)).collect();
        assert_eq!((draws.iter().min(), draws.iter().max()), (Some(&-3), Some(&3)));
        assert!((0..2000).all(|_| random.normal(100).abs() <= 600));
        assert_eq!(random.below(0), 0);
    }

    #[test]
    fn a_weight_of_nothing_is_never_drawn() {
        let mut random = Random::new(8);
        assert!((0..500).all(|_| random.weighted(&[0, 3, 0, 1]) % 2 == 1));
    }
}
