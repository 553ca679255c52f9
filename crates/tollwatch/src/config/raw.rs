//! The configuration as it stands in a file.
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tollwatch_detect::{BusinessHours, RawAllowed, RawDetection, RawLimits, RawRule};
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
    pub files: Vec<String>,
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
