//! The keys of a tenant: who they are, what they remember, and when they have something to do.
mod parts;
mod rules;

use crate::counters::Counters;
use crate::engine::Alert;
use crate::incident::Incident;
use crate::key::{KeyState, LetOut, Output, Step, Toll, View};
use crate::owner::{Charged, Owner};
use crate::scope::{Scope, ScopeKind, ScopeRef};
use crate::settings::Settings;
use crate::storm::Storms;
use foldhash::fast::FixedState;
use hashbrown::HashMap;
use parts::WrittenCalls;
use std::collections::BTreeSet;
use tollwatch_cdr::EventTime;

/// A key, by the order of its first call. A number is never given twice.
pub(crate) type KeyId = u32;

/// A key that has done nothing for so long, and remembers nothing, is let go. No leg speaks of it any more, and no
/// window of any key holds a call of it.
const IDLE_SECONDS: i64 = 16 * 86_400;

/// A key's name, and what it remembers if a watched call was ever put under it.
#[derive(Clone, Debug)]
struct Slot {
    scope: Scope,
    state: Option<Box<KeyState>>,
    /// It stands in the list of keys that have changed.
    changed: bool,
    /// The parts of its calls as they were last written.
    written: WrittenCalls,
}

/// What a name leads to.
#[derive(Clone, Copy, Debug)]
struct Named {
    id: KeyId,
    used_at: EventTime,
}

/// So many keys before its turn a key is looked at.
const KEYS_AHEAD: usize = 6;

/// When a key was last used is known to so many seconds.
const USE_SECONDS: i64 = 60;

impl Named {
    /// It is used; whether that is news.
    fn used(&mut self, clock: EventTime) -> (KeyId, bool) {
        let is_news = clock >= self.used_at.plus_seconds(USE_SECONDS);
        if is_news {
            self.used_at = clock;
        }
        (self.id, is_news)
    }
}

/// All keys, of one tenant or of the scopes that count over all tenants.
#[derive(Clone, Debug)]
pub(crate) struct Keys {
    tenant: Box<str>,
    across: bool,
    names: HashMap<Scope, Named, FixedState>,
    /// Names of a few characters, as almost all extensions have, without a pointer to follow.
    short_names: HashMap<u64, Named, FixedState>,
    slots: HashMap<KeyId, Slot, FixedState>,
    last: KeyId,
    due: BTreeSet<(EventTime, KeyId)>,
    forget_at: Option<EventTime>,
    /// Calls put under keys since all that is kept was last weighed.
    booked: u64,
    storms: Storms,
    over: Vec<Incident>,
    /// Steps admitted and not yet worked through. Never part of a snapshot.
    buffer: Vec<Toll>,
    /// Where in the order of records the clock moved since the last batch.
    moves: Vec<(EventTime, u64)>,
    /// Keys that have changed since it was last asked for, each once; none where nobody asks.
    changed: Option<Vec<KeyId>>,
    /// Parts with calls of keys that are gone.
    gone: Vec<(KeyId, i64)>,
}

/// Names of extensions by their number.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Names<'a>(&'a HashMap<KeyId, Slot, FixedState>);

impl<'a> Names<'a> {
    /// The extension of that number; none for a number of something else.
    pub(crate) fn extension(self, id: KeyId) -> Option<&'a str> {
        let slot = self.0.get(&id).filter(|slot| slot.scope.kind == ScopeKind::Extension)?;
        Some(&slot.scope.value)
    }
}

/// The moment at which a batch is worked through.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// The clock.
    pub clock: EventTime,
    /// When there have been records for long enough to tell what is new.
    pub learned_at: EventTime,
    /// Number of the last record taken in.
    pub seq: u64,
}

