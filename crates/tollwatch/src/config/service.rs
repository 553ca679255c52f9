//! How the service runs: `[service]`, `[http]`, `[text]`, `[[notifiers]]`, `[[routes]]`.
use super::raw::RawConfig;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tollwatch_detect::{Problem, parse_duration};
use tollwatch_http::HttpConfig;
use tollwatch_notify::{NotifyPlan, RawNotify};

/// How `tollwatch run` runs, found to be good. Secrets are not read yet.
#[derive(Clone, Debug)]
pub struct Service {
    /// Where relative paths begin.
    pub folder: Option<PathBuf>,
    /// Folder of its state.
    pub state: PathBuf,
    /// What was learned is made durable so often.
    pub checkpoint_every: Duration,
    /// Who was told of a critical incident is told again after so long; never without.
    pub renotify_after: Option<Duration>,
    /// Alerts that were delivered are kept for so long.
    pub keep_alerts: Duration,
    /// Rates so old are stale; never without.
    pub stale_rates_after: Option<Duration>,
    /// A list of risky destinations so old is stale; never without.
    pub stale_risk_list_after: Option<Duration>,
    /// How long it may take to send what is due when the service is stopped.
    pub drain: Duration,
    /// Logs are JSON; by what standard error is without.
    pub log_json: Option<bool>,
    /// API, metrics and health; none where they are switched off.
    pub http: Option<HttpConfig>,
    /// Notifiers and routes.
    pub notify: NotifyPlan,
}

impl Service {
    /// Checks everything that can be checked without touching files.
    pub(super) fn new(raw: &RawConfig, folder: Option<&Path>, problems: &mut Vec<Problem>) -> Self {
        let service = &raw.service;
        let mut duration = |key: &str, text: &str, least: i64, most: i64| {
            let seconds = parse_duration(text).filter(|seconds| (least..=most).contains(seconds));
            if seconds.is_none() {
                let hint = format!("such as \"{least}s\", at most \"{}h\"", (most / 3600).max(1));
                let problem = format!("`{text}` is no duration for this");
                problems.push(Problem::new(format!("service.{key}"), problem, &hint));
            }
            Duration::from_secs(seconds.unwrap_or(least).unsigned_abs())
        };
        let checkpoint_every = duration("checkpoint_every", &service.checkpoint_every, 1, 3600);
        let mut unless_never = |key: &str, text: &str, least: i64, most: i64| {
            (text != "never").then(|| duration(key, text, least, most))
        };
        let renotify_after = unless_never("renotify_after", &service.renotify_after, 60, 30 * 86_400);
        let stale_rates_after =
            unless_never("stale_rates_after", &service.stale_rates_after, 86_400, 3650 * 86_400);
        let stale_risk_list_after =
            unless_never("stale_risk_list_after", &service.stale_risk_list_after, 86_400, 3650 * 86_400);
        let keep_alerts = duration("keep_alerts", &service.keep_alerts, 3600, 3650 * 86_400);
        let drain = duration("drain", &service.drain, 1, 3600);
        let log_json = match &*service.log_format {
            "auto" => None,
            "text" => Some(false),
            "json" => Some(true),
            other => {
                let problem = format!("`{other}` is no format of logs");
                problems.push(Problem::new("service.log_format".to_owned(), problem, "auto, text or json"));
                None
            }
        };
        if service.state.is_empty() {
            let hint = "a folder, such as \"/var/lib/tollwatch\"";
            problems.push(Problem::new("service.state".to_owned(), "empty".to_owned(), hint));
        }
        let http = raw.http.validate(problems);
        let notify = RawNotify {
            text: raw.text.clone(),
            notifiers: raw.notifiers.clone(),
            routes: raw.routes.clone(),
        };
        let notify = NotifyPlan::validate(&notify, problems);
        Self {
            folder: folder.map(Path::to_owned),
            state: folder.map_or_else(|| PathBuf::from(&service.state), |folder| folder.join(&service.state)),
            checkpoint_every,
            renotify_after,
            keep_alerts,
            stale_rates_after,
            stale_risk_list_after,
            drain,
            log_json,
            http,
            notify,
        }
    }
}
