//! A stream with timeouts for a new or idle peer, a slow request and an unread response.
//!
//! hyper has one timeout for the idle time and the head of a request together; here a kept
//! connection may be idle for longer than a request may take. The stream sees only bytes: those
//! that arrive after a response begin a request, those that are sent end it.

use std::{
    future::Future as _,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep},
};

/// From the connection, or the first byte of a request, to the first byte of the response.
pub(super) const REQUEST: Duration = Duration::from_secs(10);
/// Between two requests; longer than usual scrape intervals.
const IDLE: Duration = Duration::from_mins(2);
/// Without progress while a response is sent.
const STALL: Duration = Duration::from_secs(30);

/// What the server waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Idle,
    Request,
    Stalled,
}

/// A stream that fails with [`io::ErrorKind::TimedOut`].
#[derive(Debug)]
pub(super) struct TimedStream<S> {
    stream: S,
    phase: Phase,
    deadline: Pin<Box<Sleep>>,
}

impl<S> TimedStream<S> {
    /// The time of the first request begins now.
    pub(super) fn new(stream: S) -> Self {
        Self { stream, phase: Phase::Request, deadline: Box::pin(sleep(REQUEST)) }
    }

    fn enter(&mut self, phase: Phase) {
        self.phase = phase;
        let lasts = match phase {
            Phase::Idle => IDLE,
            Phase::Request => REQUEST,
            Phase::Stalled => STALL,
        };
        self.deadline.as_mut().reset(Instant::now() + lasts);
    }

    /// Pending until the deadline, then an error.
    fn poll_deadline<T>(&mut self, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        ready!(self.deadline.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
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
        if buffer.filled().len() > before && self.phase == Phase::Idle {
            self.enter(Phase::Request);
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
        if written.is_pending() {
            if self.phase != Phase::Stalled {
                self.enter(Phase::Stalled);
            }
            return self.poll_deadline(context);
        }
        self.enter(Phase::Idle);
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
