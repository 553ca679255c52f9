//! Many extensions of one tenant at once: one case, not one for each.
use crate::counters::Counters;
use crate::engine::{Alert, AlertReason};
use crate::incident::{Incident, Severity, Trigger};
use crate::reconfigure::Renaming;
use crate::scope::{Scope, ScopeKind};
use crate::settings::Settings;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use tollwatch_cdr::EventTime;
use tollwatch_numbering::Money;

/// The name of the rule in a storm's incident.
pub const STORM_RULE: &str = "storm";
/// A storm has no rule of the configuration.
pub(crate) const NO_RULE: usize = usize::MAX;
/// So many extensions are summed up and named; a storm is as bad as it gets long before.
const MOST_EXTENSIONS: usize = 1000;

/// Watches the alerts about single extensions. When so many of them have a critical incident within so long, a
/// storm begins: an incident of the tenant, whose alerts speak for all that belongs to it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Storms {
    /// Extensions with a critical incident of late, and since when.
    critical: VecDeque<(EventTime, Box<str>)>,
    /// Incidents of extensions that go on, as their last alert showed them.
    ongoing: BTreeMap<Box<str>, Seen>,
    current: Option<Storm>,
    /// Storms that are over.
    over: Vec<Storm>,
}

/// What an alert showed of an incident.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Seen {
    extension: Box<str>,
    first_call_at: EventTime,
    attempts: u64,
    answered: u64,
    billable_seconds: u64,
    exposure: Money,
    destinations: BTreeMap<u16, u64>,
}

/// A storm that goes on, or was.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Storm {
    incident: Incident,
    /// The incidents in it.
    members: BTreeSet<Box<str>>,
    /// The largest incident of each extension: those of one extension are about the same calls.
    parts: BTreeMap<Box<str>, Seen>,
}

impl Storms {
    /// Takes an alert of a key; hands on what goes out.
    pub(crate) fn take(
        &mut self,
        alert: Alert,
        settings: &Settings,
        counters: &mut Counters,
        alerts: &mut Vec<Alert>,
    ) {
        let incident = &alert.incident;
        if incident.scope.kind != ScopeKind::Extension {
            alerts.push(alert);
            return;
        }
        let (id, at) = (incident.id.clone(), alert.at);
        let seen = Seen::new(incident);
        if alert.reason == AlertReason::Resolved {
            self.ongoing.remove(&id);
        } else {
            self.ongoing.insert(id.clone(), seen.clone());
        }
        let Some(storm) = &mut self.current else {
            self.note_critical(&alert, settings);
            if self.critical.len() < settings.storm_extensions {
                alerts.push(alert);
            } else {
                counters.alerts_folded += 1;
                alerts.push(self.begin(&alert, settings));
            }
            return;
        };
        counters.alerts_folded += 1;
        if storm.members.len() < settings.limits.incidents as usize {
            storm.members.insert(id);
        }
        storm.add(seen);
        let doubled = storm.incident.exposure_alerted.saturating_add(storm.incident.exposure_alerted);
        if storm.incident.exposure_alerted == Money::ZERO {
            storm.incident.exposure_alerted = storm.incident.exposure;
        } else if storm.incident.exposure >= doubled {
            storm.incident.exposure_alerted = storm.incident.exposure;
            alerts.push(storm.alert(AlertReason::ExposureDoubled, at));
        }
        if self.ongoing.is_empty()
            && let Some(mut storm) = self.current.take()
        {
            storm.incident.resolved_at = Some(at);
            alerts.push(storm.alert(AlertReason::Resolved, at));
            if self.over.len() < settings.limits.incidents as usize {
                self.over.push(storm);
            }
            self.critical.clear();
        }
    }

    fn note_critical(&mut self, alert: &Alert, settings: &Settings) {
        let incident = &alert.incident;
        let oldest = alert.at.plus_seconds(-settings.storm_seconds);
        self.critical.retain(|(since, _)| *since >= oldest);
        let extension = &incident.scope.value;
        if let Some(since) = incident.critical_at.filter(|since| *since >= oldest)
            && alert.reason != AlertReason::Resolved
            && !self.critical.iter().any(|(_, known)| known == extension)
        {
            self.critical.push_back((since, extension.clone()));
        }
    }

