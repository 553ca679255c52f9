//! When the service itself cannot see or cannot speak: each such condition is an incident of its own kind.
use super::clock;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use tollwatch_detect::{AlertReasonV1, AlertV1, ConditionKindV1, ConditionV1, Severity};

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
                let open = Open { since: now, detail };
                self.open.insert(key, open.clone());
                (open, AlertReasonV1::Opened)
            }
            (None, Some(_)) => (self.open.remove(&key)?, AlertReasonV1::Resolved),
            (None, None) => return None,
        };
        let resolved_at = (reason == AlertReasonV1::Resolved).then(|| clock::text(now));
        let condition = ConditionV1 {
            incident_id: incident_id(kind, subject, open.since),
            condition: kind,
            subject: subject.to_owned(),
            since: clock::text(open.since),
            detail_en: open.detail.english,
            detail_ja: open.detail.japanese,
            resolved_at,
        };
        Some(AlertV1::of_condition(reason, clock::text(now), severity(kind), tenant.to_owned(), condition))
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

    /// Whether one holds.
    pub(super) fn holds(&self, kind: ConditionKindV1, subject: &str) -> bool {
        self.open.contains_key(&(kind, subject.to_owned()))
    }
}

fn incident_id(kind: ConditionKindV1, subject: &str, since: DateTime<Utc>) -> String {
    let mut hash = Sha256::new();
    for part in [kind.word(), subject, &since.timestamp_micros().to_string()] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hash.finalize().iter().take(10).fold(String::from("inc-"), |mut id, byte| {
        let _ = write!(id, "{byte:02x}");
        id
    })
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
