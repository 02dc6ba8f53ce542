//! What is served: `/metrics`, `/livez`, `/readyz`, `/health`, `/status`, `/recent`, `/events`
//! and the live page; `/-/reload` and `/-/steer` obey if they may. Every other answer is made from memory; no scrape reaches the router or the disk.

mod metrics;
mod page;
mod steer;
mod web;

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
    routing::{get, post},
};
use futures_util::{Stream, future::BoxFuture, stream};
use serde::Serialize;
use tokio::{net::TcpListener, time::sleep};
use tokio_util::sync::CancellationToken;

use self::steer::steer;
pub use self::{
    steer::{SteerRequest, SteerSource, Steered},
    web::Web,
};
use crate::{
    catalogue::Catalogue,
    status::{Board, Health, SteeringBoard, SteeringStatus, WanView},
};

/// Time between two events of the live page.
const EVENT_INTERVAL: Duration = Duration::from_millis(250);

/// What the handlers read.
#[derive(Debug, Clone)]
pub struct Served {
    /// Every metric.
    pub catalogue: Arc<Catalogue>,
    /// The newest cycles.
    pub board: Board,
    /// How health is found out; asked at each request.
    pub health: HealthSource,
    /// Where traffic is steered.
    pub steering: SteeringBoard,
    /// How the configuration is reloaded.
    pub reload: ReloadSource,
    /// How the operator overrides steering.
    pub steer: SteerSource,
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

/// What the live page and the status command show.
#[derive(Debug, Serialize)]
struct Snapshot {
    health: Health,
    wans: Vec<WanView>,
    steering: Option<SteeringStatus>,
}

/// Serves on `listener` until `stop`.
///
/// # Errors
/// If the listener breaks.
pub async fn serve(
    listener: TcpListener,
    served: Served,
    stop: CancellationToken,
) -> std::io::Result<()> {
    axum::serve(listener, router(served)).with_graceful_shutdown(stop.cancelled_owned()).await
}

/// Builds the routes.
pub fn router(served: Served) -> Router {
    Router::new()
        .merge(page::routes())
        .route("/metrics", get(metrics::metrics))
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .route("/health", get(health))
        .route("/status", get(status))
        .route("/recent", get(recent))
        .route("/events", get(events))
        .route("/-/reload", post(reload))
        .route("/-/steer", post(steer))
        .fallback(unknown)
        .with_state(served)
}

async fn livez(State(served): State<Served>) -> Response {
    let health = (served.health.0)();
    probe(health.live, "the control loops turn", "a control loop has stopped turning")
}

async fn readyz(State(served): State<Served>) -> Response {
    let health = (served.health.0)();
    probe(health.ready, "measuring, and the router answers", "not ready; /health says why")
}

fn probe(good: bool, yes: &str, no: &str) -> Response {
    if good {
        (StatusCode::OK, format!("{yes}\n")).into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, format!("{no}\n")).into_response()
    }
}

async fn health(State(served): State<Served>) -> Json<Health> {
    Json((served.health.0)())
}

async fn status(State(served): State<Served>) -> Response {
    Json(snapshot(&served)).into_response()
}

async fn recent(State(served): State<Served>) -> Response {
    Json(served.board.recent()).into_response()
}

/// Sends the snapshot four times a second for as long as the client listens.
async fn events(
    State(served): State<Served>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let stream = stream::unfold((served, true), |(served, first)| async move {
        if !first {
            tokio::select! {
                () = served.stop.cancelled() => return None,
                () = sleep(EVENT_INTERVAL) => {}
            }
        }
        let event = Event::default().json_data(snapshot(&served)).unwrap_or_default();
        Some((Ok(event), (served, false)))
    });
    Sse::new(stream).keep_alive(KeepAlive::default())
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

fn snapshot(served: &Served) -> Snapshot {
    Snapshot {
        health: (served.health.0)(),
        wans: served.board.views(),
        steering: served.steering.view(),
    }
}

async fn unknown() -> Response {
    let paths = "there is nothing here; try /, /metrics, /health, /livez, /readyz, /status\n";
    (StatusCode::NOT_FOUND, paths).into_response()
}
