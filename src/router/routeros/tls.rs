//! Which certificates of a router are trusted.
//!
//! RouterOS certificates are commonly self-signed, marked as authorities or without a subject
//! alternative name, all of which the ordinary verifier rejects. Pinning the SHA-256 of the
//! certificate is both simpler and stricter.

use std::sync::Arc;

use reqwest::ClientBuilder;
use rustls::{
    ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject as _},
};

use tracing::warn;

use crate::{
    config::TlsTrust,
    digest::{hex, sha256},
    files::read_bounded,
    tls::SystemAuthorities,
};

/// Gives `builder` the trust that the configuration asks for.
///
/// # Errors
/// A sentence if the authorities of the file cannot be read.
pub(super) fn trust(
    builder: ClientBuilder,
    url: &str,
    trust: &TlsTrust,
) -> Result<ClientBuilder, String> {
    let provider = Arc::new(ring::default_provider());
    let accepts = match trust {
        TlsTrust::System => {
            let system = SystemAuthorities::new(Arc::clone(&provider));
            // Where there are none, the requests fail and say so; they may be installed meanwhile.
            if url.starts_with("https:")
                && let Err(error) = system.check()
            {
                warn!(url, error, "the router's certificate cannot be verified");
            }
            Accepts::Signed(Arc::new(system))
        }
        TlsTrust::CaFile(path) => {
            let shown = path.display();
            let pem = read_bounded(path).map_err(|e| format!("cannot read {shown}: {e}"))?;
            let signed = signed_by(&pem, &provider);
            Accepts::Signed(signed.map_err(|e| format!("{shown} holds no usable authority: {e}"))?)
        }
        TlsTrust::Fingerprint(expected) => Accepts::Only(*expected),
        TlsTrust::Insecure => Accepts::Any,
    };
    let verifier = Arc::new(Verifier { accepts, provider: Arc::clone(&provider) });
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    Ok(builder.tls_backend_preconfigured(config))
}

/// Accepts what the authorities in `pem` have signed.
fn signed_by(
    pem: &[u8],
    provider: &Arc<CryptoProvider>,
) -> Result<Arc<dyn ServerCertVerifier>, String> {
    let mut authorities = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|e| e.to_string())?;
        authorities.add(certificate).map_err(|e| e.to_string())?;
    }
    let verifier =
        WebPkiServerVerifier::builder_with_provider(Arc::new(authorities), Arc::clone(provider));
    Ok(verifier.build().map_err(|e| e.to_string())?)
}

/// Which certificates are taken for the router's.
#[derive(Debug)]
enum Accepts {
    /// The one with this fingerprint.
    Only([u8; 32]),
    /// Those that these authorities vouch for, under the name that was asked for.
    Signed(Arc<dyn ServerCertVerifier>),
    /// All.
    Any,
}

/// Judges the router's certificate, and names the one it refuses by its fingerprint: that is what
/// a person compares with the router's own, and pins.
#[derive(Debug)]
struct Verifier {
    accepts: Accepts,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let digest = sha256(certificate);
        match &self.accepts {
            Accepts::Only(expected) if digest != *expected => Err(Error::General(format!(
                "expected the certificate with the SHA-256 fingerprint {}, got {}",
                hex(expected),
                hex(&digest)
            ))),
            Accepts::Only(_) | Accepts::Any => Ok(ServerCertVerified::assertion()),
            Accepts::Signed(authorities) => authorities
                .verify_server_cert(certificate, intermediates, name, ocsp, now)
                .map_err(|error| {
                    let digest = hex(&digest);
                    Error::General(format!("{error}; it has the SHA-256 fingerprint {digest}"))
                }),
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
