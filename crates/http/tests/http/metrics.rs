//! The metrics, as a scraper reads them.
use prometheus::{Encoder as _, TextEncoder};
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;
use tollwatch_detect::{ConditionKindV1, Counters, Severity};
use tollwatch_http::{Build, Checkpoint, DeliveryResult, Metrics, RecordResult, SourceMetrics, Suppression};
use tollwatch_numbering::Money;

fn metrics(tenant_label_limit: usize) -> Metrics {
    let build = Build { version: "0.1.0", revision: "0123abc", rustc: "1.95.0" };
    Metrics::new(&build, tenant_label_limit).unwrap()
}

fn text(metrics: &Metrics) -> String {
    let mut text = Vec::new();
    TextEncoder::new().encode(&metrics.registry().gather(), &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

#[track_caller]
fn has(metrics: &Metrics, line: &str) {
    let text = text(metrics);
    assert!(text.lines().any(|there| there == line), "`{line}` is not in\n{text}");
}

/// As a service fills them in an hour.
fn busy() -> Metrics {
    let metrics = metrics(2);
    metrics.declare_source("main");
    metrics.declare_rule("high_risk_burst");
    metrics.declare_notifier("on-call");
    metrics.records("main", RecordResult::Accepted, 120);
    metrics.parse_errors("main", "width", 1);
    metrics.source(
        "main",
        &SourceMetrics {
            lag_bytes: 17,
            last_record_at: Some(1_795_000_000.5),
            lateness_seconds: Some(300.0),
            last_read_at: Some(1_795_000_001.0),
            silent: true,
        },
    );
    metrics.alert("high_risk_burst", Severity::Critical, "osaka", Duration::from_millis(40));
    metrics.suppressed(Suppression::Muted, 2);
    let exposure = Money::from_units(1234);
    metrics.engine(
        &Counters { cdrs: 100, keys_let_go: 3, alerts_folded: 4, exposure, ..Counters::default() },
        "JPY",
    );
    metrics.open(2, 1, "JPY", 480.5);
    metrics.state_entities("keys", 20_000);
    metrics.state_bytes(1 << 20);
    metrics.checkpoint(Checkpoint::Done { at: 1_795_000_002.0, bytes: 4096, took: Duration::from_millis(3) });
    metrics.checkpoint(Checkpoint::Failed);
    metrics.restored(Duration::from_secs(2));
    metrics.outbox("on-call", 2, Some(1_795_000_000.0), 1);
    metrics.delivery("on-call", DeliveryResult::ServerError, Duration::from_millis(120));
    metrics.reloaded(Some(1_795_000_000.0));
    metrics.data(1_790_000_000.0, 1_780_000_000.0);
    metrics.conditions(ConditionKindV1::SourceSilent, Severity::Critical, 2);
    metrics.tenants([("osaka", 1, 300.0), ("default", 2, 180.5), ("kobe", 4, 7.0), ("nara", 1, 1.0)], "JPY");
    metrics
}

#[test]
fn each_event_shows_in_its_series() {
    let metrics = busy();
    for line in [
        r#"tollwatch_build_info{revision="0123abc",rustc="1.95.0",version="0.1.0"} 1"#,
        r#"tollwatch_cdrs_total{result="accepted",source="main"} 120"#,
        r#"tollwatch_cdrs_total{result="malformed",source="main"} 1"#,
        r#"tollwatch_cdr_parse_errors_total{reason="width",source="main"} 1"#,
        r#"tollwatch_source_lag_bytes{source="main"} 17"#,
        r#"tollwatch_source_lateness_seconds{source="main"} 300"#,
        r#"tollwatch_source_silent{source="main"} 1"#,
        r#"tollwatch_watermark_timestamp_seconds{source="main"} 1795000000.5"#,
        r#"tollwatch_alerts_total{rule="high_risk_burst",severity="critical"} 1"#,
        r#"tollwatch_alerts_suppressed_total{reason="muted"} 2"#,
        r#"tollwatch_alerts_suppressed_total{reason="storm"} 4"#,
        r#"tollwatch_detection_latency_seconds_bucket{le="0.05"} 1"#,
        r#"tollwatch_detection_latency_seconds_bucket{le="0.01"} 0"#,
        r"tollwatch_engine_cdrs_total 100",
        r#"tollwatch_state_evictions_total{reason="keys"} 3"#,
        r#"tollwatch_exposure_total{currency="JPY"} 1234"#,
        r#"tollwatch_exposure_open{currency="JPY"} 480.5"#,
        r#"tollwatch_incidents_open{severity="critical"} 1"#,
        r"tollwatch_checkpoint_last_success_timestamp_seconds 1795000002",
        r"tollwatch_checkpoint_failures_total 1",
        r#"tollwatch_outbox_pending{notifier="on-call"} 2"#,
        r#"tollwatch_notifier_attempts_total{code_class="5xx",notifier="on-call"} 1"#,
        r"tollwatch_config_last_reload_successful 1",
        r"tollwatch_rate_deck_timestamp_seconds 1790000000",
        r"tollwatch_risk_list_timestamp_seconds 1780000000",
        r#"tollwatch_conditions_open{condition="source_silent",severity="critical"} 2"#,
    ] {
        has(&metrics, line);
    }
}

#[test]
fn series_that_are_known_beforehand_begin_at_nought() {
    let metrics = metrics(0);
    metrics.declare_source("main");
    metrics.declare_rule("high_risk_burst");
    metrics.declare_notifier("on-call");
    for line in [
        r#"tollwatch_cdrs_total{result="duplicate",source="main"} 0"#,
        r#"tollwatch_alerts_total{rule="high_risk_burst",severity="warning"} 0"#,
        r#"tollwatch_alerts_suppressed_total{reason="quiet_hours"} 0"#,
        r#"tollwatch_incidents_open{severity="warning"} 0"#,
        r#"tollwatch_state_evictions_total{reason="legs"} 0"#,
        r#"tollwatch_outbox_pending{notifier="on-call"} 0"#,
        r#"tollwatch_notifier_attempts_total{code_class="2xx",notifier="on-call"} 0"#,
        r"tollwatch_checkpoint_failures_total 0",
    ] {
        has(&metrics, line);
    }
}

#[test]
fn what_the_engine_counts_never_falls_and_is_not_counted_twice() {
    let metrics = metrics(0);
    let count = |cdrs, units| Counters { cdrs, exposure: Money::from_units(units), ..Counters::default() };
    for (cdrs, units, shown) in
        [(5, 7, (5, 7)), (5, 7, (5, 7)), (9, 8, (9, 8)), (2, 3, (9, 8)), (10, 9, (10, 9))]
    {
        metrics.engine(&count(cdrs, units), "JPY");
        has(&metrics, &format!("tollwatch_engine_cdrs_total {}", shown.0));
        has(&metrics, &format!(r#"tollwatch_exposure_total{{currency="JPY"}} {}"#, shown.1));
    }
}

#[test]
fn a_refused_configuration_leaves_the_time_of_the_one_in_force() {
    let metrics = metrics(0);
    metrics.reloaded(Some(5.0));
    metrics.reloaded(None);
    has(&metrics, "tollwatch_config_last_reload_successful 0");
    has(&metrics, "tollwatch_config_last_reload_success_timestamp_seconds 5");
}

#[test]
fn tenants_above_the_limit_are_counted_together_and_none_has_a_label_without_one() {
    let metrics = busy();
    for line in [
        r#"tollwatch_tenant_alerts_total{severity="critical",tenant="osaka"} 1"#,
        r#"tollwatch_tenant_incidents_open{tenant="osaka"} 1"#,
        r#"tollwatch_tenant_incidents_open{tenant="default"} 2"#,
        r#"tollwatch_tenant_incidents_open{tenant="_other"} 5"#,
        r#"tollwatch_tenant_exposure_open{currency="JPY",tenant="_other"} 8"#,
    ] {
        has(&metrics, line);
    }
    metrics.tenants([("kobe", 1, 1.0)], "JPY");
    assert!(!text(&metrics).contains(r#"incidents_open{tenant="osaka"}"#), "osaka's incidents are over");
    let none = self::metrics(0);
    none.alert("high_risk_burst", Severity::Critical, "osaka", Duration::ZERO);
    none.tenants([("osaka", 1, 1.0)], "JPY");
    assert!(!text(&none).contains("tenant="), "{}", text(&none));
}

#[test]
fn no_label_holds_an_extension_a_number_or_a_call() {
    let allowed = [
        "version",
        "revision",
        "rustc",
        "source",
        "result",
        "reason",
        "rule",
        "severity",
        "currency",
        "kind",
        "notifier",
        "code_class",
        "condition",
        "tenant",
    ];
    for family in busy().registry().gather() {
        for label in family.get_metric().iter().flat_map(prometheus::proto::Metric::get_label) {
            assert!(allowed.contains(&label.name()), "{} has {}", family.name(), label.name());
        }
    }
}

#[test]
fn promtool_finds_nothing_to_say_about_the_metrics() {
    let child = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(error) => return crate::fuzz::skip_unless_in_ci("promtool (Debian package prometheus)", &error),
    };
    child.stdin.take().unwrap().write_all(text(&busy()).as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.trim().is_empty(), "{said}");
}
