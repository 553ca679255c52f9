//! The days that were asked for last.
use super::{Calendar, DAY_SECONDS};
use chrono::{DateTime, Weekday};
use tollwatch_cdr::EventTime;

/// What a calendar said of a few days, so that calls of the same day cost no look at it. Only of use with the calendar
/// that said it.
#[derive(Clone, Debug, Default)]
pub(crate) struct KnownDays([Option<KnownDay>; 4]);

/// A day of 24 hours on the wall clock.
#[derive(Clone, Copy, Debug)]
struct KnownDay {
    /// Its midnight, in seconds since 1970 UTC.
    midnight: i64,
    /// The days of the week whose hours it has, and the day before it.
    hours: Option<Weekday>,
    hours_before: Option<Weekday>,
}

impl KnownDay {
    fn minute_of(self, second: i64) -> Option<u32> {
        let since = second - self.midnight;
        (0..DAY_SECONDS).contains(&since).then_some((since / 60) as u32)
    }
}

impl Calendar {
    /// The same as [`Calendar::is_off_hours`].
    pub(crate) fn is_off_hours_by(&self, at: EventTime, known: &mut KnownDays) -> bool {
        let second = at.seconds();
        for day in known.0.iter().flatten() {
            if let Some(minute) = day.minute_of(second) {
                return !self.is_open(day.hours, day.hours_before, minute);
            }
        }
        if let Some(day) = self.day_of(second)
            && let Some(slot) = known.0.get_mut((day.midnight.div_euclid(DAY_SECONDS) & 3) as usize)
        {
            *slot = Some(day);
        }
        self.is_off_hours(at)
    }

    /// The day of an instant, unless the clock is changed on it.
    fn day_of(&self, second: i64) -> Option<KnownDay> {
        let offset_at = |second| self.zone.offset_at(EventTime::from_seconds(second));
        let offset = offset_at(second);
        let day = (second + offset).div_euclid(DAY_SECONDS);
        let midnight = day * DAY_SECONDS - offset;
        let date = DateTime::from_timestamp(day * DAY_SECONDS, 0)?.date_naive();
        let is_even = offset_at(midnight) == offset && offset_at(midnight + DAY_SECONDS - 1) == offset;
        is_even.then(|| KnownDay {
            midnight,
            hours: self.hours_of(date),
            hours_before: date.pred_opt().and_then(|before| self.hours_of(before)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::{BusinessHours, BusinessSpan};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_known_day_has_the_hours_that_the_calendar_gives_it(
            zone in prop::sample::select(&["Asia/Tokyo", "America/New_York", "Pacific/Apia", "+05:45"][..]),
            from in 0u32..24, to in 1u32..25,
            // Around the ends of summer time, New Year and the first days of May.
            starts in prop::collection::vec((0usize..5, -200_000i64..200_000), 1..40),
        ) {
            let text = |hour: u32| format!("{hour:02}:00");
            let days = ["mon", "tue", "wed", "fri", "sat"].map(str::to_owned).to_vec();
            let span = BusinessSpan { days, from: text(from), to: text(to) };
            let raw = BusinessHours { spans: vec![span], ..BusinessHours::default() };
            let calendar = Calendar::validate(&raw, "JP", zone, &mut Vec::new());
            let mut known = KnownDays::default();
            for (near, seconds) in starts {
                let near = [1_772_953_200, 1_793_512_800, 1_767_193_200, 1_777_734_000, 1_325_239_200][near];
                let at = EventTime::from_seconds(near + seconds);
                prop_assert_eq!(calendar.is_off_hours_by(at, &mut known), calendar.is_off_hours(at), "{}", at);
            }
        }
    }
}
