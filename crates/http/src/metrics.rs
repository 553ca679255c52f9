//! The metrics: names, units and help in one place, by Prometheus' practice.
//!
//! No extension, number or call id is ever a label: they are personal, and attackers choose how many there are.
mod engine;
mod parts;
mod tenants;

pub use parts::{Build, Checkpoint, DeliveryResult, RecordResult, SourceMetrics, Suppression};

use engine::EngineTotals;
use parts::{Maker, severity_word};
use prometheus::{Gauge, GaugeVec, Histogram, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Registry};
use std::time::Duration;
use tenants::TenantLabels;
use tollwatch_detect::{ConditionKindV1, Counters, Severity};

/// A metric was defined twice or under a name that cannot be: our fault.
#[derive(Debug, thiserror::Error)]
#[error("the metrics cannot be registered")]
pub struct MetricsError(#[from] prometheus::Error);

/// All metrics, in a registry of their own. Every method may be called from any thread.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    cdrs: IntCounterVec,
    parse_errors: IntCounterVec,
    source_lag_bytes: IntGaugeVec,
    last_record: GaugeVec,
    lateness: GaugeVec,
    last_read: GaugeVec,
    source_silent: IntGaugeVec,
    alerts: IntCounterVec,
    suppressed: IntCounterVec,
    incidents_open: IntGaugeVec,
    exposure_open: GaugeVec,
    detection_latency: Histogram,
    totals: EngineTotals,
    state_entities: IntGaugeVec,
    state_bytes: IntGauge,
    checkpoint_last_success: Gauge,
    checkpoint_bytes: IntGauge,
    checkpoint_seconds: Histogram,
    checkpoint_failures: prometheus::IntCounter,
    restore_seconds: Gauge,
    outbox_pending: IntGaugeVec,
    outbox_oldest: GaugeVec,
    outbox_dead: IntGaugeVec,
    notifier_attempts: IntCounterVec,
    notifier_delivery: HistogramVec,
    reload_successful: IntGauge,
    reload_success_at: Gauge,
    rate_deck: Gauge,
    risk_list: Gauge,
    conditions_open: IntGaugeVec,
    tenants: TenantLabels,
}

/// From a live event that is alerted at once to a night without a checkpoint.
const LATENCY: [f64; 14] =
    [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 3600.0];
/// A commit takes milliseconds on a good disk; a delivery up to its time-out.
const EFFORT: [f64; 12] = [0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0];

