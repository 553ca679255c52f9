//! The engine: tenants, batches, snapshots.
use crate::across::Across;
use crate::counters::Counters;
use crate::incident::Incident;
use crate::keys::Keys;
use crate::reconfigure::{NewRows, Renaming, Rows, RuleNames};
use crate::settings::Settings;
use crate::state::{Changes, Kind, Owner, Parts, Writer, Written, read};
use crate::tenant::{Tenant, head};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tollwatch_cdr::{EventTime, Record};

/// So many steps are gathered before they are worked through key by key.
const BATCH: usize = 8192;
/// First bytes of a snapshot, and the version of what follows. Whoever changes what is serialised raises it.
const MAGIC: &[u8; 8] = b"tollsnap";
const VERSION: u16 = 5;

/// A tenant of this engine, by the order in which they were named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TenantId(usize);

/// Why an alert goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlertReason {
    /// The incident begins.
    Opened,
    /// Its severity rose.
    Escalated,
    /// Its exposure is twice what the last alert said.
    ExposureDoubled,
    /// It is over.
    Resolved,
}

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Observed {
    /// It was taken in.
    Taken,
    /// It had been read before, and was dropped.
    Duplicate,
    /// A watched call came to be known by it that had begun longer ago than the windows reach back.
    Late,
}

/// A notification about an incident as it stood.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// Why it goes out.
    pub reason: AlertReason,
    /// Event time at which it became true.
    pub at: EventTime,
    /// The incident at that moment.
    pub incident: Box<Incident>,
}

impl Alert {
    /// An incident is over.
    pub(crate) fn of_the_end(incident: Incident, at: EventTime) -> Self {
        Self { reason: AlertReason::Resolved, at, incident: Box::new(incident) }
    }
}

/// A snapshot cannot be continued.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// Not a snapshot of this program.
    #[error("not a snapshot")]
    NotASnapshot,
    /// Written by another version.
    #[error("a snapshot of format {found}; this program reads format {VERSION}")]
    Version {
        /// The version it has.
        found: u16,
    },
    /// Damaged.
    #[error("the snapshot is damaged")]
    Damaged,
}

/// Takes records in, brings alerts and incidents out.
///
/// Pure: no clock, IO, threads or randomness. The same records in the same order give the same alerts and
/// incidents, however often [`Engine::flush`] is called and whether or not a snapshot lies between them.
#[derive(Debug)]
pub struct Engine {
    /// What all tenants run on that have no settings of their own; then those of the tenants that do.
    settings: Vec<Settings>,
    /// Which settings a tenant has of its own.
    own: BTreeMap<Box<str>, usize>,
    tenants: Vec<(Tenant, usize)>,
    by_name: BTreeMap<Box<str>, TenantId>,
    across: Across,
    /// Records that named a tenant beyond those that are kept.
    turned_away: u64,
    /// Steps that wait to be worked through, of all tenants together.
    waiting_work: usize,
    alerts: Vec<Alert>,
    /// What was written of the parts that are looked at each time; none where nobody asks for changes.
    written: Option<Written>,
}

