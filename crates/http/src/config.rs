//! The part of the configuration that belongs to HTTP.
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::PathBuf;
use tollwatch_detect::Problem;

/// `[http]` as it stands in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RawHttp {
    /// Serve at all.
    pub enabled: bool,
    /// Address and port. Others than this machine's own loopback need a token or client certificates.
    pub listen: String,
    /// A file with the token that clients send as `Authorization: Bearer …`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_file: Option<String>,
    /// The same in an environment variable: its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_env: Option<String>,
    /// Show `/metrics` without the token.
    pub metrics_public: bool,
    /// So many tenants get a label of their own in `/metrics`; the others are counted together as `_other`.
    pub metrics_tenant_label_limit: usize,
    /// Show called numbers in full. Their last four digits are masked without.
    pub show_numbers: bool,
    /// Names, beside this machine's loopback ones, under which the service may be asked without a token.
    pub allowed_hosts: Vec<String>,
    /// Serve by TLS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls: Option<RawTls>,
}

/// `[http.tls]` as it stands in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RawTls {
    /// PEM file: the certificate, then those between it and its authority.
    pub certificate: String,
    /// PEM file: its private key.
    pub key: String,
    /// PEM file: authorities one of which must have signed a client's certificate; without it, clients need none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_ca: Option<String>,
}

impl Default for RawHttp {
    fn default() -> Self {
        Self {
            enabled: true,
            listen: "127.0.0.1:9718".to_owned(),
            token_file: None,
            token_env: None,
            metrics_public: false,
            metrics_tenant_label_limit: 0,
            show_numbers: false,
            allowed_hosts: Vec::new(),
            tls: None,
        }
    }
}

/// `[http]`, found to be good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpConfig {
    /// Address and port.
    pub listen: SocketAddr,
    /// Tenants with a label of their own in `/metrics`.
    pub metrics_tenant_label_limit: usize,
    /// Called numbers are shown in full.
    pub show_numbers: bool,
    pub(crate) token: TokenSource,
    pub(crate) metrics_public: bool,
    pub(crate) allowed_hosts: Vec<String>,
    pub(crate) tls: Option<TlsFiles>,
}

/// Where the token stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TokenSource {
    None,
    File(PathBuf),
    Environment(String),
}

/// What TLS is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TlsFiles {
    pub certificate: PathBuf,
    pub key: PathBuf,
    pub client_ca: Option<PathBuf>,
}

