//! How alerts reach a person.
//!
//! An alert is routed ([`Router`]), queued for each notifier that it goes to ([`Queue`]), and delivered
//! ([`Notifier::deliver`]), as often as it takes ([`Outcome`]). The first two are pure: time is passed in, and what has to
//! survive the process is handed out. Nothing here stores anything: an alert is durable before it is queued, and the caller
//! keeps the states of the queues' items.
//!
//! What is delivered was partly written by attackers, who choose the names that calls carry. Texts are clean
//! before a template sees them, and each channel escapes them for itself.
mod address;
mod config;
mod hours;
mod mute;
mod notifier;
mod outcome;
mod queue;
mod router;
mod sample;
mod schedule;
mod text;

pub use config::{Notify, NotifyPlan, RawNotifier, RawNotify};
pub use hours::{Hours, RawHours};
pub use mute::{Matchers, Mute};
pub use notifier::{
    Firing, FiringState, MailTls, Notifier, RawAlertmanager, RawChannel, RawExec, RawHeader, RawJsonLines,
    RawMail, RawPagerDuty, RawSecretHeader, RawSecretUrl, RawSyslog, RawTemplate, RawUrl, RawWebhook,
    WebhookFormat,
};
pub use outcome::Outcome;
pub use queue::{Due, ItemState, Queue, Settled};
pub use router::{About, Addressee, RawRoute, Routed, Router};
pub use sample::sample_alerts;
pub use schedule::{MOST_ATTEMPTS, delay};
pub use text::{Language, Message, RawText, Site, Texts};
