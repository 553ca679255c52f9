//! What an incident can be.

use std::{fmt, str::FromStr};

use crate::ScenarioError;

/// A kind of attack, or of innocent traffic that looks like one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// Short calls to one country round the clock for four days, as in Japan in 2015.
    SierraLeone2015,
    /// Many calls to a single number over a weekend (Frip Finishing, 2011).
    OneNumber,
    /// A few channels held open for hours (a firm in Sydney, about 2006).
    LongCalls,
    /// Dozens of calls at once for an hour or more.
    Burst,
    /// A call every half hour in office hours to dear special ranges: slower than rate rules look.
    SlowDrip,
    /// Test calls to many countries, hours before a pumping.
    Probe,
    /// One target behind changing heads, all of them refused.
    DialPlanProbing,
    /// Outside callers pump a number that an extension forwards its calls to.
    ForwardPumping,
    /// Thirty extensions, two calls each to one range within an hour, in office hours: nobody alone does much.
    Spread,
    /// A call every 20 to 27 minutes to high-risk ranges over a weekend, 160 in all (an Irish office).
    WeekendSlowBurn,
    /// One call of eight minutes in each office hour of a week to a dear range.
    WeekTrickle,
    /// Consecutive numbers of one range in a country that is on no list (a honeypot's `…780294`, `…780296`).
    NeighbourNumbers,
    /// Forty countries, one call each.
    RoundRobin,
    /// One number of an ordinary country again and again, nothing in between.
    SameNumberRun,
    /// Special ranges of the United Kingdom, Belgium, Switzerland and Italy, most calls to a single one of them.
    CheapCountryRanges,
    /// Premium-rate and shared-cost numbers of the home country.
    PremiumAtHome,
    /// Satellite phones and international networks: +870, +881, +882, +883.
    Satellite,
    /// At night a code forwards an extension abroad, then outside callers pump it.
    ForwardingCode,
    /// A few short calls to a range in the afternoon, and hours later the pumping of that range.
    TestCallsThenPumping,
    /// Forty extensions burst at once.
    Storm,
    /// One extension claims another caller id in each call.
    RandomCallerIds,
    /// A flood of channel names never seen before, one call each.
    InventedExtensions,
    /// Innocent: on Monday morning the trading desk calls its agents abroad one after another.
    MondayOverseasBatch,
    /// Innocent: a fax machine that sends to the United States and retries.
    FaxUs,
    /// Innocent: long telephone conferences with the United Kingdom.
    ConferenceGb,
    /// Innocent: a single call to Guinea, in office hours, by a person.
    OneRealGuineaCall,
    /// Innocent: somebody fumbles the international prefix a few times.
    Wrong010,
    /// Innocent: a call centre calls back customers in Puerto Rico.
    CallCentrePuertoRico,
    /// Innocent: a branch opens in the Philippines, and everybody calls a country never called before.
    NewBranchPhilippines,
    /// Innocent: an office calls one risky country every working day, and once at night.
    UsualCountry,
    /// Innocent: a fax at night to a number that looks premium; the operator lists it as allowed
    /// ([`ALLOW_LISTED_FAX`](crate::ALLOW_LISTED_FAX)).
    FaxAllowListed,
    /// Innocent: fifty people each call the same head office abroad once within an hour.
    HeadOfficeAbroad,
    /// Innocent: a list of customers at home is called back, in neighbouring numbers.
    CallBackList,
    /// Innocent: on 31 December the year's partners in the usual countries get a short call each.
    YearEndGreetings,
    /// Innocent: eight colleagues are in one conference bridge abroad at once.
    ConferenceBridge,
    /// Innocent: a shipping company calls its vessel by satellite on each of four mornings.
    ShipBySatellite,
    /// Innocent: a code forwards a desk phone to a mobile at home for the evening.
    ForwardToMobile,
    /// Innocent: a busy ticket hotline at home (0570) is dialled again and again.
    HotlineRedial,
    /// Innocent: before a journey nine partners in nine countries get a call each.
    SalesRound,
    /// Innocent: one extension calls for three departments and shows the number of each.
    DepartmentNumbers,
    /// Innocent: twelve new extensions appear in a morning and call, once each abroad.
    NewFloor,
    /// Innocent: a team abroad is called for a quarter of an hour every two hours, five days.
    DailyStandUps,
    /// Innocent: three dear service lines in Belgium within some hours.
    ServiceLinesAbroad,
}

