//! The HTTP server: bounded connections, requests and waiting times (docs/health.md).

use std::{convert::Infallible, io, pin::pin, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, HttpBody as _},
    http::{Request, StatusCode, header},
    response::IntoResponse as _,
};
use http_body_util::BodyExt as _;
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

use super::{
    connections::{ConnectionLimit, ConnectionSlot, affordable},
    timed_stream::{REQUEST, TimedStream},
    web::{Stream, Web},
};

/// Most connections at one time.
pub(super) const CONNECTIONS: usize = 256;
/// Longest head of a request in bytes: its line and all headers.
const HEAD: usize = 16 * 1024;
/// Longest body of a request in bytes; no path needs one.
const BODY: u64 = 4 * 1024;
/// Pause after a failed accept, for example without file descriptors.
const EXHAUSTED: Duration = Duration::from_millis(500);

/// Serves `app` on `listener` until `stop`, then finishes the requests in flight.
pub(super) async fn serve(
    listener: TcpListener,
    app: Router,
    web: Web,
    most: usize,
    stop: CancellationToken,
) {
    let app = web.protect(app);
    let connections = affordable(most);
    if connections < most {
        warn!(connections, "few file descriptors: the connection limit is low; raise `ulimit -n`");
    }
    let limit = ConnectionLimit::new(connections);
    let tasks = TaskTracker::new();
    // One more than there are places: a descriptor is closed a little later than its place is
    // taken over.
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
                let Some(slot) = limit.admit(peer.ip()) else {
                    debug!(%peer, "connection refused: the limit is reached");
                    continue;
                };
                // An event does not wait for the acknowledgement of the one before.
                let _ = stream.set_nodelay(true);
                let (app, web, stop) = (app.clone(), web.clone(), stop.clone());
                tasks.spawn(async move {
                    let _held = descriptor;
                    if let Some(stream) = handshake(stream, &web, &slot, &stop).await {
                        converse(stream, app, slot, stop).await;
                    }
                });
            }
            Err(error) => {
                use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
                drop(descriptor);
                // The client has already left.
                if [ConnectionAborted, ConnectionRefused, ConnectionReset].contains(&error.kind()) {
                    continue;
                }
                if !std::mem::replace(&mut fails, true) {
                    warn!(%error, "cannot accept a connection; trying again");
                }
                sleep(EXHAUSTED).await;
            }
        }
    }
    drop(listener);
    tasks.close();
    tasks.wait().await;
}

/// Completes the TLS handshake, if there is one, within the time of a request.
async fn handshake(
    stream: TcpStream,
    web: &Web,
    slot: &ConnectionSlot,
    stop: &CancellationToken,
) -> Option<Stream<TcpStream>> {
    let secured = tokio::select! {
        secured = timeout(REQUEST, web.handshake(stream)) => secured.ok()?,
        () = slot.connection.evicted() => return None,
        () = stop.cancelled() => return None,
    };
    secured.inspect_err(|error| debug!(%error, "TLS handshake failed")).ok()
}

/// Serves the requests of one connection until it ends, is evicted, or `stop`.
async fn converse<S>(stream: S, app: Router, slot: ConnectionSlot, stop: CancellationToken)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let app = TowerToHyperService::new(app);
    let respond = service_fn(|mut request: Request<Incoming>| {
        let serving = slot.connection.serve();
        request.extensions_mut().insert(Arc::clone(&slot.connection));
        let app = app.clone();
        async move {
            let is_small = request.body().size_hint().upper().is_some_and(|most| most <= BODY);
            let response = if is_small {
                let Ok(response) = app.call(request).await;
                response
            } else {
                let close = [(header::CONNECTION, "close")];
                let text = "a request to this path must not have a body\n";
                (StatusCode::PAYLOAD_TOO_LARGE, close, text).into_response()
            };
            // The closure lives as long as the body: the connection is being served until then.
            let held = move |error| {
                let _ = &serving;
                error
            };
            Ok::<_, Infallible>(response.map(|body| Body::new(body.map_err(held))))
        }
    });
    let stream = TokioIo::new(TimedStream::new(stream));
    let mut builder = http1::Builder::new();
    let mut connection = pin!(builder.max_buf_size(HEAD).serve_connection(stream, respond));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = slot.connection.evicted() => return,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        debug!(%error, "connection failed");
    }
}

#[cfg(test)]
mod tests;
