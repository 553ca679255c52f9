//! Booking: a watched call goes under the keys it belongs to, once it is known who is charged.
use crate::admit::Telling;
use crate::incident::DetectedOn;
use crate::key::{Step, Toll};
use crate::keys::KeyId;
use crate::ledger::{LegEntry, LegKey, Watchers};
use crate::owner::Owner;
use crate::scope::{Scope, ScopeKind};
use crate::settings::Settings;
use crate::tenant::{AcrossStep, Tenant, head};
use crate::waiting::Waiting;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use tollwatch_cdr::EventTime;
use tollwatch_stats::{CallStat, Traits};

/// A call over a trunk, as a CDR or a start event tells of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct NewCall<'r> {
    pub leg: LegKey,
    pub trunk: Cow<'r, str>,
    /// Empty unless a rule asks for it.
    pub account: Cow<'r, str>,
    /// Empty unless a rule asks for it.
    pub source_address: Cow<'r, str>,
    pub seq: u64,
    pub known_at: EventTime,
    pub stat: CallStat,
}

impl NewCall<'_> {
    /// The same when the record is gone.
    pub(crate) fn kept(self) -> NewCall<'static> {
        let kept = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        NewCall {
            trunk: kept(self.trunk),
            account: kept(self.account),
            source_address: kept(self.source_address),
            ..self
        }
    }
}

