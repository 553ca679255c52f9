//! Incidents as people see them: what the engine knows, and what somebody said of it.
use super::clock;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use tollwatch_detect::{AboutV1, AlertReasonV1, AlertV1, IncidentV1};
use tollwatch_http::{DecisionV1, IncidentEntry, IncidentState, IncidentStatusV1, MuteV1, Refusal};

/// So many incidents that are over are kept for the API at most.
const MOST_RESOLVED: usize = 10_000;

/// Ids of incidents, and what is to be kept of them; nothing for those that are let go.
type Changes = Vec<(String, Option<Vec<u8>>)>;

/// What is kept of an incident beside the engine's own state.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Case {
    incident: IncidentV1,
    acknowledged: Option<Decision>,
    resolved: Option<Decision>,
    drill: bool,
    /// When somebody was last told of it, in processing time.
    told_at: DateTime<Utc>,
    /// How often it was told of again.
    told_again: u32,
    #[serde(skip)]
    changed: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Decision {
    by: String,
    at: DateTime<Utc>,
    note: Option<String>,
}

/// All cases, by the id of the incident.
#[derive(Debug, Default)]
pub(super) struct Cases {
    by_incident: BTreeMap<String, Case>,
    entries: BTreeMap<String, Arc<IncidentEntry>>,
    gone: Vec<String>,
}

impl Case {
    fn is_over(&self) -> bool {
        self.incident.resolved_at.is_some() || self.resolved.is_some()
    }

    fn status(&self, mutes: &[MuteV1]) -> IncidentStatusV1 {
        let state = if self.is_over() {
            IncidentState::Resolved
        } else if self.acknowledged.is_some() {
            IncidentState::Acknowledged
        } else {
            IncidentState::Open
        };
        let covers = |mute: &&MuteV1| {
            let scope = &self.incident.scope;
            mute.tenant.as_ref().is_none_or(|tenant| *tenant == self.incident.tenant)
                && mute.rule.as_ref().is_none_or(|rule| *rule == self.incident.rule)
                && mute
                    .extension
                    .as_ref()
                    .is_none_or(|name| scope.kind == "extension" && *name == scope.value)
        };
        let mute = mutes.iter().find(covers);
        IncidentStatusV1 {
            incident: self.incident.clone(),
            state,
            acknowledged: self.acknowledged.as_ref().map(Decision::wire),
            resolved: self.resolved.as_ref().map(Decision::wire),
            muted_until: mute.map(|mute| mute.until.clone()),
            mute_reason: mute.map(|mute| mute.reason.clone()),
            drill: self.drill,
        }
    }
}

impl Decision {
    fn wire(&self) -> DecisionV1 {
        DecisionV1 { by: self.by.clone(), at: clock::text(self.at), note: self.note.clone() }
    }
}

impl Cases {
    /// Takes up what was kept.
    pub(super) fn restore(&mut self, id: String, bytes: &[u8]) -> bool {
        let Ok(case) = serde_json::from_slice(bytes) else { return false };
        self.by_incident.insert(id, case);
        true
    }

    /// An alert was raised: what it says of its incident is the latest.
    pub(super) fn hear(&mut self, alert: &AlertV1, now: DateTime<Utc>) {
        let AboutV1::Calls(incident) = &alert.about else { return };
        let case = self.by_incident.entry(incident.incident_id.clone()).or_insert_with(|| Case {
            incident: (**incident).clone(),
            acknowledged: None,
            resolved: None,
            drill: alert.drill,
            told_at: now,
            told_again: 0,
            changed: true,
        });
        case.told_at = now;
        case.incident = (**incident).clone();
        case.changed = true;
    }

    /// What the engine says now of incidents that go on or have just ended.
    pub(super) fn follow(&mut self, incidents: impl IntoIterator<Item = IncidentV1>) {
        for incident in incidents {
            if let Some(case) = self.by_incident.get_mut(&incident.incident_id)
                && case.incident != incident
            {
                case.incident = incident;
                case.changed = true;
            }
        }
    }

    /// Alerts about what has gone on for long without anybody saying that they look after it.
    pub(super) fn tell_again(&mut self, every: TimeDelta, now: DateTime<Utc>) -> Vec<AlertV1> {
        let mut again = Vec::new();
        for case in self.by_incident.values_mut() {
            let is_due = now.signed_duration_since(case.told_at) >= every;
            if !is_due || case.is_over() || case.acknowledged.is_some() || case.incident.folded_into.is_some()
            {
                continue;
            }
            case.told_at = now;
            case.told_again += 1;
            case.changed = true;
            let mut alert =
                AlertV1::of_incident(AlertReasonV1::Renotified, clock::text(now), case.incident.clone());
            alert.drill = case.drill;
            again.push(alert);
        }
        again
    }

