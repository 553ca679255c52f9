//! The canonical form of records: one JSON object a line, `cdr.v1.json` and `call-event.v1.json`.
mod read;
mod write;

pub(crate) use read::read;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A completed call, or one leg of one. Fields that are not named here are ignored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "CdrV1")]
pub struct CdrV1 {
    /// Tells the record from a call event.
    #[serde(rename = "type")]
    pub kind: CdrTypeV1,
    /// When the leg began.
    pub started_at: TimeV1,
    /// When the far end answered; absent if it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_at: Option<TimeV1>,
    /// When the leg ended.
    pub ended_at: TimeV1,
    /// Seconds the PBX would charge for; from answer to end if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billable_seconds: Option<u32>,
    /// How it ended.
    pub outcome: OutcomeV1,
    /// A-number as the PBX shows it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub calling: String,
    /// B-number as it was dialled, with whatever stood before it.
    pub dialled: String,
    /// B-number as it was sent to the trunk.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sent: String,
    /// The phone that was rung before the call was diverted.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub rang: String,
    /// Who placed the leg, by channel; instead of `extension`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<LegV1>,
    /// Where it went, by channel; instead of `trunk`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<LegV1>,
    /// The extension that placed the leg; `calling` if absent.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub extension: String,
    /// The trunk it went over.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub trunk: String,
    /// The call came in from outside.
    #[serde(default, skip_serializing_if = "is_false")]
    pub from_outside: bool,
    /// Id of the call; legs may share it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub call_id: String,
    /// Account that is billed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub account: String,
    /// Network address the call was placed from.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source_address: String,
    /// Customer or site; that of the source if absent.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub tenant: String,
    /// A session timer ended the leg: nobody knows when the parties hung up.
    #[serde(default, skip_serializing_if = "is_false")]
    pub length_unknown: bool,
    /// What makes this record itself: a record with the same one is the same record read twice. The whole line if
    /// absent.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub identity: String,
}

/// What happened to a live call, before any CDR of it. Fields that are not named here are ignored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "CallEventV1")]
pub struct CallEventV1 {
    /// Tells the record from a CDR.
    #[serde(rename = "type")]
    pub kind: CallEventTypeV1,
    /// What happened.
    pub event: EventKindV1,
    /// When it happened at the PBX.
    pub at: TimeV1,
    /// The leg it happened to (of `diverted`, the channel that was sent on; of `code_dialled`, the one that dialled). Its id is the same in all events of
    /// the leg, and in its CDR.
    pub target: LegV1,
    /// Id of the call; legs may share it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub call_id: String,
    /// Customer or site; that of the source if absent.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub tenant: String,
    /// Of `started`: who placed the leg, by channel; instead of `extension`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<LegV1>,
    /// Of `started`: the extension that placed the leg. Of `code_dialled`: the one that dialled it, if `target` does
    /// not name one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub extension: String,
    /// Of `started`: the trunk it goes over, if `target` does not name one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub trunk: String,
    /// Of `started`: B-number as it was dialled. Of `code_dialled`: the code.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub dialled: String,
    /// Of `started`: B-number as it was sent to the trunk.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sent: String,
    /// Of `started`: the phone that was rung before the call was diverted.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub rang: String,
    /// Of `started` and `code_dialled`: the call came in from outside.
    #[serde(default, skip_serializing_if = "is_false")]
    pub from_outside: bool,
    /// Of `started` and `code_dialled`: account that is billed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub account: String,
    /// Of `started` and `code_dialled`: network address the call was placed from.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub source_address: String,
    /// Of `diverted`: the phone that transferred the call.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub by: String,
    /// Of `ended`: how, if it was never answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<OutcomeV1>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_false(value: &bool) -> bool {
    !value
}

/// The type of a CDR.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CdrTypeV1 {
    /// `cdr`
    Cdr,
}

/// The type of a call event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CallEventTypeV1 {
    /// `call_event`
    CallEvent,
}

/// A channel of the PBX, and who it belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct LegV1 {
    /// The PBX's name for the channel, the same in CDRs and live events.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// The phone or trunk it belongs to.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub peer: String,
    /// The PBX called itself to divert a call.
    #[serde(skip_serializing_if = "is_false")]
    pub internal: bool,
}

/// How a call attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeV1 {
    /// The far end answered.
    Answered,
    /// It rang, or the caller gave up.
    NoAnswer,
    /// The far end was busy.
    Busy,
    /// It could not be placed.
    Failed,
}

/// What happened to a leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EventKindV1 {
    /// It was begun.
    Started,
    /// The far end answered.
    Answered,
    /// Somebody sent the party at its other end on to another number.
    Diverted,
    /// A code was dialled that the PBX itself took, such as `*72` and a number; `target` is the channel that dialled.
    CodeDialled,
    /// It is over.
    Ended,
}

/// An instant: RFC 3339 with an offset, or seconds since 1970 UTC with or without a fraction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum TimeV1 {
    /// `2026-03-08T03:00:18.5+09:00`
    Rfc3339(#[schemars(extend("format" = "date-time"))] String),
    /// `1772906418.5`
    Seconds(f64),
}
