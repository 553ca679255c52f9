//! One call, as far as the windows need to know it.
use crate::CallId;
use serde::{Deserialize, Serialize};
use tollwatch_cdr::EventTime;
use tollwatch_numbering::Money;

/// What kind of call it is, as bits, so that a window can ask for several at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Traits(u32);

impl Traits {
    /// Any call at all.
    pub const ANY: Self = Self(0);
    /// Leaves the home country, or went out over a trunk to a number that nobody could read.
    pub const INTERNATIONAL: Self = Self(1);
    /// To a range known for fraud: risk tier 1 or 2, satellite or premium.
    pub const HIGH_RISK: Self = Self(1 << 1);
    /// To a premium-rate number, at home or abroad.
    pub const PREMIUM: Self = Self(1 << 2);
    /// To a number that could not be classified.
    pub const UNKNOWN: Self = Self(1 << 3);
    /// Begun outside business hours.
    pub const OFF_HOURS: Self = Self(1 << 4);
    /// The first call by this key to that country in a long while.
    pub const NEW_COUNTRY: Self = Self(1 << 5);
    /// To a satellite network.
    pub const SATELLITE: Self = Self(1 << 6);
    /// To a special range (premium, shared cost) of a country whose ordinary numbers are cheap and often called.
    pub const SPECIAL_RANGE: Self = Self(1 << 7);
    /// Of a high price class, whatever else is known of the number.
    pub const EXPENSIVE: Self = Self(1 << 8);
    /// To a country that this key does not usually call.
    pub const UNUSUAL: Self = Self(1 << 9);
    /// Begun while its key was armed: something like a test call had been seen, and stricter rules hold.
    pub const ARMED: Self = Self(1 << 10);
    /// To a number that is not on the allow-list.
    pub const NOT_ALLOWED: Self = Self(1 << 11);
    /// A code was dialled that sets call forwarding.
    pub const FORWARDING_CODE: Self = Self(1 << 12);
    /// Ended without an answer, or within seconds of it.
    pub const SHORT_OR_FAILED: Self = Self(1 << 13);
    /// Begun within business hours.
    pub const BUSINESS_HOURS: Self = Self(1 << 14);

    /// Both sets of bits.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
    /// These bits but those of `other`.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }
    /// Whether all bits of `wanted` are set here.
    pub const fn has(self, wanted: Self) -> bool {
        self.0 & wanted.0 == wanted.0
    }
}

/// A call in a key's ring, or a pane: several old calls of the same traits folded into one entry. 104 bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallStat {
    /// Start of the call; of a pane, of its first call.
    pub first_at: EventTime,
    /// Start of the call; of a pane, of its last call.
    pub last_at: EventTime,
    /// End of the call; [`EventTime::MAX`] while it goes on.
    pub ended_at: EventTime,
    /// Which call it is, for settling it later; 0 in a pane.
    pub call: u64,
    /// Id for people, as the PBX writes it; empty in a pane.
    pub call_id: CallId,
    /// Called number, E.164 as an integer; 0 if it could not be read, and in a pane.
    pub number: u64,
    /// Who placed it, as the caller of this crate numbers extensions, for keys wider than one of them; 0 if
    /// nobody is known, and in a pane.
    pub extension: u32,
    /// Row of the destination table; [`CallStat::NO_DESTINATION`] if none matches.
    pub destination: u16,
    /// The destination's country, as the caller numbers them; [`CallStat::NO_DESTINATION`] if none is known.
    pub country: u16,
    /// Kind of call.
    pub traits: Traits,
    /// Calls: 1, or as many as were folded into the pane.
    pub attempts: u32,
    /// Answered calls among them.
    pub answered: u32,
    /// Calls among them that ended without an answer; a call that goes on is not among them yet.
    pub failed: u32,
    /// Billable seconds.
    pub billable_seconds: u32,
    /// Estimated charge.
    pub cost: Money,
}

impl CallStat {
    /// No row of the destination table.
    pub const NO_DESTINATION: u16 = u16::MAX;

    /// Whether the call still goes on.
    pub fn is_open(&self) -> bool {
        self.ended_at == EventTime::MAX
    }
    /// Whether this is several calls folded into one entry.
    pub fn is_pane(&self) -> bool {
        self.call == 0
    }
    /// The called number; none if nobody could read it.
    pub fn called_number(&self) -> Option<u64> {
        Some(self.number).filter(|number| *number != 0)
    }
    /// The block of neighbouring numbers that was called; none if nobody could read the number.
    pub fn range(&self) -> Option<u64> {
        // As `E164::range` has it: what stands here has been read as a number before.
        self.called_number().map(|number| number / 10_000)
    }
    /// Who placed it, if it is known.
    pub fn placed_by(&self) -> Option<u32> {
        Some(self.extension).filter(|extension| *extension != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_takes_104_bytes_of_a_ring() {
        assert_eq!(size_of::<CallStat>(), 104);
    }

    #[test]
    fn a_trait_that_is_taken_away_leaves_the_others() {
        let both = Traits::ARMED.with(Traits::UNUSUAL);
        assert_eq!(both.without(Traits::ARMED), Traits::UNUSUAL);
        assert_eq!(both.without(Traits::SATELLITE), both);
        assert!(both.has(Traits::UNUSUAL) && !both.has(Traits::UNUSUAL.with(Traits::EXPENSIVE)));
    }
}
