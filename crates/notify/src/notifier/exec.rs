//! A program of the operator's: the alert as JSON on its standard input.
use super::Delivery;
use crate::config::Building;
use crate::outcome::Outcome;
use crate::text::clean;
use rustix::process::{Pid, Signal, kill_process_group};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;
use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};
use tokio::time::timeout;
use tollwatch_detect::Problem;

/// So much of what it prints is kept, in bytes.
const MOST_OF_AN_OUTPUT: u64 = 4096;
/// How long what it printed is waited for after it has ended: a program that it left behind may hold the pipe open.
const AFTER_THE_END: Duration = Duration::from_millis(200);
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Options of a program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawExec {
    /// The program, by its full path, and its arguments. No shell stands between.
    pub command: Vec<String>,
    /// What its environment holds beside PATH, LANG and the few that say which alert it is.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub environment: BTreeMap<String, String>,
}

impl RawExec {
    pub(super) fn check(&self, place: &str, problems: &mut Vec<Problem>) {
        let mut problem = |key: &str, what: &str, hint: &str| {
            problems.push(Problem::new(format!("{place}.{key}"), what.to_owned(), hint));
        };
        if !self.command.first().is_some_and(|program| program.starts_with('/')) {
            problem(
                "command",
                "names no program by its full path",
                "such as [\"/usr/local/bin/page\", \"night\"]",
            );
        }
        if self.command.iter().any(|part| part.contains('\0')) {
            problem("command", "holds a zero byte", "leave it out");
        }
        let is_wrong = |(name, value): (&String, &String)| {
            name.is_empty() || name.contains(['=', '\0']) || value.contains('\0')
        };
        if self.environment.iter().any(is_wrong) {
            problem("environment", "holds what is no variable", "NAME = \"value\"");
        }
    }
}

#[derive(Debug)]
pub(crate) struct Exec {
    program: String,
    arguments: Vec<String>,
    environment: BTreeMap<String, String>,
    timeout: Duration,
}

/// The process group of a program. Whatever is left of it ends when this is dropped, unless the program ended by itself.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // There is nothing to be done where it cannot be killed, and nothing to do where it is gone.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

impl Exec {
    pub(super) fn build(raw: &RawExec, building: &Building<'_>) -> Result<Self, Problem> {
        let (program, arguments) = raw.command.split_first().ok_or_else(|| {
            building.problem("command", "names no program".to_owned(), "such as [\"/usr/local/bin/page\"]")
        })?;
        Ok(Self {
            program: program.clone(),
            arguments: arguments.to_vec(),
            environment: raw.environment.clone(),
            timeout: building.timeout,
        })
    }

    /// Status 0 is delivered; anything else is tried again.
    pub(super) async fn deliver(&self, delivery: &Delivery<'_>) -> Outcome {
        let input = json!({
            "alert": delivery.alert,
            "subject": delivery.message.subject,
            "body": delivery.message.body,
        });
        let child = match self.start(delivery) {
            Ok(child) => child,
            Err(error) => return Outcome::retry(format!("{}: {error}", self.program)),
        };
        // The id is the group's too, and nobody else's until the child has been waited for.
        let id = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
        let mut group = Group(id);
        match timeout(self.timeout, run(child, &input.to_string(), &mut group)).await {
            Err(_) => Outcome::retry(format!("not done within {} s; killed", self.timeout.as_secs())),
            Ok(Err(error)) => Outcome::retry(error.to_string()),
            Ok(Ok((status, _))) if status.success() => Outcome::Delivered,
            Ok(Ok((status, said))) => Outcome::retry(clean::line(&format!("{status}: {said}"), 200)),
        }
    }

    fn start(&self, delivery: &Delivery<'_>) -> io::Result<Child> {
        let alert = delivery.alert;
        Command::new(&self.program)
            .args(&self.arguments)
            .env_clear()
            .env("PATH", PATH)
            .env("LANG", "C.UTF-8")
            .envs(&self.environment)
            // Nothing of these was written by a caller.
            .env("TOLLWATCH_ALERT_ID", &alert.alert_id)
            .env("TOLLWATCH_REASON", alert.reason.word())
            .env("TOLLWATCH_SEVERITY", alert.severity.word())
            .env("TOLLWATCH_DRILL", if alert.drill { "1" } else { "0" })
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true)
            .spawn()
    }
}

/// Feeds the program and waits for its end: its status, and the beginning of what it said.
async fn run(mut child: Child, input: &str, group: &mut Group) -> io::Result<(ExitStatus, String)> {
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let feeding = async {
        if let Some(mut stdin) = stdin {
            // A program that does not read has said all that it wants to know.
            let _ = stdin.write_all(input.as_bytes()).await;
            let _ = stdin.shutdown().await;
        }
    };
    let (mut of_stdout, mut of_stderr) = (Vec::new(), Vec::new());
    let reading = async {
        tokio::join!(beginning(stderr, &mut of_stderr), beginning(stdout, &mut of_stdout));
    };
    let status = {
        let mut talking = std::pin::pin!(async { tokio::join!(feeding, reading) });
        let (status, is_talking) = tokio::select! {
            _ = &mut talking => (child.wait().await?, false),
            status = child.wait() => (status?, true),
        };
        // It has been waited for: its number may be another's by now.
        group.0 = None;
        if is_talking {
            let _ = timeout(AFTER_THE_END, talking).await;
        }
        status
    };
    let said = [of_stderr, of_stdout].concat();
    Ok((status, String::from_utf8_lossy(&said).trim().to_owned()))
}

/// The first bytes of an output; the rest is read and forgotten, so that the program is not held up.
async fn beginning(output: Option<impl AsyncRead + Unpin>, kept: &mut Vec<u8>) {
    if let Some(mut output) = output {
        let _ = (&mut output).take(MOST_OF_AN_OUTPUT).read_to_end(kept).await;
        let _ = tokio::io::copy(&mut output, &mut tokio::io::sink()).await;
    }
}