impl Metrics {
    /// Metrics in which nothing was counted. So many tenants as `tenant_label_limit` get a label of their own.
    pub fn new(build: &Build<'_>, tenant_label_limit: usize) -> Result<Self, MetricsError> {
        let registry = Registry::new();
        let make = Maker::new(&registry);
        make.process()?;
        let info = make.gauges(
            "build_info",
            "Always 1; the labels say what is running.",
            &["version", "revision", "rustc"],
        )?;
        info.with_label_values(&[build.version, build.revision, build.rustc]).set(1);
        let metrics = Self {
            cdrs: make.counters(
                "cdrs_total",
                "Records read, by what became of them.",
                &["source", "result"],
            )?,
            parse_errors: make.counters(
                "cdr_parse_errors_total",
                "Records that could not be read, by reason.",
                &["source", "reason"],
            )?,
            source_lag_bytes: make.gauges(
                "source_lag_bytes",
                "Bytes that are there and not read yet.",
                &["source"],
            )?,
            lateness: make.measures(
                "source_lateness_seconds",
                "Seconds from the end of the oldest call (or the event) among the records read last until they were read: \
                 how late the PBX writes.",
                &["source"],
            )?,
            last_record: make.measures(
                "watermark_timestamp_seconds",
                "Event time of the last record of a source; 0 before the first.",
                &["source"],
            )?,
            last_read: make.measures(
                "source_last_read_timestamp_seconds",
                "When something was read from a source last; 0 if never.",
                &["source"],
            )?,
            source_silent: make.gauges(
                "source_silent",
                "1 where a source is silent for longer than usual.",
                &["source"],
            )?,
            alerts: make.counters("alerts_total", "Alerts raised.", &["rule", "severity"])?,
            suppressed: make.counters(
                "alerts_suppressed_total",
                "Alerts that were not sent.",
                &["reason"],
            )?,
            incidents_open: make.gauges("incidents_open", "Incidents that are not over.", &["severity"])?,
            exposure_open: make.measures(
                "exposure_open",
                "Estimated charges of the incidents that are not over, in units of the currency.",
                &["currency"],
            )?,
            detection_latency: make.histogram(
                "detection_latency_seconds",
                "From the event time of the record that raised an alert until the alert was durable.",
                &LATENCY,
            )?,
            totals: EngineTotals::new(&make)?,
            state_entities: make.gauges("state_entities", "Things that are remembered.", &["kind"])?,
            state_bytes: make.gauge("state_bytes", "Size of the file that holds the state.")?,
            checkpoint_last_success: make.measure(
                "checkpoint_last_success_timestamp_seconds",
                "When state was made durable last; 0 if never.",
            )?,
            checkpoint_bytes: make.gauge("checkpoint_bytes", "Size of the last checkpoint.")?,
            checkpoint_seconds: make.histogram(
                "checkpoint_duration_seconds",
                "How long it took to make state durable.",
                &EFFORT,
            )?,
            checkpoint_failures: make.counter("checkpoint_failures_total", "Checkpoints that failed.")?,
            restore_seconds: make
                .measure("restore_seconds", "How long it took to take up the state at the start.")?,
            outbox_pending: make.gauges(
                "outbox_pending",
                "Alerts that wait to be delivered.",
                &["notifier"],
            )?,
            outbox_oldest: make.measures(
                "outbox_oldest_timestamp_seconds",
                "When the oldest alert that waits was raised; 0 if none waits.",
                &["notifier"],
            )?,
            outbox_dead: make.gauges("outbox_dead", "Alerts that are no longer tried.", &["notifier"])?,
            notifier_attempts: make.counters(
                "notifier_attempts_total",
                "Attempts to deliver an alert, by what came of them.",
                &["notifier", "code_class"],
            )?,
            notifier_delivery: make.histograms(
                "notifier_delivery_seconds",
                "How long an attempt took.",
                &EFFORT,
                &["notifier"],
            )?,
            reload_successful: make.gauge("config_last_reload_successful", "1 if the last one was taken.")?,
            reload_success_at: make.measure(
                "config_last_reload_success_timestamp_seconds",
                "When the configuration in force was taken.",
            )?,
            rate_deck: make.measure("rate_deck_timestamp_seconds", "The day the rates in force are of.")?,
            risk_list: make
                .measure("risk_list_timestamp_seconds", "The day the list of risky destinations is of.")?,
            conditions_open: make.gauges(
                "conditions_open",
                "What keeps the service from seeing or from being heard, by kind.",
                &["condition", "severity"],
            )?,
            tenants: TenantLabels::new(&make, tenant_label_limit)?,
            registry,
        };
        // A series that appears with its first event hides that event from `increase()`.
        for severity in [Severity::Warning, Severity::Critical] {
            metrics.incidents_open.with_label_values(&[severity_word(severity)]);
        }
        for reason in Suppression::ALL {
            metrics.suppressed.with_label_values(&[reason.word()]);
        }
        Ok(metrics)
    }

    /// What `/metrics` is made from.
    pub fn registry(&self) -> Registry {
        self.registry.clone()
    }

    /// A source there is from now on: all its series begin at 0.
    pub fn declare_source(&self, source: &str) {
        for result in RecordResult::ALL {
            self.cdrs.with_label_values(&[source, result.word()]);
        }
        self.source(source, &SourceMetrics::default());
    }

    /// A rule there is from now on.
    pub fn declare_rule(&self, rule: &str) {
        for severity in [Severity::Warning, Severity::Critical] {
            self.alerts.with_label_values(&[rule, severity_word(severity)]);
        }
    }

    /// A notifier there is from now on.
    pub fn declare_notifier(&self, notifier: &str) {
        for result in DeliveryResult::ALL {
            self.notifier_attempts.with_label_values(&[notifier, result.word()]);
        }
        self.notifier_delivery.with_label_values(&[notifier]);
        self.outbox(notifier, 0, None, 0);
    }

    /// Records that were read from a source.
    pub fn records(&self, source: &str, result: RecordResult, count: u64) {
        self.cdrs.with_label_values(&[source, result.word()]).inc_by(count);
    }

    /// Records that could not be read: counted by their reason, one of a fixed set, and as malformed.
    pub fn parse_errors(&self, source: &str, reason: &'static str, count: u64) {
        self.parse_errors.with_label_values(&[source, reason]).inc_by(count);
        self.records(source, RecordResult::Malformed, count);
    }

