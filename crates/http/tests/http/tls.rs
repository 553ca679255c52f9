//! Real connections by TLS, with and without client certificates.
use crate::harness::{around, converse, engine, open, serve};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tollwatch_http::{HttpError, Limits, RawHttp, RawTls, Tls};

pub(crate) type Authority = CertifiedIssuer<'static, KeyPair>;

const HEALTH: &[u8] = b"GET /healthz HTTP/1.1\r\nHost: anything\r\nConnection: close\r\n\r\n";

pub(crate) fn authority() -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// Writes a certificate for `localhost` and its key.
fn issue(folder: &Path, authority: &Authority, name: &str) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    std::fs::write(folder.join(format!("{name}.pem")), certificate.pem()).unwrap();
    std::fs::write(folder.join(format!("{name}.key")), key.serialize_pem()).unwrap();
}

/// A folder with a server's certificate, a client's, and their authority.
pub(crate) fn folder(authority: &Authority) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    issue(folder.path(), authority, "server");
    issue(folder.path(), authority, "client");
    std::fs::write(folder.path().join("ca.pem"), authority.as_ref().pem()).unwrap();
    folder
}

pub(crate) fn raw(client_ca: Option<&str>) -> RawHttp {
    let tls = RawTls {
        certificate: "server.pem".to_owned(),
        key: "server.key".to_owned(),
        client_ca: client_ca.map(str::to_owned),
    };
    RawHttp { tls: Some(tls), ..open() }
}

pub(crate) fn load(raw: &RawHttp, folder: &Path) -> Result<Arc<Tls>, HttpError> {
    let config = raw.validate(&mut Vec::new()).unwrap();
    Tls::load(&config, Some(folder)).map(|tls| Arc::new(tls.unwrap()))
}

/// Asks for the health; the error of the handshake, or what came back.
async fn ask(
    address: SocketAddr,
    trusted: &Authority,
    client: Option<&Path>,
) -> Result<String, std::io::Error> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.as_ref().der().clone()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let config = match client {
        None => builder.with_no_client_auth(),
        Some(folder) => {
            let certificate = CertificateDer::from_pem_file(folder.join("client.pem")).unwrap();
            let key = PrivateKeyDer::from_pem_file(folder.join("client.key")).unwrap();
            builder.with_client_auth_cert(vec![certificate], key).unwrap()
        }
    };
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::try_from("localhost").unwrap();
    let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
    Ok(converse(stream, HEALTH).await)
}

#[tokio::test]
async fn tls_shows_the_certificate_of_the_configuration_and_plain_http_gets_nothing() {
    let (authority, stranger) = (authority(), authority());
    let folder = folder(&authority);
    let raw = raw(None);
    let service = around(&raw, Limits::default(), engine()).service;
    let address = serve(service, Some(load(&raw, folder.path()).unwrap())).await;
    let answer = ask(address, &authority, None).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    ask(address, &stranger, None).await.unwrap_err();
    let plain = converse(TcpStream::connect(address).await.unwrap(), HEALTH).await;
    assert!(!plain.contains("HTTP/1.1 200"), "{plain}");
}

#[tokio::test]
async fn with_a_client_authority_only_its_clients_are_served() {
    let (authority, stranger) = (authority(), authority());
    let (ours, theirs) = (folder(&authority), folder(&stranger));
    let raw = raw(Some("ca.pem"));
    let service = around(&raw, Limits::default(), engine()).service;
    let address = serve(service, Some(load(&raw, ours.path()).unwrap())).await;
    let served = async |client: Option<&Path>| {
        let answer = ask(address, &authority, client).await;
        answer.is_ok_and(|answer| answer.starts_with("HTTP/1.1 200 OK"))
    };
    assert!(served(Some(ours.path())).await);
    assert!(!served(None).await);
    assert!(!served(Some(theirs.path())).await);
}

#[tokio::test]
async fn a_new_certificate_is_taken_while_the_service_runs_and_a_bad_one_is_not() {
    let (old, new) = (authority(), authority());
    let folder = folder(&old);
    let raw = raw(None);
    let tls = load(&raw, folder.path()).unwrap();
    let address = serve(around(&raw, Limits::default(), engine()).service, Some(Arc::clone(&tls))).await;
    assert!(ask(address, &old, None).await.is_ok());
    std::fs::write(folder.path().join("server.pem"), "nothing").unwrap();
    assert!(matches!(tls.reload(), Err(HttpError::Pem { .. })));
    assert!(ask(address, &old, None).await.is_ok());
    issue(folder.path(), &new, "server");
    tls.reload().unwrap();
    assert!(ask(address, &new, None).await.is_ok());
    assert!(ask(address, &old, None).await.is_err());
}

#[test]
fn files_that_do_not_make_tls_are_named() {
    let authority = authority();
    let folder = folder(&authority);
    let with = |change: &dyn Fn(&mut RawTls)| {
        let mut raw = raw(Some("ca.pem"));
        change(raw.tls.as_mut().unwrap());
        load(&raw, folder.path()).map(|_| ()).unwrap_err().to_string()
    };
    assert!(with(&|tls| tls.key = "none.key".to_owned()).contains("none.key"));
    assert!(with(&|tls| tls.key = "ca.pem".to_owned()).contains("ca.pem"));
    assert!(with(&|tls| tls.certificate = "server.key".to_owned()).contains("holds no certificate"));
    assert!(with(&|tls| tls.client_ca = Some("server.key".to_owned())).contains("server.key"));
    // A key that belongs to another certificate.
    assert!(with(&|tls| tls.key = "client.key".to_owned()).contains("cannot be used for TLS"));
}
