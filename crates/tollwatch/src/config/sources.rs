//! Which files are read in which way: `[site]`, and `[[sources]]` over it.
use super::interface::Interface;
use super::raw::{SiteConfig, SourceConfig};
use crate::zones;
use std::path::{Path, PathBuf};
use tollwatch_cdr::{Format, Zone};
use tollwatch_detect::{Problem, parse_duration};

/// A time zone as it is configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timezone {
    /// This one.
    Known(Zone),
    /// What the records of each file say.
    Auto,
}

/// How the records of a file are to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Customer or site.
    pub tenant: String,
    /// Which PBX of the tenant: 0 for the one without a name, then by the order of their names' first mention.
    pub system: u16,
    /// Zone of records without one.
    pub timezone: Timezone,
    /// Their format; none to tell it from the first of them.
    pub format: Option<Format>,
}

/// A source that the service follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Followed {
    /// Its name, which its position is kept under.
    pub name: String,
    /// Where its records come from.
    pub from: From,
    /// Zone of records without one.
    pub zone: Zone,
    /// How they are read.
    pub source: Source,
    /// Seconds without a record after which it is silent; learned without.
    pub silent_after: Option<i64>,
}

/// Where the records of a followed source come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum From {
    /// A log that grows and is rotated.
    Log(PathBuf),
    /// A manager interface.
    Interface(Interface),
}

/// How files are to be read.
#[derive(Clone, Debug)]
pub struct Sources {
    site: Source,
    listed: Vec<(Vec<Pattern>, Source)>,
    followed: Vec<Followed>,
    country: String,
}

/// What files an entry is about.
#[derive(Clone, Debug)]
enum Pattern {
    Name(glob::Pattern),
    Path(glob::Pattern),
}

/// A `*` stays within its folder.
const MATCHING: glob::MatchOptions = glob::MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: false,
};

impl Sources {
    /// Checks all entries. Patterns are relative to `folder`.
    pub(super) fn new(
        site: &SiteConfig,
        listed: &[SourceConfig],
        country: &str,
        folder: Option<&Path>,
        problems: &mut Vec<Problem>,
    ) -> Self {
        if site.tenant.is_empty() {
            problems.push(Problem::new("site.tenant".to_owned(), "empty".to_owned(), "such as \"default\""));
        }
        let site = Source {
            tenant: site.tenant.clone(),
            system: 0,
            timezone: timezone(&site.timezone, "site.timezone", problems),
            format: None,
        };
        let folder = folder.map(|folder| if folder.as_os_str().is_empty() { Path::new(".") } else { folder });
        let folder = folder.map(|folder| folder.canonicalize().unwrap_or_else(|_| folder.to_owned()));
        let mut systems: Vec<&str> = Vec::new();
        let mut read = Vec::new();
        let mut followed: Vec<Followed> = Vec::new();
        for (index, raw) in listed.iter().enumerate() {
            let place = format!("sources[{index}]");
            let mut files = raw.files.clone();
            let log = raw.follow.as_ref().map(|path| absolute(path, folder.as_deref()));
            // What the service follows, a scan reads in the same way.
            files.extend(log.as_ref().map(|path| glob::Pattern::escape(&path.display().to_string())));
            let interface = Interface::new(raw, folder.as_deref(), &place, problems);
            let patterns = if raw.ami.is_some() {
                Vec::new()
            } else {
                patterns(&files, folder.as_deref(), &place, problems)
            };
            for (key, name) in [("tenant", &raw.tenant), ("system", &raw.system)] {
                if name.as_deref() == Some("") {
                    let hint = "write a name, or leave it out";
                    problems.push(Problem::new(format!("{place}.{key}"), "empty".to_owned(), hint));
                }
            }
            let mut source = site.clone();
            if let Some(tenant) = &raw.tenant {
                source.tenant.clone_from(tenant);
            }
            if let Some(text) = &raw.timezone {
                source.timezone = timezone(text, &format!("{place}.timezone"), problems);
            }
            if let Some(name) = &raw.format {
                source.format = format(name, &format!("{place}.format"), problems);
            }
            if let Some(name) = raw.system.as_deref() {
                let known = systems.iter().position(|known| *known == name);
                let at = known.unwrap_or_else(|| {
                    systems.push(name);
                    systems.len() - 1
                });
                source.system = u16::try_from(at + 1).unwrap_or_else(|_| {
                    let problem = format!("there are more than {} systems", u16::MAX);
                    problems.push(Problem::new(
                        format!("{place}.system"),
                        problem,
                        "use several configurations",
                    ));
                    0
                });
            }
            if interface.is_some() {
                source.format = Interface::format();
            }
            let from = interface.map(From::Interface).or(log.map(From::Log));
            if let Some(from) = from {
                followed.extend(follow(raw, from, &source, &place, &followed, problems));
            } else if raw.ami.is_none() {
                for (key, is_given) in
                    [("name", raw.name.is_some()), ("silent_after", raw.silent_after.is_some())]
                {
                    if is_given {
                        let problem = "only sources that are followed have it".to_owned();
                        problems.push(Problem::new(format!("{place}.{key}"), problem, "give `follow` too"));
                    }
                }
            }
            read.push((patterns, source));
        }
        Self { site, listed: read, followed, country: country.to_owned() }
    }

