//! Dial plans, E.164 numbers, destinations with their risk, and rates.
//!
//! Pure: no clock, no IO, no randomness. What comes from a call is bytes of unknown origin; nothing here panics on them.

mod called;
mod dial_plan;
mod e164;

pub use called::{Called, CalledClass, Certainty, Form, PeerKind, Prefix, Reading, ReadingForm};
pub use dial_plan::{DialPlan, DialPlanError, DialPlanProblem, RawDialPlan};
pub use e164::{E164, E164Range, Masked};
