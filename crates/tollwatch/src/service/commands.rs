//! What people ask by the API, and a new configuration.
use super::conditions::Detail;
use super::grouping::Audience;
use super::intake::Intake;
use super::runner::{Runner, Startup, environment};
use crate::config::{Config, ConfigProblem};
use chrono::{DateTime, Utc};
use std::sync::Arc;
use tollwatch_detect::{AlertV1, ConditionKindV1, Problem};
use tollwatch_http::{Command, IncidentStatusV1, Refusal, ReloadedV1, RetriedV1, RetryDeliveriesV1};

/// A fault with the file it is of.
pub(super) fn placed(startup: &Startup, problem: Problem) -> ConfigProblem {
    ConfigProblem::of_use(startup.file.as_deref(), problem)
}

impl Runner {
    /// Does what is asked, and answers when it is durable.
    pub(super) fn obey(&mut self, command: Command, now: DateTime<Utc>) {
        match command {
            Command::Acknowledge { incident, by, note, reply } => {
                let told = self.people.cases.acknowledge(&incident, by, note, now);
                reply.send(self.decided(&incident, told, now));
            }
            Command::Resolve { incident, by, note, reply } => {
                let told = self.people.cases.resolve(&incident, by, note, now);
                reply.send(self.decided(&incident, told, now));
            }
            Command::Mute { request, reply } => {
                let made = self.people.mutes.add(request, now);
                reply.send(made.and_then(|mute| self.keep(now).map(|()| mute)));
            }
            Command::Unmute { mute, reply } => {
                let found = if self.people.mutes.remove(&mute) {
                    Ok(())
                } else {
                    Err(Refusal::NotFound("no such mute".to_owned()))
                };
                reply.send(found.and_then(|()| self.keep(now)));
            }
            Command::Reload { reply } => reply.send(self.reload(now).map_err(Refusal::Unusable)),
            Command::Extension { tenant, extension, reply } => {
                if reply.is_awaited() {
                    let answer = self.extension(&tenant, &extension);
                    reply.send(
                        answer.ok_or_else(|| Refusal::NotFound("no such extension has called".to_owned())),
                    );
                }
            }
            Command::Number { tenant, dialled, reply } => {
                if reply.is_awaited() {
                    let tenant = tenant.unwrap_or_else(|| self.config.sources.site().tenant.clone());
                    let settings = self.engine.settings_of(&tenant);
                    reply.send(Ok(crate::commands::number::wire(&dialled, &tenant, settings)));
                }
            }
            Command::RetryDead { notifier, alert_id, reply } => {
                let request = RetryDeliveriesV1 {
                    alert_ids: alert_id.map(|id| vec![id]),
                    notifier: Some(notifier),
                    all: false,
                };
                reply.send(self.retry(&request, now));
            }
            Command::RetryDeliveries { request, reply } => reply.send(self.retry(&request, now)),
            Command::Deliveries { filter, reply } => {
                if reply.is_awaited() {
                    reply.send(Ok(self.deliveries.outbox.deliveries(&filter)));
                }
            }
            Command::BeginDrill { request, reply } => reply.send(self.begin_drill(&request, now)),
            Command::Drill { drill, reply } => reply.send(self.drill_of(&drill)),
        }
    }

    /// Sends again what has failed.
    fn retry(&mut self, request: &RetryDeliveriesV1, now: DateTime<Utc>) -> Result<RetriedV1, Refusal> {
        if request.notifier.as_ref().is_some_and(|name| !self.deliveries.outbox.knows(name)) {
            return Err(Refusal::NotFound("no such notifier".to_owned()));
        }
        let retried = self.deliveries.outbox.retry(request, now);
        self.keep(now).map(|()| RetriedV1 { retried })
    }

    /// What a person decided of an incident: told to those who were called, and durable.
    fn decided(
        &mut self,
        incident: &str,
        told: Result<AlertV1, Refusal>,
        now: DateTime<Utc>,
    ) -> Result<IncidentStatusV1, Refusal> {
        let alert = told?;
        tracing::info!(incident, reason = alert.reason.word(), "a person decided");
        // What is decided of a drill has no part in the cases that people are called for.
        let told = if alert.drill { vec![(alert, Audience::All)] } else { self.people.grouping.tell(alert) };
        for (alert, audience) in told {
            self.deliveries.outbox.add(alert, audience, now, &[]);
        }
        self.keep(now)?;
        let shown = self.show_numbers();
        let status = self.people.cases.status(incident, &self.people.mutes.wire(), shown);
        status.ok_or_else(|| Refusal::NotFound("no such incident".to_owned()))
    }

