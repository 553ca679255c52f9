//! `tollwatch run`: the service.
use crate::cli::RunArgs;
use crate::language::Language;
use crate::service::{self, Ended, Startup};
use std::io::IsTerminal as _;
use std::process::ExitCode;

/// The configuration cannot be used (EX_CONFIG of sysexits.h): starting again will not help.
const CONFIGURATION: u8 = 78;
/// Something is in the way that may pass (EX_TEMPFAIL), such as another service on the same state.
const TEMPORARY: u8 = 75;

pub(crate) fn run(arguments: &RunArgs) -> ExitCode {
    if arguments.config.config.is_none() {
        let language = Language::named(arguments.config.language.as_deref().unwrap_or("auto"));
        let what = language.unwrap_or(Language::English).pick(
            "the service needs a configuration that says what to follow and whom to tell: give it with -c FILE; \
             docs/service.md has one to begin with",
            "監視するログと通知先を書いた設定ファイルが必要です。-c FILE で指定してください (docs/service.md に例があります)",
        );
        eprintln!("tollwatch: {what}");
        return ExitCode::from(CONFIGURATION);
    }
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
