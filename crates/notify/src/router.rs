//! Who is told of an alert, and whether at once.
use crate::hours::{Hours, RawHours};
use crate::mute::{Mute, closes, rule_of};
use chrono::{DateTime, Utc};
use glob::Pattern;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use tollwatch_detect::{AboutV1, AlertV1, Problem, Severity};

/// One route as it stands in the configuration. An alert takes every route that it fits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawRoute {
    /// Names of the notifiers it leads to.
    pub notifiers: Vec<String>,
    /// The lowest severity that takes it.
    #[serde(default = "lowest")]
    pub severity: Severity,
    /// What its alerts are about; both without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<About>,
    /// Tenants, with `*`, `?` and `[abc]`; all without.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tenants: Vec<String>,
    /// Rules, or kinds of conditions of the service, in the same way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<String>,
    /// Whether drills take it.
    #[serde(default = "yes")]
    pub drills: bool,
    /// Hours in which it is open; always without. The end of an incident takes it at any hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<RawHours>,
    /// Hours at whose end warnings of this route go out together; what is critical goes out at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_hours: Option<RawHours>,
}

/// What alerts are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// Calls.
    Calls,
    /// The service itself.
    Service,
}

fn lowest() -> Severity {
    Severity::Warning
}

fn yes() -> bool {
    true
}

/// Who is told of an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Routed {
    /// These notifiers, by their place in the configuration, each not before an instant. Where there are none, no route
    /// fits: worth a count, for somebody may have meant otherwise.
    To(Vec<Addressee>),
    /// Nobody: this mute, by its place in the list, covers it.
    Muted(usize),
}

/// A notifier that is to deliver an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Addressee {
    /// Its place in the configuration.
    pub notifier: usize,
    /// Not before this; `now` unless quiet hours hold the alert back.
    pub not_before: DateTime<Utc>,
}

/// The routes. Pure: time and mutes are passed in.
#[derive(Clone, Debug)]
pub struct Router {
    routes: Vec<Route>,
}

#[derive(Clone, Debug)]
struct Route {
    notifiers: Vec<usize>,
    severity: Severity,
    about: Option<About>,
    tenants: Vec<Pattern>,
    rules: Vec<Pattern>,
    drills: bool,
    when: Option<Hours>,
    quiet_hours: Option<Hours>,
}

impl Router {
    /// Checks the routes against the names of the notifiers. Without routes, every alert goes to every notifier.
    pub(crate) fn validate(raw: &[RawRoute], notifiers: &[&str], problems: &mut Vec<Problem>) -> Self {
        let everything = RawRoute {
            notifiers: notifiers.iter().map(|name| (*name).to_owned()).collect(),
            severity: Severity::Warning,
            about: None,
            tenants: Vec::new(),
            rules: Vec::new(),
            drills: true,
            when: None,
            quiet_hours: None,
        };
        let route = |index: usize, raw: &RawRoute, problems: &mut Vec<Problem>| {
            Route::validate(raw, &format!("routes[{index}]"), notifiers, problems)
        };
        let routes = if raw.is_empty() && !notifiers.is_empty() {
            vec![route(0, &everything, problems)]
        } else {
            raw.iter().enumerate().map(|(index, raw)| route(index, raw, problems)).collect()
        };
        Self { routes }
    }

    /// Who is told of an alert.
    pub fn route(&self, alert: &AlertV1, now: DateTime<Utc>, mutes: &[Mute]) -> Routed {
        if let Some(mute) = mutes.iter().position(|mute| mute.covers(alert, now)) {
            return Routed::Muted(mute);
        }
        let mut to: BTreeMap<usize, DateTime<Utc>> = BTreeMap::new();
        for route in self.routes.iter().filter(|route| route.fits(alert, now)) {
            let not_before = route.not_before(alert, now);
            for notifier in &route.notifiers {
                // Of two routes to one notifier the quicker one counts.
                let kept = to.entry(*notifier).or_insert(not_before);
                *kept = (*kept).min(not_before);
            }
        }
        Routed::To(to.into_iter().map(|(notifier, not_before)| Addressee { notifier, not_before }).collect())
    }
}

impl Route {
    fn validate(raw: &RawRoute, place: &str, notifiers: &[&str], problems: &mut Vec<Problem>) -> Self {
        if raw.notifiers.is_empty() {
            problems.push(Problem::new(
                format!("{place}.notifiers"),
                "leads nowhere".to_owned(),
                "names of [[notifiers]]",
            ));
        }
        let mut leads_to = Vec::new();
        for (index, name) in raw.notifiers.iter().enumerate() {
            match notifiers.iter().position(|known| known == name) {
                Some(notifier) => leads_to.push(notifier),
                None => problems.push(Problem::new(
                    format!("{place}.notifiers[{index}]"),
                    format!("there is no notifier `{name}`"),
                    "a name of [[notifiers]]",
                )),
            }
        }
        let tenants = patterns(&raw.tenants, &format!("{place}.tenants"), problems);
        let rules = patterns(&raw.rules, &format!("{place}.rules"), problems);
        let mut hours = |raw: &Option<RawHours>, key: &str| {
            raw.as_ref().map(|raw| Hours::validate(raw, &format!("{place}.{key}"), problems))
        };
        Self {
            notifiers: leads_to,
            severity: raw.severity,
            about: raw.about,
            tenants,
            rules,
            drills: raw.drills,
            when: hours(&raw.when, "when"),
            quiet_hours: hours(&raw.quiet_hours, "quiet_hours"),
        }
    }

    fn fits(&self, alert: &AlertV1, now: DateTime<Utc>) -> bool {
        let about = match alert.about {
            AboutV1::Calls(_) => About::Calls,
            AboutV1::Service(_) => About::Service,
        };
        let is_one_of = |patterns: &[Pattern], name: &str| {
            patterns.is_empty() || patterns.iter().any(|pattern| pattern.matches(name))
        };
        alert.severity >= self.severity
            && self.about.is_none_or(|wanted| wanted == about)
            && is_one_of(&self.tenants, &alert.tenant)
            && is_one_of(&self.rules, rule_of(alert))
            && (self.drills || !alert.drill)
            // Who was called at night must hear in the morning that it is over.
            && (closes(alert) || self.when.as_ref().is_none_or(|when| when.contains(now)))
    }

    fn not_before(&self, alert: &AlertV1, now: DateTime<Utc>) -> DateTime<Utc> {
        match &self.quiet_hours {
            Some(quiet) if alert.severity < Severity::Critical => quiet.end(now),
            _ => now,
        }
    }
}

fn patterns(raw: &[String], place: &str, problems: &mut Vec<Problem>) -> Vec<Pattern> {
    let read = raw.iter().enumerate().filter_map(|(index, text)| {
        Pattern::new(text)
            .map_err(|error| {
                let problem = format!("`{text}` is no pattern: {}", error.msg);
                problems.push(Problem::new(format!("{place}[{index}]"), problem, "*, ? and [abc]"));
            })
            .ok()
    });
    read.collect()
}
