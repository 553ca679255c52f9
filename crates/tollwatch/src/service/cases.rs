//! Incidents as people see them: what the engine knows, and what somebody said of it.
use super::clock;
use super::evidence::{self, Calls};
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use tollwatch_detect::{AboutV1, AlertReasonV1, AlertV1, Evidence, IncidentV1, Settings, Severity};
use tollwatch_http::{DecisionV1, IncidentEntry, IncidentState, IncidentStatusV1, MuteV1, Refusal};
use tollwatch_numbering::E164;

/// So many incidents that are over are kept for the API at most.
const MOST_RESOLVED: usize = 10_000;
/// And of so many, the newest, the calls: 50 of them take some 20 KB.
const MOST_WITH_CALLS: usize = 1_000;

/// Ids of incidents, and what is to be kept of them; nothing for those that are let go.
type Changes = Vec<(String, Option<Vec<u8>>)>;

/// What is kept of an incident beside the engine's own state.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Case {
    incident: IncidentV1,
    acknowledged: Option<Decision>,
    resolved: Option<Decision>,
    drill: bool,
    #[serde(default)]
    calls: Calls,
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

/// Incidents that go on, and what they have cost together in whole units of the currency.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct OpenIncidents {
    pub(super) warnings: u64,
    pub(super) criticals: u64,
    pub(super) exposure: f64,
}

impl Case {
    fn is_over(&self) -> bool {
        self.incident.resolved_at.is_some() || self.resolved.is_some()
    }

    fn status(&self, mutes: &[MuteV1], show_numbers: bool) -> IncidentStatusV1 {
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
            incident: self.shown(show_numbers),
            state,
            acknowledged: self.acknowledged.as_ref().map(Decision::wire),
            resolved: self.resolved.as_ref().map(Decision::wire),
            muted_until: mute.map(|mute| mute.until.clone()),
            mute_reason: mute.map(|mute| mute.reason.clone()),
            drill: self.drill,
        }
    }
}

