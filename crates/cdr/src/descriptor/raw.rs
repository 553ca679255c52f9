//! A descriptor as it is written.
use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// A format of a PBX, described: how its lines are cut into columns, and which columns say what of a call.
/// The embedded ones stand in `schemas/formats/`; an operator's own is given by its path.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawDescriptor {
    /// Name in configuration and on the command line: lower-case letters, digits and `_`.
    pub(super) name: String,
    /// What reads the lines.
    #[serde(default)]
    pub(super) reader: ReaderKind,
    /// Whose way of naming channels and dial strings the columns speak; none for plain ones.
    pub(super) dialect: Option<Dialect>,
    /// Spreadsheets may have saved the file anew: numbers such as `4.47E+11` have lost their digits and are
    /// refused.
    #[serde(default)]
    pub(super) spreadsheet: bool,
    /// Another format that fits as well is taken instead.
    #[serde(default)]
    pub(super) gives_way: bool,
    /// Zone of civil times: `source` (that of the source's settings), `utc`, an IANA name or an offset.
    #[serde(default = "source")]
    pub(super) zone: String,
    /// What operators must know.
    pub(super) operator: RawOperator,
    /// How lines are cut.
    #[serde(default)]
    pub(super) lines: RawLines,
    /// Further spellings of columns in header lines (any case), by the name that `fields` uses.
    #[serde(default)]
    pub(super) spellings: BTreeMap<String, Vec<String>>,
    /// Which columns say what.
    #[serde(default)]
    pub(super) fields: RawFields,
    /// What is done to numbers before they are handed on.
    #[serde(default)]
    pub(super) numbers: RawNumbers,
}

fn source() -> String {
    "source".to_owned()
}

/// What reads the lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ReaderKind {
    /// Column by column, as `fields` says.
    #[default]
    Columns,
    /// The tracker of Asterisk's channel events.
    AsteriskCel,
    /// The events of Asterisk's manager interface; `fields` speaks of those that are call records.
    AsteriskAmi,
    /// The records of `cdr.v1.json` and `call-event.v1.json`.
    Tollwatch,
}

/// Whose way of naming things the columns speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Dialect {
    /// Channel names (`PJSIP/105-0000001a`), dial strings, contexts and unique ids of Asterisk.
    Asterisk,
}

/// What operators must know of a format.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawOperator {
    /// What is read.
    pub(super) reads: RawText,
    /// Where the PBX puts it by default.
    pub(super) path: String,
    /// Configuration files of the PBX.
    #[serde(default)]
    pub(super) settings: Vec<RawSetting>,
    /// What else to do or to know when switching it on.
    pub(super) switch_on: RawText,
    /// What cannot be seen in it.
    pub(super) blind_to: RawText,
}

/// A text in both languages.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawText {
    pub(super) english: String,
    pub(super) japanese: String,
}

/// Lines of a configuration file of the PBX.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawSetting {
    /// Its path.
    pub(super) file: String,
    /// The lines to put into it.
    pub(super) lines: String,
}

/// How lines are cut.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawLines {
    /// Values between delimiters, or one JSON object a line.
    pub(super) shape: Shape,
    /// One byte; of several, the one that makes the first line a header. `,` if not given.
    pub(super) delimiter: Names,
    /// How quotes are written.
    pub(super) quotes: Quotes,
    /// Blanks around values are none of them.
    pub(super) trim: bool,
    /// Whether there is a line of names. It is passed over wherever it comes again.
    pub(super) header: Header,
    /// A line that holds nothing but types (`INTEGER`, `VARCHAR(50)`) is passed over.
    pub(super) type_line: bool,
    /// Lines that begin with one of these hold no call: comments, trailers, page headers.
    pub(super) skip: Vec<String>,
    /// Rows that tell of no call, or of one that another row tells of, by what stands in a column.
    pub(super) pass_over: Vec<RawPassOver>,
    /// Names of the columns, in order; may be empty where there is always a header.
    pub(super) columns: Vec<String>,
    /// Rows may end before the last of `columns`, but not before this many.
    pub(super) width_min: Option<usize>,
    /// Rows may have more columns than are named.
    pub(super) further_columns: bool,
    /// A column in which delimiters may stand unquoted: what a row has too much belongs to it.
    pub(super) overflow: Option<String>,
    /// Columns that may follow behind `columns`, by the row's width; the first that fits counts. `[]` for none.
    pub(super) behind: Vec<RawBehind>,
}

