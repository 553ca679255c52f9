//! When the service itself cannot see or cannot speak: each such condition is an incident of its own kind.
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// A source gives nothing for longer than is usual for it.
    SourceSilent,
    /// A source cannot be read.
    SourceFailing,
    /// A source writes faster than it is read.
    SourceLagging,
    /// A large part of a source's records cannot be read.
    Rejects,
    /// Records have a number of fields, or a header, that this format never had.
    UnknownShape,
    /// A source's clock is wrong.
    ClockContradiction,
    /// The ids of a source's records contradict its zone.
    ZoneContradiction,
    /// The rate deck is old.
    StaleRates,
    /// The list of risky prefixes is old.
    StaleRiskList,
    /// A notifier does not take alerts.
    NotifierFailing,
    /// What was learned cannot be made durable.
    CheckpointFailing,
    /// More is to be kept than the limits allow.
    LimitMet,
}

impl Kind {
    /// Its name on the wire.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::SourceSilent => "source_silent",
            Self::SourceFailing => "source_failing",
            Self::SourceLagging => "source_lagging",
            Self::Rejects => "rejects",
            Self::UnknownShape => "unknown_shape",
            Self::ClockContradiction => "clock_contradiction",
            Self::ZoneContradiction => "zone_contradiction",
            Self::StaleRates => "stale_rates",
            Self::StaleRiskList => "stale_risk_list",
            Self::NotifierFailing => "notifier_failing",
            Self::CheckpointFailing => "checkpoint_failing",
            Self::LimitMet => "limit_met",
        }
    }

    /// Whether fraud may go unseen or untold while it lasts, so that somebody has to get up.
    pub(crate) fn is_blinding(self) -> bool {
        matches!(
            self,
            Self::SourceSilent
                | Self::SourceFailing
                | Self::Rejects
                | Self::UnknownShape
                | Self::NotifierFailing
                | Self::CheckpointFailing
        )
    }

    pub(crate) const ALL: [Self; 12] = [
        Self::SourceSilent,
        Self::SourceFailing,
        Self::SourceLagging,
        Self::Rejects,
        Self::UnknownShape,
        Self::ClockContradiction,
        Self::ZoneContradiction,
        Self::StaleRates,
        Self::StaleRiskList,
        Self::NotifierFailing,
        Self::CheckpointFailing,
        Self::LimitMet,
    ];
}

/// What is to be said of it, in English and Japanese.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Detail {
    pub(crate) english: String,
    pub(crate) japanese: String,
}

/// A condition that holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Open {
    /// Since when, in seconds of processing time.
    pub(crate) since: i64,
    pub(crate) detail: Detail,
}

/// A condition has begun, or is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    pub(crate) kind: Kind,
    /// Name of the source or notifier; empty for the service as a whole.
    pub(crate) subject: String,
    pub(crate) open: Open,
    /// When it was over; none where it has begun.
    pub(crate) resolved_at: Option<i64>,
}

/// The conditions that hold. Part of the checkpoint, so that a restart neither repeats nor forgets one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Conditions {
    open: BTreeMap<(Kind, String), Open>,
}

impl Conditions {
    /// What was found out about a condition: `Some` while it holds.
    pub(crate) fn found(
        &mut self,
        kind: Kind,
        subject: &str,
        now: i64,
        detail: Option<Detail>,
    ) -> Option<Change> {
        let key = (kind, subject.to_owned());
        match (detail, self.open.get_mut(&key)) {
            (Some(detail), Some(open)) => {
                open.detail = detail;
                None
            }
            (Some(detail), None) => {
                let open = Open { since: now, detail };
                self.open.insert(key, open.clone());
                Some(Change { kind, subject: subject.to_owned(), open, resolved_at: None })
            }
            (None, Some(_)) => {
                let open = self.open.remove(&key)?;
                Some(Change { kind, subject: subject.to_owned(), open, resolved_at: Some(now) })
            }
            (None, None) => None,
        }
    }

    /// Ends the conditions of subjects that are not there any more.
    pub(crate) fn keep_subjects(&mut self, now: i64, is_there: impl Fn(Kind, &str) -> bool) -> Vec<Change> {
        let gone: Vec<(Kind, String)> =
            self.open.keys().filter(|(kind, subject)| !is_there(*kind, subject)).cloned().collect();
        gone.iter().filter_map(|(kind, subject)| self.found(*kind, subject, now, None)).collect()
    }

    /// Whether one of a kind holds.
    pub(crate) fn holds(&self, kind: Kind) -> bool {
        self.open.keys().any(|(open, _)| *open == kind)
    }

    /// All that hold.
    pub(crate) fn open(&self) -> impl Iterator<Item = (Kind, &str, &Open)> {
        self.open.iter().map(|((kind, subject), open)| (*kind, &**subject, open))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detail(english: &str) -> Option<Detail> {
        Some(Detail { english: english.to_owned(), japanese: String::new() })
    }

    #[test]
    fn a_condition_is_told_of_when_it_begins_and_when_it_ends_and_not_between() {
        let mut conditions = Conditions::default();
        let begun = conditions.found(Kind::SourceSilent, "osaka", 100, detail("quiet for 2 h")).unwrap();
        assert_eq!((begun.open.since, begun.resolved_at), (100, None));
        assert_eq!(conditions.found(Kind::SourceSilent, "osaka", 200, detail("quiet for 3 h")), None);
        assert!(conditions.holds(Kind::SourceSilent));
        let over = conditions.found(Kind::SourceSilent, "osaka", 300, None).unwrap();
        assert_eq!((over.open.since, over.resolved_at), (100, Some(300)));
        assert_eq!(over.open.detail.english, "quiet for 3 h", "the latest that was known");
        assert_eq!(conditions.found(Kind::SourceSilent, "osaka", 400, None), None);
    }

    #[test]
    fn conditions_of_two_sources_are_two() {
        let mut conditions = Conditions::default();
        assert!(conditions.found(Kind::Rejects, "a", 1, detail("x")).is_some());
        assert!(conditions.found(Kind::Rejects, "b", 1, detail("x")).is_some());
        assert!(conditions.found(Kind::Rejects, "a", 2, None).is_some());
        assert_eq!(conditions.open().map(|(_, subject, _)| subject).collect::<Vec<_>>(), ["b"]);
    }

    #[test]
    fn what_is_not_configured_any_more_is_over() {
        let mut conditions = Conditions::default();
        conditions.found(Kind::NotifierFailing, "pager", 1, detail("x"));
        conditions.found(Kind::SourceSilent, "osaka", 1, detail("x"));
        let gone = conditions.keep_subjects(9, |kind, _| kind != Kind::NotifierFailing);
        assert_eq!(gone.len(), 1);
        assert_eq!(gone[0].resolved_at, Some(9));
        assert!(!conditions.holds(Kind::NotifierFailing));
    }

    #[test]
    fn names_on_the_wire_are_those_of_the_configuration() {
        for kind in Kind::ALL {
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.word());
        }
    }
}
