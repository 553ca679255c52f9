//! Where a notifier that speaks HTTP sends to: said openly, or where it is a secret by a file or by the environment.
use super::http::{URL_HINT, parse_url, secret_parts};
use crate::config::{Building, Secret, SecretSource};
use reqwest::Url;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use tollwatch_detect::Problem;

/// A URL; one of the three.
// Stands flattened in other options, which refuse what neither has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct RawUrl {
    /// Where to, if that is no secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// File that holds the URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url_file: Option<PathBuf>,
    /// Environment variable that holds the URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url_env: Option<String>,
}

/// A URL by which anybody may write to a room: a secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawSecretUrl {
    /// File that holds the webhook's URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url_file: Option<PathBuf>,
    /// Environment variable that holds it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url_env: Option<String>,
}

impl RawUrl {
    fn source(&self) -> SecretSource<'_> {
        SecretSource { key: "url", file: self.url_file.as_deref(), env: self.url_env.as_deref() }
    }

    pub(super) fn check(&self, place: &str, allow_private: bool, problems: &mut Vec<Problem>) {
        self.source().check(place, self.url.is_none(), problems);
        let Some(url) = &self.url else { return };
        if self.source().is_given() {
            let hint = "say one of url, url_file and url_env";
            problems.push(Problem::new(format!("{place}.url"), "is said twice".to_owned(), hint));
        }
        if let Err(error) = parse_url(url, allow_private) {
            problems.push(Problem::new(format!("{place}.url"), error, URL_HINT));
        }
    }

    /// The URL, and what of it must not be shown.
    pub(super) fn read(&self, building: &Building<'_>) -> Result<(Url, Vec<Secret>), Problem> {
        match &self.url {
            Some(url) => parse_url(url, building.allow_private)
                .map(|url| (url, Vec::new()))
                .map_err(|error| building.problem("url", error, URL_HINT)),
            None => read(self.source(), building),
        }
    }
}

impl RawSecretUrl {
    fn source(&self) -> SecretSource<'_> {
        SecretSource { key: "url", file: self.url_file.as_deref(), env: self.url_env.as_deref() }
    }

    pub(super) fn check(&self, place: &str, problems: &mut Vec<Problem>) {
        self.source().check(place, true, problems);
    }

    /// The URL, and what of it must not be shown.
    pub(super) fn read(&self, building: &Building<'_>) -> Result<(Url, Vec<Secret>), Problem> {
        read(self.source(), building)
    }
}

fn read(source: SecretSource<'_>, building: &Building<'_>) -> Result<(Url, Vec<Secret>), Problem> {
    let text = source.read_needed(building)?;
    let key = if source.file.is_some() { "url_file" } else { "url_env" };
    let url = parse_url(text.expose(), building.allow_private)
        .map_err(|error| building.problem(key, error, URL_HINT))?;
    let secrets = secret_parts(&url);
    Ok((url, secrets))
}

#[cfg(test)]
mod tests {
    use crate::{RawChannel, RawNotifier};
    use serde_json::{Value, json};

    fn read(options: &Value) -> Result<RawChannel, String> {
        let read: Result<RawNotifier, _> = serde_json::from_value(options.clone());
        read.map(|notifier| notifier.channel).map_err(|error| error.to_string())
    }

    #[test]
    fn options_of_a_url_stand_among_the_others_and_what_is_none_is_refused() {
        for kind in ["webhook", "template", "slack", "teams"] {
            for (key, value) in [("url_file", "f"), ("url_env", "E")] {
                let mut options = json!({ "name": "n", "type": kind });
                options[key] = value.into();
                let written = serde_json::to_value(read(&options).unwrap()).unwrap();
                assert_eq!(written[key], value, "{kind}");
                options["url_fiel"] = "f".into();
                let refused = read(&options).unwrap_err();
                assert!(refused.contains("unknown field `url_fiel`"), "{kind}: {refused}");
            }
            let open = read(&json!({ "name": "n", "type": kind, "url": "https://a.example/" }));
            assert_eq!(open.is_ok(), ["webhook", "template"].contains(&kind), "{kind}: {open:?}");
        }
    }

    #[test]
    fn a_url_is_said_once() {
        for (options, expected) in [
            (json!({ "url": "https://a.example/", "url_env": "E" }), vec!["n.url"]),
            (json!({ "url_file": "f", "url_env": "E" }), vec!["n.url_env"]),
            (json!({}), vec!["n.url_file"]),
            (json!({ "url": "gopher://a.example/" }), vec!["n.url"]),
            (json!({ "url": "https://a.example/" }), vec![]),
        ] {
            let raw: super::RawUrl = serde_json::from_value(options.clone()).unwrap();
            let mut problems = Vec::new();
            raw.check("n", false, &mut problems);
            let places: Vec<String> = problems.into_iter().map(|problem| problem.place).collect();
            assert_eq!(places, expected, "{options}");
        }
    }
}
