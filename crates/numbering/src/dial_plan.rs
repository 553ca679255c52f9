//! The dial plan of a tenant: what stands in front of a number, and what the number is without it.
//!
//! Strings of plain digits take a path without allocation; everything else is cleaned first (`text`). The plan's own
//! grammar is tried in this order (`own`): international before national, without an outside-line prefix before with
//! one. That order never makes a domestic call of an international one. What the grammar refuses is tried with the exit
//! codes and outside lines of other plans (`foreign`), as whoever has broken in does.

mod address;
mod countries;
mod foreign;
mod own;
mod pattern;
mod raw;
mod text;

pub use self::raw::{DialPlanError, DialPlanProblem, RawDialPlan};

use self::pattern::{Pattern, Patterns, PeerPattern};
use crate::called::{Called, CalledClass, Certainty, Form, PeerKind, Prefix, Reading, ReadingForm};

/// A validated dial plan.
#[derive(Clone, Debug)]
pub struct DialPlan {
    grammar: Grammar,
    country_code: u16,
    country_code_digits: Pattern,
    outside: Patterns,
    exits: Patterns,
    carriers: Patterns,
    national_prefix: Pattern,
    area_code: Pattern,
    national_digits_min: usize,
    national_digits_max: usize,
    extension_digits_max: usize,
    emergency: Patterns,
    trunk_peers: Vec<PeerPattern>,
    extension_peers: Vec<PeerPattern>,
}

/// What a national number looks like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Grammar {
    Japan,
    NorthAmerica,
    /// Everywhere else: national prefix and a number of so many digits.
    Itu,
}

impl DialPlan {
    /// Checks a plan as written.
    ///
    /// # Errors
    /// Every mistake there is, each with its key and a hint.
    #[expect(clippy::needless_pass_by_value, reason = "a plan as written has no use once it is checked")]
    pub fn new(raw: RawDialPlan) -> Result<Self, Vec<DialPlanError>> {
        raw::validate(&raw)
    }

    /// The country code of the plan: 81 for Japan.
    pub fn country_code(&self) -> u16 {
        self.country_code
    }

    /// Reads a called number as a PBX writes it: digits, a `tel:` or `sip:` URI, a feature code, anything else.
    ///
    /// Any bytes will do. Of very long strings the first kilobyte is read.
    pub fn normalise(&self, digits: &[u8], form: Form) -> Called {
        if digits.iter().all(u8::is_ascii_digit) {
            self.read(digits, form)
        } else {
            self.read_text(digits, form)
        }
    }

    /// What a peer is, going by its name in the channel: `105` of `PJSIP/105-0000002a`.
    ///
    /// The lists of the plan come first. Then a name of digits is an extension up to six of them (or the plan's
    /// `extension_digits_max`, where that is more), and a trunk beyond: SIP trunks are named by their own number.
    #[inline]
    pub fn is_extension_peer(&self, name: &[u8]) -> PeerKind {
        if !(self.extension_peers.is_empty() && self.trunk_peers.is_empty())
            && let Some(kind) = self.listed(name)
        {
            return kind;
        }
        if name.is_empty() || !name.iter().all(u8::is_ascii_digit) {
            PeerKind::Unknown
        } else if name.len() <= self.extension_digits_max.max(6) {
            PeerKind::Extension
        } else {
            PeerKind::Trunk
        }
    }

    /// What the lists of the plan say of a peer.
    fn listed(&self, name: &[u8]) -> Option<PeerKind> {
        let is_among = |list: &[PeerPattern]| list.iter().any(|pattern| pattern.matches(name));
        if is_among(&self.extension_peers) {
            return Some(PeerKind::Extension);
        }
        is_among(&self.trunk_peers).then_some(PeerKind::Trunk)
    }

    /// Digits only.
    fn read(&self, digits: &[u8], form: Form) -> Called {
        if digits.is_empty() {
            return Called::without_number(CalledClass::Unknown, ReadingForm::Empty, Certainty::Certain);
        }
        self.read_own(digits, form).unwrap_or_else(|| self.read_foreign(digits))
    }
}

impl Called {
    fn without_number(class: CalledClass, form: ReadingForm, certainty: Certainty) -> Self {
        Self { class, number: None, reading: Reading { form, ..Reading::default() }, certainty }
    }

    /// The same behind an outside-line prefix.
    fn behind(mut self, head: &[u8], of_plan: bool) -> Self {
        self.reading.outside = Prefix::from_digits(head);
        self.reading.outside_of_plan = of_plan;
        self
    }

    fn at_most(mut self, certainty: Certainty) -> Self {
        self.certainty = self.certainty.min(certainty);
        self
    }
}
