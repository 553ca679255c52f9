//! `tollwatch run`: the service.
use crate::cli::RunArgs;
use crate::service::{self, Ended, Startup};
use std::io::IsTerminal as _;
use std::process::ExitCode;

/// The configuration cannot be used (EX_CONFIG of sysexits.h): starting again will not help.
const CONFIGURATION: u8 = 78;
/// Something is in the way that may pass (EX_TEMPFAIL), such as another service on the same state.
const TEMPORARY: u8 = 75;

pub(crate) fn run(arguments: &RunArgs) -> ExitCode {
    let Ok(config) = super::config(&arguments.config) else { return ExitCode::from(CONFIGURATION) };
    log(config.service.log_json);
    let startup = Startup {
        file: arguments.config.config.clone(),
        overrides: super::overrides(&arguments.config),
        until_dry: arguments.until_dry,
    };
    match service::run(startup, config) {
        Ok(Ended::InGoodOrder) => ExitCode::SUCCESS,
        Ok(Ended::Configuration(problems)) => {
            for problem in problems {
                eprintln!("{problem}");
            }
            ExitCode::from(CONFIGURATION)
        }
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::from(TEMPORARY)
        }
    }
}

/// Logs go to standard error: as text for people, else as JSON.
fn log(json: Option<bool>) {
    let json = json.unwrap_or_else(|| !std::io::stderr().is_terminal());
    let log = tracing_subscriber::fmt().with_writer(std::io::stderr).with_max_level(tracing::Level::INFO);
    // Whoever has set one up before, a test, keeps it.
    let _ = if json { log.json().try_init() } else { log.try_init() };
}
