//! Reads `tls_server_config:` and the certificates that it names.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use rustls::{
    RootCertStore, ServerConfig, SupportedProtocolVersion,
    crypto::{CryptoProvider, ring},
    pki_types::{
        CertificateDer, PrivateKeyDer,
        pem::{self, PemObject as _},
    },
    server::{WebPkiClientVerifier, danger::ClientCertVerifier},
    version::{TLS12, TLS13},
};

use super::WebTls;
use wanctl_core::units::Timestamp;

use crate::{
    config::{document::Node, read::Table, report::Read, value},
    files::read_bounded,
};

/// Whether clients must show a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ClientAuth {
    None,
    IfGiven,
    Required,
}

/// Reads the table; the files it names are noted in `files`.
pub(super) fn read(table: &mut Table<'_>, base: &Path, files: &mut Vec<PathBuf>) -> Read<WebTls> {
    let mut file = |path: Read<PathBuf>| -> Read<PathBuf> {
        let path = base.join(path?);
        files.push(path.clone());
        Ok(path)
    };
    let chain_file = file(table.required("cert_file", value::path));
    let key_file = file(table.required("key_file", value::path));
    let authorities = table.optional("client_ca_file", value::path);
    let authorities = authorities.and_then(|path| path.map(|path| file(Ok(path))).transpose());
    let auth = table.or("client_auth_type", client_auth, ClientAuth::None);
    let oldest = table.or("min_version", version, 2);
    let newest = table.or("max_version", version, 3);
    let (oldest, newest) = (oldest?, newest?);
    if oldest > newest {
        return Err(table.fail("max_version", "is below min_version"));
    }
    let versions: Vec<&SupportedProtocolVersion> = [(2, &TLS12), (3, &TLS13)]
        .into_iter()
        .filter_map(|(number, version)| (oldest..=newest).contains(&number).then_some(version))
        .collect();
    let chain = chain_file
        .and_then(|path| certificates(&path).map_err(|message| table.fail("cert_file", message)));
    let key = key_file
        .and_then(|path| private_key(&path).map_err(|message| table.fail("key_file", message)));
    let provider = Arc::new(ring::default_provider());
    let clients = clients(table, auth?, authorities?, &provider)?;
    let (chain, key) = (chain?, key?);
    let not_after = chain.iter().map(|der| not_after(der)).min().flatten();
    let Some(not_after) = not_after else {
        return Err(table.fail("cert_file", "has no end of its validity"));
    };
    let builder = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&versions)
        .map_err(|error| table.fail("min_version", error.to_string()))?;
    let builder = match clients {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    let mut server = builder.with_single_cert(chain, key).map_err(|error| match error {
        rustls::Error::InconsistentKeys(_) => {
            table.fail("key_file", "does not match the certificate of cert_file")
        }
        error => table.fail("key_file", format!("cannot be used with cert_file: {error}")),
    })?;
    server.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(WebTls { server: Arc::new(server), not_after })
}

/// Returns the verifier of the clients' certificates, if they are asked for any.
fn clients(
    table: &Table<'_>,
    auth: ClientAuth,
    authorities: Option<PathBuf>,
    provider: &Arc<CryptoProvider>,
) -> Read<Option<Arc<dyn ClientCertVerifier>>> {
    let path = match (auth, authorities) {
        (ClientAuth::None, None) => return Ok(None),
        (ClientAuth::None, Some(_)) => {
            let message = "is set, but clients need no certificate: set client_auth_type to \
                           RequireAndVerifyClientCert";
            return Err(table.fail("client_ca_file", message));
        }
        (ClientAuth::IfGiven | ClientAuth::Required, None) => {
            let message = "needs client_ca_file with the trusted certificate authorities";
            return Err(table.fail("client_auth_type", message));
        }
        (ClientAuth::IfGiven | ClientAuth::Required, Some(path)) => path,
    };
    let fail = |message: String| table.fail("client_ca_file", message);
    let mut roots = RootCertStore::empty();
    for certificate in certificates(&path).map_err(fail)? {
        let shown = path.display();
        roots
            .add(certificate)
            .map_err(|error| fail(format!("{shown}: not a certificate authority: {error}")))?;
    }
    let provider = Arc::clone(provider);
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
    let builder =
        if auth == ClientAuth::IfGiven { builder.allow_unauthenticated() } else { builder };
    builder.build().map(Some).map_err(|error| fail(error.to_string()))
}

/// Returns the end of the validity of an X.509 certificate in DER, if it is one.
pub(super) fn not_after(der: &[u8]) -> Option<Timestamp> {
    let (_, certificate) = x509_parser::parse_x509_certificate(der).ok()?;
    let seconds = certificate.validity().not_after.timestamp();
    Some(Timestamp::from_micros(seconds.saturating_mul(1_000_000)))
}

/// Reads all certificates of a PEM file, of which there must be one.
fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let content = content(path)?;
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&content).collect();
    let chain = read.map_err(|error| problem(path, "certificate", &error))?;
    if chain.is_empty() {
        return Err(problem(path, "certificate", &pem::Error::NoItemsFound));
    }
    Ok(chain)
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, String> {
    PrivateKeyDer::from_pem_slice(&content(path)?)
        .map_err(|error| problem(path, "private key", &error))
}

fn content(path: &Path) -> Result<Vec<u8>, String> {
    // The value is not repeated: it may be a secret in the wrong place.
    read_bounded(path).map_err(|error| format!("cannot read the file that is named here: {error}"))
}

fn problem(path: &Path, what: &str, error: &pem::Error) -> String {
    let shown = path.display();
    match error {
        pem::Error::NoItemsFound => format!("{shown} contains no PEM {what}"),
        other => format!("{shown} is not a valid PEM file: {other}"),
    }
}

fn client_auth(node: &Node) -> Result<ClientAuth, String> {
    if let Node::Text(word) = node
        && ["RequestClientCert", "RequireAnyClientCert"].contains(&word.as_str())
    {
        return Err(format!("{word} accepts any certificate: use RequireAndVerifyClientCert"));
    }
    value::choice(&[
        ("NoClientCert", ClientAuth::None),
        ("VerifyClientCertIfGiven", ClientAuth::IfGiven),
        ("RequireAndVerifyClientCert", ClientAuth::Required),
    ])(node)
}

/// Reads a version of TLS as its minor number.
fn version(node: &Node) -> Result<u8, String> {
    if let Node::Text(word) = node
        && ["TLS10", "TLS11"].contains(&word.as_str())
    {
        return Err(format!("{word} is insecure and not supported: use TLS12 or TLS13"));
    }
    value::choice(&[("TLS12", 2), ("TLS13", 3)])(node)
}
