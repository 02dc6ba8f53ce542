//! Requests under way, and what wakes the task besides them.

use std::{
    future::pending,
    time::{Duration, Instant},
};

use futures_util::future::{BoxFuture, select_all};
use tokio::sync::watch;

use super::{metrics::Operation, reconciler::Write, switches::Job};
use crate::{
    config::MarkedConnections,
    control::PerDirection,
    router::{Finding, Readings, RouterError, RouterFacts, Transport},
    units::{BitRate, MonoTime},
};

/// What came of a request.
pub(super) enum Answer {
    Wrote(Write, Result<BitRate, RouterError>),
    Switch(Job, Result<bool, RouterError>),
    Forgot(MarkedConnections, Result<usize, RouterError>),
    Queues(MonoTime, Result<Readings, RouterError>),
    Facts(Result<(RouterFacts, Vec<Finding>), RouterError>),
    Survey(Result<Vec<Finding>, RouterError>),
}

/// A request as the metrics see it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call {
    pub(super) operation: Operation,
    /// The road that it took.
    pub(super) transport: Transport,
    began: Instant,
    pub(super) took: Duration,
}

impl Call {
    /// Starts the stopwatch.
    pub(super) fn begin(operation: Operation, transport: Transport) -> Self {
        Self { operation, transport, began: Instant::now(), took: Duration::ZERO }
    }
}

/// A request under way.
pub(super) type Underway = BoxFuture<'static, (Call, Answer)>;

pub(super) fn request(
    call: Call,
    answer: impl Future<Output = Answer> + Send + 'static,
) -> Underway {
    Box::pin(async move {
        let answer = answer.await;
        (Call { took: call.began.elapsed(), ..call }, answer)
    })
}

/// Waits for a request if there is one, else for ever.
pub(super) async fn answer_of(underway: &mut Option<Underway>) -> (Call, Answer) {
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
