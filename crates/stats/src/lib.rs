//! Per-key call statistics over sliding windows of event time.
//!
//! A key (an extension, a trunk, a called range) owns one [`Windows`]: a ring of its watched calls in the order
//! of their start, and a running total for each window. Every total can be subtracted from, so a call that comes
//! in late is put where it belongs, and every window that holds it is shown to the caller, not only the newest.
//! What is no total (different numbers, runs, overlap) is counted over the ring around one call.
//!
//! **Invariant:** nothing here reads a clock; the same calls in the same order give the same totals.
mod call;
mod call_id;
mod distinct;
mod near;
mod overlap;
mod run;
mod totals;
mod window;

pub use call::{CallStat, Traits};
pub use call_id::CallId;
pub use near::Search;
pub use totals::Totals;
pub use window::{WindowSpec, WindowSpecs, Windows};
