//! What the store keeps beside the engine's own parts and the outbox.
//!
//! Parts have a letter in front of their key: `e` the engine's, `c` a case, `f` what fires at a notifier, `g` what people were
//! told, `m` the mutes, `o` the conditions.
use super::conditions::Conditions;
use super::intake::Kept;
use super::outbox::KeptFiring;
use super::people::People;
use std::collections::BTreeMap;
use tollwatch_store::{State, Store, StoreError};

pub(super) const ENGINE: u8 = b'e';
pub(super) const CASE: u8 = b'c';
pub(super) const FIRING: u8 = b'f';
pub(super) const MUTES: &[u8] = b"m";
pub(super) const GROUPING: &[u8] = b"g";
pub(super) const CONDITIONS: &[u8] = b"o";

/// Stands between the names of a notifier, which has only letters, digits, `_` and `-`, and of an incident.
const BETWEEN: char = '/';

/// The key of what fires at a notifier.
pub(super) fn firing_key(notifier: &str, incident: &str) -> Vec<u8> {
    let mut key = vec![FIRING];
    key.extend_from_slice(format!("{notifier}{BETWEEN}{incident}").as_bytes());
    key
}

/// What was kept.
#[derive(Debug, Default)]
pub(super) struct Saved {
    pub(super) engine: BTreeMap<Vec<u8>, Vec<u8>>,
    pub(super) people: People,
    pub(super) conditions: Conditions,
    pub(super) sources: BTreeMap<String, Kept>,
    pub(super) outbox: tollwatch_store::Outbox,
    pub(super) firing: KeptFiring,
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

    fn fires(&mut self, key: &[u8], value: &[u8]) -> Option<()> {
        let (notifier, incident) = std::str::from_utf8(key).ok()?.split_once(BETWEEN)?;
        let state = serde_json::from_slice(value).ok()?;
        self.firing.insert((notifier.to_owned(), incident.to_owned()), state);
        Some(())
    }

    fn part(&mut self, key: &[u8], value: &[u8]) {
        let read = match key.split_first() {
            Some((&ENGINE, rest)) => {
                self.engine.insert(rest.to_vec(), value.to_vec());
                true
            }
            Some((&CASE, id)) => self.people.cases.restore(String::from_utf8_lossy(id).into_owned(), value),
            Some((&FIRING, rest)) => self.fires(rest, value).is_some(),
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
