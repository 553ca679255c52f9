//! The calls of an incident one by one, for whoever has to show them to somebody.
use crate::engine::Engine;
use crate::incident::Incident;
use crate::keys::Names;
use tollwatch_cdr::EventTime;
use tollwatch_numbering::{DestinationId, E164, Money};
use tollwatch_stats::CallStat;

/// A call that counts towards an incident, as it stands. Private: it holds the called number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Which call it is, among those that began at the same time.
    pub call: u64,
    /// Id for people, as the PBX writes it.
    pub call_id: String,
    /// When it began.
    pub started_at: EventTime,
    /// Who is charged; none where nobody is known, and for calls that are counted over all tenants.
    pub extension: Option<String>,
    /// Where it went; none if nobody could read the number.
    pub number: Option<E164>,
    /// What the number belongs to, in the table of the settings.
    pub destination: Option<DestinationId>,
    /// Whether it was answered.
    pub answered: bool,
    /// Billable seconds, as far as they are known.
    pub billable_seconds: u32,
    /// Estimated charge.
    pub cost: Money,
}

impl Engine {
    /// The first `most` calls of an incident that are still remembered, oldest first. What a hot key has folded has no
    /// calls any more, and a storm has none of its own. All records must have been worked through ([`Engine::flush`]).
    pub fn evidence(&self, incident: &Incident, most: usize) -> Vec<Evidence> {
        let (keys, settings) = match self.of_tenant(&incident.tenant) {
            Some((tenant, settings)) => (&tenant.keys, settings),
            None => (self.across().keys(), self.settings()),
        };
        let Some(key) = keys.find(incident.scope.kind, &incident.scope.value) else { return Vec::new() };
        let calls = key.calls();
        let first = calls.partition_point(|call| call.first_at <= incident.window_from);
        calls
            .range(first..)
            .filter(|call| !call.is_pane() && incident.holds(settings, call))
            .take(most)
            .map(|call| Evidence::of(call, keys.names()))
            .collect()
    }
}

impl Evidence {
    fn of(call: &CallStat, names: Names<'_>) -> Self {
        let destination = Some(call.destination).filter(|row| *row != CallStat::NO_DESTINATION);
        Self {
            call: call.call,
            call_id: String::from_utf8_lossy(&call.call_id).into_owned(),
            started_at: call.first_at,
            extension: call.placed_by().and_then(|id| names.extension(id)).map(str::to_owned),
            number: E164::from_value(call.number),
            destination: destination.map(DestinationId),
            answered: call.answered > 0,
            billable_seconds: call.billable_seconds,
            cost: call.cost,
        }
    }
}
