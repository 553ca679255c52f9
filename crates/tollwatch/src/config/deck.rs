//! The rate deck that a configuration names, and how old the data is that calls are judged by.
use super::RatesConfig;
use chrono::{DateTime, NaiveDate, NaiveTime, Utc};
use std::path::{Path, PathBuf};
use tollwatch_cdr::EventTime;
use tollwatch_detect::Problem;
use tollwatch_numbering::{CalendarDate, Destinations, ImportOptions, RateDeck};

/// What the data is that calls are judged by, and of when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataDates {
    /// The file of the operator's rate deck; the bundled one without.
    pub deck: Option<String>,
    /// The day of its newest rate, or the time at which its file was last written if that is later: whoever puts the same
    /// deck there again has seen that it still holds.
    pub rates_of: DateTime<Utc>,
    /// The day of the list of risky destinations.
    pub risk_list_of: DateTime<Utc>,
}

impl DataDates {
    /// Of a deck that has been read.
    pub(super) fn of(rates: &RatesConfig, folder: Option<&Path>, deck: &RateDeck) -> Self {
        let path = rates.deck.as_ref().map(|deck| path_of(deck, folder));
        let written = path.as_ref().and_then(|path| path.metadata().ok()?.modified().ok());
        let newest = deck.newest().map(|newest| midnight(&newest.to_string()));
        Self {
            deck: path.map(|path| path.display().to_string()),
            rates_of: newest.max(written.map(DateTime::from)).unwrap_or_default(),
            risk_list_of: midnight(Destinations::risk_of()),
        }
    }
}

fn midnight(day: &str) -> DateTime<Utc> {
    day.parse().map_or_else(|_| DateTime::default(), |day: NaiveDate| day.and_time(NaiveTime::MIN).and_utc())
}

fn path_of(deck: &str, folder: Option<&Path>) -> PathBuf {
    folder.map_or_else(|| PathBuf::from(deck), |folder| folder.join(deck))
}

pub(super) fn deck(
    rates: &RatesConfig,
    folder: Option<&Path>,
    problems: &mut Vec<Problem>,
    warnings: &mut Vec<String>,
) -> Option<RateDeck> {
    let effective_on = match rates.effective_on.as_deref().map(calendar_date) {
        None => today(),
        Some(Some(day)) => Some(day),
        Some(None) => {
            problems.push(Problem::new(
                "rates.effective_on".to_owned(),
                "not a day".to_owned(),
                "YYYY-MM-DD, or leave it out for today",
            ));
            return None;
        }
    };
    let mut fault = |problem: String, hint: &str| {
        problems.push(Problem::new("rates.deck".to_owned(), problem, hint));
        None
    };
    let Some(deck) = &rates.deck else {
        return match RateDeck::bundled() {
            Ok(deck) => Some(deck),
            Err(error) => fault(error.to_string(), "report this as a bug"),
        };
    };
    let path = path_of(deck, folder);
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) => return fault(format!("{}: {error}", path.display()), "give a readable CSV file"),
    };
    let options = ImportOptions { effective_on, strict: rates.strict, ..ImportOptions::default() };
    match RateDeck::import(&bytes, &options) {
        Ok(imported) if imported.currency.as_ref().is_some_and(|found| *found != rates.currency) => fault(
            format!(
                "{}: its rates are in {}, and rates.currency is {}",
                path.display(),
                imported.currency.unwrap_or_default(),
                rates.currency
            ),
            "set rates.currency to the deck's",
        ),
        Ok(imported) => {
            warnings.extend(imported.warnings.iter().map(|warning| format!("{}: {warning}", path.display())));
            Some(imported.deck)
        }
        Err(error) => fault(format!("{}: {error}", path.display()), "see `tollwatch formats rates`"),
    }
}

fn calendar_date(text: &str) -> Option<CalendarDate> {
    let mut parts = text.split('-').map(|part| part.parse::<u16>().ok());
    let day = CalendarDate::new(parts.next()??, parts.next()??, parts.next()??)?;
    parts.next().is_none().then_some(day)
}

/// The day on which the command runs, UTC: the one place where it matters, since a deck holds rates of days to
/// come. `rates.effective_on` says another day.
#[expect(clippy::disallowed_methods, reason = "the day a rate deck is read on is no event time")]
fn today() -> Option<CalendarDate> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).ok()?.as_secs();
    let text = EventTime::from_seconds(i64::try_from(now).ok()?).to_string();
    calendar_date(text.get(..10)?)
}
