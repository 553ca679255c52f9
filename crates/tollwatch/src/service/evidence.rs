//! The calls of an incident, kept for whoever has to argue with a carrier after they have left the windows.
use serde::{Deserialize, Serialize};
use tollwatch_cdr::EventTime;
use tollwatch_detect::{Evidence, ExposureV1, Settings};
use tollwatch_http::{CallV1, MOST_CALLS};
use tollwatch_numbering::{E164, Money};

/// The first calls of an incident, oldest first. Private: they hold called numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Calls(Vec<Kept>);

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    /// Microseconds since 1970.
    started_at: i64,
    /// Which of the calls that began then.
    call: u64,
    call_id: String,
    extension: Option<String>,
    number: Option<E164>,
    prefix: String,
    country: String,
    answered: bool,
    billable_seconds: u32,
    /// Micro-units.
    cost: i64,
}

impl Kept {
    fn place(&self) -> (i64, u64) {
        (self.started_at, self.call)
    }

    fn new(found: Evidence, settings: &Settings) -> Self {
        let destination = found.destination.map(|row| settings.destinations().get(row));
        Self {
            started_at: found.started_at.micros(),
            call: found.call,
            call_id: found.call_id,
            extension: found.extension,
            number: found.number,
            prefix: destination.map_or_else(String::new, |row| row.prefix.clone()),
            country: destination.map_or_else(String::new, |row| row.iso2.clone()),
            answered: found.answered,
            billable_seconds: found.billable_seconds,
            cost: found.cost.micros(),
        }
    }

    fn wire(&self, of: &ExposureV1, show_numbers: bool) -> CallV1 {
        CallV1 {
            call_id: self.call_id.clone(),
            started_at: EventTime::from_micros(self.started_at).to_string(),
            extension: self.extension.clone(),
            number: self.number.map(|number| shown(number, show_numbers)),
            prefix: self.prefix.clone(),
            country: self.country.clone(),
            answered: self.answered,
            billable_seconds: self.billable_seconds.into(),
            exposure: ExposureV1 { amount: Money::from_micros(self.cost).to_string(), ..of.clone() },
        }
    }
}

/// A number as the API shows it.
pub(super) fn shown(number: E164, in_full: bool) -> String {
    if in_full { number.to_string() } else { number.masked().to_string() }
}

impl Calls {
    /// Takes in what the engine still remembers of the calls of the same incident. Calls that are older than all of that
    /// have left its windows and stay as they were; others that it does not name any more have proved to be no part of it.
    pub(super) fn follow(&mut self, found: Vec<Evidence>, settings: &Settings) -> bool {
        let Some(from) = found.first().map(|first| first.started_at.micros()) else { return false };
        let older = self.0.iter().filter(|call| call.started_at < from).cloned();
        let mut calls: Vec<Kept> =
            older.chain(found.into_iter().map(|found| Kept::new(found, settings))).collect();
        calls.sort_by_key(Kept::place);
        calls.truncate(MOST_CALLS);
        let has_changed = calls != self.0;
        self.0 = calls;
        has_changed
    }

    /// Lets go of them.
    pub(super) fn forget(&mut self) -> bool {
        let had_any = !self.0.is_empty();
        self.0 = Vec::new();
        had_any
    }

    /// For the API. `of` says which currency and which rates.
    pub(super) fn wire(&self, of: &ExposureV1, show_numbers: bool) -> Vec<CallV1> {
        self.0.iter().map(|call| call.wire(of, show_numbers)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        crate::Config::load(None, &crate::Overrides::default()).unwrap().settings
    }

    fn found(second: i64, seconds: u32) -> Evidence {
        Evidence {
            call: 7,
            call_id: format!("c{second}"),
            started_at: EventTime::from_seconds(second),
            extension: Some("105".to_owned()),
            number: E164::from_value(224_655_500_002),
            destination: None,
            answered: true,
            billable_seconds: seconds,
            cost: Money::from_units(120),
        }
    }

    fn seen(calls: &Calls) -> Vec<(String, u64)> {
        let of = ExposureV1 { amount: String::new(), currency: "JPY".to_owned(), rates: "deck".to_owned() };
        calls.wire(&of, false).into_iter().map(|call| (call.call_id, call.billable_seconds)).collect()
    }

    #[test]
    fn what_left_the_windows_stays_and_what_proved_to_be_another_call_does_not() {
        let (settings, mut calls) = (settings(), Calls::default());
        assert!(calls.follow(vec![found(1, 10), found(2, 20), found(3, 0)], &settings));
        assert!(!calls.follow(vec![found(1, 10), found(2, 20), found(3, 0)], &settings), "nothing is new");
        assert!(!calls.follow(Vec::new(), &settings), "all have left the windows");
        // The first two have left, the third has gone on.
        assert!(calls.follow(vec![found(3, 60)], &settings));
        assert_eq!(seen(&calls), [("c1".to_owned(), 10), ("c2".to_owned(), 20), ("c3".to_owned(), 60)]);
        // The second is not named although what is older is.
        assert!(calls.follow(vec![found(1, 10), found(3, 60)], &settings));
        assert_eq!(seen(&calls), [("c1".to_owned(), 10), ("c3".to_owned(), 60)]);
    }

    #[test]
    fn the_first_fifty_are_kept_whenever_they_came_to_be_known() {
        let (settings, mut calls) = (settings(), Calls::default());
        calls.follow((10..60).map(|second| found(second, 1)).collect(), &settings);
        calls.follow((5..55).map(|second| found(second, 1)).collect(), &settings);
        let seen = seen(&calls);
        assert_eq!((seen.len(), &*seen[0].0, &*seen[49].0), (50, "c5", "c54"));
    }

    #[test]
    fn a_number_is_masked_unless_it_is_to_be_shown() {
        let (settings, mut calls) = (settings(), Calls::default());
        calls.follow(vec![found(1, 10)], &settings);
        let of = ExposureV1 { amount: String::new(), currency: "JPY".to_owned(), rates: "deck".to_owned() };
        let number = |in_full| calls.wire(&of, in_full)[0].number.clone().unwrap();
        assert_eq!((number(false), number(true)), ("+22465550****".to_owned(), "+224655500002".to_owned()));
        let wire = calls.wire(&of, false).remove(0);
        assert_eq!((&*wire.started_at, &*wire.exposure.amount), ("1970-01-01T00:00:01Z", "120.00"));
    }
}
