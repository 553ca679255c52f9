//! Alerts of all kinds, to try templates on before they are needed.
use crate::text::Site;
use tollwatch_detect::{
    AlertReasonV1, AlertV1, ConditionKindV1, ConditionV1, DestinationV1, DetectedOn, EventTime, ExposureV1,
    IncidentV1, Measure, ScopeV1, Severity, TriggerV1, Zone,
};

const REASONS: [AlertReasonV1; 6] = [
    AlertReasonV1::Opened,
    AlertReasonV1::Escalated,
    AlertReasonV1::ExposureDoubled,
    AlertReasonV1::Renotified,
    AlertReasonV1::Resolved,
    AlertReasonV1::Acknowledged,
];

/// Both kinds of alert for every reason, with and without what may be missing, and what their sites say.
pub fn sample_alerts() -> Vec<(AlertV1, Site)> {
    let opening = EventTime::from_seconds(1_772_924_400);
    let mut alerts = Vec::new();
    for reason in REASONS {
        for scope in ["extension", "trunk"] {
            let next_opening = (scope == "extension").then_some(opening);
            let calls =
                AlertV1::of_incident(reason, "2026-03-07T18:20:00Z".to_owned(), incident(scope, reason));
            alerts.push((calls, Site { zone: Zone::UTC, next_opening }));
        }
        let mut service = AlertV1::of_condition(
            reason,
            "2026-03-07T18:20:00Z".to_owned(),
            Severity::Warning,
            "default".to_owned(),
            condition(reason),
        );
        service.drill = true;
        alerts.push((service, Site { zone: Zone::UTC, next_opening: None }));
    }
    alerts
}

fn incident(scope: &str, reason: AlertReasonV1) -> IncidentV1 {
    let exposure = ExposureV1 {
        amount: "12345.00".to_owned(),
        currency: "JPY".to_owned(),
        rates: "indicative".to_owned(),
    };
    let destination = |calls| DestinationV1 {
        prefix: "224".to_owned(),
        country: "GN".to_owned(),
        name: "Guinea".to_owned(),
        calls,
        tier: Some(1),
    };
    let severity = if reason == AlertReasonV1::Opened { Severity::Warning } else { Severity::Critical };
    IncidentV1 {
        incident_id: "inc-00112233445566778899".to_owned(),
        rule: "burst_international".to_owned(),
        severity,
        tenant: "default".to_owned(),
        scope: ScopeV1 { kind: scope.to_owned(), value: "105".to_owned(), unattributed: scope == "trunk" },
        folded_into: None,
        extensions: vec!["105".to_owned()],
        first_call_at: "2026-03-07T18:00:00Z".to_owned(),
        opened_at: "2026-03-07T18:04:00Z".to_owned(),
        detected_at: "2026-03-07T18:05:00Z".to_owned(),
        critical_at: None,
        resolved_at: (reason == AlertReasonV1::Resolved).then(|| "2026-03-07T19:00:00Z".to_owned()),
        detected_on: DetectedOn::Cdr,
        trigger: TriggerV1 {
            measure: Some(Measure::Attempts),
            window_seconds: Some(300),
            value: "41".to_owned(),
            threshold: "20".to_owned(),
        },
        attempts: 41,
        answered: 38,
        billable_seconds: 2400,
        exposure: exposure.clone(),
        exposure_at_detection: exposure,
        exposure_at_critical: None,
        destinations: (1..=6).rev().map(destination).collect(),
        call_ids: vec!["1772906414.17".to_owned()],
    }
}

fn condition(reason: AlertReasonV1) -> ConditionV1 {
    ConditionV1 {
        incident_id: "inc-99887766554433221100".to_owned(),
        condition: ConditionKindV1::SourceSilent,
        subject: "pbx-osaka".to_owned(),
        since: "2026-03-07T15:00:00Z".to_owned(),
        detail_en: "No record for 3 h; the usual gap is 20 min. Is the PBX up, and does it still write?"
            .to_owned(),
        detail_ja: "3 時間記録がありません（通常の間隔は 20 分）。PBX の稼働と記録の出力を確認してください。"
            .to_owned(),
        resolved_at: (reason == AlertReasonV1::Resolved).then(|| "2026-03-07T19:00:00Z".to_owned()),
    }
}
