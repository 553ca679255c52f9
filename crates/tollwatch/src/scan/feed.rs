//! Records on their way to the engine: whose they are.
use crate::config::Source;
use tollwatch_cdr::Record;
use tollwatch_detect::{Engine, TenantId};

/// The engine as the place where records go.
pub(super) struct Feed<'e> {
    engine: &'e mut Engine,
    /// File by file: tenant and PBX.
    inputs: Vec<(TenantId, u16)>,
}

impl<'e> Feed<'e> {
    pub(super) fn new<'s>(engine: &'e mut Engine, inputs: impl Iterator<Item = &'s Source>) -> Self {
        let inputs = inputs.map(|source| (engine.tenant(&source.tenant), source.system)).collect();
        Self { engine, inputs }
    }

    /// Takes in a record of the input at an index.
    pub(super) fn take(&mut self, input: usize, record: &Record<'_>) {
        let Some(&(mut tenant, system)) = self.inputs.get(input) else { return };
        let named = match record {
            Record::Cdr(cdr) => cdr.tenant,
            Record::CallEvent(event) => event.tenant,
        };
        if !named.is_empty() {
            tenant = self.engine.named_tenant(named).unwrap_or(tenant);
        }
        self.engine.observe(tenant, system, record);
    }

    /// How many tenants the records belong to, at most.
    pub(super) fn tenants(&self) -> usize {
        self.engine.tenants()
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
        let limits = "[limits]\ntenants = 3\n";
        let Config { settings, sources, .. } =
            Config::from_text(limits, "test", None, &Overrides::default()).unwrap();
        let own = settings.clone();
        let mut engine = Engine::new(settings).with_tenant("own", own);
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
        assert_eq!(event("south"), 3);
        assert_eq!(event("one more"), 3);
        assert_eq!(event("and another"), 3);
        assert_eq!(event("south"), 3, "who is known stays so");
        assert_eq!(event("own"), 4, "who has settings of its own is no invention");
        let counters = engine.counters();
        assert_eq!((counters.call_events, counters.tenants_turned_away), (8, 2));
    }
}
