//! Who is charged for a call, as long as nobody needs to know more of them than the name.
use crate::keys::KeyId;
use crate::scope::ScopeKind;
use serde::{Deserialize, Serialize};
use std::num::NonZeroU64;

/// Set where the rest is the number of a key; the kind of a scope, which stands there otherwise, is a small number.
const IS_KEY: u64 = 1 << 63;

/// Who is charged: an extension by its name, or a key.
///
/// Most calls cost nothing special, and no rule will ever ask who placed them. An extension with a short name, as almost
/// all have, therefore gets a key only with the first call that is watched; until then its name is all there is of it,
/// and it is looked up nowhere. Whoever has a short name is never written as a key, so that two are equal just if they
/// are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Owner(NonZeroU64);

/// What an [`Owner`] stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Charged {
    /// The extension whose `ScopeRef::packed` name this is.
    Extension(u64),
    Key(KeyId),
}

impl Owner {
    /// An extension of this name, if that is plain and short.
    #[inline]
    #[expect(clippy::many_single_char_names, reason = "the bytes of a name, each by its place")]
    pub(crate) fn named(name: &[u8]) -> Option<Self> {
        let low = |bytes: &[u8; 4]| u64::from(u32::from_be_bytes(*bytes));
        // The first one highest, as it is packed. By parts that are read at once: what is written byte by byte and then
        // read as a whole has to wait.
        let bytes = match *name {
            [a] => u64::from(a) << 48,
            [a, b] => u64::from(u16::from_be_bytes([a, b])) << 40,
            [a, b, c] => low(&[0, a, b, c]) << 32,
            [a, b, c, d] => low(&[a, b, c, d]) << 24,
            [a, b, c, d, e] => low(&[a, b, c, d]) << 24 | u64::from(e) << 16,
            [a, b, c, d, e, f] => low(&[a, b, c, d]) << 24 | low(&[0, 0, e, f]) << 8,
            [a, b, c, d, e, f, g] => low(&[a, b, c, d]) << 24 | low(&[0, e, f, g]),
            _ => return None,
        };
        let is_plain = bytes & 0x0080_8080_8080_8080 == 0;
        let kind = u64::from((ScopeKind::Extension as u8) << 3 | name.len() as u8) << 56;
        NonZeroU64::new(kind | bytes).filter(|_| is_plain).map(Self)
    }

    /// A trunk, or an extension of another name.
    pub(crate) fn key(id: KeyId) -> Self {
        Self(NonZeroU64::MIN | IS_KEY | u64::from(id) << 1)
    }

    pub(crate) fn charged(self) -> Charged {
        let value = self.0.get();
        if value & IS_KEY == 0 { Charged::Extension(value) } else { Charged::Key((value >> 1) as KeyId) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scope::ScopeRef;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_short_plain_name_is_packed_as_the_scope_packs_it(name in "[ -~\\x00]{0,9}") {
            let scope = ScopeRef { kind: ScopeKind::Extension, value: &name };
            let packed = scope.packed().filter(|_| !name.is_empty()).map(Charged::Extension);
            prop_assert_eq!(Owner::named(name.as_bytes()).map(Owner::charged), packed);
        }

        #[test]
        fn a_name_that_is_not_plain_is_none(name in proptest::collection::vec(any::<u8>(), 1..8), bad in 128u8.., at in 0usize..7) {
            let mut name = name;
            let at = at % name.len();
            name[at] = bad;
            prop_assert_eq!(Owner::named(&name), None);
        }

        #[test]
        fn a_key_is_no_extension(id: KeyId) {
            prop_assert_eq!(Owner::key(id).charged(), Charged::Key(id));
        }
    }
}
