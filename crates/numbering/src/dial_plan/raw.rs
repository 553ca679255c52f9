//! The dial plan as the operator writes it, and its validation.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::countries::{self, Country};
use super::pattern::{Pattern, Patterns, PeerPattern};
use super::{DialPlan, Grammar};
use crate::called::Prefix;

/// The dial plan as the operator writes it. What is left out has the country's usual value.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RawDialPlan {
    /// ISO 3166-1 alpha-2 code of the country the PBX is in. Japan and North America have their own grammar; the
    /// others dial an exit code, or a national prefix, or neither.
    pub country: String,
    /// What is dialled for an outside line. Default: `0` in Japan, `9` elsewhere. An empty list: nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outside_prefixes: Option<Vec<String>>,
    /// What is dialled before a country code. `x` stands for any digit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub international_prefixes: Option<Vec<String>>,
    /// What is dialled before an area code: `0` in most countries, `1` in North America, nothing in some.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub national_prefix: Option<String>,
    /// What selects a carrier for one call: `0033` in Japan, `101xxxx` in North America. `x` stands for any digit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carrier_prefixes: Option<Vec<String>>,
    /// The area code of the PBX without the national prefix, for numbers dialled without it: `3` in Tokyo.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub area_code: Option<String>,
    /// The most digits of an extension, 1 to 8.
    pub extension_digits_max: u8,
    /// Emergency numbers. Default: those of the country.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub emergency: Option<Vec<String>>,
    /// Peers that are outside lines. A `*` at the end stands for any rest.
    pub trunk_peers: Vec<String>,
    /// Peers that are telephones, whatever `trunk_peers` says.
    pub extension_peers: Vec<String>,
}

impl Default for RawDialPlan {
    fn default() -> Self {
        Self {
            country: "JP".to_owned(),
            outside_prefixes: None,
            international_prefixes: None,
            national_prefix: None,
            carrier_prefixes: None,
            area_code: None,
            extension_digits_max: 5,
            emergency: None,
            trunk_peers: Vec::new(),
            extension_peers: Vec::new(),
        }
    }
}

/// A mistake in a dial plan: where it is and what to do about it.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{key}: {problem}")]
pub struct DialPlanError {
    /// The key within the dial plan's table, with the place in a list: `outside_prefixes[1]`.
    pub key: String,
    /// What is wrong.
    pub problem: DialPlanProblem,
}

impl DialPlanError {
    /// What the operator can do.
    pub fn hint(&self) -> &'static str {
        match self.problem {
            DialPlanProblem::UnknownCountry(_) => {
                "write the two capital letters of ISO 3166-1, such as \"JP\" or \"US\""
            }
            DialPlanProblem::NotDigits(_) => {
                "write the digits that are dialled, such as \"0\"; no +, spaces or hyphens"
            }
            DialPlanProblem::Empty => {
                "leave the empty entry out; an empty list means that nothing is dialled"
            }
            DialPlanProblem::TooLong(_) => {
                "a prefix has nine digits at most; whole numbers do not belong here"
            }
            DialPlanProblem::ExtensionDigits(_) => "write a number from 1 to 8",
            DialPlanProblem::AreaCodeWithPrefix(_) => {
                "leave the national prefix off: \"3\" for Tokyo, not \"03\""
            }
            DialPlanProblem::PeerName(_) => "write the peer's name; a * may stand at its end only",
            DialPlanProblem::InBoth(_) => "keep the name in one of trunk_peers and extension_peers",
        }
    }
}

/// What is wrong with an entry.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DialPlanProblem {
    /// No such ISO 3166-1 code.
    #[error("no dialling rules are known for the country {0:?}")]
    UnknownCountry(String),
    /// Something else than digits.
    #[error("{0:?} is not made of digits")]
    NotDigits(String),
    /// An entry of no digits.
    #[error("the entry is empty")]
    Empty,
    /// More digits than a prefix may have.
    #[error("{0:?} is longer than nine digits")]
    TooLong(String),
    /// `extension_digits_max` out of range.
    #[error("extensions of up to {0} digits cannot be told from telephone numbers")]
    ExtensionDigits(u8),
    /// The area code begins with the national prefix.
    #[error("the area code {0:?} begins with the national prefix")]
    AreaCodeWithPrefix(String),
    /// Not a peer name.
    #[error("{0:?} is not a peer name")]
    PeerName(String),
    /// A peer in both lists.
    #[error("{0:?} is in extension_peers too")]
    InBoth(String),
}

/// Carrier codes seen before 010 or before a national number: KDDI 001, NTT Communications 0033, SoftBank 0041, 0046,
/// 0061, 0088, Fusion 0038 and 003768, NTT East and West 0036 and 0039, KDDI 0077, 0080 and 0082 resellers, and the
/// mobile-only 005345 and 009130.
const JAPANESE_CARRIERS: &[&str] = &[
    "001", "0033", "0036", "0038", "0039", "0041", "0046", "0061", "0077", "0080", "0082", "0088", "003768",
    "005345", "009130",
];