impl Kind {
    /// Every kind, attacks first.
    pub const ALL: [Self; 43] = [
        Self::SierraLeone2015,
        Self::OneNumber,
        Self::LongCalls,
        Self::Burst,
        Self::SlowDrip,
        Self::Probe,
        Self::DialPlanProbing,
        Self::ForwardPumping,
        Self::Spread,
        Self::WeekendSlowBurn,
        Self::WeekTrickle,
        Self::NeighbourNumbers,
        Self::RoundRobin,
        Self::SameNumberRun,
        Self::CheapCountryRanges,
        Self::PremiumAtHome,
        Self::Satellite,
        Self::ForwardingCode,
        Self::TestCallsThenPumping,
        Self::Storm,
        Self::RandomCallerIds,
        Self::InventedExtensions,
        Self::MondayOverseasBatch,
        Self::FaxUs,
        Self::ConferenceGb,
        Self::OneRealGuineaCall,
        Self::Wrong010,
        Self::CallCentrePuertoRico,
        Self::NewBranchPhilippines,
        Self::UsualCountry,
        Self::FaxAllowListed,
        Self::HeadOfficeAbroad,
        Self::CallBackList,
        Self::YearEndGreetings,
        Self::ConferenceBridge,
        Self::ShipBySatellite,
        Self::ForwardToMobile,
        Self::HotlineRedial,
        Self::SalesRound,
        Self::DepartmentNumbers,
        Self::NewFloor,
        Self::DailyStandUps,
        Self::ServiceLinesAbroad,
    ];

    /// Its name on the command line and in the labels.
    pub fn name(self) -> &'static str {
        match self {
            Self::SierraLeone2015 => "sierra-leone-2015",
            Self::OneNumber => "one-number",
            Self::LongCalls => "long-calls",
            Self::Burst => "burst",
            Self::SlowDrip => "slow-drip",
            Self::Probe => "probe",
            Self::DialPlanProbing => "dial-plan-probing",
            Self::ForwardPumping => "forward-pumping",
            Self::Spread => "spread",
            Self::WeekendSlowBurn => "weekend-slow-burn",
            Self::WeekTrickle => "week-trickle",
            Self::NeighbourNumbers => "neighbour-numbers",
            Self::RoundRobin => "round-robin",
            Self::SameNumberRun => "same-number-run",
            Self::CheapCountryRanges => "cheap-country-ranges",
            Self::PremiumAtHome => "premium-at-home",
            Self::Satellite => "satellite",
            Self::ForwardingCode => "forwarding-code",
            Self::TestCallsThenPumping => "test-calls-then-pumping",
            Self::Storm => "storm",
            Self::RandomCallerIds => "random-caller-ids",
            Self::InventedExtensions => "invented-extensions",
            Self::MondayOverseasBatch => "monday-overseas-batch",
            Self::FaxUs => "fax-us",
            Self::ConferenceGb => "conference-gb",
            Self::OneRealGuineaCall => "one-real-guinea-call",
            Self::Wrong010 => "wrong-010",
            Self::CallCentrePuertoRico => "call-centre-puerto-rico",
            Self::NewBranchPhilippines => "new-branch-philippines",
            Self::UsualCountry => "usual-country",
            Self::FaxAllowListed => "fax-allow-listed",
            Self::HeadOfficeAbroad => "head-office-abroad",
            Self::CallBackList => "call-back-list",
            Self::YearEndGreetings => "year-end-greetings",
            Self::ConferenceBridge => "conference-bridge",
            Self::ShipBySatellite => "ship-by-satellite",
            Self::ForwardToMobile => "forward-to-mobile",
            Self::HotlineRedial => "hotline-redial",
            Self::SalesRound => "sales-round",
            Self::DepartmentNumbers => "department-numbers",
            Self::NewFloor => "new-floor",
            Self::DailyStandUps => "daily-stand-ups",
            Self::ServiceLinesAbroad => "service-lines-abroad",
        }
    }

    /// Whether an alert about it would be right.
    pub fn is_fraud(self) -> bool {
        self <= Self::InventedExtensions
    }

    /// How many extensions take part, where the office has so many.
    pub fn extensions(self) -> usize {
        match self {
            Self::Spread => 30,
            Self::Storm => 40,
            Self::HeadOfficeAbroad => 50,
            Self::ConferenceBridge => 8,
            Self::NewBranchPhilippines => 4,
            _ => 1,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Kind {
    type Err = ScenarioError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == name)
            .ok_or_else(|| ScenarioError::UnknownKind { name: name.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_found_by_its_own_name() {
        for kind in Kind::ALL {
            assert_eq!(kind.name().parse(), Ok(kind));
        }
        assert!("sierra-leone".parse::<Kind>().is_err());
    }

    #[test]
    fn attacks_come_before_what_is_innocent() {
        assert!(Kind::ALL.is_sorted());
        assert_eq!(Kind::ALL.iter().filter(|kind| kind.is_fraud()).count(), 22);
        assert!(Kind::InventedExtensions.is_fraud() && !Kind::MondayOverseasBatch.is_fraud());
    }
}