    /// A storm begins with the alert that makes it one.
    fn begin(&mut self, alert: &Alert, settings: &Settings) -> Alert {
        let last = &alert.incident;
        let belongs = |extension: &str| self.critical.iter().any(|(_, critical)| &**critical == extension);
        let scope = Scope { kind: ScopeKind::Tenant, value: last.tenant.clone() };
        let incident = Incident {
            id: Incident::name(&last.tenant, STORM_RULE, &scope, alert.at),
            rule: NO_RULE,
            scope,
            severity: Severity::Critical,
            window_from: alert.at.plus_seconds(-settings.storm_seconds),
            detected_at: alert.at,
            critical_at: Some(alert.at),
            resolved_at: None,
            trigger: Trigger { threshold: 0, value: self.critical.len() as i64, edge: last.trigger.edge },
            attempts: 0,
            answered: 0,
            billable_seconds: 0,
            exposure: Money::ZERO,
            destinations: BTreeMap::new(),
            extensions: BTreeSet::new(),
            ..(**last).clone()
        };
        let mut storm = Storm { incident, members: BTreeSet::new(), parts: BTreeMap::new() };
        for (id, seen) in self.ongoing.iter().filter(|(_, seen)| belongs(&seen.extension)) {
            storm.members.insert(id.clone());
            storm.add(seen.clone());
        }
        let exposure = storm.incident.exposure;
        storm.incident.exposure_at_detection = exposure;
        storm.incident.exposure_at_critical = Some(exposure);
        storm.incident.exposure_alerted = exposure;
        let alert = storm.alert(AlertReason::Opened, alert.at);
        self.current = Some(storm);
        self.critical.clear();
        alert
    }

    /// Goes on under other rules.
    pub(crate) fn rename(&mut self, to: &Renaming<'_>) {
        self.ongoing.values_mut().for_each(|seen| to.rows.calls_by_row(&mut seen.destinations));
        for storm in self.over.iter_mut().chain(&mut self.current) {
            to.rows.calls_by_row(&mut storm.incident.destinations);
            storm.parts.values_mut().for_each(|seen| to.rows.calls_by_row(&mut seen.destinations));
        }
    }

    /// Marks what is folded into a storm.
    pub(crate) fn mark(&self, incidents: &mut [Incident]) {
        for storm in self.over.iter().chain(&self.current) {
            for incident in incidents.iter_mut().filter(|incident| storm.members.contains(&incident.id)) {
                incident.folded_into = Some(storm.incident.id.clone());
            }
        }
    }

    /// The storms that are over, which are not kept any longer.
    pub(crate) fn take_over(&mut self) -> impl Iterator<Item = Incident> {
        std::mem::take(&mut self.over).into_iter().map(|storm| storm.incident)
    }

    /// Marks what is folded, and adds the storms with what their members have come to since.
    pub(crate) fn fold_into(&self, incidents: &mut Vec<Incident>) {
        let storms = self.over.iter().chain(&self.current);
        let mut folded = Vec::new();
        for storm in storms {
            let mut sum = storm.clone();
            for incident in incidents.iter_mut().filter(|incident| storm.members.contains(&incident.id)) {
                incident.folded_into = Some(storm.incident.id.clone());
                sum.add(Seen::new(incident));
            }
            folded.push(sum.incident);
        }
        incidents.append(&mut folded);
    }
}

impl Seen {
    fn new(incident: &Incident) -> Self {
        Self {
            extension: incident.scope.value.clone(),
            first_call_at: incident.first_call_at,
            attempts: incident.attempts,
            answered: incident.answered,
            billable_seconds: incident.billable_seconds,
            exposure: incident.exposure,
            destinations: incident.destinations.clone(),
        }
    }
}

impl Storm {
    fn alert(&self, reason: AlertReason, at: EventTime) -> Alert {
        Alert { reason, at, incident: Box::new(self.incident.clone()) }
    }

    /// Takes in what is known of an incident, if it says more of its extension than was known before.
    fn add(&mut self, seen: Seen) {
        let size = |seen: &Seen| (seen.exposure, seen.attempts, seen.billable_seconds);
        let sum = &mut self.incident;
        match self.parts.get(&seen.extension) {
            None if self.parts.len() >= MOST_EXTENSIONS => return,
            None => {
                sum.extensions.insert(seen.extension.clone());
            }
            Some(known) if size(known) >= size(&seen) => return,
            Some(known) => {
                sum.attempts = sum.attempts.saturating_sub(known.attempts);
                sum.answered = sum.answered.saturating_sub(known.answered);
                sum.billable_seconds = sum.billable_seconds.saturating_sub(known.billable_seconds);
                sum.exposure = sum.exposure.saturating_sub(known.exposure);
                for (destination, calls) in &known.destinations {
                    let sum = sum.destinations.entry(*destination).or_default();
                    *sum = sum.saturating_sub(*calls);
                }
            }
        }
        sum.attempts = sum.attempts.saturating_add(seen.attempts);
        sum.answered = sum.answered.saturating_add(seen.answered);
        sum.billable_seconds = sum.billable_seconds.saturating_add(seen.billable_seconds);
        sum.exposure = sum.exposure.saturating_add(seen.exposure);
        sum.first_call_at = sum.first_call_at.min(seen.first_call_at);
        for (destination, calls) in &seen.destinations {
            let sum = sum.destinations.entry(*destination).or_default();
            *sum = sum.saturating_add(*calls);
        }
        sum.destinations.retain(|_, calls| *calls > 0);
        self.parts.insert(seen.extension.clone(), seen);
    }
}
