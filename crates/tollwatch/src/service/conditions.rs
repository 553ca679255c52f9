//! When the service itself cannot see or cannot speak: each such condition is an incident of its own kind.
use super::clock;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tollwatch_detect::{AlertReasonV1, AlertV1, ConditionKindV1, ConditionV1, Severity, stable_name};
use tollwatch_http::ConditionStatusV1;

/// What is to be said of a condition, in English and Japanese.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Detail {
    pub(super) english: String,
    pub(super) japanese: String,
}

impl Detail {
    pub(super) fn new(english: impl Into<String>, japanese: impl Into<String>) -> Self {
        Self { english: english.into(), japanese: japanese.into() }
    }
}

/// The conditions that hold. Part of the checkpoint, so that a restart neither repeats nor forgets one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Conditions {
    open: BTreeMap<(ConditionKindV1, String), Open>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Open {
    since: DateTime<Utc>,
    tenant: String,
    detail: Detail,
}

/// Whether fraud may go unseen or untold while it lasts, so that somebody has to get up.
fn severity(kind: ConditionKindV1) -> Severity {
    match kind {
        ConditionKindV1::SourceSilent
        | ConditionKindV1::SourceFailing
        | ConditionKindV1::Rejects
        | ConditionKindV1::UnknownWidth
        | ConditionKindV1::NotifierFailing
        | ConditionKindV1::CheckpointFailing
        | ConditionKindV1::DiskFull => Severity::Critical,
        _ => Severity::Warning,
    }
}

impl Conditions {
    /// What was found out about a condition of `subject` (a source, a notifier, or nothing for the service as a whole):
    /// `Some` while it holds. The alert that follows from it, if one does.
    pub(super) fn found(
        &mut self,
        kind: ConditionKindV1,
        subject: &str,
        tenant: &str,
        now: DateTime<Utc>,
        detail: Option<Detail>,
    ) -> Option<AlertV1> {
        let key = (kind, subject.to_owned());
        let (open, reason) = match (detail, self.open.get_mut(&key)) {
            (Some(detail), Some(open)) => {
                open.detail = detail;
                return None;
            }
            (Some(detail), None) => {
                let open = Open { since: now, tenant: tenant.to_owned(), detail };
                self.open.insert(key, open.clone());
                (open, AlertReasonV1::Opened)
            }
            (None, Some(_)) => (self.open.remove(&key)?, AlertReasonV1::Resolved),
            (None, None) => return None,
        };
        let resolved_at = (reason == AlertReasonV1::Resolved).then(|| clock::text(now));
        let condition = ConditionV1 { resolved_at, ..open.wire(kind, subject) };
        // Whoever is told of the end must find the beginning under the same tenant.
        Some(AlertV1::of_condition(reason, clock::text(now), severity(kind), open.tenant, condition))
    }

    /// Ends the conditions of subjects that are not there any more.
    pub(super) fn keep_subjects(
        &mut self,
        now: DateTime<Utc>,
        is_there: impl Fn(ConditionKindV1, &str) -> bool,
    ) -> Vec<AlertV1> {
        let gone: Vec<(ConditionKindV1, String)> =
            self.open.keys().filter(|(kind, subject)| !is_there(*kind, subject)).cloned().collect();
        gone.iter().filter_map(|(kind, subject)| self.found(*kind, subject, "default", now, None)).collect()
    }

    /// Those that hold, for the API.
    pub(super) fn wire(&self) -> Vec<ConditionStatusV1> {
        let status = |((kind, subject), open): (&(ConditionKindV1, String), &Open)| ConditionStatusV1 {
            condition: open.wire(*kind, subject),
            severity: severity(*kind),
            tenant: open.tenant.clone(),
        };
        self.open.iter().map(status).collect()
    }

    /// How many of a kind hold, for each kind there is.
    pub(super) fn counts(&self) -> impl Iterator<Item = (ConditionKindV1, Severity, u64)> {
        ConditionKindV1::ALL.into_iter().map(|kind| {
            let open = self.open.keys().filter(|(of, _)| *of == kind).count();
            (kind, severity(kind), open as u64)
        })
    }

    /// Whether an incident is a condition that still holds.
    pub(super) fn is_open(&self, condition: &ConditionV1) -> bool {
        let open = self.open.get(&(condition.condition, condition.subject.clone()));
        open.is_some_and(|open| clock::text(open.since) == condition.since)
    }

    /// Whether one holds.
    pub(super) fn holds(&self, kind: ConditionKindV1, subject: &str) -> bool {
        self.open.contains_key(&(kind, subject.to_owned()))
    }
}

impl Open {
    fn wire(&self, kind: ConditionKindV1, subject: &str) -> ConditionV1 {
        ConditionV1 {
            incident_id: incident_id(kind, subject, self.since),
            condition: kind,
            subject: subject.to_owned(),
            since: clock::text(self.since),
            detail_en: self.detail.english.clone(),
            detail_ja: self.detail.japanese.clone(),
            resolved_at: None,
        }
    }
}

