//! One tenant: its clock, its ledger, its keys. Tenants share nothing.
use crate::counters::Counters;
use crate::engine::Alert;
use crate::incident::{DetectedOn, Incident, Scope, ScopeRef};
use crate::key::{KeyState, LetOut, Output, Step, Toll};
use crate::ledger::{KeyId, Ledger};
use crate::settings::Settings;
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use tollwatch_cdr::EventTime;

/// A watched call whose diverting extension another record still has to name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Waiting {
    /// From this event time on it is charged to nobody but its trunk.
    pub until: EventTime,
    pub call: crate::admit::NewCall,
    /// What happened to it since, in order.
    pub later: Vec<(EventTime, DetectedOn, Step)>,
}

/// One tenant's state.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Tenant {
    pub name: Box<str>,
    /// Records taken in so far.
    pub seq: u64,
    /// Newest event time so far.
    pub clock: EventTime,
    /// First event time, from which the learning time counts.
    pub first_at: Option<EventTime>,
    pub ledger: Ledger,
    pub counters: Counters,
    /// Calls over internal legs whose other half is not known yet, by that leg.
    pub waiting: BTreeMap<u64, Vec<Waiting>>,
    /// Numbers that could not be classified, with their calls; the first thousand of them.
    pub unclassified: BTreeMap<Box<[u8]>, u64>,
    /// Names that calls went out by.
    pub trunks: BTreeSet<Box<[u8]>>,
    names: HashMap<Scope, KeyId, FixedState>,
    /// Names of a few characters, as almost all extensions have, without a pointer to follow.
    short_names: HashMap<u64, KeyId, FixedState>,
    keys: Vec<KeyState>,
    due: BTreeSet<(EventTime, KeyId)>,
    forget_at: Option<EventTime>,
    pub resolved: Vec<Incident>,
    /// Steps admitted and not yet worked through. Never part of a snapshot.
    #[serde(skip)]
    pub buffer: Vec<Toll>,
    /// Where in the order of records the clock moved since the last batch.
    #[serde(skip)]
    pub moves: Vec<(EventTime, u64)>,
}

impl Tenant {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            seq: 0,
            clock: EventTime::MIN,
            first_at: None,
            ledger: Ledger::default(),
            counters: Counters::default(),
            waiting: BTreeMap::new(),
            unclassified: BTreeMap::new(),
            trunks: BTreeSet::new(),
            names: HashMap::default(),
            short_names: HashMap::default(),
            keys: Vec::new(),
            due: BTreeSet::new(),
            forget_at: None,
            resolved: Vec::new(),
            buffer: Vec::new(),
            moves: Vec::new(),
        }
    }

    /// The key of an extension, as the PBX writes it; made if it is new.
    pub(crate) fn extension(&mut self, name: &[u8]) -> KeyId {
        self.key(false, &String::from_utf8_lossy(name))
    }

    /// The key of a trunk; made if it is new.
    pub(crate) fn trunk(&mut self, name: &str) -> KeyId {
        self.key(true, name)
    }

    fn key(&mut self, trunk: bool, value: &str) -> KeyId {
        let scope = ScopeRef { trunk, value };
        let short = scope.packed();
        let known = match short {
            Some(short) => self.short_names.get(&short),
            None => self.names.get(&scope),
        };
        if let Some(&id) = known {
            return id;
        }
        let id = self.keys.len() as KeyId;
        self.keys.push(KeyState::new(Scope::from(&scope)));
        match short {
            Some(short) => self.short_names.insert(short, id),
            None => self.names.insert(Scope::from(&scope), id),
        };
        id
    }

    /// Works the admitted steps through, key by key, and lets out the alerts in the order of the records
    /// that caused them, however the records were cut into batches.
    pub(crate) fn flush(&mut self, settings: &Settings, alerts: &mut Vec<Alert>) {
        let mut steps = std::mem::take(&mut self.buffer);
        // Grouped by key, so that a key's state is in the cache once for all its calls of the batch.
        steps.sort_by_key(|toll| (toll.key, toll.seq));
        let learned_at = self.first_at.unwrap_or(EventTime::MAX).plus_seconds(settings.learning_seconds);
        let mut order: Vec<(u64, KeyId, Alert)> = Vec::new();
        let mut out = Output::default();
        let mut steps = steps.drain(..).peekable();
        while let Some(first) = steps.peek() {
            let id = first.key;
            let Some(key) = self.keys.get_mut(id as usize) else {
                steps.next();
                continue;
            };
            let was_due = key.next_due();
            while let Some(toll) = steps.next_if(|toll| toll.key == id) {
                let learned = toll.clock >= learned_at;
                key.apply(toll, &self.name, learned, settings, &mut out);
            }
            reschedule(&mut self.due, id, was_due, key.next_due());
            collect(id, &self.moves, self.seq, &mut out, &mut order);
        }
        drop(steps);
        while let Some(&(due, id)) = self.due.first().filter(|(due, _)| *due <= self.clock) {
            self.due.remove(&(due, id));
            let Some(key) = self.keys.get_mut(id as usize) else { continue };
            key.advance(self.clock, &self.name, settings, &mut out);
            reschedule(&mut self.due, id, None, key.next_due());
            collect(id, &self.moves, self.seq, &mut out, &mut order);
        }
        self.moves.clear();
        // Keys that nothing happens to any more let go of their calls too.
        if self.clock >= *self.forget_at.get_or_insert(self.clock.plus_seconds(86_400)) {
            self.forget_at = Some(self.clock.plus_seconds(86_400));
            self.forget(settings);
        }
        self.counters.exposure = self.counters.exposure.saturating_add(out.exposure);
        self.counters.closed_for_age += out.closed_for_age;
        self.counters.unsettled += out.unsettled;
        self.resolved.append(&mut out.resolved);
        order.sort_by_key(|(seq, id, _)| (*seq, *id));
        alerts.extend(order.into_iter().map(|(_, _, alert)| alert));
    }

    /// Lets every key go of what is too old.
    fn forget(&mut self, settings: &Settings) {
        for key in &mut self.keys {
            key.forget(self.clock, settings);
        }
    }

    pub(crate) fn ongoing(&self) -> impl Iterator<Item = &Incident> {
        self.keys.iter().flat_map(KeyState::ongoing)
    }
}

fn reschedule(
    due: &mut BTreeSet<(EventTime, KeyId)>,
    id: KeyId,
    was: Option<EventTime>,
    is: Option<EventTime>,
) {
    if was != is {
        if let Some(was) = was {
            due.remove(&(was, id));
        }
        if let Some(is) = is {
            due.insert((is, id));
        }
    }
}

/// Gives each alert the number of the record that lets it out.
fn collect(
    id: KeyId,
    moves: &[(EventTime, u64)],
    last: u64,
    out: &mut Output,
    order: &mut Vec<(u64, KeyId, Alert)>,
) {
    for (let_out, alert) in out.alerts.drain(..) {
        let seq = match let_out {
            LetOut::Record(seq) => seq,
            LetOut::Clock(due) => {
                let at = moves.partition_point(|(clock, _)| *clock < due);
                moves.get(at).map_or(last, |(_, seq)| *seq)
            }
        };
        order.push((seq, id, alert));
    }
}
