//! Reading an operator's rate deck.

use std::collections::{BTreeMap, BTreeSet};

use csv::StringRecord;

use super::cell::{self, Amount, DecimalSign};
use super::columns::{Column, Columns};
use super::error::{DeckError, DeckProblem, DeckWarning};
use super::plausibility::{self, DeckRow};
use super::{Rate, RateBasis, RateDeck, prefix_cell, text};
use crate::{Destinations, Money};

/// The increment of a deck that names none: a full minute, the dearest that is usual.
const INCREMENT: u32 = 60;
/// The longest increment that is believed.
const INCREMENT_MAX: u32 = 3600;
/// Title lines that may stand above the header.
const TITLE_LINES: usize = 20;
/// The most prefixes of a deck. The largest wholesale decks have some 100,000.
const PREFIXES_MAX: usize = 1_000_000;

/// A day of the calendar.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct CalendarDate {
    year: u16,
    month: u8,
    day: u8,
}

impl CalendarDate {
    /// A day of the Gregorian calendar, months and days from 1; `None` where there is no such day.
    pub fn new(year: u16, month: u16, day: u16) -> Option<Self> {
        let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let days = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 => 28 + u16::from(leap),
            _ => return None,
        };
        (1..=days).contains(&day).then_some(Self { year, month: month as u8, day: day as u8 })
    }
}

impl std::fmt::Display for CalendarDate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

/// How to read a deck.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ImportOptions {
    /// Leave out rates that become effective after this day, and those that have ended before it. Without it the newest
    /// of each prefix counts, even a future one.
    pub effective_on: Option<CalendarDate>,
    /// Refuse a deck with rates that look like lost decimal points, instead of warning.
    pub strict: bool,
    /// A rate per minute above this is suspect, in units of the deck's currency. Default: 2,000.
    pub implausible_rate: Money,
    /// Rate per started minute of numbers without a row. Default: the rate that nine tenths of the deck do not exceed.
    pub default_rate: Option<Money>,
}

impl Default for ImportOptions {
    fn default() -> Self {
        Self {
            effective_on: None,
            strict: false,
            implausible_rate: Money::from_units(2000),
            default_rate: None,
        }
    }
}

/// A deck, and what its owner should look at.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The rates.
    pub deck: RateDeck,
    /// What was read all the same.
    pub warnings: Vec<DeckWarning>,
    /// What the deck's currency column says, if it has one.
    pub currency: Option<String>,
}

/// A rate of the deck before newer ones have replaced older ones.
struct Row {
    line: u64,
    date: Option<CalendarDate>,
    amount: Amount,
    rate: Rate,
}

pub(super) fn import(bytes: &[u8], options: &ImportOptions) -> Result<Imported, DeckError> {
    let text = text::decode(bytes);
    let (columns, lines) = lines(&text)?;
    let currency = currency(&columns, &lines)?;
    let reader = RowReader::new(&columns, &lines);
    let mut problems = Vec::new();
    let mut warnings = Vec::new();
    let mut rows: BTreeMap<String, Row> = BTreeMap::new();
    for line in &lines {
        match reader.read(line, options) {
            Ok(found) => {
                for row in found {
                    keep_newest(&mut rows, row, &mut warnings);
                }
            }
            Err(problem) => problems.push(problem),
        }
        if rows.len() > PREFIXES_MAX {
            problems.push(problem(
                line,
                format!("more than {PREFIXES_MAX} prefixes"),
                "write shorter prefixes",
            ));
            break;
        }
    }
    let destinations = Destinations::bundled().ok();
    let deck_rows: Vec<DeckRow> = rows
        .values()
        .map(|row| DeckRow { line: row.line, prefix: row.rate.prefix.clone(), amount: row.amount })
        .collect();
    let suspects = plausibility::suspects(&deck_rows, options.implausible_rate, destinations.as_ref());
    let suspect_lines: BTreeSet<u64> = suspects.iter().map(|suspect| suspect.line).collect();
    if options.strict { &mut problems } else { &mut warnings }.extend(suspects);
    if let Some(table) = &destinations {
        warnings.extend(deck_rows.iter().filter(|row| table.country_of_prefix(&row.prefix).is_none()).map(
            |row| DeckProblem {
                line: row.line,
                problem: format!("prefix {} begins with no country code", row.prefix),
                hint: "no number will match it".to_owned(),
            },
        ));
    }
    if !problems.is_empty() {
        problems.sort_by_key(|problem| problem.line);
        return Err(DeckError::Rows(problems));
    }
    warnings.sort_by_key(|warning| warning.line);
    let believed = rows.values().filter(|row| !suspect_lines.contains(&row.line)).map(|row| &row.rate);
    let default = default_rate(believed, options.default_rate).ok_or(DeckError::NoRates)?;
    let newest = rows.values().filter_map(|row| row.date).max();
    let rates = rows.into_values().map(|row| row.rate).collect();
    Ok(Imported { deck: RateDeck::new(rates, default, newest), warnings, currency })
}

