//! What a decoder hands out.
use crate::EventTime;
use serde::{Deserialize, Serialize};

/// How a call attempt ended. As wide as a word: what is written narrow and read back wide with its neighbours has to wait
/// for everything written before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u64)]
pub enum Outcome {
    /// The far end answered (an answering machine or an announcement answers too).
    Answered,
    /// It rang, or the caller gave up.
    NoAnswer,
    /// The far end was busy.
    Busy,
    /// The network or the PBX could not place it.
    Failed,
}

/// One end of a leg: who or what a channel of the PBX belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Party<'a> {
    /// The record names no channel here.
    None,
    /// A phone or a trunk, by the name the PBX has for it (`105`, `trunk`). Which of the two it is, only
    /// the site's dial plan can say.
    Peer(&'a [u8]),
    /// The PBX called itself to divert a call; the two halves share their [`Leg::id`].
    Internal,
}

/// A channel of the PBX, and who it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leg<'a> {
    /// The PBX's name for the channel, the same in CDRs and live events (`PJSIP/105-0000001a`). For an
    /// internal leg without the mark of its half, so that both halves carry the same id. Empty if unknown.
    pub id: &'a [u8],
    /// Whose channel it is.
    pub party: Party<'a>,
}

/// A completed call, or one leg of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cdr<'a> {
    /// When the leg began, UTC.
    pub started_at: EventTime,
    /// When the far end answered.
    pub answered_at: Option<EventTime>,
    /// When the leg ended. Never before `started_at`.
    pub ended_at: EventTime,
    /// Seconds the PBX would charge for: from answer to end.
    pub billable_seconds: u32,
    /// How it ended. `Answered` wherever there is an answer time and billable seconds, whatever else the
    /// PBX wrote.
    pub outcome: Outcome,
    /// A-number as the PBX shows it. Written by whoever called: hostile and private.
    pub calling: &'a [u8],
    /// B-number as it was dialled, with whatever stood before it.
    pub dialled: &'a [u8],
    /// B-number as it was sent to the trunk, where the record shows it; empty otherwise.
    pub sent: &'a [u8],
    /// The phone that was rung before the call was diverted, where the record shows it; empty otherwise.
    pub rang: &'a [u8],
    /// Who placed the leg.
    pub origin: Leg<'a>,
    /// Where the leg went.
    pub target: Leg<'a>,
    /// The call came in from outside, as far as the PBX's own routing says so.
    pub from_outside: bool,
    /// Id of the call; legs may share it. Empty if the format has none.
    pub call_id: &'a [u8],
    /// Account that is billed, where the record names one; empty otherwise.
    pub account: &'a [u8],
    /// Network address the call was placed from, where the record shows it; empty otherwise.
    pub source_address: &'a [u8],
    /// Customer or site, where the record itself names one; empty for that of its source.
    pub tenant: &'a [u8],
    /// What makes this record itself and no other: the same for the same record read twice.
    pub identity: Identity,
    /// A session timer ended the leg: nobody knows when the parties hung up, so its end and its seconds say nothing.
    pub length_unknown: bool,
}

/// What makes a record itself, as a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Identity {
    /// Of what the record says, when the call began among it.
    OfRecord(u64),
    /// Of a name that its writer gave it, whatever else the record says.
    Given(u64),
}

impl Identity {
    /// The hash.
    pub fn value(self) -> u64 {
        match self {
            Self::OfRecord(hash) | Self::Given(hash) => hash,
        }
    }
}

