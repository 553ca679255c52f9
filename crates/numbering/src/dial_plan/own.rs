//! The grammar of the plan itself:
//! `[outside line] [184, 186, 122] [carrier] exit code, country code, number` and
//! `[outside line] [184, 186, 122] [carrier] national prefix, national number`, with the short codes beside them.

use super::foreign::FOREIGN_EXITS;
use super::{DialPlan, Grammar, countries};
use crate::called::{Called, CalledClass, Certainty, Form, Prefix, Reading, ReadingForm};
use crate::e164::{DIGITS_MAX, DIGITS_MIN, E164};

impl DialPlan {
    /// `None` where the digits are no dial string of this plan.
    pub(super) fn read_own(&self, digits: &[u8], form: Form) -> Option<Called> {
        if digits.len() <= SHORT_DIGITS_MAX {
            if let Some(called) = self.read_short(digits) {
                return Some(called);
            }
            if digits.len() < DIGITS_MIN && digits.len() <= self.extension_digits_max {
                return Some(extension(digits));
            }
        }
        // With outside line 0 and exit code 00, 0 030 … is Berlin and no call to Greece: whoever wants to go out dials
        // the outside line first. In Japan the other order is right, for 001 is a carrier and 0 010 cannot be one.
        let called = if self.grammar == Grammar::Itu && form == Form::Dialled {
            self.read_behind_outside(digits, Self::read_international)
                .or_else(|| self.read_behind_outside(digits, Self::read_national))
                .or_else(|| self.read_international(digits))
                .or_else(|| self.read_national(digits))
        } else {
            let mut called = self
                .read_international(digits)
                .or_else(|| self.read_behind_outside(digits, Self::read_international))
                .or_else(|| self.read_national(digits));
            if form == Form::Sent {
                called = called.or_else(|| self.read_service(digits));
            }
            called.or_else(|| self.read_behind_outside(digits, Self::read_national))
        };
        let called = called
            .or_else(|| self.read_service(digits))
            .or_else(|| self.read_behind_outside(digits, Self::read_service))
            .or_else(|| (digits.len() <= self.extension_digits_max).then(|| extension(digits)))
            .or_else(|| self.read_local(digits))?;
        let unexpected = form == Form::Sent && !called.reading.outside.is_empty();
        Some(if unexpected { called.at_most(Certainty::Likely) } else { called })
    }

    fn read_behind_outside(
        &self,
        digits: &[u8],
        read: impl Fn(&Self, &[u8]) -> Option<Called>,
    ) -> Option<Called> {
        self.outside
            .splits(digits)
            .find_map(|(head, rest)| read(self, rest).map(|called| called.behind(head, true)))
    }

    #[inline]
    fn read_international(&self, digits: &[u8]) -> Option<Called> {
        let may_be =
            self.has_call_prefix(digits) || self.exits.may_fit(digits) || self.carriers.may_fit(digits);
        if may_be { self.read_abroad(digits) } else { None }
    }

    fn read_abroad(&self, digits: &[u8]) -> Option<Called> {
        let (call_prefix, rest) = self.split_call_prefix(digits);
        let read = |digits: &[u8]| {
            self.exits.splits(digits).find_map(|(exit, rest)| {
                let mut called = self.read_country(rest, DIGITS_MIN, ReadingForm::ExitCode)?;
                called.reading.exit = Prefix::from_digits(exit);
                Some(called)
            })
        };
        let mut called = read(rest).or_else(|| self.read_behind_carrier(rest, read))?;
        called.reading.call_prefix = Prefix::from_digits(call_prefix);
        Some(called)
    }

    /// A national number with its national prefix.
    pub(super) fn read_national(&self, digits: &[u8]) -> Option<Called> {
        let (call_prefix, rest) = self.split_call_prefix(digits);
        let read = |digits: &[u8]| {
            let number = self.national_number(digits)?;
            Some(Self::national(number, ReadingForm::National, Certainty::Certain))
        };
        let mut called = read(rest).or_else(|| self.read_behind_carrier(rest, read))?;
        called.reading.call_prefix = Prefix::from_digits(call_prefix);
        Some(called)
    }

    fn read_behind_carrier(&self, digits: &[u8], read: impl Fn(&[u8]) -> Option<Called>) -> Option<Called> {
        self.carriers.splits(digits).find_map(|(carrier, rest)| {
            let mut called = read(rest)?;
            called.reading.carrier = Prefix::from_digits(carrier);
            Some(called)
        })
    }

    /// Whether 184, 186 or 122 may stand at the beginning.
    #[inline]
    fn has_call_prefix(&self, digits: &[u8]) -> bool {
        self.grammar == Grammar::Japan && digits.starts_with(b"1")
    }

