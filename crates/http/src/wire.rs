//! The bodies of the API. Times are RFC 3339 UTC; money is a decimal string.
//!
//! A called number stands in the evidence of an incident and nowhere else, masked unless `http.show_numbers` says
//! otherwise; [`NumberV1`] holds the one that it was asked about.
mod deliveries;
mod drill;

pub use deliveries::{DeliveriesV1, DeliveryFilter, DeliveryState, DeliveryV1, RetryDeliveriesV1};
pub use drill::{DrillIncidentV1, DrillNotifierV1, DrillRequestV1, DrillState, DrillV1};

pub(crate) use deliveries::{MOST_IDS, is_id};
pub(crate) use drill::LONGEST_SECONDS;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::BTreeMap;
use tollwatch_detect::{ConditionV1, ExposureV1, IncidentV1, RawRule, Severity};

/// A person's name, and a tenant's or an extension's, has at most so many characters.
pub(crate) const MOST_NAME: usize = 200;
/// A note has at most so many characters.
pub(crate) const MOST_NOTE: usize = 2_000;

/// What something is called: not empty and not endless.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Name(pub String);

impl TryFrom<String> for Name {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text.is_empty() || text.chars().count() > MOST_NAME {
            return Err(format!("a name has 1 to {MOST_NAME} characters"));
        }
        Ok(Self(text))
    }
}

impl JsonSchema for Name {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Name".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 1, "maxLength": MOST_NAME })
    }
}

/// Where an incident stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum IncidentState {
    /// It goes on, and nobody has said that they look after it.
    Open,
    /// It goes on, and somebody looks after it.
    Acknowledged,
    /// It is over: by itself, or by a person's word.
    Resolved,
}

/// What a person said about an incident, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DecisionV1 {
    /// Who.
    pub by: String,
    /// When (processing time).
    pub at: String,
    /// What they say.
    pub note: Option<String>,
}

/// One incident and what people made of it, version 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IncidentStatusV1 {
    /// What happened.
    pub incident: IncidentV1,
    /// Where it stands.
    pub state: IncidentState,
    /// Who looks after it; null if nobody said so.
    pub acknowledged: Option<DecisionV1>,
    /// Who said that it is over; null if nobody did, also where it ended by itself.
    pub resolved: Option<DecisionV1>,
    /// Until when its alerts are kept back; null if they are not.
    pub muted_until: Option<String>,
    /// Why they are.
    pub mute_reason: Option<String>,
    /// It is an exercise: no money was spent.
    pub drill: bool,
}

/// One incident with its evidence, version 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct IncidentDetailV1 {
    /// The incident, as in the list.
    #[serde(flatten)]
    pub status: IncidentStatusV1,
    /// The first of its calls, oldest first, at most 50: what crossed the threshold is among them.
    pub calls: Vec<CallV1>,
    /// So many calls more belong to it and are not shown.
    pub calls_not_shown: u64,
}

/// A call of an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CallV1 {
    /// As the PBX writes it.
    pub call_id: String,
    /// When it began.
    pub started_at: String,
    /// The extension that is charged; null if none could be found.
    pub extension: Option<String>,
    /// The called number, `+` and digits; its last four are `*` unless `http.show_numbers` is set. Null if nobody could
    /// read it.
    pub number: Option<String>,
    /// Matched prefix of the called number; empty for numbers nobody could read.
    pub prefix: String,
    /// ISO 3166 code; empty where there is none.
    pub country: String,
    /// Whether it was answered.
    pub answered: bool,
    /// Billable seconds, as far as they are known.
    pub billable_seconds: u64,
    /// Estimated charge.
    pub exposure: ExposureV1,
}

/// Something that keeps the service from seeing calls or from being heard, while it lasts, version 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConditionStatusV1 {
    /// What it is, since when, and what to do, as alerts say it.
    #[serde(flatten)]
    pub condition: ConditionV1,
    /// Whether somebody has to get up for it.
    pub severity: Severity,
    /// Customer or site.
    pub tenant: String,
}

