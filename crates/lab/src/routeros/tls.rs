//! HTTPS, with a certificate like those that routers have.
//!
//! RouterOS offers TLS 1.2 at most, and its certificates are made by their owners: many are marked
//! as authorities because they signed themselves, and many name no host but in their subject.

use std::{
    fmt, io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use axum::serve::Listener;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, KeyPair};
use ring::digest::{SHA256, digest};
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer},
    version::TLS12,
};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::{Accept, TlsAcceptor, server::TlsStream};

use super::listener::{RouterListener, RouterStream};

/// What a certificate looks like. All of these are met on routers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CertificateShape {
    /// Hosts as subject alternative names, not an authority: what clients like best.
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
pub enum CertificateError {
    /// It could not be made.
    #[error("cannot make a certificate for {hosts}")]
    Make {
        /// The hosts, with commas between.
        hosts: String,
        /// What was wrong.
        #[source]
        source: rcgen::Error,
    },
    /// It cannot be served.
    #[error("cannot serve TLS with the certificate made for {hosts}")]
    Serve {
        /// The hosts, with commas between.
        hosts: String,
        /// What was wrong.
        #[source]
        source: rustls::Error,
    },
}

impl RouterCertificate {
    /// Makes a certificate for `hosts`, names or addresses, of which the first is its subject.
    ///
    /// # Errors
    /// Fails for hosts that are no ASCII text.
    pub fn new(shape: CertificateShape, hosts: &[String]) -> Result<Self, CertificateError> {
        let (certificate, key) = sign(shape, hosts)
            .map_err(|source| CertificateError::Make { hosts: hosts.join(", "), source })?;
        let der: CertificateDer<'static> = certificate.der().clone();
        let mut fingerprint = [0; 32];
        fingerprint.copy_from_slice(digest(&SHA256, &der).as_ref());
        let key = PrivateKeyDer::Pkcs8(key.serialize_der().into());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&TLS12])
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(vec![der], key))
            .map_err(|source| CertificateError::Serve { hosts: hosts.join(", "), source })?;
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

    /// Returns what makes connections of `listener` secure.
    pub(super) fn secure(&self, listener: RouterListener) -> TlsListener {
        TlsListener { inner: listener, config: self.config.clone() }
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

/// A listener whose connections speak TLS.
#[derive(Debug)]
pub(super) struct TlsListener {
    inner: RouterListener,
    config: Arc<ServerConfig>,
}

/// A connection that shakes hands when it is first used, so that one peer that says nothing keeps
/// nobody else from being accepted.
pub(super) enum TlsSession {
    Greeting(Box<Accept<RouterStream>>, u64),
    Open(Box<TlsStream<RouterStream>>),
}

impl fmt::Debug for TlsSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsSession").finish_non_exhaustive()
    }
}

impl TlsSession {
    /// Returns the number of the connection below.
    pub(super) fn number(&self) -> u64 {
        match self {
            Self::Greeting(_, number) => *number,
            Self::Open(stream) => stream.get_ref().0.number(),
        }
    }

    fn poll_open(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<Pin<&mut TlsStream<RouterStream>>>> {
        if let Self::Greeting(accept, _) = self {
            let stream = ready!(Pin::new(accept.as_mut()).poll(context))?;
            *self = Self::Open(Box::new(stream));
        }
        match self {
            Self::Open(stream) => Poll::Ready(Ok(Pin::new(stream.as_mut()))),
            Self::Greeting(..) => Poll::Pending,
        }
    }
}

impl Listener for TlsListener {
    type Io = TlsSession;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TlsSession, SocketAddr) {
        let (stream, peer) = self.inner.accept().await;
        let number = stream.number();
        let greeting = TlsAcceptor::from(self.config.clone()).accept(stream);
        (TlsSession::Greeting(Box::new(greeting), number), peer)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }
}

impl AsyncRead for TlsSession {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.poll_open(context))?.poll_read(context, buffer)
    }
}

impl AsyncWrite for TlsSession {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_open(context))?.poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_open(context))?.poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_open(context))?.poll_shutdown(context)
    }
}
