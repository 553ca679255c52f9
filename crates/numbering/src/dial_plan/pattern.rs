//! Prefixes as the operator writes them, and the patterns of peer names.

/// Leading digits; `x` stands for any digit.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Pattern(Box<[u8]>);

impl Pattern {
    /// `None` where `text` holds anything but digits and `x`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let bytes = text.to_ascii_lowercase().into_bytes();
        bytes
            .iter()
            .all(|&byte| byte.is_ascii_digit() || byte == b'x')
            .then(|| Self(bytes.into_boxed_slice()))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Splits `digits` behind this prefix; `None` where they do not start with it.
    pub(super) fn split<'a>(&self, digits: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
        let (head, rest) = digits.split_at_checked(self.0.len())?;
        let matches = self.0.iter().zip(head).all(|(pattern, digit)| pattern == digit || *pattern == b'x');
        matches.then_some((head, rest))
    }
}

/// Several prefixes, longest first, with a mask that tells most numbers at once that none of them fits.
#[derive(Clone, Debug, Default)]
pub(super) struct Patterns {
    patterns: Vec<Pattern>,
    /// Bit `10 a + b` is set where a number that starts with the digits `a`, `b` may fit.
    leads: u128,
}

impl Patterns {
    pub(super) fn new(mut patterns: Vec<Pattern>) -> Self {
        patterns.retain(|pattern| !pattern.is_empty());
        patterns.sort_by_key(|pattern| std::cmp::Reverse(pattern.len()));
        let mut leads = 0;
        for first in b'0'..=b'9' {
            for second in b'0'..=b'9' {
                let fits = |pattern: &Pattern| {
                    let known = pattern.bytes().iter().zip([first, second]);
                    known.into_iter().all(|(&byte, digit)| byte == digit || byte == b'x')
                };
                if patterns.iter().any(fits) {
                    leads |= lead_bit(first, second);
                }
            }
        }
        Self { patterns, leads }
    }

    /// Whether one of the prefixes may stand at the beginning of `digits`. Most numbers are told from it at one look.
    #[inline]
    pub(super) fn may_fit(&self, digits: &[u8]) -> bool {
        match *digits {
            [first, second, ..] => self.leads & lead_bit(first, second) != 0,
            _ => false,
        }
    }

    /// The ways to split `digits` behind one of the prefixes, longest first.
    pub(super) fn splits<'a>(&'a self, digits: &'a [u8]) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        let patterns = if self.may_fit(digits) { self.patterns.as_slice() } else { &[] };
        patterns.iter().filter_map(move |pattern| pattern.split(digits))
    }

    /// Whether `digits` as a whole are one of the patterns.
    pub(super) fn contains(&self, digits: &[u8]) -> bool {
        self.patterns.iter().any(|pattern| pattern.split(digits).is_some_and(|(_, rest)| rest.is_empty()))
    }
}

fn lead_bit(first: u8, second: u8) -> u128 {
    1 << (u32::from(first & 0x0f) * 10 + u32::from(second & 0x0f)).min(127)
}

/// A peer name; a `*` at its end stands for any rest.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct PeerPattern {
    stem: Box<[u8]>,
    open: bool,
}

impl PeerPattern {
    /// `None` where the name is empty or has a `*` before its end.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (stem, open) = text.strip_suffix('*').map_or((text, false), |stem| (stem, true));
        (!text.is_empty() && !stem.contains('*')).then(|| Self { stem: stem.as_bytes().into(), open })
    }

    /// Peer names are compared without regard to ASCII case, as SIP host names and Asterisk peers are found in both.
    pub(super) fn matches(&self, name: &[u8]) -> bool {
        name.split_at_checked(self.stem.len()).is_some_and(|(head, rest)| {
            head.eq_ignore_ascii_case(&self.stem) && (self.open || rest.is_empty())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(list: &[&str]) -> Patterns {
        Patterns::new(list.iter().map(|text| Pattern::parse(text).expect("a pattern")).collect())
    }

    #[test]
    fn the_longest_prefix_is_tried_first() {
        let set = patterns(&["0", "00", "0033", "01x"]);
        let heads: Vec<_> = set.splits(b"0033010").map(|(head, _)| head.len()).collect();
        assert_eq!(heads, [4, 2, 1]);
        assert_eq!(set.splits(b"0180").map(|(head, _)| head.len()).next(), Some(3));
        assert_eq!(set.splits(b"90").count(), 0);
    }

    #[test]
    fn a_peer_pattern_fits_the_whole_name_or_with_a_star_its_start() {
        let whole = PeerPattern::parse("trunk").expect("a name");
        assert!(whole.matches(b"Trunk") && !whole.matches(b"trunk2") && !whole.matches(b"trun"));
        let open = PeerPattern::parse("trunk*").expect("a name");
        assert!(open.matches(b"trunk") && open.matches(b"trunk-\xff"));
        assert_eq!(PeerPattern::parse("a*b"), None);
        assert_eq!(PeerPattern::parse(""), None);
    }
}
