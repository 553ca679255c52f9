//! The rules of one kind of key, and the windows they need.
use crate::rule::{Measure, Rule};
use crate::scope::ScopeKind;
use tollwatch_stats::{Traits, WindowSpecs};

/// Bits that a call has or gains only under its key, so that nothing can be said of them before.
const OF_THE_KEY: Traits =
    Traits::NEW_COUNTRY.with(Traits::ARMED).with(Traits::SHORT_OR_FAILED).with(Traits::NOT_ALLOWED);

/// The rules that watch keys of one kind.
#[derive(Clone, Debug, Default)]
pub(crate) struct ScopeRules {
    /// Indices into all rules, ascending.
    pub rules: Vec<usize>,
    /// The windows whose running totals they need.
    pub specs: WindowSpecs,
    /// For each spec the thresholds that it serves.
    pub by_spec: Vec<Vec<Limit>>,
    /// The thresholds of measures that are no running total.
    pub around: Vec<Limit>,
    /// The longest of their windows, in seconds.
    pub longest_window: i64,
    /// What a call must at least be, for one of them to count it.
    wants: Vec<Traits>,
}

/// A threshold with all that is asked of it for each call, so that most are done with at one look.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit {
    /// Index of its rule.
    pub rule: usize,
    /// Which of the rule's thresholds it is.
    pub number: usize,
    pub measure: Measure,
    /// Which calls count.
    pub traits: Traits,
    /// Calls below which a ratio says nothing.
    pub minimum_attempts: u64,
    /// The lowest value that says anything.
    pub lowest: i64,
}

static NONE: ScopeRules = ScopeRules {
    rules: Vec::new(),
    specs: WindowSpecs::NONE,
    by_spec: Vec::new(),
    around: Vec::new(),
    longest_window: 0,
    wants: Vec::new(),
};

impl ScopeRules {
    pub(super) fn none() -> &'static Self {
        &NONE
    }

    /// The rules of `kind` among `all`; tells their thresholds which window serves them.
    pub(super) fn new(kind: ScopeKind, cross_tenant: bool, all: &mut [Rule]) -> Self {
        let mut own = Self::default();
        let mut specs = Vec::new();
        for (index, rule) in all.iter_mut().enumerate() {
            if rule.scope != kind || rule.cross_tenant != cross_tenant {
                continue;
            }
            rule.find_specs(&mut specs);
            own.rules.push(index);
            own.longest_window = own.longest_window.max(rule.longest_window()).max(rule.arm_seconds);
            // What is new to a key shows only beside all that it calls.
            let all_countries = rule.traits.has(Traits::NEW_COUNTRY).then_some(Traits::INTERNATIONAL);
            own.wants.push(all_countries.unwrap_or(rule.traits.without(OF_THE_KEY)));
        }
        own.by_spec = vec![Vec::new(); specs.len()];
        own.specs = WindowSpecs::new(specs);
        for &index in &own.rules {
            let Some(rule) = all.get(index) else { continue };
            for (number, threshold) in rule.thresholds.iter().enumerate() {
                let limit = Limit {
                    rule: index,
                    number,
                    measure: rule.measure,
                    traits: rule.traits,
                    minimum_attempts: rule.minimum_attempts,
                    lowest: threshold.lowest(),
                };
                if !rule.measure.is_total() {
                    own.around.push(limit);
                } else if let Some(served) = own.by_spec.get_mut(threshold.spec) {
                    served.push(limit);
                }
            }
        }
        own
    }

    /// Whether a call of these traits can count for any of them.
    pub(crate) fn wants(&self, traits: Traits) -> bool {
        self.wants.iter().any(|wanted| traits.has(*wanted))
    }
}
