//! HTTPS, with a certificate like those of routers.
//!
//! RouterOS offers TLS 1.2 at most, and its certificates are made by their owners: many are marked
//! as authorities because they are self-signed, and many name their host in the subject only.

use std::{io, net::SocketAddr, sync::Arc};

use axum::serve::Listener;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyPair};
use ring::digest::{SHA256, digest};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer},
    version::TLS12,
};
use thiserror::Error;
use tokio::{sync::mpsc, task::JoinSet};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::listener::{RouterListener, RouterStream};

/// The shape of a certificate; routers have all of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CertificateShape {
    /// Hosts as subject alternative names, not an authority.
    #[default]
    Modern,
    /// Hosts as subject alternative names, and marked as an authority (`CA:TRUE`).
    Authority,
    /// No subject alternative names: the host is in the common name only.
    Nameless,
    /// Marked as an authority, and without subject alternative names.
    NamelessAuthority,
}

/// A self-signed certificate with its key, made anew for each emulator.
#[derive(Debug)]
pub struct RouterCertificate {
    config: Arc<ServerConfig>,
    fingerprint: [u8; 32],
    pem: String,
}

/// Why there is no certificate.
#[derive(Debug, Error)]
#[error("cannot serve TLS with a certificate for {hosts}")]
pub struct CertificateError {
    hosts: String,
    #[source]
    source: Box<dyn std::error::Error + Send + Sync>,
}

impl RouterCertificate {
    /// Makes a certificate for `hosts`, names or addresses, of which the first is its subject.
    ///
    /// # Errors
    /// Fails for hosts that are no ASCII text.
    pub fn new(shape: CertificateShape, hosts: &[String]) -> Result<Self, CertificateError> {
        let hosts_shown = || hosts.join(", ");
        let (certificate, key) = sign(shape, hosts)
            .map_err(|source| CertificateError { hosts: hosts_shown(), source: source.into() })?;
        let der: CertificateDer<'static> = certificate.der().clone();
        let mut fingerprint = [0; 32];
        fingerprint.copy_from_slice(digest(&SHA256, &der).as_ref());
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS12])
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(vec![der], key))
            .map_err(|source| CertificateError { hosts: hosts_shown(), source: source.into() })?;
        Ok(Self { config: Arc::new(config), fingerprint, pem: certificate.pem() })
    }

    /// Returns the SHA-256 fingerprint.
    #[must_use]
    pub const fn fingerprint(&self) -> [u8; 32] {
        self.fingerprint
    }

    /// Returns the certificate as PEM, for clients that trust a file.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Returns `listener` with TLS.
    pub(super) fn secure(&self, listener: RouterListener) -> TlsListener {
        TlsListener::new(listener, self.config.clone())
    }
}

fn sign(
    shape: CertificateShape,
    hosts: &[String],
) -> Result<(rcgen::Certificate, KeyPair), rcgen::Error> {
    use CertificateShape::{Authority, Modern, Nameless, NamelessAuthority};
    let named = match shape {
        Modern | Authority => hosts.to_vec(),
        Nameless | NamelessAuthority => Vec::new(),
    };
    let mut params = CertificateParams::new(named)?;
    if let Some(host) = hosts.first() {
        params.distinguished_name.push(DnType::CommonName, host);
    }
    if matches!(shape, Authority | NamelessAuthority) {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    }
    let key = KeyPair::generate()?;
    let certificate = params.self_signed(&key)?;
    Ok((certificate, key))
}

/// A listener whose connections speak TLS. Each handshake has a task of its own: a peer that never
/// completes it keeps no other peer waiting.
#[derive(Debug)]
pub(super) struct TlsListener {
    local: io::Result<SocketAddr>,
    accepted: mpsc::Receiver<(TlsStream<RouterStream>, SocketAddr)>,
    /// Ends with the listener.
    _tasks: JoinSet<()>,
}

impl TlsListener {
    fn new(mut inner: RouterListener, config: Arc<ServerConfig>) -> Self {
        let (sender, accepted) = mpsc::channel(1);
        let local = inner.local_addr();
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut handshakes = JoinSet::new();
            loop {
                let (stream, peer) = inner.accept().await;
                let handshake = TlsAcceptor::from(config.clone()).accept(stream);
                let sender = sender.clone();
                handshakes.spawn(async move {
                    // A failed handshake ends the connection.
                    if let Ok(stream) = handshake.await {
                        let _ = sender.send((stream, peer)).await;
                    }
                });
                while handshakes.try_join_next().is_some() {}
            }
        });
        Self { local, accepted, _tasks: tasks }
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<RouterStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        match self.accepted.recv().await {
            Some(accepted) => accepted,
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.local.as_ref().copied().map_err(|error| error.kind().into())
    }
}
