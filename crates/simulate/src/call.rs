//! What happened, before any PBX has written it down.

use crate::Kind;

/// Microseconds in a second.
pub const SECOND: i64 = 1_000_000;
/// Microseconds in a minute.
pub const MINUTE: i64 = 60 * SECOND;
/// Microseconds in an hour.
pub const HOUR: i64 = 60 * MINUTE;

/// One call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// When the calling channel was created, microseconds since 1970 UTC.
    pub started_at: i64,
    /// Who called whom, and over what.
    pub route: Route,
    /// Time from the start to the answer or the failure, microseconds.
    pub ring: i64,
    /// How it ended.
    pub outcome: Outcome,
    /// The incident it belongs to; none for ordinary traffic.
    pub incident: Option<usize>,
}

/// Who called whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Route {
    /// From one extension to another, both as places in the office's list.
    Internal {
        /// Who calls.
        caller: usize,
        /// Who is called.
        called: usize,
    },
    /// From an extension over the trunk.
    Outgoing {
        /// Who calls.
        caller: usize,
        /// The caller id that the phone claims, where it is not its own.
        claimed: Option<String>,
        /// What the phone dialled: `dst`.
        dialled: String,
        /// What went to the carrier after the dial plan: inside `lastdata`.
        sent: String,
    },
    /// From an extension to a feature of the PBX itself, which answers and hangs up: no second channel.
    Feature {
        /// Who calls.
        caller: usize,
        /// What the phone dialled, such as `*72` and a number.
        dialled: String,
    },
    /// From the trunk to an extension.
    Incoming {
        /// The caller id as the carrier gave it; empty where it gave none.
        caller: String,
        /// Who is called.
        called: usize,
    },
    /// From the trunk to an extension that forwards every call to an outside number through a Local channel.
    Forwarded {
        /// The caller id as the carrier gave it.
        caller: String,
        /// Whose calls are forwarded: it pays.
        by: usize,
        /// The number forwarded to.
        dialled: String,
        /// What went to the carrier.
        sent: String,
    },
}

impl Route {
    /// The extension that is charged, or called from outside: a place in the office's list.
    pub fn extension(&self) -> usize {
        match self {
            Self::Internal { caller, .. } | Self::Outgoing { caller, .. } | Self::Feature { caller, .. } => {
                *caller
            }
            Self::Incoming { called, .. } => *called,
            Self::Forwarded { by, .. } => *by,
        }
    }

    /// The outside number dialled, if this call leaves the house, or the code of a feature.
    pub fn dialled(&self) -> Option<&str> {
        match self {
            Self::Outgoing { dialled, .. }
            | Self::Forwarded { dialled, .. }
            | Self::Feature { dialled, .. } => Some(dialled),
            Self::Internal { .. } | Self::Incoming { .. } => None,
        }
    }
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Somebody or something answered.
    Answered {
        /// Time from the answer to the hang-up, microseconds.
        talk: i64,
        /// Who hung up.
        released_by: Side,
    },
    /// Nobody answered until `Dial` gave up.
    NoAnswer,
    /// The caller hung up while it rang.
    Cancelled,
    /// Busy here (SIP 486).
    Busy,
    /// No such number (SIP 404): Asterisk writes NO ANSWER.
    NotFound,
    /// The trunk would not carry it (SIP 503): Asterisk writes FAILED.
    Congested,
}

/// A side of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Who called.
    Caller,
    /// Who was called.
    Called,
}

impl Call {
    /// Time of talk, microseconds; nothing for a call that was not answered.
    pub fn talk(&self) -> Option<i64> {
        match self.outcome {
            Outcome::Answered { talk, .. } => Some(talk),
            _ => None,
        }
    }

    /// When it was over, but for the milliseconds the PBX itself takes.
    pub fn ended_at(&self) -> i64 {
        self.started_at + self.ring + self.talk().unwrap_or(0)
    }
}

/// One thing that happened in the traffic, guilty or innocent, with the calls that make it up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident {
    /// What it was.
    pub kind: Kind,
    /// The extension it came from, or one of those it came from.
    pub extension: usize,
}
