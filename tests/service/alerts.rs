//! `tollwatch alerts`: what was not delivered is listed and sent again, of a running service and of a stopped one.
use super::running::{append, wait_until};
use super::{Receiver, Running};
use crate::command_line::{row, text};
use std::collections::BTreeSet;
use std::time::Duration;

const BOUND: Duration = Duration::from_mins(1);

fn configuration(receiver: &Receiver, http: &str) -> String {
    format!(
        "[http]\n{http}\n[[sources]]\nname = \"pbx\"\nfollow = \"Master.csv\"\nformat = \"asterisk_cdr_csv\"\n\
         [[notifiers]]\nname = \"hook\"\ntype = \"webhook\"\nurl = \"{}\"\nallow_private = true\n\
         secret_files = [\"secret\"]\n",
        receiver.url()
    )
}

fn listed(running: &Running, more: &[&str]) -> Vec<serde_json::Value> {
    let done = running.ask(&[&["alerts", "list", "--output", "json"], more].concat());
    assert!(done.status.success(), "{}", text(&done.stderr));
    let found: serde_json::Value = serde_json::from_slice(&done.stdout).unwrap();
    found["deliveries"].as_array().unwrap().clone()
}

fn id(delivery: &serde_json::Value) -> String {
    delivery["alert_id"].as_str().unwrap().to_owned()
}

#[test]
fn what_was_given_up_is_listed_and_sent_again_by_a_running_service_and_after_one_was_stopped() {
    let receiver = Receiver::start(0, 1);
    receiver.refuse(true);
    let mut running = Running::prepare(&configuration(&receiver, "listen = \"127.0.0.1:0\""));
    let calls: String = (0..4).map(|i| row(i * 70, "010232221234567", 32)).collect();
    append(&running.path("Master.csv"), calls.as_bytes());
    running.start();
    let address = running.address();
    let at = ["--at", address.as_str()];
    let dead = || listed(&running, &[&at[..], &["--state", "dead"]].concat());
    // A notifier that takes nothing is told of too; then there is no more to come.
    let all_is_dead = || {
        let dead = dead();
        dead.len() >= 4 && listed(&running, &at).len() == dead.len() && running.log().contains("given up")
    };
    assert!(wait_until(BOUND, all_is_dead), "{:?}\n{}", listed(&running, &at), running.log());
    let first = dead()[0].clone();
    assert_eq!((first["notifier"].as_str(), first["attempts"].as_u64()), (Some("hook"), Some(1)));
    assert!(first["last_error"].as_str().unwrap().contains("400"), "{first}");
    assert_eq!(first["next_at"], serde_json::Value::Null);
    let table = text(&running.ask(&["alerts", "list", "--at", &address]).stdout);
    for said in ["ALERT", "LAST ERROR", &id(&first), "hook", "dead"] {
        assert!(table.contains(said), "{said} is not in {table}");
    }

    receiver.refuse(false);
    let done = running.ask(&["alerts", "retry", "--at", &address, &id(&first), "alr-nobody"]);
    assert!(done.status.success(), "{}{}", text(&done.stdout), text(&done.stderr));
    assert!(text(&done.stdout).contains("1: sent again now"), "{}", text(&done.stdout));
    assert!(wait_until(BOUND, || receiver.received().contains_key(&id(&first))), "{}", running.log());
    let nothing = running.ask(&["alerts", "retry", "--at", &address, "alr-nobody"]);
    assert_eq!(nothing.status.code(), Some(1), "{}", text(&nothing.stdout));
    let unknown = running.ask(&["alerts", "retry", "--at", &address, "--notifier", "nobody"]);
    assert_eq!(unknown.status.code(), Some(2), "{}", text(&unknown.stderr));
    assert!(text(&unknown.stderr).contains("no such notifier"), "{}", text(&unknown.stderr));

    assert_eq!(running.stop(), Some(0));
    let left: BTreeSet<String> = listed(&running, &at).iter().map(id).collect();
    assert!(!left.is_empty() && !left.contains(&id(&first)), "{left:?}");
    let done = running.ask(&["alerts", "retry", "--at", &address, "--all", "--language", "ja"]);
    let said = text(&done.stdout);
    assert!(
        said.contains(&format!("{}: サービスの起動後に再送します", left.len())),
        "{said}{}",
        text(&done.stderr)
    );
    running.start();
    let arrived = || left.iter().all(|id| receiver.received().contains_key(id));
    assert!(wait_until(BOUND, arrived), "{}", running.log());
    let at = running.address();
    assert!(wait_until(BOUND, || listed(&running, &["--at", &at]).is_empty()), "{}", running.log());
    let table = text(&running.ask(&["alerts", "list", "--at", &at]).stdout);
    assert!(table.contains("everything was delivered"), "{table}");
    assert_eq!(running.stop(), Some(0));
}

#[test]
fn a_service_that_cannot_be_asked_is_named_and_its_state_is_left_alone() {
    let receiver = Receiver::start(0, 1);
    let mut running = Running::prepare(&configuration(&receiver, "enabled = false"));
    let before = running.ask(&["alerts", "list"]);
    assert_eq!(before.status.code(), Some(2));
    assert!(text(&before.stderr).contains("there is no state in this folder"), "{}", text(&before.stderr));
    assert!(!running.path("state").exists(), "looking makes nothing");
    running.start();
    assert!(wait_until(BOUND, || running.log().contains("\"ready\"")), "{}", running.log());
    let refused = running.ask(&["alerts", "list"]);
    assert_eq!(refused.status.code(), Some(2));
    let said = text(&refused.stderr);
    assert!(said.contains("the service runs") && said.contains("in use by process"), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    let vague = running.ask(&["alerts", "retry"]);
    assert_eq!(vague.status.code(), Some(2));
    assert!(text(&vague.stderr).contains("--all"), "{}", text(&vague.stderr));
    assert_eq!(running.stop(), Some(0));
    assert!(listed(&running, &[]).is_empty());
}