impl Engine {
    /// An engine that has seen nothing.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings: vec![settings],
            own: BTreeMap::new(),
            tenants: Vec::new(),
            by_name: BTreeMap::new(),
            across: Across::new(),
            turned_away: 0,
            waiting_work: 0,
            alerts: Vec::new(),
            written: None,
        }
    }

    /// The same engine, with other settings for one tenant. To be said before its first record.
    #[must_use]
    pub fn with_tenant(mut self, name: &str, settings: Settings) -> Self {
        self.own.insert(name.into(), self.settings.len());
        self.settings.push(settings);
        self
    }

    /// What it runs on where a tenant has nothing of its own.
    pub fn settings(&self) -> &Settings {
        self.settings_at(0)
    }

    /// What a tenant runs on.
    pub fn settings_of(&self, tenant: &str) -> &Settings {
        self.settings_at(self.own.get(tenant).copied().unwrap_or_default())
    }

    fn settings_at(&self, index: usize) -> &Settings {
        #[expect(
            clippy::indexing_slicing,
            reason = "there is one from the start, and none is ever taken out"
        )]
        self.settings.get(index).unwrap_or(&self.settings[0])
    }

    /// Goes on under other settings, without losing what is remembered: windows are counted anew over the same calls,
    /// incidents go on under the rules of their names, and those of a rule that is gone are over.
    pub fn reconfigure(&mut self, settings: Settings, own: impl IntoIterator<Item = (String, Settings)>) {
        self.flush();
        let new =
            own.into_iter().fold(Self::new(settings), |engine, (name, own)| engine.with_tenant(&name, own));
        let names: Vec<RuleNames> =
            self.tenants.iter().map(|(_, index)| self.settings_at(*index).rule_names()).collect();
        let (across, rows) = (self.settings().rule_names(), Rows::of(self.settings().destinations()));
        (self.settings, self.own) = (new.settings, new.own);
        self.rename(&rows, &names, &across);
    }

    /// What was remembered under these names of rules and rows goes on under the present settings.
    fn rename(&mut self, rows: &Rows, names: &[RuleNames], across: &RuleNames) {
        let Some(common) = self.settings.first() else { return };
        let rows = NewRows::new(rows, common.destinations());
        for ((tenant, index), names) in self.tenants.iter_mut().zip(names) {
            *index = self.own.get(&tenant.name).copied().unwrap_or_default();
            let settings = self.settings.get(*index).unwrap_or(common);
            tenant.reconfigure(&Renaming::new(names, settings, &rows), settings, &mut self.alerts);
        }
        self.across.reconfigure(&Renaming::new(across, common, &rows), common, &mut self.alerts);
    }

    /// The tenant of a name; made if it is new.
    pub fn tenant(&mut self, name: &str) -> TenantId {
        if let Some(known) = self.by_name.get(name) {
            return *known;
        }
        let settings = self.own.get(name).copied().unwrap_or_default();
        let new = TenantId(self.tenants.len());
        let mut tenant = Tenant::new(name);
        if self.written.is_some() {
            tenant.keep_changes();
        }
        self.tenants.push((tenant, settings));
        self.by_name.insert(name.into(), new);
        new
    }

    /// The tenant that a record names, if it is known, has settings of its own, or is one of so many that `limits`
    /// says. A record of any other is counted as turned away.
    pub fn named_tenant(&mut self, name: &[u8]) -> Option<TenantId> {
        let name = String::from_utf8_lossy(head(name));
        let has_place = self.tenants.len() < self.settings().limits.tenants as usize;
        if has_place || self.by_name.contains_key(&*name) || self.own.contains_key(&*name) {
            return Some(self.tenant(&name));
        }
        self.turned_away += 1;
        None
    }

    /// How many tenants there are.
    pub fn tenants(&self) -> usize {
        self.tenants.len()
    }

    /// How many keys there are, of all tenants.
    pub fn keys(&self) -> usize {
        let tenants = self.tenants.iter().map(|(tenant, _)| &tenant.keys);
        tenants.chain([self.across.keys()]).map(Keys::len).sum()
    }

    /// Takes one record in, and says what became of it. `system` tells the PBXs of a tenant apart: records of one PBX
    /// from several sources (its CDRs and its live events) are joined, records of two PBXs never.
    pub fn observe(&mut self, tenant: TenantId, system: u16, record: &Record<'_>) -> Observed {
        let Some((state, settings)) = self.tenants.get_mut(tenant.0) else { return Observed::Taken };
        let Some(settings) = self.settings.get(*settings) else { return Observed::Taken };
        let waited = state.keys.waiting_work();
        let (duplicates, late) = (state.counters.duplicates, state.counters.late);
        state.admit(system, record, settings);
        let observed = if state.counters.duplicates > duplicates {
            Observed::Duplicate
        } else if state.counters.late > late {
            Observed::Late
        } else {
            Observed::Taken
        };
        state.keep_within_limits(settings, &mut self.alerts);
        self.waiting_work = (self.waiting_work + state.keys.waiting_work()).saturating_sub(waited);
        if !state.across.is_empty()
            && let Some(settings) = self.settings.first()
        {
            self.across.take(tenant.0, &mut state.across, settings, &mut self.alerts);
        }
        // What all tenants have waiting is bounded, however many they are.
        if self.waiting_work.max(self.across.waiting_work()) >= BATCH {
            self.flush();
        }
        observed
    }

    /// Time passes without a record: what is due by `at` happens. For live sources while their PBX is quiet; no record
    /// that is still to come should have been known before `at`, or it counts as one that came late.
    pub fn advance(&mut self, tenant: TenantId, at: EventTime) {
        let Some((state, settings)) = self.tenants.get_mut(tenant.0) else { return };
        if let (Some(own), Some(common)) = (self.settings.get(*settings), self.settings.first()) {
            state.pass(at, own);
            self.across.take(tenant.0, &mut state.across, common, &mut self.alerts);
        }
        self.across.pass(at);
    }

    /// Works through what was taken in, so that all alerts it causes are out.
    pub fn flush(&mut self) {
        for (tenant, settings) in &mut self.tenants {
            if let Some(settings) = self.settings.get(*settings) {
                tenant.flush(settings, &mut self.alerts);
            }
        }
        if let Some(settings) = self.settings.first() {
            self.across.flush(settings, &mut self.alerts);
        }
        self.waiting_work = 0;
    }

    /// The input has ended: what waited for more is concluded.
    pub fn finish(&mut self) {
        for (index, (tenant, settings)) in self.tenants.iter_mut().enumerate() {
            if let (Some(own), Some(common)) = (self.settings.get(*settings), self.settings.first()) {
                tenant.give_up_waiting(EventTime::MAX, own);
                self.across.take(index, &mut tenant.across, common, &mut self.alerts);
            }
        }
        self.flush();
    }

    /// The alerts since the last call, in the order of the records that caused them, tenant by tenant.
    pub fn take_alerts(&mut self) -> Vec<Alert> {
        std::mem::take(&mut self.alerts)
    }

    /// A tenant that is known, with what it runs on.
    pub(crate) fn of_tenant(&self, name: &str) -> Option<(&Tenant, &Settings)> {
        let (tenant, settings) = self.tenants.iter().find(|(tenant, _)| &*tenant.name == name)?;
        Some((tenant, self.settings_at(*settings)))
    }

    /// The keys over all tenants.
    pub(crate) fn across(&self) -> &Across {
        &self.across
    }

    /// All incidents, ongoing and over, in the order of their detection.
    pub fn incidents(&self) -> Vec<Incident> {
        let keys = self.tenants.iter().map(|(tenant, _)| &tenant.keys).chain([self.across.keys()]);
        let mut all: Vec<Incident> = Vec::new();
        for mut incidents in keys.map(Keys::incidents) {
            if all.is_empty() { all = incidents } else { all.append(&mut incidents) }
        }
        all.sort_by(|a, b| {
            let key = |i: &Incident| (i.detected_at, i.rule);
            key(a).cmp(&key(b)).then_with(|| (&a.tenant, &a.scope).cmp(&(&b.tenant, &b.scope)))
        });
        all
    }

    /// Hands over the incidents that are over, so that they need not be kept here.
    pub fn take_resolved(&mut self) -> Vec<Incident> {
        let tenants = self.tenants.iter_mut().map(|(tenant, _)| &mut tenant.keys);
        tenants.chain([self.across.keys_mut()]).flat_map(Keys::take_resolved).collect()
    }

    /// What was seen so far, all tenants together.
    pub fn counters(&self) -> Counters {
        let mut sum = Counters::default();
        for (tenant, _) in &self.tenants {
            sum.add(&tenant.counters);
        }
        sum.add(self.across.counters());
        sum.tenants_turned_away += self.turned_away;
        sum
    }

    /// Numbers that could not be classified, with their calls, most calls first. Private: redact them
    /// wherever others may read.
    pub fn unclassified(&self) -> Vec<(Vec<u8>, u64)> {
        let mut all: Vec<(Vec<u8>, u64)> = self
            .tenants
            .iter()
            .flat_map(|(tenant, _)| {
                tenant.unclassified.iter().map(|(number, calls)| (number.to_vec(), *calls))
            })
            .collect();
        all.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        all
    }

    /// The whole state, to be continued by [`Engine::restore`]. Alerts not yet taken are not part of it.
    pub fn snapshot(&mut self) -> Result<Vec<u8>, SnapshotError> {
        let mut parts = Changes::new();
        self.write(true, &mut Written::default(), &mut parts)?;
        postcard::to_extend(&parts, MAGIC.to_vec()).map_err(|_| SnapshotError::Damaged)
    }

    /// Goes on from a snapshot: `self` is a new engine. Under other rules than it was taken under, it goes on as
    /// [`Engine::reconfigure`] does.
    pub fn restore(self, snapshot: &[u8]) -> Result<Self, SnapshotError> {
        let rest = snapshot.strip_prefix(MAGIC).ok_or(SnapshotError::NotASnapshot)?;
        let parts: BTreeMap<&[u8], Option<&[u8]>> =
            postcard::from_bytes(rest).map_err(|_| SnapshotError::Damaged)?;
        self.read(parts.iter().filter_map(|(key, value)| Some((*key, (*value)?))), false)
    }

    /// From now on [`Engine::changes`] tells what has changed; the first time, everything.
    pub fn keep_changes(&mut self) {
        for (tenant, _) in &mut self.tenants {
            tenant.keep_changes();
        }
        self.across.keep_changes();
        self.written = Some(Written::default());
    }

    /// The parts of the state that have changed since the last call. All parts ever told, each at its latest value and
    /// without those that are gone, are the whole state, which [`Engine::resume`] goes on from.
    pub fn changes(&mut self) -> Result<Changes, SnapshotError> {
        let mut parts = Changes::new();
        let mut written = self.written.take().unwrap_or_default();
        let done = self.write(false, &mut written, &mut parts);
        self.written = Some(written);
        done.map(|()| parts)
    }

    /// Goes on from parts told by [`Engine::changes`], and keeps changes: `self` is a new engine. Under other rules it
    /// goes on as [`Engine::reconfigure`] does.
    pub fn resume<'p>(
        self,
        parts: impl IntoIterator<Item = (&'p [u8], &'p [u8])>,
    ) -> Result<Self, SnapshotError> {
        let mut engine = self.read(parts, true)?;
        engine.written = Some(Written::default());
        Ok(engine)
    }

    fn write(&mut self, all: bool, written: &mut Written, parts: &mut Changes) -> Result<(), SnapshotError> {
        self.flush();
        let (fingerprint, rows) = (self.fingerprint(), Rows::of(self.settings().destinations()));
        let mut head = Writer::new(Owner::ENGINE, all, written, parts);
        head.put_if_changed(Kind::Head, &(VERSION, fingerprint, self.turned_away));
        head.put_if_changed(Kind::Names, &rows);
        head.finish()?;
        for (number, (tenant, index)) in self.tenants.iter_mut().enumerate() {
            let mut writer = Writer::new(Owner(number as u32), all, written, parts);
            let settings =
                self.settings.get(*index).or(self.settings.first()).ok_or(SnapshotError::Damaged)?;
            tenant.write(settings, &mut writer);
            writer.finish()?;
        }
        let mut writer = Writer::new(Owner::ACROSS, all, written, parts);
        let common = self.settings.first().ok_or(SnapshotError::Damaged)?;
        self.across.write(common, &mut writer);
        writer.finish()
    }

    fn read<'p>(
        mut self,
        parts: impl IntoIterator<Item = (&'p [u8], &'p [u8])>,
        keep_changes: bool,
    ) -> Result<Self, SnapshotError> {
        let mut owners = Parts::by_owner(parts)?;
        let head = owners.remove(&Owner::ENGINE).ok_or(SnapshotError::Damaged)?;
        // The version stands first, so that it can be read whatever follows.
        let (found, rest): (u16, &[u8]) = head.start(Kind::Head)?;
        if found != VERSION {
            return Err(SnapshotError::Version { found });
        }
        let (fingerprint, turned_away): (u64, u64) = read(rest)?;
        self.turned_away = turned_away;
        let across = owners.remove(&Owner::ACROSS).ok_or(SnapshotError::Damaged)?;
        self.across = Across::read(&across, keep_changes)?;
        self.tenants = owners
            .values()
            .map(|parts| {
                let tenant = Tenant::read(parts, keep_changes)?;
                let own = self.own.get(&tenant.name).copied().unwrap_or_default();
                Ok((tenant, own))
            })
            .collect::<Result<_, SnapshotError>>()?;
        self.by_name = (0_usize..)
            .zip(&self.tenants)
            .map(|(index, (tenant, _))| (tenant.name.clone(), TenantId(index)))
            .collect();
        let rows: Rows = head.one(Kind::Names)?;
        if fingerprint != self.fingerprint() || rows != Rows::of(self.settings().destinations()) {
            let names = owners.values().map(|parts| parts.one(Kind::Names)).collect::<Result<Vec<_>, _>>()?;
            self.rename(&rows, &names, &across.one(Kind::Names)?);
        }
        Ok(self)
    }

    /// A fingerprint of the rules of all tenants.
    fn fingerprint(&self) -> u64 {
        let common = self.settings().fingerprint();
        self.own.iter().fold(common, |hash, (name, own)| {
            let of_name =
                name.bytes().fold(hash, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
            of_name ^ self.settings_at(*own).fingerprint().rotate_left(1)
        })
    }
}
