//! The wire form of an alert: what every notifier is given, and webhooks send.
use super::IncidentV1;
use crate::engine::{Alert, AlertReason};
use crate::incident::Severity;
use crate::name::stable_name;
use crate::settings::Settings;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One alert, version 1. Times are RFC 3339 UTC.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AlertV1 {
    /// Stable id, and the key to tell a repeated delivery by: the same alert has the same id after any restart.
    pub alert_id: String,
    /// Why it goes out.
    pub reason: AlertReasonV1,
    /// Event time at which it became true.
    pub at: String,
    /// Highest severity that the incident has reached.
    pub severity: Severity,
    /// Customer or site; `default` where there is only one.
    pub tenant: String,
    /// A drill: no harm is done, nobody needs to act.
    pub drill: bool,
    /// What it is about.
    pub about: AboutV1,
}

/// What the ids of drills begin with.
const DRILL_PREFIX: &str = "drill-";

/// Why an alert goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AlertReasonV1 {
    /// The incident begins.
    Opened,
    /// Its severity rose.
    Escalated,
    /// Its exposure is twice what the last alert said.
    ExposureDoubled,
    /// It still goes on.
    Renotified,
    /// It is over.
    Resolved,
    /// Somebody has taken it up.
    Acknowledged,
}

/// What an alert is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AboutV1 {
    /// Calls: an incident, as it stood.
    Calls(Box<IncidentV1>),
    /// The service itself: something keeps it from seeing calls or from being heard.
    Service(ConditionV1),
}

/// Something that keeps the service from seeing calls or from being heard, version 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConditionV1 {
    /// Stable id of this occurrence.
    pub incident_id: String,
    /// What kind of trouble it is.
    pub condition: ConditionKindV1,
    /// Name of the source or notifier; empty where it concerns the whole service.
    pub subject: String,
    /// Since when.
    pub since: String,
    /// What is wrong and what to do, in English.
    pub detail_en: String,
    /// The same in Japanese.
    pub detail_ja: String,
    /// When it was over; null while it goes on.
    pub resolved_at: Option<String>,
}

/// What kind of trouble the service is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConditionKindV1 {
    /// No record for longer than the usual gap.
    SourceSilent,
    /// Records come to be known long after their calls.
    SourceLagging,
    /// A source cannot be opened or read.
    SourceFailing,
    /// Too large a share of the records cannot be read.
    Rejects,
    /// Rows of a width that no version of the format has.
    UnknownWidth,
    /// The PBX's clock contradicts the records' own ids or this machine's clock.
    ClockContradiction,
    /// The configured zone contradicts the records.
    ZoneContradiction,
    /// The rate deck is old.
    StaleRates,
    /// The list of risky destinations is old.
    StaleRiskList,
    /// A limit of memory was met: some keys are no longer watched in full.
    LimitMet,
    /// Alerts do not get through to a notifier.
    NotifierFailing,
    /// The state could not be written for some time.
    CheckpointFailing,
    /// The disk of the state is full, or nearly.
    DiskFull,
    /// A changed configuration was refused; the old one is still in force.
    ReloadRefused,
}

impl From<AlertReason> for AlertReasonV1 {
    fn from(reason: AlertReason) -> Self {
        match reason {
            AlertReason::Opened => Self::Opened,
            AlertReason::Escalated => Self::Escalated,
            AlertReason::ExposureDoubled => Self::ExposureDoubled,
            AlertReason::Resolved => Self::Resolved,
        }
    }
}

impl AlertReasonV1 {
    /// The word for it on the wire.
    pub fn word(self) -> &'static str {
        match self {
            Self::Opened => "opened",
            Self::Escalated => "escalated",
            Self::ExposureDoubled => "exposure_doubled",
            Self::Renotified => "renotified",
            Self::Resolved => "resolved",
            Self::Acknowledged => "acknowledged",
        }
    }
}

impl ConditionKindV1 {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::SourceSilent,
        Self::SourceLagging,
        Self::SourceFailing,
        Self::Rejects,
        Self::UnknownWidth,
        Self::ClockContradiction,
        Self::ZoneContradiction,
        Self::StaleRates,
        Self::StaleRiskList,
        Self::LimitMet,
        Self::NotifierFailing,
        Self::CheckpointFailing,
        Self::DiskFull,
        Self::ReloadRefused,
    ];

    /// The word for it on the wire.
    pub fn word(self) -> &'static str {
        match self {
            Self::SourceSilent => "source_silent",
            Self::SourceLagging => "source_lagging",
            Self::SourceFailing => "source_failing",
            Self::Rejects => "rejects",
            Self::UnknownWidth => "unknown_width",
            Self::ClockContradiction => "clock_contradiction",
            Self::ZoneContradiction => "zone_contradiction",
            Self::StaleRates => "stale_rates",
            Self::StaleRiskList => "stale_risk_list",
            Self::LimitMet => "limit_met",
            Self::NotifierFailing => "notifier_failing",
            Self::CheckpointFailing => "checkpoint_failing",
            Self::DiskFull => "disk_full",
            Self::ReloadRefused => "reload_refused",
        }
    }
}

impl AlertV1 {
    /// The wire form of the engine's alert.
    pub fn of_calls(alert: &Alert, settings: &Settings) -> Self {
        Self::of_incident(
            alert.reason.into(),
            alert.at.to_string(),
            IncidentV1::new(&alert.incident, settings),
        )
    }

