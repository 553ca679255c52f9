//! A real Alertmanager, told by the service of an attack in a followed file: it groups, it goes on, it ends.
use super::daemon::Daemon;
use super::running::{append, wait_until};
use super::web::{ask, get};
use super::{Receiver, Running, attack};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::Duration;

/// Where Debian puts it.
const PROGRAM: &str = "/usr/bin/prometheus-alertmanager";
const BOUND: Duration = Duration::from_mins(1);

/// One that remembers nothing, and tells this receiver at once of each incident. What it is told without an end ends
/// after a second.
fn alertmanager(folder: &Path, receiver: &str) -> Option<Daemon> {
    let config = folder.join("alertmanager.yml");
    let text = format!(
        "global:\n  resolve_timeout: 1s\nroute:\n  receiver: hook\n  group_by: [incident_id]\n  group_wait: 0s\n  \
         group_interval: 1s\nreceivers:\n- name: hook\n  webhook_configs:\n  - url: {receiver}\n    send_resolved: true\n"
    );
    fs::write(&config, text).unwrap();
    let storage = tempfile::tempdir_in(folder).unwrap().keep();
    Daemon::start(
        Path::new(PROGRAM),
        [
            format!("--config.file={}", config.display()),
            format!("--storage.path={}", storage.display()),
            "--cluster.listen-address=".to_owned(),
        ],
    )
}

fn configure(running: &Running, alertmanager: &Daemon) {
    running.configure(&format!(
        "[http]\nlisten = \"127.0.0.1:0\"\n[[sources]]\nname = \"pbx\"\nfollow = \"Master.csv\"\nformat = \
         \"asterisk_cdr_csv\"\n[[notifiers]]\nname = \"am\"\ntype = \"alertmanager\"\nurls = [\"http://{}\"]\n\
         allow_private = true\nresend_every = \"10s\"\n",
        alertmanager.address
    ));
}

/// What fires there: the incident, and when it ends unless it is sent again.
fn active(alertmanager: &Daemon) -> BTreeSet<(String, String)> {
    let alerts = get(&alertmanager.address, "/api/v2/alerts?active=true");
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    let alerts = alerts.as_array().unwrap().iter();
    alerts.map(|alert| (word(&alert["labels"]["incident_id"]), word(&alert["endsAt"]))).collect()
}

fn incidents(alertmanager: &Daemon) -> BTreeSet<String> {
    active(alertmanager).into_iter().map(|(incident, _)| incident).collect()
}

/// The incidents of which the receiver has heard under this status.
fn heard(receiver: &Receiver, status: &str) -> BTreeSet<String> {
    let groups = receiver.received().into_values().flatten();
    groups
        .filter(|group| group["status"] == status)
        .map(|group| group["groupLabels"]["incident_id"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn an_alertmanager_goes_on_over_its_own_restart_and_that_of_the_service_until_the_incident_is_over() {
    let receiver = Receiver::start(0, 1);
    let mut running = Running::prepare("");
    let Some(first) = alertmanager(running.folder.path(), &receiver.url()) else { return };
    configure(&running, &first);
    append(&running.path("Master.csv"), attack::rows(0..40).as_bytes());
    running.start();
    let open = || -> BTreeSet<String> {
        let open = get(&running.address(), "/api/v1/incidents?state=open");
        let open = open["incidents"].as_array().unwrap().iter();
        open.map(|one| one["incident"]["incident_id"].as_str().unwrap().to_owned()).collect()
    };
    assert!(wait_until(BOUND, || !open().is_empty() && incidents(&first) == open()), "{}", running.log());
    let fires = open();
    assert!(wait_until(BOUND, || heard(&receiver, "firing") == fires), "each is a group of its own");

    // It is sent again while it goes on, before it would end.
    let ends = active(&first);
    let later = || {
        let now = active(&first);
        incidents(&first) == fires && ends.iter().all(|one| !now.contains(one))
    };
    assert!(wait_until(BOUND, later), "{:?}", active(&first));

    // An Alertmanager that has forgotten all is told by a service that was killed, and raises no alert anew.
    running.kill();
    drop(first);
    let Some(second) = alertmanager(running.folder.path(), &receiver.url()) else { return };
    configure(&running, &second);
    running.forget_log();
    running.start();
    assert!(wait_until(BOUND, || incidents(&second) == fires), "{:?}\n{}", active(&second), running.log());

    for incident in &fires {
        let path = format!("/api/v1/incidents/{incident}/resolve");
        let (status, answer) = ask("POST", &running.address(), &path, "{\"by\": \"yamada\"}");
        assert_eq!(status, 200, "{answer}");
    }
    assert!(wait_until(BOUND, || incidents(&second).is_empty()), "{:?}", active(&second));
    assert!(
        wait_until(BOUND, || heard(&receiver, "resolved") == fires),
        "{:?}",
        heard(&receiver, "resolved")
    );
    assert_eq!(running.stop(), Some(0), "{}", running.log());
}