/// A line of the deck below its header.
struct Line {
    number: u64,
    cells: StringRecord,
}

/// The header and the lines below it that have anything in them.
fn lines(text: &str) -> Result<(Columns, Vec<Line>), DeckError> {
    let mut best: Option<(Columns, u8, usize)> = None;
    for delimiter in [b',', b';', b'\t'] {
        for (place, record) in reader(text, delimiter).records().take(TITLE_LINES).enumerate() {
            let Some(columns) = record.ok().and_then(|record| Columns::of(record.iter())) else { continue };
            if best.as_ref().is_none_or(|(known, ..)| columns.len() > known.len()) {
                best = Some((columns, delimiter, place));
            }
        }
    }
    let (columns, delimiter, place) = best.ok_or(DeckError::NoHeader)?;
    // The text is UTF-8 and rows may be of any length, so no record can fail.
    let below = reader(text, delimiter).into_records().skip(place + 1).filter_map(Result::ok);
    let filled = below.filter(|cells| cells.iter().any(|cell| !cell.trim().is_empty()));
    Ok((columns, filled.map(|cells| Line { number: line_number(text, &cells), cells }).collect()))
}

/// The line that a record is in. The position of a record is where the one before it ended, empty lines not skipped.
fn line_number(text: &str, record: &StringRecord) -> u64 {
    let Some(position) = record.position() else { return 0 };
    let from = text.as_bytes().get(position.byte() as usize..).unwrap_or_default();
    let skipped = from.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).filter(|byte| **byte == b'\n');
    position.line() + skipped.count() as u64
}

fn reader(text: &str, delimiter: u8) -> csv::Reader<&[u8]> {
    csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes())
}

fn currency(columns: &Columns, lines: &[Line]) -> Result<Option<String>, DeckError> {
    let mut named: Option<&str> = None;
    for cell in
        lines.iter().map(|line| columns.cell(&line.cells, Column::Currency)).filter(|cell| !cell.is_empty())
    {
        match named {
            Some(before) if before != cell => {
                return Err(DeckError::Currencies(before.to_owned(), cell.to_owned()));
            }
            _ => named = Some(cell),
        }
    }
    Ok(named.map(str::to_owned))
}

/// Reads rows with what only the whole deck can tell: its decimal sign, and whether its prefixes leave the country code
/// to a column of their own.
struct RowReader<'a> {
    columns: &'a Columns,
    decimal: DecimalSign,
    joins_country_code: bool,
}

impl<'a> RowReader<'a> {
    fn new(columns: &'a Columns, lines: &[Line]) -> Self {
        let signs =
            || lines.iter().filter_map(|line| cell::decimal_sign(columns.cell(&line.cells, Column::Rate)));
        let commas = signs().filter(|sign| *sign == DecimalSign::Comma).count();
        let points = signs().count() - commas;
        let decimal = if commas > points { DecimalSign::Comma } else { DecimalSign::Point };
        let has_country_code = columns.place(Column::CountryCode).is_some();
        let repeats_country_code = lines.iter().all(|line| {
            let code = columns.cell(&line.cells, Column::CountryCode).trim_start_matches('+');
            let prefix = columns.cell(&line.cells, Column::Prefix).trim_start_matches('+');
            prefix.starts_with(code)
        });
        Self { columns, decimal, joins_country_code: has_country_code && !repeats_country_code }
    }

