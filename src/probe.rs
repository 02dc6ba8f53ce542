//! Where delay is measured: one probe about every 50 ms per WAN, the reflectors taking turns.
//!
//! ```text
//!              Pace ──► Schedule ──► Roads ──► ICMP echo or timestamp (supervised sockets)
//!  (control loop says)     │ │         └─────► the router's pings, or TCP connects
//!                        Pool └──► RttSample ──► control
//! ```
//!
//! The [`Pool`] decides who is asked, [`Roads`] by what, and the [`Schedule`] when: it sends one
//! packet a turn, whatever it is for, so that its interval is also the budget.

mod choice;
mod icmp;
mod metrics;
mod one_way;
mod pace;
mod pool;
mod reopening;
mod road;
mod roads;
mod router;
mod schedule;
mod supervised;
mod tcp;
mod timestamp;

use std::{fmt, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;

pub use icmp::{IcmpError, IcmpProber};
pub use metrics::{ProbeFamilies, ProbeMetrics};
pub use one_way::{Judge, Lie, Stamps};
pub use pace::Pace;
pub use pool::{Fault, Pool, PoolEvent, PoolParams};
pub use road::{Road, RoadReason, RoadReport};
pub use roads::{Roads, Way};
pub use router::RouterProber;
pub use schedule::{Ends, Schedule};
pub use supervised::Supervised;
pub use tcp::TcpProber;

use crate::{
    control::{PerDirection, ProbeOutcome, ReflectorId},
    units::Delay,
};

/// What a probe has brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// What became of it.
    pub outcome: ProbeOutcome,
    /// The reply's way in either direction by the reflector's clock, if it told a sane one.
    pub one_way: Option<PerDirection<Delay>>,
}

impl From<ProbeOutcome> for Answer {
    fn from(outcome: ProbeOutcome) -> Self {
        Self { outcome, one_way: None }
    }
}

/// Something that can ask a reflector how far away it is.
pub trait Prober: Send + Sync + fmt::Debug {
    /// Sends one probe and waits for its fate, at most `timeout`. `sequence` is unique within the
    /// WAN. Several probes may be under way at a time.
    fn probe(
        &self,
        reflector: ReflectorId,
        sequence: u64,
        timeout: Duration,
    ) -> BoxFuture<'_, Answer>;

    /// Takes a turn for a packet of its own, if it needs one: to try another road, or whether
    /// the reflector's clock is sane. The reflector is then not probed in this turn.
    fn errand(
        self: Arc<Self>,
        reflector: ReflectorId,
        sequence: u64,
        timeout: Duration,
    ) -> Option<BoxFuture<'static, ()>> {
        let _ = (reflector, sequence, timeout);
        None
    }

    /// Returns the least time between two probes that it can serve.
    fn least_interval(&self) -> Duration {
        Duration::ZERO
    }

    /// Tells by which road it asks; `None` if there are no roads to choose from.
    fn report(&self) -> Option<RoadReport> {
        None
    }

    /// Tells whether the reflector's clock is trusted to tell the directions apart.
    fn tells_directions(&self, reflector: ReflectorId) -> bool {
        let _ = reflector;
        false
    }
}
