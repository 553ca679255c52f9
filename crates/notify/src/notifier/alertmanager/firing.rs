//! What has to be sent to an Alertmanager again, and when. Pure: time is passed in.
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tollwatch_detect::{AlertReasonV1, AlertV1};

/// The end of an incident is told again for so long, in case Alertmanager was restarted in between.
const RESOLVED_FOR: TimeDelta = TimeDelta::minutes(5);

/// The last alert of each incident that fires, or has just ended.
#[derive(Debug)]
pub struct Firing {
    every: TimeDelta,
    last: BTreeMap<Box<str>, Kept>,
}

#[derive(Debug)]
struct Kept {
    alert: Arc<AlertV1>,
    next_at: DateTime<Utc>,
    /// Forgotten then, once the incident is over.
    until: Option<DateTime<Utc>>,
}

impl Firing {
    /// Nothing fires yet. `every` is [`crate::Notifier::resend_every`].
    pub fn new(every: Duration) -> Self {
        Self { every: TimeDelta::from_std(every).unwrap_or(RESOLVED_FOR), last: BTreeMap::new() }
    }

    /// An alert was delivered. After a restart, the caller says so of the incidents that were open.
    pub fn note(&mut self, alert: &Arc<AlertV1>, now: DateTime<Utc>) {
        let until = (alert.reason == AlertReasonV1::Resolved).then(|| now + RESOLVED_FOR);
        let kept = Kept { alert: Arc::clone(alert), next_at: now + self.every, until };
        self.last.insert(alert.incident_id().into(), kept);
    }

    /// What is to be delivered again now. It comes up again after the interval, whether or not that succeeds.
    pub fn due(&mut self, now: DateTime<Utc>) -> Vec<Arc<AlertV1>> {
        self.last.retain(|_, kept| kept.until.is_none_or(|until| now < until));
        let due = self.last.values_mut().filter(|kept| kept.next_at <= now);
        due.map(|kept| {
            kept.next_at = now + self.every;
            Arc::clone(&kept.alert)
        })
        .collect()
    }

    /// When [`Firing::due`] next has something to give.
    pub fn next_due(&self) -> Option<DateTime<Utc>> {
        self.last.values().map(|kept| kept.next_at).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::sample_alerts;

    fn alert(reason: AlertReasonV1) -> Arc<AlertV1> {
        let all = sample_alerts().into_iter().map(|(alert, _)| alert);
        Arc::new(all.into_iter().find(|alert| alert.reason == reason).unwrap())
    }

    #[test]
    fn what_fires_comes_up_again_every_interval_and_what_is_over_for_five_minutes() {
        let start: DateTime<Utc> = "2026-03-07T18:00:00Z".parse().unwrap();
        let at = |seconds| start + TimeDelta::seconds(seconds);
        let mut firing = Firing::new(Duration::from_mins(1));
        firing.note(&alert(AlertReasonV1::Opened), start);
        assert_eq!(firing.due(at(59)), []);
        assert_eq!(firing.due(at(60)), [alert(AlertReasonV1::Opened)]);
        assert_eq!(firing.due(at(61)), []);
        assert_eq!(firing.next_due(), Some(at(120)));
        // A later alert of the incident takes the place of the earlier.
        firing.note(&alert(AlertReasonV1::Escalated), at(90));
        assert_eq!(firing.due(at(149)), []);
        assert_eq!(firing.due(at(150)), [alert(AlertReasonV1::Escalated)]);
        firing.note(&alert(AlertReasonV1::Resolved), at(200));
        assert_eq!(firing.due(at(499)), [alert(AlertReasonV1::Resolved)]);
        assert_eq!(firing.due(at(500)), []);
        assert_eq!(firing.next_due(), None);
    }
}