    /// The rates of a line, one for each of its prefixes; none if it is not effective.
    fn read(&self, line: &Line, options: &ImportOptions) -> Result<Vec<Row>, DeckProblem> {
        let cell = |column| self.columns.cell(&line.cells, column);
        let fault =
            |text: &str, what: &str, hint: &str| problem(line, format!("`{text}` is no {what}"), hint);
        let date = |column| match cell(column) {
            "" => Ok(None),
            text => {
                cell::date(text).map(Some).ok_or_else(|| fault(text, "date", "write dates as YYYY-MM-DD"))
            }
        };
        let (from, until) = (date(Column::EffectiveDate)?, date(Column::EndDate)?);
        if options
            .effective_on
            .is_some_and(|day| from.is_some_and(|from| from > day) || until.is_some_and(|end| end < day))
        {
            return Ok(Vec::new());
        }
        let code = if self.joins_country_code { cell(Column::CountryCode) } else { "" };
        let prefixes = prefix_cell::prefixes(cell(Column::Prefix), code)
            .map_err(|(text, hint)| problem(line, text, hint))?;
        if prefixes.is_empty() {
            return Err(problem(line, "a row without a prefix".to_owned(), "remove it or name its prefix"));
        }
        let money = |column, text: &str| {
            cell::amount(text, self.decimal).filter(|amount| amount.money >= Money::ZERO).ok_or_else(|| {
                fault(
                    text,
                    "amount of money",
                    match column {
                        Column::Rate => "give the price of a minute, 0 if calls are free",
                        _ => "give the price of a connection, or leave it empty",
                    },
                )
            })
        };
        let amount = money(Column::Rate, cell(Column::Rate))?;
        let connection_fee = match cell(Column::ConnectionFee) {
            "" => Money::ZERO,
            text => money(Column::ConnectionFee, text)?.money,
        };
        let (first_increment, next_increment) = self.increments(line)?;
        let rate = Rate {
            prefix: String::new(),
            per_minute: amount.money,
            first_increment,
            next_increment,
            connection_fee,
            basis: RateBasis::Deck,
        };
        let row =
            |prefix| Row { line: line.number, date: from, amount, rate: Rate { prefix, ..rate.clone() } };
        Ok(prefixes.into_iter().map(row).collect())
    }

    /// First and next increment; of two only one of which is given the other is the same.
    fn increments(&self, line: &Line) -> Result<(u32, u32), DeckProblem> {
        let fault = |text: &str| {
            problem(line, format!("`{text}` is no billing increment"), "give seconds, 1 to 3600, such as 60")
        };
        let seconds = |column, least: u32| match self.columns.cell(&line.cells, column) {
            "" => Ok(None),
            text => cell::seconds(text)
                .filter(|seconds| (least..=INCREMENT_MAX).contains(seconds))
                .map(Some)
                .ok_or_else(|| fault(text)),
        };
        let (first, next) = (seconds(Column::FirstIncrement, 0)?, seconds(Column::NextIncrement, 1)?);
        let pair = match self.columns.cell(&line.cells, Column::Increments) {
            "" => None,
            text => Some(
                cell::increments(text)
                    .filter(|(first, next)| *first <= INCREMENT_MAX && (1..=INCREMENT_MAX).contains(next))
                    .ok_or_else(|| fault(text))?,
            ),
        };
        Ok(match (first, next, pair) {
            (Some(first), Some(next), _) => (first, next),
            (None, None, Some(pair)) => pair,
            (Some(both), None, _) => (both, both.max(1)),
            (None, Some(both), _) => (both, both),
            (None, None, None) => (INCREMENT, INCREMENT),
        })
    }
}

/// Of rates for one prefix the newest counts, and of equally new ones the last.
fn keep_newest(rows: &mut BTreeMap<String, Row>, row: Row, warnings: &mut Vec<DeckWarning>) {
    if let Some(known) = rows.get(&row.rate.prefix) {
        if known.date > row.date {
            return;
        }
        if known.date == row.date {
            warnings.push(DeckProblem {
                line: row.line,
                problem: format!("prefix {} is in line {} already", row.rate.prefix, known.line),
                hint: "the last one counts".to_owned(),
            });
        }
    }
    rows.insert(row.rate.prefix.clone(), row);
}

/// The rate of numbers without a row: `given` per started minute, or the rate that nine tenths of the deck do not exceed.
fn default_rate<'a>(rates: impl Iterator<Item = &'a Rate>, given: Option<Money>) -> Option<Rate> {
    let mut rates: Vec<&Rate> = rates.collect();
    rates.sort_by_key(|rate| rate.per_minute);
    let dear = rates.get(rates.len().checked_sub(1)? * 9 / 10)?;
    let default = Rate { prefix: String::new(), ..(*dear).clone() };
    Some(match given {
        Some(per_minute) => Rate {
            per_minute,
            first_increment: INCREMENT,
            next_increment: INCREMENT,
            connection_fee: Money::ZERO,
            ..default
        },
        None => default,
    })
}

fn problem(line: &Line, problem: String, hint: &str) -> DeckProblem {
    DeckProblem { line: line.number, problem, hint: hint.to_owned() }
}
