//! How long a source is usually quiet, so that it can be told when it is silent.
use serde::{Deserialize, Serialize};

/// A gap between two reads is judged by those that began in the same hour of the week.
const HOURS_OF_WEEK: usize = 168;
const HOUR: i64 = 3_600;
const WEEK: i64 = 168 * HOUR;
/// What was learned is kept for one to two times this long, so that a fault of last year is not usual for ever.
const GENERATION: i64 = 4 * WEEK;
/// Before a source has been seen for so long, nothing is known of its nights and weekends.
const LEARNING: i64 = WEEK;
/// No source is called silent before, however busy it was.
const LEAST: i64 = 1_800;
/// Nor is one called silent before twice the longest gap that was seen at that hour.
const TIMES_USUAL: i64 = 2;

/// When a source last gave something, and how long it usually gives nothing. Seconds of processing time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pulse {
    first: Option<i64>,
    last: Option<i64>,
    turned: Option<i64>,
    /// Longest gap that began in each hour of the week, of this generation and the one before.
    young: Vec<u32>,
    old: Vec<u32>,
}

impl Pulse {
    /// The source gave something at `now`. `offset` is that of the site's clock from UTC, in seconds.
    pub(crate) fn beat(&mut self, now: i64, offset: i64) {
        self.first.get_or_insert(now);
        if now.saturating_sub(*self.turned.get_or_insert(now)) >= GENERATION {
            self.turned = Some(now);
            self.old = std::mem::take(&mut self.young);
        }
        if let Some(last) = self.last {
            self.young.resize(HOURS_OF_WEEK, 0);
            let gap = u32::try_from(now.saturating_sub(last).max(0)).unwrap_or(u32::MAX);
            if let Some(longest) = self.young.get_mut(hour_of_week(last, offset)) {
                *longest = gap.max(*longest);
            }
        }
        self.last = Some(self.last.map_or(now, |last| last.max(now)));
    }

    /// The service was not running, or could not read: a gap that ends now says nothing of the source.
    pub(crate) fn pause(&mut self) {
        self.last = None;
    }

    /// When it last gave something.
    pub(crate) fn last(&self) -> Option<i64> {
        self.last
    }

    /// From how many seconds without a record on the source is silent; `None` while it is not known how long it is
    /// usually quiet.
    pub(crate) fn silent_after(&self, offset: i64) -> Option<i64> {
        let (first, last) = (self.first?, self.last?);
        if last.saturating_sub(first) < LEARNING {
            return None;
        }
        // A gap may begin a little earlier or later than last week.
        let hour = hour_of_week(last, offset);
        let around = [hour + HOURS_OF_WEEK - 1, hour, hour + 1].map(|hour| hour % HOURS_OF_WEEK);
        let longest = |gaps: &[u32]| around.iter().filter_map(|hour| gaps.get(*hour)).max().copied();
        let usual = longest(&self.young).max(longest(&self.old)).unwrap_or(0);
        Some((TIMES_USUAL * i64::from(usual)).max(LEAST))
    }
}

fn hour_of_week(at: i64, offset: i64) -> usize {
    (at.saturating_add(offset).rem_euclid(WEEK) / HOUR) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Thursday 1 January 1970 was the epoch; this is Monday 5 January 2026, 00:00 UTC.
    const MONDAY: i64 = 1_767_571_200;
    const DAY: i64 = 86_400;

    /// Weeks of an office that writes a record a minute from 9 to 18 on working days.
    fn office(weeks: i64) -> Pulse {
        let mut pulse = Pulse::default();
        for day in (0..weeks * 7).filter(|day| day % 7 < 5) {
            for minute in (9 * 60)..(18 * 60) {
                pulse.beat(MONDAY + day * DAY + minute * 60, 0);
            }
        }
        pulse
    }

    #[test]
    fn a_source_seen_for_less_than_a_week_is_never_called_silent() {
        let mut pulse = Pulse::default();
        pulse.beat(MONDAY, 0);
        pulse.beat(MONDAY + 6 * DAY, 0);
        assert_eq!(pulse.silent_after(0), None);
    }

    #[test]
    fn a_weekend_is_usual_and_half_an_hour_on_a_tuesday_morning_is_not() {
        let mut pulse = office(3);
        // The last record is of Friday, 17:59; the gap to Monday 9:00 is 63 hours.
        let silent = pulse.silent_after(0).unwrap();
        assert!((63 * HOUR..130 * HOUR).contains(&silent), "{silent}");
        let tuesday = MONDAY + 22 * DAY + 10 * HOUR;
        for minute in 0..60 {
            pulse.beat(tuesday - HOUR + minute * 60, 0);
        }
        assert_eq!(pulse.silent_after(0), Some(LEAST));
    }

    #[test]
    fn a_gap_while_nobody_read_teaches_nothing() {
        let mut pulse = office(2);
        let before = pulse.clone();
        pulse.pause();
        pulse.beat(MONDAY + 60 * DAY + 10 * HOUR, 0);
        assert_eq!(pulse.young.iter().max(), before.young.iter().max().filter(|_| pulse.old.is_empty()));
    }

    #[test]
    fn what_was_usual_long_ago_is_forgotten() {
        let mut pulse = office(2);
        let weekend = pulse.young.iter().max().copied();
        // From now on it writes every minute, day and night.
        let from = MONDAY + 14 * DAY;
        for minute in 0..(10 * 7 * 24 * 60) {
            pulse.beat(from + minute * 60, 0);
        }
        assert!(weekend > Some(60 * 3_600));
        assert_eq!(pulse.silent_after(0), Some(LEAST));
    }

    #[test]
    fn hours_are_those_of_the_site() {
        assert_eq!(hour_of_week(MONDAY, 0), hour_of_week(MONDAY - 9 * HOUR, 9 * HOUR));
        assert_eq!(
            hour_of_week(MONDAY - HOUR, 0),
            (hour_of_week(MONDAY, 0) + HOURS_OF_WEEK - 1) % HOURS_OF_WEEK
        );
    }
}