impl Keys {
    pub(crate) fn new(tenant: &str, across: bool) -> Self {
        Self {
            tenant: tenant.into(),
            across,
            names: HashMap::default(),
            short_names: HashMap::default(),
            slots: HashMap::default(),
            last: 0,
            due: BTreeSet::new(),
            forget_at: None,
            booked: 0,
            storms: Storms::default(),
            over: Vec::new(),
            buffer: Vec::new(),
            moves: Vec::new(),
            changed: None,
            gone: Vec::new(),
        }
    }

    pub(crate) fn names(&self) -> Names<'_> {
        Names(&self.slots)
    }

    /// The key of this name; made if it is new.
    pub(crate) fn key(&mut self, kind: ScopeKind, value: &str, clock: EventTime) -> KeyId {
        let scope = ScopeRef { kind, value };
        if let Some(short) = scope.packed() {
            return self.short_key(short, clock);
        }
        if let Some(named) = self.names.get_mut(&scope) {
            let (id, is_news) = named.used(clock);
            if is_news {
                self.has_changed(id);
            }
            return id;
        }
        let named = self.make(Scope::from(&scope), clock);
        self.names.insert(Scope::from(&scope), named);
        self.has_changed(named.id);
        named.id
    }

    /// The key of whoever is charged; none if it was let go.
    pub(crate) fn charged(&mut self, owner: Owner, clock: EventTime) -> Option<KeyId> {
        match owner.charged() {
            Charged::Extension(short) => Some(self.short_key(short, clock)),
            Charged::Key(id) => Some(id).filter(|id| self.contains(*id)),
        }
    }

    fn short_key(&mut self, short: u64, clock: EventTime) -> KeyId {
        if let Some(named) = self.short_names.get_mut(&short) {
            let (id, is_news) = named.used(clock);
            if is_news {
                self.has_changed(id);
            }
            return id;
        }
        let named = self.make(Scope::unpacked(short), clock);
        self.short_names.insert(short, named);
        self.has_changed(named.id);
        named.id
    }

    fn make(&mut self, scope: Scope, clock: EventTime) -> Named {
        self.last = self.last.saturating_add(1);
        let slot = Slot { scope, state: None, changed: false, written: WrittenCalls::default() };
        self.slots.insert(self.last, slot);
        Named { id: self.last, used_at: clock }
    }

    /// What the key of this name remembers, if there is such a key.
    pub(crate) fn find(&self, kind: ScopeKind, value: &str) -> Option<&KeyState> {
        let scope = ScopeRef { kind, value };
        let named = match scope.packed() {
            Some(short) => self.short_names.get(&short),
            None => self.names.get(&scope),
        };
        self.slots.get(&named?.id)?.state.as_deref()
    }
    /// How many keys there are.
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }
    /// Whether the key is still there.
    pub(crate) fn contains(&self, id: KeyId) -> bool {
        self.slots.contains_key(&id)
    }
    /// Puts a step of a call before its key.
    pub(crate) fn push(&mut self, toll: Toll) {
        self.booked += u64::from(matches!(toll.step, Step::Begun(_)));
        self.buffer.push(toll);
    }
    /// The clock has moved with the record `seq`.
    pub(crate) fn moved(&mut self, clock: EventTime, seq: u64) {
        self.moves.push((clock, seq));
    }
    /// How much a flush has to work through. Time that passes counts too: without a watched call for long, only the
    /// moves of the clock come; they are smaller by far.
    pub(crate) fn waiting_work(&self) -> usize {
        self.buffer.len().max(self.moves.len() / 8)
    }

    /// Works the admitted steps through, key by key, and lets out the alerts in the order of the records
    /// that caused them, however the records were cut into batches.
    pub(crate) fn flush(
        &mut self,
        moment: Moment,
        settings: &Settings,
        counters: &mut Counters,
        alerts: &mut Vec<Alert>,
    ) {
        let mut steps = std::mem::take(&mut self.buffer);
        // Grouped by key, so that a key's state is in the cache once for all its calls of the batch. They come in the
        // order of the records, and go so to each key.
        let mut turns: Vec<(KeyId, u32)> =
            steps.iter().zip(0..).map(|(toll, place)| (toll.key, place)).collect();
        turns.sort_unstable();
        let (mut order, mut out) = (Vec::<(u64, Alert)>::new(), Output::default());
        let by_key = || turns.chunk_by(|a, b| a.0 == b.0);
        let mut ahead = by_key().skip(KEYS_AHEAD);
        for of_key in by_key() {
            let Some(&(id, _)) = of_key.first() else { continue };
            std::hint::black_box(ahead.next().and_then(|of_key| self.touch(of_key.first()?.0)));
            // What is told of a call whose key was let go comes too late.
            counters.unsettled += if self.contains(id) { 0 } else { of_key.len() as u64 };
            self.with_key(id, moment, settings, |key, view| {
                for toll in of_key.iter().filter_map(|(_, place)| steps.get(*place as usize)) {
                    key.apply(toll, view, &mut out);
                }
                true
            });
            self.count(id, &mut out, counters);
            self.collect(moment, &mut out, &mut order);
        }
        // What a batch took the next one will, unless it was a busy moment.
        steps.shrink_to(4 * steps.len());
        steps.clear();
        self.buffer = steps;
        while let Some(&(due, id)) = self.due.first().filter(|(due, _)| *due <= moment.clock) {
            self.due.remove(&(due, id));
            self.with_key(id, moment, settings, |key, view| {
                key.advance(moment.clock, view, &mut out);
                true
            });
            self.count(id, &mut out, counters);
            self.collect(moment, &mut out, &mut order);
        }
        self.moves.clear();
        // Keys that nothing happens to any more let go of their calls too.
        if moment.clock > EventTime::MIN
            && moment.clock >= *self.forget_at.get_or_insert(moment.clock.plus_seconds(86_400))
        {
            self.forget_at = Some(moment.clock.plus_seconds(86_400));
            self.forget(moment, settings);
        }
        self.keep(out.resolved, settings, counters);
        order.sort_by(|(a_seq, a), (b_seq, b)| {
            a_seq.cmp(b_seq).then_with(|| {
                let of = |alert: &Alert| (alert.at, alert.incident.rule);
                of(a).cmp(&of(b)).then_with(|| a.incident.scope.cmp(&b.incident.scope))
            })
        });
        for (_, alert) in order {
            self.storms.take(alert, settings, counters, alerts);
        }
    }

    /// Looks at what a key remembers, so that it is in the cache when its turn comes.
    fn touch(&self, id: KeyId) -> Option<u64> {
        Some(self.slots.get(&id)?.state.as_ref()?.touch())
    }

    /// Does something with a key, which says whether it has changed, and sees to it that it is heard of when it is due
    /// next.
    fn with_key(
        &mut self,
        id: KeyId,
        moment: Moment,
        settings: &Settings,
        work: impl FnOnce(&mut KeyState, View<'_>) -> bool,
    ) {
        let Some(slot) = self.slots.get_mut(&id) else { return };
        let kind = slot.scope.kind;
        let mut state = match slot.state.take() {
            Some(state) => state,
            None => Box::new(KeyState::new(slot.scope.clone())),
        };
        let was_due = state.next_due();
        let view = View {
            settings,
            rules: settings.scope(kind, self.across),
            tenant: &self.tenant,
            names: Names(&self.slots),
            learned_at: moment.learned_at,
        };
        let has_changed = work(&mut state, view);
        let is_due = state.next_due();
        if let Some(was) = was_due.filter(|_| was_due != is_due) {
            self.due.remove(&(was, id));
        }
        self.due.extend(is_due.map(|due| (due, id)));
        if let Some(slot) = self.slots.get_mut(&id) {
            slot.state = Some(state);
        }
        if has_changed {
            self.has_changed(id);
        }
    }

    fn has_changed(&mut self, id: KeyId) {
        if let Some(changed) = &mut self.changed
            && let Some(slot) = self.slots.get_mut(&id).filter(|slot| !slot.changed)
        {
            slot.changed = true;
            changed.push(id);
        }
    }

    /// Counts what has become of calls, under the key that is charged and no other.
    fn count(&self, id: KeyId, out: &mut Output, counters: &mut Counters) {
        let (exposure, closed_for_age, unsettled) = (
            std::mem::take(&mut out.exposure),
            std::mem::take(&mut out.closed_for_age),
            std::mem::take(&mut out.unsettled),
        );
        let charged = |slot: &Slot| matches!(slot.scope.kind, ScopeKind::Extension | ScopeKind::Unattributed);
        if self.slots.get(&id).is_some_and(charged) {
            counters.exposure = counters.exposure.saturating_add(exposure);
            counters.closed_for_age += closed_for_age;
            counters.unsettled += unsettled;
        }
    }

    /// Gives each alert the number of the record that lets it out.
    fn collect(&self, moment: Moment, out: &mut Output, order: &mut Vec<(u64, Alert)>) {
        for (let_out, alert) in out.alerts.drain(..) {
            let seq = match let_out {
                LetOut::Record(seq) => seq,
                LetOut::Clock(due) => {
                    let at = self.moves.partition_point(|(clock, _)| *clock < due);
                    self.moves.get(at).map_or(moment.seq, |(_, seq)| *seq)
                }
            };
            order.push((seq, alert));
        }
    }

    /// Keeps incidents that are over, as many as the limit allows.
    fn keep(&mut self, over: Vec<Incident>, settings: &Settings, counters: &mut Counters) {
        let room = (settings.limits.incidents as usize).saturating_sub(self.over.len());
        counters.incidents_not_kept += over.len().saturating_sub(room) as u64;
        self.over.extend(over.into_iter().take(room));
    }

    /// When each key was last used, in the order of the keys.
    fn uses(&self) -> Vec<(KeyId, EventTime)> {
        let all = self.names.values().chain(self.short_names.values());
        let mut uses: Vec<_> = all.map(|named| (named.id, named.used_at)).collect();
        uses.sort_unstable();
        uses
    }

    /// Lets every key go of what is too old, and of itself if nothing is left.
    fn forget(&mut self, moment: Moment, settings: &Settings) {
        let idle_since = moment.clock.plus_seconds(-IDLE_SECONDS);
        let uses = self.uses();
        let mut ahead = uses.iter().skip(KEYS_AHEAD);
        for &(id, used_at) in &uses {
            std::hint::black_box(ahead.next().and_then(|(id, _)| self.touch(*id)));
            if self.slots.get(&id).is_some_and(|slot| slot.state.is_some()) {
                self.with_key(id, moment, settings, |key, view| key.forget(moment.clock, view));
            }
            let is_empty = |slot: &Slot| slot.state.as_ref().is_none_or(|state| state.is_empty());
            // What was used before there was a clock is as old as the clock.
            let is_idle = used_at > EventTime::MIN && used_at < idle_since;
            if is_idle && self.slots.get(&id).is_some_and(is_empty) {
                self.remove(id);
            }
        }
    }

    fn remove(&mut self, id: KeyId) -> Option<Slot> {
        let slot = self.slots.remove(&id)?;
        if let Some(changed) = &mut self.changed {
            changed.extend(Some(id).filter(|_| !slot.changed));
            self.gone.extend(slot.written.keys().map(|at| (id, *at)));
        }
        let scope = ScopeRef { kind: slot.scope.kind, value: &slot.scope.value };
        match scope.packed() {
            Some(short) => self.short_names.remove(&short),
            None => self.names.remove(&scope),
        };
        if let Some(due) = slot.state.as_ref().and_then(|state| state.next_due()) {
            self.due.remove(&(due, id));
        }
        Some(slot)
    }

    /// Whether there are more keys than the limit, or may be more calls: they are weighed each time that an eighth of
    /// the limit has come in. It depends on what was admitted alone, not on how far it has been worked through.
    pub(crate) fn are_too_many(&self, settings: &Settings) -> bool {
        let limits = settings.limits;
        self.slots.len() > limits.keys as usize || self.booked > u64::from(limits.calls) / 8
    }

    /// With more keys or calls than the limits, keys go that matter least: without an incident first, without a call
    /// in progress, and of these the ones used longest ago. A quarter goes at once, so that this is rare.
    pub(crate) fn make_room(
        &mut self,
        moment: Moment,
        settings: &Settings,
        counters: &mut Counters,
        alerts: &mut Vec<Alert>,
    ) {
        // What is weighed is what is left when all that is due has happened.
        self.flush(moment, settings, counters, alerts);
        self.forget(moment, settings);
        self.booked = 0;
        // The tenant's own key always stays, so what it holds is nobody's to make up for.
        let is_spare = |slot: &Slot| slot.scope.kind != ScopeKind::Tenant;
        let weight =
            |slot: &Slot| slot.state.as_ref().filter(|_| is_spare(slot)).map_or(0, |state| state.weight());
        let mut keys = excess(self.slots.len(), settings.limits.keys);
        let mut calls = excess(self.slots.values().map(weight).sum(), settings.limits.calls);
        if keys == 0 && calls == 0 {
            return;
        }
        let rank = |(id, used_at)| {
            let slot = self.slots.get(&id).filter(|slot| is_spare(slot))?;
            Some((importance(slot), used_at, id))
        };
        let mut ranks: Vec<(u8, EventTime, KeyId)> = self.uses().into_iter().filter_map(rank).collect();
        ranks.sort_unstable();
        for (_, _, id) in ranks {
            if keys == 0 && calls == 0 {
                break;
            }
            let Some(slot) = self.remove(id) else { continue };
            (keys, calls) = (keys.saturating_sub(1), calls.saturating_sub(weight(&slot)));
            counters.keys_let_go += 1;
            let ongoing: Vec<Incident> =
                slot.state.map_or_else(Vec::new, |state| state.into_ongoing().collect());
            for mut incident in ongoing {
                incident.resolved_at = Some(moment.clock);
                let alert = Alert::of_the_end(incident.clone(), moment.clock);
                self.storms.take(alert, settings, counters, alerts);
                self.keep(vec![incident], settings, counters);
            }
        }
    }

    /// The incidents that are over, which are not kept any longer; storms among them.
    pub(crate) fn take_resolved(&mut self) -> Vec<Incident> {
        let mut resolved = std::mem::take(&mut self.over);
        self.storms.mark(&mut resolved);
        resolved.extend(self.storms.take_over());
        resolved
    }

    /// All incidents, ongoing and over, in no order; storms among them, and what is folded into them says so.
    pub(crate) fn incidents(&self) -> Vec<Incident> {
        let states = || self.slots.values().filter_map(|slot| slot.state.as_ref());
        let ongoing = states().map(|state| state.ongoing().count()).sum::<usize>();
        // There may be many, and they are large: room is made for them once.
        let mut all: Vec<Incident> = Vec::with_capacity(self.over.len() + ongoing);
        all.extend(self.over.iter().chain(states().flat_map(|state| state.ongoing())).cloned());
        self.storms.fold_into(&mut all);
        all
    }
}

/// How much there is above three quarters of the limit, if it is above the limit.
fn excess(present: usize, limit: u32) -> usize {
    let limit = limit as usize;
    if present > limit { present - (limit - limit / 4) } else { 0 }
}

/// How much would be lost with a key.
fn importance(slot: &Slot) -> u8 {
    let Some(state) = &slot.state else { return 0 };
    let worst = state.ongoing().map(|incident| incident.severity).max();
    match worst {
        Some(crate::Severity::Critical) => 3,
        Some(crate::Severity::Warning) => 2,
        None => u8::from(state.has_open_calls()),
    }
}
