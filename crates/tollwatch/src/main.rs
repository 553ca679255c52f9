//! The `tollwatch` command.
use std::process::ExitCode;

/// Watched calls are many small allocations that live for a day of event time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    tollwatch::run(std::env::args_os())
}
