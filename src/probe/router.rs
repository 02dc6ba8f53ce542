//! Echo requests that the router sends for us: for hosts that may not send any themselves, and
//! for measuring from where the queue is.
//!
//! The router serves one request of a user at a time, so there is one such probe in flight and
//! the others are not sent; a schedule for it is slow (100 ms or more).

use std::{
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};

use futures_util::future::BoxFuture;
use tokio::sync::Mutex;
use wanctl_core::{ProbeOutcome, ReflectorId};

use super::{Bind, ProbeConfig, ProbeResult, Prober, ReplyTimeout};
use crate::router::{PingFrom, Pinged, Pinger};

/// Least time between two pings: each is a request of its own, and takes as long as the ping.
const LEAST_INTERVAL: Duration = Duration::from_millis(100);

/// How long the answer to a ping after a lost one is waited for. Not longer, because the router
/// serves no other ping of its user meanwhile, those of another WAN among them.
const LONG: Duration = Duration::from_millis(2500);

/// Probes the reflectors of one WAN from its router.
#[derive(Debug)]
pub struct RouterProber {
    router: Arc<dyn Pinger>,
    reflectors: Vec<IpAddr>,
    from: PingFrom,
    turn: Mutex<()>,
    /// Pings in a row that were lost.
    lost: AtomicU32,
    /// How long an answer is waited for at most.
    longest: Duration,
}

impl RouterProber {
    /// Prepares probes as configured; `source` and `interface` are the router's.
    #[must_use]
    pub fn new(router: Arc<dyn Pinger>, config: &ProbeConfig) -> Self {
        Self {
            from: PingFrom::from(&config.bind),
            longest: router.longest_wait().min(LONG),
            router,
            reflectors: config.reflectors.clone(),
            turn: Mutex::default(),
            lost: AtomicU32::new(0),
        }
    }
}

impl From<&Bind> for PingFrom {
    fn from(bind: &Bind) -> Self {
        match bind {
            Bind::Any => Self::default(),
            Bind::Source(source) => Self { source: Some(*source), interface: None },
            Bind::Interface(name) => Self { source: None, interface: Some(name.clone()) },
        }
    }
}

impl Prober for RouterProber {
    fn probe(
        &self,
        reflector: ReflectorId,
        _sequence: u64,
        reply_timeout: ReplyTimeout,
    ) -> BoxFuture<'_, ProbeResult> {
        Box::pin(async move {
            let (Ok(_turn), Some(address)) =
                (self.turn.try_lock(), self.reflectors.get(usize::from(reflector.0)))
            else {
                return ProbeOutcome::Unsent.into();
            };
            // The router takes no late replies, so every other one is waited for longer: what
            // comes through a deep queue is late, not lost.
            let is_long = self.lost.load(Relaxed) % 2 == 1;
            let least = if is_long { self.longest } else { Duration::ZERO };
            let wait = reply_timeout.lost_after.min(self.longest).max(least);
            let pinged = self.router.ping(*address, &self.from, wait).await;
            match pinged {
                Ok(Pinged::Lost) => self.lost.fetch_add(1, Relaxed),
                Ok(Pinged::Reply(_) | Pinged::Refused(_)) | Err(_) => self.lost.swap(0, Relaxed),
            };
            match pinged {
                Ok(Pinged::Reply(rtt)) => ProbeOutcome::Reply(rtt).into(),
                Ok(Pinged::Lost) => ProbeOutcome::Lost.into(),
                Ok(Pinged::Refused(words)) => {
                    ProbeResult::unsent(format!("the router cannot send them: {words}"))
                }
                Err(error) => ProbeResult::unsent(error.to_string()),
            }
        })
    }

    fn may_be_abandoned(&self) -> bool {
        false
    }

    fn least_interval(&self) -> Duration {
        LEAST_INTERVAL
    }
}
