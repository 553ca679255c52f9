//! Which countries were called before.
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tollwatch_cdr::EventTime;

const DAY_SECONDS: i64 = 86_400;
/// Days back that usual countries are learned from.
const LEARNED_DAYS: i64 = 30;

/// The countries that one key has called.
///
/// A call is new if the key has not called its country for so many days before it. This does not depend on the order
/// in which calls come to be known: if an earlier call turns up later, that one is the new one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CountriesCalled(Vec<Called>);

/// Calls to one country with no long silence between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Called {
    country: u16,
    first: EventTime,
    last: EventTime,
}

/// What a call is to its country.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Novelty {
    /// It is the first in a long while.
    pub is_new: bool,
    /// Calls begun then, which were taken for the first, are so no more.
    pub no_longer_new: Option<EventTime>,
}

impl CountriesCalled {
    /// Takes in a call to `country` at `at`; `silence` seconds make a country new again.
    pub(crate) fn note(&mut self, country: u16, at: EventTime, silence: i64) -> Novelty {
        let known = Novelty { is_new: false, no_longer_new: None };
        let Some(called) = self.0.iter_mut().find(|called| called.country == country) else {
            self.0.push(Called { country, first: at, last: at });
            return Novelty { is_new: true, ..known };
        };
        if at > called.last.plus_seconds(silence) {
            *called = Called { country, first: at, last: at };
            return Novelty { is_new: true, ..known };
        }
        if at >= called.first {
            called.last = called.last.max(at);
            return Novelty { is_new: at == called.first, ..known };
        }
        // Late, and before all that is remembered.
        if called.first > at.plus_seconds(silence) {
            return Novelty { is_new: true, ..known };
        }
        let was_first = std::mem::replace(&mut called.first, at);
        Novelty { is_new: true, no_longer_new: Some(was_first) }
    }

    /// Lets go of countries not called since `before`.
    pub(crate) fn forget(&mut self, before: EventTime) {
        self.0.retain(|called| called.last >= before);
    }

    /// The same countries under other numbers.
    pub(crate) fn rename(&mut self, name: impl Fn(u16) -> u16) {
        for called in &mut self.0 {
            called.country = name(called.country);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

/// The countries that a tenant calls as a rule, learned from business hours: who attacks at night teaches nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct UsualCountries(BTreeMap<u16, Days>);

/// The days on which a country was called: bit `n` is the day `n` days before the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Days {
    last: i64,
    bits: u64,
}

impl UsualCountries {
    /// Whether `country` was called on at least `days` days of the 30 that end two days before the call at `at`. The
    /// day before is left out, so that records which come late change nothing.
    pub(crate) fn is_usual(&self, country: u16, at: EventTime, days: u32) -> bool {
        let Some(called) = self.0.get(&country) else { return false };
        let newest = day(at) - 2;
        // Days `last - n` from `newest - 28` to `newest`.
        let (from, upto) = (called.last - newest, called.last - newest + LEARNED_DAYS - 2);
        let mask = |bits: i64| if bits <= 0 { 0 } else { u64::MAX >> (64 - bits.min(64)) };
        (called.bits & mask(upto + 1) & !mask(from)).count_ones() >= days
    }

    /// The same countries under other numbers.
    pub(crate) fn rename(&mut self, name: impl Fn(u16) -> u16) {
        self.0 =
            std::mem::take(&mut self.0).into_iter().map(|(country, days)| (name(country), days)).collect();
    }

    /// Takes in a call in business hours.
    pub(crate) fn learn(&mut self, country: u16, at: EventTime) {
        let day = day(at);
        let called = self.0.entry(country).or_insert(Days { last: day, bits: 0 });
        if day > called.last {
            called.bits = called.bits.checked_shl((day - called.last).min(64) as u32).unwrap_or(0);
            called.last = day;
        }
        if let Ok(back) = u32::try_from(called.last - day)
            && back < 64
        {
            called.bits |= 1 << back;
        }
    }
}

fn day(at: EventTime) -> i64 {
    at.seconds().div_euclid(DAY_SECONDS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    const SILENCE: i64 = 30 * DAY_SECONDS;

    /// The starts of the calls that are new, by looking at all of them.
    fn new_ones(starts: &[i64]) -> BTreeSet<i64> {
        let before = |at: i64| starts.iter().any(|other| *other < at && *other >= at - SILENCE);
        starts.iter().copied().filter(|at| !before(*at)).collect()
    }

    proptest! {
        #[test]
        fn which_calls_are_new_does_not_depend_on_their_order(
            mut starts in proptest::collection::vec((0i64..40).prop_map(|n| n * DAY_SECONDS / 2), 1..30),
            seed in any::<u64>(),
        ) {
            // Any order: a rotation and a stride are enough to mix these.
            let turn = seed as usize % starts.len();
            starts.rotate_left(turn);
            let mut called = CountriesCalled::default();
            let mut new = BTreeSet::new();
            for start in &starts {
                let novelty = called.note(7, EventTime::from_seconds(*start), SILENCE);
                if novelty.is_new {
                    new.insert(*start);
                }
                if let Some(was) = novelty.no_longer_new {
                    new.remove(&was.seconds());
                }
            }
            prop_assert_eq!(new, new_ones(&starts));
        }

        #[test]
        fn a_country_is_usual_by_the_days_it_was_called_on(
            days in proptest::collection::vec(0i64..120, 0..60),
            at in 0i64..130,
            needed in 1u32..6,
        ) {
            let mut usual = UsualCountries::default();
            for day in &days {
                usual.learn(44, EventTime::from_seconds(day * DAY_SECONDS + day * 97 % DAY_SECONDS));
            }
            // What is further back than the memory of 64 days before the last is gone.
            let last = days.iter().max().copied().unwrap_or(0);
            let window: BTreeSet<i64> =
                days.iter().copied().filter(|day| (at - 30..=at - 2).contains(day) && last - day < 64).collect();
            prop_assert_eq!(
                usual.is_usual(44, EventTime::from_seconds(at * DAY_SECONDS + 5), needed),
                window.len() >= needed as usize
            );
            prop_assert!(!usual.is_usual(45, EventTime::from_seconds(at * DAY_SECONDS), 1));
        }
    }
}