fn incident_id(kind: ConditionKindV1, subject: &str, since: DateTime<Utc>) -> String {
    stable_name("inc", 10, &[kind.word(), subject, &since.timestamp_micros().to_string()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use tollwatch_detect::AboutV1;

    fn at(second: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(second, 0).unwrap()
    }
    fn detail(english: &str) -> Detail {
        Detail::new(english, "")
    }
    fn about(alert: &AlertV1) -> &ConditionV1 {
        match &alert.about {
            AboutV1::Service(condition) => condition,
            AboutV1::Calls(_) => panic!("about calls"),
        }
    }
    use ConditionKindV1::{NotifierFailing, Rejects, SourceSilent};

    #[test]
    fn a_condition_is_told_of_when_it_begins_and_when_it_ends_and_not_between() {
        let mut conditions = Conditions::default();
        let begun =
            conditions.found(SourceSilent, "osaka", "north", at(100), Some(detail("quiet for 2 h"))).unwrap();
        assert_eq!(
            (begun.reason, begun.severity, &*begun.tenant),
            (AlertReasonV1::Opened, Severity::Critical, "north")
        );
        assert_eq!(
            conditions.found(SourceSilent, "osaka", "north", at(200), Some(detail("quiet for 3 h"))),
            None
        );
        assert!(conditions.holds(SourceSilent, "osaka"));
        let over = conditions.found(SourceSilent, "osaka", "north", at(300), None).unwrap();
        assert_eq!(over.reason, AlertReasonV1::Resolved);
        assert_eq!(over.incident_id(), begun.incident_id());
        assert_eq!(about(&over).detail_en, "quiet for 3 h", "the latest that was known");
        assert_eq!(conditions.found(SourceSilent, "osaka", "north", at(400), None), None);
        let again = conditions.found(SourceSilent, "osaka", "north", at(500), Some(detail("x"))).unwrap();
        assert_ne!(again.incident_id(), begun.incident_id(), "another time is another incident");
    }

    #[test]
    fn the_end_is_told_under_the_tenant_of_the_beginning_although_the_source_is_gone() {
        let mut conditions = Conditions::default();
        let begun = conditions.found(SourceSilent, "osaka", "north", at(1), Some(detail("x"))).unwrap();
        let gone = conditions.keep_subjects(at(9), |_, _| false);
        assert_eq!((&*gone[0].tenant, gone[0].incident_id()), ("north", begun.incident_id()));
    }

    #[test]
    fn what_holds_is_shown_with_what_to_do_until_it_is_over() {
        let mut conditions = Conditions::default();
        let begun = conditions.found(SourceSilent, "osaka", "north", at(1), Some(detail("quiet"))).unwrap();
        conditions.found(SourceSilent, "osaka", "north", at(2), Some(detail("quiet for 3 h")));
        let shown = conditions.wire();
        assert_eq!((shown.len(), &*shown[0].tenant, shown[0].severity), (1, "north", Severity::Critical));
        assert_eq!(shown[0].condition.detail_en, "quiet for 3 h");
        assert_eq!(shown[0].condition.incident_id, begun.incident_id());
        assert!(conditions.is_open(about(&begun)));
        let counted: Vec<_> = conditions.counts().filter(|(_, _, open)| *open > 0).collect();
        assert_eq!(counted, [(SourceSilent, Severity::Critical, 1)]);
        conditions.found(SourceSilent, "osaka", "north", at(3), None);
        assert_eq!(conditions.wire(), []);
        conditions.found(SourceSilent, "osaka", "north", at(4), Some(detail("again")));
        assert!(!conditions.is_open(about(&begun)), "another time is another incident");
    }

    #[test]
    fn conditions_of_two_sources_are_two() {
        let mut conditions = Conditions::default();
        for source in ["a", "b"] {
            assert!(conditions.found(Rejects, source, "default", at(1), Some(detail("x"))).is_some());
        }
        assert!(conditions.found(Rejects, "a", "default", at(2), None).is_some());
        assert!(conditions.holds(Rejects, "b") && !conditions.holds(Rejects, "a"));
    }

    #[test]
    fn what_is_not_configured_any_more_is_over() {
        let mut conditions = Conditions::default();
        conditions.found(NotifierFailing, "pager", "default", at(1), Some(detail("x")));
        conditions.found(SourceSilent, "osaka", "default", at(1), Some(detail("x")));
        let gone = conditions.keep_subjects(at(9), |kind, _| kind != NotifierFailing);
        assert_eq!(gone.len(), 1);
        assert_eq!(about(&gone[0]).resolved_at.as_deref(), Some("1970-01-01T00:00:09.000Z"));
        assert!(!conditions.holds(NotifierFailing, "pager"));
    }
}
