//! What the API and the metrics show of the service.
use super::clock;
use super::intake::Intake;
use super::reading::offset;
use super::runner::Runner;
use chrono::{DateTime, Utc};
use tollwatch_detect::{AboutV1, AlertV1, Engine, RawRule, ScopeKind};
use tollwatch_http::{
    CheckV1, ExtensionV1, NotifierV1, RecordResult, RuleV1, SourceMetrics, SourceState, SourceV1,
    Suppression, View, WindowV1,
};

/// The rule of an alert, or the kind of its condition.
pub(super) fn rule_of(alert: &AlertV1) -> &str {
    match &alert.about {
        AboutV1::Calls(incident) => &incident.rule,
        AboutV1::Service(condition) => condition.condition.word(),
    }
}

impl Runner {
    /// Says which label values there are, so that their series begin at nothing.
    pub(super) fn declare_metrics(&mut self) {
        for intake in &self.sources.intakes {
            self.metrics.declare_source(intake.name());
        }
        for rule in self.engine.settings().rules() {
            self.metrics.declare_rule(&rule.name);
        }
        for notifier in self.deliveries.notifiers.iter() {
            self.metrics.declare_notifier(notifier.name());
        }
    }

    /// Puts what there is now where requests find it.
    pub(super) fn publish(&mut self, now: DateTime<Utc>) {
        let mutes = self.people.mutes.wire();
        let incidents = self.people.cases.entries(&mutes);
        let mut view = View::default().with_incidents(incidents);
        view.sources = self.sources.intakes.iter().map(|intake| source(intake, now)).collect();
        view.rules = self.rules();
        view.notifiers = self.notifiers_view();
        view.checks = self.checks();
        view.mutes = mutes;
        self.published.publish(view);
        self.measure(now);
    }

    fn rules(&self) -> Vec<RuleV1> {
        let reasons = |rule: &RawRule| {
            let is_ours = crate::default_text().contains(&format!("name = \"{}\"", rule.name));
            is_ours.then(|| format!("docs/rules.md#{}", rule.name))
        };
        let wire = |rule: &RawRule, tenant: Option<&String>| RuleV1 {
            rule: rule.clone(),
            tenant: tenant.cloned(),
            reasons: reasons(rule),
        };
        let raw = &self.config.raw;
        let common = raw.rules.iter().map(|rule| wire(rule, None));
        let own = raw
            .tenants
            .iter()
            .flat_map(|tenant| tenant.rules.iter().map(|rule| wire(rule, Some(&tenant.name))));
        common.chain(own).collect()
    }

    fn notifiers_view(&self) -> Vec<NotifierV1> {
        let kinds = &self.config.raw.notifiers;
        self.deliveries
            .outbox
            .standing()
            .map(|standing| NotifierV1 {
                kind: kinds
                    .iter()
                    .find(|raw| raw.name == standing.name)
                    .map_or_else(String::new, |raw| raw.channel.kind().to_owned()),
                pending: standing.pending as u64,
                oldest_pending_at: standing.oldest.map(clock::text),
                dead: standing.dead as u64,
                disabled: standing.disabled,
                last_error: standing.last_error,
                name: standing.name,
            })
            .collect()
    }

    fn checks(&self) -> Vec<CheckV1> {
        let check = |name: &str, ok: bool, detail: String| CheckV1 {
            name: name.to_owned(),
            ok,
            detail: Some(detail),
        };
        let failing = self.keeping.failing_since;
        let state = match failing {
            None => check("state", true, "what was learned is durable".to_owned()),
            Some(since) => check("state", false, format!("cannot be written since {}", clock::text(since))),
        };
        let sources = self.sources.intakes.iter().map(|intake| {
            let detail = intake.error.clone().unwrap_or_else(|| "can be read".to_owned());
            check(&format!("source {}", intake.name()), intake.error.is_none(), detail)
        });
        std::iter::once(state).chain(sources).collect()
    }

    fn measure(&mut self, now: DateTime<Utc>) {
        for intake in &mut self.sources.intakes {
            let counters = intake.counters();
            let metrics = SourceMetrics {
                lag_bytes: counters.lag_bytes,
                last_record_at: intake.last_record.map(|at| at.micros() as f64 / 1e6),
                last_read_at: intake.last_read.map(|at| at.timestamp_micros() as f64 / 1e6),
                silent: intake.silence(now, offset(intake, now)).is_some(),
            };
            self.metrics.source(intake.name(), &metrics);
            let (accepted, malformed, unread) = intake.counted_since();
            self.metrics.records(intake.name(), RecordResult::Accepted, accepted);
            self.metrics.records(intake.name(), RecordResult::Malformed, malformed);
            self.metrics.unread(intake.name(), unread);
        }
        let currency = self.engine.settings().currency().to_owned();
        self.metrics.engine(&self.engine.counters(), &currency);
        let (warnings, criticals, exposure) = self.people.cases.open();
        self.metrics.open(warnings, criticals, &currency, exposure);
        for standing in self.deliveries.outbox.standing() {
            let oldest = standing.oldest.map(|at| at.timestamp_micros() as f64 / 1e6);
            self.metrics.outbox(&standing.name, standing.pending as u64, oldest, standing.dead as u64);
        }
        self.metrics.suppressed(Suppression::Muted, std::mem::take(&mut self.deliveries.outbox.muted));
    }

    /// How an extension stands against its rules.
    pub(super) fn extension(&mut self, tenant: &str, extension: &str) -> Option<ExtensionV1> {
        standing(&mut self.engine, tenant, extension)
    }
}

fn standing(engine: &mut Engine, tenant: &str, extension: &str) -> Option<ExtensionV1> {
    let (as_of, standing) = engine.standing(tenant, ScopeKind::Extension, extension)?;
    let settings = engine.settings_of(tenant);
    let windows = standing.into_iter().filter_map(|one| {
        let rule = settings.rules().get(one.rule)?;
        let threshold = rule.thresholds.get(one.threshold)?;
        let words = |value: i64| rule.measure.in_words(value);
        Some(WindowV1 {
            rule: rule.name.clone(),
            measure: serde_json::to_value(rule.measure).ok()?.as_str()?.to_owned(),
            window_seconds: rule.measure.has_window().then_some(threshold.seconds),
            value: one.value.map(words),
            warning: threshold.warning.map(words),
            critical: threshold.critical.map(words),
        })
    });
    Some(ExtensionV1 {
        tenant: tenant.to_owned(),
        extension: extension.to_owned(),
        as_of: as_of.to_string(),
        windows: windows.collect(),
    })
}

fn source(intake: &Intake, now: DateTime<Utc>) -> SourceV1 {
    let state = match (&intake.error, intake.last_read) {
        (Some(_), _) => SourceState::Failed,
        (None, None) => SourceState::Waiting,
        (None, Some(_)) => SourceState::Following,
    };
    SourceV1 {
        name: intake.name().to_owned(),
        format: intake.format().map(|format| format.name().to_owned()),
        timezone: intake.zone().to_string(),
        tenant: intake.followed.source.tenant.clone(),
        state,
        since: clock::text(intake.since),
        lag_bytes: intake.counters().lag_bytes,
        last_record_at: intake.last_record.map(|at| at.to_string()),
        last_read_at: intake.last_read.map(clock::text),
        records: intake.tally.records,
        rejected: intake.tally.rejected(),
        rejected_by_reason: intake.tally.by_reason().clone(),
        silent: intake.silence(now, offset(intake, now)).is_some(),
    }
}
