//! Dial plans, E.164 numbers, destinations with their risk, and rates.
//!
//! Pure: no clock, no IO, no randomness. What comes from a call is bytes of unknown origin; nothing here panics on them.

mod called;
mod destination;
mod dial_plan;
mod e164;
mod money;
mod prefix_trie;
mod rates;

pub use called::{Called, CalledClass, Certainty, Form, PeerKind, Prefix, Reading, ReadingForm};
pub use destination::{
    DatasetError, Destination, DestinationClass, DestinationId, DestinationKind, Destinations,
};
pub use dial_plan::{DialPlan, DialPlanError, DialPlanProblem, RawDialPlan};
pub use e164::{E164, E164Range, Masked};
pub use money::{Money, MoneyError};
pub use rates::{
    CalendarDate, DeckError, DeckProblem, DeckWarning, ImportOptions, Imported, Rate, RateBasis, RateDeck,
};
