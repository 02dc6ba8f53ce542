//! What clients of HTTPS share: trust in a server, and reading a bounded body.
//!
//! The system's certificate authorities are loaded by the first connection that needs them. A
//! minimal image or a chroot has none; that concerns only connections to servers that are neither
//! pinned nor signed by an authority of a file.

use std::sync::{Arc, OnceLock};

use reqwest::{ClientBuilder, Response};
use rustls::{
    ClientConfig, DigitallySignedStruct, Error, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use rustls_platform_verifier::Verifier;

/// A server's certificate as presented.
#[derive(Debug, Clone, Copy)]
pub struct Presented<'a> {
    /// The certificate.
    pub certificate: &'a CertificateDer<'a>,
    intermediates: &'a [CertificateDer<'a>],
    name: &'a ServerName<'a>,
    ocsp: &'a [u8],
    now: UnixTime,
}

impl Presented<'_> {
    /// Lets `verifier` verify the certificate.
    ///
    /// # Errors
    /// What the verifier says.
    pub fn verify_by(self, verifier: &dyn ServerCertVerifier) -> Result<(), Error> {
        let Self { certificate, intermediates, name, ocsp, now } = self;
        verifier.verify_server_cert(certificate, intermediates, name, ocsp, now).map(drop)
    }
}

/// Decides which certificates are trusted.
pub trait CertificateCheck: std::fmt::Debug + Send + Sync {
    /// Checks a certificate.
    ///
    /// # Errors
    /// Why it is not trusted.
    fn check(&self, presented: Presented<'_>) -> Result<(), Error>;
}

/// Makes `builder` trust the certificates that pass `check`.
///
/// # Errors
/// A sentence if TLS cannot be set up.
pub fn trust(
    builder: ClientBuilder,
    check: impl CertificateCheck + 'static,
) -> Result<ClientBuilder, String> {
    let provider = provider();
    let verifier = Arc::new(Checked { check, provider: Arc::clone(&provider) });
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    Ok(builder.tls_backend_preconfigured(config))
}

/// Returns the cryptography of all HTTPS clients.
#[must_use]
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

/// A verifier that checks certificates by `check` and signatures as usual.
#[derive(Debug)]
struct Checked<C> {
    check: C,
    provider: Arc<CryptoProvider>,
}

impl<C: CertificateCheck> ServerCertVerifier for Checked<C> {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.check.check(Presented { certificate, intermediates, name, ocsp, now })?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Trusts what the certificate authorities of this system have signed.
#[derive(Debug, Default)]
pub struct SystemAuthorities(OnceLock<Verifier>);

impl SystemAuthorities {
    /// Loads the authorities, unless they are loaded.
    ///
    /// # Errors
    /// If there are none.
    pub fn load(&self) -> Result<&Verifier, Error> {
        if let Some(loaded) = self.0.get() {
            return Ok(loaded);
        }
        // The next connection tries again: the package may have been installed meanwhile.
        let verifier = Verifier::new(provider()).map_err(|_| {
            Error::General(
                "this system has no certificate authorities: install ca-certificates, or \
                 configure the trusted authority or fingerprint"
                    .to_owned(),
            )
        })?;
        Ok(self.0.get_or_init(|| verifier))
    }
}

impl CertificateCheck for SystemAuthorities {
    fn check(&self, presented: Presented<'_>) -> Result<(), Error> {
        presented.verify_by(self.load()?)
    }
}

/// Reads the body of a response as it comes; `None` if it has more than `limit` bytes, the rest of
/// which is not read.
///
/// # Errors
/// If the connection breaks, or the time for the response is up.
pub async fn body_within(
    mut response: Response,
    limit: usize,
) -> Result<Option<Vec<u8>>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > limit {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}
