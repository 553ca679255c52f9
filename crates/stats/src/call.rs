//! One call, as far as the windows need to know it.
use serde::{Deserialize, Serialize};
use tollwatch_cdr::EventTime;
use tollwatch_numbering::Money;

/// What kind of call it is, as bits, so that a window can ask for several at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Traits(u16);

impl Traits {
    /// Any call at all.
    pub const ANY: Self = Self(0);
    /// Leaves the home country, or went out over a trunk to a number that nobody could read.
    pub const INTERNATIONAL: Self = Self(1);
    /// To a range known for fraud: risk tier 1 or 2, satellite or premium.
    pub const HIGH_RISK: Self = Self(2);
    /// To a premium-rate number, at home or abroad.
    pub const PREMIUM: Self = Self(4);
    /// To a number that could not be classified.
    pub const UNKNOWN: Self = Self(8);
    /// Begun outside business hours.
    pub const OFF_HOURS: Self = Self(16);
    /// The first call by this key to that country in a long while.
    pub const NEW_COUNTRY: Self = Self(32);

    /// Both sets of bits.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
    /// Whether all bits of `wanted` are set here.
    pub const fn has(self, wanted: Self) -> bool {
        self.0 & wanted.0 == wanted.0
    }
}

/// A call in a key's ring, or a pane: several old calls of the same traits folded into one entry.
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
    pub call_id: Box<[u8]>,
    /// Called number, E.164 as an integer; 0 if it could not be read, and in a pane.
    pub number: u64,
    /// Row of the destination table; [`CallStat::NO_DESTINATION`] if none matches.
    pub destination: u16,
    /// Kind of call.
    pub traits: Traits,
    /// Calls: 1, or as many as were folded into the pane.
    pub attempts: u32,
    /// Answered calls among them.
    pub answered: u32,
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
}
