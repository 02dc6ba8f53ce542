//! Both roads: REST, and SSH while REST fails.
//!
//! A request takes one road and is never repeated on the other: after a write that failed only a
//! reading can tell what the router enforces, and the caller does that.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use futures_util::future::BoxFuture;
use tracing::{info, warn};
use wanctl_core::units::MonoTime;

use super::{
    failover::{Failover, Patience},
    pinged::Pinged,
    road::{Menu, PingFrom, Road, Row, RowId},
};
use crate::router::{RouterError, Transport};

/// Which road is taken; shared by the users of one router, who change roads together.
#[derive(Debug)]
pub(super) struct Junction {
    /// Where REST is looked at while SSH is taken.
    look: Arc<dyn Road>,
    failover: Mutex<Failover>,
    start: Instant,
}

impl Junction {
    /// Begins with REST; `look` is the road over REST on which its return is watched for.
    pub(super) fn new(look: Arc<dyn Road>, patience: Patience) -> Arc<Self> {
        let failover = Mutex::new(Failover::new(patience));
        Arc::new(Self { look, failover, start: Instant::now() })
    }

    fn road(&self) -> Transport {
        self.failover().road()
    }

    fn failover(&self) -> MutexGuard<'_, Failover> {
        self.failover.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> MonoTime {
        MonoTime::from_start(self.start.elapsed())
    }

    /// Looks whether REST is back, if it is time. In a task of its own, so that no request waits
    /// for a road that is not taken; it ends at that road's deadline at the latest.
    fn look_around(self: &Arc<Self>) {
        if !self.failover().begin_look(self.now()) {
            return;
        }
        let junction = Arc::clone(self);
        tokio::spawn(async move {
            // The name of the router: a read that changes nothing and costs nothing.
            let found = junction.look.print(Menu::Identity, &[]).await;
            let is_healthy = found.is_ok_and(|rows| {
                rows.first().is_some_and(|identity| identity.text("name").is_some())
            });
            let mut failover = junction.failover();
            failover.looked(is_healthy, junction.now());
            if failover.road() == Transport::Rest {
                info!("REST is healthy again: back from SSH");
            }
        });
    }

    fn answered(&self, road: Transport, failure: Option<&RouterError>) {
        let mut failover = self.failover();
        let before = failover.road();
        failover.answered(road, failure.map(|failure| &failure.fault), self.now());
        if let (Transport::Rest, Transport::Ssh, Some(error)) = (before, failover.road(), failure) {
            warn!(%error, "REST keeps failing: over to SSH");
        }
    }
}

/// REST as one user of a router, with SSH to fall back on.
#[derive(Debug)]
pub(super) struct AutoRoad {
    rest: Arc<dyn Road>,
    ssh: Arc<dyn Road>,
    junction: Arc<Junction>,
}

impl AutoRoad {
    pub(super) const fn new(
        rest: Arc<dyn Road>,
        ssh: Arc<dyn Road>,
        junction: Arc<Junction>,
    ) -> Self {
        Self { rest, ssh, junction }
    }

    fn road(&self) -> &dyn Road {
        match self.junction.road() {
            Transport::Rest => &*self.rest,
            Transport::Ssh => &*self.ssh,
        }
    }

    /// Makes a request on the road that is taken, and takes note of how it went.
    async fn take<'a, T>(
        &'a self,
        request: impl FnOnce(&'a dyn Road) -> BoxFuture<'a, Result<T, RouterError>> + Send,
    ) -> Result<T, RouterError> {
        self.junction.look_around();
        let road = self.road();
        let answer = request(road).await;
        self.junction.answered(road.transport(), answer.as_ref().err());
        answer
    }
}

impl Road for AutoRoad {
    fn transport(&self) -> Transport {
        self.junction.road()
    }

    fn target(&self) -> String {
        self.road().target()
    }

    fn check_alive(&self) -> Option<BoxFuture<'static, bool>> {
        self.road().check_alive()
    }

    fn print<'a>(
        &'a self,
        menu: Menu,
        properties: &'static [&'static str],
    ) -> BoxFuture<'a, Result<Vec<Row>, RouterError>> {
        Box::pin(self.take(move |road| road.print(menu, properties)))
    }

    fn set<'a>(
        &'a self,
        menu: Menu,
        id: &'a RowId,
        property: &'static str,
        value: &'a str,
    ) -> BoxFuture<'a, Result<Row, RouterError>> {
        Box::pin(self.take(move |road| road.set(menu, id, property, value)))
    }

    fn find<'a>(
        &'a self,
        menu: Menu,
        property: &'static str,
        value: &'a str,
    ) -> BoxFuture<'a, Result<Vec<Row>, RouterError>> {
        Box::pin(self.take(move |road| road.find(menu, property, value)))
    }

    fn remove<'a>(
        &'a self,
        menu: Menu,
        ids: &'a [RowId],
    ) -> BoxFuture<'a, Result<(), RouterError>> {
        Box::pin(self.take(move |road| road.remove(menu, ids)))
    }

    fn ping<'a>(
        &'a self,
        address: IpAddr,
        from: &'a PingFrom,
        wait: Duration,
    ) -> BoxFuture<'a, Result<Pinged, RouterError>> {
        Box::pin(self.take(move |road| road.ping(address, from, wait)))
    }
}

#[cfg(test)]
mod tests;
