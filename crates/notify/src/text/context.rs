//! What a template is given. Every string is clean: of one line, bounded, without control characters.
use super::{Language, Message, Site, clean, words};
use chrono::DateTime;
use serde::Serialize;
use tollwatch_detect::{AboutV1, AlertReasonV1, AlertV1, ConditionV1, EventTime, IncidentV1, Zone};

/// The longest name, in characters.
const LONGEST_NAME: usize = 64;
/// The longest explanation.
const LONGEST_DETAIL: usize = 1500;
const MOST_DESTINATIONS: usize = 5;
const MOST_EXTENSIONS: usize = 20;
/// A pace measured over less than this says nothing.
const SHORTEST_PACE_SECONDS: i64 = 60;

#[derive(Clone, Debug, Serialize)]
pub(crate) struct Context {
    alert_id: String,
    incident_id: String,
    /// `opened`, `escalated`, …
    reason: &'static str,
    /// The same for people.
    reason_words: &'static str,
    /// `warning` or `critical`.
    severity: &'static str,
    severity_word: &'static str,
    tenant: String,
    drill: bool,
    at: Moment,
    /// Whom to call at the carrier, in the operator's words.
    carrier: String,
    /// For alerts about calls; none otherwise.
    calls: Option<Calls>,
    /// For alerts about the service; none otherwise.
    service: Option<Service>,
}

/// An instant on both clocks.
#[derive(Clone, Debug, Serialize)]
struct Moment {
    /// `2026-03-08 03:00 Asia/Tokyo`.
    local: String,
    /// `2026-03-07T18:00:00Z`.
    utc: String,
}

#[derive(Clone, Debug, Serialize)]
struct Calls {
    rule: String,
    /// What crossed which threshold.
    rule_words: String,
    /// `extension`, `trunk`, …
    scope: String,
    value: String,
    /// `extension 105`.
    whom: String,
    /// The extension as it may stand in a command: `EXTENSION` if it has characters that a shell would act on.
    target: String,
    extensions: Vec<String>,
    extensions_more: usize,
    since: Moment,
    over: Option<Moment>,
    attempts: u64,
    answered: u64,
    minutes: u64,
    spent: String,
    /// Estimated by the bundled list prices.
    indicative: bool,
    per_hour: Option<String>,
    by_opening: Option<ByOpening>,
    destinations: Vec<Destination>,
    destinations_more: usize,
}

#[derive(Clone, Debug, Serialize)]
struct ByOpening {
    at: Moment,
    amount: String,
}

#[derive(Clone, Debug, Serialize)]
struct Destination {
    name: String,
    country: String,
    prefix: String,
    calls: u64,
    tier: Option<u8>,
}

#[derive(Clone, Debug, Serialize)]
struct Service {
    /// `source_silent`, …
    condition: &'static str,
    words: &'static str,
    subject: String,
    since: Moment,
    over: Option<Moment>,
    detail: String,
}

impl Context {
    pub(super) fn new(alert: &AlertV1, site: Site, language: Language, carrier: &str) -> Self {
        let (calls, service) = match &alert.about {
            AboutV1::Calls(incident) => (Some(Calls::new(alert, incident, site, language)), None),
            AboutV1::Service(condition) => (None, Some(Service::new(condition, site, language))),
        };
        Self {
            alert_id: name(&alert.alert_id),
            incident_id: name(alert.incident_id()),
            reason: alert.reason.word(),
            reason_words: words::reason(alert.reason, calls.is_some(), language),
            severity: alert.severity.word(),
            severity_word: words::severity(alert.severity, language),
            tenant: name(&alert.tenant),
            drill: alert.drill,
            at: Moment::new(&alert.at, site.zone),
            carrier: carrier.to_owned(),
            calls,
            service,
        }
    }

    /// What is said when every template has failed.
    pub(super) fn bare(&self) -> Message {
        let whom = match (&self.calls, &self.service) {
            (Some(calls), _) => format!("{}, {}", calls.whom, calls.spent),
            (None, Some(service)) => format!("{} {}", service.words, service.subject),
            (None, None) => String::new(),
        };
        let subject = format!("[{}] {}: {whom}", self.severity_word, self.reason_words);
        let body = format!("{subject}\n{} {}\n{}", self.at.local, self.tenant, self.incident_id);
        self.marked(Message { subject, body }, Language::English)
    }

    /// The same, said to be a drill where it is one and does not say so: whoever reads it may be asleep still.
    pub(super) fn marked(&self, message: Message, language: Language) -> Message {
        if !self.drill || ["DRILL", "訓練"].iter().any(|mark| message.subject.contains(mark)) {
            return message;
        }
        let (mark, explained) = language.pick(
            ("[DRILL / 訓練]", "THIS IS A DRILL / 訓練. The calls are made up, nobody needs to act."),
            ("【訓練 / DRILL】", "これは訓練（DRILL）です。実際の通話ではありません。対応は不要です。"),
        );
        let Message { subject, body } = message;
        Message { subject: format!("{mark} {subject}"), body: format!("{explained}\n\n{body}") }
    }
}

