//! Metrics by tenant, for the first few of them: hundreds of tenants would make thousands of series.
use super::MetricsError;
use super::parts::{Maker, severity_word};
use prometheus::{GaugeVec, IntCounterVec, IntGaugeVec};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use tollwatch_detect::Severity;

/// The tenants that have no label of their own.
const OTHER: &str = "_other";

/// The tenants that were met first have a label of their own; with a limit of 0 there are no such metrics.
#[derive(Debug)]
pub(super) struct TenantLabels {
    limit: usize,
    known: Mutex<BTreeSet<String>>,
    alerts: IntCounterVec,
    incidents_open: IntGaugeVec,
    exposure_open: GaugeVec,
}

impl TenantLabels {
    pub(super) fn new(make: &Maker<'_>, limit: usize) -> Result<Self, MetricsError> {
        let labels = ["tenant", "severity"];
        Ok(Self {
            limit,
            known: Mutex::default(),
            alerts: make.counters("tenant_alerts_total", "Alerts raised, by tenant.", &labels)?,
            incidents_open: make.gauges(
                "tenant_incidents_open",
                "Incidents that are not over, by tenant.",
                &["tenant"],
            )?,
            exposure_open: make.measures(
                "tenant_exposure_open",
                "Estimated charges of the incidents that are not over, by tenant, in units of the currency.",
                &["tenant", "currency"],
            )?,
        })
    }

    fn label<'t>(&self, tenant: &'t str) -> &'t str {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.contains(tenant) {
            return tenant;
        }
        if known.len() < self.limit {
            known.insert(tenant.to_owned());
            return tenant;
        }
        OTHER
    }

    pub(super) fn alert(&self, tenant: &str, severity: Severity) {
        if self.limit > 0 {
            self.alerts.with_label_values(&[self.label(tenant), severity_word(severity)]).inc();
        }
    }

    pub(super) fn open<'t>(&self, open: impl IntoIterator<Item = (&'t str, u64, f64)>, currency: &str) {
        if self.limit == 0 {
            return;
        }
        let mut by_label: BTreeMap<&str, (u64, f64)> = BTreeMap::new();
        for (tenant, incidents, exposure) in open {
            let (all, sum) = by_label.entry(self.label(tenant)).or_default();
            *all += incidents;
            *sum += exposure;
        }
        // A tenant whose last incident is over must not keep its figure.
        self.incidents_open.reset();
        self.exposure_open.reset();
        for (label, (incidents, exposure)) in by_label {
            self.incidents_open.with_label_values(&[label]).set(incidents as i64);
            self.exposure_open.with_label_values(&[label, currency]).set(exposure);
        }
    }
}
