//! What an Alertmanager was told of goes on over restarts and changes of the configuration.
use super::*;
use chrono::TimeDelta;
use tollwatch_detect::AlertReasonV1::{self, Opened, Resolved};
use tollwatch_notify::{NotifyPlan, RawNotify, sample_alerts};

/// Notifiers and routes: an Alertmanager of that name, or none.
fn notify(name: Option<&str>) -> tollwatch_notify::Notify {
    let text = name.map_or_else(String::new, |name| {
        format!(
            "[[notifiers]]\nname = \"{name}\"\ntype = \"alertmanager\"\nurls = [\"http://127.0.0.1:9093\"]\n\
             allow_private = true\nresend_every = \"1m\"\n"
        )
    });
    let raw: RawNotify = toml::from_str(&text).unwrap();
    NotifyPlan::validate(&raw, &mut Vec::new()).build(None, &|_| None).unwrap()
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_772_924_400 + seconds, 0).unwrap()
}

fn alert(reason: AlertReasonV1) -> AlertV1 {
    sample_alerts().into_iter().map(|(alert, _)| alert).find(|alert| alert.reason == reason).unwrap()
}

fn outbox(name: Option<&str>, kept: KeptFiring) -> Outbox {
    let notify = notify(name);
    Outbox::new(&notify.notifiers, notify.router, &Stored::default(), kept, at(0))
}

/// Delivers an alert, each step as the service takes it.
fn deliver(outbox: &mut Outbox, alert: AlertV1, now: DateTime<Utc>) {
    outbox.add(alert, Audience::All, now, &[]);
    outbox.committed();
    for Sending { sequence, alert, .. } in outbox.take_due(now) {
        let settled = outbox.record("am", sequence.unwrap(), &alert, &Outcome::Delivered, now);
        assert_eq!(settled, Some(Settled::Delivered));
    }
}

/// What a commit would keep of what fires, as it is read back.
fn kept(outbox: &mut Outbox) -> Vec<(Vec<u8>, Option<FiringState>)> {
    let mut changes = Changes::default();
    outbox.write(&mut changes).unwrap();
    outbox.committed();
    let read = |bytes: Vec<u8>| serde_json::from_slice(&bytes).unwrap();
    changes.parts.into_iter().map(|(key, value)| (key, value.map(read))).collect()
}

fn sent_again(outbox: &mut Outbox, now: DateTime<Utc>) -> Vec<AlertReasonV1> {
    let due = outbox.take_firing(now, |_| true);
    for Sending { alert, sequence, .. } in &due {
        assert_eq!(*sequence, None);
        outbox.sent_again("am", alert, &Outcome::Delivered, now);
    }
    due.iter().map(|sending| sending.alert.reason).collect()
}

#[test]
fn what_was_delivered_is_kept_and_sent_again_after_a_restart_until_its_end_was_told_for_long_enough() {
    let mut first = outbox(Some("am"), KeptFiring::new());
    deliver(&mut first, alert(Opened), at(0));
    assert_eq!(sent_again(&mut first, at(59)), []);
    assert_eq!(sent_again(&mut first, at(60)), [Opened]);
    assert!(first.has_changes(), "a commit is due");
    let parts = kept(&mut first);
    let incident = alert(Opened).incident_id().to_owned();
    assert_eq!(parts.len(), 1);
    assert_eq!(parts[0].0, saved::firing_key("am", &incident));
    assert!(!first.has_changes());

    let state = parts[0].1.clone().unwrap();
    let key = ("am".to_owned(), incident.clone());
    let mut second = outbox(Some("am"), KeptFiring::from([(key, state)]));
    assert_eq!(sent_again(&mut second, at(0)), [Opened], "at once");
    deliver(&mut second, alert(Resolved), at(70));
    assert_eq!(sent_again(&mut second, at(130)), [Resolved]);
    kept(&mut second);
    assert_eq!(sent_again(&mut second, at(70 + 300)), []);
    assert_eq!(kept(&mut second), [(saved::firing_key("am", &incident), None)]);
}

#[test]
fn what_fires_at_a_notifier_that_is_gone_is_let_go() {
    let mut outbox = outbox(Some("am"), KeptFiring::new());
    deliver(&mut outbox, alert(Opened), at(0));
    let mut parts = kept(&mut outbox);
    let (part, state) = parts.remove(0);
    // By a reload, and by a restart.
    let other = notify(None);
    outbox.reconfigure(&other.notifiers, other.router);
    assert_eq!(kept(&mut outbox), [(part.clone(), None)]);
    let key = ("am".to_owned(), alert(Opened).incident_id().to_owned());
    let mut restarted = self::outbox(Some("another"), KeptFiring::from([(key, state.unwrap())]));
    assert!(restarted.has_changes());
    assert_eq!(kept(&mut restarted), [(part, None)]);
}

#[test]
fn that_nothing_sent_again_is_taken_is_known_until_something_is_or_nothing_fires() {
    let mut outbox = outbox(Some("am"), KeptFiring::new());
    deliver(&mut outbox, alert(Opened), at(0));
    let failing = |outbox: &Outbox| outbox.standing().next().unwrap().failing_since;
    for (second, taken, since) in [(60, false, Some(60)), (120, false, Some(60)), (180, true, None)] {
        let outcome = if taken {
            Outcome::Delivered
        } else {
            Outcome::Retry { after: None, reason: "busy".to_owned() }
        };
        for Sending { alert, .. } in outbox.take_firing(at(second), |_| true) {
            outbox.sent_again("am", &alert, &outcome, at(second));
        }
        assert_eq!(failing(&outbox), since.map(at), "{second}");
    }
}

#[test]
fn the_end_of_what_fires_goes_out_before_the_beginning_is_sent_again() {
    let mut outbox = outbox(Some("am"), KeptFiring::new());
    deliver(&mut outbox, alert(Opened), at(0));
    outbox.add(alert(Resolved), Audience::All, at(60), &[]);
    outbox.committed();
    assert_eq!(sent_again(&mut outbox, at(60)), []);
    let due = outbox.take_due(at(60) + TimeDelta::seconds(1));
    assert_eq!(due.iter().map(|sending| sending.alert.reason).collect::<Vec<_>>(), [Resolved]);
}
