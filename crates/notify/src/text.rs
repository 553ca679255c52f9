//! What people read: one text in each language, by templates that the operator can replace.
pub(crate) mod clean;
mod context;
mod words;

pub(crate) use context::Context;

use crate::sample::sample_alerts;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use tollwatch_detect::{AlertV1, EventTime, Problem, Zone};

/// The longest subject, in characters.
const LONGEST_SUBJECT: usize = 250;
/// The longest body, in characters: what any channel could take.
const LONGEST_BODY: usize = 12_000;
/// A template may take so many steps: far more than one needs, and no loop within loops holds up an alert.
const MOST_STEPS: u64 = 200_000;

/// The language of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Language {
    /// English.
    #[default]
    #[serde(rename = "en")]
    English,
    /// Japanese.
    #[serde(rename = "ja")]
    Japanese,
}

impl Language {
    pub(crate) fn pick<T>(self, english: T, japanese: T) -> T {
        match self {
            Self::English => english,
            Self::Japanese => japanese,
        }
    }
}

/// `[text]` as it stands in the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawText {
    /// Language of notifiers that name none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<Language>,
    /// Whom to call at the carrier: a name, a number, the hours. Stands in every alert about calls.
    pub carrier: String,
    /// A template in place of the English text; its first line is the subject.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template_en: Option<PathBuf>,
    /// The same for Japanese.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub template_ja: Option<PathBuf>,
}

/// What a text says of a tenant's site, passed in with each alert.
#[derive(Clone, Copy, Debug)]
pub struct Site {
    /// Zone of its wall clock.
    pub zone: Zone,
    /// When its office opens next after the alert, if that is known.
    pub next_opening: Option<EventTime>,
}

/// A text for people. Neither part holds control characters other than the line feeds of the body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// One line.
    pub subject: String,
    /// Any number of lines.
    pub body: String,
}

/// The templates of both languages, and the operator's own in their place.
pub struct Texts {
    environment: Environment<'static>,
    carrier: String,
    fallbacks: AtomicU64,
}

impl fmt::Debug for Texts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Texts").field("fallbacks", &self.fallbacks).finish_non_exhaustive()
    }
}

impl Texts {
    /// Reads the templates, whose paths are relative to `folder`, and tries them on alerts of all kinds.
    pub(crate) fn build(raw: &RawText, folder: Option<&Path>, problems: &mut Vec<Problem>) -> Self {
        let texts = Self { carrier: clean::lines(&raw.carrier, 1000), ..Self::embedded() };
        let own = [
            (Language::English, "text.template_en", &raw.template_en),
            (Language::Japanese, "text.template_ja", &raw.template_ja),
        ];
        own.into_iter().fold(texts, |texts, (language, place, path)| match path {
            Some(path) => texts.with_template(language, place, path, folder, problems),
            None => texts,
        })
    }

    /// The embedded templates alone.
    pub(crate) fn embedded() -> Self {
        Self { environment: environment(), carrier: String::new(), fallbacks: AtomicU64::new(0) }
    }

    fn with_template(
        mut self,
        language: Language,
        place: &str,
        path: &Path,
        folder: Option<&Path>,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let mut problem = |what: String, hint: &str| {
            problems.push(Problem::new(place.to_owned(), what, hint));
        };
        let path = folder.map_or_else(|| path.to_owned(), |folder| folder.join(path));
        match std::fs::read_to_string(&path) {
            Err(error) => problem(format!("{}: {error}", path.display()), "give a readable file"),
            Ok(text) => {
                let hint = "see the embedded template for what there is to say";
                if let Err(error) = self.environment.add_template_owned(own_name(language), text) {
                    problem(in_one_line(&error), hint);
                } else if let Some(error) = self.first_fault(language) {
                    problem(error, hint);
                }
            }
        }
        self
    }

    /// What the operator's template fails on.
    fn first_fault(&self, language: Language) -> Option<String> {
        sample_alerts().iter().find_map(|(alert, site)| {
            let context = self.context(alert, *site, language);
            match self.render(own_name(language), &context) {
                Err(error) => Some(in_one_line(&error)),
                Ok(message) if message.subject.is_empty() => {
                    Some("the first line, which is the subject, is empty".to_owned())
                }
                Ok(_) => None,
            }
        })
    }

    /// The text of an alert. Where the operator's template fails, the embedded one takes its place, and that is counted.
    pub fn message(&self, alert: &AlertV1, site: Site, language: Language) -> Message {
        self.message_of(&self.context(alert, site, language), language)
    }

    pub(crate) fn context(&self, alert: &AlertV1, site: Site, language: Language) -> Context {
        Context::new(alert, site, language, &self.carrier)
    }

    pub(crate) fn message_of(&self, context: &Context, language: Language) -> Message {
        if self.environment.get_template(own_name(language)).is_ok() {
            match self.render(own_name(language), context) {
                Ok(message) if !message.subject.is_empty() => return context.marked(message, language),
                _ => self.fallbacks.fetch_add(1, Ordering::Relaxed),
            };
        }
        self.render(embedded_name(language), context).unwrap_or_else(|_| context.bare())
    }

    /// How often a template of the operator's has failed since the start.
    pub fn fallbacks(&self) -> u64 {
        self.fallbacks.load(Ordering::Relaxed)
    }

    fn render(&self, name: &str, context: &Context) -> Result<Message, minijinja::Error> {
        let text = self.environment.get_template(name)?.render(context)?;
        let text = text.trim_start();
        let (subject, body) = text.split_once('\n').unwrap_or((text, ""));
        Ok(Message {
            subject: clean::line(subject.trim(), LONGEST_SUBJECT),
            body: clean::lines(body.trim(), LONGEST_BODY),
        })
    }
}

fn own_name(language: Language) -> &'static str {
    language.pick("own.en", "own.ja")
}

fn embedded_name(language: Language) -> &'static str {
    language.pick("alert.en", "alert.ja")
}

pub(crate) fn in_one_line(error: &minijinja::Error) -> String {
    let line = error.line().map_or_else(String::new, |line| format!("line {line}: "));
    clean::line(&format!("{line}{error}"), 300)
}

/// What is common to all templates: nothing is undefined by mistake, and nothing runs for ever.
pub(crate) fn strict_environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_trim_blocks(true);
    environment.set_lstrip_blocks(true);
    environment.set_fuel(Some(MOST_STEPS));
    environment
}

fn environment() -> Environment<'static> {
    let mut environment = strict_environment();
    // Values are clean; each channel escapes the whole text for itself.
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    for (name, text) in [
        (embedded_name(Language::English), include_str!("../templates/alert.en.txt")),
        (embedded_name(Language::Japanese), include_str!("../templates/alert.ja.txt")),
    ] {
        // A test renders them; were they broken all the same, `message_of` still says the bare facts.
        let _ = environment.add_template(name, text);
    }
    environment
}

#[cfg(test)]
mod tests;
