//! What metrics are made with, and the label values there are.
use super::MetricsError;
use prometheus::process_collector::ProcessCollector;
use prometheus::{
    CounterVec, Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge,
    IntGaugeVec, Opts, Registry,
};
use std::time::Duration;
use tollwatch_detect::Severity;

/// What is running.
#[derive(Clone, Copy, Debug)]
pub struct Build<'a> {
    /// Version of the program.
    pub version: &'a str,
    /// Commit it was built from; `unknown` without.
    pub revision: &'a str,
    /// Compiler.
    pub rustc: &'a str,
}

/// How it goes with a source. Times are seconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SourceMetrics {
    /// Bytes that are there and not read yet.
    pub lag_bytes: u64,
    /// Event time of the last record.
    pub last_record_at: Option<f64>,
    /// Seconds from when the oldest record of what was read last was known at the PBX until it was read.
    pub lateness_seconds: Option<f64>,
    /// When something was read last.
    pub last_read_at: Option<f64>,
    /// It is silent for longer than usual.
    pub silent: bool,
}

/// State was made durable, or not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Checkpoint {
    /// It was.
    Done {
        /// When, in seconds since 1970.
        at: f64,
        /// How much was written.
        bytes: u64,
        /// How long it took.
        took: Duration,
    },
    /// It was not; the state before is still there.
    Failed,
}

/// Values of a label: an enum, its words, and all of them.
macro_rules! label {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            pub(super) const ALL: &[Self] = &[$(Self::$variant,)*];

            pub(super) fn word(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }
    };
}

label! {
    /// What became of a record.
    RecordResult {
        /// It went into the engine.
        Accepted = "accepted",
        /// It had been read before.
        Duplicate = "duplicate",
        /// Its call began longer ago than the windows reach back.
        Late = "late",
        /// It could not be read.
        Malformed = "malformed",
        /// It is none of the kinds that are counted.
        Filtered = "filtered",
    }
}

label! {
    /// Why an alert was not sent.
    Suppression {
        /// A storm's alerts spoke for it.
        Storm = "storm",
        /// Somebody muted it.
        Muted = "muted",
        /// No route leads to a notifier now.
        QuietHours = "quiet_hours",
    }
}

label! {
    /// What came of an attempt to deliver.
    DeliveryResult {
        /// Delivered.
        Success = "2xx",
        /// Sent elsewhere, which is not followed.
        Redirect = "3xx",
        /// Refused.
        ClientError = "4xx",
        /// The receiver failed.
        ServerError = "5xx",
        /// No answer: connection, time-out, a program's failure.
        NoAnswer = "error",
    }
}

pub(super) fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Warning => "warning",
        Severity::Critical => "critical",
    }
}

/// Makes metrics under the prefix and registers them.
pub(super) struct Maker<'r> {
    registry: &'r Registry,
}

impl<'r> Maker<'r> {
    pub(super) fn new(registry: &'r Registry) -> Self {
        Self { registry }
    }

    fn options(name: &str, help: &str) -> Opts {
        Opts::new(format!("tollwatch_{name}"), help)
    }

    fn register<M: prometheus::core::Collector + Clone + 'static>(
        &self,
        metric: M,
    ) -> Result<M, MetricsError> {
        self.registry.register(Box::new(metric.clone()))?;
        Ok(metric)
    }

    /// Memory, processor time and descriptors of this process, under the names that all programs use.
    pub(super) fn process(&self) -> Result<(), MetricsError> {
        Ok(self.registry.register(Box::new(ProcessCollector::for_self()))?)
    }

    pub(super) fn counter(&self, name: &str, help: &str) -> Result<IntCounter, MetricsError> {
        self.register(IntCounter::with_opts(Self::options(name, help))?)
    }

    pub(super) fn counters(
        &self,
        name: &str,
        help: &str,
        labels: &[&str],
    ) -> Result<IntCounterVec, MetricsError> {
        self.register(IntCounterVec::new(Self::options(name, help), labels)?)
    }

    /// Counters with fractions: money.
    pub(super) fn amounts(
        &self,
        name: &str,
        help: &str,
        labels: &[&str],
    ) -> Result<CounterVec, MetricsError> {
        self.register(CounterVec::new(Self::options(name, help), labels)?)
    }

    pub(super) fn gauge(&self, name: &str, help: &str) -> Result<IntGauge, MetricsError> {
        self.register(IntGauge::with_opts(Self::options(name, help))?)
    }

    pub(super) fn gauges(
        &self,
        name: &str,
        help: &str,
        labels: &[&str],
    ) -> Result<IntGaugeVec, MetricsError> {
        self.register(IntGaugeVec::new(Self::options(name, help), labels)?)
    }

    /// A gauge with fractions: a moment, a duration, money.
    pub(super) fn measure(&self, name: &str, help: &str) -> Result<Gauge, MetricsError> {
        self.register(Gauge::with_opts(Self::options(name, help))?)
    }

    pub(super) fn measures(&self, name: &str, help: &str, labels: &[&str]) -> Result<GaugeVec, MetricsError> {
        self.register(GaugeVec::new(Self::options(name, help), labels)?)
    }

    pub(super) fn histogram(
        &self,
        name: &str,
        help: &str,
        buckets: &[f64],
    ) -> Result<Histogram, MetricsError> {
        let options = HistogramOpts::from(Self::options(name, help)).buckets(buckets.to_vec());
        self.register(Histogram::with_opts(options)?)
    }

    pub(super) fn histograms(
        &self,
        name: &str,
        help: &str,
        buckets: &[f64],
        labels: &[&str],
    ) -> Result<HistogramVec, MetricsError> {
        let options = HistogramOpts::from(Self::options(name, help)).buckets(buckets.to_vec());
        self.register(HistogramVec::new(options, labels)?)
    }
}
