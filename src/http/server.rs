//! The server underneath: connections in, requests to the routes, everything bounded.
//!
//! Whoever can reach the port may be slow, silent or many; none of that may cost the program more
//! than a known amount of memory, nor keep the scrape out:
//!
//! | What | Bound | Then |
//! |---|---|---|
//! | connections | 256, or what the descriptors allow | the least useful makes room |
//! | a request's head | 16 KiB | 431 |
//! | a request's body | 4 KiB | 413 |
//! | a request in flight | 10 s | closed |
//! | a kept connection without a request | 2 min | closed |
//! | an answer that nobody takes | 30 s | closed |

mod connection_limit;
mod descriptors;
mod idle_timeout;

use std::{convert::Infallible, io, net::IpAddr, pin::pin, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, HttpBody as _},
    http::{Request, Response, StatusCode, header},
    response::IntoResponse as _,
};
use hyper::{
    body::Incoming,
    server::conn::http1,
    service::{Service as _, service_fn},
};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{debug, warn};

pub(super) use self::connection_limit::Caller;
use self::{
    connection_limit::{ConnectionLimit, ConnectionSlot},
    descriptors::affordable,
    idle_timeout::TimedStream,
};
use super::{Web, web::Stream};

/// The bounds within which connections live.
#[derive(Debug, Clone, Copy)]
pub(super) struct ServerLimits {
    /// Connections at one time.
    pub(super) connections: usize,
    /// From the first byte of a request to the first byte of its answer.
    pub(super) request: Duration,
    /// Without a request; longer than the usual scrape intervals, so that scrapers keep theirs.
    pub(super) idle: Duration,
    /// Without progress while an answer is sent.
    pub(super) stall: Duration,
}

/// From the first byte of a request to the first byte of its answer.
pub(super) const REQUEST: Duration = Duration::from_secs(10);

impl Default for ServerLimits {
    fn default() -> Self {
        Self {
            connections: 256,
            request: REQUEST,
            idle: Duration::from_mins(2),
            stall: Duration::from_secs(30),
        }
    }
}

/// Longest head of a request in bytes, its line and all headers.
const HEAD: usize = 16 * 1024;
/// Longest body of a request in bytes; none of ours needs one.
const BODY: u64 = 4 * 1024;
/// How long no connection is accepted if the system has none to give (no descriptors left).
const EXHAUSTED: Duration = Duration::from_millis(500);

/// Serves `app` on `listener`, as `web` wants it, until `stop`, then finishes what is in flight.
pub(super) async fn serve(
    listener: TcpListener,
    app: Router,
    web: Web,
    bounds: ServerLimits,
    stop: CancellationToken,
) {
    let app = web.protect(app);
    let connections = affordable(bounds.connections);
    if connections < bounds.connections {
        warn!(connections, "few file descriptors: the connection limit is low; raise `ulimit -n`");
    }
    let connection_limit = ConnectionLimit::new(connections);
    let conversations = TaskTracker::new();
    // One more than there are places, for the newcomer that takes one: a descriptor counts until
    // it is closed, which is a little later than its place is taken.
    let descriptors = Arc::new(Semaphore::new(connections + 1));
    let mut fails = false;
    loop {
        let accept = async {
            let descriptor = Arc::clone(&descriptors).acquire_owned().await;
            (descriptor, listener.accept().await)
        };
        let (descriptor, accepted) = tokio::select! {
            biased;
            () = stop.cancelled() => break,
            accepted = accept => accepted,
        };
        match accepted {
            Ok((stream, peer)) => {
                fails = false;
                let Some(slot) = connection_limit.admit() else {
                    debug!(%peer, "connection refused: the limit is reached");
                    continue;
                };
                // An event must not wait for the acknowledgement of the one before.
                let _ = stream.set_nodelay(true);
                let (app, web, stop) = (app.clone(), web.clone(), stop.clone());
                conversations.spawn(async move {
                    let _held = descriptor;
                    if let Some(stream) = greet(stream, &web, &slot, bounds, &stop).await {
                        converse(stream, (app, peer.ip()), slot, bounds, stop).await;
                    }
                });
            }
            Err(error) => {
                drop(descriptor);
                recover(&error, &mut fails).await;
            }
        }
    }
    drop(listener);
    conversations.close();
    conversations.wait().await;
}

/// Waits if the next attempt would fail in the same way; a peer that has left already is nothing.
/// The first of several failures is logged.
async fn recover(error: &io::Error, fails: &mut bool) {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    if !matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset) {
        if !std::mem::replace(fails, true) {
            warn!(%error, "cannot accept a connection; trying again");
        }
        sleep(EXHAUSTED).await;
    }
}

/// Shakes hands, if `web` wants that: within the time of a request, and only if nobody else needs
/// the place.
async fn greet(
    stream: TcpStream,
    web: &Web,
    slot: &ConnectionSlot,
    bounds: ServerLimits,
    stop: &CancellationToken,
) -> Option<Stream<TcpStream>> {
    let greeted = tokio::select! {
        greeted = timeout(bounds.request, web.greet(stream)) => greeted.ok()?,
        () = slot.must_leave() => return None,
        () = stop.cancelled() => return None,
    };
    greeted.inspect_err(|error| debug!(%error, "TLS handshake failed")).ok()
}

/// Answers the requests of one connection until it ends, must make room, or `stop`.
async fn converse<S>(
    stream: S,
    (app, address): (Router, IpAddr),
    slot: ConnectionSlot,
    bounds: ServerLimits,
    stop: CancellationToken,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let app = TowerToHyperService::new(app);
    let caller = slot.caller(address);
    let answer = service_fn(|mut request: Request<Incoming>| {
        request.extensions_mut().insert(caller.clone());
        let busy = slot.busy();
        let app = app.clone();
        async move {
            let answer = if is_too_large(&request) {
                too_large()
            } else {
                let Ok(answer) = app.call(request).await;
                answer
            };
            Ok::<_, Infallible>(answer.map(|body| Body::new(busy.until_sent(body))))
        }
    });
    let stream = TokioIo::new(TimedStream::new(stream, bounds));
    let mut builder = http1::Builder::new();
    let mut connection = pin!(builder.max_buf_size(HEAD).serve_connection(stream, answer));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = slot.must_leave() => return,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        debug!(%error, "connection failed");
    }
}

fn is_too_large(request: &Request<Incoming>) -> bool {
    request.body().size_hint().upper().is_none_or(|most| most > BODY)
}

fn too_large() -> Response<Body> {
    let headers = [(header::CONNECTION, "close")];
    (StatusCode::PAYLOAD_TOO_LARGE, headers, "a request to this path must not have a body\n")
        .into_response()
}

#[cfg(test)]
mod tests;
