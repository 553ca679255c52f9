//! One tenant: its clock, its ledger, its keys. Tenants share nothing.
use crate::calendar::KnownDays;
use crate::clock::Clock;
use crate::counters::Counters;
use crate::countries::UsualCountries;
use crate::engine::{Alert, SnapshotError};
use crate::key::Toll;
use crate::keys::{Keys, Moment};
use crate::ledger::Ledger;
use crate::owner::Owner;
use crate::reconfigure::{Renaming, look_up_again};
use crate::scope::{Scope, ScopeKind};
use crate::settings::Settings;
use crate::state::{Kind, Parts, Writer};
use crate::waiting::WaitingCalls;
use std::collections::{BTreeMap, BTreeSet};
use tollwatch_cdr::EventTime;

/// Bytes of the name of an extension, a trunk, an account, a tenant; of a number; of an id.
const LONGEST_NAME: usize = 128;

/// A step of a call on its way to a key that counts over all tenants.
#[derive(Clone, Debug)]
pub(crate) struct AcrossStep {
    pub scope: Scope,
    pub toll: Toll,
}

/// One tenant's state.
#[derive(Clone, Debug)]
pub(crate) struct Tenant {
    pub name: Box<str>,
    /// Records taken in so far.
    pub seq: u64,
    pub clock: Clock,
    /// First event time, from which the learning time counts.
    pub first_at: Option<EventTime>,
    pub ledger: Ledger,
    pub counters: Counters,
    /// Calls of which another record has still to say who is charged.
    pub waiting: WaitingCalls,
    /// Numbers that could not be classified, with their calls; the first thousand of them.
    pub unclassified: BTreeMap<Box<[u8]>, u64>,
    /// Names that calls went out by.
    pub trunks: BTreeSet<Box<[u8]>>,
    pub usual: UsualCountries,
    pub keys: Keys,
    /// Days whose hours are known by the settings. Never part of a snapshot.
    pub known_days: KnownDays,
    /// Steps for keys over all tenants, which the engine takes from here after each record.
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
            waiting: WaitingCalls::default(),
            unclassified: BTreeMap::new(),
            trunks: BTreeSet::new(),
            usual: UsualCountries::default(),
            keys: Keys::new(name, false),
            known_days: KnownDays::default(),
            across: Vec::new(),
        }
    }

    /// From now on changes are gathered for [`Tenant::write`].
    pub(crate) fn keep_changes(&mut self) {
        self.ledger.keep_changes();
        self.keys.keep_changes();
    }

    /// Writes what has changed, or everything. All admitted steps must have been worked through.
    pub(crate) fn write(&mut self, settings: &Settings, writer: &mut Writer<'_>) {
        writer.put_if_changed(Kind::Names, &settings.rule_names());
        let head = (&self.name, self.seq, self.clock, self.first_at, &self.counters);
        writer.put_if_changed(Kind::Head, &head);
        writer.put_if_changed(Kind::Waiting, &self.waiting);
        writer.put_if_changed(Kind::Unclassified, &self.unclassified);
        writer.put_if_changed(Kind::Trunks, &self.trunks);
        writer.put_if_changed(Kind::Usual, &self.usual);
        self.ledger.write(writer);
        self.keys.write(writer);
    }

    /// Reads back what was written.
    pub(crate) fn read(parts: &Parts<'_>, keep_changes: bool) -> Result<Self, SnapshotError> {
        let (name, seq, clock, first_at, counters): (Box<str>, _, _, _, _) = parts.one(Kind::Head)?;
        Ok(Self {
            seq,
            clock,
            first_at,
            ledger: Ledger::read(parts, keep_changes)?,
            counters,
            waiting: parts.one(Kind::Waiting)?,
            unclassified: parts.one(Kind::Unclassified)?,
            trunks: parts.one(Kind::Trunks)?,
            usual: parts.one(Kind::Usual)?,
            keys: Keys::read(&name, false, parts, keep_changes)?,
            known_days: KnownDays::default(),
            across: Vec::new(),
            name,
        })
    }

    /// An extension, as the PBX writes it.
    pub(crate) fn extension(&mut self, name: &[u8]) -> Owner {
        Owner::named(name).unwrap_or_else(|| {
            let name = String::from_utf8_lossy(head(name));
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

    /// Goes on under other rules.
    pub(crate) fn reconfigure(&mut self, to: &Renaming<'_>, settings: &Settings, alerts: &mut Vec<Alert>) {
        self.known_days = KnownDays::default();
        self.usual.rename(|country| to.rows.country(country));
        self.waiting.each_call(|stat| look_up_again(stat, settings));
        let moment = self.moment(settings);
        self.keys.reconfigure(to, moment, settings, &mut self.counters, alerts);
    }

    /// Works the admitted steps through.
    pub(crate) fn flush(&mut self, settings: &Settings, alerts: &mut Vec<Alert>) {
        let moment = self.moment(settings);
        self.keys.flush(moment, settings, &mut self.counters, alerts);
    }

    /// With more than is kept, makes room.
    pub(crate) fn keep_within_limits(&mut self, settings: &Settings, alerts: &mut Vec<Alert>) {
        if self.keys.are_too_many(settings) {
            let moment = self.moment(settings);
            self.keys.make_room(moment, settings, &mut self.counters, alerts);
        }
    }
}

/// As much of a name as is kept: no PBX has longer ones, but records are written by anybody who calls.
pub(crate) fn head(name: &[u8]) -> &[u8] {
    name.get(..LONGEST_NAME).unwrap_or(name)
}
