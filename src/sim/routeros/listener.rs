//! Connections that the router can refuse and cut off.
//!
//! This lies below HTTP, and below TLS if there is any: wrap what it accepts.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
};

use axum::serve::Listener;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};
use tokio_util::sync::WaitForCancellationFutureOwned;

use super::Emulator;

/// A listener that follows the faults of its emulator.
#[derive(Debug)]
pub struct RouterListener {
    inner: TcpListener,
    emulator: Emulator,
}

/// A connection that the emulator can cut off.
#[derive(Debug)]
pub struct RouterStream {
    inner: TcpStream,
    severed: Pin<Box<WaitForCancellationFutureOwned>>,
    is_severed: bool,
}

impl RouterListener {
    pub(super) const fn new(inner: TcpListener, emulator: Emulator) -> Self {
        Self { inner, emulator }
    }
}

impl Listener for RouterListener {
    type Io = RouterStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (RouterStream, SocketAddr) {
        loop {
            let (stream, peer) = Listener::accept(&mut self.inner).await;
            if let Some(wire) = self.emulator.wire() {
                // Without this, small answers wait for acknowledgements and look slow. A
                // connection for which it fails is as good as any other.
                let _ = stream.set_nodelay(true);
                let severed = Box::pin(wire.cancelled_owned());
                return (RouterStream { inner: stream, severed, is_severed: false }, peer);
            }
            reset(&stream);
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
