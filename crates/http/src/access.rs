//! Who may ask: the token, and the names under which the service may be asked.
use crate::config::{HttpConfig, HttpError, TokenSource};
use crate::fault::Fault;
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use std::fmt;
use std::path::Path;
use subtle::ConstantTimeEq as _;

/// A shorter token could be found by trying.
const LEAST_TOKEN: usize = 16;
/// What a file given by mistake is not read beyond.
const MOST_TOKEN: usize = 4_096;

/// The secret that clients send; never printed.
pub(crate) struct Token(Vec<u8>);

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

impl Token {
    /// What a file or a variable holds, without the line's end.
    fn parse(text: &[u8]) -> Result<Self, &'static str> {
        let text = text.trim_ascii();
        if text.len() < LEAST_TOKEN {
            return Err("the token has fewer than 16 characters");
        }
        if text.len() > MOST_TOKEN || !text.iter().all(u8::is_ascii_graphic) {
            return Err("a token is one line of letters, digits and signs, without spaces");
        }
        Ok(Self(text.to_vec()))
    }

    /// Reads the token that the configuration names, if it names one.
    pub(crate) fn load(
        source: &TokenSource,
        folder: Option<&Path>,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Option<Self>, HttpError> {
        let (of, text) = match source {
            TokenSource::None => return Ok(None),
            TokenSource::File(path) => {
                let path = folder.map_or_else(|| path.clone(), |folder| folder.join(path));
                let text = std::fs::read(&path)
                    .map_err(|cause| HttpError::Unreadable { file: path.clone(), cause })?;
                (path.display().to_string(), text)
            }
            TokenSource::Environment(name) => {
                let text = environment(name).ok_or_else(|| HttpError::NoVariable(name.clone()))?;
                (name.clone(), text.into_bytes())
            }
        };
        Self::parse(&text).map(Some).map_err(|what| HttpError::Token { of, what })
    }

    /// What a client sends.
    pub(crate) fn bearer(&self) -> Vec<u8> {
        [b"Bearer ", self.0.as_slice()].concat()
    }
}

/// What decides whether a request is served at all.
#[derive(Debug)]
pub struct Access {
    token: Option<Token>,
    metrics_public: bool,
    /// Names in `Host` that are served; any, where a page of another site cannot reach us by a name of its own.
    hosts: Option<Vec<String>>,
}

impl Access {
    /// Reads the token that the configuration names. Paths are relative to `folder`; `environment` looks up a variable.
    pub fn load(
        config: &HttpConfig,
        folder: Option<&Path>,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, HttpError> {
        let token = Token::load(&config.token, folder, environment)?;
        // A page of another site can make its own name point to this machine (DNS rebinding) and then send what it
        // likes from a browser here. It knows no token, and has no certificate for its name that we would show.
        let can_be_rebound = token.is_none() && config.tls.is_none();
        let hosts = can_be_rebound.then(|| {
            let mut hosts = ["localhost", "127.0.0.1", "[::1]"].map(str::to_owned).to_vec();
            hosts.push(match config.listen {
                std::net::SocketAddr::V4(address) => address.ip().to_string(),
                std::net::SocketAddr::V6(address) => format!("[{}]", address.ip()),
            });
            hosts.extend(config.allowed_hosts.iter().cloned());
            hosts
        });
        Ok(Self { token, metrics_public: config.metrics_public, hosts })
    }

    /// Whether a request is to be served.
    pub(crate) fn check(&self, request: &Parts) -> Result<(), Fault> {
        self.check_host(request)?;
        match &self.token {
            Some(token) if self.needs_token(request) && !carries(request, token) => Err(Fault::no_token()),
            _ => Ok(()),
        }
    }

    /// Supervisors ask whether the service lives and is ready without a secret; its checks in full are not for all.
    fn needs_token(&self, request: &Parts) -> bool {
        match request.uri.path() {
            "/healthz" | "/livez" => false,
            "/readyz" => request.uri.query().is_some(),
            "/metrics" => !self.metrics_public,
            _ => true,
        }
    }

    fn check_host(&self, request: &Parts) -> Result<(), Fault> {
        let Some(hosts) = &self.hosts else { return Ok(()) };
        let mut named = request.headers.get_all(header::HOST).iter();
        let name = match (request.uri.authority(), named.next(), named.next()) {
            (Some(authority), ..) => Some(authority.as_str()),
            (None, Some(host), None) => host.to_str().ok(),
            _ => None,
        };
        match name.map(without_port) {
            Some(name) if hosts.iter().any(|host| host.eq_ignore_ascii_case(name)) => Ok(()),
            _ => Err(Fault::new(
                StatusCode::FORBIDDEN,
                "asked under a name that is not this service's",
                "use 127.0.0.1 or localhost, or add the name to `http.allowed_hosts`",
            )),
        }
    }
}

fn carries(request: &Parts, token: &Token) -> bool {
    let mut given = request.headers.get_all(header::AUTHORIZATION).iter();
    let (Some(only), None) = (given.next(), given.next()) else { return false };
    match only.as_bytes().split_at_checked("Bearer ".len()) {
        Some((scheme, given)) => {
            scheme.eq_ignore_ascii_case(b"Bearer ") && given.ct_eq(token.0.as_slice()).into()
        }
        None => false,
    }
}

/// `localhost:9718` → `localhost`; `[::1]:9718` → `[::1]`.
fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !name.is_empty() => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_no_part_of_a_name() {
        for (host, name) in [
            ("localhost", "localhost"),
            ("localhost:9718", "localhost"),
            ("localhost:", "localhost"),
            ("[::1]:9718", "[::1]"),
            ("127.0.0.1.evil.example:80", "127.0.0.1.evil.example"),
            ("localhost:80@evil.example", "localhost:80@evil.example"),
            (":80", ":80"),
        ] {
            assert_eq!(without_port(host), name);
        }
    }

    #[test]
    fn a_token_is_one_line_of_sixteen_signs_or_more() {
        assert_eq!(Token::parse(b"0123456789abcdef\n").unwrap().0, b"0123456789abcdef");
        for bad in [&b"0123456789abcde"[..], b"", b"0123456789 abcdef", "0123456789abcdeé".as_bytes()] {
            assert!(Token::parse(bad).is_err());
        }
        assert!(Token::parse(&[b'x'; MOST_TOKEN + 1]).is_err());
    }

    #[test]
    fn a_token_is_never_printed() {
        let token = Token::parse(b"0123456789abcdef").unwrap();
        assert!(!format!("{token:?}").contains("0123"));
    }
}
