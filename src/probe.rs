//! Where delay is measured: one probe about every 50 ms per WAN, the reflectors taking turns.
//!
//! ```text
//!              Pace ──► Schedule ──► Probers ─► ICMP echo or timestamp (supervised sockets)
//!  (control loop says)     │ │         └─────► the router's pings, or TCP connects
//!                        Pool └──► RttSample ──► control
//! ```
//!
//! The [`Pool`] decides who is asked, [`Probers`] by what, and the [`Schedule`] when: it sends one
//! packet a turn, whatever it is for, so that its interval is also the budget.

mod clock_validation;
#[cfg(fuzzing)]
pub mod fuzzed;
mod icmp;
mod metrics;
mod pool;
mod prober_kind;
mod prober_selection;
mod probers;
mod reply_timeout;
mod route;
mod router;
mod schedule;
mod settings;
#[cfg(feature = "lab")]
pub mod simulated;
mod socket_health;
mod supervised;
mod tcp;

use std::{fmt, net::IpAddr, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;

pub use clock_validation::{ClockFault, ClockValidator, TimestampExchange};
pub use icmp::{IcmpError, IcmpProber};
pub use metrics::{ProbeFamilies, ProbeMetrics};
pub use pool::{Pool, PoolEvent, PoolParams, ReplacementReason};
pub use prober_kind::{ProberKind, ProberReason, ProberReport};
pub use probers::{ProberEntry, Probers};
pub use reply_timeout::ReplyTimeout;
pub use router::RouterProber;
pub use schedule::{Ends, Schedule};
pub use settings::{
    Bind, DEFAULT_ACTIVE, HOST_INTERVAL, IDLE_SLOWDOWN, Pace, ProbeConfig, ProbeMethodChoice,
};
pub use supervised::Supervised;
pub use tcp::TcpProber;

use wanctl_core::{PerDirection, ProbeOutcome, ReflectorId, units::Delay};

/// An address family of the Internet protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

impl Family {
    /// Both families.
    pub const ALL: [Self; 2] = [Self::V4, Self::V6];

    /// Returns the family of an address.
    #[must_use]
    pub const fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::V4,
            IpAddr::V6(_) => Self::V6,
        }
    }

    /// Returns the name used in messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::V4 => "IPv4",
            Self::V6 => "IPv6",
        }
    }
}

/// What a probe has brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeResult {
    /// What became of it.
    pub outcome: ProbeOutcome,
    /// The reply's one-way delays by the reflector's clock, if that is valid.
    pub one_way: Option<PerDirection<Delay>>,
    /// Why it could not be sent, in words that do not depend on the reflector.
    pub unsent: Option<String>,
}

impl ProbeResult {
    /// A probe that could not be sent, and why.
    #[must_use]
    pub fn unsent(reason: String) -> Self {
        Self { unsent: Some(reason), ..ProbeOutcome::Unsent.into() }
    }
}

impl From<ProbeOutcome> for ProbeResult {
    fn from(outcome: ProbeOutcome) -> Self {
        Self { outcome, one_way: None, unsent: None }
    }
}

/// Something that can ask a reflector how far away it is.
pub trait Prober: Send + Sync + fmt::Debug {
    /// Sends one probe and waits for its fate, at most `reply_timeout.longest`: a reply that comes
    /// after `reply_timeout.lost_after` is a reply. `sequence` is unique within the WAN. Several probes
    /// may be in flight at a time.
    fn probe(
        &self,
        reflector: ReflectorId,
        sequence: u64,
        reply_timeout: ReplyTimeout,
    ) -> BoxFuture<'_, ProbeResult>;

    /// Takes a turn for a packet of its own, if it needs one: to try another prober, or to validate
    /// the reflector's clock. The reflector is then not probed in this turn.
    fn background_task(
        self: Arc<Self>,
        reflector: ReflectorId,
        sequence: u64,
        reply_timeout: ReplyTimeout,
    ) -> Option<BoxFuture<'static, ()>> {
        let _ = (reflector, sequence, reply_timeout);
        None
    }

    /// Returns the least time between two probes that it can serve.
    fn least_interval(&self) -> Duration {
        Duration::ZERO
    }

    /// Returns whether there is a route to the reflector at present, as far as that can be known
    /// without a packet.
    fn reaches(&self, reflector: ReflectorId) -> bool {
        let _ = reflector;
        true
    }

    /// Returns whether a probe may be abandoned before its outcome; not if it is a request to the
    /// router.
    fn may_be_abandoned(&self) -> bool {
        true
    }

    /// Takes note of the reflectors that do not answer although others do, for the report.
    fn note_dead(&self, reflectors: &[ReflectorId]) {
        let _ = reflectors;
    }

    /// Returns the prober in use; `None` if there is no choice.
    fn report(&self) -> Option<ProberReport> {
        None
    }

    /// Returns whether the reflector's clock is used for one-way delays.
    fn measures_one_way(&self, reflector: ReflectorId) -> bool {
        let _ = reflector;
        false
    }
}