    /// How it goes with a source.
    pub fn source(&self, source: &str, now: &SourceMetrics) {
        self.source_lag_bytes.with_label_values(&[source]).set(now.lag_bytes as i64);
        self.lateness.with_label_values(&[source]).set(now.lateness_seconds.unwrap_or(0.0));
        self.last_record.with_label_values(&[source]).set(now.last_record_at.unwrap_or(0.0));
        self.last_read.with_label_values(&[source]).set(now.last_read_at.unwrap_or(0.0));
        self.source_silent.with_label_values(&[source]).set(i64::from(now.silent));
    }

    /// An alert is durable; `latency` is the time since the event time of its record.
    pub fn alert(&self, rule: &str, severity: Severity, tenant: &str, latency: Duration) {
        self.alerts.with_label_values(&[rule, severity_word(severity)]).inc();
        self.tenants.alert(tenant, severity);
        self.detection_latency.observe(latency.as_secs_f64());
    }

    /// Alerts were not sent.
    pub fn suppressed(&self, reason: Suppression, count: u64) {
        self.suppressed.with_label_values(&[reason.word()]).inc_by(count);
    }

    /// What the engine has counted since it began. Counters that would fall stay: a scraper takes a fall for a restart.
    pub fn engine(&self, counters: &Counters, currency: &str) {
        self.totals.follow(counters, currency);
        let folded = self.suppressed.with_label_values(&[Suppression::Storm.word()]);
        folded.inc_by(counters.alerts_folded.saturating_sub(folded.get()));
    }

    /// Incidents that are not over, by severity, and their charges.
    pub fn open(&self, warnings: u64, criticals: u64, currency: &str, exposure: f64) {
        self.incidents_open.with_label_values(&[severity_word(Severity::Warning)]).set(warnings as i64);
        self.incidents_open.with_label_values(&[severity_word(Severity::Critical)]).set(criticals as i64);
        self.exposure_open.with_label_values(&[currency]).set(exposure);
    }

    /// How many things of a kind are kept: `keys`, `tenants`, `incidents`; a fixed set.
    pub fn state_entities(&self, kind: &'static str, count: u64) {
        self.state_entities.with_label_values(&[kind]).set(count as i64);
    }

    /// Size of the file that holds the state.
    pub fn state_bytes(&self, bytes: u64) {
        self.state_bytes.set(bytes as i64);
    }

    /// State was made durable, or not.
    pub fn checkpoint(&self, checkpoint: Checkpoint) {
        match checkpoint {
            Checkpoint::Done { at, bytes, took } => {
                self.checkpoint_last_success.set(at);
                self.checkpoint_bytes.set(bytes as i64);
                self.checkpoint_seconds.observe(took.as_secs_f64());
            }
            Checkpoint::Failed => self.checkpoint_failures.inc(),
        }
    }

    /// The state was taken up at the start.
    pub fn restored(&self, took: Duration) {
        self.restore_seconds.set(took.as_secs_f64());
    }

    /// What waits for a notifier. Times are seconds since 1970.
    pub fn outbox(&self, notifier: &str, pending: u64, oldest_at: Option<f64>, dead: u64) {
        self.outbox_pending.with_label_values(&[notifier]).set(pending as i64);
        self.outbox_oldest.with_label_values(&[notifier]).set(oldest_at.unwrap_or(0.0));
        self.outbox_dead.with_label_values(&[notifier]).set(dead as i64);
    }

    /// One attempt to deliver an alert.
    pub fn delivery(&self, notifier: &str, result: DeliveryResult, took: Duration) {
        self.notifier_attempts.with_label_values(&[notifier, result.word()]).inc();
        self.notifier_delivery.with_label_values(&[notifier]).observe(took.as_secs_f64());
    }

    /// A configuration was taken at that time (seconds since 1970), or refused.
    pub fn reloaded(&self, taken_at: Option<f64>) {
        self.reload_successful.set(i64::from(taken_at.is_some()));
        if let Some(at) = taken_at {
            self.reload_success_at.set(at);
        }
    }

    /// The days that the rates in force and the list of risky destinations are of, in seconds since 1970.
    pub fn data(&self, rates_of: f64, risk_of: f64) {
        self.rate_deck.set(rates_of);
        self.risk_list.set(risk_of);
    }

    /// How many conditions of a kind hold.
    pub fn conditions(&self, kind: ConditionKindV1, severity: Severity, open: u64) {
        self.conditions_open.with_label_values(&[kind.word(), severity_word(severity)]).set(open as i64);
    }

    /// A tenant's incidents that are not over, and their charges. Those over the limit are added up: all of them must be
    /// told in one call.
    pub fn tenants<'t>(&self, open: impl IntoIterator<Item = (&'t str, u64, f64)>, currency: &str) {
        self.tenants.open(open, currency);
    }
}
