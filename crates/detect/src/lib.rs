//! Rules, incidents and the engine: records in, alerts out, the same every time.
//!
//! The way of a record through the engine:
//!
//! 1. **admit** ([`Engine::observe`], in the order of the input): duplicates are dropped, the legs of a call
//!    are put together, the extension that is charged is found, the number is read. What is left are the
//!    calls that cost money, each under its key (an extension, or a trunk where no extension is known).
//! 2. **detect** ([`Engine::flush`], key by key): the calls of a batch are grouped by key, put into the key's
//!    windows, and the rules look at every window that changed. Nothing a key does depends on another key.
//!
//! **Invariant:** how the input is cut into batches, when snapshots are taken, and which tenants share an
//! engine changes no byte of what comes out.
mod across;
mod admit;
mod booking;
mod calendar;
mod clock;
mod counters;
mod countries;
mod engine;
mod evidence;
mod incident;
mod key;
mod keys;
mod ledger;
mod legs;
mod name;
mod owner;
mod reconfigure;
mod rule;
mod scope;
mod settings;
mod standing;
mod state;
mod storm;
mod tenant;
mod waiting;
mod wire;

pub use calendar::{BusinessHours, BusinessSpan, Calendar};
pub use counters::Counters;
pub use engine::{Alert, AlertReason, Engine, Observed, SnapshotError, TenantId};
pub use evidence::Evidence;
pub use incident::{DetectedOn, Incident, Severity, Trigger};
pub use name::stable_name;
pub use rule::{
    DestinationSet, Measure, Outcomes, RawDestinations, RawRule, RawThreshold, RawValue, Rule, Threshold,
    When, parse_duration,
};
pub use scope::{Scope, ScopeKind};
pub use settings::{Detection, Problem, RawAllowed, RawDetection, RawLimits, Settings, Watched};
pub use standing::Standing;
pub use state::Changes;
pub use storm::STORM_RULE;
// What this crate's own calls ask for and give, for those that know no crate below it.
pub use tollwatch_cdr::{EventTime, Zone};
pub use wire::{
    AboutV1, AlertReasonV1, AlertV1, ConditionKindV1, ConditionV1, DestinationV1, ExposureV1, IncidentV1,
    ScopeV1, TriggerV1,
};
