//! The part of the configuration that belongs to notifiers, as it stands in a file, and how it becomes notifiers.
mod secret;

pub(crate) use secret::{Secret, SecretSource};

use crate::notifier::{Channel, Notifier, RawChannel};
use crate::router::{RawRoute, Router};
use crate::text::{Language, RawText, Texts};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tollwatch_detect::{Problem, parse_duration};

/// How long one attempt may take, unless the configuration says otherwise.
const TIMEOUT: Duration = Duration::from_secs(15);
const LONGEST_TIMEOUT_SECONDS: i64 = 120;

/// `[text]`, `[[notifiers]]` and `[[routes]]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawNotify {
    /// What alerts say.
    pub text: RawText,
    /// Where they go.
    pub notifiers: Vec<RawNotifier>,
    /// Which of them go where. Without any, all go everywhere.
    pub routes: Vec<RawRoute>,
}

/// One notifier: what all kinds have, and what its kind has.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RawNotifier {
    /// Its name, in routes and messages.
    pub name: String,
    /// Language of its texts; that of `[text]` without.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// Show called numbers in full. Their last four digits are masked without.
    #[serde(default)]
    pub show_numbers: bool,
    /// Tell of every incident, and not only once of an attack that breaks many rules. As a rule, notifiers that programs
    /// read do, and those that people read do not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub every_incident: Option<bool>,
    /// How long one attempt may take.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<String>,
    /// It stands in a private network or on this machine. For those that speak HTTP.
    #[serde(default)]
    pub allow_private: bool,
    /// PEM file of certificates that are trusted beside the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// What its kind asks for. An option that the kind does not have is an error.
    #[serde(flatten)]
    pub channel: RawChannel,
}

/// What is checked, and ready to be built.
#[derive(Clone, Debug)]
pub struct NotifyPlan {
    raw: RawNotify,
    router: Router,
}

/// Notifiers and routes, ready to run.
#[derive(Debug)]
pub struct Notify {
    /// The notifiers, in the order of the configuration.
    pub notifiers: Vec<Notifier>,
    /// Who is told of what.
    pub router: Router,
    /// What they say.
    pub texts: Arc<Texts>,
}

/// What building a notifier may look at.
pub(crate) struct Building<'a> {
    /// Where relative paths begin.
    pub folder: Option<&'a Path>,
    /// The environment, for secrets.
    pub environment: &'a dyn Fn(&str) -> Option<String>,
    /// Place of the notifier in the configuration.
    pub place: String,
    pub timeout: Duration,
    pub allow_private: bool,
    /// Certificates in PEM beside the system's.
    pub authorities: Option<Vec<u8>>,
}

impl NotifyPlan {
    /// Checks everything that can be checked without touching files; all faults go to `problems`.
    pub fn validate(raw: &RawNotify, problems: &mut Vec<Problem>) -> Self {
        for (index, notifier) in raw.notifiers.iter().enumerate() {
            let place = format!("notifiers[{index}]");
            let mut problem = |key: &str, what: String, hint: &str| {
                problems.push(Problem::new(format!("{place}.{key}"), what, hint));
            };
            let name = &notifier.name;
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
            if name.is_empty() || name.len() > 64 || !name.bytes().all(is_plain) {
                problem("name", format!("`{name}` is no name"), "up to 64 of a-z, A-Z, 0-9, _ and -");
            }
            if raw.notifiers.iter().take(index).any(|other| other.name == *name) {
                problem("name", format!("`{name}` is taken already"), "names of notifiers are unique");
            }
            if let Some(text) = &notifier.timeout
                && parse_timeout(text).is_none()
            {
                problem("timeout", format!("`{text}` is no time limit"), "such as \"15s\", at most 2m");
            }
            notifier.channel.check(&place, notifier.allow_private, problems);
        }
        let names: Vec<&str> = raw.notifiers.iter().map(|notifier| notifier.name.as_str()).collect();
        let router = Router::validate(&raw.routes, &names, problems);
        Self { raw: raw.clone(), router }
    }

    /// Reads secrets, certificates and templates, and makes the notifiers. Paths are relative to `folder`.
    pub fn build(
        &self,
        folder: Option<&Path>,
        environment: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Notify, Vec<Problem>> {
        let mut problems = Vec::new();
        let texts = Arc::new(Texts::build(&self.raw.text, folder, &mut problems));
        let usual = self.raw.text.language.unwrap_or_default();
        let mut notifiers = Vec::new();
        for (index, raw) in self.raw.notifiers.iter().enumerate() {
            let place = format!("notifiers[{index}]");
            match build(raw, place, usual, folder, environment, &texts) {
                Ok(notifier) => notifiers.push(notifier),
                Err(problem) => problems.push(problem),
            }
        }
        if problems.is_empty() {
            Ok(Notify { notifiers, router: self.router.clone(), texts })
        } else {
            Err(problems)
        }
    }
}

fn build(
    raw: &RawNotifier,
    place: String,
    usual: Language,
    folder: Option<&Path>,
    environment: &dyn Fn(&str) -> Option<String>,
    texts: &Arc<Texts>,
) -> Result<Notifier, Problem> {
    let timeout = raw.timeout.as_deref().and_then(parse_timeout).unwrap_or(TIMEOUT);
    let mut building =
        Building { folder, environment, place, timeout, allow_private: raw.allow_private, authorities: None };
    building.authorities = raw
        .ca_file
        .as_ref()
        .map(|path| building.read("ca_file", path).map(String::into_bytes))
        .transpose()?;
    Ok(Notifier {
        name: raw.name.clone(),
        language: raw.language.unwrap_or(usual),
        show_numbers: raw.show_numbers,
        tells_people: !raw.every_incident.unwrap_or(!raw.channel.tells_people()),
        texts: Arc::clone(texts),
        channel: Channel::build(&raw.channel, &building)?,
    })
}

fn parse_timeout(text: &str) -> Option<Duration> {
    let seconds = parse_duration(text).filter(|seconds| (1..=LONGEST_TIMEOUT_SECONDS).contains(seconds))?;
    Some(Duration::from_secs(seconds as u64))
}

impl Building<'_> {
    /// A path of the configuration as it is opened.
    pub(crate) fn path(&self, path: &Path) -> PathBuf {
        self.folder.map_or_else(|| path.to_owned(), |folder| folder.join(path))
    }

    pub(crate) fn read(&self, key: &str, path: &Path) -> Result<String, Problem> {
        let path = self.path(path);
        std::fs::read_to_string(&path).map_err(|error| {
            self.problem(key, format!("{}: {error}", path.display()), "give a readable file")
        })
    }

    pub(crate) fn problem(&self, key: &str, what: String, hint: &str) -> Problem {
        Problem::new(format!("{}.{key}", self.place), what, hint)
    }
}
