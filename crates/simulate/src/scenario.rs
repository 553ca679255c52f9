//! Cases to order: an office of any size with any incidents in it.

use chrono::{Datelike, Days, NaiveDate, Weekday};
use chrono_tz::Tz;
use thiserror::Error;

use crate::attack::{self, Plan};
use crate::call::Incident;
use crate::case::Case;
use crate::kind::Kind;
use crate::office::Office;

/// Most extensions of one office.
const EXTENSION_LIMIT: usize = 100_000;
/// The day of greetings, unless the days are ordered otherwise.
const NEW_YEARS_EVE: Option<NaiveDate> = NaiveDate::from_ymd_opt(2026, 12, 31);
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
    first_day: Option<NaiveDate>,
    zone: Tz,
    kinds: Vec<Kind>,
}

impl Scenario {
    /// Twenty extensions in Tokyo for 21 days from Monday 9 March 2026, with nothing wrong. With greetings at the year's end
    /// the days are those around it.
    pub fn new(seed: u64) -> Self {
        Self { seed, extensions: 20, days: 21, first_day: None, zone: Tz::Asia__Tokyo, kinds: Vec::new() }
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
        Self { first_day: Some(first_day), ..self }
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
        let first_day = self.first_day.unwrap_or_else(|| self.usual_first_day());
        let mut office = Office::new(self.extensions, self.zone, first_day, self.days);
        let mut calls = office.ordinary(self.seed);
        let mut incidents = Vec::with_capacity(self.kinds.len());
        for (incident, kind) in self.kinds.into_iter().enumerate() {
            let extension = (4 + incident) % self.extensions;
            let plan =
                Plan { kind, extension, starts_at: starts_at(&office, kind), incident, seed: self.seed };
            let made = attack::calls(&mut office, plan);
            let extension = made.first().map_or(extension, |call| call.route.extension());
            calls.extend(made);
            incidents.push(Incident { kind, extension });
        }
        Ok(Case::new(office, calls, incidents, self.seed))
    }

    fn usual_first_day(&self) -> NaiveDate {
        let is_year_end = self.kinds.contains(&Kind::YearEndGreetings);
        let day = if is_year_end {
            NEW_YEARS_EVE.and_then(|eve| eve.checked_sub_days(Days::new(u64::from(self.days / 2))))
        } else {
            NaiveDate::from_ymd_opt(2026, 3, 9)
        };
        day.unwrap_or_default()
    }
}

/// When an incident of a kind begins: after half the days, so that there is history, on the first day that suits it.
fn starts_at(office: &Office, kind: Kind) -> i64 {
    use Weekday::{Fri, Mon, Sat, Sun, Thu, Tue, Wed};
    let (weekdays, second): (&[Weekday], i64) = match kind {
        Kind::SierraLeone2015 | Kind::OneNumber => (&[Fri], 22 * 3600 + 900),
        Kind::LongCalls | Kind::Burst => (&[Sat], 3600 + 1300),
        Kind::SlowDrip | Kind::ConferenceGb => {
            (&[Mon, Tue], if kind == Kind::SlowDrip { 9 } else { 17 } * 3600)
        }
        Kind::Probe | Kind::DialPlanProbing | Kind::TestCallsThenPumping => (&[Fri], 15 * 3600 + 400),
        Kind::Spread => (&[Tue, Wed, Thu], 14 * 3600),
        Kind::WeekendSlowBurn => (&[Fri], 18 * 3600 + 1800),
        Kind::WeekTrickle | Kind::DailyStandUps => (&[Tue], 9 * 3600),
        Kind::NeighbourNumbers | Kind::SameNumberRun => (&[Tue, Wed, Thu], 10 * 3600 + 700),
        Kind::RoundRobin => (&[Tue, Wed, Thu], 13 * 3600 + 900),
        Kind::CheapCountryRanges => (&[Wed, Thu], 9 * 3600 + 1500),
        Kind::PremiumAtHome => (&[Sat], 20 * 3600),
        Kind::Satellite => (&[Sun], 4 * 3600),
        Kind::ForwardingCode => (&[Sat], 3600),
        Kind::Storm | Kind::InventedExtensions | Kind::RandomCallerIds => (&[Sat, Sun], 2 * 3600 + 600),
        Kind::ForwardPumping => (&[Sat], 23 * 3600),
        Kind::MondayOverseasBatch => (&[Mon], 8 * 3600 + 1900),
        Kind::FaxUs => (&[Wed, Thu], 22 * 3600 + 200),
        Kind::OneRealGuineaCall | Kind::Wrong010 => (&[Mon, Tue, Wed, Thu, Fri], 10 * 3600 + 1234),
        Kind::CallCentrePuertoRico | Kind::CallBackList => (&[Mon, Tue, Wed, Thu, Fri], 13 * 3600),
        Kind::NewBranchPhilippines => (&[Mon, Tue, Wed], 9 * 3600),
        Kind::UsualCountry => (&[Wed, Thu], 22 * 3600 + 2400),
        Kind::FaxAllowListed => (&[Tue, Wed], 21 * 3600 + 300),
        Kind::HeadOfficeAbroad => (&[Mon, Tue], 10 * 3600),
        Kind::YearEndGreetings => (&[], 10 * 3600),
        Kind::ConferenceBridge => (&[Wed, Thu], 16 * 3600),
        Kind::ShipBySatellite => (&[Mon, Tue], 9 * 3600 + 1800),
        Kind::ForwardToMobile => (&[Mon, Tue, Wed, Thu], 18 * 3600 + 2400),
        Kind::HotlineRedial => (&[Mon, Tue, Wed, Thu, Fri], 10 * 3600),
        Kind::SalesRound | Kind::ServiceLinesAbroad => (&[Tue, Wed, Thu], 14 * 3600 + 600),
        Kind::DepartmentNumbers | Kind::NewFloor => (&[Mon, Tue, Wed, Thu], 9 * 3600 + 900),
    };
    let half = office.days / 2;
    let suits = |day: &u32| match kind {
        Kind::YearEndGreetings => {
            office.date(*day).is_some_and(|date| (date.month(), date.day()) == (12, 31))
        }
        _ => weekdays.contains(&office.weekday(*day)),
    };
    let day = (half..office.days).find(suits).unwrap_or(half);
    office.at(day, second)
}
