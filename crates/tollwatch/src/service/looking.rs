//! What is looked at every few seconds: is anything blind, silent or stuck, and what does the API show.
use super::blindness;
use super::reading::offset;
use super::runner::Runner;
use chrono::{DateTime, TimeDelta, Utc};
use tollwatch_detect::{Incident, IncidentV1};

/// So often.
const LOOK: TimeDelta = TimeDelta::seconds(2);

/// An incident shows so many of its calls.
const CALLS: usize = tollwatch_http::MOST_CALLS;

impl Runner {
    /// Takes over what the engine says of incidents, and of their calls where that is news.
    pub(super) fn follow(&mut self, incidents: &[Incident]) {
        for incident in incidents {
            let settings = self.engine.settings_of(&incident.tenant);
            if self.people.cases.follow(IncidentV1::new(incident, settings)) {
                self.follow_calls(incident);
            }
        }
    }

    /// Takes over what the engine remembers of an incident's calls.
    pub(super) fn follow_calls(&mut self, incident: &Incident) {
        let settings = self.engine.settings_of(&incident.tenant);
        self.people.cases.follow_calls(&incident.id, self.engine.evidence(incident, CALLS), settings);
    }

    pub(super) fn look_if_due(&mut self, now: DateTime<Utc>) {
        if self.looked_at.is_none_or(|at| now.signed_duration_since(at) >= LOOK) {
            self.look(now);
        }
    }

    /// Looks for what keeps the service from seeing or from being heard, and publishes what the API shows.
    pub(super) fn look(&mut self, now: DateTime<Utc>) {
        self.looked_at = Some(now);
        let mut alerts = Vec::new();
        for intake in &self.sources.intakes {
            alerts.extend(blindness::of_source(&mut self.conditions, intake, now, offset(intake, now)));
        }
        for standing in self.deliveries.outbox.standing() {
            alerts.extend(blindness::of_notifier(&mut self.conditions, &standing, now));
        }
        let counters = self.engine.counters();
        alerts.extend(blindness::of_engine(&mut self.conditions, &counters, &self.counters_before, now));
        self.counters_before = counters;
        self.people.mutes.expire(now);
        self.end_drills_if_due(now);
        if let Some(every) =
            self.config.service.renotify_after.and_then(|every| TimeDelta::from_std(every).ok())
        {
            alerts.extend(self.people.cases.tell_again(every, now));
        }
        alerts.extend(blindness::of_data(&mut self.conditions, &self.config, now));
        self.tell_all(alerts, now);
        let incidents = self.engine.incidents();
        self.follow(&incidents);
        self.publish(now);
        self.sources.tend_quarantine(&self.config.service.state, self.config.language);
    }
}
