//! `/status`, `/recent` and `/events`: what the live page and `wanctl status` show.
//!
//! However many look on, a snapshot is taken and put into JSON once per interval at most.

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

/// Time between two events of the live page, and the age up to which a snapshot is given again.
const INTERVAL: Duration = Duration::from_millis(250);
/// Pages that may listen at one time; others are told to ask instead.
const LISTENERS: usize = 16;
/// Whoever is turned away may try again after this many seconds.
const RETRY_SECONDS: &str = "30";

/// What the live page and the status command show.
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

/// What these routes share.
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
            // A timer may come early by a hair, and must not get the same again.
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

async fn status(State(live): State<Live>) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], live.json().to_string()).into_response()
}

async fn recent(State(live): State<Live>) -> Response {
    Json(live.served.board.recent()).into_response()
}

/// Sends the snapshot four times a second for as long as the client listens.
async fn events(State(live): State<Live>) -> Response {
    let Ok(seat) = Arc::clone(&live.listeners).try_acquire_owned() else {
        let retry = [(header::RETRY_AFTER, RETRY_SECONDS)];
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
