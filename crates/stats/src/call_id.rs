//! The id of a call, as the PBX writes it.
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

/// Ids up to this length stand in the call itself: that is all that PBXs write but those that call an id by a UUID.
const SHORT: usize = 22;

/// An id for people. Any bytes, since whoever calls may have chosen some of them.
///
/// A call stands under several keys, and every key's ring is full of calls that come and go: a short id, as almost all
/// are, costs no allocation, and a long one is shared.
#[derive(Clone)]
pub struct CallId(Kept);

#[derive(Clone)]
enum Kept {
    Short(u8, [u8; SHORT]),
    Long(Arc<[u8]>),
}

impl Default for CallId {
    fn default() -> Self {
        Self(Kept::Short(0, [0; SHORT]))
    }
}

impl From<&[u8]> for CallId {
    fn from(id: &[u8]) -> Self {
        let mut short = [0; SHORT];
        match short.get_mut(..id.len()) {
            Some(place) => {
                place.copy_from_slice(id);
                Self(Kept::Short(id.len() as u8, short))
            }
            None => Self(Kept::Long(id.into())),
        }
    }
}

impl Deref for CallId {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &self.0 {
            Kept::Short(length, bytes) => bytes.get(..usize::from(*length)).unwrap_or_default(),
            Kept::Long(bytes) => bytes,
        }
    }
}

impl PartialEq for CallId {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for CallId {}

impl fmt::Debug for CallId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:?}", String::from_utf8_lossy(self))
    }
}

impl Serialize for CallId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for CallId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Vec::<u8>::deserialize(deserializer).map(|id| Self::from(&id[..]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_what_it_was_made_of_whatever_its_length() {
        assert!(CallId::default().is_empty());
        for length in 0..60_u8 {
            let bytes: Vec<u8> = (0..length).map(|byte| byte.wrapping_mul(37)).collect();
            let id = CallId::from(&bytes[..]);
            assert_eq!(*id, bytes[..]);
            assert_eq!(matches!(id.0, Kept::Short(..)), usize::from(length) <= SHORT);
            let other: Vec<u8> = bytes.iter().map(|byte| byte ^ 1).collect();
            assert_eq!(id == CallId::from(&other[..]), length == 0);
        }
    }
}
