//! Keys that count over all tenants: a number, a range, a country, an address that several of them meet.
use crate::counters::Counters;
use crate::engine::Alert;
use crate::key::Step;
use crate::keys::{Keys, Moment};
use crate::settings::Settings;
use crate::tenant::AcrossStep;
use serde::{Deserialize, Serialize};
use tollwatch_cdr::EventTime;

/// The name that stands for all tenants in incidents.
const ALL_TENANTS: &str = "*";

/// The keys over all tenants, with a clock of their own: the newest event time of any tenant that has told of a call.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Across {
    keys: Keys,
    clock: EventTime,
    first_at: Option<EventTime>,
    seq: u64,
}

impl Across {
    pub(crate) fn new() -> Self {
        Self { keys: Keys::new(ALL_TENANTS, true), clock: EventTime::MIN, first_at: None, seq: 0 }
    }

    pub(crate) fn keys(&self) -> &Keys {
        &self.keys
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
        if self.keys.len() > settings.limits.keys as usize {
            self.flush(settings, alerts);
            let moment = self.moment(settings);
            self.keys.make_room(moment, settings, &mut Counters::default(), alerts);
        }
    }

    pub(crate) fn flush(&mut self, settings: &Settings, alerts: &mut Vec<Alert>) {
        let moment = self.moment(settings);
        self.keys.flush(moment, settings, &mut Counters::default(), alerts);
    }

    fn moment(&self, settings: &Settings) -> Moment {
        let first = self.first_at.unwrap_or(EventTime::MAX);
        Moment { clock: self.clock, learned_at: first.plus_seconds(settings.learning_seconds), seq: self.seq }
    }
}