    /// Takes 184 or 186, and 122 before a 0, off a Japanese dial string.
    fn split_call_prefix<'a>(&self, digits: &'a [u8]) -> (&'a [u8], &'a [u8]) {
        if !self.has_call_prefix(digits) {
            return (&[], digits);
        }
        let rest = digits.strip_prefix(b"184").or_else(|| digits.strip_prefix(b"186")).unwrap_or(digits);
        let rest = rest.strip_prefix(b"122").filter(|rest| rest.starts_with(b"0")).unwrap_or(rest);
        digits.split_at(digits.len() - rest.len())
    }

    /// What stands behind an exit code or a plus sign: a country code and a number of `fewest` digits or more.
    /// What is longer than a number can be is cut: networks ignore the digits that attackers add.
    pub(super) fn read_country(&self, digits: &[u8], fewest: usize, form: ReadingForm) -> Option<Called> {
        if digits.len() < fewest {
            return None;
        }
        if let Some((_, rest)) = self.country_code_digits.split(digits) {
            if let Some(number) = self.significant_number(rest).or_else(|| self.national_number(rest)) {
                return Some(Self::national(number, form, Certainty::Certain));
            }
            // A machine that puts +81 before whatever was dialled: the exit code behind it still tells.
            let abroad = FOREIGN_EXITS.iter().find_map(|exit| {
                let rest = rest.strip_prefix(*exit).filter(|rest| rest.len() >= FOREIGN_DIGITS_MIN)?;
                let number = E164::from_digits(rest.get(..rest.len().min(DIGITS_MAX))?)?;
                Some((exit, number, rest.len() > DIGITS_MAX))
            });
            if let Some((exit, number, padded)) = abroad {
                let reading = Reading { form, exit: Prefix::from_digits(exit), padded, ..Reading::default() };
                return Some(Called {
                    class: CalledClass::International,
                    number: Some(number),
                    reading,
                    certainty: Certainty::Guess,
                });
            }
        }
        let padded = digits.len() > DIGITS_MAX;
        let number = E164::from_digits(digits.get(..digits.len().min(DIGITS_MAX))?)?;
        let home = number.country_code() == self.country_code;
        Some(Called {
            class: if home { CalledClass::National } else { CalledClass::International },
            number: Some(number),
            reading: Reading { form, padded, ..Reading::default() },
            certainty: if padded || home { Certainty::Guess } else { Certainty::Certain },
        })
    }

    pub(super) fn national(number: E164, form: ReadingForm, certainty: Certainty) -> Called {
        Called {
            class: CalledClass::National,
            number: Some(number),
            reading: Reading { form, ..Reading::default() },
            certainty,
        }
    }

    /// A national number as dialled, with the national prefix where the country has one.
    pub(super) fn national_number(&self, digits: &[u8]) -> Option<E164> {
        if (self.grammar == Grammar::NorthAmerica || self.national_prefix.is_empty())
            && let Some(number) = self.significant_number(digits)
        {
            return Some(number);
        }
        if self.national_prefix.is_empty() {
            return None;
        }
        let (_, rest) = self.national_prefix.split(digits)?;
        self.significant_number(rest)
    }

    /// A national number without the national prefix.
    pub(super) fn significant_number(&self, digits: &[u8]) -> Option<E164> {
        let fits = match self.grammar {
            Grammar::Japan => match *digits {
                // 60 to 90 are mobile, 50 is IP telephony; 800 is free, 20 is for machines. 10 would be an exit code.
                [b'5'..=b'9', b'0', b'1'..=b'9', ..] | [b'2', b'0', ..] | [b'8', b'0', b'0', ..]
                    if digits.len() == 10 =>
                {
                    true
                }
                [b'1'..=b'9', ..] => digits.len() == 9,
                _ => false,
            },
            Grammar::NorthAmerica => {
                digits.len() == 10 && matches!(*digits, [b'2'..=b'9', _, _, b'2'..=b'9', ..])
            }
            Grammar::Itu => {
                (self.national_digits_min..=self.national_digits_max).contains(&digits.len())
                    && (self.national_prefix.is_empty() || !digits.starts_with(b"0"))
                    && !looks_foreign(digits)
            }
        };
        if fits { E164::from_parts(self.country_code, digits) } else { None }
    }

    /// A number dialled inside its own area.
    fn read_local(&self, digits: &[u8]) -> Option<Called> {
        let area = self.area_code.bytes();
        if area.is_empty() || !matches!(*digits, [b'2'..=b'9', ..]) {
            return None;
        }
        let mut whole = [0; DIGITS_MAX];
        let length = area.len() + digits.len();
        for (place, &digit) in whole.get_mut(..length)?.iter_mut().zip(area.iter().chain(digits)) {
            *place = digit;
        }
        let number = self.significant_number(whole.get(..length)?)?;
        Some(Self::national(number, ReadingForm::Local, Certainty::Certain))
    }

    /// Japanese carriers' own free-call numbers, some longer than E.164 (libphonenumber 9.0.43, JP, toll-free).
    ///
    /// 0037 120 … could be one, and is Latvia where 00 is the exit code: what has the length of a foreign number is
    /// left to be read as one. 0037 6 … is too common a free call for that, and Andorra too small.
    fn read_service(&self, digits: &[u8]) -> Option<Called> {
        if self.grammar != Grammar::Japan {
            return None;
        }
        let rest = digits.strip_prefix(b"00")?;
        let fits = match *rest {
            [b'3', b'7', ..] | [b'6', b'6', ..] | [b'7', b'8', ..] => (8..=19).contains(&rest.len()),
            [b'7', b'7', b'7', ..] => (6..=9).contains(&rest.len()),
            [b'8', b'8', b'2', b'1' | b'2' | b'4' | b'5', ..] => rest.len() == 8,
            _ => false,
        };
        let foreign = E164::from_digits(rest).filter(|_| rest.len() >= FOREIGN_DIGITS_MIN);
        let abroad = foreign.is_some_and(countries::has_national_length) && !rest.starts_with(b"376");
        if !fits || abroad {
            return None;
        }
        let certainty = if foreign.is_some() { Certainty::Likely } else { Certainty::Certain };
        Some(Called::without_number(CalledClass::CarrierService, ReadingForm::CarrierService, certainty))
    }

    pub(super) fn read_short(&self, digits: &[u8]) -> Option<Called> {
        let (call_prefix, rest) = self.split_call_prefix(digits);
        let class = |digits: &[u8]| {
            if self.emergency.contains(digits) {
                Some((CalledClass::Emergency, Certainty::Certain))
            } else {
                self.is_short_code(digits).then_some((CalledClass::ShortCode, Certainty::Likely))
            }
        };
        let read = |digits: &[u8]| {
            class(digits)
                .map(|(class, certainty)| Called::without_number(class, ReadingForm::ShortCode, certainty))
        };
        if let Some(called) = read(digits) {
            return Some(called);
        }
        if !call_prefix.is_empty()
            && let Some(mut called) = read(rest)
        {
            called.reading.call_prefix = Prefix::from_digits(call_prefix);
            return Some(called);
        }
        let called =
            self.outside.splits(digits).find_map(|(head, rest)| Some(read(rest)?.behind(head, true)))?;
        Some(called.at_most(Certainty::Likely))
    }

    /// Only codes that exist: most numbers from 100 to 199 are telephones of the house.
    fn is_short_code(&self, digits: &[u8]) -> bool {
        match self.grammar {
            Grammar::Japan => matches!(
                digits,
                b"104"
                    | b"113"
                    | b"114"
                    | b"115"
                    | b"116"
                    | b"117"
                    | b"136"
                    | b"144"
                    | b"147"
                    | b"148"
                    | b"171"
                    | b"177"
                    | b"184"
                    | b"186"
                    | b"188"
                    | b"189"
            ),
            Grammar::NorthAmerica => matches!(digits, [b'2'..=b'9', b'1', b'1'] | b"988"),
            Grammar::Itu => matches!(digits, [b'1', b'1', _] | [b'1', b'1', b'6', _, _, _]),
        }
    }
}

/// The longest short code with an outside line before it.
const SHORT_DIGITS_MAX: usize = 9;

/// The fewest digits of a number behind an exit code that is not the plan's.
pub(super) const FOREIGN_DIGITS_MIN: usize = 8;

fn extension(digits: &[u8]) -> Called {
    // An extension may begin with 0, but an outside line does more often.
    let certainty = if digits.starts_with(b"0") { Certainty::Likely } else { Certainty::Certain };
    Called::without_number(CalledClass::Extension, ReadingForm::Extension, certainty)
}

/// `10…` and `11…`, behind a national prefix 0, that go on like an international number of ten digits or more: the
/// exit codes 010 and 011 rather than a national number of a country with very long ones.
fn looks_foreign(significant: &[u8]) -> bool {
    matches!(*significant, [b'1', b'0' | b'1', ..])
        && significant.get(2..).is_some_and(|rest| rest.len() >= 10 && E164::from_digits(rest).is_some())
}