/// Columns behind the ordinary ones.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawBehind {
    /// Their names, in order.
    pub(super) columns: Vec<String>,
    /// Only if this column holds an id with the second of its creation (`1772906414.0`).
    pub(super) id: Option<String>,
}

/// Rows that are passed over.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawPassOver {
    /// The column.
    pub(super) column: String,
    /// What stands there (any case).
    pub(super) holds: Vec<String>,
}

/// Shape of lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Shape {
    /// Values between delimiters.
    #[default]
    Separated,
    /// One JSON object a line; columns are its keys.
    Json,
    /// Lines of `Key: value`, up to an empty line; columns are the keys. For the readers that say so.
    Packets,
}

/// How quotes are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Quotes {
    /// `"` around values, doubled inside.
    #[default]
    Doubled,
    /// As `doubled`, and a quote behind a backslash is part of the value (PHP's `fputcsv`).
    Php,
    /// A backslash takes the meaning from a quote or a delimiter behind it.
    Backslash,
    /// `"` around all values and nothing done to those inside. A row whose quotes do not work out is cut at
    /// `","` instead, so whoever chooses a caller's name can forge the rest of a row.
    Unescaped,
    /// A quote is an ordinary byte.
    None,
}

/// Whether there is a line of names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Header {
    /// Not usually: one that names the columns in order is passed over.
    #[default]
    None,
    /// Columns are found by it if there is one, else by their order.
    Optional,
    /// Columns are found by it; nothing can be read before it.
    Required,
}

/// One name or several.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum Names {
    /// None.
    #[default]
    None,
    /// One.
    One(String),
    /// Several, of which the first that is not empty counts.
    Several(Vec<String>),
}

impl Names {
    pub(super) fn as_slice(&self) -> &[String] {
        match self {
            Self::None => &[],
            Self::One(name) => std::slice::from_ref(name),
            Self::Several(names) => names,
        }
    }
}

/// Which columns say what. Of several columns the first that is not empty counts.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawFields {
    /// When the call began. Without it: `ended_at` less the duration.
    pub(super) started_at: Option<RawTime>,
    /// When it was answered; empty or never if it was not.
    pub(super) answered_at: Option<RawTime>,
    /// When it ended. Without it: `started_at` and the duration.
    pub(super) ended_at: Option<RawTime>,
    /// From start to end, ringing included.
    pub(super) duration: Option<RawDuration>,
    /// From answer to end. Without it: from `answered_at`, or else the duration.
    pub(super) billable: Option<RawDuration>,
    /// How it ended.
    pub(super) outcome: Option<RawOutcome>,
    /// What tells that it was answered.
    pub(super) answered_by: Option<AnsweredBy>,
    /// Which way it went.
    pub(super) direction: Option<RawDirection>,
    /// A-number.
    pub(super) calling: Names,
    /// B-number as dialled.
    pub(super) dialled: Names,
    /// B-number as sent to the trunk.
    pub(super) sent: Names,
    /// The phone that rang before the call was diverted.
    pub(super) rang: Names,
    /// The extension that placed the call, where no channel says so; the A-number if not given.
    pub(super) extension: Names,
    /// The phone that sent the call on and so placed it; nobody did where that is the number called.
    pub(super) diverter: Names,
    /// The trunk it went out or came in over, where no channel says so.
    pub(super) trunk: Names,
    /// Account that is billed.
    pub(super) account: Names,
    /// Network address it was placed from.
    pub(super) source_address: Names,
    /// Customer or site.
    pub(super) tenant: Names,
    /// Id that the legs of a call share.
    pub(super) call_id: Names,
    /// Id of the leg, where no channel says so: rows with the same one are the same leg.
    pub(super) leg_id: Names,
    /// Id that holds the second the channel was created in: `1772906414.0`, or a UUID made from the time.
    pub(super) created_in: Option<String>,
    /// Channel that placed the leg.
    pub(super) channel: Option<String>,
    /// Channel it went to.
    pub(super) target_channel: Option<String>,
    /// Dialplan context.
    pub(super) context: Option<String>,
    /// Application that placed the leg.
    pub(super) application: Option<String>,
    /// Its arguments: the dial string.
    pub(super) data: Option<String>,
    /// What makes a row itself and no other; the whole row if not given.
    pub(super) identity: Option<RawIdentity>,
}

