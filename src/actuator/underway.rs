//! Requests under way, and what wakes the task besides them.

use std::{
    future::pending,
    time::{Duration, Instant},
};

use futures_util::future::{BoxFuture, select_all};
use tokio::sync::watch;

use super::{metrics::Operation, reconciler::Write};
use crate::{
    control::PerDirection,
    router::{Finding, Readings, RouterError, RouterFacts},
    units::{BitRate, MonoTime},
};

/// What came of a request.
pub(super) enum Answer {
    Wrote(Write, Result<BitRate, RouterError>),
    Queues(MonoTime, Result<Readings, RouterError>),
    Facts(Result<(RouterFacts, Vec<Finding>), RouterError>),
    Survey(Result<Vec<Finding>, RouterError>),
}

/// A request under way, its kind and, in the end, how long it took.
pub(super) type Underway = BoxFuture<'static, (Operation, Duration, Answer)>;

pub(super) fn request(
    operation: Operation,
    answer: impl Future<Output = Answer> + Send + 'static,
) -> Underway {
    Box::pin(async move {
        let asked = Instant::now();
        let answer = answer.await;
        (operation, asked.elapsed(), answer)
    })
}

/// Waits for a request if there is one, else for ever.
pub(super) async fn answer_of(underway: &mut Option<Underway>) -> (Operation, Duration, Answer) {
    match underway {
        Some(underway) => underway.await,
        None => pending().await,
    }
}

/// Waits until a control loop wants something new.
pub(super) async fn news(wanted: &mut [watch::Receiver<PerDirection<Option<BitRate>>>]) {
    if wanted.is_empty() {
        return pending().await;
    }
    let _ = select_all(wanted.iter_mut().map(|wanted| Box::pin(wanted.changed()))).await;
}
