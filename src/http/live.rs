//! `/livez`, `/readyz` and `/health` for service managers, load balancers and scripts; `/status`,
//! `/recent` and `/events` for the live page and `wanctl status`.
//!
//! A snapshot is taken at most twice per interval, however many clients there are.

use std::{
    convert::Infallible,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Json, Router,
    extract::State,
    http::{StatusCode, header},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
    routing::get,
};
use futures_util::stream;
use serde::Serialize;
use tokio::{
    sync::Semaphore,
    time::{Instant, sleep},
};

use super::Served;
use crate::status::{Health, SteeringStatus, WanView};

/// Time between two events.
const INTERVAL: Duration = Duration::from_millis(250);
/// Most clients of `/events`.
const LISTENERS: usize = 16;
/// A probe gets the present state, whatever caches are in between.
const NO_STORE: [(header::HeaderName, &str); 1] = [(header::CACHE_CONTROL, "no-store")];

/// The body of `/status` and of an event.
#[derive(Debug, Serialize)]
struct Snapshot {
    health: Health,
    wans: Vec<WanView>,
    steering: Option<SteeringStatus>,
}

/// A snapshot as JSON, and when it was taken.
#[derive(Debug, Clone)]
struct Taken {
    at: Instant,
    json: Arc<str>,
}

#[derive(Debug, Clone)]
struct Live {
    served: Served,
    newest: Arc<Mutex<Option<Taken>>>,
    listeners: Arc<Semaphore>,
}

/// The routes.
pub(super) fn routes(served: Served) -> Router {
    let listeners = Arc::new(Semaphore::new(LISTENERS));
    Router::new()
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .route("/health", get(health))
        .route("/status", get(status))
        .route("/recent", get(recent))
        .route("/events", get(events))
        .with_state(Live { served, newest: Arc::default(), listeners })
}

impl Live {
    /// The newest snapshot as JSON.
    fn json(&self) -> Arc<str> {
        let mut newest = self.newest.lock().unwrap_or_else(PoisonError::into_inner);
        match &*newest {
            // A timer that fires a little early gets a new one.
            Some(taken) if taken.at.elapsed() < INTERVAL / 2 => Arc::clone(&taken.json),
            _ => {
                let json = serde_json::to_string(&Snapshot::of(&self.served));
                let json: Arc<str> = json.expect("names, numbers and lists are JSON").into();
                *newest = Some(Taken { at: Instant::now(), json: Arc::clone(&json) });
                json
            }
        }
    }
}

impl Snapshot {
    fn of(served: &Served) -> Self {
        Self {
            health: (served.health.0)(),
            wans: served.board.views(),
            steering: served.steering.view(),
        }
    }
}

/// Reports whether the control loops run.
async fn livez(State(live): State<Live>) -> Response {
    let health = (live.served.health.0)();
    let stuck = health
        .wans
        .iter()
        .flat_map(|wan| wan.control.reasons.iter().map(|reason| format!("{}: {reason}", wan.name)));
    probe(health.live, "the control loops run", &stuck.collect::<Vec<_>>())
}

/// Reports whether the WANs are measured and the router answers.
async fn readyz(State(live): State<Live>) -> Response {
    let health = (live.served.health.0)();
    probe(health.ready, "every WAN is measured, and the router answers", &health.not_ready_reasons)
}

fn probe(is_good: bool, well: &str, reasons: &[String]) -> Response {
    if is_good {
        return (StatusCode::OK, NO_STORE, format!("{well}\n")).into_response();
    }
    (StatusCode::SERVICE_UNAVAILABLE, NO_STORE, format!("{}\n", reasons.join("\n"))).into_response()
}

/// Always 200: simple clients do not read the body of another status.
async fn health(State(live): State<Live>) -> Response {
    (NO_STORE, Json((live.served.health.0)())).into_response()
}

async fn status(State(live): State<Live>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], live.json().to_string()).into_response()
}

async fn recent(State(live): State<Live>) -> Response {
    Json(live.served.board.recent()).into_response()
}

/// Sends the snapshot four times a second for as long as the client listens.
async fn events(State(live): State<Live>) -> Response {
    let Ok(seat) = Arc::clone(&live.listeners).try_acquire_owned() else {
        let retry = [(header::RETRY_AFTER, "30")];
        let text = "too many clients of /events; poll /status\n";
        return (StatusCode::SERVICE_UNAVAILABLE, retry, text).into_response();
    };
    let stream = stream::unfold((live, seat, true), |(live, seat, is_first)| async move {
        if !is_first {
            tokio::select! {
                () = live.served.stop.cancelled() => return None,
                () = sleep(INTERVAL) => {}
            }
        }
        let event = Event::default().data(&*live.json());
        Some((Ok::<_, Infallible>(event), (live, seat, false)))
    });
    Sse::new(stream).keep_alive(KeepAlive::default()).into_response()
}
