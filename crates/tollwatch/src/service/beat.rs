//! When a source is looked at: at once when something is heard of it, and from time to time in any case.
use chrono::{DateTime, TimeDelta, Utc};
use std::time::Duration;
use tollwatch_source::Bell;

/// Where nothing can be heard, or something is about to be ready.
const QUICK: TimeDelta = TimeDelta::milliseconds(250);
/// Where everything is heard: network file systems and some mounts say nothing of what others write.
const SLOW: TimeDelta = TimeDelta::seconds(5);
/// Between two looks, however much is heard.
const PAUSE: TimeDelta = TimeDelta::milliseconds(20);
/// A watch that could not be had is asked for again after so long.
const AGAIN: TimeDelta = TimeDelta::seconds(30);
/// After so many looks that found something of which nothing had been heard, one does not rely on hearing.
const MISSES: u32 = 2;

/// The looks at one source.
#[derive(Debug, Default)]
pub(super) struct Beat {
    pub(super) bell: Bell,
    looked_at: Option<DateTime<Utc>>,
    was_told: bool,
    is_watched: bool,
    tried_at: Option<DateTime<Utc>>,
    was_refused: bool,
    misses: u32,
}

impl Beat {
    /// Whether to look now. `is_settling`: there is something that will soon be ready.
    pub(super) fn is_due(&mut self, now: DateTime<Utc>, is_settling: bool) -> bool {
        if self.until_due(now, is_settling) > TimeDelta::zero() {
            return false;
        }
        self.was_told = self.bell.take() || self.looked_at.is_none();
        self.looked_at = Some(now);
        true
    }

    /// It was looked at without being due.
    pub(super) fn looked(&mut self, now: DateTime<Utc>) {
        self.bell.take();
        (self.looked_at, self.was_told) = (Some(now), true);
    }

    /// What the look that was due has found.
    pub(super) fn found(&mut self, something: bool) {
        if something {
            self.misses = if self.was_told { 0 } else { self.misses.saturating_add(1) };
        }
    }

    fn until_due(&self, now: DateTime<Utc>, is_settling: bool) -> TimeDelta {
        let Some(looked_at) = self.looked_at else { return TimeDelta::zero() };
        let hears = self.is_watched && self.misses < MISSES;
        let every = match (self.bell.has_rung(), is_settling || !hears) {
            (true, _) => PAUSE,
            (false, true) => QUICK,
            (false, false) => SLOW,
        };
        // A clock that was set back must not stop anything.
        every - now.signed_duration_since(looked_at).clamp(TimeDelta::zero(), every)
    }

    /// How long nothing is to be done if nothing is heard.
    pub(super) fn rest(&self, now: DateTime<Utc>, is_settling: bool) -> Duration {
        self.until_due(now, is_settling).to_std().unwrap_or_default()
    }

    /// Whether a watch is to be asked for.
    pub(super) fn wants_watch(&mut self, now: DateTime<Utc>) -> bool {
        let since = self.tried_at.map(|at| now.signed_duration_since(at));
        let wants = !self.is_watched && since.is_none_or(|since| since >= AGAIN || since < TimeDelta::zero());
        if wants {
            self.tried_at = Some(now);
        }
        wants
    }

    /// It was given, or not. Whether that is to be said: once.
    pub(super) fn watched(&mut self, is_watched: bool) -> bool {
        self.is_watched = is_watched;
        std::mem::replace(&mut self.was_refused, !is_watched) == is_watched
    }

    /// Its directory is gone: a new one of that name is another.
    pub(super) fn lost(&mut self) {
        self.is_watched = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(milliseconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(1_800_000_000_000 + milliseconds).unwrap()
    }

    /// Looks in `seconds`, when the loop comes by a hundred times a second and nothing is found.
    fn looks(beat: &mut Beat, from: i64, seconds: i64) -> usize {
        (from * 100..(from + seconds) * 100)
            .filter(|tick| {
                let due = beat.is_due(at(tick * 10), false);
                if due {
                    beat.found(false);
                }
                due
            })
            .count()
    }

    fn watched() -> Beat {
        let mut beat = Beat::default();
        beat.watched(true);
        beat
    }

    #[test]
    fn a_hundred_idle_sources_are_looked_at_twenty_times_a_second_where_they_are_heard_and_four_hundred_times_else()
     {
        let all = |make: fn() -> Beat| (0..100).map(|_| looks(&mut make(), 0, 60)).sum::<usize>();
        assert_eq!(all(watched), 100 * 12);
        assert_eq!(all(Beat::default), 100 * 240);
    }

    #[test]
    fn what_is_heard_is_looked_at_once_and_without_delay() {
        let mut beat = watched();
        assert!(beat.is_due(at(0), false));
        for _ in 0..1000 {
            beat.bell.ring();
        }
        assert!(!beat.is_due(at(10), false), "a moment after the last look");
        assert_eq!(beat.rest(at(10), false), Duration::from_millis(10));
        assert!(beat.is_due(at(20), false));
        assert!(!beat.is_due(at(1000), false), "once for a thousand changes");
    }

    #[test]
    fn where_changes_are_not_heard_of_it_is_looked_at_often_until_they_are() {
        let mut beat = watched();
        looks(&mut beat, 0, 1);
        for second in [5, 10] {
            assert!(beat.is_due(at(second * 1000), false));
            beat.found(true);
        }
        assert_eq!(looks(&mut beat, 11, 60), 240);
        beat.bell.ring();
        assert!(beat.is_due(at(72_000), false));
        beat.found(true);
        assert_eq!(looks(&mut beat, 73, 60), 12);
    }

    #[test]
    fn what_settles_is_looked_at_often_and_a_clock_that_is_set_back_stops_nothing() {
        let mut beat = watched();
        assert!(beat.is_due(at(60_000), false));
        assert!(beat.is_due(at(60_250), true));
        assert_eq!(beat.rest(at(0), false), Duration::from_secs(5));
        beat.looked(at(0));
        assert!(beat.is_due(at(5_000), false));
    }

    #[test]
    fn a_watch_is_asked_for_again_and_not_all_the_time() {
        let mut beat = Beat::default();
        assert!(beat.wants_watch(at(0)));
        assert!(!beat.wants_watch(at(29_000)));
        assert!(beat.wants_watch(at(30_000)));
        beat.watched(true);
        assert!(!beat.wants_watch(at(90_000)));
        beat.lost();
        assert!(beat.wants_watch(at(90_000)));
    }
}
