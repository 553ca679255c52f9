//! The keys in parts: one for each key, and more for the calls of those that have many.
use super::{KeyId, Keys, Named, Slot};
use crate::engine::SnapshotError;
use crate::key::KeyState;
use crate::scope::{Scope, ScopeRef};
use crate::state::{Kind, Parts, Writer, number, read};
use std::collections::{BTreeMap, VecDeque};
use tollwatch_cdr::EventTime;
use tollwatch_stats::CallStat;

/// The calls of a key with more than so many are written apart, by the time of their start, so that one more call does
/// not write all of them again.
const FEW: usize = 64;
/// Calls that start within so many seconds are one part.
const PART_SECONDS: i64 = 900;

/// Hashes of the parts of a key's calls, by their time.
pub(super) type WrittenCalls = BTreeMap<i64, u64>;

/// A key as it is written: its name, when it was last used, and what it remembers with its calls, if they are few.
type WrittenKey = (Scope, EventTime, Option<(Box<KeyState>, VecDeque<CallStat>)>);

impl Keys {
    /// From now on changes are gathered for [`Keys::write`]; what is there already counts as changed.
    pub(crate) fn keep_changes(&mut self) {
        let mut all: Vec<KeyId> = self.slots.keys().copied().collect();
        all.sort_unstable();
        for slot in self.slots.values_mut() {
            slot.changed = true;
        }
        self.changed = Some(all);
    }

    /// Writes what has changed, or everything. All admitted steps must have been worked through.
    pub(crate) fn write(&mut self, writer: &mut Writer<'_>) {
        writer.put_if_changed(Kind::Keys, &(self.last, self.forget_at));
        writer.put_if_changed(Kind::Storms, &self.storms);
        writer.put_if_changed(Kind::Over, &self.over);
        if writer.all {
            for (id, slot) in &self.slots {
                slot.write(*id, self.used_at(&slot.scope), &mut WrittenCalls::new(), writer);
            }
            return;
        }
        for (id, at) in std::mem::take(&mut self.gone) {
            writer.delete(Kind::Calls, &calls_id(id, at));
        }
        for id in self.changed.as_mut().map(std::mem::take).unwrap_or_default() {
            let Some(slot) = self.slots.get_mut(&id) else {
                writer.delete(Kind::Key, &id.to_be_bytes());
                continue;
            };
            slot.changed = false;
            let mut written = std::mem::take(&mut slot.written);
            if let Some(slot) = self.slots.get(&id) {
                slot.write(id, self.used_at(&slot.scope), &mut written, writer);
            }
            if let Some(slot) = self.slots.get_mut(&id) {
                slot.written = written;
            }
        }
    }

    fn used_at(&self, scope: &Scope) -> EventTime {
        let name = ScopeRef { kind: scope.kind, value: &scope.value };
        let named = match name.packed() {
            Some(short) => self.short_names.get(&short),
            None => self.names.get(&name),
        };
        named.map_or(EventTime::MIN, |named| named.used_at)
    }

    /// Reads back what was written.
    pub(crate) fn read(
        tenant: &str,
        across: bool,
        parts: &Parts<'_>,
        keep_changes: bool,
    ) -> Result<Self, SnapshotError> {
        let mut keys = Self::new(tenant, across);
        (keys.last, keys.forget_at) = parts.one(Kind::Keys)?;
        keys.storms = parts.one(Kind::Storms)?;
        keys.over = parts.one(Kind::Over)?;
        let mut calls: BTreeMap<KeyId, (VecDeque<CallStat>, WrittenCalls)> = BTreeMap::new();
        for (id, bytes) in parts.each(Kind::Calls) {
            let (all, written) = calls.entry(number(id, 0)?).or_default();
            all.extend(read::<Vec<CallStat>>(bytes)?);
            written.insert(time_of(id)?, crate::state::hash(bytes));
        }
        for (id, bytes) in parts.each(Kind::Key) {
            let id = number(id, 0)?;
            let (scope, used_at, state): WrittenKey = read(bytes)?;
            let (many, written) = calls.remove(&id).unwrap_or_default();
            let state = state.map(|(state, few)| {
                let calls = if many.is_empty() { few } else { many };
                Box::new(state.with_calls(calls))
            });
            keys.due.extend(state.as_ref().and_then(|state| state.next_due()).map(|due| (due, id)));
            let (named, name) = (Named { id, used_at }, ScopeRef { kind: scope.kind, value: &scope.value });
            match name.packed() {
                Some(short) => keys.short_names.insert(short, named),
                None => keys.names.insert(scope.clone(), named),
            };
            keys.slots.insert(id, Slot { scope, state, changed: false, written });
        }
        keys.changed = keep_changes.then(Vec::new);
        Ok(keys)
    }
}

impl Slot {
    fn write(&self, id: KeyId, used_at: EventTime, written: &mut WrittenCalls, writer: &mut Writer<'_>) {
        let none = VecDeque::new();
        let calls = self.state.as_ref().map_or(&none, |state| state.calls());
        let few = if calls.len() <= FEW { calls } else { &none };
        let state = self.state.as_ref().map(|state| (state, few));
        writer.put(Kind::Key, &id.to_be_bytes(), &(&self.scope, used_at, state));
        let before = std::mem::take(written);
        if calls.len() > FEW {
            let mut start = 0;
            while let Some(first) = calls.get(start) {
                let at = first.first_at.seconds().div_euclid(PART_SECONDS);
                let until = EventTime::from_seconds((at + 1).saturating_mul(PART_SECONDS));
                let end = calls.partition_point(|call| call.first_at < until).max(start + 1);
                let part: Vec<&CallStat> = calls.range(start..end).collect();
                let hash =
                    writer.put_if_other(Kind::Calls, &calls_id(id, at), &part, before.get(&at).copied());
                written.insert(at, hash);
                start = end;
            }
        }
        for at in before.keys().filter(|at| !written.contains_key(at)) {
            writer.delete(Kind::Calls, &calls_id(id, *at));
        }
    }
}

/// The id of a part of a key's calls: in the order of time, as bytes.
fn calls_id(id: KeyId, at: i64) -> Vec<u8> {
    let mut part = id.to_be_bytes().to_vec();
    part.extend_from_slice(&at.wrapping_sub(i64::MIN).to_be_bytes());
    part
}

fn time_of(id: &[u8]) -> Result<i64, SnapshotError> {
    let bytes = id.get(4..).and_then(|rest| rest.first_chunk::<8>()).ok_or(SnapshotError::Damaged)?;
    Ok(i64::from_be_bytes(*bytes).wrapping_add(i64::MIN))
}
