//! Destinations: what the longest matching prefix says of a number, with the risk known of it.

mod dataset;
mod risk;

use std::collections::BTreeMap;

pub use dataset::DatasetError;
use risk::{Risk, Scope};

use crate::E164;
use crate::prefix_trie::PrefixTrie;

const DESTINATIONS: &str = include_str!("../../../datasets/destinations/destinations.csv");
const RISK: &str = include_str!("../../../datasets/risk/risk.csv");

/// The day the risk data is of, `YYYY-MM-DD`, as `datasets/risk/SOURCE.md` says it.
const RISK_OF: &str = "2026-11-25";

/// A row of one [`Destinations`] table. Overlay rows come after the rows of the data set, so the id of a bundled
/// row is the same with and without an overlay.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct DestinationId(pub u16);

/// What a prefix belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum DestinationKind {
    /// A country or territory with a country code, its own or shared.
    Geographic,
    /// Country code 1: an area code of the North American plan, or one of its services.
    Nanp,
    /// A satellite network.
    Satellite,
    /// A code of no country: international networks, freephone, shared cost.
    Global,
    /// International premium rate (+979) and the premium area code of the North American plan.
    Premium,
}

/// Who pays for a number, as far as the official numbering plan says.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum DestinationClass {
    /// Ordinary numbers, and all that is not known to be something else.
    Other,
    /// Premium rate: the one called is paid for the call.
    Premium,
    /// Shared cost.
    Shared,
    /// Free for the caller.
    TollFree,
}

/// A row of the table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Destination {
    /// Digits from the country code on.
    pub prefix: String,
    /// ISO 3166-1 alpha-2 code; empty where no country owns the prefix. Ascension (AC), Tristan da Cunha (TA) and
    /// Kosovo (XK) have the codes that Unicode CLDR gives them.
    pub iso2: String,
    /// Name in English.
    pub name_en: String,
    /// Name in Japanese.
    pub name_ja: String,
    /// What the prefix belongs to.
    pub kind: DestinationKind,
    /// Who pays.
    pub class: DestinationClass,
    /// Risk tier of calls to this prefix: 1 (highest) to 3; none if nothing is known against it.
    pub tier: Option<u8>,
    /// Risk tier of the premium and shared-cost ranges of this country, where ordinary calls to it are common and
    /// have no tier. Fraud also uses unallocated ranges there, which a prefix table cannot tell.
    pub tier_special: Option<u8>,
    /// Ids of the sources behind either tier, `;` between them (`datasets/risk/SOURCE.md`); `operator` for an
    /// overlay row.
    pub risk_sources: String,
    /// Year or years of the sources: `2014` or `2006-2020`.
    pub risk_year: String,
    country: u16,
}

impl Destination {
    /// An id shared by all rows of one country; networks of no country have one by name. For telling countries
    /// apart within one table; the same with and without an overlay.
    pub fn country(&self) -> u16 {
        self.country
    }

    /// Whether the one called is paid for the call.
    pub fn is_premium(&self) -> bool {
        self.class == DestinationClass::Premium
    }

    /// Whether a satellite carries the call.
    pub fn is_satellite(&self) -> bool {
        self.kind == DestinationKind::Satellite
    }
}

/// The table of all destinations of the world.
#[derive(Clone, Debug)]
pub struct Destinations {
    rows: Vec<Destination>,
    risk: BTreeMap<String, Risk>,
    trie: PrefixTrie,
    unknown: Destination,
}

impl Destinations {
    /// The table that comes with tollwatch (`datasets/destinations`, `datasets/risk`).
    pub fn bundled() -> Result<Self, Vec<DatasetError>> {
        Self::new(DESTINATIONS, RISK)
    }

