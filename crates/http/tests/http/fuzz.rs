//! A client that sends what nobody thought of: schemathesis, against a server that listens.
use crate::harness::{Around, TOKEN, around, closed, engine, serve};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use tollwatch_http::Limits;

/// Says what is missing, and that nothing was tested; where all must be tested, that is a failure.
pub(crate) fn skip_unless_in_ci(what: &str, why: &std::io::Error) {
    let skipped = format!("skipped: {what} is not there ({why}); ./scripts/test installs it");
    assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "{skipped}");
    eprintln!("{skipped}");
}

/// Where `scripts/test` puts it, or wherever the machine has it.
fn schemathesis() -> PathBuf {
    let beside =
        Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap().join("schemathesis/bin/schemathesis");
    if beside.exists() { beside } else { "schemathesis".into() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fuzzing_client_finds_no_answer_that_the_document_does_not_promise() {
    let Around { service, heartbeat, .. } = around(&closed(), Limits::default(), engine());
    // As the loop of a real engine would, for as long as this takes.
    tokio::spawn(async move {
        loop {
            heartbeat.tick();
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    });
    let address = serve(service, None).await;
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(schemathesis());
    command
        .current_dir(folder.path())
        .args(["run", &format!("http://{address}/api/v1/openapi.json")])
        .args(["--header", &format!("Authorization: Bearer {TOKEN}")])
        .args(["--seed", "2015", "--max-examples", "25", "--generation-deterministic", "--no-color"])
        .args(["--phases", "examples,coverage,fuzzing", "--checks", "all", "--continue-on-failure"])
        .args(["--request-timeout", "20", "--suppress-health-check", "all"]);
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap();
    let output = match output {
        Ok(output) => output,
        Err(error) => return skip_unless_in_ci("schemathesis", &error),
    };
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
}
