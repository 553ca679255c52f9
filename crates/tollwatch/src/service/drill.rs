//! A drill: a made-up attack goes the way of a real one, to everybody who is on call, and says how long that took.
//!
//! Its records are written in tollwatch's own format, decoded, and given to an engine of their own with the rules of the
//! service. From there on it is the real way: routes, outbox, one commit, queues, notifiers.
//!
//! **Invariant:** nothing of a drill gets into the engine, the windows, the countries that were learned, the cases that people
//! are called for, or any sum of money. What goes out of it is marked ([`AlertV1::of_drill`]).
mod attack;

use super::clock;
use super::delivery::Attempt;
use super::grouping::{Audience, Grouping};
use super::runner::Runner;
use attack::Attack;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeSet;
use tollwatch_detect::{AboutV1, AlertV1, Problem};
use tollwatch_http::{DrillIncidentV1, DrillNotifierV1, DrillRequestV1, DrillState, DrillV1, Refusal};
use tollwatch_notify::{Outcome, Settled};

/// Who ends a drill.
const ENDED_BY: &str = "tollwatch drill";

/// The last drill. It is not kept over a restart, which ends it.
#[derive(Debug)]
pub(super) struct Drill {
    id: String,
    by: String,
    tenant: String,
    started: DateTime<Utc>,
    ends: DateTime<Utc>,
    over: bool,
    calls: u64,
    /// In English and in Japanese.
    destination: [String; 2],
    incidents: Vec<DrillIncidentV1>,
    /// All notifiers, in the order of the configuration.
    notifiers: Vec<String>,
    told: Vec<Told>,
    /// Somebody's mute keeps some of it back.
    is_muted: bool,
}

/// One alert on its way to one notifier.
#[derive(Debug)]
struct Told {
    sequence: u64,
    incident_id: String,
    notifier: String,
    not_before: DateTime<Utc>,
    delivered: Option<DateTime<Utc>>,
    failed_attempts: u32,
    last_error: Option<String>,
    is_dead: bool,
}

impl Drill {
    /// For the API.
    fn wire(&self) -> DrillV1 {
        let [english, japanese] = &self.destination;
        DrillV1 {
            drill_id: self.id.clone(),
            by: self.by.clone(),
            tenant: self.tenant.clone(),
            started_at: clock::text(self.started),
            ends_at: clock::text(self.ends),
            over: self.over,
            calls: self.calls,
            destination_en: english.clone(),
            destination_ja: japanese.clone(),
            incidents: self.incidents.clone(),
            notifiers: self.notifiers.iter().map(|name| self.standing(name)).collect(),
        }
    }

    fn standing(&self, notifier: &str) -> DrillNotifierV1 {
        let told: Vec<&Told> = self.told.iter().filter(|told| told.notifier == notifier).collect();
        let due: Vec<&&Told> = told.iter().filter(|told| told.not_before <= self.started).collect();
        let delivered: Vec<u64> = due.iter().filter_map(|told| self.took(told.delivered?)).collect();
        let state = if told.is_empty() {
            if self.is_muted { DrillState::Muted } else { DrillState::NotRouted }
        } else if due.is_empty() {
            DrillState::HeldBack
        } else if delivered.len() == due.len() {
            DrillState::Delivered
        } else if due.iter().any(|told| told.is_dead) {
            DrillState::Failed
        } else {
            DrillState::Waiting
        };
        let last = delivered.iter().max().copied();
        DrillNotifierV1 {
            notifier: notifier.to_owned(),
            state,
            alerts: due.len() as u64,
            delivered: delivered.len() as u64,
            first_milliseconds: delivered.iter().min().copied(),
            last_milliseconds: last.filter(|_| state == DrillState::Delivered),
            failed_attempts: due.iter().map(|told| told.failed_attempts).sum(),
            last_error: due.iter().rev().find_map(|told| told.last_error.clone()),
        }
    }

    fn took(&self, until: DateTime<Utc>) -> Option<u64> {
        u64::try_from(until.signed_duration_since(self.started).num_milliseconds()).ok()
    }

    /// An attempt to deliver something of it is over.
    fn note(&mut self, attempt: &Attempt, settled: Option<&Settled>, now: DateTime<Utc>) -> bool {
        let is_of =
            |told: &&mut Told| Some(told.sequence) == attempt.sequence && told.notifier == attempt.notifier;
        let Some(told) = self.told.iter_mut().find(is_of) else { return false };
        if attempt.outcome == Outcome::Delivered {
            told.delivered = Some(now);
        } else {
            told.failed_attempts += 1;
            told.last_error = attempt.outcome.reason().map(str::to_owned);
            told.is_dead = matches!(settled, Some(Settled::Dead | Settled::Disabled));
        }
        true
    }

    /// Who heard of an incident of it; none if it is of another drill.
    fn heard(&self, incident: &str) -> Option<BTreeSet<String>> {
        let is_ours = self.incidents.iter().any(|ours| ours.incident_id == incident);
        let told = self.told.iter().filter(|told| told.incident_id == incident && told.delivered.is_some());
        is_ours.then(|| told.map(|told| told.notifier.clone()).collect())
    }
}

