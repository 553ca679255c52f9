//! What became of one attempt to deliver an alert.
use std::time::Duration;

/// What became of one attempt. Reasons are short, of one line, and hold no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The other side has taken it.
    Delivered,
    /// It may go better later: the other side is busy, broken or not there.
    Retry {
        /// Not before this, as the other side asks.
        after: Option<Duration>,
        /// What went wrong.
        reason: String,
    },
    /// The other side will never take this one.
    Refused {
        /// What it said.
        reason: String,
    },
    /// The other side wants no more of anything (HTTP 410).
    Gone {
        /// What it said.
        reason: String,
    },
}

impl Outcome {
    /// A failure that may pass.
    pub(crate) fn retry(reason: impl Into<String>) -> Self {
        Self::Retry { after: None, reason: reason.into() }
    }

    /// A failure that will not.
    pub(crate) fn refused(reason: impl Into<String>) -> Self {
        Self::Refused { reason: reason.into() }
    }

    /// Why it was not delivered.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Delivered => None,
            Self::Retry { reason, .. } | Self::Refused { reason } | Self::Gone { reason } => Some(reason),
        }
    }
}
