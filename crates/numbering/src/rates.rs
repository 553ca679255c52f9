//! Rate decks: what a call to a number costs.

mod cell;
mod columns;
mod error;
mod import;
mod plausibility;
mod prefix_cell;
mod text;

pub use error::{DeckError, DeckProblem, DeckWarning};
pub use import::{CalendarDate, ImportOptions, Imported};

use crate::prefix_trie::PrefixTrie;
use crate::{E164, Money};

const INDICATIVE: &str = include_str!("../../../datasets/rates/indicative-jpy.csv");
/// Yen per started minute for numbers without a row in the bundled deck: the dearest country of the Hikari Denwa list
/// (`datasets/rates/SOURCE.md`).
const INDICATIVE_DEFAULT: Money = Money::from_units(250);

/// Where a rate comes from.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RateBasis {
    /// The operator's own rate deck.
    Deck,
    /// The deck that comes with tollwatch: the order of magnitude of Japanese list prices, for estimates.
    Indicative,
}

/// What calls to a prefix cost.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rate {
    /// Digits from the country code on; empty for the rate of numbers that no row matches.
    pub prefix: String,
    /// Price of sixty billable seconds.
    pub per_minute: Money,
    /// Seconds that are billed as soon as the call is answered. 60/60 is a rate per started minute.
    pub first_increment: u32,
    /// Seconds in which the rest is billed; 0 counts as 1.
    pub next_increment: u32,
    /// Charged once for an answered call.
    pub connection_fee: Money,
    /// Where the rate comes from.
    pub basis: RateBasis,
}

impl Rate {
    /// The charge for a call: the connection fee, and the rate for the seconds rounded up to full increments, rounded
    /// up to the micro-unit. Nothing for a call that was never answered (0 seconds).
    pub fn charge(&self, billable_seconds: u32) -> Money {
        if billable_seconds == 0 {
            return Money::ZERO;
        }
        let price = i128::from(self.billed_seconds(billable_seconds)) * i128::from(self.per_minute.micros());
        // Rounded towards plus infinity; a rate is never negative in a deck, yet may be in a `Rate` made by hand.
        let micros = price.div_euclid(60) + i128::from(price.rem_euclid(60) > 0);
        let micros = i64::try_from(micros).unwrap_or(if micros < 0 { i64::MIN } else { i64::MAX });
        self.connection_fee.saturating_add(Money::from_micros(micros))
    }

    /// The second at which an open call that has been billable for `billable_seconds` enters its next increment; its
    /// charge does not change before that. `u32::MAX` where it never rises again.
    pub fn next_step_after(&self, billable_seconds: u32) -> u32 {
        if billable_seconds == 0 {
            return 1;
        }
        if self.per_minute == Money::ZERO {
            return u32::MAX;
        }
        u32::try_from(self.billed_seconds(billable_seconds).saturating_add(1)).unwrap_or(u32::MAX)
    }

    /// Seconds on the bill of an answered call.
    fn billed_seconds(&self, billable_seconds: u32) -> u64 {
        let step = self.next_increment.max(1);
        let beyond = billable_seconds.saturating_sub(self.first_increment);
        u64::from(self.first_increment) + u64::from(beyond.div_ceil(step)) * u64::from(step)
    }
}

/// The rates of all destinations, in one currency.
#[derive(Clone, Debug)]
pub struct RateDeck {
    rates: Vec<Rate>,
    trie: PrefixTrie,
    default: Rate,
    newest: Option<CalendarDate>,
}

impl RateDeck {
    /// The indicative deck that comes with tollwatch: yen per started minute (`datasets/rates`).
    pub fn bundled() -> Result<Self, DeckError> {
        let options = ImportOptions { default_rate: Some(INDICATIVE_DEFAULT), ..ImportOptions::default() };
        let mut deck = Self::import(INDICATIVE.as_bytes(), &options)?.deck;
        for rate in deck.rates.iter_mut().chain([&mut deck.default]) {
            rate.basis = RateBasis::Indicative;
        }
        Ok(deck)
    }

    /// Reads the bytes of an operator's deck: CSV with a header line in one of the layouts that carriers and PBXs
    /// write. `datasets/rates/SOURCE.md` lists the column names.
    pub fn import(bytes: &[u8], options: &ImportOptions) -> Result<Imported, DeckError> {
        import::import(bytes, options)
    }

