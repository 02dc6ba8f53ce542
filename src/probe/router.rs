//! Echo requests that the router sends for us: for hosts that may not send any themselves, and
//! for measuring from where the queue is.
//!
//! The router serves one request of a user at a time, so there is one such probe under way and
//! the others are not sent; a schedule for it is slow (100 ms or more).

use std::{net::IpAddr, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use tokio::sync::Mutex;

use super::{Answer, Prober};
use crate::{
    config::ProbeConfig,
    control::{ProbeOutcome, ReflectorId},
    router::routeros::{PingFrom, RouterOs},
};

/// Least time between two pings: each is a request of its own, and takes as long as the ping.
const LEAST_INTERVAL: Duration = Duration::from_millis(100);

/// Probes the reflectors of one WAN from its router.
#[derive(Debug)]
pub struct RouterProber {
    router: Arc<RouterOs>,
    reflectors: Vec<IpAddr>,
    from: PingFrom,
    turn: Mutex<()>,
}

impl RouterProber {
    /// Prepares probes as configured; `source` and `interface` are the router's.
    #[must_use]
    pub fn new(router: Arc<RouterOs>, config: &ProbeConfig) -> Self {
        let from = PingFrom::of(&config.bind);
        Self { router, reflectors: config.reflectors.clone(), from, turn: Mutex::default() }
    }
}

impl Prober for RouterProber {
    fn probe(
        &self,
        reflector: ReflectorId,
        _sequence: u64,
        timeout: Duration,
    ) -> BoxFuture<'_, Answer> {
        Box::pin(async move {
            let (Ok(_turn), Some(address)) =
                (self.turn.try_lock(), self.reflectors.get(usize::from(reflector.0)))
            else {
                return ProbeOutcome::Unsent.into();
            };
            let outcome = match self.router.ping(*address, &self.from).await {
                Ok(Some(rtt)) if rtt <= timeout.into() => ProbeOutcome::Reply(rtt),
                Ok(_) => ProbeOutcome::Lost,
                Err(_) => ProbeOutcome::Unsent,
            };
            outcome.into()
        })
    }

    fn least_interval(&self) -> Duration {
        LEAST_INTERVAL
    }
}
