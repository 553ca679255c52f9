//! Configuration: embedded defaults, a file over them, flags over that; all faults at once.
mod deck;
mod interface;
mod place;
mod raw;
mod service;
mod sources;
mod tenants;

pub use interface::{Interface, SecretPlace};
pub(crate) use raw::TenantConfig;
pub use raw::{DestinationConfig, RatesConfig, RawConfig, ServiceConfig, SiteConfig, SourceConfig};
pub use service::Service;
pub use sources::{Followed, From, Source, Sources, Timezone};
pub use tenants::TenantSettings;

use crate::language::Language;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use tollwatch_cdr::Zone;
use tollwatch_detect::{
    DestinationSet, Detection, Engine, Measure, Outcomes, Problem, RawDestinations, RawRule, RawThreshold,
    RawValue, ScopeKind, Settings, When,
};
use tollwatch_numbering::{Destinations, DialPlan, RateDeck, RawDialPlan};

/// The embedded configuration: every option at its default, with comments.
pub fn default_text() -> &'static str {
    include_str!("../../../config/tollwatch.toml")
}

/// A fault of the configuration, with its place in the file if it has one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigProblem {
    /// The file, or the flag.
    pub source: String,
    /// Line in the file.
    pub line: Option<usize>,
    /// What is wrong and what to do.
    pub problem: Problem,
}

impl fmt::Display for ConfigProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.source, self.problem),
            None => write!(f, "{}: {}", self.source, self.problem),
        }
    }
}

/// What flags say over the file.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// `--timezone`
    pub timezone: Option<String>,
    /// `--country`
    pub country: Option<String>,
    /// `--language`
    pub language: Option<String>,
}

/// A configuration that was found to be good.
#[derive(Debug)]
pub struct Config {
    /// Language of messages.
    pub language: Language,
    /// How files are to be read.
    pub sources: Sources,
    /// What the engine runs on.
    pub settings: Settings,
    /// The same for tenants that have something of their own.
    pub tenants: Vec<TenantSettings>,
    /// How `tollwatch run` runs.
    pub service: Service,
    /// As it was given, with what it leaves out.
    pub raw: Box<RawConfig>,
    /// What is odd about the rate deck, and was taken all the same.
    pub warnings: Vec<String>,
}

impl Config {
    /// An engine of this configuration, which has seen nothing.
    pub fn engine(settings: Settings, tenants: Vec<TenantSettings>) -> Engine {
        let own = |engine: Engine, own: TenantSettings| engine.with_tenant(&own.name, own.settings);
        tenants.into_iter().fold(Engine::new(settings), own)
    }

    /// Reads and checks a configuration; without a file, the embedded one.
    pub fn load(file: Option<&Path>, overrides: &Overrides) -> Result<Self, Vec<ConfigProblem>> {
        let Some(file) = file else {
            return Self::from_text(default_text(), "embedded configuration", None, overrides);
        };
        let name = file.display().to_string();
        let text = std::fs::read_to_string(file).map_err(|error| {
            vec![ConfigProblem {
                source: name.clone(),
                line: None,
                problem: Problem::new("file".to_owned(), error.to_string(), "give a readable file with -c"),
            }]
        })?;
        Self::from_text(&text, &name, file.parent(), overrides)
    }

    /// Checks a configuration's text. Paths in it are relative to `folder`.
    pub fn from_text(
        text: &str,
        name: &str,
        folder: Option<&Path>,
        overrides: &Overrides,
    ) -> Result<Self, Vec<ConfigProblem>> {
        let mut problems = Vec::new();
        let loaded = read(text, &mut problems)
            .and_then(|raw| build(&apply(raw, overrides, &mut problems), folder, &mut problems));
        match loaded {
            Some(config) if problems.is_empty() => Ok(config),
            _ => {
                let locate = |problem: Problem| ConfigProblem {
                    source: name.to_owned(),
                    line: place::line_of(text, &problem.place),
                    problem,
                };
                Err(problems.into_iter().map(locate).collect())
            }
        }
    }
}

