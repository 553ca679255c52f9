//! Records on their way to the engine: whose they are.
use crate::config::Source;
use std::collections::{BTreeSet, HashMap};
use tollwatch_cdr::Record;
use tollwatch_detect::{Engine, TenantId};

/// So many tenants are learned from records that name one. Beyond, a record is its source's.
const MOST_LEARNED: usize = 10_000;

/// The engine as the place where records go.
pub(super) struct Feed<'e> {
    engine: &'e mut Engine,
    /// File by file: tenant and PBX.
    inputs: Vec<(TenantId, u16)>,
    /// Tenants that records name.
    learned: HashMap<Box<[u8]>, TenantId>,
}

impl<'e> Feed<'e> {
    pub(super) fn new<'s>(engine: &'e mut Engine, inputs: impl Iterator<Item = &'s Source>) -> Self {
        let inputs = inputs.map(|source| (engine.tenant(&source.tenant), source.system)).collect();
        Self { engine, inputs, learned: HashMap::new() }
    }

    /// Takes in a record of the input at an index.
    pub(super) fn take(&mut self, input: usize, record: &Record<'_>) {
        let Some(&(mut tenant, system)) = self.inputs.get(input) else { return };
        let named = match record {
            Record::Cdr(cdr) => cdr.tenant,
            Record::CallEvent(event) => event.tenant,
        };
        if !named.is_empty() {
            tenant = self.tenant(named).unwrap_or(tenant);
        }
        self.engine.observe(tenant, system, record);
    }

    fn tenant(&mut self, name: &[u8]) -> Option<TenantId> {
        if let Some(&known) = self.learned.get(name) {
            return Some(known);
        }
        if self.learned.len() >= MOST_LEARNED {
            return None;
        }
        let tenant = self.engine.tenant(&String::from_utf8_lossy(name));
        self.learned.insert(name.into(), tenant);
        Some(tenant)
    }

    /// How many tenants the records belong to, at most.
    pub(super) fn tenants(&self) -> usize {
        let tenants = self.inputs.iter().map(|(tenant, _)| tenant).chain(self.learned.values());
        tenants.collect::<BTreeSet<_>>().len()
    }

    /// A scan shows incidents as they stand at its end; what led there is not kept.
    pub(super) fn drop_alerts(&mut self) {
        drop(self.engine.take_alerts());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Overrides};
    use tollwatch_cdr::{CallEvent, CallEventKind, EventTime, Leg, Outcome, Party};

    #[test]
    fn a_record_goes_to_the_tenant_it_names_until_there_are_too_many() {
        let Config { settings, sources, .. } = Config::load(None, &Overrides::default()).unwrap();
        let mut engine = Engine::new(settings);
        let mut feed = Feed::new(&mut engine, [sources.site()].into_iter());
        let mut event = |name: &str| {
            let target = Leg { id: b"PJSIP/trunk-1", party: Party::Peer(b"trunk") };
            let kind = CallEventKind::Ended { outcome: Outcome::NoAnswer };
            let at = EventTime::from_seconds(1);
            let event = CallEvent { at, target, call_id: b"", tenant: name.as_bytes(), kind };
            feed.take(0, &Record::CallEvent(event));
            feed.tenants()
        };
        assert_eq!(event(""), 1);
        assert_eq!(event("default"), 1, "the source's own name is the same tenant");
        assert_eq!(event("north"), 2);
        for learned in 2..MOST_LEARNED {
            event(&format!("tenant {learned}"));
        }
        assert_eq!(event("one more"), MOST_LEARNED);
        assert_eq!(engine.counters().call_events, MOST_LEARNED as u64 + 2);
    }
}
