//! The engine: tenants, batches, snapshots.
use crate::counters::Counters;
use crate::incident::Incident;
use crate::settings::Settings;
use crate::tenant::Tenant;
use serde::{Deserialize, Serialize};
use tollwatch_cdr::{EventTime, Record};

/// So many steps are gathered before they are worked through key by key.
const BATCH: usize = 8192;
/// First bytes of a snapshot, and the version of what follows.
const MAGIC: &[u8; 8] = b"tollsnap";
const VERSION: u16 = 2;

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
    settings: Settings,
    tenants: Vec<Tenant>,
    alerts: Vec<Alert>,
}

impl Engine {
    /// An engine that has seen nothing.
    pub fn new(settings: Settings) -> Self {
        Self { settings, tenants: Vec::new(), alerts: Vec::new() }
    }

    /// What it runs on.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The tenant of a name; made if it is new.
    pub fn tenant(&mut self, name: &str) -> TenantId {
        TenantId(self.tenants.iter().position(|tenant| &*tenant.name == name).unwrap_or_else(|| {
            self.tenants.push(Tenant::new(name));
            self.tenants.len() - 1
        }))
    }

    /// Takes one record in. `system` tells the PBXs of a tenant apart: records of one PBX from several
    /// sources (its CDRs and its live events) are joined, records of two PBXs never.
    pub fn observe(&mut self, tenant: TenantId, system: u16, record: &Record<'_>) {
        let Some(tenant) = self.tenants.get_mut(tenant.0) else { return };
        tenant.admit(system, record, &self.settings);
        if tenant.buffer.len() >= BATCH {
            tenant.flush(&self.settings, &mut self.alerts);
        }
    }

    /// Works through what was taken in, so that all alerts it causes are out.
    pub fn flush(&mut self) {
        for tenant in &mut self.tenants {
            tenant.flush(&self.settings, &mut self.alerts);
        }
    }

    /// The input has ended: what waited for more is concluded.
    pub fn finish(&mut self) {
        for tenant in &mut self.tenants {
            tenant.give_up_waiting(EventTime::MAX, &self.settings);
        }
        self.flush();
    }

    /// The alerts since the last call, in the order of the records that caused them, tenant by tenant.
    pub fn take_alerts(&mut self) -> Vec<Alert> {
        std::mem::take(&mut self.alerts)
    }

    /// All incidents, ongoing and over, in the order of their detection.
    pub fn incidents(&self) -> Vec<&Incident> {
        let mut all: Vec<&Incident> =
            self.tenants.iter().flat_map(|tenant| tenant.resolved.iter().chain(tenant.ongoing())).collect();
        all.sort_by(|a, b| {
            let key = |i: &Incident| (i.detected_at, i.rule);
            key(a).cmp(&key(b)).then_with(|| (&a.tenant, &a.scope).cmp(&(&b.tenant, &b.scope)))
        });
        all
    }

    /// What was seen so far, all tenants together.
    pub fn counters(&self) -> Counters {
        let mut sum = Counters::default();
        for tenant in &self.tenants {
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
            .flat_map(|tenant| tenant.unclassified.iter().map(|(number, calls)| (number.to_vec(), *calls)))
            .collect();
        all.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        all
    }

    /// The whole state, to be continued by [`Engine::restore`]. Alerts not yet taken are not part of it.
    pub fn snapshot(&mut self) -> Result<Vec<u8>, SnapshotError> {
        self.flush();
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&VERSION.to_be_bytes());
        bytes.extend_from_slice(&self.settings.fingerprint().to_be_bytes());
        postcard::to_extend(&self.tenants, bytes).map_err(|_| SnapshotError::Damaged)
    }

    /// Goes on from a snapshot taken under the same rules.
    pub fn restore(settings: Settings, snapshot: &[u8]) -> Result<Self, SnapshotError> {
        let rest = snapshot.strip_prefix(MAGIC).ok_or(SnapshotError::NotASnapshot)?;
        let (version, rest) = rest.split_first_chunk::<2>().ok_or(SnapshotError::Damaged)?;
        let found = u16::from_be_bytes(*version);
        if found != VERSION {
            return Err(SnapshotError::Version { found });
        }
        let (fingerprint, rest) = rest.split_first_chunk::<8>().ok_or(SnapshotError::Damaged)?;
        if u64::from_be_bytes(*fingerprint) != settings.fingerprint() {
            return Err(SnapshotError::OtherRules);
        }
        let tenants = postcard::from_bytes(rest).map_err(|_| SnapshotError::Damaged)?;
        Ok(Self { settings, tenants, alerts: Vec::new() })
    }
}
