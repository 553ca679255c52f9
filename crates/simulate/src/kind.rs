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
}

impl Kind {
    /// Every kind, attacks first.
    pub const ALL: [Self; 15] = [
        Self::SierraLeone2015,
        Self::OneNumber,
        Self::LongCalls,
        Self::Burst,
        Self::SlowDrip,
        Self::Probe,
        Self::DialPlanProbing,
        Self::ForwardPumping,
        Self::MondayOverseasBatch,
        Self::FaxUs,
        Self::ConferenceGb,
        Self::OneRealGuineaCall,
        Self::Wrong010,
        Self::CallCentrePuertoRico,
        Self::NewBranchPhilippines,
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
            Self::MondayOverseasBatch => "monday-overseas-batch",
            Self::FaxUs => "fax-us",
            Self::ConferenceGb => "conference-gb",
            Self::OneRealGuineaCall => "one-real-guinea-call",
            Self::Wrong010 => "wrong-010",
            Self::CallCentrePuertoRico => "call-centre-puerto-rico",
            Self::NewBranchPhilippines => "new-branch-philippines",
        }
    }

    /// Whether an alert about it would be right.
    pub fn is_fraud(self) -> bool {
        self <= Self::ForwardPumping
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
    fn eight_kinds_are_fraud_and_seven_are_innocent() {
        assert_eq!(Kind::ALL.iter().filter(|kind| kind.is_fraud()).count(), 8);
        assert!(!Kind::MondayOverseasBatch.is_fraud());
    }
}