    /// The same with one format for all files.
    #[must_use]
    pub fn in_format(mut self, format: Format) -> Self {
        self.site.format = Some(format);
        for (_, source) in &mut self.listed {
            source.format = Some(format);
        }
        self
    }

    /// How files are read that no entry names.
    pub fn site(&self) -> &Source {
        &self.site
    }

    /// What the service follows.
    pub fn followed(&self) -> &[Followed] {
        &self.followed
    }

    /// ISO 3166 code of the country the PBX stands in.
    pub fn country(&self) -> &str {
        &self.country
    }

    /// The zone of the site's clock; none if only records can tell it. Records may be written in UTC wherever the
    /// site is, so that a country with one zone decides.
    pub fn site_zone(&self) -> Option<Zone> {
        match self.site.timezone {
            Timezone::Known(zone) => Some(zone),
            Timezone::Auto => zones::the_one_of(zones::of_country(&self.country)),
        }
    }

    /// How a file is read: by the first entry that matches it, else as the site's.
    pub fn of(&self, file: &Path) -> &Source {
        let paths: Vec<PathBuf> =
            [std::path::absolute(file), file.canonicalize()].into_iter().flatten().collect();
        let matches = |pattern: &Pattern| match pattern {
            Pattern::Name(pattern) => {
                file.file_name().is_some_and(|name| pattern.matches_path_with(Path::new(name), MATCHING))
            }
            Pattern::Path(pattern) => paths.iter().any(|path| pattern.matches_path_with(path, MATCHING)),
        };
        let listed = self.listed.iter().find(|(patterns, _)| patterns.iter().any(matches));
        listed.map_or(&self.site, |(_, source)| source)
    }
}

/// Stands where an entry could not be read, so that the entries behind it keep their places.
pub(super) fn unread() -> SourceConfig {
    SourceConfig {
        files: vec!["*".to_owned()],
        name: None,
        follow: None,
        ami: None,
        username: None,
        login: None,
        secret_file: None,
        secret_env: None,
        silent_after: None,
        tenant: None,
        format: None,
        timezone: None,
        system: None,
    }
}

pub(super) fn absolute(path: &str, folder: Option<&Path>) -> PathBuf {
    folder.map_or_else(|| PathBuf::from(path), |folder| folder.join(path))
}

/// A source that is followed, with its faults.
fn follow(
    raw: &SourceConfig,
    from: From,
    source: &Source,
    place: &str,
    others: &[Followed],
    problems: &mut Vec<Problem>,
) -> Option<Followed> {
    let mut problem = |key: &str, what: String, hint: &str| {
        problems.push(Problem::new(format!("{place}.{key}"), what, hint));
    };
    let name = raw.name.clone().unwrap_or_else(|| match &from {
        From::Log(path) => path.display().to_string(),
        From::Interface(interface) => interface.address.clone(),
    });
    if others.iter().any(|other| other.name == name) {
        problem("name", format!("`{name}` is taken already"), "names of followed sources are unique");
    }
    let silent_after = raw.silent_after.as_ref().and_then(|text| {
        let seconds = parse_duration(text).filter(|seconds| *seconds >= 60);
        if seconds.is_none() {
            problem("silent_after", format!("`{text}` is no duration"), "such as \"2h\", at least 1m");
        }
        seconds
    });
    let zone = match source.timezone {
        Timezone::Known(zone) => zone,
        Timezone::Auto => {
            problem(
                "timezone",
                "a service must know the zone from the first record on".to_owned(),
                "such as \"Asia/Tokyo\"; `tollwatch scan --timezone auto` over the file says which it is",
            );
            return None;
        }
    };
    Some(Followed { name, from, zone, source: source.clone(), silent_after })
}

fn timezone(text: &str, place: &str, problems: &mut Vec<Problem>) -> Timezone {
    if text == "auto" {
        return Timezone::Auto;
    }
    Timezone::Known(Zone::parse(text).unwrap_or_else(|error| {
        let hint = "an IANA name such as Asia/Tokyo, or auto";
        problems.push(Problem::new(place.to_owned(), error.to_string(), hint));
        Zone::UTC
    }))
}

fn format(name: &str, place: &str, problems: &mut Vec<Problem>) -> Option<Format> {
    match name {
        "auto" => None,
        name => Format::parse(name)
            .map_err(|error| {
                let hint = "see `tollwatch formats`, or auto";
                problems.push(Problem::new(place.to_owned(), error.to_string(), hint));
            })
            .ok(),
    }
}