/// The text as a raw configuration, what it leaves out taken from the defaults. Each section and each rule is
/// read by itself, so that one fault does not hide another.
fn read(text: &str, problems: &mut Vec<Problem>) -> Option<RawConfig> {
    let table: toml::Table = match text.parse() {
        Ok(table) => table,
        Err(error) => {
            problems.push(Problem::new("file".to_owned(), error.to_string(), "mend the TOML"));
            return None;
        }
    };
    let mut raw: RawConfig = match toml::from_str(default_text()) {
        Ok(raw) => raw,
        Err(error) => {
            problems.push(Problem::new("embedded".to_owned(), error.to_string(), "report this as a bug"));
            return None;
        }
    };
    for (key, value) in table {
        match key.as_str() {
            "language" => section(&key, value, &mut raw.language, problems),
            "site" => over(&key, value, &mut raw.site, problems),
            "sources" => list(&key, value, &mut raw.sources, problems, |_| Some(sources::unread())),
            // A dial plan follows from its country: what is left out is that country's, not Japan's.
            "dial_plan" => section::<RawDialPlan>(&key, value, &mut raw.dial_plan, problems),
            "service" => over(&key, value, &mut raw.service, problems),
            "http" => over(&key, value, &mut raw.http, problems),
            "text" => over(&key, value, &mut raw.text, problems),
            "notifiers" => list(&key, value, &mut raw.notifiers, problems, |_| None),
            "routes" => list(&key, value, &mut raw.routes, problems, |_| None),
            "rates" => over(&key, value, &mut raw.rates, problems),
            "business_hours" => {
                if has_spans(&value) {
                    // Another way to say the hours: it stands in the place of the default ones.
                    let hours = &mut raw.business_hours;
                    (hours.days, hours.from, hours.to) = (None, None, None);
                }
                over(&key, value, &mut raw.business_hours, problems);
            }
            "detection" => over(&key, value, &mut raw.detection, problems),
            "limits" => over(&key, value, &mut raw.limits, problems),
            "allow" => list(&key, value, &mut raw.allow, problems, |_| None),
            "tenants" => list(&key, value, &mut raw.tenants, problems, |_| None),
            "destinations" => list(&key, value, &mut raw.destinations, problems, |_| None),
            "rules" => list(&key, value, &mut raw.rules, problems, |index| Some(unread_rule(index))),
            _ => problems.push(Problem::new(
                key.clone(),
                "there is no such option".to_owned(),
                "see `config/tollwatch.toml` for all options",
            )),
        }
    }
    Some(raw)
}

fn has_spans(hours: &toml::Value) -> bool {
    hours.get("spans").and_then(toml::Value::as_array).is_some_and(|spans| !spans.is_empty())
}

fn section<T: serde::de::DeserializeOwned>(
    place: &str,
    value: toml::Value,
    into: &mut T,
    problems: &mut Vec<Problem>,
) {
    match value.try_into() {
        Ok(read) => *into = read,
        Err(error) => {
            let message = error.message().to_owned();
            // serde names an unknown or wrong field in backquotes; that is where to look.
            let field = message.split('`').nth(1).filter(|_| message.starts_with("unknown field"));
            let place = field.map_or_else(|| place.to_owned(), |field| format!("{place}.{field}"));
            problems.push(Problem::new(place, message, "see `config/tollwatch.toml` for all options"));
        }
    }
}

/// A section whose missing keys keep their defaults.
fn over<T: serde::Serialize + serde::de::DeserializeOwned>(
    place: &str,
    value: toml::Value,
    into: &mut T,
    problems: &mut Vec<Problem>,
) {
    let defaults = toml::Value::try_from(&*into).ok().and_then(|value| value.as_table().cloned());
    match (value, defaults) {
        (toml::Value::Table(given), Some(mut merged)) => {
            merged.extend(given);
            section(place, toml::Value::Table(merged), into, problems);
        }
        (value, _) => section(place, value, into, problems),
    }
}

fn list<T: serde::de::DeserializeOwned>(
    place: &str,
    value: toml::Value,
    into: &mut Vec<T>,
    problems: &mut Vec<Problem>,
    unread: impl Fn(usize) -> Option<T>,
) {
    let toml::Value::Array(items) = value else {
        problems.push(Problem::new(place.to_owned(), "not a list".to_owned(), "write [[…]] tables"));
        return;
    };
    into.clear();
    for (index, item) in items.into_iter().enumerate() {
        let mut read: Option<T> = None;
        section(&format!("{place}[{index}]"), item, &mut read, problems);
        into.extend(read.or_else(|| unread(index)));
    }
}

/// Stands where a rule could not be read, so that the rules behind it keep their places.
fn unread_rule(index: usize) -> RawRule {
    let threshold = RawThreshold {
        window: Some("1m".to_owned()),
        warning: Some(RawValue::Number(1)),
        ..RawThreshold::default()
    };
    RawRule {
        name: format!("unread_{index}"),
        enabled: false,
        scope: ScopeKind::Extension,
        cross_tenant: false,
        measure: Measure::Attempts,
        destinations: RawDestinations::One(DestinationSet::International),
        when: When::Always,
        outcomes: Outcomes::Any,
        armed: false,
        arm_for: None,
        minimum_attempts: None,
        thresholds: vec![threshold],
    }
}

