//! How the risk known of prefixes becomes the tier of each row.

use std::collections::BTreeMap;

use super::{DatasetError, Destination, DestinationClass};

/// What the evidence of a tier is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Scope {
    /// All numbers of the prefix.
    Whole,
    /// Premium and shared-cost numbers only.
    SpecialRanges,
}

/// What is known of one prefix; no tier is the operator's word that there is no risk.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Risk {
    pub(super) tier: Option<u8>,
    pub(super) scope: Scope,
    pub(super) sources: String,
    pub(super) year: String,
}

/// The entry of the longest prefix of `digits` that `table` has, `digits` itself included.
fn longest<'a, V>(table: &'a BTreeMap<String, V>, digits: &str) -> Option<&'a V> {
    (1..=digits.len()).rev().find_map(|length| table.get(digits.get(..length)?))
}

/// Appends a row for each prefix of `risk` that has none. It is a part of the row above it; without one nobody knows
/// whose prefix it is.
pub(super) fn add_missing_rows(
    rows: &mut Vec<Destination>,
    risk: &BTreeMap<String, Risk>,
    errors: &mut Vec<DatasetError>,
) {
    let table: BTreeMap<String, Destination> =
        rows.iter().map(|row| (row.prefix.clone(), row.clone())).collect();
    for prefix in risk.keys().filter(|prefix| !table.contains_key(*prefix)) {
        match longest(&table, prefix) {
            Some(above) => rows.push(Destination { prefix: prefix.clone(), ..above.clone() }),
            None => errors.push(DatasetError::NoDestination { prefix: prefix.clone() }),
        }
    }
}

/// Sets the risk of every row from the longest prefix of its own that has one.
pub(super) fn apply(rows: &mut [Destination], risk: &BTreeMap<String, Risk>) {
    for row in rows {
        let found = longest(risk, &row.prefix);
        let (whole, special) = match found {
            Some(Risk { tier, scope: Scope::Whole, .. }) => (*tier, None),
            Some(Risk { tier, scope: Scope::SpecialRanges, .. }) => (None, *tier),
            None => (None, None),
        };
        let is_special = matches!(row.class, DestinationClass::Premium | DestinationClass::Shared);
        row.tier = if is_special { whole.or(special) } else { whole };
        row.tier_special = special;
        row.risk_sources = found.map(|risk| risk.sources.clone()).unwrap_or_default();
        row.risk_year = found.map(|risk| risk.year.clone()).unwrap_or_default();
    }
}