/// A column that holds times.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawTime {
    /// The column.
    pub(super) column: String,
    /// How they are written; the first that fits counts. `iso` (`2026-03-08 03:00:18`) if not given. Also
    /// `rfc3339`, `h323` (`*03:00:18.250 UTC Sun Mar 8 2026`; of zones `UTC`, `GMT` and `GMT+9` are known, all
    /// others are the source's own), `epoch_seconds` (a fraction is cut off), `epoch_milliseconds`,
    /// `epoch_microseconds`, or a pattern of `%Y %y %m %d %b %H %I %p %M %S %f`. Two patterns that differ by the order of day and month
    /// are told apart by the first records, or by the operator.
    #[serde(default)]
    pub(super) forms: Vec<String>,
    /// Further spellings of "never"; empty, zero and the usual ones are known.
    #[serde(default)]
    pub(super) never: Vec<String>,
}

/// A column that holds durations.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawDuration {
    /// The column.
    pub(super) column: String,
    /// In what it is counted.
    #[serde(default)]
    pub(super) unit: Unit,
}

/// How a duration is written. A fraction is cut off; decimal commas are read too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Unit {
    /// `31`, `31.5`
    #[default]
    Seconds,
    /// `31500`
    Milliseconds,
    /// `hh:mm:ss`, with any number of hours, or `mm:ss`
    Clock,
}

/// A column that says how calls ended.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawOutcome {
    /// The column.
    pub(super) column: String,
    /// What stands there (any case) for an answered call.
    #[serde(default)]
    pub(super) answered: Vec<String>,
    /// For one that was not.
    #[serde(default)]
    pub(super) no_answer: Vec<String>,
    /// For a busy far end. All else is a failure.
    #[serde(default)]
    pub(super) busy: Vec<String>,
    /// It is the cause of the end, which says of no call whether it was answered.
    #[serde(default)]
    pub(super) cause: bool,
}

/// What tells that a call was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AnsweredBy {
    /// A time of answer and billable seconds, whatever the outcome's column says; else that column. The usual
    /// one where `answered_at` is given.
    AnswerTime,
    /// The outcome's column. The usual one where there is no `answered_at`.
    Outcome,
    /// Billable seconds. The usual one where there is neither.
    BillableSeconds,
}

/// A column that says which way calls went.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawDirection {
    /// The column.
    pub(super) column: String,
    /// What stands there (any case) for a call that came in from outside.
    #[serde(default)]
    pub(super) inbound: Vec<String>,
    /// For one between two extensions. All else went out, or the number tells.
    #[serde(default)]
    pub(super) internal: Vec<String>,
}

/// What makes a row itself.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RawIdentity {
    /// These columns together.
    pub(super) columns: Vec<String>,
    /// If this one is not empty; else the whole row.
    pub(super) where_present: String,
}

/// What is done to numbers.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawNumbers {
    /// Words in front of numbers that are none of them (`Ext.`).
    pub(super) drop: Vec<String>,
    /// Bytes that mark a number and are no part of it: digits cut off, a pause, a secret digit.
    pub(super) strip: String,
    /// Bytes written for others (`>` for `*`).
    pub(super) replace: BTreeMap<char, char>,
}
