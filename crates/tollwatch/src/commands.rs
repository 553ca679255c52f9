//! One file a command.
pub(crate) mod alerts;
mod asking;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod drill;
pub(crate) mod formats;
pub(crate) mod man;
pub(crate) mod number;
mod outputs;
mod report;
pub(crate) mod run;
pub(crate) mod scan;
pub(crate) mod schema;

use crate::cli::{ConfigArgs, UNUSABLE};
use crate::config::{Config, Overrides};
use crate::language::Language;
use std::process::ExitCode;

/// What the flags say over the file.
fn overrides(arguments: &ConfigArgs) -> Overrides {
    Overrides {
        timezone: arguments.timezone.clone(),
        country: arguments.country.clone(),
        language: arguments.language.clone(),
    }
}

/// So many oddities of a rate deck are told; a deck has thousands of rows.
const MOST_WARNINGS: usize = 10;

/// The configuration that the flags ask for; its faults are told, all of them.
fn config(arguments: &ConfigArgs) -> Result<Config, ExitCode> {
    Config::load(arguments.config.as_deref(), &overrides(arguments))
        .inspect(|config| {
            let word = config.language.pick("warning", "警告");
            for warning in config.warnings.iter().take(MOST_WARNINGS) {
                eprintln!("{word}: {warning}");
            }
            if config.warnings.len() > MOST_WARNINGS {
                eprintln!("{word}: {}", config.language.and_more(config.warnings.len() - MOST_WARNINGS));
            }
        })
        .map_err(|problems| {
            for problem in &problems {
                eprintln!("{problem}");
            }
            let language = Language::named(arguments.language.as_deref().unwrap_or("auto"));
            let language = language.unwrap_or(Language::English);
            eprintln!(
                "{}",
                language.pick(
                    "the configuration cannot be used; nothing was done",
                    "設定に誤りがあるため、何も実行していません"
                )
            );
            ExitCode::from(UNUSABLE)
        })
}
