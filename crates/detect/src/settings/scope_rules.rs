//! The rules of one kind of key, and the windows they need.
use crate::rule::Rule;
use crate::scope::ScopeKind;
use tollwatch_stats::{Traits, WindowSpec};

/// Bits that a call has or gains only under its key, so that nothing can be said of them before.
const OF_THE_KEY: Traits =
    Traits::NEW_COUNTRY.with(Traits::ARMED).with(Traits::SHORT_OR_FAILED).with(Traits::NOT_ALLOWED);

/// The rules that watch keys of one kind.
#[derive(Clone, Debug, Default)]
pub(crate) struct ScopeRules {
    /// Indices into all rules, ascending.
    pub rules: Vec<usize>,
    /// The windows whose running totals they need.
    pub specs: Vec<WindowSpec>,
    /// For each spec the (rule, threshold) pairs that it serves.
    pub by_spec: Vec<Vec<(usize, usize)>>,
    /// The longest of their windows, in seconds.
    pub longest_window: i64,
    /// What a call must at least be, for one of them to count it.
    wants: Vec<Traits>,
}

static NONE: ScopeRules = ScopeRules {
    rules: Vec::new(),
    specs: Vec::new(),
    by_spec: Vec::new(),
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
        for (index, rule) in all.iter_mut().enumerate() {
            if rule.scope != kind || rule.cross_tenant != cross_tenant {
                continue;
            }
            rule.find_specs(&mut own.specs);
            own.rules.push(index);
            own.longest_window = own.longest_window.max(rule.longest_window()).max(rule.arm_seconds);
            // What is new to a key shows only beside all that it calls.
            let all_countries = rule.traits.has(Traits::NEW_COUNTRY).then_some(Traits::INTERNATIONAL);
            own.wants.push(all_countries.unwrap_or(rule.traits.without(OF_THE_KEY)));
        }
        own.by_spec = vec![Vec::new(); own.specs.len()];
        for &index in &own.rules {
            let Some(rule) = all.get(index).filter(|rule| rule.measure.is_total()) else { continue };
            for (number, threshold) in rule.thresholds.iter().enumerate() {
                if let Some(served) = own.by_spec.get_mut(threshold.spec) {
                    served.push((index, number));
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
