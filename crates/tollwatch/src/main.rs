//! The `tollwatch` command.
use std::process::ExitCode;

fn main() -> ExitCode {
    tollwatch::run(std::env::args_os())
}
