//! `tollwatch number`: how a dialled number is read, where it goes, and which rules watch it.
use crate::cli::{NumberArgs, Output};
use crate::language::Language;
use serde_json::json;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::process::ExitCode;
use tollwatch_detect::{Settings, Watched};
use tollwatch_http::{DestinationOfNumberV1, NumberV1};
use tollwatch_numbering::{Called, CalledClass, Certainty, Form};
use tollwatch_stats::Traits;

pub(crate) fn run(arguments: &NumberArgs) -> anyhow::Result<ExitCode> {
    let config = match super::config(&arguments.config) {
        Ok(config) => config,
        Err(code) => return Ok(code),
    };
    let mut out = std::io::stdout().lock();
    let mut documents = Vec::new();
    for dialled in &arguments.numbers {
        let called = config.settings.plan().normalise(dialled.as_bytes(), Form::Dialled);
        let text = dialled.to_string_lossy();
        match arguments.output {
            Output::Json => documents.push(document(&text, &called, &config.settings)),
            Output::Table => {
                for line in lines(&text, &called, &config.settings, config.language) {
                    writeln!(out, "{line}")?;
                }
            }
        }
    }
    if arguments.output == Output::Json {
        serde_json::to_writer_pretty(&mut out, &documents)?;
        writeln!(out)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What the rules think of a call to it, or of the code that forwards calls to it.
fn watched(called: &Called, settings: &Settings) -> Option<Watched> {
    settings.watch(called).or_else(|| settings.watch_forwarding(called))
}

/// Names of the rules that such a call counts for, at some hour or other.
fn rules<'s>(called: &Called, settings: &'s Settings) -> Vec<&'s str> {
    let Some(watched) = watched(called, settings) else { return Vec::new() };
    // All that may come to be said of such a call.
    let traits = watched
        .traits
        .with(Traits::OFF_HOURS)
        .with(Traits::BUSINESS_HOURS)
        .with(Traits::NOT_ALLOWED)
        .with(Traits::UNUSUAL)
        .with(Traits::ARMED)
        .with(Traits::SHORT_OR_FAILED);
    let traits = if traits.has(Traits::INTERNATIONAL) { traits.with(Traits::NEW_COUNTRY) } else { traits };
    settings.rules().iter().filter(|rule| traits.has(rule.traits)).map(|rule| rule.name.as_str()).collect()
}

/// The same for the API.
pub(crate) fn wire(dialled: &str, tenant: &str, settings: &Settings) -> NumberV1 {
    let called = settings.plan().normalise(dialled.as_bytes(), Form::Dialled);
    let destination = called.number.and_then(|number| settings.destinations().lookup(number));
    let row = destination.map(|id| settings.destinations().get(id));
    let word = |value: serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    NumberV1 {
        dialled: dialled.to_owned(),
        tenant: tenant.to_owned(),
        class: word(json!(called.class)),
        number: called.number.map(|number| number.to_string()),
        reading: called.reading.to_string(),
        certainty: word(json!(called.certainty)),
        destination: row.map(|row| DestinationOfNumberV1 {
            prefix: row.prefix.clone(),
            country: row.iso2.clone(),
            name_en: row.name_en.clone(),
            name_ja: row.name_ja.clone(),
            tier: row.tier,
            risk_sources: row.risk_sources.clone(),
        }),
        rate_per_minute: watched(&called, settings)
            .map(|watched| settings.rate(watched.number).per_minute.to_string()),
        currency: settings.currency().to_owned(),
        rules: rules(&called, settings).into_iter().map(str::to_owned).collect(),
    }
}

