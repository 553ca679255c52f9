//! What is told to systemd, where it has started the service: sd_notify(3).
use std::time::Duration;

/// The way to systemd; silent elsewhere.
#[derive(Debug)]
pub(super) struct Supervisor {
    /// How often it wants to hear that the engine's loop goes on.
    watchdog: Option<Duration>,
    last: Option<chrono::DateTime<chrono::Utc>>,
}

impl Supervisor {
    pub(super) fn new() -> Self {
        let watchdog = sd_notify::watchdog_enabled();
        Self { watchdog: watchdog.map(|wanted| wanted / 3), last: None }
    }

    /// State is restored and the port is bound.
    pub(super) fn ready(status: &str) {
        Self::say(&[sd_notify::NotifyState::Ready, sd_notify::NotifyState::Status(status)]);
    }

    /// Restoring takes long: more time is needed to start.
    pub(super) fn still_starting(more: Duration) {
        let more = u32::try_from(more.as_micros()).unwrap_or(u32::MAX);
        Self::say(&[sd_notify::NotifyState::ExtendTimeoutUsec(more)]);
    }

    /// The configuration is read again.
    pub(super) fn reloading() {
        // Both in one datagram: from version 253 on a reload without its time fails.
        if let Ok(now) = sd_notify::NotifyState::monotonic_usec_now() {
            Self::say(&[sd_notify::NotifyState::Reloading, now]);
        }
    }

    pub(super) fn stopping() {
        Self::say(&[sd_notify::NotifyState::Stopping]);
    }

    /// The engine's loop goes on.
    pub(super) fn alive(&mut self, now: chrono::DateTime<chrono::Utc>, status: impl FnOnce() -> String) {
        let Some(every) = self.watchdog else { return };
        let is_due = |last| now.signed_duration_since(last).to_std().map_or(true, |since| since >= every);
        if self.last.is_none_or(is_due) {
            self.last = Some(now);
            Self::say(&[sd_notify::NotifyState::Watchdog, sd_notify::NotifyState::Status(&status())]);
        }
    }

    fn say(what: &[sd_notify::NotifyState<'_>]) {
        // Without systemd there is nobody to tell.
        let _ = sd_notify::notify(what);
    }
}