/// A page of incidents, newest first, version 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub(crate) struct IncidentsV1<'a> {
    /// The incidents.
    pub incidents: Vec<&'a IncidentStatusV1>,
    /// Give it as `cursor` for the next page; null on the last one.
    pub next_cursor: Option<String>,
}

/// What a person says of an incident.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DecisionRequestV1 {
    /// Who.
    #[schemars(length(min = 1, max = MOST_NAME))]
    pub by: String,
    /// What they say.
    #[schemars(length(max = MOST_NOTE))]
    pub note: Option<String>,
}

/// Alerts that are to be kept back: those that all given fields match, of which there must be one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("anyOf" = [{"required": ["tenant"]}, {"required": ["extension"]}, {"required": ["rule"]}]))]
pub struct MuteRequestV1 {
    /// Customer or site.
    #[schemars(with = "String", length(min = 1, max = MOST_NAME))]
    #[serde(default, deserialize_with = "given")]
    pub tenant: Option<String>,
    /// Extension.
    #[schemars(with = "String", length(min = 1, max = MOST_NAME))]
    #[serde(default, deserialize_with = "given")]
    pub extension: Option<String>,
    /// Rule.
    #[schemars(with = "String", length(min = 1, max = MOST_NAME))]
    #[serde(default, deserialize_with = "given")]
    pub rule: Option<String>,
    /// When it ends by itself.
    #[schemars(extend("format" = "date-time"))]
    pub until: String,
    /// Why.
    #[schemars(length(min = 1, max = MOST_NOTE))]
    pub reason: String,
    /// Who.
    #[schemars(length(min = 1, max = MOST_NAME))]
    pub by: String,
}

/// A field that is given has a value: a null where a value was meant would mute more than was asked.
fn given<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    String::deserialize(deserializer).map(Some)
}

/// Alerts that are kept back, version 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct MuteV1 {
    /// Its id.
    pub mute_id: String,
    /// Customer or site; null for all.
    pub tenant: Option<String>,
    /// Extension; null for all.
    pub extension: Option<String>,
    /// Rule; null for all.
    pub rule: Option<String>,
    /// When it ends by itself.
    pub until: String,
    /// Why.
    pub reason: String,
    /// Who.
    pub by: String,
    /// When it was made.
    pub created_at: String,
}

/// How it goes with a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SourceState {
    /// It is read as it grows.
    Following,
    /// It is not there yet, or not now.
    Waiting,
    /// It cannot be read.
    Failed,
}

/// Where records come from, version 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SourceV1 {
    /// Its name.
    pub name: String,
    /// Format of its records; null as long as it was not told from them.
    pub format: Option<String>,
    /// Zone of records without one.
    pub timezone: String,
    /// Customer or site.
    pub tenant: String,
    /// How it goes.
    pub state: SourceState,
    /// Since when (processing time).
    pub since: String,
    /// Bytes that are there and not read yet.
    pub lag_bytes: u64,
    /// Event time of the last record; null if there was none.
    pub last_record_at: Option<String>,
    /// When something was read last (processing time).
    pub last_read_at: Option<String>,
    /// Records read.
    pub records: u64,
    /// Records of these that had been read before, and were dropped.
    pub duplicate: u64,
    /// Records of these by which a call came to be known that had begun longer ago than the windows reach back.
    pub late: u64,
    /// Records that could not be read.
    pub rejected: u64,
    /// The same by reason.
    pub rejected_by_reason: BTreeMap<String, u64>,
    /// It says nothing for longer than it usually does.
    pub silent: bool,
}

/// A rule, version 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuleV1 {
    /// As it is configured.
    pub rule: RawRule,
    /// The customer or site whose own it is; null for a common one.
    pub tenant: Option<String>,
    /// Where its reasons are explained, such as `docs/rules.md#high_risk_burst`; null for a rule of the operator's own.
    pub reasons: Option<String>,
}

/// What sends alerts to people, version 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NotifierV1 {
    /// Its name.
    pub name: String,
    /// `webhook`, `slack`, `email` …
    pub kind: String,
    /// Alerts that wait to be delivered.
    pub pending: u64,
    /// When the oldest of them was raised.
    pub oldest_pending_at: Option<String>,
    /// Alerts that could not be delivered and are no longer tried.
    pub dead: u64,
    /// It is not used any more until the configuration is loaded again.
    pub disabled: bool,
    /// Why the last attempt failed, without secrets; null if it did not.
    pub last_error: Option<String>,
}

