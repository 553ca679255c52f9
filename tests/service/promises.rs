//! What the service promises beside losing nothing.
use super::running::{append, pause, wait_until};
use super::{Receiver, Running};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

fn configuration(receiver: &Receiver, more: &str) -> String {
    format!(
        "[http]\nenabled = false\n[[sources]]\nname = \"pbx\"\nfollow = \"Master.csv\"\nformat = \"asterisk_cdr_csv\"\n\
         [[notifiers]]\nname = \"hook\"\ntype = \"webhook\"\nurl = \"{}\"\nallow_private = true\n\
         secret_files = [\"secret\"]\n{more}",
        receiver.url()
    )
}

#[test]
fn a_second_service_on_the_same_state_is_refused() {
    let receiver = Receiver::start(0, 1);
    let mut running = Running::prepare(&configuration(&receiver, ""));
    running.start();
    assert!(wait_until(Duration::from_mins(1), || running.log().contains("\"ready\"")), "{}", running.log());
    assert_eq!(running.run_until_dry(), Some(75), "{}", running.log());
    assert_eq!(running.stop(), Some(0));
}

#[test]
fn a_configuration_that_cannot_be_used_ends_with_its_own_status_and_touches_no_state() {
    let receiver = Receiver::start(0, 1);
    let running = Running::prepare(&configuration(&receiver, "[[routes]]\nnotifiers = [\"nobody\"]\n"));
    assert_eq!(running.run_until_dry(), Some(78));
    assert!(running.log().contains("there is no notifier `nobody`"), "{}", running.log());
    assert!(!running.path("state").exists());
}

#[test]
fn rejected_records_are_kept_for_the_operator_alone() {
    let receiver = Receiver::start(0, 1);
    let running = Running::prepare(&configuration(&receiver, ""));
    append(&running.path("Master.csv"), b"no,record,at,all\n");
    assert_eq!(running.run_until_dry(), Some(0), "{}", running.log());
    let kept = running.path("state/quarantine.jsonl");
    assert!(fs::read_to_string(&kept).unwrap().contains("no,record,at,all"));
    for file in ["state/quarantine.jsonl", "state/tollwatch.store", "state/lock"] {
        let mode = fs::metadata(running.path(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{file} has mode {mode:o}");
    }
}

#[test]
fn a_changed_configuration_with_a_fault_is_refused_whole_and_the_service_goes_on() {
    let receiver = Receiver::start(0, 1);
    let mut running = Running::prepare(&configuration(&receiver, ""));
    running.start();
    assert!(wait_until(Duration::from_mins(1), || running.log().contains("\"ready\"")), "{}", running.log());
    let file = running.path("tollwatch.toml");
    let good = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{good}\n[dial_plan]\nno_such_option = 1\n")).unwrap();
    running.hang_up();
    let told =
        || receiver.received().values().flatten().any(|body| body.to_string().contains("reload_refused"));
    assert!(wait_until(Duration::from_mins(1), told), "{}", running.log());
    fs::write(&file, good).unwrap();
    running.hang_up();
    assert!(wait_until(Duration::from_mins(1), || running.log().contains("read again")), "{}", running.log());
    pause(Duration::from_millis(10));
    assert_eq!(running.stop(), Some(0));
}
