//! The engine: tenants, batches, snapshots.
use crate::across::Across;
use crate::counters::Counters;
use crate::incident::Incident;
use crate::keys::Keys;
use crate::settings::Settings;
use crate::tenant::Tenant;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tollwatch_cdr::{EventTime, Record};

/// So many steps are gathered before they are worked through key by key.
const BATCH: usize = 8192;
/// First bytes of a snapshot, and the version of what follows. Whoever changes what is serialised raises it.
const MAGIC: &[u8; 8] = b"tollsnap";
const VERSION: u16 = 3;

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
    /// The rules have changed, so its windows are others.
    #[error("the rules are not those that the snapshot was taken under")]
    OtherRules,
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
    across: Across,
    alerts: Vec<Alert>,
}

/// A snapshot, as it is read back.
#[derive(Deserialize)]
struct State {
    tenants: Vec<Tenant>,
    across: Across,
}

impl Engine {
    /// An engine that has seen nothing.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings: vec![settings],
            own: BTreeMap::new(),
            tenants: Vec::new(),
            across: Across::new(),
            alerts: Vec::new(),
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

    /// The tenant of a name; made if it is new.
    pub fn tenant(&mut self, name: &str) -> TenantId {
        TenantId(self.tenants.iter().position(|(tenant, _)| &*tenant.name == name).unwrap_or_else(|| {
            let settings = self.own.get(name).copied().unwrap_or_default();
            self.tenants.push((Tenant::new(name), settings));
            self.tenants.len() - 1
        }))
    }

    /// Takes one record in. `system` tells the PBXs of a tenant apart: records of one PBX from several
    /// sources (its CDRs and its live events) are joined, records of two PBXs never.
    pub fn observe(&mut self, tenant: TenantId, system: u16, record: &Record<'_>) {
        let Some((state, settings)) = self.tenants.get_mut(tenant.0) else { return };
        let Some(settings) = self.settings.get(*settings) else { return };
        state.admit(system, record, settings);
        state.keep_within_limits(settings, &mut self.alerts);
        if state.keys.waiting_work() >= BATCH {
            state.flush(settings, &mut self.alerts);
        }
        if !state.across.is_empty()
            && let Some(settings) = self.settings.first()
        {
            self.across.take(tenant.0, &mut state.across, settings, &mut self.alerts);
            if self.across.waiting_work() >= BATCH {
                self.across.flush(settings, &mut self.alerts);
            }
        }
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

    /// All incidents, ongoing and over, in the order of their detection.
    pub fn incidents(&self) -> Vec<Incident> {
        let keys = self.tenants.iter().map(|(tenant, _)| &tenant.keys).chain([self.across.keys()]);
        let mut all: Vec<Incident> = keys.flat_map(Keys::incidents).collect();
        all.sort_by(|a, b| {
            let key = |i: &Incident| (i.detected_at, i.rule);
            key(a).cmp(&key(b)).then_with(|| (&a.tenant, &a.scope).cmp(&(&b.tenant, &b.scope)))
        });
        all
    }

    /// What was seen so far, all tenants together.
    pub fn counters(&self) -> Counters {
        let mut sum = Counters::default();
        for (tenant, _) in &self.tenants {
            sum.add(&tenant.counters);
        }
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
        self.flush();
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&VERSION.to_be_bytes());
        bytes.extend_from_slice(&self.fingerprint().to_be_bytes());
        let tenants: Vec<&Tenant> = self.tenants.iter().map(|(tenant, _)| tenant).collect();
        postcard::to_extend(&(tenants, &self.across), bytes).map_err(|_| SnapshotError::Damaged)
    }

    /// Goes on from a snapshot taken under the same rules: `self` is a new engine with them.
    pub fn restore(mut self, snapshot: &[u8]) -> Result<Self, SnapshotError> {
        let rest = snapshot.strip_prefix(MAGIC).ok_or(SnapshotError::NotASnapshot)?;
        let (version, rest) = rest.split_first_chunk::<2>().ok_or(SnapshotError::Damaged)?;
        let found = u16::from_be_bytes(*version);
        if found != VERSION {
            return Err(SnapshotError::Version { found });
        }
        let (fingerprint, rest) = rest.split_first_chunk::<8>().ok_or(SnapshotError::Damaged)?;
        if u64::from_be_bytes(*fingerprint) != self.fingerprint() {
            return Err(SnapshotError::OtherRules);
        }
        let state: State = postcard::from_bytes(rest).map_err(|_| SnapshotError::Damaged)?;
        let with_own = |tenant: Tenant| {
            let own = self.own.get(&tenant.name).copied().unwrap_or_default();
            (tenant, own)
        };
        self.tenants = state.tenants.into_iter().map(with_own).collect();
        self.across = state.across;
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
