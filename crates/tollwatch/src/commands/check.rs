//! `tollwatch check`: is the configuration good?
use crate::cli::{ConfigArgs, UNUSABLE};
use crate::config::{Config, ConfigProblem};
use crate::lacking;
use crate::language::{Language, environment};
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use tollwatch_detect::Problem;
use tollwatch_http::{Access, Tls};

pub(crate) fn run(arguments: &ConfigArgs) -> anyhow::Result<ExitCode> {
    let config = match super::config(arguments) {
        Ok(config) => config,
        Err(code) => return Ok(code),
    };
    let faults = faults_of_use(&config, arguments.config.as_deref());
    if !faults.is_empty() {
        for fault in &faults {
            eprintln!("{fault}");
        }
        let what = "`tollwatch run` could not use this configuration";
        eprintln!("{}", config.language.pick(what, "この設定では `tollwatch run` を開始できません"));
        return Ok(ExitCode::from(UNUSABLE));
    }
    let rules = config.settings.rules().len();
    let destinations = config.settings.destinations().len();
    let mut out = std::io::stdout().lock();
    match config.language {
        Language::English => writeln!(
            out,
            "The configuration is good: {rules} rules, {destinations} destination prefixes, home country {}, tenant {}.",
            config.settings.home_country(),
            config.sources.site().tenant
        )?,
        Language::Japanese => writeln!(
            out,
            "設定に問題はありません: ルール {rules} 件、宛先プレフィックス {destinations} 件、設置国 {}、テナント {}。",
            config.settings.home_country(),
            config.sources.site().tenant
        )?,
    }
    if let Some(line) = service(&config) {
        writeln!(out, "{line}")?;
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

/// What only those find who put the configuration to use: secrets, certificates and templates that cannot be read.
fn faults_of_use(config: &Config, file: Option<&Path>) -> Vec<ConfigProblem> {
    let folder = config.service.folder.as_deref();
    let mut problems = config.service.notify.build(folder, &environment).err().unwrap_or_default();
    if let Some(http) = &config.service.http {
        let loaded = Access::load(http, folder, environment).map(drop);
        for error in [loaded, Tls::load(http, folder).map(drop)].into_iter().filter_map(Result::err) {
            let what = format!("{:#}", anyhow::Error::new(error));
            problems.push(Problem::new("http".to_owned(), what, "see [http] in config/tollwatch.toml"));
        }
    }
    problems.into_iter().map(|problem| ConfigProblem::of_use(file, problem)).collect()
}

/// What the service would do; none where it has nothing to read.
fn service(config: &Config) -> Option<String> {
    let followed = config.sources.followed();
    if followed.is_empty() {
        return None;
    }
    let sources: Vec<&str> = followed.iter().map(|followed| followed.name.as_str()).collect();
    let notifiers: Vec<String> =
        config.raw.notifiers.iter().map(|raw| format!("{} ({})", raw.name, raw.channel.kind())).collect();
    let nobody = config.language.pick("nobody", "なし").to_owned();
    let told = if notifiers.is_empty() { nobody } else { notifiers.join(", ") };
    let read = sources.join(", ");
    Some(match config.language {
        Language::English => format!("`tollwatch run` follows {read} and tells {told}."),
        Language::Japanese => format!("`tollwatch run` の監視対象: {read}、通知先: {told}。"),
    })
}
