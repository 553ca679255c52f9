//! What people said of incidents, and what they were told.
use super::cases::Cases;
use super::drill::Drill;
use super::grouping::{Audience, Grouping};
use super::mutes::Mutes;
use chrono::{DateTime, Utc};
use tollwatch_detect::{AlertReasonV1, AlertV1};

/// Everything between an alert of the engine and those who are to hear of it, but the routes.
#[derive(Debug, Default)]
pub(super) struct People {
    pub(super) cases: Cases,
    pub(super) grouping: Grouping,
    pub(super) mutes: Mutes,
    /// The last drill.
    pub(super) drill: Option<Drill>,
}

impl People {
    /// An alert was raised. What goes out because of it, and to whom: nothing if somebody has said that its incident is
    /// over.
    pub(super) fn hear(&mut self, alert: AlertV1, now: DateTime<Utc>) -> Vec<(AlertV1, Audience)> {
        let closed = self.cases.is_closed_by_hand(alert.incident_id());
        self.cases.hear(&alert, now);
        if closed && alert.reason != AlertReasonV1::Resolved {
            return Vec::new();
        }
        self.grouping.tell(alert)
    }
}
