//! Numbers that cannot be of the plan: read with the exit codes of other countries, behind digits that may be an
//! outside line, or as bare country codes. Attackers try dozens of such heads before one gets through.

use super::own::FOREIGN_DIGITS_MIN;
use super::{DialPlan, Grammar};
use crate::called::{Called, CalledClass, Certainty, Prefix, Reading, ReadingForm};
use crate::e164::{DIGITS_MAX, E164, country_code_length};

/// Exit codes of the world, longest first: Australia, the former Soviet Union, North America, Japan, everyone else.
pub(super) const FOREIGN_EXITS: &[&[u8]] = &[b"0011", b"810", b"011", b"010", b"00"];

/// The most digits in front of an exit code.
const HEAD_DIGITS_MAX: usize = 6;

/// The fewest digits of a number behind a head, where the whole could be a number as it stands: Egypt's mobiles
/// (20 10 …) would be a head 2 and an exit code 010 otherwise.
const AMBIGUOUS_DIGITS_MIN: usize = 10;

impl DialPlan {
    pub(super) fn read_foreign(&self, digits: &[u8]) -> Called {
        if let Some(called) = self.read_bare_home(digits) {
            return called;
        }
        let bare = self.read_bare(digits);
        for head_digits in 0..=HEAD_DIGITS_MAX {
            let Some((head, rest)) = digits.split_at_checked(head_digits) else {
                break;
            };
            let fewest =
                if head_digits > 0 && bare.is_some() { AMBIGUOUS_DIGITS_MIN } else { FOREIGN_DIGITS_MIN };
            // Behind long heads nearly every endless string would hold an exit code somewhere.
            let most = if head_digits <= 1 { usize::MAX } else { DIGITS_MAX };
            let called = self.read_foreign_exit(rest, fewest, most).or_else(|| {
                // Only what cannot be a number as it stands: 40 7… is Romania and no Japanese area behind a 4.
                let national =
                    if head_digits == 1 && bare.is_none() { self.read_national(rest) } else { None };
                national.map(|called| called.at_most(Certainty::Likely))
            });
            if let Some(called) = called {
                let of_plan = head_digits > 0 && self.outside.contains(head);
                return called.behind(head, of_plan);
            }
        }
        bare.or_else(|| self.read_spare_country(digits)).unwrap_or_else(|| {
            Called::without_number(CalledClass::Unknown, ReadingForm::Unreadable, Certainty::Guess)
        })
    }

    fn read_foreign_exit(&self, digits: &[u8], fewest: usize, most: usize) -> Option<Called> {
        FOREIGN_EXITS.iter().find_map(|exit| {
            let rest = digits.strip_prefix(*exit)?;
            // Numbers of +1 and +7 have eleven digits, always.
            let fewest = if has_eleven_digits(rest) { 11 } else { fewest };
            if rest.len() > most {
                return None;
            }
            let mut called = self.read_country(rest, fewest, ReadingForm::ForeignExitCode)?;
            called.reading.exit = Prefix::from_digits(exit);
            Some(called.at_most(Certainty::Likely))
        })
    }

    /// The country code of the plan and a national number.
    fn read_bare_home(&self, digits: &[u8]) -> Option<Called> {
        let (_, rest) = self.country_code_digits.split(digits)?;
        let number = self.significant_number(rest).or_else(|| self.national_number(rest))?;
        Some(Self::national(number, ReadingForm::BareHome, Certainty::Likely))
    }

    /// A country code and a number of 9 to 15 digits. Eight are more often a local number.
    fn read_bare(&self, digits: &[u8]) -> Option<Called> {
        if digits.len() <= FOREIGN_DIGITS_MIN || self.has_lost_zero(digits) {
            return None;
        }
        let number = E164::from_digits(digits)?;
        let impossible = match number.country_code() {
            1 | 7 => digits.len() != 11,
            90 => digits.len() != 12,
            _ => false,
        };
        if impossible || number.country_code() == self.country_code {
            return None;
        }
        let national = digits.get(country_code_length(digits)?..)?;
        // Italy, Côte d'Ivoire, Gabon and Congo have national numbers that begin with 0.
        if national.starts_with(b"0") && !matches!(number.country_code(), 39 | 225 | 241 | 242) {
            return None;
        }
        let certainty = if digits.len() >= 11 { Certainty::Likely } else { Certainty::Guess };
        Some(Called {
            class: CalledClass::International,
            number: Some(number),
            reading: Reading { form: ReadingForm::BareInternational, ..Reading::default() },
            certainty,
        })
    }

    /// A Japanese number whose leading 0 a spreadsheet has eaten looks like a short foreign one: it is neither.
    fn has_lost_zero(&self, digits: &[u8]) -> bool {
        self.grammar == Grammar::Japan && self.significant_number(digits).is_some()
    }

    /// An exit code of the plan and a country code that nobody holds: international all the same.
    fn read_spare_country(&self, digits: &[u8]) -> Option<Called> {
        let read = |digits: &[u8]| {
            self.exits.splits(digits).find_map(|(exit, rest)| {
                let spare = rest.len() >= FOREIGN_DIGITS_MIN
                    && !rest.starts_with(b"0")
                    && country_code_length(rest).is_none();
                spare.then(|| {
                    let mut called = Called::without_number(
                        CalledClass::International,
                        ReadingForm::ExitCode,
                        Certainty::Likely,
                    );
                    called.reading.exit = Prefix::from_digits(exit);
                    called
                })
            })
        };
        read(digits).or_else(|| {
            self.outside.splits(digits).find_map(|(head, rest)| Some(read(rest)?.behind(head, true)))
        })
    }
}

/// Whether the country code is 1 or 7.
fn has_eleven_digits(digits: &[u8]) -> bool {
    matches!(digits, [b'1' | b'7', ..])
}