fn apply(mut raw: RawConfig, overrides: &Overrides, problems: &mut Vec<Problem>) -> RawConfig {
    if let Some(country) = &overrides.country
        && !country.eq_ignore_ascii_case(&raw.dial_plan.country)
    {
        // Flags say another country than the file: its own prefixes, not those of the file's country.
        raw.dial_plan = RawDialPlan {
            country: country.to_ascii_uppercase(),
            trunk_peers: raw.dial_plan.trunk_peers,
            extension_peers: raw.dial_plan.extension_peers,
            ..RawDialPlan::default()
        };
        if overrides.timezone.is_none() && raw.site.timezone != "auto" {
            problems.push(Problem::new(
                "--country".to_owned(),
                format!("the time zone is still {}", raw.site.timezone),
                "say --timezone too, such as --timezone Europe/Berlin",
            ));
        }
    }
    if let Some(timezone) = &overrides.timezone {
        raw.site.timezone.clone_from(timezone);
        for source in &mut raw.sources {
            source.timezone = None;
        }
    }
    if let Some(language) = &overrides.language {
        raw.language.clone_from(language);
    }
    raw
}

fn build(raw: &RawConfig, folder: Option<&Path>, problems: &mut Vec<Problem>) -> Option<Config> {
    let mut warnings = Vec::new();
    let language = Language::named(&raw.language);
    if language.is_none() {
        problems.push(Problem::new(
            "language".to_owned(),
            format!("`{}` is no language", raw.language),
            "en, ja or auto",
        ));
    }
    let currency = &raw.rates.currency;
    if currency.len() != 3 || !currency.bytes().all(|byte| byte.is_ascii_uppercase()) {
        problems.push(Problem::new(
            "rates.currency".to_owned(),
            format!("`{currency}` is no currency"),
            "three letters, such as JPY",
        ));
    }
    let home_country = raw.dial_plan.country.to_ascii_uppercase();
    let plan = dial_plan("dial_plan", raw.dial_plan.clone(), problems);
    let sources = Sources::new(&raw.site, &raw.sources, &home_country, folder, problems);
    let destinations = destinations(&raw.destinations, problems);
    let deck = deck::deck(&raw.rates, folder, problems, &mut warnings);
    // What is wrong was named above; the rest is still worth checking, with the defaults in its place.
    let plan = plan.or_else(|| DialPlan::new(RawDialPlan::default()).ok())?;
    let destinations = Arc::new(destinations.or_else(|| Destinations::bundled().ok())?);
    let deck = Arc::new(deck.or_else(|| RateDeck::bundled().ok())?);
    let detection = Detection {
        raw: &raw.detection,
        limits: raw.limits,
        home_country: &home_country,
        business_hours: &raw.business_hours,
        // A wrong zone was named above; the rest is still worth checking.
        timezone: &sources.site_zone().unwrap_or(Zone::UTC).to_string(),
        allow: &raw.allow,
        rules: &raw.rules,
    };
    let common = Settings::new(
        &detection,
        plan.clone(),
        Arc::clone(&destinations),
        Arc::clone(&deck),
        &raw.rates.currency,
    );
    let service = Service::new(raw, folder, problems);
    let tenants = tenants::settings(raw, &detection, &plan, &destinations, &deck, problems);
    match common {
        Ok(settings) => Some(Config {
            language: language?,
            sources,
            settings,
            tenants,
            service,
            raw: Box::new(raw.clone()),
            warnings,
        }),
        Err(found) => {
            problems.extend(found);
            None
        }
    }
}

fn dial_plan(place: &str, raw: RawDialPlan, problems: &mut Vec<Problem>) -> Option<DialPlan> {
    match DialPlan::new(raw) {
        Ok(plan) => Some(plan),
        Err(errors) => {
            problems.extend(errors.iter().map(|error| {
                Problem::new(format!("{place}.{}", error.key), error.to_string(), error.hint())
            }));
            None
        }
    }
}

fn destinations(overlay: &[DestinationConfig], problems: &mut Vec<Problem>) -> Option<Destinations> {
    let mut rows = BTreeMap::new();
    for (index, row) in overlay.iter().enumerate() {
        let place = format!("destinations[{index}]");
        if row.prefix.is_empty()
            || row.prefix.len() > 15
            || !row.prefix.bytes().all(|byte| byte.is_ascii_digit())
        {
            problems.push(Problem::new(
                format!("{place}.prefix"),
                format!("`{}` is no prefix", row.prefix),
                "digits from the country code on, such as \"224\"",
            ));
        } else if row.tier > 3 {
            problems.push(Problem::new(
                format!("{place}.tier"),
                format!("there is no tier {}", row.tier),
                "0 to 3",
            ));
        } else {
            rows.insert(row.prefix.clone(), (row.tier > 0).then_some(row.tier));
        }
    }
    let rows: Vec<(&str, Option<u8>)> = rows.iter().map(|(prefix, tier)| (prefix.as_str(), *tier)).collect();
    match Destinations::bundled().and_then(|bundled| bundled.with_overlay(&rows)) {
        Ok(table) => Some(table),
        Err(errors) => {
            problems.extend(errors.iter().map(|error| {
                Problem::new("destinations".to_owned(), error.to_string(), "see datasets/destinations")
            }));
            None
        }
    }
}
