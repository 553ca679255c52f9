//! The ongoing case that alerts belong to.
use crate::keys::Names;
use crate::name::stable_name;
use crate::scope::{Scope, ScopeKind};
use crate::settings::Settings;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use tollwatch_cdr::EventTime;
use tollwatch_numbering::Money;
use tollwatch_stats::{CallId, CallStat};

/// At most so many call ids are kept as evidence.
const MOST_CALL_IDS: usize = 50;
/// At most so many extensions are named.
const MOST_EXTENSIONS: usize = 1000;

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth a look in the morning.
    Warning,
    /// Somebody has to get up.
    Critical,
}

impl Severity {
    /// The word for it on the wire.
    pub fn word(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// What kind of record crossed the threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum DetectedOn {
    /// The start of a live call.
    Start,
    /// A live call that goes on: it was answered, or its charge or length grew.
    InProgress,
    /// A completed call's record.
    Cdr,
}

/// The finding that opened an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trigger {
    /// Which threshold of the rule.
    pub threshold: usize,
    /// Value that crossed it: a count, seconds, or micro-units of money.
    pub value: i64,
    /// Right edge of the window.
    pub edge: EventTime,
}

/// The ongoing case of one rule and one key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// Stable name: the same input gives the same id, whatever ran it.
    pub id: Box<str>,
    /// Tenant.
    pub tenant: Box<str>,
    /// Index of the rule in [`Settings::rules`].
    pub rule: usize,
    /// Whom it is about.
    pub scope: Scope,
    /// Highest severity reached.
    pub severity: Severity,
    /// Calls begun after this belong to it.
    pub window_from: EventTime,
    /// Start of its first call.
    pub first_call_at: EventTime,
    /// Start of the call that crossed the threshold.
    pub opened_at: EventTime,
    /// Event time of the record that crossed the threshold.
    pub detected_at: EventTime,
    /// The same for the critical threshold.
    pub critical_at: Option<EventTime>,
    /// When it was over.
    pub resolved_at: Option<EventTime>,
    /// What kind of record crossed the threshold.
    pub detected_on: DetectedOn,
    /// What crossed it.
    pub trigger: Trigger,
    /// Call attempts.
    pub attempts: u64,
    /// Answered calls.
    pub answered: u64,
    /// Billable seconds.
    pub billable_seconds: u64,
    /// Estimated charges.
    pub exposure: Money,
    /// The same as they were known when it was detected.
    pub exposure_at_detection: Money,
    /// The same when the critical threshold was crossed.
    pub exposure_at_critical: Option<Money>,
    /// Exposure of the last alert, for telling when it has doubled.
    pub exposure_alerted: Money,
    /// Calls by row of the destination table.
    pub destinations: BTreeMap<u16, u64>,
    /// Ids of its first calls, as the PBX writes them.
    pub call_ids: Vec<CallId>,
    /// The extensions that took part, where the scope is not one of them; at most 1,000.
    pub extensions: BTreeSet<Box<str>>,
    /// The storm whose alerts speak for it.
    pub folded_into: Option<Box<str>>,
}

impl Incident {
    /// A stable id from what makes the incident itself and no other.
    pub(crate) fn name(tenant: &str, rule: &str, scope: &Scope, detected_at: EventTime) -> Box<str> {
        let at = detected_at.micros().to_string();
        stable_name("inc", 10, &[tenant, rule, scope.kind.word(), &scope.value, &at]).into_boxed_str()
    }

    /// Whether a call counts towards it.
    pub(crate) fn holds(&self, settings: &Settings, call: &CallStat) -> bool {
        call.first_at > self.window_from
            && settings.rules.get(self.rule).is_some_and(|rule| call.traits.has(rule.traits))
    }

    /// Takes a call in.
    pub(crate) fn add(&mut self, call: &CallStat, names: Names<'_>) {
        let is_first = self.attempts == 0 || call.first_at < self.first_call_at;
        self.first_call_at = if is_first { call.first_at } else { self.first_call_at };
        self.attempts = self.attempts.saturating_add(u64::from(call.attempts));
        self.answered = self.answered.saturating_add(u64::from(call.answered));
        self.billable_seconds = self.billable_seconds.saturating_add(u64::from(call.billable_seconds));
        self.exposure = self.exposure.saturating_add(call.cost);
        let calls = self.destinations.entry(call.destination).or_default();
        *calls = calls.saturating_add(u64::from(call.attempts));
        if self.call_ids.len() < MOST_CALL_IDS && !call.call_id.is_empty() {
            self.call_ids.push(call.call_id.clone());
        }
        let is_wide = !matches!(self.scope.kind, ScopeKind::Extension | ScopeKind::Unattributed);
        if let Some(name) = call.placed_by().filter(|_| is_wide).and_then(|id| names.extension(id))
            && self.extensions.len() < MOST_EXTENSIONS
            && !self.extensions.contains(name)
        {
            self.extensions.insert(name.into());
        }
    }

    /// Takes a call out again that proves to be of another kind than was thought. `first_at` is the start of the
    /// first call that is left, as far as calls are remembered.
    pub(crate) fn take_out(&mut self, call: &CallStat, first_at: Option<EventTime>) {
        if let Some(first_at) = first_at.filter(|_| call.first_at == self.first_call_at) {
            self.first_call_at = first_at;
        }
        self.attempts = self.attempts.saturating_sub(u64::from(call.attempts));
        self.answered = self.answered.saturating_sub(u64::from(call.answered));
        self.billable_seconds = self.billable_seconds.saturating_sub(u64::from(call.billable_seconds));
        self.exposure = self.exposure.saturating_sub(call.cost);
        if let Some(calls) = self.destinations.get_mut(&call.destination) {
            *calls = calls.saturating_sub(u64::from(call.attempts));
        }
        self.destinations.retain(|_, calls| *calls > 0);
        if let Some(at) = self.call_ids.iter().position(|known| *known == call.call_id) {
            self.call_ids.remove(at);
        }
    }

    /// Follows a call that has changed.
    pub(crate) fn change(&mut self, before: &CallStat, after: &CallStat) {
        let follow = |total: u64, before: u32, after: u32| {
            total.saturating_sub(u64::from(before)).saturating_add(u64::from(after))
        };
        self.answered = follow(self.answered, before.answered, after.answered);
        self.billable_seconds =
            follow(self.billable_seconds, before.billable_seconds, after.billable_seconds);
        self.exposure = self.exposure.saturating_sub(before.cost).saturating_add(after.cost);
    }
}
