//! What the API and the metrics show of the service.
use super::cases::OpenIncidents;
use super::clock;
use super::intake::Intake;
use super::reading::offset;
use super::runner::Runner;
use crate::config::RawConfig;
use chrono::{DateTime, Utc};
use std::collections::BTreeSet;
use std::sync::Arc;
use tollwatch_detect::{AboutV1, AlertV1, Engine, RawRule, ScopeKind};
use tollwatch_http::{
    CheckV1, ExtensionV1, NotifierV1, RuleV1, SourceMetrics, SourceState, SourceV1, Suppression, View,
    WindowV1,
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
        let seconds = |at: DateTime<Utc>| at.timestamp() as f64;
        let data = &self.config.data;
        self.metrics.data(seconds(data.rates_of), seconds(data.risk_list_of));
    }

    /// Puts what there is now where requests find it.
    pub(super) fn publish(&mut self, now: DateTime<Utc>) {
        let mutes = self.people.mutes.wire();
        let incidents = self.people.cases.entries(&mutes, self.show_numbers());
        let mut view = View::default().with_incidents(incidents);
        view.sources = self.sources.intakes.iter().map(|intake| source(intake, now)).collect();
        view.conditions = self.conditions.wire();
        view.rules = Arc::clone(&self.rules);
        view.notifiers = self.notifiers_view();
        view.checks = self.checks();
        view.mutes = mutes;
        self.published.publish(view);
        self.measure(now);
    }

    /// Whether the API shows called numbers in full.
    pub(super) fn show_numbers(&self) -> bool {
        self.config.service.http.as_ref().is_some_and(|http| http.show_numbers)
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

    pub(super) fn checks(&self) -> Vec<CheckV1> {
        let check = |name: &str, ok: bool, detail: String| CheckV1 {
            name: name.to_owned(),
            ok,
            detail: Some(detail),
        };
        let failing = self.keeping.failing_since();
        let state = match failing {
            None => check("state", true, "what was learned is durable".to_owned()),
            Some(since) if self.is_held_back() => {
                let since = clock::text(since);
                check("state", false, format!("cannot be written since {since}; reading has stopped"))
            }
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
                lateness_seconds: intake.lateness.map(|seconds| seconds as f64),
                last_read_at: intake.last_read.map(|at| at.timestamp_micros() as f64 / 1e6),
                silent: intake.silence(now, offset(intake, now)).is_some(),
            };
            self.metrics.source(intake.name(), &metrics);
            intake.count_into(&self.metrics);
        }
        let currency = self.engine.settings().currency().to_owned();
        self.metrics.engine(&self.engine.counters(), &currency);
        let open = self.people.cases.open();
        let sum = |count: fn(&OpenIncidents) -> u64| open.values().map(count).sum();
        let exposure = open.values().map(|open| open.exposure).sum();
        self.metrics.open(sum(|open| open.warnings), sum(|open| open.criticals), &currency, exposure);
        let by_tenant =
            open.iter().map(|(name, open)| (*name, open.warnings + open.criticals, open.exposure));
        self.metrics.tenants(by_tenant, &currency);
        for (kind, count) in [
            ("keys", self.engine.keys()),
            ("tenants", self.engine.tenants()),
            ("incidents", self.people.cases.len()),
        ] {
            self.metrics.state_entities(kind, count as u64);
        }
        self.metrics.state_bytes(self.keeping.bytes());
        for (kind, severity, open) in self.conditions.counts() {
            self.metrics.conditions(kind, severity, open);
        }
        for standing in self.deliveries.outbox.standing() {
            let oldest = standing.oldest.map(|at| at.timestamp_micros() as f64 / 1e6);
            self.metrics.outbox(&standing.name, standing.pending as u64, oldest, standing.dead as u64);
        }
        self.metrics.suppressed(Suppression::Muted, std::mem::take(&mut self.deliveries.outbox.muted));
        self.metrics
            .suppressed(Suppression::QuietHours, std::mem::take(&mut self.deliveries.outbox.unrouted));
    }

    /// How an extension stands against its rules.
    pub(super) fn extension(&mut self, tenant: &str, extension: &str) -> Option<ExtensionV1> {
        standing(&mut self.engine, tenant, extension)
    }
}

/// The rules as they are configured.
pub(super) fn rules(raw: &RawConfig) -> Arc<[RuleV1]> {
    let embedded = toml::from_str::<RawConfig>(crate::default_text());
    let ours: BTreeSet<String> =
        embedded.map(|raw| raw.rules.into_iter().map(|rule| rule.name).collect()).unwrap_or_default();
    let wire = |rule: &RawRule, tenant: Option<&String>| RuleV1 {
        reasons: ours.contains(&rule.name).then(|| format!("docs/rules.md#{}", rule.name)),
        rule: rule.clone(),
        tenant: tenant.cloned(),
    };
    let common = raw.rules.iter().map(|rule| wire(rule, None));
    let own =
        raw.tenants.iter().flat_map(|tenant| tenant.rules.iter().map(|rule| wire(rule, Some(&tenant.name))));
    common.chain(own).collect()
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
        duplicate: intake.became.duplicate,
        late: intake.became.late,
        rejected: intake.tally.rejected(),
        rejected_by_reason: intake.tally.by_reason().clone(),
        silent: intake.silence(now, offset(intake, now)).is_some(),
    }
}
