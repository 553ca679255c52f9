//! What a dialled string turned out to be: its class, its number, and how it was read.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::e164::E164;

/// Where the digits come from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Form {
    /// As the telephone dialled them: an outside-line prefix may stand in front.
    Dialled,
    /// As they went to the carrier. An outside-line prefix is not expected; one that is there is still read, as likely.
    Sent,
}

/// A called number, normalised.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct Called {
    /// What kind of party is called.
    pub class: CalledClass,
    /// The number, where there is one. International calls without one went to a country code that nobody holds.
    pub number: Option<E164>,
    /// How the digits were read.
    pub reading: Reading,
    /// How sure the reading is.
    pub certainty: Certainty,
}

/// What kind of party is called.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CalledClass {
    /// A number under another country code. From a North American plan every number under +1 is [`Self::National`]:
    /// which of them are Caribbean is the destination table's to say.
    International,
    /// A number under the country code of the plan.
    National,
    /// A party inside the PBX.
    Extension,
    /// A service of the network under a few digits: directory enquiries, time, weather.
    ShortCode,
    /// Police, fire brigade, ambulance, coast guard.
    Emergency,
    /// A code with `*` or `#`. [`Called::number`] is the number inside it, the target of a forward for instance.
    FeatureCode,
    /// A number that only exists inside the country, of any length: a Japanese carrier's own 0037…, 0120-like service.
    CarrierService,
    /// None of these. Over a trunk, count it as international.
    Unknown,
}

/// How sure a reading is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// One reading among several, or one that needed digits to be dropped.
    Guess,
    /// Not of this dial plan as it stands, with one plain reading.
    Likely,
    /// As the dial plan says.
    Certain,
}

/// What a peer of the PBX is, going by its name.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PeerKind {
    /// A telephone of the house.
    Extension,
    /// An outside line.
    Trunk,
    /// The name does not tell.
    Unknown,
}

/// How the digits were read: every prefix that was taken off, and what the rest was taken for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
pub struct Reading {
    /// What the rest was taken for.
    pub form: ReadingForm,
    /// Digits in front of everything else: the outside-line prefix of the plan, or others that stood in its place.
    pub outside: Prefix,
    /// Whether `outside` is one of the plan's. Others are what somebody tries who does not know the PBX.
    pub outside_of_plan: bool,
    /// The prefix that changes this one call: in Japan 184 or 186 (caller id), 122 (overrides a fixed carrier), or both.
    pub call_prefix: Prefix,
    /// The carrier-selection prefix, 0033 for instance.
    pub carrier: Prefix,
    /// The exit code before a country code: 010, 00, 011 …
    pub exit: Prefix,
    /// The number stood inside a feature code.
    pub feature_code: bool,
    /// The string went on behind the number with something that belongs to a dial plan (`&Local/…`): an injection.
    pub injected: bool,
    /// Digits beyond the fifteenth were dropped.
    pub padded: bool,
}

/// What was left once every prefix was off.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReadingForm {
    /// Nothing that can be read.
    #[default]
    Unreadable,
    /// No digits at all.
    Empty,
    /// A number behind a plus sign.
    Plus,
    /// A number behind an exit code of the plan.
    ExitCode,
    /// A number behind the exit code of another country.
    ForeignExitCode,
    /// A country code and a number, with nothing in front.
    BareInternational,
    /// The country code of the plan and a number, with nothing in front.
    BareHome,
    /// A national number.
    National,
    /// A local number, completed by the area code of the plan.
    Local,
    /// A few digits inside the PBX.
    Extension,
    /// A short code or emergency number.
    ShortCode,
    /// A carrier's own service number.
    CarrierService,
    /// A feature code with no number inside.
    FeatureCode,
    /// A name, such as a SIP user.
    Name,
    /// A label of an Asterisk dial plan that is no number: `s`, `h`, `i`, `s-NOANSWER`.
    Label,
}

