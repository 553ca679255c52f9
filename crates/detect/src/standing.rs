//! How a key stands against its rules at a moment, for whoever asks.
use crate::engine::Engine;
use crate::key::KeyState;
use crate::scope::ScopeKind;
use crate::settings::{ScopeRules, Settings};
use tollwatch_cdr::EventTime;

/// One threshold of one rule, and what is measured now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Index of the rule in [`Settings::rules`].
    pub rule: usize,
    /// Index of the threshold in the rule.
    pub threshold: usize,
    /// What is measured: a count, seconds, or micro-units of money. `None` where it cannot be told from the calls alone.
    pub value: Option<i64>,
}

impl Engine {
    /// How a key stands against each threshold of its rules, and the event time at which the windows end. `None` if the
    /// tenant is not known.
    pub fn standing(
        &mut self,
        tenant: &str,
        kind: ScopeKind,
        value: &str,
    ) -> Option<(EventTime, Vec<Standing>)> {
        self.flush();
        let (state, settings) = self.of_tenant(tenant)?;
        let clock = state.clock.now();
        let rules = settings.scope(kind, false);
        Some((clock, all(state.keys.find(kind, value), rules, settings, clock)))
    }
}

fn all(key: Option<&KeyState>, rules: &ScopeRules, settings: &Settings, clock: EventTime) -> Vec<Standing> {
    let rules = rules.rules.iter().filter_map(|index| Some((*index, settings.rules.get(*index)?)));
    let each =
        rules.flat_map(|(index, rule)| (0..rule.thresholds.len()).map(move |number| (index, rule, number)));
    each.map(|(index, rule, number)| {
        let seconds = rule.thresholds.get(number).map_or(0, |threshold| threshold.seconds);
        let value = match key {
            Some(key) => key.value_now(rule, seconds, clock),
            None => rule.measure.is_total().then_some(0),
        };
        Standing { rule: index, threshold: number, value }
    })
    .collect()
}
