//! Rates that have lost their decimal point.
//!
//! A published sample deck of 4,743 rows has 310 of them: exported from a sheet with decimal commas, 1.200 EUR became
//! 1200, unchanged for years. A charge estimated from such a row is a thousand times too high.

use std::collections::BTreeMap;

use super::cell::Amount;
use super::error::DeckProblem;
use crate::{Destinations, Money};

/// A rate this many times the median of its country is suspect. Special ranges of cheap countries are up to 40 times
/// as dear as the rest, which is why a warning is all it gets.
const COUNTRY_FACTOR: i64 = 20;
/// The same for the median of the whole deck, in a deck with decimals. Catches a country with one row.
const DECK_FACTOR: i64 = 100;

/// A rate as it stands in the deck.
#[derive(Clone, Debug)]
pub(super) struct DeckRow {
    pub(super) line: u64,
    pub(super) prefix: String,
    pub(super) amount: Amount,
}

/// Finds the rows whose rate looks like a lost decimal point: more than 20 times the median of the country, or more
/// than `implausible`. Where most of a deck's rates have decimals, one that kept its own has not lost its point.
pub(super) fn suspects(
    rows: &[DeckRow],
    implausible: Money,
    destinations: Option<&Destinations>,
) -> Vec<DeckProblem> {
    let country = |row: &DeckRow| destinations.and_then(|table| table.country_of_prefix(&row.prefix));
    let mut by_country: BTreeMap<u16, Vec<i64>> = BTreeMap::new();
    for row in rows {
        if let Some(country) = country(row) {
            by_country.entry(country).or_default().push(row.amount.money.micros());
        }
    }
    let medians: BTreeMap<u16, i64> =
        by_country.into_iter().map(|(country, rates)| (country, median(rates))).collect();
    let deck_median = median(rows.iter().map(|row| row.amount.money.micros()).collect());
    let decimals = usual_decimals(rows);
    rows.iter()
        .filter_map(|row| {
            let rate = row.amount.money.micros();
            let country_median = country(row).and_then(|country| medians.get(&country).copied()).unwrap_or(0);
            let above = |median: i64, factor: i64| median > 0 && rate > median.saturating_mul(factor);
            let (reason, near) = if above(country_median, COUNTRY_FACTOR) {
                (format!("over {COUNTRY_FACTOR} times the country's median"), country_median)
            } else if row.amount.money > implausible {
                (format!("over {implausible} a minute"), deck_median)
            } else if decimals > 0 && above(deck_median, DECK_FACTOR) {
                (format!("over {DECK_FACTOR} times the deck's median"), deck_median)
            } else {
                return None;
            };
            if decimals > 0 && row.amount.decimals > 0 {
                return None;
            }
            Some(DeckProblem {
                line: row.line,
                problem: format!("rate {} of prefix {} is {reason}", row.amount.money, row.prefix),
                hint: format!("a lost decimal point? {} is likely", exact(likely(rate, decimals, near))),
            })
        })
        .collect()
}

fn median(mut rates: Vec<i64>) -> i64 {
    rates.sort_unstable();
    rates.get(rates.len().saturating_sub(1) / 2).copied().unwrap_or(0)
}

/// How many decimals most of the rates with decimals have; 0 if fewer than half of the rates have any.
fn usual_decimals(rows: &[DeckRow]) -> usize {
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    for row in rows.iter().filter(|row| row.amount.decimals > 0) {
        *counts.entry(row.amount.decimals).or_default() += 1;
    }
    if counts.values().sum::<usize>() * 2 < rows.len() {
        return 0;
    }
    counts.into_iter().max_by_key(|&(_, count)| count).map_or(0, |(decimals, _)| decimals)
}

/// The rate with its point put back: at the usual place, or else at the one that brings it nearest to `near`.
fn likely(rate: i64, decimals: usize, near: i64) -> i64 {
    if decimals > 0 {
        return rate / 10_i64.saturating_pow(decimals as u32).max(1);
    }
    let distance = |candidate: i64| {
        let (low, high) = (candidate.min(near).max(1), candidate.max(near).max(1));
        high / low
    };
    (1..=6)
        .map(|places| rate / 10_i64.pow(places))
        .min_by_key(|&candidate| distance(candidate))
        .unwrap_or(rate)
}

/// An amount with all its decimals: `Display` rounds 0.468 to 0.47.
fn exact(micros: i64) -> String {
    let text = format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
