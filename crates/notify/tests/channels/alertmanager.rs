//! A real Alertmanager, where there is one: what it takes, groups and tells on.
#[path = "../../../../tests/service/daemon.rs"]
mod daemon;

use crate::receiver::Receiver;
use crate::{about_calls, clock, of_kind};
use daemon::Daemon;
use serde_json::Value;
use std::path::Path;
use tollwatch_detect::AlertReasonV1::{Escalated, Opened, Resolved};
use tollwatch_detect::{AboutV1, AlertReasonV1, AlertV1};
use tollwatch_notify::{Outcome, Site};

/// Where Debian puts it.
const PROGRAM: &str = "/usr/bin/prometheus-alertmanager";

/// Starts one that tells this receiver at once of each group, which is an incident.
fn alertmanager(folder: &Path, receiver: &str) -> Option<Daemon> {
    let config = folder.join("config.yml");
    let text = format!(
        "route:\n  receiver: hook\n  group_by: [incident_id]\n  group_wait: 0s\n  group_interval: 1s\n\
         receivers:\n- name: hook\n  webhook_configs:\n  - url: {receiver}\n    send_resolved: true\n"
    );
    std::fs::write(&config, text).unwrap();
    Daemon::start(
        Path::new(PROGRAM),
        [
            format!("--config.file={}", config.display()),
            format!("--storage.path={}", folder.join("data").display()),
            "--cluster.listen-address=".to_owned(),
        ],
    )
}

/// The same incident at another stage.
fn at_stage(reason: AlertReasonV1) -> (AlertV1, Site) {
    let (mut alert, site) = about_calls(reason);
    if let AboutV1::Calls(incident) = &mut alert.about {
        incident.critical_at = (reason != Opened).then(|| "2026-03-07T18:10:00Z".to_owned());
    }
    (alert, site)
}

/// Severity and status of each alert that a group holds, in an order of their own.
fn told(group: &Value) -> Vec<(String, String)> {
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    let alerts = group["alerts"].as_array().unwrap().iter();
    let mut told: Vec<_> =
        alerts.map(|alert| (word(&alert["labels"]["severity"]), word(&alert["status"]))).collect();
    told.sort();
    told
}

#[tokio::test]
async fn an_alertmanager_groups_by_incident_and_resolves_what_is_over() {
    let mut receiver = Receiver::willing().await;
    let folder = tempfile::tempdir().unwrap();
    let Some(alertmanager) = alertmanager(folder.path(), &receiver.url) else { return };
    // One of the cluster is down.
    let options = format!("urls = [\"http://127.0.0.1:1\", \"http://{}/\"]", alertmanager.address);
    let notifier = of_kind("alertmanager", &options, &[]);
    for (reason, expected) in [
        (Opened, vec![("warning", "firing")]),
        (Escalated, vec![("critical", "firing"), ("warning", "resolved")]),
        // The end of the warning is told again, in case Alertmanager has missed it.
        (Resolved, vec![("critical", "resolved"), ("warning", "resolved")]),
    ] {
        let (alert, site) = at_stage(reason);
        assert_eq!(notifier.deliver(&alert, site, clock()).await, Outcome::Delivered);
        let expected: Vec<_> =
            expected.into_iter().map(|(severity, status)| (severity.to_owned(), status.to_owned())).collect();
        // A group may be told of between the alerts of one request.
        let mut group = receiver.next().await.json();
        while told(&group) != expected {
            eprintln!("{reason:?}: {:?}", told(&group));
            group = receiver.next().await.json();
        }
        assert_eq!(group["groupLabels"]["incident_id"], alert.incident_id());
        let one = &group["alerts"][0];
        assert_eq!(one["labels"]["alertname"], "TollwatchTollFraud");
        assert_eq!(one["startsAt"], "2026-03-07T18:00:00Z");
        assert!(one["annotations"]["summary"].as_str().unwrap().contains("extension 105"));
    }
    let (mut other, site) = at_stage(Opened);
    if let AboutV1::Calls(incident) = &mut other.about {
        incident.incident_id = "inc-another".to_owned();
    }
    assert_eq!(notifier.deliver(&other, site, clock()).await, Outcome::Delivered);
    let group = receiver.next().await.json();
    assert_eq!(group["groupLabels"]["incident_id"], "inc-another");
    assert_eq!(told(&group), [("warning".to_owned(), "firing".to_owned())]);
}
