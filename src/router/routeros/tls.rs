//! Which certificates of a router are trusted.
//!
//! RouterOS certificates are commonly self-signed, marked as authorities or without a subject
//! alternative name, all of which the ordinary verifier rejects. Pinning the SHA-256 of the
//! certificate is both simpler and stricter.

use std::{fs, sync::Arc};

use reqwest::{Certificate, ClientBuilder};
use rustls::{
    ClientConfig, DigitallySignedStruct, Error, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};

use crate::{
    config::Trust,
    digest::{hex, sha256},
};

/// Gives `builder` the trust that the configuration asks for.
///
/// # Errors
/// A sentence if the file of authorities cannot be read or holds no certificate.
pub(super) fn trust(builder: ClientBuilder, trust: &Trust) -> Result<ClientBuilder, String> {
    match trust {
        Trust::System => Ok(builder),
        Trust::CaFile(path) => {
            let shown = path.display();
            let pem = fs::read(path).map_err(|e| format!("cannot read {shown}: {e}"))?;
            let authorities = Certificate::from_pem_bundle(&pem)
                .map_err(|e| format!("{shown} holds no PEM certificate: {e}"))?;
            Ok(builder.tls_certs_only(authorities))
        }
        Trust::Fingerprint(expected) => pinned(builder, Some(*expected)),
        Trust::Insecure => pinned(builder, None),
    }
}

fn pinned(builder: ClientBuilder, expected: Option<[u8; 32]>) -> Result<ClientBuilder, String> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let verifier = Arc::new(Pinned { expected, provider: Arc::clone(&provider) });
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    Ok(builder.tls_backend_preconfigured(config))
}

/// Accepts the one certificate with the expected fingerprint, or any if none is expected.
#[derive(Debug)]
struct Pinned {
    expected: Option<[u8; 32]>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let digest = sha256(certificate);
        match self.expected {
            Some(expected) if digest != expected => Err(Error::General(format!(
                "expected the certificate with the SHA-256 fingerprint {}, got {}",
                hex(&expected),
                hex(&digest)
            ))),
            Some(_) | None => Ok(ServerCertVerified::assertion()),
        }
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
