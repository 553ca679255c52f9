//! What `tollwatch run` takes over a long time and with much state: the binary beside this one, as a process that follows a log.
//!
//! `service keys [KEYS]` gives KEYS extensions (1,000,000) a call abroad each in half an hour, changes one in a hundred of them
//! five times, and starts the service again. `service days [DAYS]` replays so many working days (5) of 20,000 extensions as fast
//! as they are read, and samples memory and file handles at each hour of the last; exits with 1 if the median of the last six
//! hours is more than 1.1 times that of the second six, or if handles are left open.
#![allow(clippy::print_stdout, reason = "what it measures goes to whoever started it")]
#![allow(clippy::disallowed_methods, reason = "a benchmark asks how long things take")]

mod days;
mod keys;
mod process;
#[path = "../bench_data/row.rs"]
mod row;
#[path = "../bench_data/traffic.rs"]
mod traffic;

use std::env;
use std::error::Error;
use std::process::ExitCode;

/// The allocator of the command, so that rows are made as fast as they may be.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let number = |default: u32| arguments.get(1).map_or(Ok(default), |number| number.parse());
    match arguments.first().map(String::as_str) {
        Some("keys") => keys::run(number(1_000_000)?),
        Some("days") => days::run(number(5)?),
        _ => Err("usage: service keys [KEYS] | service days [DAYS]".into()),
    }
}
