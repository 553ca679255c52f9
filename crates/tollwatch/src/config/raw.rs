//! The configuration as it stands in a file.
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tollwatch_detect::{BusinessHours, RawAllowed, RawDetection, RawLimits, RawRule};
use tollwatch_http::RawHttp;
use tollwatch_notify::{RawNotifier, RawRoute, RawText};
use tollwatch_numbering::RawDialPlan;

/// A whole configuration file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawConfig {
    /// `en`, `ja` or `auto`.
    pub language: String,
    /// The site.
    pub site: SiteConfig,
    /// Files that are read in another way than the site's.
    #[serde(default)]
    pub sources: Vec<SourceConfig>,
    /// How `tollwatch run` runs.
    pub service: ServiceConfig,
    /// API, metrics and health of `tollwatch run`.
    pub http: RawHttp,
    /// What alerts say.
    pub text: RawText,
    /// Where `tollwatch run` sends its alerts.
    #[serde(default)]
    pub notifiers: Vec<RawNotifier>,
    /// Which of them go where.
    #[serde(default)]
    pub routes: Vec<RawRoute>,
    /// How numbers are dialled there.
    pub dial_plan: RawDialPlan,
    /// What calls cost.
    pub rates: RatesConfig,
    /// When the office is open.
    pub business_hours: BusinessHours,
    /// Numbers of the engine.
    pub detection: RawDetection,
    /// How much the engine keeps.
    pub limits: RawLimits,
    /// Numbers that may be called without an alarm.
    #[serde(default)]
    pub allow: Vec<RawAllowed>,
    /// Customers or sites that differ from the rest.
    #[serde(default)]
    pub tenants: Vec<TenantConfig>,
    /// Prefixes whose risk the operator knows better.
    #[serde(default)]
    pub destinations: Vec<DestinationConfig>,
    /// The rules.
    pub rules: Vec<RawRule>,
}

impl RawConfig {
    /// Names of the sections that are other than in `before`.
    pub(crate) fn changed_since(&self, before: &Self) -> Vec<String> {
        let table = |config: &Self| toml::Table::try_from(config).unwrap_or_default();
        let (now, before) = (table(self), table(before));
        let names: std::collections::BTreeSet<&String> = now.keys().chain(before.keys()).collect();
        names.into_iter().filter(|name| now.get(*name) != before.get(*name)).cloned().collect()
    }
}

/// The site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SiteConfig {
    /// Customer or site.
    pub tenant: String,
    /// IANA zone of records without one; `auto` for what each file's own records say.
    pub timezone: String,
}

/// Files that are read in another way than the site's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SourceConfig {
    /// Patterns; one of them matches a file's name, or its path if there is a slash in the pattern.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    /// Name in alerts, metrics and messages of `tollwatch run`; the path without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// A log that `tollwatch run` reads as it grows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follow: Option<String>,
    /// The manager interface of an Asterisk that `tollwatch run` listens to: `host:port`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ami: Option<String>,
    /// The user that logs in there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// `challenge`, by which the secret is not sent, or `plain`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<String>,
    /// The file that holds the user's secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_file: Option<String>,
    /// The variable of the environment that does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_env: Option<String>,
    /// `tollwatch run` raises the alarm when there was no record for so long; learned from the source without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silent_after: Option<String>,
    /// Customer or site; the site's own without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Format of the records; told from the first of them without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub format: Option<String>,
    /// Zone of records without one, or `auto`; the site's without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// Name of the PBX, where a tenant has several.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system: Option<String>,
}

/// How `tollwatch run` runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceConfig {
    /// Folder of its state.
    pub state: String,
    /// What was learned is made durable so often, and before any alert goes out.
    pub checkpoint_every: String,
    /// Who was told of a critical incident is told again after so long, until somebody acknowledges it; "never".
    pub renotify_after: String,
    /// Alerts that were delivered are kept for so long.
    pub keep_alerts: String,
    /// How long it may take to send what is due when the service is stopped.
    pub drain: String,
    /// `text`, `json`, or `auto`: text on a terminal.
    pub log_format: String,
}

/// What calls cost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RatesConfig {
    /// ISO 4217 code.
    pub currency: String,
    /// The operator's rate deck, a CSV file; the bundled indicative one without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deck: Option<String>,
    /// The day whose rates of the deck count, `YYYY-MM-DD`; today without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_on: Option<String>,
    /// Refuse suspicious rates instead of warning.
    pub strict: bool,
}

/// A prefix whose risk the operator knows better.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DestinationConfig {
    /// Digits from the country code on.
    pub prefix: String,
    /// 1 highest … 3; 0 harmless.
    pub tier: u8,
}

/// What differs for one customer or site.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TenantConfig {
    /// Its name in incidents.
    pub name: String,
    /// IANA zone of its business hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// How numbers are dialled there; the whole plan, since a plan follows from its country.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dial_plan: Option<RawDialPlan>,
    /// When its office is open; the whole of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub business_hours: Option<BusinessHours>,
    /// Rules that do not watch it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub disabled_rules: Vec<String>,
    /// Rules of its own: in the place of the common rule of the same name, or in addition.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<RawRule>,
    /// Numbers that it may call, beside those that all may.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub allow: Vec<RawAllowed>,
}