fn patterns(
    files: &[String],
    folder: Option<&Path>,
    place: &str,
    problems: &mut Vec<Problem>,
) -> Vec<Pattern> {
    if files.is_empty() {
        let hint = "such as [\"/var/log/pbx/*.csv\"]";
        problems.push(Problem::new(format!("{place}.files"), "names no files".to_owned(), hint));
    }
    let read = files.iter().enumerate().filter_map(|(index, text)| {
        let pattern = if !text.contains('/') {
            glob::Pattern::new(text).map(Pattern::Name)
        } else if text.starts_with('/') {
            glob::Pattern::new(text).map(Pattern::Path)
        } else {
            let folder = folder.map_or_else(String::new, |folder| folder.display().to_string());
            let text = text.strip_prefix("./").unwrap_or(text);
            glob::Pattern::new(&format!("{}/{text}", glob::Pattern::escape(&folder))).map(Pattern::Path)
        };
        pattern
            .map_err(|error| {
                let problem = format!("`{text}` is no pattern: {}", error.msg);
                let hint = "*, ? and [abc] within a name, ** for any folders";
                problems.push(Problem::new(format!("{place}.files[{index}]"), problem, hint));
            })
            .ok()
    });
    read.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Overrides};

    fn load(text: &str, folder: Option<&Path>, overrides: &Overrides) -> Sources {
        Config::from_text(text, "test.toml", folder, overrides).unwrap().sources
    }

    const TWO: &str = "[site]\ntimezone = \"UTC\"\n\
        [[sources]]\nfiles = [\"/logs/osaka/*.csv\", \"osaka-*\"]\ntenant = \"osaka\"\nsystem = \"b\"\n\
        [[sources]]\nfiles = [\"/logs/**/*\"]\nformat = \"asterisk_cel_csv\"\ntimezone = \"Asia/Kathmandu\"\nsystem = \"a\"\n\
        [[sources]]\nfiles = [\"near/*\"]\nsystem = \"b\"\ntimezone = \"auto\"\n";

    #[test]
    fn the_first_entry_that_matches_a_file_says_how_it_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        let sources = load(TWO, Some(&folder), &Overrides::default());
        let of = |path: &str| {
            let Source { tenant, system, timezone, format } = sources.of(Path::new(path)).clone();
            (tenant, system, timezone, format)
        };
        let zone = |name| Timezone::Known(Zone::parse(name).unwrap());
        let tenant = |name: &str| name.to_owned();
        assert_eq!(of("/logs/osaka/a.csv"), (tenant("osaka"), 1, zone("UTC"), None));
        assert_eq!(of("/elsewhere/osaka-7"), (tenant("osaka"), 1, zone("UTC"), None));
        let second =
            (tenant("default"), 2, zone("Asia/Kathmandu"), Some(Format::parse("asterisk_cel_csv").unwrap()));
        assert_eq!(of("/logs/osaka/deep/a.csv"), second);
        assert_eq!(of("/logs/a.csv"), second);
        let near = folder.join("near/x").display().to_string();
        assert_eq!(of(&near), (tenant("default"), 1, Timezone::Auto, None));
        assert_eq!(of("/near/x"), (tenant("default"), 0, zone("UTC"), None));
        assert_eq!(of("-"), (tenant("default"), 0, zone("UTC"), None));
    }

    #[test]
    fn the_command_line_wins_over_every_entry() {
        let overrides = Overrides { timezone: Some("+03:00".to_owned()), ..Overrides::default() };
        let sources = load(TWO, None, &overrides).in_format(Format::parse("asterisk_cdr_csv").unwrap());
        for file in ["/logs/osaka/a.csv", "/logs/a.csv", "elsewhere"] {
            let source = sources.of(Path::new(file));
            assert_eq!(source.timezone, Timezone::Known(Zone::parse("+03:00").unwrap()), "{file}");
            assert_eq!(source.format, Some(Format::parse("asterisk_cdr_csv").unwrap()), "{file}");
        }
    }

    #[test]
    fn every_fault_of_an_entry_is_told_with_its_line() {
        let text = "[[sources]]\nfiles = []\ntenant = \"\"\n[[sources]]\nfiles = [\"a***b\"]\nformat = \"morse\"\n\
            timezone = \"Mars\"\nsystem = \"\"\n[[sources]]\nfile = \"x\"\n[[sources]]\nfiles = [\"[\"]\n";
        let problems = Config::from_text(text, "t", None, &Overrides::default()).unwrap_err();
        let told: Vec<(Option<usize>, String)> =
            problems.into_iter().map(|problem| (problem.line, problem.problem.place)).collect();
        for (line, place) in [
            (2, "sources[0].files"),
            (3, "sources[0].tenant"),
            (5, "sources[1].files[0]"),
            (6, "sources[1].format"),
            (7, "sources[1].timezone"),
            (8, "sources[1].system"),
            (10, "sources[2].file"),
            (12, "sources[3].files[0]"),
        ] {
            assert!(told.contains(&(Some(line), place.to_owned())), "{place} is not in {told:?}");
        }
        assert_eq!(told.len(), 8, "{told:?}");
    }
}