    /// An alert about an incident, as of a moment (RFC 3339): how the service tells again of one that goes on, or
    /// that somebody has taken up.
    pub fn of_incident(reason: AlertReasonV1, at: String, incident: IncidentV1) -> Self {
        let (severity, tenant) = (incident.severity, incident.tenant.clone());
        Self::new(reason, at, severity, tenant, AboutV1::Calls(Box::new(incident)))
    }

    /// An alert about the service itself, as of a moment (RFC 3339).
    pub fn of_condition(
        reason: AlertReasonV1,
        at: String,
        severity: Severity,
        tenant: String,
        condition: ConditionV1,
    ) -> Self {
        Self::new(reason, at, severity, tenant, AboutV1::Service(condition))
    }

    fn new(reason: AlertReasonV1, at: String, severity: Severity, tenant: String, about: AboutV1) -> Self {
        let mut alert = Self { alert_id: String::new(), reason, at, severity, tenant, drill: false, about };
        alert.alert_id = alert.name();
        alert
    }

    /// The same alert of a drill: marked as one, and under ids that no real alert has.
    #[must_use]
    pub fn of_drill(mut self) -> Self {
        let mark = |id: &mut String| {
            if !id.starts_with(DRILL_PREFIX) {
                id.insert_str(0, DRILL_PREFIX);
            }
        };
        match &mut self.about {
            AboutV1::Calls(incident) => {
                mark(&mut incident.incident_id);
                incident.folded_into.iter_mut().for_each(mark);
            }
            AboutV1::Service(condition) => mark(&mut condition.incident_id),
        }
        self.alert_id = self.name();
        mark(&mut self.alert_id);
        self.drill = true;
        self
    }

    /// The incident that it belongs to: alerts with the same one are about the same thing.
    pub fn incident_id(&self) -> &str {
        match &self.about {
            AboutV1::Calls(incident) => &incident.incident_id,
            AboutV1::Service(condition) => &condition.incident_id,
        }
    }

    /// A stable id from what tells this alert from all others of its incident.
    fn name(&self) -> String {
        let exposure = match &self.about {
            AboutV1::Calls(incident) => incident.exposure.amount.as_str(),
            AboutV1::Service(_) => "",
        };
        let parts = [self.incident_id(), self.reason.word(), &self.at, self.severity.word(), exposure];
        stable_name("alr", 16, &parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn condition(id: &str) -> ConditionV1 {
        ConditionV1 {
            incident_id: id.to_owned(),
            condition: ConditionKindV1::SourceSilent,
            subject: "pbx".to_owned(),
            since: "2026-03-07T18:00:00Z".to_owned(),
            detail_en: "no record for 3 h".to_owned(),
            detail_ja: "3 時間記録がありません".to_owned(),
            resolved_at: None,
        }
    }

    fn alert(id: &str, reason: AlertReasonV1, at: &str, severity: Severity) -> AlertV1 {
        AlertV1::of_condition(reason, at.to_owned(), severity, "default".to_owned(), condition(id))
    }

    #[test]
    fn an_alert_id_is_told_apart_by_incident_reason_time_and_severity_and_by_nothing_else() {
        use AlertReasonV1::{Opened, Resolved};
        let ids: BTreeSet<String> = [
            alert("inc-1", Opened, "2026-03-07T18:00:00Z", Severity::Warning),
            alert("inc-2", Opened, "2026-03-07T18:00:00Z", Severity::Warning),
            alert("inc-1", Resolved, "2026-03-07T18:00:00Z", Severity::Warning),
            alert("inc-1", Opened, "2026-03-07T18:00:01Z", Severity::Warning),
            alert("inc-1", Opened, "2026-03-07T18:00:00Z", Severity::Critical),
        ]
        .map(|alert| alert.alert_id)
        .into();
        assert_eq!(ids.len(), 5);
        assert!(ids.iter().all(|id| id.starts_with("alr-") && id.len() == 36), "{ids:?}");
        let mut same = condition("inc-1");
        same.detail_en = "no record for 4 h".to_owned();
        let at = "2026-03-07T18:00:00Z".to_owned();
        let same = AlertV1::of_condition(Opened, at, Severity::Warning, "default".to_owned(), same);
        assert!(ids.contains(&same.alert_id));
    }

    #[test]
    fn a_drill_has_ids_that_no_real_alert_has_and_marking_it_twice_changes_nothing() {
        let real = alert("inc-1", AlertReasonV1::Opened, "2026-03-07T18:00:00Z", Severity::Critical);
        let drill = real.clone().of_drill();
        assert!(drill.drill && !real.drill);
        assert_eq!(drill.incident_id(), "drill-inc-1");
        assert!(drill.alert_id.starts_with("drill-alr-"), "{}", drill.alert_id);
        assert_eq!(drill.clone().of_drill(), drill);
    }

    #[test]
    fn words_of_reasons_and_conditions_are_those_of_the_wire() {
        use AlertReasonV1::{Acknowledged, Escalated, ExposureDoubled, Opened, Renotified, Resolved};
        let schema = schemars::schema_for!(ConditionKindV1).to_value().to_string();
        assert_eq!(schema.matches("\"const\"").count(), ConditionKindV1::ALL.len());
        for kind in ConditionKindV1::ALL {
            assert!(schema.contains(&format!("\"const\":\"{}\"", kind.word())), "{kind:?}");
        }
        let schema = schemars::schema_for!(AlertReasonV1).to_value().to_string();
        for reason in [Opened, Escalated, ExposureDoubled, Renotified, Resolved, Acknowledged] {
            assert!(schema.contains(&format!("\"const\":\"{}\"", reason.word())), "{reason:?}");
        }
    }
}
