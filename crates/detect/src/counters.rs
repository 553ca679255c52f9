//! What the engine saw, for the summary and the metrics.
use serde::{Deserialize, Serialize};
use tollwatch_numbering::Money;

/// Counts since the engine began, per tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Completed legs read.
    pub cdrs: u64,
    /// Live events read.
    pub call_events: u64,
    /// Records read before, dropped.
    pub duplicates: u64,
    /// Calls begun longer ago than the windows reach back when they came to be known.
    pub late: u64,
    /// Calls that went out over a trunk.
    pub outbound: u64,
    /// Of these, calls that the rules watch: abroad, premium, or to a number nobody could read.
    pub watched: u64,
    /// Of these, to high-risk destinations.
    pub high_risk: u64,
    /// Calls over a trunk to a number that could not be classified.
    pub unclassified: u64,
    /// Watched calls for which no extension could be found.
    pub unattributed: u64,
    /// Calls whose end was never seen and that were closed for their age.
    pub closed_for_age: u64,
    /// Calls of which more became known than could still be put to them: they had left the windows, or were folded
    /// into a pane of a hot key. Their charges stay as they were estimated.
    pub unsettled: u64,
    /// Codes dialled that forward an extension to a number that the rules watch.
    pub forwarding_codes: u64,
    /// Calls to numbers on the allow-list.
    pub allowed: u64,
    /// Records dated more than a day ahead of all others, which nothing confirmed: a clock that is wrong.
    pub untrusted_clock: u64,
    /// Alerts about single extensions that a storm's alerts spoke for.
    pub alerts_folded: u64,
    /// Extensions and other keys that were let go, since there were more than are kept.
    pub keys_let_go: u64,
    /// Times that legs had to be forgotten early, since there were more than are kept.
    pub legs_forgotten_early: u64,
    /// Times that records had to be forgotten early: a record repeated after that counts twice.
    pub records_forgotten_early: u64,
    /// Calls that were booked under their trunk before their time, since many records came while they waited for the
    /// one that says who is charged.
    pub waited_too_many: u64,
    /// Incidents that are over and were not kept for the report, since there were more than are kept.
    pub incidents_not_kept: u64,
    /// Times that a storm had no place for an extension in its list, since as many as it names cost more.
    pub extensions_not_named: u64,
    /// Incidents that a storm's alerts spoke for, and that do not say so, since there were more than are kept.
    pub incidents_not_folded: u64,
    /// Calls over a trunk whose name was not learned, since as many as are kept were known.
    pub trunks_not_learned: u64,
    /// Records that named a tenant beyond those that are kept, and were taken for their source's.
    pub tenants_turned_away: u64,
    /// Estimated charges of the watched calls.
    pub exposure: Money,
}

impl Counters {
    /// Adds another tenant's counts.
    pub fn add(&mut self, other: &Self) {
        self.cdrs += other.cdrs;
        self.call_events += other.call_events;
        self.duplicates += other.duplicates;
        self.late += other.late;
        self.outbound += other.outbound;
        self.watched += other.watched;
        self.high_risk += other.high_risk;
        self.unclassified += other.unclassified;
        self.unattributed += other.unattributed;
        self.closed_for_age += other.closed_for_age;
        self.unsettled += other.unsettled;
        self.forwarding_codes += other.forwarding_codes;
        self.allowed += other.allowed;
        self.untrusted_clock += other.untrusted_clock;
        self.alerts_folded += other.alerts_folded;
        self.keys_let_go += other.keys_let_go;
        self.legs_forgotten_early += other.legs_forgotten_early;
        self.records_forgotten_early += other.records_forgotten_early;
        self.waited_too_many += other.waited_too_many;
        self.incidents_not_kept += other.incidents_not_kept;
        self.extensions_not_named += other.extensions_not_named;
        self.incidents_not_folded += other.incidents_not_folded;
        self.trunks_not_learned += other.trunks_not_learned;
        self.tenants_turned_away += other.tenants_turned_away;
        self.exposure = self.exposure.saturating_add(other.exposure);
    }
}
