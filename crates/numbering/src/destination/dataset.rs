//! Reading the two CSV files of a destination table.

use std::collections::BTreeMap;

use super::risk::{Risk, Scope};
use super::{Destination, DestinationClass, DestinationKind};

/// What is wrong with a destination table or an overlay.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DatasetError {
    /// A file without one of its columns.
    #[error("{file}: {problem}")]
    File {
        /// `destinations.csv` or `risk.csv`.
        file: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// A line that cannot be used.
    #[error("{file} line {line}: {problem}")]
    Line {
        /// `destinations.csv` or `risk.csv`.
        file: &'static str,
        /// Line number from 1, header included.
        line: u64,
        /// What is wrong with it.
        problem: String,
    },
    /// An overlay entry that is no prefix or no tier.
    #[error("overlay of `{prefix}`: {problem}")]
    Overlay {
        /// The prefix as given.
        prefix: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A prefix with a tier that belongs to no destination.
    #[error("prefix {prefix} has a tier and no destination: no country code starts it")]
    NoDestination {
        /// The prefix.
        prefix: String,
    },
    /// More than 65,534 rows.
    #[error("more than 65,534 destinations")]
    TooManyRows,
}

const DESTINATIONS_FILE: &str = "destinations.csv";
const RISK_FILE: &str = "risk.csv";

/// A line that has all its columns.
struct Line<'a, const N: usize> {
    number: u64,
    fields: [&'a str; N],
}

/// Hands every line with the named columns, in that order, to `read`; columns beyond them are left alone.
fn each_line<const N: usize>(
    file: &'static str,
    text: &str,
    columns: [&str; N],
    errors: &mut Vec<DatasetError>,
    mut read: impl FnMut(Line<'_, N>) -> Result<(), String>,
) {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let faults_before = errors.len();
    let mut places = [0; N];
    let header = reader.headers().cloned().unwrap_or_default();
    for (place, name) in places.iter_mut().zip(columns) {
        match header.iter().position(|column| column == name) {
            Some(found) => *place = found,
            None => errors.push(DatasetError::File { file, problem: format!("no column `{name}`") }),
        }
    }
    if errors.len() > faults_before {
        return;
    }
    // The text is UTF-8 and lines may be of any length, so no record can fail.
    for record in reader.records().filter_map(Result::ok) {
        let number = record.position().map_or(0, csv::Position::line);
        let fields = places.map(|place| record.get(place).unwrap_or_default());
        let is_short = places.iter().any(|place| *place >= record.len());
        let outcome =
            if is_short { Err("too few columns".to_owned()) } else { read(Line { number, fields }) };
        if let Err(problem) = outcome {
            errors.push(DatasetError::Line { file, line: number, problem });
        }
    }
}

pub(super) fn destinations(text: &str, errors: &mut Vec<DatasetError>) -> Vec<Destination> {
    let mut rows = Vec::new();
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    let columns = ["prefix", "iso2", "name_en", "name_ja", "kind", "class"];
    each_line(DESTINATIONS_FILE, text, columns, errors, |line| {
        let [prefix, iso2, name_en, name_ja, kind, class] = line.fields;
        let prefix = checked_prefix(prefix)?;
        if let Some(before) = seen.insert(prefix.clone(), line.number) {
            return Err(format!("prefix {prefix} is in line {before} already"));
        }
        if !(iso2.is_empty() || iso2.len() == 2 && iso2.bytes().all(|byte| byte.is_ascii_uppercase())) {
            return Err(format!("`{iso2}` is no ISO 3166-1 alpha-2 code"));
        }
        if name_en.is_empty() || name_ja.is_empty() {
            return Err("a name is missing".to_owned());
        }
        rows.push(Destination {
            prefix,
            iso2: iso2.to_owned(),
            name_en: name_en.to_owned(),
            name_ja: name_ja.to_owned(),
            kind: kind_named(kind)?,
            class: class_named(class)?,
            ..super::unknown()
        });
        Ok(())
    });
    rows
}

pub(super) fn risk(text: &str, errors: &mut Vec<DatasetError>) -> BTreeMap<String, Risk> {
    let mut table = BTreeMap::new();
    each_line(RISK_FILE, text, ["prefix", "tier", "scope", "sources", "year"], errors, |line| {
        let [prefix, tier, scope, sources, year] = line.fields;
        let prefix = checked_prefix(prefix)?;
        let tier = tier.parse().ok().filter(|tier| (1..=3).contains(tier));
        let scope = match scope {
            "whole" => Scope::Whole,
            "special-ranges" => Scope::SpecialRanges,
            _ => return Err(format!("scope `{scope}`: expected whole or special-ranges")),
        };
        let risk = Risk {
            tier: Some(tier.ok_or("the tier is not 1, 2 or 3")?),
            scope,
            sources: sources.to_owned(),
            year: year.to_owned(),
        };
        if table.insert(prefix.clone(), risk).is_some() {
            return Err(format!("prefix {prefix} is there twice"));
        }
        Ok(())
    });
    table
}

/// Why an overlay entry cannot be used, if it cannot.
pub(super) fn overlay_fault(prefix: &str, tier: Option<u8>) -> Option<DatasetError> {
    let problem = if !is_prefix(prefix) {
        "give the digits from the country code on, such as 224"
    } else if tier.is_some_and(|tier| !(1..=3).contains(&tier)) {
        "a tier is 1, 2 or 3"
    } else {
        return None;
    };
    Some(DatasetError::Overlay { prefix: prefix.to_owned(), problem })
}

/// 1 to 15 digits that do not begin with 0, as no country code does.
fn is_prefix(text: &str) -> bool {
    (1..=15).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0')
}

fn checked_prefix(text: &str) -> Result<String, String> {
    if is_prefix(text) { Ok(text.to_owned()) } else { Err(format!("`{text}` is no prefix")) }
}

fn kind_named(name: &str) -> Result<DestinationKind, String> {
    Ok(match name {
        "geographic" => DestinationKind::Geographic,
        "nanp" => DestinationKind::Nanp,
        "satellite" => DestinationKind::Satellite,
        "global" => DestinationKind::Global,
        "premium" => DestinationKind::Premium,
        _ => return Err(format!("unknown kind `{name}`")),
    })
}

fn class_named(name: &str) -> Result<DestinationClass, String> {
    Ok(match name {
        "other" => DestinationClass::Other,
        "premium" => DestinationClass::Premium,
        "shared" => DestinationClass::Shared,
        "toll_free" => DestinationClass::TollFree,
        _ => return Err(format!("unknown class `{name}`")),
    })
}
