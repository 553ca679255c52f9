//! Where the records of a source come from that `tollwatch run` reads.
use super::raw::SourceConfig;
use super::sources::absolute;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tollwatch_detect::{Problem, parse_duration};
use tollwatch_source::{Afterwards, Order, SpoolOptions};

/// Where the records of a followed source come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum From {
    /// A log that grows and is rotated.
    Log(PathBuf),
    /// A directory into which files are put.
    Directory(PathBuf, SpoolOptions),
    /// Standard input.
    Stream,
}

impl From {
    /// The one that an entry names, if it names one; with its faults.
    pub(super) fn of(
        raw: &SourceConfig,
        folder: Option<&Path>,
        place: &str,
        problems: &mut Vec<Problem>,
    ) -> Option<Self> {
        let mut problem = |key: &str, what: String, hint: &str| {
            problems.push(Problem::new(format!("{place}.{key}"), what, hint));
        };
        let given = [("follow", &raw.follow), ("directory", &raw.directory), ("path", &raw.path)];
        let mut given = given.iter().filter(|(_, value)| value.is_some());
        if let (Some((first, _)), Some((second, _))) = (given.next(), given.next()) {
            let hint = "one entry for each: a log (`follow`), a directory, or standard input (`path`)";
            problem(second, format!("stands beside `{first}`"), hint);
            return None;
        }
        if raw.directory.is_none() {
            for (key, value) in [
                ("pattern", &raw.pattern),
                ("order", &raw.order),
                ("settle", &raw.settle),
                ("after", &raw.after),
                ("move_to", &raw.move_to),
            ] {
                if value.is_some() {
                    problem(
                        key,
                        "only a `directory` has it".to_owned(),
                        "give `directory` too, or take it out",
                    );
                }
            }
        }
        if let Some(log) = &raw.follow {
            return Some(Self::Log(absolute(log, folder)));
        }
        if let Some(path) = &raw.path {
            if path != "-" {
                problem(
                    "path",
                    format!("`{path}` is not standard input"),
                    "\"-\"; a file is read by `follow`",
                );
            }
            return Some(Self::Stream);
        }
        let directory = absolute(raw.directory.as_ref()?, folder);
        let pattern = raw.pattern.as_deref().unwrap_or("*");
        let pattern =
            glob::Pattern::new(pattern).ok().filter(|_| !pattern.contains('/')).unwrap_or_else(|| {
                problem(
                    "pattern",
                    format!("`{pattern}` is no pattern"),
                    "*, ? and [abc] for names, such as \"*.csv\"",
                );
                glob::Pattern::default()
            });
        let order = match raw.order.as_deref() {
            None | Some("name") => Order::Name,
            Some("time") => Order::Time,
            Some(other) => {
                problem("order", format!("`{other}` is no order"), "\"name\" or \"time\"");
                Order::Name
            }
        };
        let settle = raw.settle.as_deref().unwrap_or("5s");
        let settle =
            parse_duration(settle).and_then(|seconds| u64::try_from(seconds).ok()).unwrap_or_else(|| {
                problem("settle", format!("`{settle}` is no duration"), "such as \"5s\"");
                5
            });
        let move_to = raw.move_to.as_ref().map(|path| absolute(path, folder));
        let afterwards = match (raw.after.as_deref(), move_to) {
            (None | Some("leave"), None) => Afterwards::Leave,
            (Some("delete"), None) => Afterwards::Delete,
            (Some("move"), Some(to)) if to != directory => Afterwards::Move(to),
            (Some("move"), Some(_)) => {
                problem(
                    "move_to",
                    "is the directory itself".to_owned(),
                    "another directory, on the same disk",
                );
                Afterwards::Leave
            }
            (Some("move"), None) => {
                problem("move_to", "is missing".to_owned(), "the directory that read files are moved to");
                Afterwards::Leave
            }
            (None | Some("leave" | "delete"), Some(_)) => {
                problem("move_to", "nothing is moved".to_owned(), "after = \"move\"");
                Afterwards::Leave
            }
            (Some(other), _) => {
                problem("after", format!("`{other}` is not known"), "\"leave\", \"move\" or \"delete\"");
                Afterwards::Leave
            }
        };
        let settle = Duration::from_secs(settle);
        Some(Self::Directory(directory, SpoolOptions { pattern, order, settle, afterwards }))
    }

    /// Where it is, for people.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Log(path) | Self::Directory(path, _) => path.display().to_string(),
            Self::Stream => "-".to_owned(),
        }
    }

    /// What a scan has to be given to read the same files.
    pub(super) fn pattern(&self) -> Option<String> {
        let escaped = |path: &Path| glob::Pattern::escape(&path.display().to_string());
        match self {
            Self::Log(path) => Some(escaped(path)),
            Self::Directory(path, options) => Some(format!("{}/{}", escaped(path), options.pattern)),
            Self::Stream => None,
        }
    }
}
