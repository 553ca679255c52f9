//! Keys that count over all tenants: a number, a range, a country, an address that several of them meet.
use crate::counters::Counters;
use crate::engine::{Alert, SnapshotError};
use crate::key::Step;
use crate::keys::{Keys, Moment};
use crate::reconfigure::Renaming;
use crate::settings::Settings;
use crate::state::{Kind, Parts, Writer};
use crate::tenant::AcrossStep;
use tollwatch_cdr::EventTime;

/// The name that stands for all tenants in incidents.
const ALL_TENANTS: &str = "*";

/// The keys over all tenants, with a clock of their own: the newest event time of any tenant that has told of a call.
#[derive(Clone, Debug)]
pub(crate) struct Across {
    keys: Keys,
    clock: EventTime,
    first_at: Option<EventTime>,
    seq: u64,
    counters: Counters,
}

impl Across {
    pub(crate) fn new() -> Self {
        Self {
            keys: Keys::new(ALL_TENANTS, true),
            clock: EventTime::MIN,
            first_at: None,
            seq: 0,
            counters: Counters::default(),
        }
    }

    pub(crate) fn keys(&self) -> &Keys {
        &self.keys
    }
    pub(crate) fn keys_mut(&mut self) -> &mut Keys {
        &mut self.keys
    }
    /// What the keys over all tenants had to let go. The calls themselves are counted by their tenants.
    pub(crate) fn counters(&self) -> &Counters {
        &self.counters
    }
    pub(crate) fn waiting_work(&self) -> usize {
        self.keys.waiting_work()
    }

    /// Takes what one record of a tenant has brought.
    pub(crate) fn take(
        &mut self,
        tenant: usize,
        steps: &mut Vec<AcrossStep>,
        settings: &Settings,
        alerts: &mut Vec<Alert>,
    ) {
        self.seq += 1;
        for AcrossStep { scope, mut toll } in steps.drain(..) {
            if toll.clock > self.clock {
                self.clock = toll.clock;
                self.first_at.get_or_insert(toll.clock);
                self.keys.moved(self.clock, self.seq);
            }
            if let Step::Begun(call) = &mut toll.step
                && call.placed_by().is_some()
            {
                // Extensions of two tenants with one number are two.
                call.extension ^= (tenant as u32).wrapping_mul(0x9e37_79b1);
            }
            toll.key = self.keys.key(scope.kind, &scope.value, self.clock);
            (toll.seq, toll.clock) = (self.seq, self.clock);
            self.keys.push(toll);
        }
        if self.keys.are_too_many(settings) {
            let moment = self.moment(settings);
            self.keys.make_room(moment, settings, &mut self.counters, alerts);
        }
    }

    /// Time has passed without a record.
    pub(crate) fn pass(&mut self, at: EventTime) {
        if at > self.clock && self.clock > EventTime::MIN {
            self.seq += 1;
            self.clock = at;
            self.keys.moved(at, self.seq);
        }
    }

    pub(crate) fn keep_changes(&mut self) {
        self.keys.keep_changes();
    }

    /// Writes what has changed, or everything.
    pub(crate) fn write(&mut self, settings: &Settings, writer: &mut Writer<'_>) {
        writer.put_if_changed(Kind::Names, &settings.rule_names());
        writer.put_if_changed(Kind::Head, &(self.clock, self.first_at, self.seq, &self.counters));
        self.keys.write(writer);
    }

    /// Reads back what was written.
    pub(crate) fn read(parts: &Parts<'_>, keep_changes: bool) -> Result<Self, SnapshotError> {
        let (clock, first_at, seq, counters) = parts.one(Kind::Head)?;
        Ok(Self { keys: Keys::read(ALL_TENANTS, true, parts, keep_changes)?, clock, first_at, seq, counters })
    }

    /// Goes on under other rules.
    pub(crate) fn reconfigure(&mut self, to: &Renaming<'_>, settings: &Settings, alerts: &mut Vec<Alert>) {
        let moment = self.moment(settings);
        self.keys.reconfigure(to, moment, settings, &mut self.counters, alerts);
    }

    pub(crate) fn flush(&mut self, settings: &Settings, alerts: &mut Vec<Alert>) {
        let moment = self.moment(settings);
        self.keys.flush(moment, settings, &mut self.counters, alerts);
    }

    fn moment(&self, settings: &Settings) -> Moment {
        let first = self.first_at.unwrap_or(EventTime::MAX);
        Moment { clock: self.clock, learned_at: first.plus_seconds(settings.learning_seconds), seq: self.seq }
    }
}
