//! Everything that is not plain digits: URIs, plus signs, feature codes, names, and what attackers send.

use super::DialPlan;
use super::address::Address;
use crate::called::{Called, CalledClass, Certainty, Form, ReadingForm};
use crate::e164::{DIGITS_MIN, country_code_length};

/// The most digits before a plus sign.
const HEAD_DIGITS_MAX: usize = 6;

impl DialPlan {
    pub(super) fn read_text(&self, text: &[u8], form: Form) -> Called {
        if let Some(rest) = text.strip_prefix(b"+")
            && rest.iter().all(u8::is_ascii_digit)
        {
            return self.read_plus(rest, form);
        }
        let address = Address::parse(text);
        let mut called = self.read_address(&address, form);
        if address.injected {
            called.reading.injected = true;
            called = called.at_most(Certainty::Likely);
        }
        called
    }

    fn read_address(&self, address: &Address, form: Form) -> Called {
        if address.has_letters() {
            return read_name(&address.user);
        }
        let Some(dialled) = address.dialled() else {
            return unreadable();
        };
        // A # at the end says that dialling is over.
        let dialled = match dialled.strip_suffix(b"#") {
            Some(rest) if !rest.iter().any(|&byte| is_star_or_hash(byte)) => rest,
            _ => &dialled,
        };
        if dialled.iter().any(|&byte| is_star_or_hash(byte)) {
            return self.read_feature_code(dialled, form);
        }
        match &address.context {
            Some(context) if !dialled.contains(&b'+') => self.read_in_context(context, dialled, form),
            _ => self.read_dialled(dialled, form),
        }
    }

    /// Digits with at most one plus sign, at the start or behind an outside line.
    fn read_dialled(&self, dialled: &[u8], form: Form) -> Called {
        let Some(place) = dialled.iter().position(|&byte| byte == b'+') else {
            return self.read(dialled, form);
        };
        let (head, rest) = dialled.split_at(place);
        match rest.strip_prefix(b"+") {
            Some(rest) if rest.iter().all(u8::is_ascii_digit) && head.len() <= HEAD_DIGITS_MAX => {
                let called = self.read_plus(rest, form);
                if head.is_empty() || called.number.is_none() {
                    return called;
                }
                let of_plan = self.outside.contains(head);
                called.behind(head, of_plan).at_most(Certainty::Likely)
            }
            _ => unreadable(),
        }
    }

    /// What follows a plus sign.
    fn read_plus(&self, digits: &[u8], form: Form) -> Called {
        if digits.starts_with(b"0") {
            // No country code begins with 0: the plus sign was put before a dial string.
            return self.read(digits, form).at_most(Certainty::Likely);
        }
        if let Some(called) = self.read_country(digits, DIGITS_MIN, ReadingForm::Plus) {
            return called;
        }
        if let Some((_, rest)) = self.country_code_digits.split(digits)
            && let Some(called) = self.read_short(rest)
        {
            return called.at_most(Certainty::Likely);
        }
        if digits.len() > DIGITS_MIN && country_code_length(digits).is_none() {
            return Called::without_number(CalledClass::International, ReadingForm::Plus, Certainty::Likely);
        }
        unreadable()
    }

    /// A local number of RFC 3966 §5.1.5, whose context is a country code or the start of a number.
    fn read_in_context(&self, context: &[u8], dialled: &[u8], form: Form) -> Called {
        let home = self.country_code_digits.bytes() == context;
        let dial_string = if home {
            dialled.starts_with(b"0")
        } else {
            dialled.starts_with(b"00") || dialled.starts_with(b"011")
        };
        if dial_string {
            return self.read(dialled, form);
        }
        // Italian numbers keep their 0.
        let rest = if context == b"39" { dialled } else { dialled.strip_prefix(b"0").unwrap_or(dialled) };
        let called = self.read_plus(&[context, rest].concat(), form);
        if called.class == CalledClass::Unknown { self.read(dialled, form) } else { called }
    }

    /// A code with `*` or `#`, and the number inside it: `*21*010224…#`, `*72010224…`, `#31#0312345678`.
    fn read_feature_code(&self, dialled: &[u8], form: Form) -> Called {
        let mut is_first = true;
        for run in dialled.split(|&byte| is_star_or_hash(byte)).filter(|run| !run.is_empty()) {
            // Right behind the first * stands the code itself, of two digits as a rule, sometimes three.
            let starts: &[usize] = if is_first && dialled.first().is_some_and(|&byte| is_star_or_hash(byte)) {
                &[2, 3, 0]
            } else {
                &[0]
            };
            is_first = false;
            for certainty in [Certainty::Certain, Certainty::Likely] {
                for &start in starts {
                    let called = self.read_dialled(run.get(start..).unwrap_or_default(), form);
                    if called.number.is_some() && called.certainty >= certainty {
                        let mut called = Called { class: CalledClass::FeatureCode, ..called };
                        called.reading.feature_code = true;
                        return called;
                    }
                }
            }
        }
        Called::without_number(CalledClass::FeatureCode, ReadingForm::FeatureCode, Certainty::Certain)
    }
}

/// A SIP user, a channel's peer, or a label of an Asterisk dial plan.
///
/// A name is a party of the PBX, as a guess: no carrier takes one. With a telephone number's worth of digits in it, it
/// is nothing known. Letters are not read as a keypad would: nobody dials `1-800-FLOWERS` into a record.
fn read_name(user: &str) -> Called {
    if matches!(user, "s" | "h" | "i" | "t" | "T" | "o" | "a" | "e" | "fax" | "failed" | "~~s~~")
        || user.starts_with("s-")
    {
        return Called::without_number(CalledClass::Unknown, ReadingForm::Label, Certainty::Certain);
    }
    let is_name = user.starts_with(|first: char| first.is_ascii_alphabetic())
        && user.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
        && user.bytes().filter(u8::is_ascii_digit).count() < DIGITS_MIN;
    if is_name {
        Called::without_number(CalledClass::Extension, ReadingForm::Name, Certainty::Guess)
    } else {
        unreadable()
    }
}

fn unreadable() -> Called {
    Called::without_number(CalledClass::Unknown, ReadingForm::Unreadable, Certainty::Guess)
}

fn is_star_or_hash(byte: u8) -> bool {
    matches!(byte, b'*' | b'#')
}
