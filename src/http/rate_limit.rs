//! A few orders a second: each is an event in the history, and a reload reads files.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use tokio::time::Instant;

/// Orders that may come at once.
const BURST: u32 = 5;
/// Time after which one more may come.
const EVERY: Duration = Duration::from_millis(500);
/// Whoever comes too often may try again after this many seconds.
const RETRY_SECONDS: &str = "1";

/// How many orders may come at this moment; a token bucket.
#[derive(Debug, Clone)]
pub(super) struct SteerRateLimit(Arc<Mutex<Bucket>>);

#[derive(Debug)]
struct Bucket {
    left: u32,
    /// Up to when it has been refilled.
    filled: Instant,
}

impl SteerRateLimit {
    /// Begins with a full burst.
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(Bucket { left: BURST, filled: Instant::now() })))
    }

    /// Takes one, if there is one at `now`.
    fn take(&self, now: Instant) -> bool {
        let mut bucket = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let due = now.saturating_duration_since(bucket.filled).as_millis() / EVERY.as_millis();
        let due = u32::try_from(due).unwrap_or(BURST).min(BURST);
        if due >= BURST {
            (bucket.left, bucket.filled) = (BURST, now);
        } else {
            bucket.left = (bucket.left + due).min(BURST);
            bucket.filled += EVERY * due;
        }
        let taken = bucket.left > 0;
        bucket.left -= u32::from(taken);
        taken
    }
}

/// Passes on as many requests as the rate allows.
pub(super) async fn limit(
    State(rate): State<SteerRateLimit>,
    request: Request,
    next: Next,
) -> Response {
    if rate.take(Instant::now()) {
        return next.run(request).await;
    }
    let retry = [(header::RETRY_AFTER, RETRY_SECONDS)];
    (StatusCode::TOO_MANY_REQUESTS, retry, "too many requests: at most two per second\n")
        .into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_and_then_two_a_second() {
        let (rate, start) = (SteerRateLimit::new(), Instant::now());
        let taken = |from_ms: u64, to_ms: u64| {
            let at = |ms| start + Duration::from_millis(ms);
            (from_ms..to_ms).filter(|ms| rate.take(at(*ms))).count()
        };
        assert_eq!(taken(0, 100), 5);
        assert_eq!(taken(100, 10_100), 20);
        // A pause refills the burst, and no more than that.
        assert_eq!(taken(60_000, 60_001), 1);
        assert_eq!(taken(60_001, 60_400), 4);
        // A clock cannot go backwards, but must not matter if it did.
        assert_eq!(taken(0, 10), 0);
    }
}
