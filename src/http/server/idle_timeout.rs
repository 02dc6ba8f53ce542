//! A stream whose peer must make progress.
//!
//! It knows nothing of HTTP but its rhythm: bytes come, bytes go, silence. Bytes that come after a
//! silence begin a request, which must have come and be on its way to be answered in time; bytes
//! that go end that, and the silence after them may last longer.

use std::{
    future::Future as _,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Duration, Instant, Sleep, sleep},
};

use super::ServerLimits;

/// What the peer is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AwaitedPhase {
    /// To ask for something.
    Silence,
    /// To finish its request. Our answer counts as part of it.
    Request,
    /// To take what is sent.
    Taking,
}

/// A stream that ends in an error once its peer has made us wait too long.
#[derive(Debug)]
pub(super) struct TimedStream<S> {
    stream: S,
    bounds: ServerLimits,
    wait: AwaitedPhase,
    until: Pin<Box<Sleep>>,
}

impl<S> TimedStream<S> {
    /// Waits within `bounds`, from now on for the first request: that must come as fast as it must
    /// end, for a peer that has just connected has something to ask.
    pub(super) fn new(stream: S, bounds: ServerLimits) -> Self {
        Self { stream, bounds, wait: AwaitedPhase::Request, until: Box::pin(sleep(bounds.request)) }
    }

    fn await_next(&mut self, wait: AwaitedPhase) {
        self.wait = wait;
        let within: Duration = match wait {
            AwaitedPhase::Silence => self.bounds.idle,
            AwaitedPhase::Request => self.bounds.request,
            AwaitedPhase::Taking => self.bounds.stall,
        };
        self.until.as_mut().reset(Instant::now() + within);
    }

    /// Pending while there is patience left, then an error.
    fn poll_deadline<T>(&mut self, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        ready!(self.until.as_mut().poll(context));
        Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the peer took too long")))
    }

    fn note_written(&mut self, written: &Poll<io::Result<usize>>) {
        match written {
            Poll::Ready(Ok(_)) => self.await_next(AwaitedPhase::Silence),
            Poll::Pending if self.wait != AwaitedPhase::Taking => {
                self.await_next(AwaitedPhase::Taking);
            }
            Poll::Pending | Poll::Ready(Err(_)) => {}
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for TimedStream<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(context, buffer);
        if read.is_pending() {
            return self.poll_deadline(context);
        }
        if buffer.filled().len() > before && self.wait == AwaitedPhase::Silence {
            self.await_next(AwaitedPhase::Request);
        }
        read
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for TimedStream<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.note_written(&written);
        if written.is_pending() { self.poll_deadline(context) } else { written }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(context, slices);
        self.note_written(&written);
        if written.is_pending() { self.poll_deadline(context) } else { written }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
