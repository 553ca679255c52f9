//! Secrets: by a file or by the environment, never in the configuration itself, and never printed.
use super::Building;
use std::fmt;
use std::path::Path;
use tollwatch_detect::Problem;

/// A secret. It cannot be printed by accident.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Secret {
    pub(crate) fn new(secret: String) -> Self {
        Self(secret)
    }

    /// The secret itself, for the wire.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

/// Where a secret stands: the options `KEY_file` and `KEY_env`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SecretSource<'a> {
    pub key: &'static str,
    pub file: Option<&'a Path>,
    pub env: Option<&'a str>,
}

impl SecretSource<'_> {
    pub(crate) fn is_given(&self) -> bool {
        self.file.is_some() || self.env.is_some()
    }

    /// Exactly one of the two is to be given, or none where it is not needed.
    pub(crate) fn check(&self, place: &str, is_needed: bool, problems: &mut Vec<Problem>) {
        let key = self.key;
        let mut problem = |which: &str, what: &str| {
            let hint = format!("say {key}_file or {key}_env");
            problems.push(Problem::new(format!("{place}.{key}_{which}"), what.to_owned(), &hint));
        };
        match (self.file, self.env) {
            (Some(_), Some(_)) => problem("env", "stands beside a file"),
            (None, None) if is_needed => problem("file", "is missing"),
            _ => {}
        }
    }

    /// Reads it; none where it is not given. White space around it is not part of it.
    pub(crate) fn read(&self, building: &Building<'_>) -> Result<Option<Secret>, Problem> {
        let (which, text) = match (self.file, self.env) {
            (Some(file), _) => ("file", building.read(&format!("{}_file", self.key), file)?),
            (None, Some(name)) => {
                let value = (building.environment)(name).ok_or_else(|| {
                    let what = format!("the environment has no {name}");
                    building.problem(&format!("{}_env", self.key), what, "set it before the start")
                })?;
                ("env", value)
            }
            (None, None) => return Ok(None),
        };
        let secret = text.trim();
        if secret.is_empty() {
            let key = format!("{}_{which}", self.key);
            return Err(building.problem(&key, "is empty".to_owned(), "put the secret in"));
        }
        Ok(Some(Secret::new(secret.to_owned())))
    }

    /// The same where it has to be given.
    pub(crate) fn read_needed(&self, building: &Building<'_>) -> Result<Secret, Problem> {
        self.read(building)?.ok_or_else(|| {
            let hint = format!("say {0}_file or {0}_env", self.key);
            building.problem(&format!("{}_file", self.key), "is missing".to_owned(), &hint)
        })
    }
}