    pub(super) fn keep(&mut self, now: DateTime<Utc>) -> Result<(), Refusal> {
        let kept = self.checkpoint(now).map_err(|error| Refusal::NotDurable(error.to_string()));
        self.publish(now);
        kept
    }

    /// Reads the configuration again: all of it is taken, or nothing.
    pub(super) fn reload(&mut self, now: DateTime<Utc>) -> Result<ReloadedV1, Vec<Problem>> {
        let taken = self.try_reload(now);
        let problem = taken.as_ref().err().and_then(|problems| problems.first()).map(|problem| {
            Detail::new(
                format!("the changed configuration is refused, the old one is in force: {problem}"),
                format!("変更された設定は拒否され、以前の設定のままです: {problem}"),
            )
        });
        match &taken {
            Ok(taken) => {
                tracing::info!(changed = taken.changed.join(" "), "the configuration was read again");
            }
            Err(problems) => {
                for problem in problems {
                    tracing::error!(%problem, "the configuration is refused");
                }
            }
        }
        self.metrics.reloaded(taken.is_ok().then(|| now.timestamp_micros() as f64 / 1e6));
        let alert = self.conditions.found(ConditionKindV1::ReloadRefused, "", "default", now, problem);
        self.tell_all(alert, now);
        taken
    }

    fn try_reload(&mut self, now: DateTime<Utc>) -> Result<ReloadedV1, Vec<Problem>> {
        let config = Config::load(self.startup.file.as_deref(), &self.startup.overrides)
            .map_err(|problems| problems.into_iter().map(|problem| problem.problem).collect::<Vec<_>>())?;
        let notify = config.service.notify.build(config.service.folder.as_deref(), &environment)?;
        let followed = config.sources.followed();
        if followed.is_empty() {
            return Err(vec![Problem::new(
                "sources".to_owned(),
                "nothing to follow".to_owned(),
                "keep one source",
            )]);
        }
        let same = |what: &str, before: &str, after: &str| {
            let hint = "it takes a restart to change this";
            if before == after {
                Ok(())
            } else {
                Err(vec![Problem::new(what.to_owned(), format!("was {before}"), hint)])
            }
        };
        let (before, after) = (&self.config.service, &config.service);
        same("service.state", &before.state.display().to_string(), &after.state.display().to_string())?;
        same("http", &format!("{:?}", before.http), &format!("{:?}", after.http))?;
        let changed = config.raw.changed_since(&self.config.raw);
        // From here on nothing can fail.
        let own = config.tenants.iter().map(|tenant| (tenant.name.clone(), tenant.settings.clone()));
        self.engine.reconfigure(config.settings.clone(), own);
        let names: Vec<String> = notify.notifiers.iter().map(|notifier| notifier.name().to_owned()).collect();
        self.deliveries.outbox.reconfigure(&notify.notifiers, notify.router);
        self.deliveries.notifiers = Arc::new(notify.notifiers);
        let mut before = std::mem::take(&mut self.sources.intakes);
        for followed in config.sources.followed() {
            let tenant = self.engine.tenant(&followed.source.tenant);
            let known = before.iter().position(|intake| intake.followed == *followed);
            self.sources.intakes.push(match known {
                Some(at) => before.swap_remove(at),
                // Read in another way from where it was.
                None => match before.iter().position(|intake| intake.name() == followed.name) {
                    Some(at) => {
                        Intake::new(followed.clone(), tenant, Some(before.swap_remove(at).kept()), now)
                    }
                    None => Intake::new(followed.clone(), tenant, None, now),
                },
            });
        }
        self.sources.gone.extend(before.iter().map(|intake| intake.name().to_owned()));
        let warnings = config.warnings.clone();
        self.config = config;
        self.rules = super::view::rules(&self.config.raw);
        self.declare_metrics();
        let (intakes, names) = (&self.sources.intakes, &names);
        let gone = self.conditions.keep_subjects(now, |_, subject| {
            subject.is_empty()
                || names.iter().any(|name| name == subject)
                || intakes.iter().any(|intake| intake.name() == subject)
        });
        self.tell_all(gone, now);
        Ok(ReloadedV1 { changed, warnings })
    }
}
