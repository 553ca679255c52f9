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
}

/// A name that no format has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no format is named {0:?}")]
pub struct FormatError(String);

impl Format {
    /// All formats, in the order in which they are listed to users.
    pub const ALL: [Self; 2] = [Self::AsteriskCdrCsv, Self::AsteriskCdrCustom];

    /// The name in configuration and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AsteriskCdrCsv => "asterisk_cdr_csv",
            Self::AsteriskCdrCustom => "asterisk_cdr_custom",
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