/// Why the service cannot be offered.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// A file cannot be read.
    #[error("cannot read {}", file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
    /// The variable that should hold the token is not set.
    #[error("the environment variable `{0}` is not set; it should hold the token for http")]
    NoVariable(String),
    /// The token cannot be used.
    #[error("{of}: {what}")]
    Token {
        /// The file or the variable.
        of: String,
        /// What is wrong.
        what: &'static str,
    },
    /// A file does not hold what TLS needs.
    #[error("{}: {what}", file.display())]
    Pem {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// Certificate and key do not make a TLS service.
    #[error("this certificate and key cannot be used for TLS")]
    Tls(#[source] rustls::Error),
    /// The address cannot be bound.
    #[error("cannot listen on {address}")]
    Bind {
        /// The address.
        address: SocketAddr,
        /// Why.
        #[source]
        cause: std::io::Error,
    },
}

impl RawHttp {
    /// Checks it; all faults go to `problems` with their place. None where it is switched off or has faults.
    pub fn validate(&self, problems: &mut Vec<Problem>) -> Option<HttpConfig> {
        let before = problems.len();
        let mut problem = |key: &str, what: &str, hint: &str| {
            problems.push(Problem::new(format!("http.{key}"), what.to_owned(), hint));
        };
        let listen = self.listen.parse::<SocketAddr>();
        if listen.is_err() {
            problem(
                "listen",
                &format!("`{}` is no address with a port", self.listen),
                "such as \"127.0.0.1:9718\" or \"[::1]:9718\"; names are not looked up",
            );
        }
        let token = match (&self.token_file, &self.token_env) {
            (None, None) => TokenSource::None,
            (Some(file), None) => TokenSource::File(file.into()),
            (None, Some(name)) => TokenSource::Environment(name.clone()),
            (Some(_), Some(_)) => {
                problem("token_env", "there is a `token_file` too", "keep one of them");
                TokenSource::None
            }
        };
        for (key, value) in [("token_file", &self.token_file), ("token_env", &self.token_env)] {
            if value.as_ref().is_some_and(String::is_empty) {
                problem(key, "it is empty", "leave it out if there is no token");
            }
        }
        let tls = self.tls.as_ref().map(|tls| TlsFiles {
            certificate: tls.certificate.clone().into(),
            key: tls.key.clone().into(),
            client_ca: tls.client_ca.clone().map(PathBuf::from),
        });
        if let Some(tls) = &self.tls {
            let files = [
                ("certificate", Some(&tls.certificate)),
                ("key", Some(&tls.key)),
                ("client_ca", tls.client_ca.as_ref()),
            ];
            for (key, _) in files.into_iter().filter(|(_, file)| file.is_some_and(String::is_empty)) {
                problem(&format!("tls.{key}"), "it is empty", "the path of a PEM file");
            }
        }
        for (index, host) in self.allowed_hosts.iter().enumerate().filter(|(_, host)| !is_host(host)) {
            problem(
                &format!("allowed_hosts[{index}]"),
                &format!("`{host}` is no name of a host"),
                "such as \"pbx.example.com\", without scheme and port",
            );
        }
        let has_token = self.token_file.is_some() || self.token_env.is_some();
        let knows_clients = self.tls.as_ref().is_some_and(|tls| tls.client_ca.is_some());
        if listen.as_ref().is_ok_and(|address| !is_loopback(*address)) && !has_token && !knows_clients {
            problem(
                "listen",
                &format!(
                    "{} can be reached from other machines, and whoever reaches it may do all",
                    self.listen
                ),
                "give `token_file` or `token_env`, or `tls` with `client_ca`; or listen on 127.0.0.1",
            );
        }
        if problems.len() > before || !self.enabled {
            return None;
        }
        Some(HttpConfig {
            listen: listen.ok()?,
            metrics_tenant_label_limit: self.metrics_tenant_label_limit,
            show_numbers: self.show_numbers,
            token,
            metrics_public: self.metrics_public,
            allowed_hosts: self.allowed_hosts.clone(),
            tls,
        })
    }
}

impl HttpConfig {
    /// What is taken, but not what one would want.
    pub fn warnings(&self) -> Vec<String> {
        let in_clear_text = !is_loopback(self.listen) && self.tls.is_none();
        in_clear_text
            .then(|| {
                format!(
                    "http.listen: {} serves other machines without TLS: whoever is on the way can read the token; \
                     set http.tls, or let a proxy on this machine do it",
                    self.listen
                )
            })
            .into_iter()
            .collect()
    }
}

fn is_loopback(address: SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}

fn is_host(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 253
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(raw: &RawHttp) -> Vec<String> {
        let mut problems = Vec::new();
        let config = raw.validate(&mut problems);
        assert_eq!(config.is_some(), problems.is_empty());
        problems.into_iter().map(|problem| problem.place).collect()
    }

    fn listening(listen: &str) -> RawHttp {
        RawHttp { listen: listen.to_owned(), ..RawHttp::default() }
    }

    fn tls(client_ca: Option<&str>) -> RawTls {
        let client_ca = client_ca.map(str::to_owned);
        RawTls { certificate: "c.pem".to_owned(), key: "k.pem".to_owned(), client_ca }
    }

    #[test]
    fn only_loopback_is_served_without_a_token_or_client_certificates() {
        for own in ["127.0.0.1:9718", "127.0.0.9:0", "[::1]:9718", "[::ffff:127.0.0.1]:1"] {
            assert_eq!(places(&listening(own)), [""; 0], "{own}");
        }
        for open in ["0.0.0.0:9718", "[::]:9718", "192.168.1.5:80", "[::ffff:10.0.0.1]:80", "8.8.8.8:1"] {
            assert_eq!(places(&listening(open)), ["http.listen"], "{open}");
            assert_eq!(places(&RawHttp { tls: Some(tls(None)), ..listening(open) }), ["http.listen"]);
            assert_eq!(places(&RawHttp { tls: Some(tls(Some("ca.pem"))), ..listening(open) }), [""; 0]);
            assert_eq!(places(&RawHttp { token_file: Some("t".to_owned()), ..listening(open) }), [""; 0]);
            assert_eq!(places(&RawHttp { token_env: Some("T".to_owned()), ..listening(open) }), [""; 0]);
        }
    }

    #[test]
    fn every_fault_is_named_with_its_place() {
        let raw = RawHttp {
            listen: "localhost:9718".to_owned(),
            token_file: Some(String::new()),
            token_env: Some("TOKEN".to_owned()),
            allowed_hosts: ["pbx.example", "http://pbx", "pbx:80", ""].map(str::to_owned).to_vec(),
            tls: Some(RawTls {
                certificate: String::new(),
                key: "k".to_owned(),
                client_ca: Some(String::new()),
            }),
            ..RawHttp::default()
        };
        assert_eq!(
            places(&raw),
            [
                "http.listen",
                "http.token_env",
                "http.token_file",
                "http.tls.certificate",
                "http.tls.client_ca",
                "http.allowed_hosts[1]",
                "http.allowed_hosts[2]",
                "http.allowed_hosts[3]",
            ]
        );
    }

    #[test]
    fn a_token_that_crosses_the_network_in_clear_text_is_warned_of() {
        let warnings = |raw: RawHttp| raw.validate(&mut Vec::new()).unwrap().warnings().len();
        let open = || RawHttp { token_env: Some("T".to_owned()), ..listening("0.0.0.0:9718") };
        assert_eq!(warnings(open()), 1);
        assert_eq!(warnings(RawHttp { tls: Some(tls(None)), ..open() }), 0);
        assert_eq!(warnings(RawHttp::default()), 0);
    }

    #[test]
    fn what_is_switched_off_is_checked_all_the_same() {
        let off = RawHttp { enabled: false, ..RawHttp::default() };
        let mut problems = Vec::new();
        assert_eq!(off.validate(&mut problems), None);
        assert_eq!(problems, []);
        assert_eq!(places(&RawHttp { enabled: false, ..listening("here") }), ["http.listen"]);
    }

    #[test]
    fn what_a_file_leaves_out_is_the_default_and_unknown_keys_are_refused() {
        let raw: RawHttp = serde_json::from_str(r#"{"metrics_public": true}"#).unwrap();
        assert_eq!(raw, RawHttp { metrics_public: true, ..RawHttp::default() });
        assert!(serde_json::from_str::<RawHttp>(r#"{"port": 80}"#).is_err());
    }
}
