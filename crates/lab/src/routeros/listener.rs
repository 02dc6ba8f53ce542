//! Connections that the router can refuse and reset, below HTTP and, if there is any, TLS.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
};

use axum::{
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::OwnedSemaphorePermit,
};
use tokio_util::sync::WaitForCancellationFutureOwned;

use super::{Emulator, certificate::TlsListener};

/// A listener with the faults of its emulator.
#[derive(Debug)]
pub(super) struct RouterListener {
    inner: TcpListener,
    emulator: Emulator,
    accepted: u64,
}

/// A connection that the emulator can reset.
#[derive(Debug)]
pub(super) struct RouterStream {
    inner: TcpStream,
    severed: Pin<Box<WaitForCancellationFutureOwned>>,
    is_severed: bool,
    number: u64,
    _session: OwnedSemaphorePermit,
}

/// The connection of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Peer {
    /// Counts the connections up.
    pub(super) connection: u64,
    /// Whether it speaks TLS.
    pub(super) is_secure: bool,
}

impl Connected<IncomingStream<'_, RouterListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, RouterListener>) -> Self {
        Self { connection: stream.io().number, is_secure: false }
    }
}

impl Connected<IncomingStream<'_, TlsListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, TlsListener>) -> Self {
        Self { connection: stream.io().get_ref().0.number, is_secure: true }
    }
}

impl RouterListener {
    pub(super) const fn new(inner: TcpListener, emulator: Emulator) -> Self {
        Self { inner, emulator, accepted: 0 }
    }
}

impl Listener for RouterListener {
    type Io = RouterStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (RouterStream, SocketAddr) {
        loop {
            let (stream, peer) = Listener::accept(&mut self.inner).await;
            let Some(wire) = self.emulator.wire() else {
                reset(&stream);
                continue;
            };
            // Without a free session the connection is closed.
            if let Some(session) = self.emulator.session_permit() {
                // Without this, small answers wait for acknowledgements and look slow.
                let _ = stream.set_nodelay(true);
                let severed = Box::pin(wire.cancelled_owned());
                self.accepted += 1;
                let stream = RouterStream {
                    inner: stream,
                    severed,
                    is_severed: false,
                    number: self.accepted,
                    _session: session,
                };
                return (stream, peer);
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }
}

/// Makes the end of `stream` a reset instead of an orderly close.
fn reset(stream: &TcpStream) {
    // If it fails the peer sees a close: not the fault that was asked for, but a fault.
    let _ = stream.set_zero_linger();
}

impl RouterStream {
    fn check(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        if !self.is_severed && self.severed.as_mut().poll(context).is_ready() {
            self.is_severed = true;
            reset(&self.inner);
        }
        if self.is_severed { Err(io::ErrorKind::ConnectionReset.into()) } else { Ok(()) }
    }
}

impl AsyncRead for RouterStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check(context)?;
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl AsyncWrite for RouterStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check(context)?;
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}
