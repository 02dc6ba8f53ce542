//! REST, and SSH while REST fails.
//!
//! A request uses one transport and is not repeated over the other: after a write that failed, the
//! caller reads what the router enforces.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use futures_util::future::BoxFuture;
use tracing::{info, warn};
use wanctl_core::units::MonoTime;

use super::{
    TransportFailoverParams,
    failover::TransportFailover,
    transport::{Menu, Request, Row, RowTransport},
};
use crate::router::{Reply, RouterError, Transport};

/// The transport in use, shared by all users of one router.
#[derive(Debug)]
pub(super) struct TransportSelector {
    /// Where REST is looked at while SSH is taken.
    checker: Arc<dyn RowTransport>,
    failover: Mutex<TransportFailover>,
    start: Instant,
}

impl TransportSelector {
    /// Begins with REST, whose return is checked over `rest`.
    pub(super) fn new(
        checker: Arc<dyn RowTransport>,
        failover_params: TransportFailoverParams,
    ) -> Arc<Self> {
        let failover = Mutex::new(TransportFailover::new(failover_params));
        Arc::new(Self { checker, failover, start: Instant::now() })
    }

    fn active(&self) -> Transport {
        self.failover().active()
    }

    fn failover(&self) -> MutexGuard<'_, TransportFailover> {
        self.failover.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> MonoTime {
        MonoTime::from_start(self.start.elapsed())
    }

    /// Checks whether REST works again, if a check is due; in a task of its own, so that no request
    /// waits for it. It ends at the deadline of REST.
    fn check_rest(self: &Arc<Self>) {
        if !self.failover().begin_check(self.now()) {
            return;
        }
        let selector = Arc::clone(self);
        tokio::spawn(async move {
            // The name of the router: a read that changes nothing and costs nothing.
            let found = selector.checker.print(Menu::Identity, &[]).await;
            let is_healthy = found.is_ok_and(|rows| {
                rows.first().is_some_and(|identity| identity.text("name").is_some())
            });
            let mut failover = selector.failover();
            failover.checked(is_healthy, selector.now());
            if failover.active() == Transport::Rest {
                info!("REST is healthy again: back from SSH");
            }
        });
    }

    fn answered(&self, transport: Transport, failure: Option<&RouterError>) {
        let mut failover = self.failover();
        let before = failover.active();
        failover.answered(transport, failure.map(|failure| &failure.fault), self.now());
        if let (Transport::Rest, Transport::Ssh, Some(error)) = (before, failover.active(), failure)
        {
            warn!(%error, "REST keeps failing: over to SSH");
        }
    }
}

/// REST as one user of a router, with SSH to fall back on.
#[derive(Debug)]
pub(super) struct AutoTransport {
    rest: Arc<dyn RowTransport>,
    ssh: Arc<dyn RowTransport>,
    selector: Arc<TransportSelector>,
}

impl AutoTransport {
    pub(super) const fn new(
        rest: Arc<dyn RowTransport>,
        ssh: Arc<dyn RowTransport>,
        selector: Arc<TransportSelector>,
    ) -> Self {
        Self { rest, ssh, selector }
    }

    fn active(&self) -> &dyn RowTransport {
        match self.selector.active() {
            Transport::Rest => &*self.rest,
            Transport::Ssh => &*self.ssh,
        }
    }
}

impl RowTransport for AutoTransport {
    fn transport(&self) -> Transport {
        self.selector.active()
    }

    fn target(&self) -> String {
        self.active().target()
    }

    fn check_alive(&self) -> Option<BoxFuture<'static, bool>> {
        self.active().check_alive()
    }

    fn request<'a>(&'a self, request: Request<'a>) -> Reply<'a, Vec<Row>> {
        Box::pin(async move {
            self.selector.check_rest();
            let transport = self.active();
            let answer = transport.request(request).await;
            self.selector.answered(transport.transport(), answer.as_ref().err());
            answer
        })
    }
}

#[cfg(test)]
mod tests;