/// Something that must be so before the service is ready, version 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CheckV1 {
    /// Its name.
    pub name: String,
    /// Whether it is so.
    pub ok: bool,
    /// More about it; only with `?verbose`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// Whether the service is ready, version 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReadinessV1 {
    /// Whether all checks are good.
    pub ready: bool,
    /// Those that are not; all of them with `?verbose`.
    pub checks: Vec<CheckV1>,
}

/// How an extension stands against its rules, version 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ExtensionV1 {
    /// Customer or site.
    pub tenant: String,
    /// Its name.
    pub extension: String,
    /// Event time at which the windows end.
    pub as_of: String,
    /// One for each threshold of each rule that watches it.
    pub windows: Vec<WindowV1>,
}

/// One threshold of one rule. Values are a count, seconds, a percentage, or money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct WindowV1 {
    /// Rule.
    pub rule: String,
    /// What is measured, as in the configuration.
    pub measure: String,
    /// Window length; null for measures without one.
    pub window_seconds: Option<i64>,
    /// Measured value; null where there is nothing to measure.
    pub value: Option<String>,
    /// A warning from this value on.
    pub warning: Option<String>,
    /// Critical from this value on.
    pub critical: Option<String>,
}

/// How a number is read, where it goes and what it costs, version 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NumberV1 {
    /// As it was asked.
    pub dialled: String,
    /// Customer or site whose dial plan was used.
    pub tenant: String,
    /// `international`, `national`, `extension`, …
    pub class: String,
    /// E.164 with `+`; null if it is none.
    pub number: Option<String>,
    /// How it was read.
    pub reading: String,
    /// `certain`, `likely`, `guess`.
    pub certainty: String,
    /// Where it goes; null if that is not known.
    pub destination: Option<DestinationOfNumberV1>,
    /// Price of a minute; null for numbers that no rule watches.
    pub rate_per_minute: Option<String>,
    /// ISO 4217 code.
    pub currency: String,
    /// Rules that watch such a call.
    pub rules: Vec<String>,
}

/// Where a number goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DestinationOfNumberV1 {
    /// Matched prefix.
    pub prefix: String,
    /// ISO 3166 code; empty for satellite and global networks.
    pub country: String,
    /// English name.
    pub name_en: String,
    /// Japanese name.
    pub name_ja: String,
    /// Risk tier, 1 highest; null if none is known.
    pub tier: Option<u8>,
    /// Who says so.
    pub risk_sources: String,
}

/// What a new configuration changed, version 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReloadedV1 {
    /// Sections that are different now, such as `rules`; none if nothing is.
    pub changed: Vec<String>,
    /// What is odd about it, and was taken all the same.
    pub warnings: Vec<String>,
}

/// Which alerts to send again.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RetryRequestV1 {
    /// One of them; all without.
    pub alert_id: Option<Name>,
}

/// How many alerts were put back into a notifier's queue, version 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RetriedV1 {
    /// So many.
    pub retried: u64,
}

/// A request that says nothing more than its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NothingV1 {}

/// The names that lists stand under, so that a list can grow other fields.
macro_rules! list {
    ($(#[$doc:meta] $name:ident { $field:ident: $item:ty })*) => {$(
        #[$doc]
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
        pub(crate) struct $name<'a> {
            /// All of them.
            pub $field: &'a [$item],
        }
    )*};
}

list! {
    /// The mutes in force, version 1.
    MutesV1 { mutes: MuteV1 }
    /// What keeps the service from seeing or from being heard now, version 1.
    ConditionsV1 { conditions: ConditionStatusV1 }
    /// The sources, version 1.
    SourcesV1 { sources: SourceV1 }
    /// The rules, version 1.
    RulesV1 { rules: RuleV1 }
    /// The notifiers, version 1.
    NotifiersV1 { notifiers: NotifierV1 }
}