fn document(dialled: &str, called: &Called, settings: &Settings) -> serde_json::Value {
    let destination = called.number.and_then(|number| settings.destinations().lookup(number));
    let row = destination.map(|id| settings.destinations().get(id));
    let rate = watched(called, settings).map(|watched| settings.rate(watched.number));
    json!({
        "dialled": dialled,
        "class": called.class,
        "number": called.number.map(|number| number.to_string()),
        "reading": called.reading.to_string(),
        "certainty": called.certainty,
        "destination": row.map(|row| json!({
            "prefix": row.prefix, "country": row.name_en, "country_ja": row.name_ja, "iso2": row.iso2,
            "tier": row.tier, "risk_sources": row.risk_sources,
        })),
        "rate_per_minute": rate.map(|rate| rate.per_minute.to_string()),
        "currency": settings.currency(),
        "rules": rules(called, settings),
    })
}

fn lines(dialled: &str, called: &Called, settings: &Settings, language: Language) -> Vec<String> {
    let class = match (called.class, language) {
        (CalledClass::International, Language::English) => "international",
        (CalledClass::National, Language::English) => "national",
        (CalledClass::Extension, Language::English) => "extension",
        (CalledClass::ShortCode, Language::English) => "short code",
        (CalledClass::Emergency, Language::English) => "emergency",
        (CalledClass::FeatureCode, Language::English) => "feature code",
        (CalledClass::CarrierService, Language::English) => "carrier service",
        (CalledClass::Unknown, Language::English) => "cannot be read: counts as international over a trunk",
        (CalledClass::International, Language::Japanese) => "国際",
        (CalledClass::National, Language::Japanese) => "国内",
        (CalledClass::Extension, Language::Japanese) => "内線",
        (CalledClass::ShortCode, Language::Japanese) => "短縮番号サービス",
        (CalledClass::Emergency, Language::Japanese) => "緊急通報",
        (CalledClass::FeatureCode, Language::Japanese) => "特番",
        (CalledClass::CarrierService, Language::Japanese) => "事業者サービス",
        (CalledClass::Unknown, Language::Japanese) => "判別不可: 外線に出た場合は国際通話として数えます",
    };
    let certainty = match (called.certainty, language) {
        (Certainty::Certain, Language::English) => "certain",
        (Certainty::Likely, Language::English) => "likely",
        (Certainty::Guess, Language::English) => "a guess",
        (Certainty::Certain, Language::Japanese) => "確実",
        (Certainty::Likely, Language::Japanese) => "おそらく",
        (Certainty::Guess, Language::Japanese) => "推測",
    };
    let number = called.number.map_or_else(|| "—".to_owned(), |number| number.to_string());
    let mut lines = vec![format!("{dialled} → {number}  {class}  ({}; {certainty})", called.reading)];
    let destination = called.number.and_then(|number| settings.destinations().lookup(number));
    if let Some(row) = destination.map(|id| settings.destinations().get(id)) {
        let tier = match (row.tier, language) {
            (Some(tier), Language::English) => {
                format!(", risk tier {tier} ({}; {})", row.risk_sources, row.risk_year)
            }
            (Some(tier), Language::Japanese) => {
                format!("、リスク区分 {tier}（{}、{}）", row.risk_sources, row.risk_year)
            }
            (None, _) => String::new(),
        };
        lines.push(format!(
            "  +{}  {} {}{tier}",
            row.prefix,
            language.pick(&row.name_en, &row.name_ja),
            row.iso2
        ));
    }
    if let Some(watched) = watched(called, settings) {
        let rate = settings.rate(watched.number);
        let (price, currency) = (rate.per_minute, settings.currency());
        let (first, next) = (rate.first_increment, rate.next_increment);
        lines.push(match language {
            Language::English => format!("  {price} {currency} a minute, charged by {first}/{next} s"),
            Language::Japanese => format!("  1分あたり {price} {currency}（{first}/{next} 秒単位の課金）"),
        });
        lines.push(format!(
            "  {}: {}",
            language.pick("rules", "対象ルール"),
            rules(called, settings).join(", ")
        ));
    } else {
        lines.push(format!(
            "  {}",
            language.pick("no rule watches such a call", "どのルールの対象でもありません")
        ));
    }
    lines
}
