//! What the engine counts, as metrics.
use super::MetricsError;
use super::parts::Maker;
use prometheus::{CounterVec, IntCounter, IntCounterVec};
use tollwatch_detect::Counters;

/// What was let go to keep memory bounded, by the word for it.
const EVICTIONS: [&str; 5] = ["keys", "legs", "records", "waiting", "incidents"];

/// One count out of them.
type Count = fn(&Counters) -> u64;

/// One metric for each of the engine's counts. They overlap (a watched call is an outbound one), so they are not one metric with
/// a label: sums over a label must mean something.
#[derive(Debug)]
pub(super) struct EngineTotals {
    totals: Vec<(IntCounter, Count)>,
    evictions: IntCounterVec,
    exposure: CounterVec,
}

impl EngineTotals {
    pub(super) fn new(make: &Maker<'_>) -> Result<Self, MetricsError> {
        let totals: [(&str, &str, Count); 15] = [
            ("engine_cdrs_total", "Completed legs that the engine took.", |c| c.cdrs),
            ("engine_call_events_total", "Live events that the engine took.", |c| c.call_events),
            ("engine_duplicates_total", "Records read before, dropped.", |c| c.duplicates),
            ("engine_late_calls_total", "Calls begun longer ago than the windows reach back.", |c| c.late),
            ("outbound_calls_total", "Calls that went out over a trunk.", |c| c.outbound),
            ("watched_calls_total", "Of the outbound calls, those that rules watch.", |c| c.watched),
            ("high_risk_calls_total", "Of the watched calls, those to high-risk destinations.", |c| {
                c.high_risk
            }),
            ("unclassified_calls_total", "Calls over a trunk to numbers nobody could read.", |c| {
                c.unclassified
            }),
            ("unattributed_calls_total", "Watched calls whose extension is not known.", |c| c.unattributed),
            ("allowed_calls_total", "Calls to numbers on the allow-list.", |c| c.allowed),
            ("forwarding_codes_total", "Codes that forward an extension to a watched number.", |c| {
                c.forwarding_codes
            }),
            ("closed_for_age_calls_total", "Calls whose end was never seen.", |c| c.closed_for_age),
            ("unsettled_calls_total", "Calls whose charges stay as estimated.", |c| c.unsettled),
            ("untrusted_clock_records_total", "Records dated far ahead of all others.", |c| {
                c.untrusted_clock
            }),
            ("attributed_late_calls_total", "Calls booked under their trunk, as too many waited.", |c| {
                c.waited_too_many
            }),
        ];
        let totals = totals
            .into_iter()
            .map(|(name, help, count)| Ok((make.counter(name, help)?, count)))
            .collect::<Result<_, MetricsError>>()?;
        let evictions = make.counters(
            "state_evictions_total",
            "What was forgotten early to keep memory bounded.",
            &["reason"],
        )?;
        for reason in EVICTIONS {
            evictions.with_label_values(&[reason]);
        }
        let exposure = make.amounts(
            "exposure_total",
            "Estimated charges of the watched calls, in units of the currency.",
            &["currency"],
        )?;
        Ok(Self { totals, evictions, exposure })
    }

    pub(super) fn follow(&self, counters: &Counters, currency: &str) {
        for (metric, count) in &self.totals {
            metric.inc_by(count(counters).saturating_sub(metric.get()));
        }
        let gone = [
            counters.keys_let_go,
            counters.legs_forgotten_early,
            counters.records_forgotten_early,
            counters.waited_too_many,
            counters.incidents_not_kept,
        ];
        for (reason, gone) in EVICTIONS.into_iter().zip(gone) {
            let metric = self.evictions.with_label_values(&[reason]);
            metric.inc_by(gone.saturating_sub(metric.get()));
        }
        let exposure = self.exposure.with_label_values(&[currency]);
        let units = counters.exposure.micros() as f64 / 1e6;
        exposure.inc_by((units - exposure.get()).max(0.0));
    }
}