impl Case {
    /// The incident as the API shows it: where it is about a number, that is masked.
    fn shown(&self, show_numbers: bool) -> IncidentV1 {
        let mut incident = self.incident.clone();
        if incident.scope.kind == "called_number"
            && let Some(number) = incident.scope.value.parse().ok().and_then(E164::from_value)
        {
            incident.scope.value = evidence::shown(number, show_numbers);
        }
        incident
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
            calls: Calls::default(),
            told_at: now,
            told_again: 0,
            changed: true,
        });
        case.told_at = now;
        case.incident = (**incident).clone();
        case.changed = true;
    }

    /// What the engine says now of an incident that goes on or has just ended. Whether that is news.
    pub(super) fn follow(&mut self, incident: IncidentV1) -> bool {
        let case = self.by_incident.get_mut(&incident.incident_id);
        let Some(case) = case.filter(|case| case.incident != incident) else { return false };
        case.incident = incident;
        case.changed = true;
        true
    }

    /// What the engine remembers of the calls of an incident.
    pub(super) fn follow_calls(&mut self, id: &str, found: Vec<Evidence>, settings: &Settings) {
        if let Some(case) = self.by_incident.get_mut(id)
            && case.calls.follow(found, settings)
        {
            case.changed = true;
            self.entries.remove(id);
        }
    }

    /// Alerts about what has gone on for long without anybody saying that they look after it.
    pub(super) fn tell_again(&mut self, every: TimeDelta, now: DateTime<Utc>) -> Vec<AlertV1> {
        let mut again = Vec::new();
        for case in self.by_incident.values_mut() {
            let is_due = now.signed_duration_since(case.told_at) >= every;
            let is_looked_after = case.is_over() || case.acknowledged.is_some();
            // A drill asks once.
            if !is_due || is_looked_after || case.incident.folded_into.is_some() || case.drill {
                continue;
            }
            case.told_at = now;
            case.told_again += 1;
            case.changed = true;
            again.push(case.decided(AlertReasonV1::Renotified, now));
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
    pub(super) fn status(&self, id: &str, mutes: &[MuteV1], show_numbers: bool) -> Option<IncidentStatusV1> {
        self.by_incident.get(id).map(|case| case.status(mutes, show_numbers))
    }

    /// Whether an incident goes on, for all that is known.
    pub(super) fn is_open(&self, id: &str) -> bool {
        self.by_incident.get(id).is_some_and(|case| !case.is_over())
    }

    /// Drills that go on: the ids of their incidents.
    pub(super) fn open_drills(&self) -> Vec<String> {
        let open = self.by_incident.iter().filter(|(_, case)| case.drill && !case.is_over());
        open.map(|(id, _)| id.clone()).collect()
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

    /// Lets the oldest of those go that are over, beyond what is kept, and the calls of others.
    fn forget(&mut self) {
        let mut over: Vec<(String, String)> = self
            .by_incident
            .iter()
            .filter(|(_, case)| case.is_over())
            .map(|(id, case)| (case.incident.detected_at.clone(), id.clone()))
            .collect();
        let Some(without_calls) = over.len().checked_sub(MOST_WITH_CALLS).filter(|excess| *excess > 0) else {
            return;
        };
        let excess = over.len().saturating_sub(MOST_RESOLVED);
        over.sort_unstable();
        over.truncate(without_calls);
        for (index, (_, id)) in over.into_iter().enumerate() {
            if index < excess {
                self.by_incident.remove(&id);
                self.entries.remove(&id);
                self.gone.push(id);
            } else if let Some(case) = self.by_incident.get_mut(&id)
                && case.calls.forget()
            {
                case.changed = true;
            }
        }
    }

    /// All of them for the API. Those that did not change since are handed over as they were.
    pub(super) fn entries(&mut self, mutes: &[MuteV1], show_numbers: bool) -> Vec<Arc<IncidentEntry>> {
        let Self { by_incident: cases, entries, .. } = self;
        cases
            .iter()
            .map(|(id, case)| {
                let status = case.status(mutes, show_numbers);
                match entries.get(id) {
                    Some(entry) if entry.status() == &status => Arc::clone(entry),
                    _ => {
                        let calls = case.calls.wire(&case.incident.exposure, show_numbers);
                        let entry = Arc::new(IncidentEntry::new(status, calls));
                        entries.insert(id.clone(), Arc::clone(&entry));
                        entry
                    }
                }
            })
            .collect()
    }

    /// How many are kept.
    pub(super) fn len(&self) -> usize {
        self.by_incident.len()
    }

    /// Those that go on, by tenant.
    pub(super) fn open(&self) -> BTreeMap<&str, OpenIncidents> {
        let mut open: BTreeMap<&str, OpenIncidents> = BTreeMap::new();
        for case in self.by_incident.values().filter(|case| !case.is_over() && !case.drill) {
            let of_tenant = open.entry(&case.incident.tenant).or_default();
            match case.incident.severity {
                Severity::Warning => of_tenant.warnings += 1,
                Severity::Critical => of_tenant.criticals += 1,
            }
            of_tenant.exposure += case.incident.exposure.amount.parse().unwrap_or(0.0);
        }
        open
    }
}

impl Case {
    fn decided(&self, reason: AlertReasonV1, now: DateTime<Utc>) -> AlertV1 {
        let alert = AlertV1::of_incident(reason, clock::text(now), self.incident.clone());
        if self.drill { alert.of_drill() } else { alert }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tollwatch_cdr::EventTime;
    use tollwatch_numbering::Money;

    fn alert(number: usize, reason: AlertReasonV1) -> AlertV1 {
        let all = tollwatch_notify::sample_alerts().into_iter().map(|(alert, _)| alert);
        let mut alert = all.into_iter().find(|alert| alert.reason == reason).unwrap();
        if let AboutV1::Calls(incident) = &mut alert.about {
            incident.incident_id = format!("inc-{number:05}");
            incident.detected_at = format!("2026-03-07T18:00:00.{number:06}Z");
        }
        alert
    }

    fn call() -> Evidence {
        Evidence {
            call: 1,
            call_id: "1772906414.17".to_owned(),
            started_at: EventTime::from_seconds(1_772_906_414),
            extension: None,
            number: None,
            destination: None,
            answered: false,
            billable_seconds: 0,
            cost: Money::ZERO,
        }
    }

    /// Ids and how many calls they are shown with.
    fn shown(cases: &mut Cases) -> Vec<(String, usize)> {
        let shown =
            |entry: &Arc<IncidentEntry>| (entry.status().incident.incident_id.clone(), entry.calls().len());
        cases.entries(&[], false).iter().map(shown).collect()
    }

    #[test]
    fn of_incidents_that_are_over_the_newest_are_kept_and_of_fewer_the_calls() {
        let settings = crate::Config::load(None, &crate::Overrides::default()).unwrap().settings;
        let (mut cases, now) = (Cases::default(), DateTime::default());
        // One that goes on is older than all.
        for number in 0..=MOST_RESOLVED + 5 {
            let reason = if number == 0 { AlertReasonV1::Opened } else { AlertReasonV1::Resolved };
            cases.hear(&alert(number, reason), now);
            cases.follow_calls(&format!("inc-{number:05}"), vec![call()], &settings);
        }
        assert!(shown(&mut cases).iter().all(|(_, calls)| *calls == 1));
        let changes = cases.changes().unwrap();
        let gone: Vec<&str> =
            changes.iter().filter(|(_, value)| value.is_none()).map(|(id, _)| id.as_str()).collect();
        assert_eq!(gone, ["inc-00001", "inc-00002", "inc-00003", "inc-00004", "inc-00005"]);
        let shown = shown(&mut cases);
        assert_eq!(shown.len(), MOST_RESOLVED + 1);
        let with_calls: Vec<&str> =
            shown.iter().filter(|(_, calls)| *calls > 0).map(|(id, _)| id.as_str()).collect();
        assert_eq!((with_calls.len(), with_calls[0]), (MOST_WITH_CALLS + 1, "inc-00000"));
        assert_eq!(with_calls[1], format!("inc-{:05}", MOST_RESOLVED + 5 - MOST_WITH_CALLS + 1));
        // What is kept is what is shown after a restart.
        let mut restored = Cases::default();
        for (id, value) in changes.into_iter().filter_map(|(id, value)| Some((id, value?))) {
            assert!(restored.restore(id, &value));
        }
        assert_eq!(self::shown(&mut restored), shown);
        assert_eq!(restored.changes().unwrap(), []);
    }

    #[test]
    fn an_incident_about_a_number_shows_it_masked_unless_it_is_to_be_shown() {
        let mut alert = alert(1, AlertReasonV1::Opened);
        if let AboutV1::Calls(incident) = &mut alert.about {
            incident.scope.kind = "called_number".to_owned();
            incident.scope.value = "224655500002".to_owned();
        }
        let mut cases = Cases::default();
        cases.hear(&alert, DateTime::default());
        let value =
            |cases: &Cases, in_full| cases.status("inc-00001", &[], in_full).unwrap().incident.scope.value;
        assert_eq!((&*value(&cases, false), &*value(&cases, true)), ("+22465550****", "+224655500002"));
        assert_eq!(cases.entries(&[], false)[0].status().incident.scope.value, "+22465550****");
    }
}
