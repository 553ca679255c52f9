//! Everything that must agree, made durable in one commit.
use super::conditions::Detail;
use super::keeping::Failure;
use super::runner::Runner;
use super::{clock, saved};
use chrono::{DateTime, TimeDelta, Utc};
use tollwatch_detect::{AlertV1, ConditionKindV1};
use tollwatch_http::Checkpoint;

/// Alerts wait for a failing store no longer than this. They are told then and kept when it can keep them: whoever has
/// heard of a fraud twice has lost less than one who has not heard of it. Before, nobody is called for the store either.
const PATIENCE: TimeDelta = TimeDelta::seconds(30);
/// A store that fails is tried again so often.
const RETRY_EVERY: TimeDelta = TimeDelta::seconds(1);
/// While the store fails, reading goes on, so that fraud is seen, until so many alerts wait to be written.
const MOST_WAITING: usize = 10_000;

impl Runner {
    pub(super) fn is_checkpoint_due(&self, now: DateTime<Utc>) -> bool {
        let since = now.signed_duration_since(self.keeping.tried_at());
        if self.keeping.failing_since().is_some() {
            return since >= RETRY_EVERY;
        }
        let every = TimeDelta::from_std(self.config.service.checkpoint_every).unwrap_or(TimeDelta::zero());
        let outbox = &self.deliveries.outbox;
        outbox.has_fresh() || since >= every && (self.sources.has_taken || outbox.has_changes())
    }

    /// Whether more must not be read until the store takes what there is.
    pub(super) fn is_held_back(&self) -> bool {
        self.keeping.failing_since().is_some()
            && (self.keeping.is_full() || self.deliveries.outbox.waiting() >= MOST_WAITING)
    }

    /// Makes everything durable in one commit.
    pub(super) fn checkpoint(&mut self, now: DateTime<Utc>) -> Result<(), Failure> {
        // Positions are behind all records that were decoded: these must have had their turn.
        self.take_turns(false);
        self.raise(now);
        let resolved = self.engine.take_resolved();
        self.follow(&resolved);
        let began = clock::now();
        if let Err(error) = self.gather(now) {
            return Err(self.keeping.give_up(&error));
        }
        match self.keeping.commit(now) {
            Ok(bytes) => {
                self.sources.has_taken = false;
                self.deliveries.outbox.committed();
                let took = clock::now().signed_duration_since(began).to_std().unwrap_or_default();
                let at = now.timestamp_micros() as f64 / 1e6;
                self.metrics.checkpoint(Checkpoint::Done { at, bytes: bytes as u64, took });
                let over = self.failing(None, now);
                self.tell_all(over, now);
                Ok(())
            }
            Err(failure) => {
                self.metrics.checkpoint(Checkpoint::Failed);
                tracing::error!(error = failure.to_string(), "cannot write the state");
                if self.keeping.failing_since().is_some_and(|since| now - since >= PATIENCE) {
                    let begun = self.failing(Some(&failure), now);
                    self.tell_all(begun, now);
                    self.deliveries.outbox.release();
                }
                Err(failure)
            }
        }
    }

    /// What is to be said of how the store stands.
    fn failing(&mut self, failure: Option<&Failure>, now: DateTime<Utc>) -> Vec<AlertV1> {
        let is_full = failure.is_some_and(Failure::is_full_disk);
        let held_back = if self.is_held_back() {
            ("; reading has stopped", "。読み取りは停止中です")
        } else {
            ("", "")
        };
        let full = failure.filter(|_| is_full).map(|failure| {
            let ((english, japanese), why) = (held_back, failure);
            Detail::new(
                format!("the state cannot be written, the disk is full; make room, it goes on by itself{english} ({why})"),
                format!("ディスクがいっぱいで状態を書き込めません。空きを作れば自動で再開します{japanese} ({why})"),
            )
        });
        let other = failure.filter(|_| !is_full).map(|failure| {
            let ((english, japanese), why) = (held_back, failure);
            Detail::new(
                format!("the state cannot be written{english}: {why}"),
                format!("状態を書き込めません{japanese}: {why}"),
            )
        });
        let mut alerts = Vec::new();
        for (kind, detail) in [(ConditionKindV1::DiskFull, full), (ConditionKindV1::CheckpointFailing, other)]
        {
            alerts.extend(self.conditions.found(kind, "", "default", now, detail));
        }
        alerts
    }

    /// Gives what has changed to [`super::keeping::Keeping`].
    fn gather(&mut self, now: DateTime<Utc>) -> anyhow::Result<()> {
        let key = |kind: u8, rest: &[u8]| [&[kind], rest].concat();
        let keeping = &mut self.keeping;
        for (part, value) in self.engine.changes()? {
            keeping.part(key(saved::ENGINE, &part), value);
        }
        for (id, value) in self.people.cases.changes()? {
            keeping.part(key(saved::CASE, id.as_bytes()), value);
        }
        keeping.part_if_other(saved::MUTES, serde_json::to_vec(&self.people.mutes)?);
        keeping.part_if_other(saved::GROUPING, serde_json::to_vec(&self.people.grouping)?);
        keeping.part_if_other(saved::CONDITIONS, postcard::to_stdvec(&self.conditions)?);
        for intake in &self.sources.intakes {
            keeping.position_if_other(intake.name(), postcard::to_stdvec(&intake.kept())?);
        }
        for name in std::mem::take(&mut self.sources.gone) {
            keeping.position_is_gone(name);
        }
        let keep = TimeDelta::from_std(self.config.service.keep_alerts).unwrap_or(TimeDelta::days(90));
        keeping.forget_if_due(now, keep);
        self.deliveries.outbox.write(keeping.alerts())?;
        Ok(())
    }
}
