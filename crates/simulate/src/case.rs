//! A case: traffic of one PBX with its incidents.

use crate::call::{Call, Incident, Outcome};
use crate::cdr_csv;
use crate::office::Office;
use crate::switch::{self, Placed, Role};

/// The traffic of one PBX, and the truth about it.
#[derive(Debug, Clone)]
pub struct Case {
    /// The PBX.
    pub office: Office,
    /// Every call, by start.
    pub calls: Vec<Call>,
    /// What happened; calls point into it.
    pub incidents: Vec<Incident>,
    /// The seed it was made from.
    pub seed: u64,
}

/// The truth about one record of an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelledCall {
    /// `uniqueid` of the record.
    pub call_id: String,
    /// Which incident: a place in [`Case::incidents`].
    pub incident: usize,
    /// Number of the extension that pays.
    pub extension: String,
    /// The outside number or the feature code as dialled; empty for a call that stays inside or comes in.
    pub dialled: String,
    /// Start, microseconds since 1970 UTC.
    pub started_at: i64,
    /// End, microseconds since 1970 UTC.
    pub ended_at: i64,
    /// Whether it was answered.
    pub is_answered: bool,
    /// Seconds charged for.
    pub billable_seconds: i64,
}

impl Case {
    /// Puts calls in order of start; ties keep the order given.
    pub(crate) fn new(office: Office, mut calls: Vec<Call>, incidents: Vec<Incident>, seed: u64) -> Self {
        calls.sort_by_key(|call| call.started_at);
        Self { office, calls, incidents, seed }
    }

    pub(crate) fn placed(&self) -> Vec<Placed<'_>> {
        let extensions = self.office.extensions.iter().chain(&self.office.added);
        let numbers: Vec<&str> = extensions.map(|extension| &*extension.number).collect();
        switch::place(&self.calls, &numbers, self.seed)
    }

    /// The labelled calls, by start: one for each call that belongs to an incident. Of a forwarded call it is the leg that
    /// goes out, since that is the one the carrier charges for.
    pub fn labelled_calls(&self) -> Vec<LabelledCall> {
        let mut labelled = Vec::new();
        for placed in &self.placed() {
            let Some(incident) = placed.call.incident else { continue };
            let paid = placed.channel(Role::LocalSecond).map_or(Role::Caller, |local| local.role);
            for row in cdr_csv::rows(self, placed) {
                if row.unique_id != placed.unique_id(paid) {
                    continue;
                }
                labelled.push(LabelledCall {
                    call_id: row.unique_id.to_owned(),
                    incident,
                    extension: self.office.number(placed.call.route.extension()).to_owned(),
                    dialled: placed.call.route.dialled().unwrap_or_default().to_owned(),
                    started_at: row.started_at,
                    ended_at: row.ended_at,
                    is_answered: matches!(placed.call.outcome, Outcome::Answered { .. }),
                    billable_seconds: row.billable_seconds(),
                });
            }
        }
        labelled
    }
}
