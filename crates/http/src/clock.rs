//! The one place of this crate that asks the machine for the time.
use std::sync::OnceLock;
use std::time::Instant;

/// Milliseconds since some moment before the first call; never goes back.
#[expect(clippy::disallowed_methods, reason = "whether the engine still turns is a question about real time")]
pub(crate) fn monotonic_milliseconds() -> u64 {
    static BEGAN: OnceLock<Instant> = OnceLock::new();
    BEGAN.get_or_init(Instant::now).elapsed().as_millis() as u64
}