impl Tenant {
    /// A call to be booked.
    pub(crate) fn new_call<'r>(
        &self,
        leg: LegKey,
        telling: &Telling<'r>,
        trunk: &'r [u8],
        stat: CallStat,
        settings: &Settings,
    ) -> NewCall<'r> {
        let wanted = |kind, field: &'r [u8]| {
            let is_wanted =
                !settings.scope(kind, false).rules.is_empty() || !settings.scope(kind, true).rules.is_empty();
            if is_wanted { text(field) } else { Cow::default() }
        };
        NewCall {
            leg,
            trunk: text(trunk),
            account: wanted(ScopeKind::Account, telling.account),
            source_address: wanted(ScopeKind::SourceAddress, telling.source_address),
            seq: self.seq,
            known_at: telling.known_at,
            stat,
        }
    }

    /// Puts a call that waited under the keys it belongs to, and what happened to it meanwhile.
    pub(crate) fn book_waiting(&mut self, waiting: Waiting, owner: Option<Owner>, settings: &Settings) {
        let leg = waiting.call.leg;
        let key = self.book(waiting.call, owner, settings);
        for (known_at, on, step) in waiting.later {
            self.push(leg, key, known_at, on, step);
        }
    }

    /// Puts a watched call under the keys it belongs to; the one of who is charged.
    pub(crate) fn book(&mut self, mut call: NewCall<'_>, owner: Option<Owner>, settings: &Settings) -> KeyId {
        let clock = self.clock.now();
        let extension = owner.and_then(|owner| self.keys.charged(owner, clock));
        let key = extension.unwrap_or_else(|| {
            self.counters.unattributed += 1;
            self.keys.key(ScopeKind::Unattributed, &call.trunk, clock)
        });
        let owner = owner.filter(|_| extension.is_some()).unwrap_or(Owner::key(key));
        self.counters.watched += 1;
        if call.stat.traits.has(Traits::HIGH_RISK) {
            self.counters.high_risk += 1;
        }
        let retention = settings.retention_seconds(settings.scope(ScopeKind::Extension, false));
        if call.stat.first_at < clock.plus_seconds(-retention) {
            self.counters.late += 1;
        }
        self.complete(&mut call.stat, extension, settings);
        let stat = &call.stat;
        let live = stat.is_open();
        let begun = LegEntry {
            owner: None,
            started_at: stat.first_at,
            ended_at: stat.ended_at,
            billable_seconds: stat.billable_seconds,
            watched_by: None,
            live,
        };
        let known = self.ledger.leg(call.leg).copied().filter(|known| known.started_at == stat.first_at);
        let entry = LegEntry { owner: Some(owner), watched_by: Some(key), ..known.unwrap_or(begun) };
        self.ledger.put_leg(call.leg, entry);
        let watchers = self.watchers_of(&call, settings);
        if watchers != Watchers::default() {
            self.ledger.put_watchers(call.leg, call.stat.first_at, watchers);
        }
        let on = if live { DetectedOn::Start } else { DetectedOn::Cdr };
        self.push(call.leg, key, call.known_at, on, Step::Begun(call.stat));
        key
    }

    /// Says of a call what depends on who placed it, and learns from it.
    fn complete(&mut self, stat: &mut CallStat, owner: Option<KeyId>, settings: &Settings) {
        stat.extension = owner.unwrap_or_default();
        let is_allowed = !settings.allowed.is_empty() && {
            let extension = owner.and_then(|owner| self.keys.names().extension(owner));
            settings.allowed.holds(extension, stat.number, stat.first_at, &settings.calendar)
        };
        if is_allowed {
            self.counters.allowed += 1;
            // The operator vouches for it: what it costs counts as any other call's does, not as fraud's.
            stat.traits = stat.traits.without(Traits::HIGH_RISK);
        } else {
            stat.traits = stat.traits.with(Traits::NOT_ALLOWED);
        }
        let country = Some(stat.country).filter(|country| *country != CallStat::NO_DESTINATION);
        let is_usual = |country| self.usual.is_usual(country, stat.first_at, settings.usual_country_days);
        if !country.is_some_and(is_usual) {
            stat.traits = stat.traits.with(Traits::UNUSUAL);
        }
        if let Some(country) =
            country.filter(|_| stat.traits.has(Traits::INTERNATIONAL.with(Traits::BUSINESS_HOURS)))
        {
            self.usual.learn(country, stat.first_at);
        }
    }

    /// The keys beside the owner's that rules ask for.
    fn watchers_of(&mut self, call: &NewCall<'_>, settings: &Settings) -> Watchers {
        let mut watchers = Watchers::default();
        for &(kind, across) in settings.scopes_beside() {
            if !settings.scope(kind, across).wants(call.stat.traits) {
                continue;
            }
            let Some(value) = value_of(kind, &self.name, call, settings) else { continue };
            if across {
                watchers.across.push(Scope { kind, value: value.into() });
            } else {
                watchers.keys.push(self.keys.key(kind, &value, self.clock.now()));
            }
        }
        watchers
    }

    /// Puts a step before all keys that the call stands under.
    pub(crate) fn push(&mut self, leg: LegKey, key: KeyId, known_at: EventTime, on: DetectedOn, step: Step) {
        let (seq, clock) = (self.seq, self.clock.now());
        if let Some(watchers) = self.ledger.watchers(leg) {
            for &key in &watchers.keys {
                self.keys.push(Toll { key, seq, clock, known_at, on, step: step.clone() });
            }
            for scope in &watchers.across {
                let toll = Toll { key: 0, seq, clock, known_at, on, step: step.clone() };
                self.across.push(AcrossStep { scope: scope.clone(), toll });
            }
        }
        self.keys.push(Toll { key, seq, clock, known_at, on, step });
    }
}

/// What a call has for a kind of scope; none if it has nothing.
fn value_of<'c>(
    kind: ScopeKind,
    tenant: &'c str,
    call: &'c NewCall<'_>,
    settings: &'c Settings,
) -> Option<Cow<'c, str>> {
    let value: Cow<'c, str> = match kind {
        ScopeKind::Tenant => tenant.into(),
        ScopeKind::Trunk => (&*call.trunk).into(),
        ScopeKind::CalledNumber => call.stat.called_number()?.to_string().into(),
        ScopeKind::CalledRange => call.stat.range()?.to_string().into(),
        ScopeKind::Country => {
            let destination = settings.destination(call.stat.destination)?;
            let code = if destination.iso2.is_empty() { &destination.name_en } else { &destination.iso2 };
            code.into()
        }
        ScopeKind::SourceAddress => (&*call.source_address).into(),
        ScopeKind::Account => (&*call.account).into(),
        ScopeKind::Extension | ScopeKind::Unattributed => return None,
    };
    Some(value).filter(|value| !value.is_empty())
}

fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(head(bytes))
}