/// What happened to a live call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallEventKind<'a> {
    /// A leg was begun: `origin` rings `target`.
    Started {
        /// Who placed the leg.
        origin: Leg<'a>,
        /// B-number as it was dialled; may be empty.
        dialled: &'a [u8],
        /// B-number as it was sent to the trunk; empty if not shown.
        sent: &'a [u8],
        /// The phone that was rung before the call was diverted; empty if not shown.
        rang: &'a [u8],
        /// The call came in from outside.
        from_outside: bool,
        /// Account that is billed; empty if not shown.
        account: &'a [u8],
        /// Network address the call was placed from; empty if not shown.
        source_address: &'a [u8],
    },
    /// The far end answered.
    Answered,
    /// `by` sent the party at the other end of the leg on to another number; what that party's channel
    /// dials from here on is charged to `by`.
    Diverted {
        /// The phone that transferred the call.
        by: &'a [u8],
    },
    /// The PBX itself took the call, since a code was dialled (`*72` and a number); the event's target is the channel
    /// that dialled it.
    CodeDialled {
        /// The code as dialled.
        dialled: &'a [u8],
        /// The call came in from outside.
        from_outside: bool,
        /// Account that is billed; empty if not shown.
        account: &'a [u8],
        /// Network address the call was placed from; empty if not shown.
        source_address: &'a [u8],
    },
    /// The leg is over.
    Ended {
        /// How it ended, if it was never answered.
        outcome: Outcome,
    },
}

/// A live call event, before any CDR of the same call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallEvent<'a> {
    /// When it happened at the PBX.
    pub at: EventTime,
    /// The leg it happened to: the called channel (for `Diverted`, the channel that was sent on).
    pub target: Leg<'a>,
    /// Id of the call; legs may share it.
    pub call_id: &'a [u8],
    /// Customer or site, where the event itself names one; empty for that of its source.
    pub tenant: &'a [u8],
    /// What happened.
    pub kind: CallEventKind<'a>,
}

/// One thing read from a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Record<'a> {
    /// A completed leg.
    Cdr(Cdr<'a>),
    /// A live event.
    CallEvent(CallEvent<'a>),
}

impl Record<'_> {
    /// When the record came to be known, by event time: a CDR is written when its leg ends.
    pub fn known_at(&self) -> EventTime {
        match self {
            Self::Cdr(cdr) => cdr.ended_at,
            Self::CallEvent(event) => event.at,
        }
    }
}

/// Where a record stands in its source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Line of the record's first byte, from 1.
    pub line: u64,
    /// Offset of the record's first byte, from 0.
    pub byte: u64,
}

/// Why a record could not be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RejectReason {
    /// Wrong number of fields.
    #[error("{found} fields where {expected} belong")]
    Width {
        /// Fields found.
        found: usize,
        /// What the format has.
        expected: &'static str,
    },
    /// A field that must be a time is none.
    #[error("not a time")]
    Time,
    /// The PBX did not know the time, and nothing else in the record tells it.
    #[error("no usable time: the clock of the PBX was not set")]
    ClockNotSet,
    /// A field that must be a number is none.
    #[error("not a whole number")]
    Number,
    /// A quoted field never ends.
    #[error("a quoted field is not closed")]
    OpenQuote,
    /// The file ends inside the record.
    #[error("cut off by the end of the input")]
    CutOff,
    /// The call ends before it begins, or lasts longer than any call.
    #[error("start, end and duration contradict one another")]
    Contradiction,
    /// Not JSON, or JSON of another shape.
    #[error("not a record of this format")]
    Shape,
    /// A spreadsheet made an exponent of a number.
    #[error("an exponent stands where a telephone number belongs")]
    Exponent,
    /// A date that means one day with the day first and another with the month first.
    #[error("day and month of the date cannot be told apart")]
    DateOrder,
    /// The first lines do not name the columns.
    #[error("no header has named the column {missing}")]
    Header {
        /// A column that is needed and was not found.
        missing: &'static str,
    },
    /// An event without a value that all of its kind have.
    #[error("the event has no {key}")]
    Missing {
        /// What is missing.
        key: &'static str,
    },
    /// Text in UTF-16.
    #[error("the file is in UTF-16")]
    Utf16,
}

/// What to do, in the languages of the product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hint {
    /// English.
    pub english: &'static str,
    /// Japanese.
    pub japanese: &'static str,
}

