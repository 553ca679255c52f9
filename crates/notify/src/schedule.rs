//! When to try again.
use std::time::Duration;

/// Seconds before each attempt. The front is dense because a fraud runs up money by the minute; the rest, 75 hours of
/// it, is that of Standard Webhooks, so that a receiver that is down over a long weekend still gets its alerts.
const DELAYS_SECONDS: [u64; 14] =
    [0, 1, 3, 10, 30, 120, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400];

/// No receiver can ask for a longer silence than this.
const LONGEST_RETRY_AFTER: Duration = Duration::from_hours(24);

/// Attempts after which an alert is dead.
pub const MOST_ATTEMPTS: u32 = DELAYS_SECONDS.len() as u32;

/// How long to wait after `attempts` attempts have failed; none if that was the last.
///
/// The delay is spread by ±20 % (by `seed`, which is that of the alert and its notifier) so that the alerts that failed
/// together do not come back together. It is at least what the receiver asked for in `Retry-After`, up to a day.
pub fn delay(attempts: u32, seed: u64, retry_after: Option<Duration>) -> Option<Duration> {
    let seconds = *DELAYS_SECONDS.get(attempts as usize)?;
    // In thousandths: 800 to 1200.
    let spread = 800 + mix(seed ^ u64::from(attempts)) % 401;
    let spread = Duration::from_millis(seconds * spread);
    Some(spread.max(retry_after.unwrap_or_default().min(LONGEST_RETRY_AFTER)))
}

/// One step of splitmix64: neighbouring seeds give numbers that have nothing to do with each other.
pub(crate) fn mix(seed: u64) -> u64 {
    let mut mixed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_front_is_dense_the_end_is_days_away_and_then_it_is_over() {
        let middle = |attempts| delay(attempts, 7, None).map(|delay| delay.as_secs_f64());
        assert_eq!(middle(0), Some(0.0));
        assert!((0.8..=1.2).contains(&middle(1).unwrap()));
        assert!((24.0..=36.0).contains(&middle(4).unwrap()));
        assert!((69_120.0..=103_680.0).contains(&middle(13).unwrap()));
        assert_eq!(middle(14), None);
        assert_eq!(middle(u32::MAX), None);
    }

    #[test]
    fn delays_of_different_alerts_are_spread_over_the_whole_range() {
        let delays: Vec<u128> = (0..1000).map(|seed| delay(4, seed, None).unwrap().as_millis()).collect();
        assert!(delays.iter().min().unwrap() < &24_300, "{:?}", delays.iter().min());
        assert!(delays.iter().max().unwrap() > &35_700, "{:?}", delays.iter().max());
    }

    proptest! {
        #[test]
        fn a_delay_is_never_shorter_than_the_receiver_asked_for_nor_than_four_fifths_of_the_schedule(
            attempts in 0_u32..14, seed: u64, asked in proptest::option::of(0_u64..200_000),
        ) {
            let asked = asked.map(Duration::from_secs);
            let delay = delay(attempts, seed, asked).unwrap();
            prop_assert!(delay >= asked.unwrap_or_default().min(Duration::from_hours(24)));
            let scheduled = Duration::from_secs(DELAYS_SECONDS[attempts as usize]);
            prop_assert!(delay >= scheduled * 4 / 5);
            prop_assert!(delay <= (scheduled * 6 / 5).max(asked.unwrap_or_default()));
        }
    }
}
