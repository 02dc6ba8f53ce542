//! The HTTP server: metrics, health, the live page and orders of the operator.
//!
//! Responses come from memory, except `/metrics/history`, which reads the file of the history. No
//! request reaches the router.

mod auth;
mod connections;
mod history;
mod host;
mod listening;
mod live;
mod orders;
mod page;
mod password_queue;
mod server;
mod timed_stream;
mod web;

use std::{fmt, sync::Arc};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    middleware,
    response::{IntoResponse as _, Response},
    routing::get,
};
use tokio_util::sync::CancellationToken;
use tower_http::{CompressionLevel, compression::CompressionLayer};

pub use self::{
    history::HistorySource,
    host::HostSource,
    listening::{ListenError, Listening},
    orders::{OrderOutcome, ReloadSource, SteerRequest, SteerSource},
    web::Web,
};
use crate::{
    catalogue::Catalogue,
    status::{Health, StatusBoard, SteeringBoard},
    telemetry::{Format, encode},
};

/// What the handlers read and call.
#[derive(Debug, Clone)]
pub struct Served {
    /// Every metric.
    pub catalogue: Arc<Catalogue>,
    /// TLS, users and response headers.
    pub web: Web,
    /// The newest cycles.
    pub board: StatusBoard,
    /// The health of the daemon at the time of a request.
    pub health: HealthSource,
    /// The file of the history.
    pub history: HistorySource,
    /// The state of steering.
    pub steering: SteeringBoard,
    /// Reloads the configuration.
    pub reload: ReloadSource,
    /// Overrides steering.
    pub steer: SteerSource,
    /// The names of this server besides its addresses and its host name.
    pub hosts: HostSource,
    /// Ends the streams of events.
    pub stop: CancellationToken,
}

/// A function of the daemon that handlers call.
pub struct Source<F: ?Sized>(pub Arc<F>);

impl<F: ?Sized> Clone for Source<F> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<F: ?Sized> fmt::Debug for Source<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Source")
    }
}

/// Assesses the health of the daemon.
pub type HealthSource = Source<dyn Fn() -> Health + Send + Sync>;

/// Serves on `listening` until `stop`; `listen_error` has why that is not possible yet.
pub async fn serve(
    listening: Listening,
    served: Served,
    listen_error: ListenError,
    stop: CancellationToken,
) {
    let web = served.web.clone();
    let Some(listener) = listening.listener(&web, &listen_error, &stop).await else { return };
    server::serve(listener, router(served), web, server::CONNECTIONS, stop).await;
}

/// Builds the routes.
pub fn router(served: Served) -> Router {
    Router::new()
        .route("/metrics", get(metrics).layer(gzip()))
        .route("/metrics/history", get(history::history))
        .merge(page::routes())
        .merge(orders::routes())
        .fallback(unknown)
        .with_state(served.clone())
        .merge(live::routes(served.clone()))
        .layer(middleware::from_fn_with_state(served.hosts, host::refuse_others))
}

/// Fast rather than small: a page shrinks to a tenth either way.
fn gzip() -> CompressionLayer {
    CompressionLayer::new().quality(CompressionLevel::Fastest)
}

async fn metrics(State(served): State<Served>, headers: HeaderMap) -> Response {
    let accept = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let format = Format::negotiate(&accept.collect::<Vec<_>>().join(","));
    let page = match encode(&served.catalogue, format) {
        Ok(page) => page.into_bytes(),
        Err(error) => {
            return (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response();
        }
    };
    let about = [
        (header::CONTENT_TYPE, format.content_type()),
        (header::VARY, "Accept"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (about, page).into_response()
}

async fn unknown() -> Response {
    let paths = "not found; try /, /metrics, /metrics/history, /health, /livez, /readyz, /status\n";
    (StatusCode::NOT_FOUND, paths).into_response()
}

#[cfg(test)]
mod tests {
    use axum::{
        body::{Body, to_bytes},
        http::Request,
    };
    use hyper::service::Service as _;
    use hyper_util::service::TowerToHyperService;

    use super::*;

    #[tokio::test]
    async fn gzip_only_for_those_who_take_it() {
        let page = "wanctl_up 1\n".repeat(1000);
        let length = page.len();
        let routes = Router::new().route("/", get(|| async { page }).layer(gzip()));
        let app = TowerToHyperService::new(routes);
        for (accept, is_packed) in [
            ("", false),
            ("gzip", true),
            ("deflate, GZIP;q=0.5", true),
            ("gzip;q=0", false),
            ("gzip;q=0.000, identity", false),
            ("*", false),
            ("br", false),
        ] {
            let request = Request::get("/").header(header::ACCEPT_ENCODING, accept);
            let response = app.call(request.body(Body::empty()).unwrap()).await.unwrap();
            let coding = response.headers().get(header::CONTENT_ENCODING).cloned();
            assert_eq!(coding.is_some_and(|coding| coding == "gzip"), is_packed, "{accept}");
            let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
            assert_eq!(body.starts_with(&[0x1f, 0x8b]), is_packed);
            assert_eq!(body.len() < length / 10, is_packed);
        }
    }
}
