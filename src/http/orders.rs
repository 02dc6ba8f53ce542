//! `POST /-/reload` and `POST /-/steer?to=NAME&for_s=1800`: orders of the operator.
//!
//! A web page of another origin must not give orders with the password that the browser remembers.
//! The rate is limited: each order is an event in the history, and a reload reads files.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    extract::{Query, Request, State},
    http::{
        HeaderMap, StatusCode, header,
        uri::{Authority, Uri},
    },
    middleware::{self, Next},
    response::{IntoResponse as _, Response},
    routing::post,
};
use futures_util::future::BoxFuture;
use serde::Deserialize;
use tokio::time::Instant;

use super::{Served, Source};

/// Orders that may arrive at once.
const BURST: u32 = 5;
/// Time after which one more may arrive.
const EVERY: Duration = Duration::from_millis(500);

/// An order to override steering.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SteerRequest {
    /// A WAN's name, `primary`, `alternate`, or `auto` to end the override.
    pub to: String,
    /// For how many seconds; half an hour without it.
    pub for_s: Option<u64>,
}

/// What became of an order, each with a text for the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderOutcome {
    /// It was carried out.
    Done(String),
    /// It was accepted, but not carried out now: nothing is written to the router, or it is kept
    /// for later.
    Taken(String),
    /// It is wrong or impossible; nothing has changed.
    Refused(String),
    /// The configuration does not permit it; what to do instead.
    Forbidden(&'static str),
}

/// Reloads the configuration.
pub type ReloadSource = Source<dyn Fn() -> BoxFuture<'static, OrderOutcome> + Send + Sync>;

/// Overrides steering.
pub type SteerSource =
    Source<dyn Fn(SteerRequest) -> BoxFuture<'static, OrderOutcome> + Send + Sync>;

/// The routes.
pub(super) fn routes() -> Router<Served> {
    // A full bucket now.
    let bucket = Arc::new(Mutex::new(Instant::now()));
    Router::new()
        .route("/-/reload", post(reload))
        .route("/-/steer", post(steer))
        .layer(middleware::from_fn_with_state(bucket, limit))
        .layer(middleware::from_fn(refuse_other_origins))
}

async fn reload(State(served): State<Served>) -> Response {
    (served.reload.0)().await.response()
}

async fn steer(State(served): State<Served>, Query(request): Query<SteerRequest>) -> Response {
    (served.steer.0)(request).await.response()
}

impl OrderOutcome {
    fn response(self) -> Response {
        let (status, text) = match self {
            Self::Done(text) => (StatusCode::OK, text),
            Self::Taken(text) => (StatusCode::ACCEPTED, text),
            Self::Refused(text) => (StatusCode::BAD_REQUEST, text),
            Self::Forbidden(remedy) => {
                (StatusCode::FORBIDDEN, format!("not allowed here: {remedy}"))
            }
        };
        (status, format!("{text}\n")).into_response()
    }
}

async fn limit(
    State(bucket): State<Arc<Mutex<Instant>>>,
    request: Request,
    next: Next,
) -> Response {
    if take(&mut bucket.lock().unwrap_or_else(PoisonError::into_inner), Instant::now()) {
        return next.run(request).await;
    }
    let retry = [(header::RETRY_AFTER, "1")];
    let text = "too many requests: at most two per second\n";
    (StatusCode::TOO_MANY_REQUESTS, retry, text).into_response()
}

/// Takes a token at `now` from a bucket that is full again at `full`, if there is one.
fn take(full: &mut Instant, now: Instant) -> bool {
    let next = (*full).max(now) + EVERY;
    let is_left = next <= now + EVERY * BURST;
    if is_left {
        *full = next;
    }
    is_left
}

/// Refuses requests of a page of another origin (RFC 6454, section 7).
async fn refuse_other_origins(request: Request, next: Next) -> Response {
    if is_other_origin(request.headers()) {
        let text = "refused: a page of another origin sent this\n";
        return (StatusCode::FORBIDDEN, text).into_response();
    }
    next.run(request).await
}

/// Returns whether there is an origin, `null` included, that is not this server.
fn is_other_origin(headers: &HeaderMap) -> bool {
    let Some(origin) = headers.get(header::ORIGIN) else { return false };
    let origin = origin.to_str().ok().and_then(|origin| origin.parse::<Uri>().ok());
    let authority = origin.as_ref().and_then(Uri::authority).map(Authority::as_str);
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    authority.is_none() || authority != host
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_and_the_own_page_may_ask_and_other_pages_may_not() {
        for (origin, is_other) in [
            (None, false),
            (Some("http://127.0.0.1:9102"), false),
            (Some("https://example.org"), true),
            (Some("http://127.0.0.1:8080"), true),
            (Some("null"), true),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, "127.0.0.1:9102".parse().unwrap());
            headers.extend(origin.map(|origin| (header::ORIGIN, origin.parse().unwrap())));
            assert_eq!(is_other_origin(&headers), is_other, "{origin:?}");
        }
    }

    #[test]
    fn a_burst_and_then_two_a_second() {
        let start = Instant::now();
        let mut bucket = start;
        let mut taken = |from_ms: u64, to_ms: u64| {
            let at = |ms| start + Duration::from_millis(ms);
            (from_ms..to_ms).filter(|ms| take(&mut bucket, at(*ms))).count()
        };
        assert_eq!(taken(0, 100), 5);
        assert_eq!(taken(100, 10_100), 20);
        // A pause refills the burst, and no more than that.
        assert_eq!(taken(60_000, 60_001), 1);
        assert_eq!(taken(60_001, 60_400), 4);
        // A clock that goes backwards gives nothing.
        assert_eq!(taken(0, 10), 0);
    }
}
