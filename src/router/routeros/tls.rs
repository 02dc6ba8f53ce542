//! Which certificates of a router are trusted.
//!
//! RouterOS certificates are commonly self-signed, marked as authorities or without a subject
//! alternative name, all of which the ordinary verifier rejects. Pinning the SHA-256 of the
//! certificate is both simpler and stricter.

use std::sync::Arc;

use reqwest::ClientBuilder;
use rustls::{
    Error, RootCertStore,
    client::WebPkiServerVerifier,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use tracing::warn;

use super::TlsTrust;
use crate::{
    digest::{hex, sha256},
    files::read_bounded,
    https::{self, CertificateCheck, Presented, SystemAuthorities},
};

/// Which certificates are taken for the router's. One that is refused is named by its fingerprint,
/// which a person can compare with the router's own, and pin.
#[derive(Debug)]
enum Accepts {
    /// The one with this fingerprint.
    Only([u8; 32]),
    /// Those signed by an authority of this system, under the requested name.
    System(SystemAuthorities),
    /// Those signed by an authority of a file, under the requested name.
    File(Arc<WebPkiServerVerifier>),
    /// All.
    Any,
}

/// Gives `builder` the trust that the configuration asks for.
///
/// # Errors
/// A sentence if the authorities of the file cannot be read.
pub(super) fn trust(
    builder: ClientBuilder,
    url: &str,
    trust: &TlsTrust,
) -> Result<ClientBuilder, String> {
    let accepts = match trust {
        TlsTrust::System => {
            let system = SystemAuthorities::default();
            // Without any, the requests fail and say so; they may be installed meanwhile.
            if url.starts_with("https:")
                && let Err(error) = system.load()
            {
                warn!(url, %error, "the router's certificate cannot be verified");
            }
            Accepts::System(system)
        }
        TlsTrust::CaFile(path) => {
            let shown = path.display();
            let pem = read_bounded(path).map_err(|e| format!("cannot read {shown}: {e}"))?;
            let signed = signed_by(&pem);
            Accepts::File(signed.map_err(|e| format!("{shown} holds no usable authority: {e}"))?)
        }
        TlsTrust::Fingerprint(expected) => Accepts::Only(*expected),
        TlsTrust::Insecure => Accepts::Any,
    };
    https::trust(builder, accepts)
}

/// Accepts what the authorities in `pem` have signed.
fn signed_by(pem: &[u8]) -> Result<Arc<WebPkiServerVerifier>, String> {
    let mut authorities = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|e| e.to_string())?;
        authorities.add(certificate).map_err(|e| e.to_string())?;
    }
    let authorities = Arc::new(authorities);
    let verifier = WebPkiServerVerifier::builder_with_provider(authorities, https::provider());
    verifier.build().map_err(|e| e.to_string())
}

impl CertificateCheck for Accepts {
    fn check(&self, presented: Presented<'_>) -> Result<(), Error> {
        let digest = sha256(presented.certificate);
        let verified = match self {
            Self::Any => return Ok(()),
            Self::Only(expected) if digest == *expected => return Ok(()),
            Self::Only(expected) => {
                let (expected, digest) = (hex(expected), hex(&digest));
                return Err(Error::General(format!(
                    "expected the certificate with the SHA-256 fingerprint {expected}, got {digest}"
                )));
            }
            Self::System(system) => system.check(presented),
            Self::File(authorities) => presented.verify_by(&**authorities),
        };
        verified.map_err(|error| {
            Error::General(format!("{error}; it has the SHA-256 fingerprint {}", hex(&digest)))
        })
    }
}