    /// Somebody looks after an incident.
    pub(super) fn acknowledge(
        &mut self,
        id: &str,
        by: String,
        note: Option<String>,
        now: DateTime<Utc>,
    ) -> Result<AlertV1, Refusal> {
        let case = self.ongoing(id)?;
        case.acknowledged = Some(Decision { by, at: now, note });
        case.changed = true;
        Ok(case.decided(AlertReasonV1::Acknowledged, now))
    }

    /// An incident is over, by a person's word. The engine goes on watching; a new burst is a new incident once the
    /// present one is over for the rules too.
    pub(super) fn resolve(
        &mut self,
        id: &str,
        by: String,
        note: Option<String>,
        now: DateTime<Utc>,
    ) -> Result<AlertV1, Refusal> {
        let case = self.ongoing(id)?;
        case.resolved = Some(Decision { by, at: now, note });
        case.changed = true;
        Ok(case.decided(AlertReasonV1::Resolved, now))
    }

    /// An incident that a person can still decide something of.
    fn ongoing(&mut self, id: &str) -> Result<&mut Case, Refusal> {
        let case = self.by_incident.get_mut(id);
        let case = case.ok_or_else(|| Refusal::NotFound("no such incident".to_owned()))?;
        if case.is_over() { Err(Refusal::Conflict("it is over".to_owned())) } else { Ok(case) }
    }

    /// How an incident stands.
    pub(super) fn status(&self, id: &str, mutes: &[MuteV1]) -> Option<IncidentStatusV1> {
        self.by_incident.get(id).map(|case| case.status(mutes))
    }

    /// Whether somebody said that an incident is over, so that nobody is called for it any more.
    pub(super) fn is_closed_by_hand(&self, id: &str) -> bool {
        self.by_incident.get(id).is_some_and(|case| case.resolved.is_some())
    }

    /// What has changed since the last time: id, and the case or nothing.
    pub(super) fn changes(&mut self) -> Result<Changes, serde_json::Error> {
        self.forget();
        let mut changes: Changes = std::mem::take(&mut self.gone).into_iter().map(|id| (id, None)).collect();
        for (id, case) in self.by_incident.iter_mut().filter(|(_, case)| case.changed) {
            changes.push((id.clone(), Some(serde_json::to_vec(case)?)));
            case.changed = false;
            self.entries.remove(id);
        }
        Ok(changes)
    }

    /// Lets the oldest of those go that are over, beyond what is kept.
    fn forget(&mut self) {
        let mut over: Vec<(String, String)> = self
            .by_incident
            .iter()
            .filter(|(_, case)| case.is_over())
            .map(|(id, case)| (case.incident.detected_at.clone(), id.clone()))
            .collect();
        let Some(excess) = over.len().checked_sub(MOST_RESOLVED).filter(|excess| *excess > 0) else { return };
        over.sort_unstable();
        for (_, id) in over.into_iter().take(excess) {
            self.by_incident.remove(&id);
            self.entries.remove(&id);
            self.gone.push(id);
        }
    }

    /// All of them for the API. Those that did not change since are handed over as they were.
    pub(super) fn entries(&mut self, mutes: &[MuteV1]) -> Vec<Arc<IncidentEntry>> {
        let Self { by_incident: cases, entries, .. } = self;
        cases
            .iter()
            .map(|(id, case)| {
                let status = case.status(mutes);
                match entries.get(id) {
                    Some(entry) if entry.status() == &status => Arc::clone(entry),
                    _ => {
                        let entry = Arc::new(IncidentEntry::new(status, Vec::new()));
                        entries.insert(id.clone(), Arc::clone(&entry));
                        entry
                    }
                }
            })
            .collect()
    }

    /// How many go on: warnings, criticals, and what they have cost together in whole units of the currency.
    pub(super) fn open(&self) -> (u64, u64, f64) {
        let mut open = (0, 0, 0.0);
        for case in self.by_incident.values().filter(|case| !case.is_over() && !case.drill) {
            match case.incident.severity {
                tollwatch_detect::Severity::Warning => open.0 += 1,
                tollwatch_detect::Severity::Critical => open.1 += 1,
            }
            open.2 += case.incident.exposure.amount.parse().unwrap_or(0.0);
        }
        open
    }
}

impl Case {
    fn decided(&self, reason: AlertReasonV1, now: DateTime<Utc>) -> AlertV1 {
        let mut alert = AlertV1::of_incident(reason, clock::text(now), self.incident.clone());
        alert.drill = self.drill;
        alert
    }
}
