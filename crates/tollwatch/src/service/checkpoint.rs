//! Everything that must agree, made durable in one commit.
use super::conditions::Detail;
use super::runner::Runner;
use super::{clock, saved};
use chrono::{DateTime, TimeDelta, Utc};
use tollwatch_detect::{ConditionKindV1, IncidentV1};
use tollwatch_http::Checkpoint;
use tollwatch_store::{Changes, Forget, Store};

/// Alerts wait for a failing store no longer than this. They are told then and kept when it can keep them: whoever has
/// heard of a fraud twice has lost less than one who has not heard of it.
const PATIENCE: TimeDelta = TimeDelta::seconds(30);
/// Alerts that are kept at most, once they are delivered.
const MOST_ALERTS: u64 = 100_000;

/// The store, and how it stands.
#[derive(Debug)]
pub(super) struct Keeping {
    store: Store,
    /// When a commit was last tried.
    tried_at: DateTime<Utc>,
    /// Since when the store cannot be written.
    pub(super) failing_since: Option<DateTime<Utc>>,
    /// What a failed commit had, beside alerts and deliveries, which the outbox still has.
    unsaved: Changes,
}

impl Keeping {
    pub(super) fn new(store: Store, now: DateTime<Utc>) -> Self {
        Self { store, tried_at: now, failing_since: None, unsaved: Changes::default() }
    }
}

impl Runner {
    pub(super) fn is_checkpoint_due(&self, now: DateTime<Utc>) -> bool {
        self.next_checkpoint().is_some_and(|due| now >= due)
    }

    /// When the next one is due, if there is anything for it.
    pub(super) fn next_checkpoint(&self) -> Option<DateTime<Utc>> {
        let every = TimeDelta::from_std(self.config.service.checkpoint_every).unwrap_or(TimeDelta::zero());
        // After a failure not at once again: the disk may be full.
        let patience =
            if self.keeping.failing_since.is_some() { TimeDelta::seconds(1) } else { TimeDelta::zero() };
        let is_urgent = self.deliveries.outbox.has_fresh() || self.sources.wait_for_durability();
        let has_any = self.sources.has_taken || self.deliveries.outbox.has_changes();
        let after = if is_urgent { Some(patience) } else { has_any.then_some(every) };
        after.map(|after| self.keeping.tried_at + after)
    }

    /// Makes everything durable in one commit.
    pub(super) fn checkpoint(&mut self, now: DateTime<Utc>) -> anyhow::Result<()> {
        self.keeping.tried_at = now;
        // Positions are behind all records that were decoded: these must have had their turn.
        self.take_turns(false);
        self.raise(now);
        let resolved: Vec<IncidentV1> = self
            .engine
            .take_resolved()
            .iter()
            .map(|incident| IncidentV1::new(incident, self.engine.settings_of(&incident.tenant)))
            .collect();
        self.people.cases.follow(resolved);
        let changes = self.changes(now)?;
        let bytes: usize = changes.parts.values().flatten().map(Vec::len).sum();
        let began = clock::now();
        match self.keeping.store.commit(&changes) {
            Ok(()) => {
                self.keeping.unsaved = Changes::default();
                self.keeping.failing_since = None;
                self.sources.durable();
                self.deliveries.outbox.committed();
                let took = clock::now().signed_duration_since(began).to_std().unwrap_or_default();
                let at = now.timestamp_micros() as f64 / 1e6;
                self.metrics.checkpoint(Checkpoint::Done { at, bytes: bytes as u64, took });
                let over =
                    self.conditions.found(ConditionKindV1::CheckpointFailing, "", "default", now, None);
                self.tell_all(over, now);
                Ok(())
            }
            Err(error) => {
                self.keeping.unsaved = changes;
                self.metrics.checkpoint(Checkpoint::Failed);
                let since = *self.keeping.failing_since.get_or_insert(now);
                tracing::error!(error = &error as &dyn std::error::Error, "cannot write the state");
                let detail = Detail::new(
                    format!("the state cannot be written: {error}. Is the disk full?"),
                    format!("状態を書き込めません: {error}。ディスクの空きを確認してください"),
                );
                let begun = self.conditions.found(
                    ConditionKindV1::CheckpointFailing,
                    "",
                    "default",
                    now,
                    Some(detail),
                );
                self.tell_all(begun, now);
                if now.signed_duration_since(since) >= PATIENCE {
                    self.deliveries.outbox.release();
                }
                Err(error.into())
            }
        }
    }

    /// What has changed since the last commit that was done.
    pub(super) fn changes(&mut self, now: DateTime<Utc>) -> anyhow::Result<Changes> {
        let mut changes = std::mem::take(&mut self.keeping.unsaved);
        changes.alerts.clear();
        changes.deliveries.clear();
        let key = |kind: u8, rest: &[u8]| [&[kind], rest].concat();
        for (part, value) in self.engine.changes()? {
            changes.parts.insert(key(saved::ENGINE, &part), value);
        }
        for (id, value) in self.people.cases.changes() {
            changes.parts.insert(key(saved::CASE, id.as_bytes()), value);
        }
        changes.parts.insert(saved::MUTES.to_vec(), Some(serde_json::to_vec(&self.people.mutes)?));
        changes.parts.insert(saved::GROUPING.to_vec(), Some(serde_json::to_vec(&self.people.grouping)?));
        changes.parts.insert(saved::CONDITIONS.to_vec(), Some(postcard::to_stdvec(&self.conditions)?));
        for intake in &self.sources.intakes {
            changes.positions.insert(intake.name().to_owned(), Some(postcard::to_stdvec(&intake.kept())?));
        }
        for name in std::mem::take(&mut self.sources.gone) {
            changes.positions.insert(name, None);
        }
        self.deliveries.outbox.write(&mut changes);
        let keep = TimeDelta::from_std(self.config.service.keep_alerts).unwrap_or(TimeDelta::days(90));
        changes.forget = Some(Forget { raised_before: (now - keep).timestamp(), keep: MOST_ALERTS });
        Ok(changes)
    }
}