    /// A deck of rates with different prefixes and the rate of numbers that none of them matches.
    fn new(rates: Vec<Rate>, default: Rate, newest: Option<CalendarDate>) -> Self {
        let trie = PrefixTrie::new(rates.iter().map(|rate| rate.prefix.as_str()).zip(0..));
        Self { rates, trie, default, newest }
    }

    /// The day on which the newest of its rates became effective; none where the deck names no days.
    pub fn newest(&self) -> Option<CalendarDate> {
        self.newest
    }

    /// The rate with the longest prefix of a number; none where no row matches.
    pub fn rate(&self, number: E164) -> Option<&Rate> {
        self.rates.get(self.trie.longest(number)? as usize)
    }

    /// The rate of an international number that no row matches or that could not be read: an upper estimate.
    pub fn default_rate(&self) -> &Rate {
        &self.default
    }

    /// All rates, by prefix.
    pub fn rates(&self) -> &[Rate] {
        &self.rates
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rate(per_minute: i64, first_increment: u32, next_increment: u32) -> Rate {
        Rate {
            prefix: "232".to_owned(),
            per_minute: Money::from_units(per_minute),
            first_increment,
            next_increment,
            connection_fee: Money::ZERO,
            basis: RateBasis::Deck,
        }
    }

    #[test]
    fn the_step_nearly_doubles_the_price_of_a_call_of_32_seconds() {
        // The bill of 2015: 32 seconds to Sierra Leone, 175 JPY per started minute.
        assert_eq!(rate(175, 60, 60).charge(32), Money::from_units(175));
        assert_eq!(rate(175, 30, 30).charge(32), Money::from_units(175));
        assert_eq!(rate(175, 6, 6).charge(32), Money::from_units(105));
        assert_eq!(rate(175, 1, 1).charge(32), Money::from_micros(93_333_334));
    }

    #[test]
    fn the_first_increment_is_billed_in_full_and_the_rest_in_steps() {
        let rate = rate(60, 60, 6);
        for (seconds, units) in [(0, 0), (1, 60), (60, 60), (61, 66), (66, 66), (67, 72)] {
            assert_eq!(rate.charge(seconds), Money::from_units(units), "{seconds} s");
        }
    }

    #[test]
    fn a_connection_fee_is_due_once_the_call_is_answered() {
        let rate = Rate { connection_fee: Money::from_units(10), ..rate(0, 60, 60) };
        assert_eq!(rate.charge(0), Money::ZERO);
        assert_eq!(rate.charge(1), Money::from_units(10));
        assert_eq!((rate.next_step_after(0), rate.next_step_after(1)), (1, u32::MAX));
    }

    #[test]
    fn a_charge_beyond_the_range_of_money_stops_there() {
        let rate = Rate { per_minute: Money::MAX, ..rate(0, 60, 60) };
        assert_eq!(rate.charge(u32::MAX), Money::MAX);
        assert_eq!(rate.next_step_after(u32::MAX), u32::MAX);
    }

    proptest! {
        #[test]
        fn the_charge_rises_at_the_next_step_and_not_before(
            per_minute in 1_i64..1000, first in 0_u32..200, next in 0_u32..200, seconds in 0_u32..100_000,
        ) {
            let rate = rate(per_minute, first, next);
            let step = rate.next_step_after(seconds);
            prop_assert!(step > seconds);
            prop_assert_eq!(rate.charge(step - 1), rate.charge(seconds));
            prop_assert!(rate.charge(step) > rate.charge(seconds));
        }

        #[test]
        fn the_charge_covers_the_exact_price_and_at_most_one_increment_more(
            per_minute in 0_i64..1000, first in 0_u32..200, next in 1_u32..200, seconds in 1_u32..100_000,
        ) {
            let charge = i128::from(rate(per_minute, first, next).charge(seconds).micros());
            let exact = i128::from(per_minute) * 1_000_000 * i128::from(seconds);
            let most = i128::from(per_minute) * 1_000_000 * i128::from(seconds.max(first) + next);
            prop_assert!(charge * 60 >= exact && charge * 60 < most + 60);
        }
    }
}