impl Calls {
    fn new(alert: &AlertV1, incident: &IncidentV1, site: Site, language: Language) -> Self {
        let value = name(&incident.scope.value);
        let is_plain = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let is_extension = incident.scope.kind == "extension";
        let pace = Pace::new(alert, incident);
        let money = |hundredths| words::money(hundredths, &incident.exposure.currency, language);
        let by_opening = site.next_opening.and_then(|opening| {
            let amount = pace.as_ref()?.spent_by(opening)?;
            Some(ByOpening { at: Moment::new(&opening.to_string(), site.zone), amount: money(amount) })
        });
        let destinations =
            incident.destinations.iter().take(MOST_DESTINATIONS).map(|destination| Destination {
                name: name(&destination.name),
                country: name(&destination.country),
                prefix: name(&destination.prefix),
                calls: destination.calls,
                tier: destination.tier,
            });
        // An extension's own incident names it already.
        let extensions: &[String] = if is_extension { &[] } else { &incident.extensions };
        Self {
            rule: name(&incident.rule),
            rule_words: words::rule(&incident.trigger, &incident.exposure.currency, language),
            scope: name(&incident.scope.kind),
            whom: words::whom(&incident.scope, &value, language),
            target: if is_plain { value.clone() } else { "EXTENSION".to_owned() },
            value,
            extensions: extensions.iter().take(MOST_EXTENSIONS).map(|extension| name(extension)).collect(),
            extensions_more: extensions.len().saturating_sub(MOST_EXTENSIONS),
            since: Moment::new(&incident.first_call_at, site.zone),
            over: incident.resolved_at.as_ref().map(|at| Moment::new(at, site.zone)),
            attempts: incident.attempts,
            answered: incident.answered,
            minutes: incident.billable_seconds.div_ceil(60),
            spent: words::spent(&incident.exposure, language),
            indicative: incident.exposure.rates == "indicative",
            per_hour: pace.as_ref().map(|pace| money(pace.per_hour)),
            by_opening,
            destinations: destinations.collect(),
            destinations_more: incident.destinations.len().saturating_sub(MOST_DESTINATIONS),
        }
    }
}

/// How fast money is running out.
#[derive(Clone, Copy, Debug)]
struct Pace {
    at: EventTime,
    spent: i128,
    /// Hundredths of the currency's unit an hour, over the time since the first call.
    per_hour: i128,
}

impl Pace {
    /// None where it is over, where nothing was spent, or where it has only just begun.
    fn new(alert: &AlertV1, incident: &IncidentV1) -> Option<Self> {
        let is_over = alert.reason == AlertReasonV1::Resolved || incident.resolved_at.is_some();
        let at = instant(&alert.at).filter(|_| !is_over)?;
        let seconds = at.seconds_since(instant(&incident.first_call_at)?);
        let spent = words::hundredths(&incident.exposure.amount).filter(|spent| *spent > 0)?;
        (seconds >= SHORTEST_PACE_SECONDS).then(|| Self {
            at,
            spent,
            per_hour: spent.saturating_mul(3600) / i128::from(seconds),
        })
    }

    fn spent_by(&self, then: EventTime) -> Option<i128> {
        let seconds = then.seconds_since(self.at);
        (seconds > 0)
            .then(|| self.spent.saturating_add(self.per_hour.saturating_mul(i128::from(seconds)) / 3600))
    }
}

impl Service {
    fn new(condition: &ConditionV1, site: Site, language: Language) -> Self {
        Self {
            condition: condition.condition.word(),
            words: words::condition(condition.condition, language),
            subject: name(&condition.subject),
            since: Moment::new(&condition.since, site.zone),
            over: condition.resolved_at.as_ref().map(|at| Moment::new(at, site.zone)),
            detail: clean::lines(language.pick(&condition.detail_en, &condition.detail_ja), LONGEST_DETAIL),
        }
    }
}

impl Moment {
    fn new(utc: &str, zone: Zone) -> Self {
        let local = instant(utc).and_then(|at| {
            let local = at.plus_seconds(zone.offset_at(at)).seconds();
            DateTime::from_timestamp(local, 0)
                .map(|local| format!("{} {zone}", local.format("%Y-%m-%d %H:%M")))
        });
        let utc = name(utc);
        Self { local: local.unwrap_or_else(|| utc.clone()), utc }
    }
}

fn instant(text: &str) -> Option<EventTime> {
    let at = DateTime::parse_from_rfc3339(text).ok()?;
    Some(EventTime::from_micros(at.timestamp_micros()))
}

fn name(text: &str) -> String {
    clean::line(text, LONGEST_NAME)
}
