//! The notifiers: a closed list, one file for each kind.
mod alertmanager;
mod exec;
mod http;
mod json_lines;
mod mail;
mod pager_duty;
mod slack;
mod syslog;
mod teams;
mod template;
mod url;
mod webhook;

pub use alertmanager::{Firing, FiringState, RawAlertmanager};
pub use exec::RawExec;
pub use json_lines::RawJsonLines;
pub use mail::{MailTls, RawMail};
pub use pager_duty::RawPagerDuty;
pub use syslog::RawSyslog;
pub use template::{RawHeader, RawSecretHeader, RawTemplate};
pub use url::{RawSecretUrl, RawUrl};
pub use webhook::{RawWebhook, WebhookFormat};

use crate::config::Building;
use crate::outcome::Outcome;
use crate::text::{Context, Language, Message, Site, Texts, clean};
use alertmanager::Alertmanager;
use chrono::{DateTime, Utc};
use exec::Exec;
use json_lines::JsonLines;
use mail::Mail;
use pager_duty::PagerDuty;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use slack::Slack;
use std::sync::Arc;
use std::time::Duration;
use syslog::Syslog;
use teams::Teams;
use template::Template;
use tollwatch_detect::{AboutV1, AlertV1, Problem};
use webhook::Webhook;

/// What each kind of notifier asks for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum RawChannel {
    /// JSON by HTTP, signed as Standard Webhooks say.
    Webhook(RawWebhook),
    /// Slack, by an incoming webhook.
    Slack(RawSecretUrl),
    /// Microsoft Teams, by a webhook of Workflows.
    Teams(RawSecretUrl),
    /// PagerDuty, by Events API v2.
    #[serde(rename = "pagerduty")]
    PagerDuty(RawPagerDuty),
    /// Prometheus Alertmanager, by its API v2.
    Alertmanager(RawAlertmanager),
    /// E-mail, by SMTP.
    Email(RawMail),
    /// A file of one JSON object a line.
    #[serde(rename = "jsonl")]
    JsonLines(RawJsonLines),
    /// Syslog, RFC 5424.
    Syslog(RawSyslog),
    /// A program of the operator's.
    Exec(RawExec),
    /// Any body by HTTP, written by a template.
    Template(RawTemplate),
}

impl RawChannel {
    /// Whether a person reads it, as a rule.
    pub(crate) fn tells_people(&self) -> bool {
        matches!(self, Self::Slack(_) | Self::Teams(_) | Self::PagerDuty(_) | Self::Email(_))
    }

    /// The name of its kind, as the configuration has it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Webhook(_) => "webhook",
            Self::Slack(_) => "slack",
            Self::Teams(_) => "teams",
            Self::PagerDuty(_) => "pagerduty",
            Self::Alertmanager(_) => "alertmanager",
            Self::Email(_) => "email",
            Self::JsonLines(_) => "jsonl",
            Self::Syslog(_) => "syslog",
            Self::Exec(_) => "exec",
            Self::Template(_) => "template",
        }
    }

    pub(crate) fn check(&self, place: &str, allow_private: bool, problems: &mut Vec<Problem>) {
        match self {
            Self::Webhook(raw) => raw.url.check(place, allow_private, problems),
            Self::Slack(raw) | Self::Teams(raw) => raw.check(place, problems),
            Self::PagerDuty(raw) => raw.check(place, allow_private, problems),
            Self::Alertmanager(raw) => raw.check(place, allow_private, problems),
            Self::Email(raw) => raw.check(place, problems),
            Self::JsonLines(_) => {}
            Self::Syslog(raw) => raw.check(place, problems),
            Self::Exec(raw) => raw.check(place, problems),
            Self::Template(raw) => raw.check(place, allow_private, problems),
        }
    }
}

/// A notifier, ready to deliver. It keeps nothing: what is to be sent, and whether again, is the caller's.
#[derive(Debug)]
pub struct Notifier {
    pub(crate) name: String,
    pub(crate) language: Language,
    pub(crate) show_numbers: bool,
    pub(crate) tells_people: bool,
    pub(crate) texts: Arc<Texts>,
    pub(crate) channel: Channel,
}