pub(super) fn validate(raw: &RawDialPlan) -> Result<DialPlan, Vec<DialPlanError>> {
    let mut errors = Vec::new();
    let country = countries::country(&raw.country);
    if country.is_none() {
        errors.push(DialPlanError {
            key: "country".to_owned(),
            problem: DialPlanProblem::UnknownCountry(raw.country.clone()),
        });
    }
    // The rest is checked all the same, so that one run shows every mistake.
    let country = country.unwrap_or(Country {
        code: 0,
        exit_codes: "00",
        national_prefix: "0",
        digits_min: 4,
        digits_max: 12,
    });
    let grammar = match country.code {
        81 => Grammar::Japan,
        1 => Grammar::NorthAmerica,
        _ => Grammar::Itu,
    };

    let outside: &[&str] = if grammar == Grammar::Japan { &["0"] } else { &["9"] };
    let carriers: &[&str] = if grammar == Grammar::Japan { JAPANESE_CARRIERS } else { &[] };
    let exits: Vec<&str> = country.exit_codes.split(' ').collect();
    let outside = prefixes("outside_prefixes", raw.outside_prefixes.as_deref(), outside, &mut errors);
    let exits =
        prefixes("international_prefixes", raw.international_prefixes.as_deref(), &exits, &mut errors);
    let carriers = prefixes("carrier_prefixes", raw.carrier_prefixes.as_deref(), carriers, &mut errors);
    let emergency = prefixes(
        "emergency",
        raw.emergency.as_deref(),
        emergency_numbers(&raw.country, grammar),
        &mut errors,
    );

    let national_prefix = raw.national_prefix.as_deref().unwrap_or(country.national_prefix);
    let national_prefix = prefix("national_prefix".to_owned(), national_prefix, &mut errors);
    let area_code = prefix("area_code".to_owned(), raw.area_code.as_deref().unwrap_or_default(), &mut errors);
    if let Some(code) = &raw.area_code
        // In Russia the prefix is 8 and St Petersburg 812: only a 0 is sure to be a prefix.
        && national_prefix.bytes().starts_with(b"0")
        && national_prefix.split(area_code.bytes()).is_some()
    {
        errors.push(DialPlanError {
            key: "area_code".to_owned(),
            problem: DialPlanProblem::AreaCodeWithPrefix(code.clone()),
        });
    }
    if !(1..=8).contains(&raw.extension_digits_max) {
        errors.push(DialPlanError {
            key: "extension_digits_max".to_owned(),
            problem: DialPlanProblem::ExtensionDigits(raw.extension_digits_max),
        });
    }
    let trunk_peers = peers("trunk_peers", &raw.trunk_peers, &mut errors);
    let extension_peers = peers("extension_peers", &raw.extension_peers, &mut errors);
    for (index, name) in raw.trunk_peers.iter().enumerate() {
        if raw.extension_peers.contains(name) {
            errors.push(DialPlanError {
                key: format!("trunk_peers[{index}]"),
                problem: DialPlanProblem::InBoth(name.clone()),
            });
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    Ok(DialPlan {
        grammar,
        country_code: country.code,
        country_code_digits: Pattern::parse(&country.code.to_string()).unwrap_or_default(),
        outside: Patterns::new(outside),
        exits: Patterns::new(exits),
        carriers: Patterns::new(carriers),
        national_prefix,
        area_code,
        national_digits_min: country.digits_min,
        national_digits_max: country.digits_max,
        extension_digits_max: usize::from(raw.extension_digits_max),
        emergency: Patterns::new(emergency),
        trunk_peers,
        extension_peers,
    })
}

fn emergency_numbers(country: &str, grammar: Grammar) -> &'static [&'static str] {
    match (grammar, country) {
        (Grammar::Japan, _) => &["110", "118", "119"],
        (Grammar::NorthAmerica, _) => &["911"],
        (_, "GB" | "IE" | "HK" | "SG" | "MY" | "MO") => &["112", "999"],
        (_, "AU") => &["000", "112"],
        (_, "NZ") => &["111", "112"],
        (_, "CN" | "TW" | "KR") => &["110", "112", "119"],
        _ => &["112"],
    }
}

fn prefixes(
    key: &str,
    written: Option<&[String]>,
    usual: &[&str],
    errors: &mut Vec<DialPlanError>,
) -> Vec<Pattern> {
    let Some(written) = written else {
        return usual.iter().filter_map(|text| Pattern::parse(text)).collect();
    };
    let mut patterns = Vec::with_capacity(written.len());
    for (index, text) in written.iter().enumerate() {
        let key = format!("{key}[{index}]");
        if text.is_empty() {
            errors.push(DialPlanError { key, problem: DialPlanProblem::Empty });
        } else {
            patterns.push(prefix(key, text, errors));
        }
    }
    patterns
}

fn prefix(key: String, text: &str, errors: &mut Vec<DialPlanError>) -> Pattern {
    match Pattern::parse(text) {
        Some(pattern) if pattern.len() <= Prefix::DIGITS_MAX => return pattern,
        Some(_) => errors.push(DialPlanError { key, problem: DialPlanProblem::TooLong(text.to_owned()) }),
        None => errors.push(DialPlanError { key, problem: DialPlanProblem::NotDigits(text.to_owned()) }),
    }
    Pattern::default()
}

fn peers(key: &str, names: &[String], errors: &mut Vec<DialPlanError>) -> Vec<PeerPattern> {
    let mut patterns = Vec::with_capacity(names.len());
    for (index, name) in names.iter().enumerate() {
        match PeerPattern::parse(name) {
            Some(pattern) => patterns.push(pattern),
            None => errors.push(DialPlanError {
                key: format!("{key}[{index}]"),
                problem: DialPlanProblem::PeerName(name.clone()),
            }),
        }
    }
    patterns
}
