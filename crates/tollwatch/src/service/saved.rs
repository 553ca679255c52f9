//! What the store keeps beside the engine's own parts and the outbox.
//!
//! Parts have a letter in front of their key: `e` the engine's, `c` a case, `g` what people were told, `m` the mutes, `o` the conditions.
use super::conditions::Conditions;
use super::intake::Kept;
use super::people::People;
use std::collections::BTreeMap;
use tollwatch_store::{State, Store, StoreError};

pub(super) const ENGINE: u8 = b'e';
pub(super) const CASE: u8 = b'c';
pub(super) const MUTES: &[u8] = b"m";
pub(super) const GROUPING: &[u8] = b"g";
pub(super) const CONDITIONS: &[u8] = b"o";

/// What was kept.
#[derive(Debug, Default)]
pub(super) struct Saved {
    pub(super) engine: BTreeMap<Vec<u8>, Vec<u8>>,
    pub(super) people: People,
    pub(super) conditions: Conditions,
    pub(super) sources: BTreeMap<String, Kept>,
    pub(super) outbox: tollwatch_store::Outbox,
    /// Names of what could not be read back.
    pub(super) unreadable: Vec<String>,
}

impl Saved {
    /// Reads everything back.
    pub(super) fn load(store: &mut Store) -> Result<Self, StoreError> {
        let mut saved = Self::default();
        let State { positions, outbox, .. } = store.load(|key, value| saved.part(key, value))?;
        for (name, bytes) in positions {
            match postcard::from_bytes(&bytes) {
                Ok(kept) => {
                    saved.sources.insert(name, kept);
                }
                Err(_) => saved.unreadable.push(format!("the position of {name}")),
            }
        }
        saved.outbox = outbox;
        Ok(saved)
    }

    fn part(&mut self, key: &[u8], value: &[u8]) {
        let read = match key.split_first() {
            Some((&ENGINE, rest)) => {
                self.engine.insert(rest.to_vec(), value.to_vec());
                true
            }
            Some((&CASE, id)) => self.people.cases.restore(String::from_utf8_lossy(id).into_owned(), value),
            _ if key == MUTES => serde_json::from_slice(value).map(|mutes| self.people.mutes = mutes).is_ok(),
            _ if key == GROUPING => {
                serde_json::from_slice(value).map(|cases| self.people.grouping = cases).is_ok()
            }
            _ if key == CONDITIONS => {
                postcard::from_bytes(value).map(|conditions| self.conditions = conditions).is_ok()
            }
            _ => false,
        };
        if !read {
            self.unreadable.push(String::from_utf8_lossy(key).into_owned());
        }
    }
}
