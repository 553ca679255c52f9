//! `tollwatch check`: is the configuration good?
use crate::cli::ConfigArgs;
use crate::lacking;
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
    let sources = config.sources.in_known_formats();
    let sources = sources.map(|(source, format)| (&*source.tenant, source.system, format, format.carries()));
    let rules = |tenant: &str| {
        let own = config.tenants.iter().find(|own| own.name == tenant);
        own.map_or(&config.settings, |own| &own.settings).rules()
    };
    let lacks = lacking::of(sources, rules);
    if !lacks.is_empty() {
        let head = "Rules that sources do not feed:";
        writeln!(out, "{}", config.language.pick(head, "記録に必要な項目がないルール:"))?;
    }
    for lack in lacks {
        writeln!(out, "  {}", lack.in_words(config.language))?;
    }
    Ok(ExitCode::SUCCESS)
}
