//! `tollwatch check`: is the configuration good?
use crate::cli::ConfigArgs;
use std::io::Write as _;
use std::process::ExitCode;

pub(crate) fn run(arguments: &ConfigArgs) -> anyhow::Result<ExitCode> {
    let config = match super::config(arguments) {
        Ok(config) => config,
        Err(code) => return Ok(code),
    };
    let rules = config.settings.rules().len();
    let destinations = config.settings.destinations().len();
    let mut out = std::io::stdout().lock();
    match config.language {
        crate::Language::English => writeln!(
            out,
            "The configuration is good: {rules} rules, {destinations} destination prefixes, home country {}, tenant {}.",
            config.settings.home_country(),
            config.sources.site().tenant
        )?,
        crate::Language::Japanese => writeln!(
            out,
            "設定に問題はありません: ルール {rules} 件、宛先プレフィックス {destinations} 件、設置国 {}、テナント {}。",
            config.settings.home_country(),
            config.sources.site().tenant
        )?,
    }
    Ok(ExitCode::SUCCESS)
}