impl RejectReason {
    /// The kind of reason, in a word: one of a fixed set.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Width { .. } => "width",
            Self::Time => "time",
            Self::ClockNotSet => "clock_not_set",
            Self::Number => "number",
            Self::OpenQuote => "open_quote",
            Self::CutOff => "cut_off",
            Self::Contradiction => "contradiction",
            Self::Shape => "shape",
            Self::Exponent => "exponent",
            Self::DateOrder => "date_order",
            Self::Header { .. } => "header",
            Self::Missing { .. } => "missing",
            Self::Utf16 => "utf16",
        }
    }

    /// What may be done about it.
    pub const fn hint(&self) -> Hint {
        let (english, japanese) = match self {
            Self::Width { .. } => (
                "compare the columns with `tollwatch formats`; the PBX's options decide how many there are",
                "`tollwatch formats` で列の構成を確認してください。列数は PBX の設定で変わります",
            ),
            Self::Time => (
                "the time must be as the PBX writes it; see that no spreadsheet has changed it and that it is this format",
                "PBX が書き出したままの時刻が必要です。表計算ソフトで変換されていないか、形式が合っているか確認してください",
            ),
            Self::ClockNotSet => (
                "give the PBX a time server (NTP), and let it write unique ids",
                "PBX に時刻サーバー (NTP) を設定し、一意の ID を記録させてください",
            ),
            Self::Number => (
                "digits belong there; columns may have been moved",
                "数字が必要な項目です。列がずれていないか確認してください",
            ),
            Self::OpenQuote | Self::CutOff => (
                "the record was cut when it was written or copied; look for a full disk or a rotation by copying",
                "書き込み中またはコピー中に記録が切れています。ディスクの空き容量やログローテーションの方法を確認してください",
            ),
            Self::Contradiction => {
                ("look at the PBX's clock on that day", "その日の PBX の時計を確認してください")
            }
            Self::Exponent => (
                "the digits are gone: export the file again and do not save it with a spreadsheet",
                "桁が失われています。表計算ソフトで保存し直さず、元のファイルを書き出し直してください",
            ),
            Self::DateOrder => (
                "say --date-order day-first or month-first, or name one pattern in a descriptor of your own",
                "--date-order day-first または month-first を指定するか、独自の形式定義で書式を 1 つに決めてください",
            ),
            Self::Header { .. } => (
                "export the file with its line of column names, or give a descriptor of your own with `columns`",
                "列名の行を付けて書き出すか、columns を書いた独自の形式定義を指定してください",
            ),
            Self::Missing { .. } => (
                "events of Asterisk 12 or later are read; see that the capture is not damaged",
                "Asterisk 12 以降のイベントを読みます。記録が壊れていないか確認してください",
            ),
            Self::Utf16 => (
                "convert it first: iconv -f UTF-16 -t UTF-8",
                "先に変換してください: iconv -f UTF-16 -t UTF-8",
            ),
            Self::Shape => (
                "this is no record; see that the file is not damaged or of another format",
                "通話記録ではありません。ファイルの破損や形式の違いがないか確認してください",
            ),
        };
        Hint { english, japanese }
    }
}

/// A record that could not be read, with its place. It is counted and kept; reading goes on behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected<'a> {
    /// Where the record begins.
    pub place: Place,
    /// The field, counted from 1, and its name in the PBX's manual; none if the record as a whole is bad.
    pub field: Option<(usize, &'static str)>,
    /// Why.
    pub reason: RejectReason,
    /// The record's bytes as they stood, line end included.
    pub bytes: &'a [u8],
}

/// Takes what a decoder reads, in the order of the bytes.
pub trait Sink {
    /// A record.
    fn record(&mut self, place: Place, record: &Record<'_>);
    /// A line that holds no call and is none of the format's faults (a header, a blank line, an event that
    /// says nothing about charges).
    fn passed_over(&mut self, place: Place);
    /// A record that could not be read.
    fn rejected(&mut self, rejected: &Rejected<'_>);
}
