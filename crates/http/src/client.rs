//! Asks a running service, as the command line does: by its own configuration, from the same machine.
//!
//! No proxy, no redirect, no name is looked up: the address, the token and the certificate are those that the service itself
//! was started with. The certificate is compared as a whole, so that it may be made for any name.
use crate::access::Token;
use crate::config::{HttpConfig, HttpError};
use crate::fault::FaultV1;
use crate::tls;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::{Method, Request, header};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;

/// The service answers within ten seconds, or with a fault.
const PATIENCE: Duration = Duration::from_secs(15);
/// An answer is no longer than this.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// Where a service is asked, and how.
#[derive(Debug)]
pub struct Client {
    address: SocketAddr,
    token: Option<Token>,
    tls: Option<Arc<ClientConfig>>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum Asked {
    /// Nobody listens there.
    #[error("no service listens at {url}")]
    NotThere {
        /// Where.
        url: String,
        /// What the system said.
        #[source]
        cause: std::io::Error,
    },
    /// Somebody listens, and does not speak as the service does.
    #[error("{url} does not answer as a service of this configuration: {what}")]
    Unclear {
        /// Where.
        url: String,
        /// What happened.
        what: String,
    },
    /// The service says no.
    #[error("{detail}; {hint}")]
    Refused {
        /// The status of HTTP.
        status: u16,
        /// What is wrong.
        detail: String,
        /// What to do about it.
        hint: String,
    },
}

impl Client {
    /// Reads the token and the certificate that the configuration names. Paths are relative to `folder`; `environment`
    /// looks up a variable. With `at`, the service is asked there.
    pub fn load(
        config: &HttpConfig,
        at: Option<SocketAddr>,
        folder: Option<&Path>,
        environment: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, HttpError> {
        let token = Token::load(&config.token, folder, environment)?;
        let tls = config.tls.as_ref().map(|files| tls::of_client(files, folder)).transpose()?;
        Ok(Self { address: reachable(at.unwrap_or(config.listen)), token, tls: tls.map(Arc::new) })
    }

    /// Where it asks.
    pub fn url(&self) -> String {
        format!("{}://{}", if self.tls.is_some() { "https" } else { "http" }, self.address)
    }

    /// What is there at a path.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, Asked> {
        self.ask(Method::GET, path, Bytes::new()).await
    }

    /// What a path makes of a body.
    pub async fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, Asked> {
        let body = serde_json::to_vec(body).map_err(|error| self.unclear(error.to_string()))?;
        self.ask(Method::POST, path, body.into()).await
    }

    async fn ask<T: DeserializeOwned>(&self, method: Method, path: &str, body: Bytes) -> Result<T, Asked> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, self.address.to_string())
            .header(header::CONNECTION, "close")
            .header(header::CONTENT_TYPE, "application/json");
        if let Some(token) = &self.token {
            request = request.header(header::AUTHORIZATION, token.bearer());
        }
        let request = request.body(Full::new(body)).map_err(|error| self.unclear(error.to_string()))?;
        let connect = TcpStream::connect(self.address);
        let stream =
            timeout(PATIENCE, connect).await.map_err(|_| self.unclear("it does not accept".to_owned()))?;
        let stream = stream.map_err(|cause| Asked::NotThere { url: self.url(), cause })?;
        let exchange = async {
            match &self.tls {
                None => self.exchange(stream, request).await,
                Some(tls) => {
                    let name = ServerName::IpAddress(self.address.ip().into());
                    let secured = TlsConnector::from(Arc::clone(tls)).connect(name, stream).await;
                    self.exchange(secured.map_err(|error| self.unclear(error.to_string()))?, request).await
                }
            }
        };
        let (status, bytes) = timeout(PATIENCE, exchange)
            .await
            .map_err(|_| self.unclear(format!("no answer within {} s", PATIENCE.as_secs())))??;
        if (200..300).contains(&status) {
            return serde_json::from_slice(&bytes).map_err(|error| self.unclear(error.to_string()));
        }
        match serde_json::from_slice::<FaultV1>(&bytes) {
            Ok(fault) => Err(refused(fault)),
            Err(_) => Err(self.unclear(format!("status {status}"))),
        }
    }

    async fn exchange(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        request: Request<Full<Bytes>>,
    ) -> Result<(u16, Bytes), Asked> {
        let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = handshake.map_err(|error| self.unclear(error.to_string()))?;
        let answer = async {
            let answer =
                sender.send_request(request).await.map_err(|error| self.unclear(error.to_string()))?;
            let status = answer.status().as_u16();
            let body = Limited::new(answer.into_body(), MOST_BYTES).collect().await;
            Ok((status, body.map_err(|error| self.unclear(error.to_string()))?.to_bytes()))
        };
        // The connection moves what the other side waits for; whose end it is shows in the answer.
        let mut connection = std::pin::pin!(connection);
        let mut answer = std::pin::pin!(answer);
        tokio::select! {
            answer = &mut answer => return answer,
            _ = &mut connection => {}
        }
        answer.await
    }

    fn unclear(&self, what: String) -> Asked {
        Asked::Unclear { url: self.url(), what }
    }
}

/// A service that listens everywhere is asked by the loopback.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

/// One line: single faults say more than that there are some.
fn refused(fault: FaultV1) -> Asked {
    let FaultV1 { status, detail, hint, problems, .. } = fault;
    match problems.split_first() {
        None => Asked::Refused { status, detail, hint },
        Some((first, others)) => {
            let more =
                if others.is_empty() { String::new() } else { format!(" (and {} more)", others.len()) };
            let detail = format!("{}: {}{more}", first.place, first.problem);
            Asked::Refused { status, detail, hint: first.hint.clone() }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_that_listens_everywhere_is_asked_by_the_loopback() {
        for (listen, asked) in [
            ("0.0.0.0:9718", "127.0.0.1:9718"),
            ("[::]:9718", "[::1]:9718"),
            ("127.0.0.2:1", "127.0.0.2:1"),
            ("192.0.2.7:80", "192.0.2.7:80"),
        ] {
            assert_eq!(reachable(listen.parse().unwrap()), asked.parse().unwrap());
        }
    }
}
