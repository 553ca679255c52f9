//! TLS: the certificate that is shown, and whose certificates are asked for.
use crate::config::{HttpConfig, HttpError, TlsFiles};
use arc_swap::ArcSwap;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{WebPkiSupportedAlgorithms, aws_lc_rs};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, ServerConfig, SignatureScheme};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;

/// What connections are secured with. It can be read again while the service runs, as certificates end after weeks.
#[derive(Debug)]
pub struct Tls {
    files: TlsFiles,
    current: ArcSwap<ServerConfig>,
}

impl Tls {
    /// Reads certificate, key and authorities, if the configuration names them. Paths are relative to `folder`.
    pub fn load(config: &HttpConfig, folder: Option<&Path>) -> Result<Option<Self>, HttpError> {
        let Some(files) = &config.tls else { return Ok(None) };
        let beside = |path: &PathBuf| folder.map_or_else(|| path.clone(), |folder| folder.join(path));
        let files = TlsFiles {
            certificate: beside(&files.certificate),
            key: beside(&files.key),
            client_ca: files.client_ca.as_ref().map(beside),
        };
        let current = ArcSwap::from_pointee(read(&files)?);
        Ok(Some(Self { files, current }))
    }

    /// Reads them again for new connections; after an error those that there were stay in use.
    pub fn reload(&self) -> Result<(), HttpError> {
        self.current.store(Arc::new(read(&self.files)?));
        Ok(())
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.current.load_full())
    }
}

fn read(files: &TlsFiles) -> Result<ServerConfig, HttpError> {
    // Named, not the process's default: there may be none, and another part of the program may set another.
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(HttpError::Tls)?;
    let builder = match &files.client_ca {
        None => builder.with_no_client_auth(),
        Some(file) => {
            let mut roots = RootCertStore::empty();
            for certificate in certificates(file)? {
                roots.add(certificate).map_err(|error| fault(file, &error))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                .build()
                .map_err(|error| fault(file, &error))?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| pem_fault(&files.key, error))?;
    let mut config =
        builder.with_single_cert(certificates(&files.certificate)?, key).map_err(HttpError::Tls)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// What a client secures its connection with that knows the service's own certificate file: only that certificate will do,
/// whatever name it is made for.
pub(crate) fn of_client(files: &TlsFiles, folder: Option<&Path>) -> Result<ClientConfig, HttpError> {
    let file = folder.map_or_else(|| files.certificate.clone(), |folder| folder.join(&files.certificate));
    let Some(expected) = certificates(&file)?.into_iter().next() else {
        return Err(fault(&file, &"it holds no certificate"));
    };
    let provider = Arc::new(aws_lc_rs::default_provider());
    let known = Arc::new(Known { expected, algorithms: provider.signature_verification_algorithms });
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(HttpError::Tls)?
        .dangerous()
        .with_custom_certificate_verifier(known);
    Ok(builder.with_no_client_auth())
}

/// Takes one certificate and no other.
#[derive(Debug)]
struct Known {
    expected: CertificateDer<'static>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Known {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if *end_entity == self.expected {
            Ok(ServerCertVerified::assertion())
        } else {
            let what = "it shows another certificate than `http.tls.certificate`; was that changed since it started?";
            Err(rustls::Error::General(what.to_owned()))
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signed, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signed, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, HttpError> {
    let found = CertificateDer::pem_file_iter(file)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| pem_fault(file, error))?;
    if found.is_empty() {
        return Err(fault(file, &"it holds no certificate"));
    }
    Ok(found)
}

fn pem_fault(file: &Path, error: rustls::pki_types::pem::Error) -> HttpError {
    match error {
        rustls::pki_types::pem::Error::Io(cause) => HttpError::Unreadable { file: file.to_owned(), cause },
        other => fault(file, &other),
    }
}

fn fault(file: &Path, what: &dyn std::fmt::Display) -> HttpError {
    HttpError::Pem { file: file.to_owned(), what: what.to_string() }
}
