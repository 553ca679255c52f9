//! `[[sources]]` with `ami`: the manager interface of an Asterisk, listened to by the service.
use super::raw::SourceConfig;
use std::fs;
use std::path::{Path, PathBuf};
use tollwatch_cdr::Format;
use tollwatch_detect::Problem;
use tollwatch_source::AmiLogin;

/// The format of what it sends.
pub(super) const FORMAT: &str = "asterisk_ami";

/// A manager interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// `host:port`
    pub address: String,
    /// The user in `manager.conf`.
    pub username: String,
    /// How it logs in.
    pub login: AmiLogin,
    /// Where the user's secret stands.
    pub secret: SecretPlace,
}

/// Where a secret stands. It is read when it is needed, so that it can be changed while the service runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretPlace {
    /// A file that holds nothing else.
    File(PathBuf),
    /// A variable of the environment.
    Environment(String),
}

impl SecretPlace {
    /// The secret, without blanks around it. What is wrong never has any of it.
    pub(crate) fn read(&self, environment: fn(&str) -> Option<String>) -> Result<String, String> {
        let (place, text) = match self {
            Self::File(path) => {
                let text = fs::read_to_string(path);
                (path.display().to_string(), text.map_err(|error| format!("{}: {error}", path.display()))?)
            }
            Self::Environment(name) => {
                let value = environment(name).ok_or_else(|| format!("the environment has no {name}"))?;
                (name.clone(), value)
            }
        };
        let secret = text.trim();
        if secret.is_empty() || secret.contains(['\r', '\n']) {
            return Err(format!("{place} holds no secret of one line"));
        }
        Ok(secret.to_owned())
    }
}

impl Interface {
    /// What an entry says of an interface, with its faults. None if it is about files.
    pub(super) fn new(
        raw: &SourceConfig,
        folder: Option<&Path>,
        place: &str,
        problems: &mut Vec<Problem>,
    ) -> Option<Self> {
        let mut problem = |key: &str, what: &str, hint: &str| {
            problems.push(Problem::new(format!("{place}.{key}"), what.to_owned(), hint));
        };
        let Some(address) = &raw.ami else {
            for (key, value) in [
                ("username", &raw.username),
                ("login", &raw.login),
                ("secret_file", &raw.secret_file),
                ("secret_env", &raw.secret_env),
            ] {
                if value.is_some() {
                    problem(key, "only a manager interface has it", "give `ami` too");
                }
            }
            return None;
        };
        if !raw.files.is_empty() || raw.follow.is_some() {
            problem("ami", "stands beside files", "make two entries of it");
        }
        let port = address.rsplit_once(':').and_then(|(host, port)| {
            let port = port.parse::<u16>().ok()?;
            (!host.is_empty() && port > 0).then_some(port)
        });
        if port.is_none() {
            problem("ami", "is no address", "such as \"127.0.0.1:5038\"");
        }
        if raw.format.as_deref().is_some_and(|format| format != FORMAT && format != "auto") {
            problem("format", "is not that of a manager interface", "leave it out");
        }
        let username = raw.username.clone().unwrap_or_default();
        if username.is_empty() || username.chars().any(char::is_control) {
            problem("username", "is no name", "that of the user in manager.conf");
        }
        let login = match raw.login.as_deref() {
            None | Some("challenge") => AmiLogin::Challenge,
            Some("plain") => AmiLogin::Plain,
            Some(_) => {
                problem("login", "is none of the ways to log in", "\"challenge\" or \"plain\"");
                AmiLogin::Challenge
            }
        };
        let secret = match (&raw.secret_file, &raw.secret_env) {
            (Some(file), None) => SecretPlace::File(super::sources::absolute(file, folder)),
            (None, Some(name)) => SecretPlace::Environment(name.clone()),
            (Some(_), Some(_)) => {
                problem("secret_env", "stands beside a file", "say secret_file or secret_env");
                return None;
            }
            (None, None) => {
                problem("secret_file", "is missing", "say secret_file or secret_env");
                return None;
            }
        };
        Some(Self { address: address.clone(), username, login, secret })
    }

    /// The format of what it sends.
    pub(super) fn format() -> Option<Format> {
        Format::parse(FORMAT).ok()
    }
}

#[cfg(test)]
mod tests {
    use crate::config::{Config, From, Overrides};

    fn read(entry: &str) -> Result<From, Vec<String>> {
        let text = format!("[site]\ntimezone = \"Asia/Tokyo\"\n[[sources]]\n{entry}\n");
        match Config::from_text(&text, "t", None, &Overrides::default()) {
            Ok(config) => Ok(config.sources.followed()[0].from.clone()),
            Err(problems) => Err(problems.into_iter().map(|problem| problem.problem.place).collect()),
        }
    }

    #[test]
    fn an_interface_is_an_address_a_user_and_where_the_secret_stands() {
        let From::Interface(interface) =
            read("ami = \"pbx.example:5038\"\nusername = \"tollwatch\"\nsecret_env = \"AMI\"").unwrap()
        else {
            panic!()
        };
        assert_eq!((&*interface.address, &*interface.username), ("pbx.example:5038", "tollwatch"));
        let secret = |value: &'static str| {
            let environment: fn(&str) -> Option<String> = match value {
                "good" => |_| Some(" s3cret\n".to_owned()),
                "two lines" => |_| Some("a\nAction: Originate".to_owned()),
                _ => |_| None,
            };
            interface.secret.read(environment)
        };
        assert_eq!(secret("good").unwrap(), "s3cret");
        assert!(!secret("two lines").unwrap_err().contains("Originate"));
        assert!(secret("").unwrap_err().contains("AMI"));
    }

    #[test]
    fn every_fault_of_an_interface_is_told_at_once() {
        let faults = read(
            "ami = \"pbx\"\nfollow = \"x\"\nformat = \"asterisk_cel_csv\"\nlogin = \"kerberos\"\nsecret_file = \"a\"\nsecret_env = \"b\"",
        )
        .unwrap_err();
        for key in ["ami", "format", "login", "username", "secret_env"] {
            assert!(faults.contains(&format!("sources[0].{key}")), "{key}: {faults:?}");
        }
        let faults = read("files = [\"a\"]\nusername = \"b\"\nsecret_file = \"c\"").unwrap_err();
        assert_eq!(faults, ["sources[0].username", "sources[0].secret_file"]);
    }
}
