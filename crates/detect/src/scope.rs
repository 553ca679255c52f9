//! Whose calls are measured together.
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a rule is measured per.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ScopeKind {
    /// The extension that is charged; a trunk where no extension is known.
    #[default]
    Extension,
    /// All calls of the tenant.
    Tenant,
    /// All calls over one trunk.
    Trunk,
    /// All calls to one number.
    CalledNumber,
    /// All calls into one block of 10,000 numbers.
    CalledRange,
    /// All calls to one country.
    Country,
    /// All calls placed from one network address, where records show it.
    SourceAddress,
    /// All calls billed to one account.
    Account,
    /// Calls for which no extension could be found, by trunk. Rules do not name it: those of extensions watch it.
    #[serde(skip)]
    Unattributed,
}

impl ScopeKind {
    /// All kinds that a rule can name.
    pub const ALL: [Self; 8] = [
        Self::Extension,
        Self::Tenant,
        Self::Trunk,
        Self::CalledNumber,
        Self::CalledRange,
        Self::Country,
        Self::SourceAddress,
        Self::Account,
    ];

    /// The kind whose rules watch a key of this kind, as an index into [`Self::ALL`].
    pub(crate) fn rules_index(self) -> usize {
        if self == Self::Unattributed { Self::Extension as usize } else { self as usize }
    }

    /// Whether two tenants' keys of this kind can be the same thing.
    pub(crate) fn can_cross_tenants(self) -> bool {
        matches!(self, Self::CalledNumber | Self::CalledRange | Self::Country | Self::SourceAddress)
    }

    /// The word for it in alerts.
    pub fn word(self) -> &'static str {
        match self {
            Self::Extension => "extension",
            Self::Tenant => "tenant",
            Self::Trunk | Self::Unattributed => "trunk",
            Self::CalledNumber => "called_number",
            Self::CalledRange => "called_range",
            Self::Country => "country",
            Self::SourceAddress => "source_address",
            Self::Account => "account",
        }
    }
}

/// Whom an incident is about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Scope {
    /// What kind of key it is.
    #[serde(with = "kind_as_number")]
    pub kind: ScopeKind,
    /// Its name, as the PBX writes it; digits for numbers and ranges, the ISO code for countries.
    pub value: Box<str>,
}

impl Scope {
    /// Whether no extension could be found for these calls.
    pub fn is_unattributed(&self) -> bool {
        self.kind == ScopeKind::Unattributed
    }
}

impl std::hash::Hash for Scope {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        ScopeRef { kind: self.kind, value: &self.value }.hash(state);
    }
}

/// A scope that is only looked up, so that a known one costs no allocation. Hashes like the [`Scope`] it
/// stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ScopeRef<'a> {
    pub kind: ScopeKind,
    pub value: &'a str,
}

impl ScopeRef<'_> {
    /// The scope as one integer, if its name has at most seven bytes: kind and length, then the bytes.
    pub(crate) fn packed(&self) -> Option<u64> {
        let mut packed = [0; 8];
        let (kind, name) = packed.split_first_mut()?;
        *kind = (self.kind as u8) << 3 | (self.value.len() as u8 & 7);
        name.get_mut(..self.value.len())?.copy_from_slice(self.value.as_bytes());
        Some(u64::from_be_bytes(packed))
    }
}

impl Scope {
    /// The scope that was [`packed`](ScopeRef::packed) so.
    pub(crate) fn unpacked(packed: u64) -> Self {
        let [kind, name @ ..] = packed.to_be_bytes();
        let known = ScopeKind::ALL.into_iter().find(|known| *known as u8 == kind >> 3);
        let name = name.get(..usize::from(kind & 7)).unwrap_or_default();
        Self {
            kind: known.unwrap_or(ScopeKind::Unattributed),
            value: String::from_utf8_lossy(name).into_owned().into(),
        }
    }
}

impl hashbrown::Equivalent<Scope> for ScopeRef<'_> {
    fn equivalent(&self, key: &Scope) -> bool {
        self.kind == key.kind && self.value == &*key.value
    }
}

impl From<&ScopeRef<'_>> for Scope {
    fn from(scope: &ScopeRef<'_>) -> Self {
        Self { kind: scope.kind, value: scope.value.into() }
    }
}

/// In snapshots a kind is its number, so that the kind that rules cannot name is kept too.
mod kind_as_number {
    use super::ScopeKind;
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
    pub(super) fn serialize<S: Serializer>(kind: &ScopeKind, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(*kind as u8)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ScopeKind, D::Error> {
        let number = u8::deserialize(deserializer)?;
        ScopeKind::ALL
            .into_iter()
            .chain([ScopeKind::Unattributed])
            .find(|kind| *kind as u8 == number)
            .ok_or_else(|| D::Error::custom("no such kind of scope"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_of_different_kinds_and_lengths_are_different_integers() {
        let mut seen = std::collections::BTreeSet::new();
        for kind in ScopeKind::ALL.into_iter().chain([ScopeKind::Unattributed]) {
            for value in ["", "1", "10", "1000000", "\0", "\0\0"] {
                let packed = ScopeRef { kind, value }.packed().unwrap();
                assert!(seen.insert(packed), "{kind:?} {value:?}");
                assert_eq!(Scope::unpacked(packed), Scope { kind, value: value.into() });
            }
            assert_eq!(ScopeRef { kind, value: "10000000" }.packed(), None);
        }
    }
}
