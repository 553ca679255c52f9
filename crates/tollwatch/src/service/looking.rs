//! What is looked at every few seconds: is anything blind, silent or stuck, and what does the API show.
use super::blindness;
use super::reading::{QUARANTINE_BYTES, offset, open_quarantine};
use super::runner::Runner;
use chrono::{DateTime, TimeDelta, Utc};
use tollwatch_detect::IncidentV1;

/// So often.
pub(super) const LOOK: TimeDelta = TimeDelta::seconds(2);

impl Runner {
    pub(super) fn look_if_due(&mut self, now: DateTime<Utc>) {
        if self.looked_at.is_none_or(|at| now.signed_duration_since(at) >= LOOK) {
            self.look(now);
        }
    }

    /// Looks for what keeps the service from seeing or from being heard, and publishes what the API shows.
    pub(super) fn look(&mut self, now: DateTime<Utc>) {
        self.looked_at = Some(now);
        let mut alerts = Vec::new();
        for intake in &mut self.sources.intakes {
            let offset = offset(intake, now);
            alerts.extend(blindness::of_source(&mut self.conditions, intake, now, offset));
        }
        for standing in self.deliveries.outbox.standing() {
            alerts.extend(blindness::of_notifier(&mut self.conditions, &standing, now));
        }
        let counters = self.engine.counters();
        alerts.extend(blindness::of_engine(&mut self.conditions, &counters, &self.counters_before, now));
        self.counters_before = counters;
        self.people.mutes.expire(now);
        if let Some(every) =
            self.config.service.renotify_after.and_then(|every| TimeDelta::from_std(every).ok())
        {
            alerts.extend(self.people.cases.tell_again(every, now));
        }
        self.tell_all(alerts, now);
        let incidents: Vec<IncidentV1> = self
            .engine
            .incidents()
            .iter()
            .map(|incident| IncidentV1::new(incident, self.engine.settings_of(&incident.tenant)))
            .collect();
        self.people.cases.follow(incidents);
        self.publish(now);
        if let Some(quarantine) = &mut self.sources.quarantine
            && quarantine.finish().is_ok()
            && quarantine.bytes() > QUARANTINE_BYTES
        {
            self.sources.quarantine = open_quarantine(&self.config.service.state, self.config.language).ok();
        }
    }
}
