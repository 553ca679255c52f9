//! What the API shows: built by the engine's thread, put where requests find it, never changed after that.
use crate::wire::{
    CallV1, CheckV1, ConditionStatusV1, IncidentDetailV1, IncidentStatusV1, MuteV1, NotifierV1, RuleV1,
    SourceV1,
};
use arc_swap::ArcSwap;
use chrono::DateTime;
use std::sync::Arc;

/// So many calls of an incident are shown as evidence.
pub const MOST_CALLS: usize = 50;

/// One incident as it is kept for the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncidentEntry {
    detail: IncidentDetailV1,
    detected_at: i64,
}

impl IncidentEntry {
    /// An incident with its evidence; of the calls, the first [`MOST_CALLS`] are kept.
    pub fn new(status: IncidentStatusV1, mut calls: Vec<CallV1>) -> Self {
        calls.truncate(MOST_CALLS);
        let detected_at = microseconds(&status.incident.detected_at).unwrap_or(0);
        let calls_not_shown = status.incident.attempts.saturating_sub(calls.len() as u64);
        Self { detail: IncidentDetailV1 { status, calls, calls_not_shown }, detected_at }
    }

    pub(crate) fn detail(&self) -> &IncidentDetailV1 {
        &self.detail
    }

    /// The incident and what people made of it.
    pub fn status(&self) -> &IncidentStatusV1 {
        &self.detail.status
    }

    /// The calls that are shown.
    pub fn calls(&self) -> &[CallV1] {
        &self.detail.calls
    }

    /// What lists are ordered by: event time of detection in microseconds, then the id.
    pub(crate) fn place(&self) -> (i64, &str) {
        (self.detected_at, &self.detail.status.incident.incident_id)
    }
}

/// Microseconds since 1970 of an RFC 3339 time.
pub(crate) fn microseconds(text: &str) -> Option<i64> {
    DateTime::parse_from_rfc3339(text).ok().map(|time| time.timestamp_micros())
}

/// Everything that can be read over HTTP at one moment.
#[derive(Clone, Debug, Default)]
pub struct View {
    incidents: Vec<Arc<IncidentEntry>>,
    /// Sources.
    pub sources: Vec<SourceV1>,
    /// What keeps the service from seeing or from being heard.
    pub conditions: Vec<ConditionStatusV1>,
    /// Rules, as they are configured. They change only with the configuration.
    pub rules: Arc<[RuleV1]>,
    /// Notifiers.
    pub notifiers: Vec<NotifierV1>,
    /// What must be so before the service is ready. Without one, it is not.
    pub checks: Vec<CheckV1>,
    /// Mutes in force.
    pub mutes: Vec<MuteV1>,
}

impl View {
    /// The same with these incidents, in any order. An entry that did not change is handed over as it was.
    #[must_use]
    pub fn with_incidents(mut self, incidents: impl IntoIterator<Item = Arc<IncidentEntry>>) -> Self {
        self.incidents = incidents.into_iter().collect();
        self.incidents.sort_unstable_by(|a, b| b.place().cmp(&a.place()));
        self
    }

    /// Newest first.
    pub(crate) fn incidents(&self) -> &[Arc<IncidentEntry>] {
        &self.incidents
    }

    pub(crate) fn incident(&self, id: &str) -> Option<&IncidentEntry> {
        self.incidents.iter().find(|entry| entry.place().1 == id).map(AsRef::as_ref)
    }
}

/// The place where the newest view lies. Cloning it gives another handle to the same place.
#[derive(Clone, Debug)]
pub struct Published(Arc<ArcSwap<View>>);

impl Default for Published {
    fn default() -> Self {
        Self(Arc::new(ArcSwap::from_pointee(View::default())))
    }
}

impl Published {
    /// Puts a view in the place of the last one. Requests that read that one go on with it.
    pub fn publish(&self, view: View) {
        self.0.store(Arc::new(view));
    }

    pub(crate) fn read(&self) -> Arc<View> {
        self.0.load_full()
    }
}
