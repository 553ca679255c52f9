//! Whether the engine's loop still turns.
use crate::clock::monotonic_milliseconds;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A loop that has not turned for so long is dead: it turns several times a second, with nothing to do too.
const DEAD_AFTER: Duration = Duration::from_secs(10);

/// The moment at which the engine's loop turned last.
#[derive(Debug)]
pub struct Heartbeat {
    ticked_at: AtomicU64,
    clock: fn() -> u64,
}

impl Default for Heartbeat {
    fn default() -> Self {
        Self::with_clock(monotonic_milliseconds)
    }
}

impl Heartbeat {
    /// A loop that turned just now, by a clock of milliseconds that never goes back.
    pub fn with_clock(clock: fn() -> u64) -> Self {
        Self { ticked_at: AtomicU64::new(clock()), clock }
    }

    /// The loop turned. Called by the engine's thread itself, once a turn.
    pub fn tick(&self) {
        self.ticked_at.store((self.clock)(), Ordering::Relaxed);
    }

    /// How long ago it turned.
    pub fn age(&self) -> Duration {
        Duration::from_millis((self.clock)().saturating_sub(self.ticked_at.load(Ordering::Relaxed)))
    }

    pub(crate) fn is_alive(&self) -> bool {
        self.age() < DEAD_AFTER
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_that_has_not_turned_for_ten_seconds_is_dead_until_it_turns_again() {
        static NOW: AtomicU64 = AtomicU64::new(5_000);
        let heartbeat = Heartbeat::with_clock(|| NOW.load(Ordering::Relaxed));
        NOW.store(14_999, Ordering::Relaxed);
        assert!(heartbeat.is_alive());
        NOW.store(15_000, Ordering::Relaxed);
        assert!(!heartbeat.is_alive());
        heartbeat.tick();
        assert!(heartbeat.is_alive());
        assert_eq!(heartbeat.age(), Duration::ZERO);
    }
}
