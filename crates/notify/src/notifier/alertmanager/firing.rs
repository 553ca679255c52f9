//! What has to be sent to an Alertmanager again, and when. Pure: time is passed in.
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tollwatch_detect::{AlertReasonV1, AlertV1};

/// The end of an incident is told again for so long, in case Alertmanager was restarted in between.
const RESOLVED_FOR: TimeDelta = TimeDelta::minutes(5);
/// So many are under way at the same time. After a restart all are due at once.
const MOST_UNDER_WAY: usize = 32;

/// The last alert of each incident that fires, or has just ended.
#[derive(Debug)]
pub struct Firing {
    every: TimeDelta,
    last: BTreeMap<Box<str>, Kept>,
    under_way: usize,
    changed: BTreeSet<Box<str>>,
}

#[derive(Debug)]
struct Kept {
    state: FiringState,
    next_at: DateTime<Utc>,
    is_under_way: bool,
}

/// What the caller keeps of an incident, so that a restart does not end it for Alertmanager.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FiringState {
    /// The last alert that was delivered.
    pub alert: Arc<AlertV1>,
    /// Forgotten then, once the incident is over.
    pub until: Option<DateTime<Utc>>,
}

impl Firing {
    /// Nothing fires yet. `every` is [`crate::Notifier::resend_every`].
    pub fn new(every: Duration) -> Self {
        let mut firing =
            Self { every: RESOLVED_FOR, last: BTreeMap::new(), under_way: 0, changed: BTreeSet::new() };
        firing.set_every(every);
        firing
    }

    /// Another interval, from the next time on.
    pub fn set_every(&mut self, every: Duration) {
        self.every = TimeDelta::from_std(every).unwrap_or(RESOLVED_FOR);
    }

    /// Goes on with what was kept: it is due at once, since nobody knows how long nothing was sent.
    pub fn restore(&mut self, state: FiringState, now: DateTime<Utc>) {
        let incident = state.alert.incident_id().into();
        self.last.insert(incident, Kept { state, next_at: now, is_under_way: false });
    }

    /// An alert was delivered.
    pub fn note(&mut self, alert: &Arc<AlertV1>, now: DateTime<Utc>) {
        let until = (alert.reason == AlertReasonV1::Resolved).then(|| now + RESOLVED_FOR);
        let state = FiringState { alert: Arc::clone(alert), until };
        let incident: Box<str> = alert.incident_id().into();
        self.changed.insert(incident.clone());
        // What is under way may overtake it and is then the last that Alertmanager hears: `sent` sees to that.
        let is_under_way = self.last.get(&incident).is_some_and(|kept| kept.is_under_way);
        self.last.insert(incident, Kept { state, next_at: now + self.every, is_under_way });
    }

    /// What is to be sent again now; the caller says of each when that has ended ([`Firing::sent`]). An incident of which
    /// something waits to be delivered (`waits`) is left alone: that comes first. One that is over and of whose end
    /// nobody tells, since it is not routed here any more, is forgotten (`is_open`): Alertmanager ends it by itself.
    pub fn due(
        &mut self,
        now: DateTime<Utc>,
        waits: impl Fn(&str) -> bool,
        is_open: impl Fn(&AlertV1) -> bool,
    ) -> Vec<Arc<AlertV1>> {
        let changed = &mut self.changed;
        let mut under_way = self.under_way;
        self.last.retain(|incident, kept| {
            let stays = match kept.state.until {
                Some(until) => now < until,
                None => kept.next_at > now || is_open(&kept.state.alert) || waits(incident),
            };
            if !stays {
                changed.insert(incident.clone());
                under_way -= usize::from(kept.is_under_way);
            }
            stays
        });
        let mut due = Vec::new();
        for (incident, kept) in &mut self.last {
            if under_way >= MOST_UNDER_WAY {
                break;
            }
            if kept.next_at <= now && !kept.is_under_way && !waits(incident) {
                kept.is_under_way = true;
                under_way += 1;
                due.push(Arc::clone(&kept.state.alert));
            }
        }
        self.under_way = under_way;
        due
    }

    /// An attempt to send it again is over, whether or not it succeeded.
    pub fn sent(&mut self, alert: &AlertV1, now: DateTime<Utc>) {
        let Some(kept) = self.last.get_mut(alert.incident_id()).filter(|kept| kept.is_under_way) else {
            return;
        };
        kept.is_under_way = false;
        self.under_way -= 1;
        // Something newer was delivered meanwhile: it must be the last that is heard.
        let is_latest = kept.state.alert.alert_id == alert.alert_id;
        kept.next_at = if is_latest { now + self.every } else { now };
    }

    /// What the caller has to keep since this was last asked: incident, and its state or nothing.
    pub fn changes(&self) -> impl Iterator<Item = (&str, Option<&FiringState>)> {
        self.changed.iter().map(|incident| (&**incident, self.last.get(incident).map(|kept| &kept.state)))
    }

    /// The changes are kept.
    pub fn kept(&mut self) {
        self.changed.clear();
    }

