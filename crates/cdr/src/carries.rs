//! What the records of a format can say at all, so that nobody waits for a rule that they never feed.
use crate::descriptor::{ABSENT, Columns, Dialect, Plan, ReaderKind};

/// What records can say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "things that records say or not, each by itself")]
pub struct Carries {
    /// That a call has begun, while it goes on.
    pub starts: bool,
    /// The account that is billed.
    pub accounts: bool,
    /// The network address that a call was placed from.
    pub source_addresses: bool,
    /// The trunk that a call went out over.
    pub trunks: bool,
    /// The codes that the PBX itself took, such as those that forward an extension.
    pub codes: bool,
}

impl Carries {
    /// Of the columns that are there.
    pub(crate) fn of(plan: &Plan, columns: &Columns) -> Self {
        let has = |choice: &[usize]| choice.iter().any(|&column| column != ABSENT);
        match plan.reader {
            ReaderKind::Tollwatch => {
                Self { starts: true, accounts: true, source_addresses: true, trunks: true, codes: true }
            }
            ReaderKind::AsteriskCel | ReaderKind::AsteriskAmi => {
                Self { starts: true, accounts: true, source_addresses: false, trunks: true, codes: true }
            }
            ReaderKind::Columns => {
                let channels = plan.dialect == Some(Dialect::Asterisk) && has(&[columns.target_channel]);
                Self {
                    starts: false,
                    accounts: has(&columns.account),
                    source_addresses: has(&columns.source_address),
                    trunks: channels || has(&columns.trunk),
                    codes: channels,
                }
            }
        }
    }

    /// What one or the other says.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self {
            starts: self.starts || other.starts,
            accounts: self.accounts || other.accounts,
            source_addresses: self.source_addresses || other.source_addresses,
            trunks: self.trunks || other.trunks,
            codes: self.codes || other.codes,
        }
    }
}
