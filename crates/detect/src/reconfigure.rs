//! Going on under other rules, another table of destinations or other rates, without losing what is remembered.
//!
//! The calls in the windows stay; what follows from the rules is found anew: which windows there are, what kind of call
//! each is. Incidents go on by the names of their rules; those of a rule that is gone are over. What was charged stays as
//! it was charged. No rule looks again at calls known before: it speaks with the next call.
use crate::settings::Settings;
use crate::storm::NO_RULE;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use tollwatch_numbering::{Destination, DestinationId, Destinations, E164};
use tollwatch_stats::CallStat;

/// The number of a rule that the configuration does not have any more.
pub(crate) const GONE_RULE: usize = usize::MAX - 1;

/// Names of the rules, by the numbers that incidents have.
pub(crate) type RuleNames = Vec<String>;

/// Rows of the table of destinations, by the numbers that calls and incidents have.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Rows(Vec<(String, u16)>);

impl Rows {
    pub(crate) fn of(table: &Destinations) -> Self {
        Self(table.iter().map(|(_, row)| (row.prefix.clone(), row.country())).collect())
    }
}

/// From the numbers of a table of destinations to those of another. Nothing is there if the tables are the same.
#[derive(Debug, Default)]
pub(crate) struct NewRows {
    rows: HashMap<u16, u16>,
    countries: HashMap<u16, u16>,
}

impl NewRows {
    pub(crate) fn new(before: &Rows, after: &Destinations) -> Self {
        let mut new = Self::default();
        if *before == Rows::of(after) {
            return new;
        }
        let by_prefix: HashMap<&str, (u16, u16)> =
            after.iter().map(|(id, row)| (&*row.prefix, (id.0, row.country()))).collect();
        for (old, (prefix, country)) in before.0.iter().enumerate() {
            // A row that is gone lies within one with fewer digits, if anywhere.
            let found = (1..=prefix.len()).rev().find_map(|digits| by_prefix.get(prefix.get(..digits)?));
            let none = (CallStat::NO_DESTINATION, CallStat::NO_DESTINATION);
            let (row, new_country) = found.copied().unwrap_or(none);
            new.rows.insert(old as u16, row);
            // The first row of a country stands for it.
            new.countries.entry(*country).or_insert(new_country);
        }
        new
    }

    pub(crate) fn is_same(&self) -> bool {
        self.rows.is_empty()
    }

    /// The number of what was the country `old`.
    pub(crate) fn country(&self, old: u16) -> u16 {
        if self.is_same() {
            old
        } else {
            self.countries.get(&old).copied().unwrap_or(CallStat::NO_DESTINATION)
        }
    }

    /// Calls by row, under the new numbers.
    pub(crate) fn calls_by_row(&self, calls: &mut BTreeMap<u16, u64>) {
        if self.is_same() {
            return;
        }
        for (old, count) in std::mem::take(calls) {
            let row = self.rows.get(&old).copied().unwrap_or(CallStat::NO_DESTINATION);
            let sum = calls.entry(row).or_default();
            *sum = sum.saturating_add(count);
        }
    }
}

/// What has become of the numbers that a tenant's state speaks in.
#[derive(Debug)]
pub(crate) struct Renaming<'r> {
    /// From the old number of a rule to the new one.
    rules: Vec<Option<usize>>,
    pub(crate) rows: &'r NewRows,
}

impl<'r> Renaming<'r> {
    pub(crate) fn new(before: &RuleNames, after: &Settings, rows: &'r NewRows) -> Self {
        let find = |name: &String| after.rules().iter().position(|rule| rule.name == *name);
        Self { rules: before.iter().map(find).collect(), rows }
    }

    /// The number of what was the rule `old`.
    pub(crate) fn rule(&self, old: usize) -> usize {
        if old == NO_RULE { old } else { self.rules.get(old).copied().flatten().unwrap_or(GONE_RULE) }
    }
}

/// Finds anew what kind of call it is.
pub(crate) fn look_up_again(call: &mut CallStat, settings: &Settings) {
    if call.is_pane() || call.number == 0 {
        return;
    }
    let (destination, traits) = settings.kind_of(E164::from_value(call.number));
    let forwarding = tollwatch_stats::Traits::FORWARDING_CODE;
    if !call.traits.has(forwarding) {
        call.traits = call.traits.without(Settings::OF_THE_NUMBER).with(traits);
    }
    call.destination = destination.map_or(CallStat::NO_DESTINATION, |id: DestinationId| id.0);
    call.country =
        settings.destination(call.destination).map_or(CallStat::NO_DESTINATION, Destination::country);
}