    /// Whether there are changes to be kept.
    pub fn has_changes(&self) -> bool {
        !self.changed.is_empty()
    }

    /// All incidents that fire or have just ended.
    pub fn incidents(&self) -> impl Iterator<Item = &str> {
        self.last.keys().map(AsRef::as_ref)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample::sample_alerts;
    use AlertReasonV1::{Escalated, Opened, Resolved};

    fn alert(reason: AlertReasonV1) -> Arc<AlertV1> {
        let all = sample_alerts().into_iter().map(|(alert, _)| alert);
        Arc::new(all.into_iter().find(|alert| alert.reason == reason).unwrap())
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        "2026-03-07T18:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::seconds(seconds)
    }

    /// What is sent again at a moment, each attempt over at once.
    fn sent(firing: &mut Firing, seconds: i64) -> Vec<AlertReasonV1> {
        let due = firing.due(at(seconds), |_| false, |_| true);
        for alert in &due {
            firing.sent(alert, at(seconds));
        }
        due.iter().map(|alert| alert.reason).collect()
    }

    #[test]
    fn what_fires_comes_up_again_every_interval_and_what_is_over_for_five_minutes() {
        let mut firing = Firing::new(Duration::from_mins(1));
        firing.note(&alert(Opened), at(0));
        assert_eq!(sent(&mut firing, 59), []);
        assert_eq!(sent(&mut firing, 60), [Opened]);
        assert_eq!(sent(&mut firing, 61), []);
        // A later alert of the incident takes the place of the earlier.
        firing.note(&alert(Escalated), at(90));
        assert_eq!(sent(&mut firing, 149), []);
        assert_eq!(sent(&mut firing, 150), [Escalated]);
        firing.note(&alert(Resolved), at(200));
        assert_eq!(sent(&mut firing, 499), [Resolved]);
        assert_eq!(sent(&mut firing, 500), []);
        assert_eq!(firing.incidents().count(), 0);
    }

    #[test]
    fn what_was_kept_is_due_at_once_after_a_restart_and_ends_as_it_would_have() {
        let mut firing = Firing::new(Duration::from_mins(1));
        firing.note(&alert(Opened), at(0));
        let kept = |firing: &Firing| -> Vec<FiringState> {
            firing.changes().filter_map(|(_, state)| state.cloned()).collect()
        };
        let mut again = Firing::new(Duration::from_mins(1));
        for state in kept(&firing) {
            again.restore(state, at(7));
        }
        assert_eq!(sent(&mut again, 7), [Opened]);
        again.note(&alert(Resolved), at(20));
        let mut third = Firing::new(Duration::from_mins(1));
        for state in kept(&again) {
            third.restore(state, at(300));
        }
        assert_eq!(sent(&mut third, 300), [Resolved]);
        assert_eq!(sent(&mut third, 320), []);
        assert_eq!(third.changes().map(|(_, state)| state).collect::<Vec<_>>(), [None], "it is to be let go");
    }

    #[test]
    fn what_waits_to_be_delivered_comes_first() {
        let mut firing = Firing::new(Duration::from_mins(1));
        firing.note(&alert(Opened), at(0));
        assert_eq!(firing.due(at(60), |_| true, |_| false), []);
        assert_eq!(sent(&mut firing, 61), [Opened]);
    }

    #[test]
    fn the_end_that_is_delivered_while_the_beginning_is_sent_again_is_sent_again_after_it() {
        let mut firing = Firing::new(Duration::from_mins(1));
        firing.note(&alert(Opened), at(0));
        let under_way = firing.due(at(60), |_| false, |_| true);
        firing.note(&alert(Resolved), at(61));
        assert_eq!(firing.due(at(61), |_| false, |_| true), [], "one at a time");
        firing.sent(&under_way[0], at(62));
        assert_eq!(sent(&mut firing, 62), [Resolved]);
        assert_eq!(sent(&mut firing, 63), []);
    }

    #[test]
    fn an_incident_that_is_over_and_whose_end_leads_nowhere_is_forgotten() {
        let mut firing = Firing::new(Duration::from_mins(1));
        firing.note(&alert(Opened), at(0));
        assert_eq!(firing.due(at(60), |_| false, |_| false), []);
        assert_eq!(firing.incidents().count(), 0);
        assert!(firing.has_changes());
    }

    #[test]
    fn no_more_than_a_few_are_under_way_at_once_and_all_have_their_turn() {
        let mut firing = Firing::new(Duration::from_mins(1));
        for number in 0..100 {
            let mut alert = (*alert(Opened)).clone();
            if let tollwatch_detect::AboutV1::Calls(incident) = &mut alert.about {
                incident.incident_id = format!("inc-{number:03}");
            }
            firing.restore(FiringState { alert: Arc::new(alert), until: None }, at(0));
        }
        let mut turns = Vec::new();
        loop {
            let due = firing.due(at(1), |_| false, |_| true);
            if due.is_empty() {
                break;
            }
            for alert in &due {
                firing.sent(alert, at(1));
            }
            turns.push(due.len());
        }
        assert_eq!(turns, [32, 32, 32, 4]);
    }
}
