//! One tenant: its clock, its ledger, its keys. Tenants share nothing.
use crate::clock::Clock;
use crate::counters::Counters;
use crate::countries::UsualCountries;
use crate::engine::Alert;
use crate::incident::DetectedOn;
use crate::key::{Step, Toll};
use crate::keys::{Keys, Moment};
use crate::ledger::Ledger;
use crate::owner::Owner;
use crate::scope::{Scope, ScopeKind};
use crate::settings::Settings;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use tollwatch_cdr::EventTime;

/// A watched call whose diverting extension another record still has to name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Waiting {
    /// From this event time on it is charged to nobody but its trunk.
    pub until: EventTime,
    pub call: crate::booking::NewCall,
    /// What happened to it since, in order.
    pub later: Vec<(EventTime, DetectedOn, Step)>,
}

/// A step of a call on its way to a key that counts over all tenants.
#[derive(Clone, Debug)]
pub(crate) struct AcrossStep {
    pub scope: Scope,
    pub toll: Toll,
}

/// One tenant's state.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Tenant {
    pub name: Box<str>,
    /// Records taken in so far.
    pub seq: u64,
    pub clock: Clock,
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
    pub usual: UsualCountries,
    pub keys: Keys,
    /// Steps for keys over all tenants, which the engine takes from here after each record.
    #[serde(skip)]
    pub across: Vec<AcrossStep>,
}

impl Tenant {
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.into(),
            seq: 0,
            clock: Clock::NEW,
            first_at: None,
            ledger: Ledger::default(),
            counters: Counters::default(),
            waiting: BTreeMap::new(),
            unclassified: BTreeMap::new(),
            trunks: BTreeSet::new(),
            usual: UsualCountries::default(),
            keys: Keys::new(name, false),
            across: Vec::new(),
        }
    }

    /// An extension, as the PBX writes it.
    pub(crate) fn extension(&mut self, name: &[u8]) -> Owner {
        Owner::named(name).unwrap_or_else(|| {
            let name = String::from_utf8_lossy(name);
            Owner::key(self.keys.key(ScopeKind::Extension, &name, self.clock.now()))
        })
    }

    pub(crate) fn moment(&self, settings: &Settings) -> Moment {
        let first = self.first_at.unwrap_or(EventTime::MAX);
        Moment {
            clock: self.clock.now(),
            learned_at: first.plus_seconds(settings.learning_seconds),
            seq: self.seq,
        }
    }

    /// Works the admitted steps through.
    pub(crate) fn flush(&mut self, settings: &Settings, alerts: &mut Vec<Alert>) {
        let moment = self.moment(settings);
        self.keys.flush(moment, settings, &mut self.counters, alerts);
    }

    /// With more keys than are kept, makes room for new ones.
    pub(crate) fn keep_within_limits(&mut self, settings: &Settings, alerts: &mut Vec<Alert>) {
        if self.keys.len() > settings.limits.keys as usize {
            self.flush(settings, alerts);
            let moment = self.moment(settings);
            self.keys.make_room(moment, settings, &mut self.counters, alerts);
        }
    }
}
