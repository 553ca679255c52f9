//! Every kind of notifier against a receiver that is real, or speaks as a real one does.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may stop at once, its helpers too"
)]

mod alertmanager;
mod exec;
mod hostile;
mod json;
mod mail;
mod receiver;
mod syslog;
mod templates;
mod webhook;

use chrono::{DateTime, Utc};
use tollwatch_detect::{AboutV1, AlertReasonV1, AlertV1};
use tollwatch_notify::{Notifier, NotifyPlan, Outcome, RawNotify, Site, sample_alerts};

/// The only notifier of a configuration.
fn notifier(text: &str, secrets: &[(&str, &str)]) -> Notifier {
    let raw: RawNotify = toml::from_str(text).unwrap();
    let mut problems = Vec::new();
    let plan = NotifyPlan::validate(&raw, &mut problems);
    assert_eq!(problems, []);
    let secret =
        |name: &str| secrets.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    plan.build(None, &secret).unwrap().notifiers.remove(0)
}

/// One of this kind with these options, at home in this machine.
fn of_kind(kind: &str, options: &str, secrets: &[(&str, &str)]) -> Notifier {
    let head = format!("[[notifiers]]\nname = \"it\"\ntype = \"{kind}\"\nallow_private = true\n");
    notifier(&format!("{head}{options}\n"), secrets)
}

/// An alert about the calls of an extension.
fn about_calls(reason: AlertReasonV1) -> (AlertV1, Site) {
    let is_it =
        |(alert, _): &(AlertV1, Site)| alert.reason == reason && matches!(alert.about, AboutV1::Calls(_));
    sample_alerts().into_iter().find(is_it).unwrap()
}

async fn deliver(notifier: &Notifier, reason: AlertReasonV1, now: DateTime<Utc>) -> Outcome {
    let (alert, site) = about_calls(reason);
    notifier.deliver(&alert, site, now).await
}

/// An instant that stays the same.
fn noon() -> DateTime<Utc> {
    "2026-03-08T12:00:00Z".parse().unwrap()
}

/// For those that look at the clock themselves, and have to be shown what is new.
#[expect(clippy::disallowed_methods, reason = "what is received is compared with the clock")]
fn clock() -> DateTime<Utc> {
    std::time::SystemTime::now().into()
}
