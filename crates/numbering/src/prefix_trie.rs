//! Longest-prefix match over the digits of E.164 numbers.

use crate::E164;

/// The root takes three digits at once: a country code has one to three, so nearly every prefix starts there.
const ROOT_DIGITS: u32 = 3;
/// Digits of the longest E.164 number.
const DIGITS_MAX: u32 = 15;

/// Where a digit leads: the node below (0: none, as no slot leads back to node 0) and the value of the longest
/// prefix so far, plus one (0: none).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Slot {
    node: u32,
    value: u32,
}

/// A ten-way trie whose slots repeat the value of the prefix above, so that a look-up never goes back.
#[derive(Clone, Debug)]
pub(crate) struct PrefixTrie {
    root: Vec<Slot>,
    nodes: Vec<[Slot; 10]>,
}

impl PrefixTrie {
    /// Builds from prefixes of ASCII digits, 1 to 15 long, and their values. Of equal prefixes the last one counts;
    /// what is no such prefix is left out.
    pub(crate) fn new<'a>(entries: impl IntoIterator<Item = (&'a str, u32)>) -> Self {
        let mut entries: Vec<(&str, u32)> = entries.into_iter().collect();
        // Short ones first: a longer prefix then overwrites its part of what it inherited.
        entries.sort_by_key(|(prefix, _)| prefix.len());
        let mut trie = Self { root: vec![Slot::default(); 1000], nodes: vec![[Slot::default(); 10]] };
        for (prefix, value) in entries {
            let fits = (1..=DIGITS_MAX as usize).contains(&prefix.len());
            if fits && prefix.bytes().all(|byte| byte.is_ascii_digit()) {
                trie.insert(prefix.as_bytes(), value.saturating_add(1));
            }
        }
        trie
    }

    fn insert(&mut self, prefix: &[u8], value: u32) -> Option<()> {
        let number = |digits: &[u8]| digits.iter().fold(0, |sum, byte| sum * 10 + usize::from(byte - b'0'));
        let Some((head, tail)) = prefix.split_at_checked(ROOT_DIGITS as usize) else {
            let width = 10_usize.pow(ROOT_DIGITS - prefix.len() as u32);
            let first = number(prefix) * width;
            for slot in self.root.get_mut(first..first + width)? {
                slot.value = value;
            }
            return Some(());
        };
        let (mut node, mut index) = (0, number(head));
        for byte in tail {
            let next = self.nodes.len() as u32;
            let slot = self.slot(node, index)?;
            let inherited = Slot { node: 0, value: slot.value };
            if slot.node == 0 {
                slot.node = next;
            }
            (node, index) = (slot.node, usize::from(byte - b'0'));
            if node == next {
                self.nodes.push([inherited; 10]);
            }
        }
        self.slot(node, index)?.value = value;
        Some(())
    }

    /// A slot of a node, or of the root for node 0.
    fn slot(&mut self, node: u32, index: usize) -> Option<&mut Slot> {
        if node == 0 { self.root.get_mut(index) } else { self.nodes.get_mut(node as usize)?.get_mut(index) }
    }

    /// The value of the longest prefix of a number.
    pub(crate) fn longest(&self, number: E164) -> Option<u32> {
        self.longest_of(number.value(), number.digits())
    }

    /// The value of the longest prefix of `value` written with `digits` digits; fewer than three match nothing.
    pub(crate) fn longest_of(&self, value: u64, digits: u32) -> Option<u32> {
        let missing = DIGITS_MAX.checked_sub(digits)?;
        if digits < ROOT_DIGITS {
            return None;
        }
        // Moved up to 15 digits, every division below is by a constant.
        let padded = value * 10_u64.pow(missing);
        let mut slot = *self.root.get((padded / 10_u64.pow(12)) as usize)?;
        let mut rest = padded % 10_u64.pow(12);
        for _ in ROOT_DIGITS..digits {
            if slot.node == 0 {
                break;
            }
            let digit = rest / 10_u64.pow(11);
            rest = (rest % 10_u64.pow(11)) * 10;
            slot = *self.nodes.get(slot.node as usize)?.get(digit as usize)?;
        }
        slot.value.checked_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn slow_longest(entries: &[(String, u32)], number: &str) -> Option<u32> {
        let mut best: Option<(usize, u32)> = None;
        for (prefix, value) in entries {
            if number.starts_with(prefix.as_str()) && best.is_none_or(|(length, _)| prefix.len() >= length) {
                best = Some((prefix.len(), *value));
            }
        }
        best.map(|(_, value)| value)
    }

    #[test]
    fn a_prefix_longer_than_the_number_does_not_match() {
        let trie = PrefixTrie::new([("39", 1), ("39066980", 2)]);
        assert_eq!(trie.longest_of(3_906_698, 7), Some(1));
        assert_eq!(trie.longest_of(39_066_980, 8), Some(2));
        assert_eq!(trie.longest_of(39_066_981, 8), Some(1));
    }

    #[test]
    fn nothing_matches_outside_the_prefixes() {
        let trie = PrefixTrie::new([("224", 7), ("", 1), ("22a", 2), ("1234567890123456", 3)]);
        assert_eq!(trie.longest_of(2_250_000_000, 10), None);
        assert_eq!(trie.longest_of(1_234_567_890_123_456, 16), None);
        assert_eq!(trie.longest_of(22, 2), None);
        assert_eq!(trie.longest_of(2_240_000_000, 10), Some(7));
    }

    proptest! {
        #[test]
        fn the_trie_agrees_with_trying_every_prefix(
            prefixes in prop::collection::vec("[1-3][0-3]{0,7}", 0..60),
            numbers in prop::collection::vec("[1-3][0-3]{2,14}", 1..60),
        ) {
            let entries: Vec<(String, u32)> = prefixes.into_iter().zip(0..).collect();
            let trie = PrefixTrie::new(entries.iter().map(|(prefix, value)| (prefix.as_str(), *value)));
            for number in numbers {
                let found = trie.longest_of(number.parse().unwrap(), number.len() as u32);
                prop_assert_eq!(found, slow_longest(&entries, &number), "{}", number);
            }
        }
    }
}