#[derive(Debug)]
pub(crate) enum Channel {
    Webhook(Webhook),
    Slack(Slack),
    Teams(Teams),
    PagerDuty(PagerDuty),
    Alertmanager(Alertmanager),
    Email(Box<Mail>),
    JsonLines(JsonLines),
    Syslog(Syslog),
    Exec(Exec),
    Template(Box<Template>),
}

/// One attempt to deliver an alert, as a channel sees it.
pub(crate) struct Delivery<'a> {
    /// The alert, with numbers masked unless the notifier shows them.
    pub alert: &'a AlertV1,
    /// What a template may say about it.
    pub context: &'a Context,
    /// Its text.
    pub message: &'a Message,
    /// Processing time of this attempt.
    pub now: DateTime<Utc>,
}

impl Channel {
    pub(crate) fn build(raw: &RawChannel, building: &Building<'_>) -> Result<Self, Problem> {
        Ok(match raw {
            RawChannel::Webhook(raw) => Self::Webhook(Webhook::build(raw, building)?),
            RawChannel::Slack(raw) => Self::Slack(Slack::build(raw, building)?),
            RawChannel::Teams(raw) => Self::Teams(Teams::build(raw, building)?),
            RawChannel::PagerDuty(raw) => Self::PagerDuty(PagerDuty::build(raw, building)?),
            RawChannel::Alertmanager(raw) => Self::Alertmanager(Alertmanager::build(raw, building)?),
            RawChannel::Email(raw) => Self::Email(Box::new(Mail::build(raw, building)?)),
            RawChannel::JsonLines(raw) => Self::JsonLines(JsonLines::build(raw, building)),
            RawChannel::Syslog(raw) => Self::Syslog(Syslog::build(raw, building)?),
            RawChannel::Exec(raw) => Self::Exec(Exec::build(raw, building)?),
            RawChannel::Template(raw) => Self::Template(Box::new(Template::build(raw, building)?)),
        })
    }
}

impl Notifier {
    /// Its name in the configuration.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether a person reads what it delivers, who wants to hear once of an attack that breaks many rules.
    pub fn tells_people(&self) -> bool {
        self.tells_people
    }

    /// For Alertmanager: how often what is firing is to be delivered again, which [`Firing`] keeps track of.
    pub fn resend_every(&self) -> Option<Duration> {
        match &self.channel {
            Channel::Alertmanager(alertmanager) => Some(alertmanager.resend_every()),
            _ => None,
        }
    }

    /// Tries once to deliver an alert, within the notifier's time limit. `now` is processing time.
    pub async fn deliver(&self, alert: &AlertV1, site: Site, now: DateTime<Utc>) -> Outcome {
        let masked = if self.show_numbers { None } else { masked(alert) };
        let alert = masked.as_ref().unwrap_or(alert);
        let context = self.texts.context(alert, site, self.language);
        let message = self.texts.message_of(&context, self.language);
        let delivery = Delivery { alert, context: &context, message: &message, now };
        match &self.channel {
            Channel::Webhook(channel) => channel.deliver(&delivery).await,
            Channel::Slack(channel) => channel.deliver(&delivery).await,
            Channel::Teams(channel) => channel.deliver(&delivery).await,
            Channel::PagerDuty(channel) => channel.deliver(&delivery).await,
            Channel::Alertmanager(channel) => channel.deliver(&delivery).await,
            Channel::Email(channel) => channel.deliver(&delivery).await,
            Channel::JsonLines(channel) => channel.deliver(&delivery).await,
            Channel::Syslog(channel) => channel.deliver(&delivery).await,
            Channel::Exec(channel) => channel.deliver(&delivery).await,
            Channel::Template(channel) => channel.deliver(&delivery).await,
        }
    }
}

/// The alert with the number that it is about masked; none if it is about no number.
fn masked(alert: &AlertV1) -> Option<AlertV1> {
    let AboutV1::Calls(incident) = &alert.about else { return None };
    if incident.scope.kind != "called_number" {
        return None;
    }
    let mut incident = incident.clone();
    incident.scope.value = clean::masked(&incident.scope.value);
    Some(AlertV1 { about: AboutV1::Calls(incident), ..alert.clone() })
}