    /// The day the risk tiers that come with tollwatch are of, `YYYY-MM-DD`.
    pub fn risk_of() -> &'static str {
        RISK_OF
    }

    /// Reads a table from two CSV texts with a header line each:
    /// `prefix,iso2,name_en,name_ja,kind,class` and `prefix,tier,scope,sources,year`, scope being `whole` or
    /// `special-ranges` (the tier counts for premium and shared-cost numbers only).
    ///
    /// All faults are reported at once, each with its line.
    pub fn new(destinations_csv: &str, risk_csv: &str) -> Result<Self, Vec<DatasetError>> {
        let mut errors = Vec::new();
        let rows = dataset::destinations(destinations_csv, &mut errors);
        let risk = dataset::risk(risk_csv, &mut errors);
        if !errors.is_empty() {
            return Err(errors);
        }
        Self::build(rows, risk)
    }

    /// The same table with tiers of the operator's own: prefix and tier 1 to 3, or none to say that the prefix is
    /// no risk. An overlay tier counts for all numbers of its prefix, except where a longer prefix (of the overlay or
    /// of the data set) says something else.
    pub fn with_overlay(&self, tiers: &[(&str, Option<u8>)]) -> Result<Self, Vec<DatasetError>> {
        let mut errors = Vec::new();
        let mut risk = self.risk.clone();
        for &(prefix, tier) in tiers {
            if let Some(error) = dataset::overlay_fault(prefix, tier) {
                errors.push(error);
                continue;
            }
            let sources = "operator".to_owned();
            risk.insert(prefix.to_owned(), Risk { tier, scope: Scope::Whole, sources, year: String::new() });
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        Self::build(self.rows.clone(), risk)
    }

    fn build(mut rows: Vec<Destination>, risk: BTreeMap<String, Risk>) -> Result<Self, Vec<DatasetError>> {
        let mut errors = Vec::new();
        risk::add_missing_rows(&mut rows, &risk, &mut errors);
        if rows.len() >= usize::from(u16::MAX) {
            errors.push(DatasetError::TooManyRows);
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        number_countries(&mut rows);
        risk::apply(&mut rows, &risk);
        let trie = PrefixTrie::new(rows.iter().map(|row| row.prefix.as_str()).zip(0..));
        Ok(Self { rows, risk, trie, unknown: unknown() })
    }

    /// The row with the longest prefix of a number.
    pub fn lookup(&self, number: E164) -> Option<DestinationId> {
        self.trie.longest(number).map(|row| DestinationId(row as u16))
    }

    /// The country that a prefix from a rate deck is in, as [`Destination::country`] has it.
    pub(crate) fn country_of_prefix(&self, prefix: &str) -> Option<u16> {
        // The table has at least three digits of every number; "44" is where "440" is.
        let padded = format!("{prefix:0<3}");
        let row = self.trie.longest_of(padded.parse().ok()?, padded.len() as u32)?;
        self.rows.get(row as usize).map(Destination::country)
    }

    /// A row. An id of another table may not be in this one; it then stands for an unknown destination, without
    /// prefix, country or tier.
    pub fn get(&self, id: DestinationId) -> &Destination {
        self.rows.get(usize::from(id.0)).unwrap_or(&self.unknown)
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// All rows in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = (DestinationId, &Destination)> {
        self.rows.iter().zip(0..).map(|(row, id)| (DestinationId(id), row))
    }
}

fn unknown() -> Destination {
    Destination {
        prefix: String::new(),
        iso2: String::new(),
        name_en: "unknown".to_owned(),
        name_ja: "不明".to_owned(),
        kind: DestinationKind::Global,
        class: DestinationClass::Other,
        tier: None,
        tier_special: None,
        risk_sources: String::new(),
        risk_year: String::new(),
        country: u16::MAX,
    }
}

/// Numbers the countries in the order in which rows first name them.
fn number_countries(rows: &mut [Destination]) {
    let mut known: BTreeMap<String, u16> = BTreeMap::new();
    for row in rows {
        let name = if row.iso2.is_empty() { &row.name_en } else { &row.iso2 };
        let next = known.len() as u16;
        row.country = *known.entry(name.clone()).or_insert(next);
    }
}
