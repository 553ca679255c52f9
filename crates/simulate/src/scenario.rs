//! Cases to order: an office of any size with any incidents in it.

use chrono::{NaiveDate, Weekday};
use chrono_tz::Tz;
use thiserror::Error;

use crate::attack::{self, Plan};
use crate::call::Incident;
use crate::case::Case;
use crate::kind::Kind;
use crate::office::Office;

/// Most extensions of one office.
const EXTENSION_LIMIT: usize = 100_000;
/// Most days of one case.
const DAY_LIMIT: u32 = 3660;

/// Why there is no such scenario.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ScenarioError {
    /// No kind has this name.
    #[error("no kind of attack is called {name:?}")]
    UnknownKind {
        /// The name given.
        name: String,
    },
    /// The time zone database has no such zone.
    #[error("no time zone is called {name:?}")]
    UnknownZone {
        /// The name given.
        name: String,
    },
    /// An office needs 1 to 100,000 extensions.
    #[error("{count} extensions are not from 1 to {EXTENSION_LIMIT}")]
    ExtensionCount {
        /// The number given.
        count: usize,
    },
    /// A case needs 1 to 3,660 days.
    #[error("{count} days are not from 1 to {DAY_LIMIT}")]
    DayCount {
        /// The number given.
        count: u32,
    },
}

/// An order for a [`Case`].
#[derive(Debug, Clone)]
pub struct Scenario {
    seed: u64,
    extensions: usize,
    days: u32,
    first_day: NaiveDate,
    zone: Tz,
    kinds: Vec<Kind>,
}

impl Scenario {
    /// Twenty extensions in Tokyo for 21 days from Monday 9 March 2026, with nothing wrong.
    pub fn new(seed: u64) -> Self {
        let first_day = NaiveDate::from_ymd_opt(2026, 3, 9).unwrap_or_default();
        Self { seed, extensions: 20, days: 21, first_day, zone: Tz::Asia__Tokyo, kinds: Vec::new() }
    }

    /// How many extensions the office has.
    #[must_use]
    pub fn extensions(self, extensions: usize) -> Self {
        Self { extensions, ..self }
    }

    /// How many days of ordinary traffic there are. An incident near the end may outlast them.
    #[must_use]
    pub fn days(self, days: u32) -> Self {
        Self { days, ..self }
    }

    /// The first day, by the office's calendar.
    #[must_use]
    pub fn first_day(self, first_day: NaiveDate) -> Self {
        Self { first_day, ..self }
    }

    /// The zone of the PBX's clock. Numbers are dialled as in Japan all the same.
    #[must_use]
    pub fn zone(self, zone: Tz) -> Self {
        Self { zone, ..self }
    }

    /// The zone by its name in the time zone database, such as `Asia/Tokyo`.
    pub fn zone_named(self, name: &str) -> Result<Self, ScenarioError> {
        let zone = name.parse().map_err(|_| ScenarioError::UnknownZone { name: name.to_owned() })?;
        Ok(self.zone(zone))
    }

    /// One more incident. Each comes from an extension of its own while there are enough of them.
    #[must_use]
    pub fn attack(mut self, kind: Kind) -> Self {
        self.kinds.push(kind);
        self
    }

    /// Makes the case.
    pub fn build(self) -> Result<Case, ScenarioError> {
        if !(1..=EXTENSION_LIMIT).contains(&self.extensions) {
            return Err(ScenarioError::ExtensionCount { count: self.extensions });
        }
        if !(1..=DAY_LIMIT).contains(&self.days) {
            return Err(ScenarioError::DayCount { count: self.days });
        }
        let office = Office::new(self.extensions, self.zone, self.first_day, self.days);
        let mut calls = office.ordinary(self.seed);
        let mut incidents = Vec::with_capacity(self.kinds.len());
        for (incident, kind) in self.kinds.into_iter().enumerate() {
            let extension = (4 + incident) % self.extensions;
            let plan =
                Plan { kind, extension, starts_at: starts_at(&office, kind), incident, seed: self.seed };
            calls.extend(attack::calls(&office, plan));
            incidents.push(Incident { kind, extension });
        }
        Ok(Case::new(office, calls, incidents, self.seed))
    }
}

/// When an incident of a kind begins: after half the days, so that there is history, on the first day that suits it.
fn starts_at(office: &Office, kind: Kind) -> i64 {
    use Weekday::{Fri, Mon, Sat, Thu, Tue, Wed};
    let (weekdays, second): (&[Weekday], i64) = match kind {
        Kind::SierraLeone2015 | Kind::OneNumber => (&[Fri], 22 * 3600 + 900),
        Kind::LongCalls | Kind::Burst => (&[Sat], 3600 + 1300),
        Kind::SlowDrip | Kind::ConferenceGb => {
            (&[Mon, Tue], if kind == Kind::SlowDrip { 9 } else { 17 } * 3600)
        }
        Kind::Probe | Kind::DialPlanProbing => (&[Fri], 15 * 3600 + 400),
        Kind::ForwardPumping => (&[Sat], 23 * 3600),
        Kind::MondayOverseasBatch => (&[Mon], 8 * 3600 + 1900),
        Kind::FaxUs => (&[Wed, Thu], 22 * 3600 + 200),
        Kind::OneRealGuineaCall | Kind::Wrong010 => (&[Mon, Tue, Wed, Thu, Fri], 10 * 3600 + 1234),
        Kind::CallCentrePuertoRico => (&[Mon, Tue, Wed, Thu, Fri], 13 * 3600),
        Kind::NewBranchPhilippines => (&[Mon, Tue, Wed], 9 * 3600),
    };
    let half = office.days / 2;
    let day = (half..office.days).find(|day| weekdays.contains(&office.weekday(*day))).unwrap_or(half);
    office.at(day, second)
}
