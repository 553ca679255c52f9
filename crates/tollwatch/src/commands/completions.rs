//! `tollwatch completions`: what a shell completes behind `tollwatch`.
use crate::cli::{self, CompletionsArgs};
use std::io::Write as _;
use std::process::ExitCode;

pub(crate) fn run(arguments: &CompletionsArgs) -> anyhow::Result<ExitCode> {
    // First as a whole: the generator panics where a pipe is closed.
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut cli::command(), "tollwatch", &mut script);
    std::io::stdout().lock().write_all(&script)?;
    Ok(ExitCode::SUCCESS)
}
