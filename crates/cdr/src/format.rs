//! The formats that are read: those whose descriptors are built in, and an operator's own.
use crate::descriptor::{self, DescriptorError, Plan, ReaderKind};
use crate::{Carries, Description};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::LazyLock;

macro_rules! embedded {
    ($($name:literal),* $(,)?) => {
        [$(include_str!(concat!("../../../schemas/formats/", $name, ".toml"))),*]
    };
}

/// In the order in which they are listed to users.
const EMBEDDED: [&str; 14] = embedded![
    "asterisk_cdr_csv",
    "asterisk_cdr_custom",
    "asterisk_cdr_json",
    "asterisk_cel_csv",
    "asterisk_ami",
    "asterisk_header_csv",
    "freepbx_export",
    "freeswitch_cdr_csv",
    "cisco_cucm_cdr",
    "cisco_gateway_csv",
    "tollwatch_jsonl",
    "cdr_stats_csv",
    "cdr_stats_epoch_csv",
    "voip_report_csv",
];

static FORMATS: LazyLock<Vec<Format>> =
    LazyLock::new(|| EMBEDDED.iter().filter_map(|text| Format::define(text).ok()).collect());

/// A format that a [`crate::Decoder`] reads: a handle to its compiled descriptor.
///
/// Serialised as its name, or, an operator's own, as its whole descriptor, so that a snapshot needs nothing else.
#[derive(Clone, Copy)]
pub struct Format(&'static Plan);

/// A name that no format has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no format is named {0:?}")]
pub struct FormatError(String);

impl Format {
    /// All formats that are built in, in the order in which they are listed to users.
    pub fn all() -> &'static [Self] {
        &FORMATS
    }

    /// The built-in format of this name.
    pub fn parse(name: &str) -> Result<Self, FormatError> {
        let named = Self::all().iter().find(|format| format.name() == name);
        named.copied().ok_or_else(|| FormatError(name.to_owned()))
    }

    /// The format that a descriptor (TOML, see `schemas/format-descriptor.v1.json`) describes, or all that is
    /// wrong with it. It is kept as long as the program runs: a program defines few.
    pub fn define(descriptor: &str) -> Result<Self, DescriptorError> {
        Ok(Self(Box::leak(Box::new(descriptor::compile(descriptor)?))))
    }

    /// The name in configuration and on the command line.
    pub fn name(self) -> &'static str {
        &self.0.name
    }

    /// The format, described for operators.
    pub fn describe(self) -> &'static Description {
        &self.0.description
    }

    /// What its records can say, if they have all columns that it knows.
    pub fn carries(self) -> Carries {
        Carries::of(self.0, &self.0.sources)
    }

    /// Whether what a record means depends on those before it, so that a log goes on from one file to the next.
    pub fn spans_files(self) -> bool {
        matches!(self.0.reader, ReaderKind::AsteriskCel | ReaderKind::AsteriskAmi)
    }

    pub(crate) fn plan(self) -> &'static Plan {
        self.0
    }

    fn is_built_in(self) -> bool {
        Self::all().iter().any(|format| std::ptr::eq(format.0, self.0))
    }
}

impl PartialEq for Format {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.0, other.0) || self.0.text == other.0.text
    }
}

impl Eq for Format {}

impl Hash for Format {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.text.hash(state);
    }
}

impl fmt::Debug for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Format {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(if self.is_built_in() { &self.0.name } else { &self.0.text })
    }
}

impl<'de> Deserialize<'de> for Format {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.contains('\n') {
            return Self::define(&text).map_err(serde::de::Error::custom);
        }
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_descriptor_is_good_and_named_like_its_file() {
        let names = EMBEDDED.map(|text| match Format::define(text) {
            Ok(format) => format.name(),
            Err(error) => panic!("{error}"),
        });
        assert_eq!(names.to_vec(), Format::all().iter().map(|format| format.name()).collect::<Vec<_>>());
    }

    #[test]
    fn the_mappings_have_the_columns_that_are_read() {
        for (name, columns) in [("asterisk_cdr_custom", 19), ("asterisk_cel_csv", 20)] {
            let description = Format::parse(name).unwrap().describe();
            let mapping = description.settings.iter().find(|setting| setting.lines.contains("=>")).unwrap();
            assert_eq!(mapping.lines.split(',').count(), columns, "{name}");
            assert!(!mapping.lines.contains(' ') || mapping.lines.matches(' ').count() == 2, "{name}");
        }
    }

    #[test]
    fn every_format_is_described_in_both_languages() {
        for format in Format::all() {
            let description = format.describe();
            for text in [&description.reads, &description.switch_on, &description.blind_to] {
                assert!(text.english.is_ascii() && !text.japanese.is_ascii(), "{format}: {}", text.english);
                assert!(!text.english.contains("  ") && !text.japanese.contains("  "), "{format}");
            }
        }
    }

    #[test]
    fn a_format_is_serialised_by_its_name_and_an_own_one_as_a_whole() {
        let built_in = Format::parse("asterisk_cel_csv").unwrap();
        assert_eq!(serde_json::to_string(&built_in).unwrap(), "\"asterisk_cel_csv\"");
        let own = Format::define(&EMBEDDED[0].replace("asterisk_cdr_csv", "own")).unwrap();
        let text = serde_json::to_string(&own).unwrap();
        let back: Format = serde_json::from_str(&text).unwrap();
        assert_eq!((back, back.name()), (own, "own"));
        assert!(serde_json::from_str::<Format>("\"none\"").is_err());
    }
}
