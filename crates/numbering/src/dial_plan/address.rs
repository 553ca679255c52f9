//! From text as it stands in a record to the digits that were dialled: RFC 3966 (`tel:`), RFC 3261 (`sip:`), full-width
//! forms, separators, pauses.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

/// The most bytes and characters that are looked at. No number needs more, and a record may be of any size.
const LENGTH_MAX: usize = 1024;

/// What was found in a text.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Address {
    /// The user part, cut at pauses, nothing else taken out.
    pub(super) user: String,
    /// The digits of `phone-context=+…`, without the plus sign.
    pub(super) context: Option<Vec<u8>>,
    /// Something followed behind an `&`, which in a dial plan rings a second party.
    pub(super) injected: bool,
}

impl Address {
    pub(super) fn parse(text: &[u8]) -> Self {
        let text = plain(text.get(..text.len().min(LENGTH_MAX)).unwrap_or_default());
        let text = text.trim().trim_start_matches('\'');
        // A display name stands before the last `<`, and is whatever the caller wants it to be.
        let text = text.rsplit_once('<').map_or(text, |(_, address)| address);
        let text = text.split('>').next().unwrap_or_default();

        let (scheme, rest) = match text.split_once(':') {
            Some((scheme, rest))
                if ["sip", "sips", "tel"].iter().any(|known| scheme.trim().eq_ignore_ascii_case(known)) =>
            {
                (Some(scheme.trim()), rest)
            }
            _ => (None, text),
        };
        let user = rest.split('@').next().unwrap_or_default();
        let mut parts = user.split(';');
        let mut user = parts.next().unwrap_or_default();
        if scheme.is_some_and(|scheme| !scheme.eq_ignore_ascii_case("tel")) {
            user = user.split(':').next().unwrap_or_default();
        }
        let context = parts.find_map(context_digits);
        let user = percent_decoded(user);
        let (user, injected) = user.split_once('&').map_or((&*user, false), |(user, _)| (user, true));
        Self { user: user.get(..pause(user)).unwrap_or_default().trim().to_owned(), context, injected }
    }

    /// Whether a letter is left.
    pub(super) fn has_letters(&self) -> bool {
        self.user.chars().any(|character| character.is_alphabetic() && !is_separator(character))
    }

    /// The user part without visual separators: digits, `+`, `*`, `#`; `None` where anything else is left.
    pub(super) fn dialled(&self) -> Option<Vec<u8>> {
        // +44 (0)20 …: the 0 is for callers inside the country.
        let user: Cow<'_, str> = if self.user.starts_with('+') {
            self.user.replacen("(0)", "", 1).into()
        } else {
            (&*self.user).into()
        };
        let mut digits = Vec::with_capacity(user.len());
        for character in user.chars() {
            match character {
                '0'..='9' | '+' | '*' | '#' => digits.push(character as u8),
                _ if is_separator(character) => {}
                _ => return None,
            }
        }
        Some(digits)
    }
}

/// Compatibility forms folded (NFKC: full-width digits, no-break spaces), what is invisible left out.
fn plain(text: &[u8]) -> String {
    if text.is_ascii() {
        return text.iter().map(|&byte| char::from(byte)).collect();
    }
    let text = String::from_utf8_lossy(text);
    text.nfkc().filter(|&character| !is_invisible(character)).take(LENGTH_MAX).collect()
}

/// Byte order mark, soft hyphen, zero-width and direction marks, as copied numbers carry them.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// RFC 3966 visual separators, blanks, and the dashes that people type, the Japanese long-vowel mark among them.
fn is_separator(character: char) -> bool {
    matches!(character, '-' | '.' | '(' | ')' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{30fc}')
        || character.is_whitespace()
}

fn context_digits(parameter: &str) -> Option<Vec<u8>> {
    let (name, value) = parameter.split_once('=')?;
    if !name.trim().eq_ignore_ascii_case("phone-context") {
        return None;
    }
    let digits: Vec<u8> = value.trim().strip_prefix('+')?.bytes().filter(u8::is_ascii_digit).collect();
    (!digits.is_empty()).then_some(digits)
}

/// Where dialling pauses: at a comma, or a `p` or `w` before more digits. What follows are tones, no address.
fn pause(user: &str) -> usize {
    let bytes = user.as_bytes();
    let ends = |window: &[u8]| match *window {
        [digit, b',', ..] => digit.is_ascii_digit(),
        [digit, b'p' | b'P' | b'w' | b'W', next, ..] => {
            digit.is_ascii_digit()
                && (next.is_ascii_digit() || matches!(next, b',' | b'p' | b'P' | b'w' | b'W'))
        }
        _ => false,
    };
    let places = (0..bytes.len()).filter_map(|place| bytes.get(place..));
    places.into_iter().position(ends).map_or(bytes.len(), |place| place + 1)
}

fn percent_decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return text.into();
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, tail @ ..] = rest {
        let decoded = match *rest {
            [b'%', high, low, ..] => hexadecimal(high).zip(hexadecimal(low)),
            _ => None,
        };
        if let Some((high, low)) = decoded {
            bytes.push(high << 4 | low);
            rest = rest.get(3..).unwrap_or_default();
        } else {
            bytes.push(*byte);
            rest = tail;
        }
    }
    plain(&bytes).into()
}

fn hexadecimal(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|value| value as u8)
}
