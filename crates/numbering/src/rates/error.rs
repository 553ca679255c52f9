//! What can be wrong with a rate deck.

use std::fmt;

/// How many problems a message spells out.
const SPELLED_OUT: usize = 20;

/// One fault of a rate deck.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeckProblem {
    /// Line number from 1, header included.
    pub line: u64,
    /// What is wrong.
    pub problem: String,
    /// What to do about it.
    pub hint: String,
}

impl fmt::Display for DeckProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "line {}: {} ({})", self.line, self.problem, self.hint)
    }
}

/// Something in a deck that was read all the same, and that the operator should look at.
pub type DeckWarning = DeckProblem;

/// Why a rate deck cannot be used.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum DeckError {
    /// No line names a prefix and a rate column.
    #[error("no header line with a prefix and a rate column; name them `prefix` and `rate_per_minute`")]
    NoHeader,
    /// There is a header and no rate below it.
    #[error("no rates below the header line")]
    NoRates,
    /// Rows in more than one currency.
    #[error("rates in more than one currency: {0} and {1}; one deck has one currency")]
    Currencies(String, String),
    /// Rows that cannot be used, all of them.
    #[error("{}", list(.0))]
    Rows(Vec<DeckProblem>),
}

fn list(problems: &[DeckProblem]) -> String {
    let mut lines: Vec<String> = problems.iter().take(SPELLED_OUT).map(DeckProblem::to_string).collect();
    if problems.len() > SPELLED_OUT {
        lines.push(format!("and {} more", problems.len() - SPELLED_OUT));
    }
    lines.join("; ")
}