impl Runner {
    /// Makes up an attack and lets it out. A drill that still goes on ends.
    pub(super) fn begin_drill(
        &mut self,
        request: &DrillRequestV1,
        now: DateTime<Utc>,
    ) -> Result<DrillV1, Refusal> {
        let site = &self.config.sources.site().tenant;
        let tenant = request.tenant.clone().unwrap_or_else(|| site.clone());
        let id = format!("drill-{:x}", now.timestamp_micros());
        let Some(Attack { calls, destination, alerts }) = attack::make_up(&self.config, &tenant, &id, now)
        else {
            let what = "no rule raises an alert on a burst of calls to the riskiest destinations";
            let hint =
                "see `tollwatch check`, and docs/rules.md for rules that would; nobody was told of anything";
            return Err(Refusal::Unusable(vec![Problem::new("rules".to_owned(), what.to_owned(), hint)]));
        };
        self.end_drills(now);
        let mut drill = Drill {
            id,
            by: request.by.clone(),
            tenant,
            started: now,
            ends: now + TimeDelta::seconds(i64::from(request.lasting_seconds)),
            over: false,
            calls,
            destination,
            incidents: incidents(&alerts),
            notifiers: self.deliveries.notifiers.iter().map(|notifier| notifier.name().to_owned()).collect(),
            told: Vec::new(),
            is_muted: false,
        };
        tracing::info!(drill = drill.id, by = drill.by, incidents = drill.incidents.len(), "a drill begins");
        let mutes = self.people.mutes.for_routing();
        // Of its own: people are called for it as for a real case, and it is no part of one.
        let mut grouping = Grouping::default();
        for alert in alerts {
            self.people.cases.hear(&alert, now);
            for (alert, audience) in grouping.tell(alert) {
                let incident_id = alert.incident_id().to_owned();
                let added = self.deliveries.outbox.add(alert, audience, now, &mutes);
                drill.is_muted |= added.is_muted;
                drill.told.extend(added.to.into_iter().map(|(notifier, not_before)| Told {
                    sequence: added.sequence,
                    incident_id: incident_id.clone(),
                    notifier,
                    not_before,
                    delivered: None,
                    failed_attempts: 0,
                    last_error: None,
                    is_dead: false,
                }));
            }
        }
        self.people.drill = Some(drill);
        // Where the state cannot be written, it goes out as a real alert would: late. That is worth seeing.
        let _ = self.keep(now);
        self.drill().ok_or_else(no_such_drill)
    }

    /// How a drill of this id stands; the last one alone is known.
    pub(super) fn drill_of(&self, id: &str) -> Result<DrillV1, Refusal> {
        self.drill().filter(|drill| drill.drill_id == id).ok_or_else(no_such_drill)
    }

    fn drill(&self) -> Option<DrillV1> {
        let mut drill = self.people.drill.as_ref()?.wire();
        let waiting = drill.notifiers.iter_mut().filter(|notifier| notifier.state == DrillState::Waiting);
        for notifier in waiting.filter(|notifier| notifier.last_error.is_none()) {
            // It may not even be tried, for what has happened before.
            let standing = self.deliveries.outbox.standing().find(|other| other.name == notifier.notifier);
            if let Some(standing) = standing.filter(|standing| standing.disabled) {
                let before = standing.last_error.unwrap_or_default();
                notifier.last_error =
                    Some(format!("it wants no more alerts until the next reload: {before}"));
            }
        }
        Some(drill)
    }

    /// An attempt to deliver is over: of a drill, perhaps.
    pub(super) fn drilled(&mut self, attempt: &Attempt, settled: Option<&Settled>, now: DateTime<Utc>) {
        let Some(drill) = &mut self.people.drill else { return };
        if drill.note(attempt, settled, now) && drill.over {
            // It came back after the end: nobody is to hear of an old drill tomorrow.
            self.deliveries.outbox.withdraw(|sequence, _| Some(sequence) == attempt.sequence);
        }
    }

    /// Ends a drill whose time has come, and one that a restart has interrupted.
    pub(super) fn end_drills_if_due(&mut self, now: DateTime<Utc>) {
        let is_due = match &self.people.drill {
            Some(drill) if !drill.over => now >= drill.ends,
            _ => !self.people.cases.open_drills().is_empty(),
        };
        if is_due {
            self.end_drills(now);
        }
    }

    /// Whoever was told of a drill is told that it is over; who was not reached is not told any more.
    fn end_drills(&mut self, now: DateTime<Utc>) {
        self.deliveries
            .outbox
            .withdraw(|_, alert| alert.drill && alert.reason != tollwatch_detect::AlertReasonV1::Resolved);
        for incident in self.people.cases.open_drills() {
            let Ok(alert) = self.people.cases.resolve(&incident, ENDED_BY.to_owned(), None, now) else {
                continue;
            };
            match self.people.drill.as_ref().and_then(|drill| drill.heard(&incident)) {
                Some(heard) => self.deliveries.outbox.add_for(alert, &heard, now),
                None => self.deliveries.outbox.add(alert, Audience::All, now, &[]),
            };
        }
        if let Some(drill) = &mut self.people.drill
            && !drill.over
        {
            drill.over = true;
            tracing::info!(drill = drill.id, "a drill is over");
        }
    }
}

fn no_such_drill() -> Refusal {
    Refusal::NotFound("no such drill; the last one alone is known".to_owned())
}

/// The incidents of alerts, each at its highest severity.
fn incidents(alerts: &[AlertV1]) -> Vec<DrillIncidentV1> {
    let mut incidents: Vec<DrillIncidentV1> = Vec::new();
    for alert in alerts {
        let AboutV1::Calls(incident) = &alert.about else { continue };
        match incidents.iter_mut().find(|known| known.incident_id == incident.incident_id) {
            Some(known) => known.severity = known.severity.max(alert.severity),
            None => incidents.push(DrillIncidentV1 {
                incident_id: incident.incident_id.clone(),
                rule: incident.rule.clone(),
                severity: alert.severity,
            }),
        }
    }
    incidents
}
