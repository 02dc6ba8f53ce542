//! What is served: `/metrics`, `/livez`, `/readyz`, `/health`, `/status`, `/recent`, `/events`
//! and the live page; `/-/reload` and `/-/steer` obey if they may. `/metrics/history` reads the
//! history's file. Every other answer is made from memory; no scrape reaches the router or the disk.

mod history;
mod host;
mod listening;
mod live;
mod metrics;
mod origin;
mod page;
mod probes;
mod rate_limit;
mod server;
mod steer;
mod web;

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    http::StatusCode,
    middleware,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use futures_util::future::BoxFuture;
use tokio_util::sync::CancellationToken;

pub use self::history::HistorySource;
pub use self::{
    host::HostSource,
    listening::{ListenError, Listening},
    steer::{SteerOutcome, SteerRequest, SteerSource},
    web::Web,
};
use self::{rate_limit::SteerRateLimit, steer::steer};
use crate::{
    catalogue::Catalogue,
    status::{Health, StatusBoard, SteeringBoard},
};

/// What the handlers read.
#[derive(Debug, Clone)]
pub struct Served {
    /// Every metric.
    pub catalogue: Arc<Catalogue>,
    /// How connections are secured and who may ask.
    pub web: Web,
    /// The newest cycles.
    pub board: StatusBoard,
    /// How health is found out; asked at each request.
    pub health: HealthSource,
    /// The history's file.
    pub history: HistorySource,
    /// Where traffic is steered.
    pub steering: SteeringBoard,
    /// How the configuration is reloaded.
    pub reload: ReloadSource,
    /// How the operator overrides steering.
    pub steer: SteerSource,
    /// Which hosts are this server, besides its addresses and its name.
    pub hosts: HostSource,
    /// Ends the streams of events, which would otherwise outlive a shutdown.
    pub stop: CancellationToken,
}

/// A function that judges the health of the daemon now.
#[derive(Clone)]
pub struct HealthSource(pub Arc<dyn Fn() -> Health + Send + Sync>);

impl std::fmt::Debug for HealthSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HealthSource")
    }
}

/// A function that reloads the configuration and says what changed, or why it could not.
#[derive(Clone)]
pub struct ReloadSource(pub Arc<dyn Fn() -> BoxFuture<'static, Reloaded> + Send + Sync>);

/// What came of a request to reload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reloaded {
    /// The configuration does not allow such a request.
    Forbidden,
    /// It was reloaded; what changed, in lines.
    Taken(String),
    /// It is wrong, and the one before stays in force; why, in lines.
    Refused(String),
}

impl std::fmt::Debug for ReloadSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ReloadSource")
    }
}

/// Serves on `listening` until `stop`; why that is not possible yet is told to `listen_error`.
pub async fn serve(
    listening: Listening,
    served: Served,
    listen_error: ListenError,
    stop: CancellationToken,
) {
    let web = served.web.clone();
    let Some(listener) = listening.listener(&web, &listen_error, &stop).await else { return };
    server::serve(listener, router(served), web, server::ServerLimits::default(), stop).await;
}

/// Builds the routes.
pub fn router(served: Served) -> Router {
    Router::new()
        .merge(page::routes())
        .route("/metrics", get(metrics::metrics))
        .route("/metrics/history", get(history::history))
        .route("/livez", get(probes::livez))
        .route("/readyz", get(probes::readyz))
        .route("/health", get(probes::health))
        .merge(orders())
        .fallback(unknown)
        .with_state(served.clone())
        .merge(live::routes(served.clone()))
        .layer(middleware::from_fn_with_state(served.hosts, host::refuse_others))
}

/// What changes something.
fn orders() -> Router<Served> {
    Router::new()
        .route("/-/reload", post(reload))
        .route("/-/steer", post(steer))
        .layer(middleware::from_fn_with_state(SteerRateLimit::new(), rate_limit::limit))
        .layer(middleware::from_fn(origin::refuse_strangers))
}

async fn reload(State(served): State<Served>) -> Response {
    let (status, text) = match (served.reload.0)().await {
        Reloaded::Taken(text) => (StatusCode::OK, text),
        Reloaded::Refused(text) => (StatusCode::BAD_REQUEST, text),
        Reloaded::Forbidden => {
            let remedy = "not allowed here: set http.allow_reload and send SIGHUP";
            (StatusCode::FORBIDDEN, remedy.to_owned())
        }
    };
    (status, format!("{text}\n")).into_response()
}

async fn unknown() -> Response {
    let paths = "not found; try /, /metrics, /metrics/history, /health, /livez, /readyz, /status\n";
    (StatusCode::NOT_FOUND, paths).into_response()
}
