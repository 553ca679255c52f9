//! The formats that are read.
use serde::{Deserialize, Serialize};
use std::fmt;

/// A format that a [`crate::Decoder`] reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// Asterisk's `cdr_csv` (`Master.csv`).
    AsteriskCdrCsv,
    /// The sample mapping of Asterisk's `cdr_custom`.
    AsteriskCdrCustom,
    /// Channel events by the sample mapping of Asterisk's `cel_custom`.
    AsteriskCelCsv,
}

/// A name that no format has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no format is named {0:?}")]
pub struct FormatError(String);

impl Format {
    /// All formats, in the order in which they are listed to users.
    pub const ALL: [Self; 3] = [Self::AsteriskCdrCsv, Self::AsteriskCdrCustom, Self::AsteriskCelCsv];

    /// The name in configuration and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AsteriskCdrCsv => "asterisk_cdr_csv",
            Self::AsteriskCdrCustom => "asterisk_cdr_custom",
            Self::AsteriskCelCsv => "asterisk_cel_csv",
        }
    }

    /// The format of this name.
    pub fn parse(name: &str) -> Result<Self, FormatError> {
        Self::ALL.into_iter().find(|format| format.name() == name).ok_or_else(|| FormatError(name.to_owned()))
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
