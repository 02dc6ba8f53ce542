//! `POST /-/steer?to=NAME&for_s=1800`: the operator's word about steering.

use std::{fmt, sync::Arc};

use axum::{
    extract::{Query, State},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use futures_util::future::BoxFuture;
use serde::Deserialize;

use super::Served;

/// What the operator wants.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SteerRequest {
    /// A WAN's name, `primary`, `alternate`, or `auto` to let go.
    pub to: String,
    /// For how many seconds; without it, for half an hour.
    pub for_s: Option<u64>,
}

/// What came of it, each with a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SteerOutcome {
    /// It is carried out.
    Done(String),
    /// It is taken, but not carried out now: nothing is written to the router, or it is kept for
    /// later.
    Taken(String),
    /// It makes no sense, or cannot be done; nothing is kept.
    Refused(String),
    /// The configuration does not allow such a request.
    Forbidden,
}

/// A function that takes the operator's word.
#[derive(Clone)]
pub struct SteerSource(
    pub Arc<dyn Fn(SteerRequest) -> BoxFuture<'static, SteerOutcome> + Send + Sync>,
);

impl fmt::Debug for SteerSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SteerSource")
    }
}

pub(super) async fn steer(
    State(served): State<Served>,
    Query(request): Query<SteerRequest>,
) -> Response {
    let (status, text) = match (served.steer.0)(request).await {
        SteerOutcome::Done(text) => (StatusCode::OK, text),
        SteerOutcome::Taken(text) => (StatusCode::ACCEPTED, text),
        SteerOutcome::Refused(text) => (StatusCode::BAD_REQUEST, text),
        SteerOutcome::Forbidden => {
            (StatusCode::FORBIDDEN, "not allowed here: set http.allow_steer".to_owned())
        }
    };
    (status, format!("{text}\n")).into_response()
}
