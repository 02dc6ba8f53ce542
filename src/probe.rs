//! Where delay is measured: one probe about every 50 ms per WAN, the reflectors taking turns.

mod icmp;
mod router;
mod schedule;

use std::{fmt, time::Duration};

use futures_util::future::BoxFuture;

pub use icmp::{IcmpError, IcmpProber};
pub use router::RouterProber;
pub use schedule::Schedule;

use crate::control::{ProbeOutcome, ReflectorId};

/// Something that can ask a reflector how far away it is.
pub trait Prober: Send + Sync + fmt::Debug {
    /// Sends one probe and waits for its fate, at most `timeout`. `sequence` is unique within the
    /// WAN. Several probes may be under way at a time.
    fn probe(
        &self,
        reflector: ReflectorId,
        sequence: u64,
        timeout: Duration,
    ) -> BoxFuture<'_, ProbeOutcome>;
}
