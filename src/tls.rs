//! The system's certificate authorities, loaded by the first connection that needs them.
//!
//! A minimal image or a chroot has none. That concerns HTTPS connections whose server is neither
//! pinned nor vouched for by a file, and no others.

use std::sync::{Arc, OnceLock};

use reqwest::ClientBuilder;
use rustls::{
    ClientConfig, DigitallySignedStruct, Error, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use rustls_platform_verifier::Verifier;

/// Verifies certificates by the authorities of this system.
#[derive(Debug)]
pub struct SystemAuthorities {
    provider: Arc<CryptoProvider>,
    loaded: OnceLock<Verifier>,
}

impl SystemAuthorities {
    /// Loads nothing yet.
    #[must_use]
    pub const fn new(provider: Arc<CryptoProvider>) -> Self {
        Self { provider, loaded: OnceLock::new() }
    }

    /// Returns the verifier, which is loaded unless it was before.
    fn load(&self) -> Result<&Verifier, Error> {
        if let Some(loaded) = self.loaded.get() {
            return Ok(loaded);
        }
        // The next connection tries again: the package may have been installed meanwhile.
        let verifier = Verifier::new(Arc::clone(&self.provider)).map_err(|_| {
            Error::General(
                "this system has no certificate authorities to verify it by: install \
                 ca-certificates, or name the authority or the fingerprint that is to be trusted"
                    .to_owned(),
            )
        })?;
        Ok(self.loaded.get_or_init(|| verifier))
    }

    /// Loads the authorities.
    ///
    /// # Errors
    /// A sentence if there are none.
    pub fn check(&self) -> Result<(), String> {
        self.load().map(drop).map_err(|error| error.to_string())
    }
}

impl ServerCertVerifier for SystemAuthorities {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.load()?.verify_server_cert(certificate, intermediates, name, ocsp, now)
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

/// Gives `builder` the trust in the system's authorities.
///
/// # Errors
/// A sentence if TLS cannot be set up.
pub fn trust_system(builder: ClientBuilder) -> Result<ClientBuilder, String> {
    let provider = Arc::new(ring::default_provider());
    let verifier = Arc::new(SystemAuthorities::new(Arc::clone(&provider)));
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    Ok(builder.tls_backend_preconfigured(config))
}
