//! Requests in flight, and what wakes the task besides them.

use std::{
    future::pending,
    time::{Duration, Instant},
};

use futures_util::future::{BoxFuture, select_all};
use strum::{IntoStaticStr, VariantArray};
use tokio::sync::watch;
use wanctl_core::units::{BitRate, MonoTime};

use super::{reconciler::Write, switches::Job};
use crate::router::{Finding, MarkedConnections, Readings, RouterError, RouterFacts, Transport};

/// What came of a request.
pub(super) enum Completion {
    Wrote(Write, Result<BitRate, RouterError>),
    Switch(Job, Result<bool, RouterError>),
    ConnectionsForgotten(MarkedConnections, Result<usize, RouterError>),
    Queues(MonoTime, Result<Readings, RouterError>),
    Facts(Result<(RouterFacts, Vec<Finding>), RouterError>),
    Findings(Result<Vec<Finding>, RouterError>),
}

/// What is asked of a router; its name is a label of metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "snake_case")]
pub(super) enum Operation {
    /// The counters and limits of the queues.
    Read,
    /// A limit.
    Write,
    /// What the router says about itself.
    Facts,
    /// What keeps it from shaping.
    Inspect,
    /// Whether a rule or route is enabled.
    SwitchRead,
    /// A rule or route, enabled or disabled.
    SwitchWrite,
}

impl Operation {
    pub(super) fn name(self) -> &'static str {
        self.into()
    }
}

/// A request as the metrics see it.
#[derive(Debug, Clone, Copy)]
pub(super) struct RequestTiming {
    pub(super) operation: Operation,
    /// The transport that it used.
    pub(super) transport: Transport,
    began: Instant,
    pub(super) took: Duration,
}

impl RequestTiming {
    /// Starts the stopwatch.
    pub(super) fn begin(operation: Operation, transport: Transport) -> Self {
        Self { operation, transport, began: Instant::now(), took: Duration::ZERO }
    }

    /// Stops the stopwatch.
    pub(super) fn end(self) -> Self {
        Self { took: self.began.elapsed(), ..self }
    }
}

/// A request in flight.
pub(super) struct InFlight {
    pub(super) began: MonoTime,
    /// What is written, if it is a limit.
    pub(super) write: Option<Write>,
    pub(super) call: RequestTiming,
    answer: BoxFuture<'static, (RequestTiming, Completion)>,
}

impl InFlight {
    pub(super) fn begin(
        began: MonoTime,
        call: RequestTiming,
        answer: impl Future<Output = Completion> + Send + 'static,
    ) -> Self {
        let answer = Box::pin(async move {
            let answer = answer.await;
            (call.end(), answer)
        });
        Self { began, write: None, call, answer }
    }

    /// Notes that the request writes a limit.
    pub(super) fn of_limit(self, write: Write) -> Self {
        Self { write: Some(write), ..self }
    }

    pub(super) async fn answer(self) -> (RequestTiming, Completion) {
        self.answer.await
    }
}

/// Waits for a request if there is one, else for ever; dropping the future loses nothing.
pub(super) async fn answer_of(in_flight: &mut Option<InFlight>) -> (RequestTiming, Completion) {
    match in_flight {
        Some(in_flight) => (&mut in_flight.answer).await,
        None => pending().await,
    }
}

/// Waits until one of the channels has a new value; for ever if there are none.
pub(super) async fn any_changed<'a, T: 'a>(
    channels: impl Iterator<Item = &'a mut watch::Receiver<T>>,
) {
    let changes: Vec<_> = channels.map(|channel| Box::pin(channel.changed())).collect();
    if changes.is_empty() {
        return pending().await;
    }
    let _ = select_all(changes).await;
}
