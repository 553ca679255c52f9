//! Which incidents a list shows: filters, and pages that stay where they are while new incidents come in.
use crate::fault::Fault;
use crate::view::{IncidentEntry, microseconds};
use crate::wire::{IncidentState, IncidentsV1, Name};
use schemars::JsonSchema;
use serde::Deserialize;
use std::sync::Arc;
use tollwatch_detect::Severity;

/// A page holds at most so many incidents.
const MOST: usize = 1_000;
/// And so many, if nothing is said.
const USUAL: usize = 100;

/// What a list of incidents is narrowed by; all that are given must match.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename_all = "snake_case")]
pub(crate) struct IncidentQuery {
    /// Where they stand.
    pub state: Option<IncidentState>,
    /// Highest severity reached.
    pub severity: Option<Severity>,
    /// Customer or site.
    pub tenant: Option<Name>,
    /// Rule.
    pub rule: Option<Name>,
    /// An extension that took part.
    pub extension: Option<Name>,
    /// Detected at or after this time (event time, RFC 3339).
    #[schemars(extend("format" = "date-time"))]
    pub since: Option<String>,
    /// Detected before this time (event time, RFC 3339).
    #[schemars(extend("format" = "date-time"))]
    pub until: Option<String>,
    /// So many at most; 100 without.
    #[schemars(range(min = 1, max = MOST))]
    pub limit: Option<usize>,
    /// `next_cursor` of the page before.
    #[schemars(regex(pattern = "^-?[0-9]{1,18}[.][A-Za-z0-9_-]{1,64}$"))]
    pub cursor: Option<String>,
}

/// The place behind which a page begins.
struct Cursor<'a> {
    detected_at: i64,
    incident_id: &'a str,
}

impl<'a> Cursor<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (time, incident_id) = text.split_once('.')?;
        let named = !incident_id.is_empty() && incident_id.len() <= 64;
        let detected_at = time.parse().ok().filter(|_| named && !time.starts_with('+'))?;
        Some(Self { detected_at, incident_id })
    }
}

impl IncidentQuery {
    /// One page out of all incidents, which come newest first.
    pub(crate) fn page<'v>(&self, incidents: &'v [Arc<IncidentEntry>]) -> Result<IncidentsV1<'v>, Fault> {
        let since = time("since", self.since.as_deref())?;
        let until = time("until", self.until.as_deref())?;
        let limit = self.limit.unwrap_or(USUAL);
        if !(1..=MOST).contains(&limit) {
            return Err(Fault::bad(format!("query: limit is 1 to {MOST}, not {limit}")));
        }
        let from = match self.cursor.as_deref().map(|text| (text, Cursor::parse(text))) {
            None => 0,
            Some((_, Some(cursor))) => {
                incidents.partition_point(|entry| entry.place() >= (cursor.detected_at, cursor.incident_id))
            }
            Some((_, None)) => return Err(Fault::bad("query: cursor is not the `next_cursor` of a page")),
        };
        let mut found = incidents
            .iter()
            .skip(from)
            .filter(|entry| since.is_none_or(|since| entry.place().0 >= since))
            .filter(|entry| until.is_none_or(|until| entry.place().0 < until))
            .filter(|entry| self.matches(entry));
        let page: Vec<&IncidentEntry> = found.by_ref().take(limit).map(AsRef::as_ref).collect();
        let next_cursor = page.last().filter(|_| found.next().is_some()).map(|last| {
            let (detected_at, incident_id) = last.place();
            format!("{detected_at}.{incident_id}")
        });
        Ok(IncidentsV1 { incidents: page.into_iter().map(IncidentEntry::status).collect(), next_cursor })
    }

    fn matches(&self, entry: &IncidentEntry) -> bool {
        let status = entry.status();
        let incident = &status.incident;
        self.state.is_none_or(|state| status.state == state)
            && self.severity.is_none_or(|severity| incident.severity == severity)
            && self.tenant.as_ref().is_none_or(|tenant| incident.tenant == tenant.0)
            && self.rule.as_ref().is_none_or(|rule| incident.rule == rule.0)
            && self.extension.as_ref().is_none_or(|extension| incident.extensions.contains(&extension.0))
    }
}

fn time(name: &str, text: Option<&str>) -> Result<Option<i64>, Fault> {
    let read = |text| {
        microseconds(text)
            .ok_or_else(|| Fault::bad(format!("query: {name} is a time such as 2026-01-31T22:00:00Z")))
    };
    text.map(read).transpose()
}
