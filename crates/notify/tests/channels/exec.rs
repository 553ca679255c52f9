//! A program of the operator's: what it is given, and what becomes of one that does not end.
use crate::{about_calls, deliver, noon, of_kind};
use serde_json::{Value, json};
use std::path::Path;
use tollwatch_detect::AlertReasonV1::Opened;
use tollwatch_notify::{Notifier, Outcome};

/// The shell is the program here, so that nothing has to be written that is then run.
fn script(script: &str, folder: &Path, timeout: &str) -> Notifier {
    let options = format!(
        "command = [\"/bin/sh\", \"-c\", {}]\ntimeout = \"{timeout}\"\nenvironment = {{ FOLDER = {} }}",
        json!(script),
        json!(folder)
    );
    of_kind("exec", &options, &[])
}

#[tokio::test]
async fn a_program_is_given_the_alert_and_an_environment_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let both = "cat > \"$FOLDER/input\"; env > \"$FOLDER/environment\"";
    let outcome = deliver(&script(both, folder.path(), "15s"), Opened, noon()).await;
    assert_eq!(outcome, Outcome::Delivered);
    let input = std::fs::read(folder.path().join("input")).unwrap();
    let input: Value = serde_json::from_slice(&input).unwrap();
    let (alert, _) = about_calls(Opened);
    assert_eq!(input["alert"], serde_json::to_value(&alert).unwrap());
    assert!(input["subject"].as_str().unwrap().contains("extension 105"), "{}", input["subject"]);
    let environment = std::fs::read_to_string(folder.path().join("environment")).unwrap();
    assert!(environment.contains(&format!("TOLLWATCH_ALERT_ID={}\n", alert.alert_id)), "{environment}");
    let known = ["FOLDER", "LANG", "PATH", "PWD", "SHLVL", "_"];
    for name in environment.lines().filter_map(|line| line.split_once('=')).map(|(name, _)| name) {
        assert!(known.contains(&name) || name.starts_with("TOLLWATCH_"), "{name}");
    }
}

#[tokio::test]
async fn a_program_that_does_not_end_is_killed_with_all_that_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let endless = "sleep 1000 & echo $! $$ > \"$FOLDER/ids\"; wait";
    let outcome = deliver(&script(endless, folder.path(), "1s"), Opened, noon()).await;
    assert!(outcome.reason().is_some_and(|reason| reason.contains("killed")), "{outcome:?}");
    assert!(matches!(outcome, Outcome::Retry { after: None, .. }), "{outcome:?}");
    let ids = std::fs::read_to_string(folder.path().join("ids")).unwrap();
    let ids: Vec<&str> = ids.split_whitespace().collect();
    assert_eq!(ids.len(), 2);
    let gone = async {
        while ids.iter().any(|id| is_running(id)) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), gone).await.unwrap();
}

/// A process that is dead and not yet waited for by its parent does not run.
fn is_running(id: &str) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    status.rsplit_once(") ").is_some_and(|(_, state)| !state.starts_with(['Z', 'X']))
}

#[tokio::test]
async fn a_program_that_talks_without_end_or_does_not_listen_is_not_held_up() {
    let folder = tempfile::tempdir().unwrap();
    let talkative = "head -c 5000000 /dev/zero | tr '\\0' x >&2; exec 0<&-; exit 3";
    let outcome = deliver(&script(talkative, folder.path(), "15s"), Opened, noon()).await;
    let Outcome::Retry { reason, .. } = &outcome else { panic!("{outcome:?}") };
    assert!(reason.contains("exit status: 3: xxx") && reason.chars().count() <= 200, "{reason}");
    let silent = deliver(&script("exec 0<&-; exit 0", folder.path(), "15s"), Opened, noon()).await;
    assert_eq!(silent, Outcome::Delivered);
}

#[tokio::test]
async fn a_program_that_leaves_another_behind_counts_as_done() {
    let folder = tempfile::tempdir().unwrap();
    // The one left behind holds the pipe open for longer than the time limit.
    let outcome = deliver(&script("sleep 5 & exit 0", folder.path(), "2s"), Opened, noon()).await;
    assert_eq!(outcome, Outcome::Delivered);
}

#[tokio::test]
async fn a_program_that_is_not_there_is_tried_again_and_named() {
    let notifier = of_kind("exec", "command = [\"/nowhere/page\"]", &[]);
    let outcome = deliver(&notifier, Opened, noon()).await;
    assert!(matches!(&outcome, Outcome::Retry { reason, .. } if reason.contains("/nowhere/page")));
}