impl fmt::Display for Reading {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.feature_code {
            formatter.write_str("inside a feature code, ")?;
        }
        if !self.outside.is_empty() {
            let what = if self.outside_of_plan || self.outside.digits() == 1 {
                "outside line"
            } else {
                "leading digits"
            };
            write!(formatter, "{what} {}, ", self.outside)?;
        }
        if !self.call_prefix.is_empty() {
            write!(formatter, "call prefix {}, ", self.call_prefix)?;
        }
        if !self.carrier.is_empty() {
            write!(formatter, "carrier {}, ", self.carrier)?;
        }
        match self.form {
            ReadingForm::ExitCode => write!(formatter, "exit code {}", self.exit)?,
            ReadingForm::ForeignExitCode => write!(formatter, "exit code {} of another plan", self.exit)?,
            form => formatter.write_str(form.text())?,
        }
        if self.padded {
            formatter.write_str(", digits beyond the fifteenth dropped")?;
        }
        if self.injected {
            formatter.write_str(", dial plan text behind it cut off")?;
        }
        Ok(())
    }
}

impl ReadingForm {
    fn text(self) -> &'static str {
        match self {
            Self::Unreadable => "no known form",
            Self::Empty => "empty",
            Self::Plus => "plus sign",
            Self::ExitCode | Self::ForeignExitCode => "exit code",
            Self::BareInternational => "bare international number",
            Self::BareHome => "own country code without plus sign",
            Self::National => "national number",
            Self::Local => "local number in the area of the plan",
            Self::Extension => "extension",
            Self::ShortCode => "short code",
            Self::CarrierService => "service number of a carrier",
            Self::FeatureCode => "feature code",
            Self::Name => "name",
            Self::Label => "label of the dial plan",
        }
    }
}

/// Up to nine digits, leading zeros kept, in four bytes: `0033` is the integer 10033, nothing is 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Prefix(u32);

impl Prefix {
    /// The most digits a prefix can have.
    pub const DIGITS_MAX: usize = 9;

    /// Reads ASCII digits; from the tenth on they are left off.
    pub(crate) fn from_digits(digits: &[u8]) -> Self {
        if digits.is_empty() {
            return Self::default();
        }
        let value = digits
            .iter()
            .take(Self::DIGITS_MAX)
            .fold(1, |value, digit| value * 10 + u32::from(digit & 0x0f) % 10);
        Self(value)
    }

    /// Whether there is no prefix.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many digits it has.
    pub fn digits(self) -> u32 {
        self.0.checked_ilog10().unwrap_or(0)
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.digits() {
            0 => Ok(()),
            digits => write!(formatter, "{:0width$}", self.0 - 10_u32.pow(digits), width = digits as usize),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_keeps_its_leading_zeros() {
        for digits in ["0", "00", "0033", "9", "005345", "123456789", ""] {
            let prefix = Prefix::from_digits(digits.as_bytes());
            assert_eq!(prefix.to_string(), digits);
            assert_eq!(prefix.digits() as usize, digits.len());
        }
    }

    #[test]
    fn a_reading_says_in_plain_english_what_was_taken_off() {
        let reading = Reading {
            form: ReadingForm::ForeignExitCode,
            outside: Prefix::from_digits(b"9"),
            exit: Prefix::from_digits(b"00"),
            ..Reading::default()
        };
        assert_eq!(reading.to_string(), "outside line 9, exit code 00 of another plan");
        let reading = Reading {
            form: ReadingForm::ExitCode,
            outside: Prefix::from_digits(b"0"),
            outside_of_plan: true,
            call_prefix: Prefix::from_digits(b"184"),
            carrier: Prefix::from_digits(b"0033"),
            exit: Prefix::from_digits(b"010"),
            padded: true,
            ..Reading::default()
        };
        assert_eq!(
            reading.to_string(),
            "outside line 0, call prefix 184, carrier 0033, exit code 010, digits beyond the fifteenth dropped"
        );
    }
}
