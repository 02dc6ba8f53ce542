//! What the queues of an emulated router are made of.

use crate::units::BitRate;

/// Cumulative counters and gauges of one queue, as its plant knows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PlantReading {
    /// Bytes sent.
    pub bytes: u64,
    /// Packets sent.
    pub packets: u64,
    /// Packets dropped.
    pub dropped: u64,
    /// Bytes waiting.
    pub backlog_bytes: u64,
    /// Packets waiting.
    pub backlog_packets: u64,
}

/// The world behind an emulated router: where a queue's limit takes effect.
pub trait Plant: Send + Sync + std::fmt::Debug {
    /// Puts `limit` in force on the queue named `queue`; zero means unlimited. A name that the
    /// plant does not know is ignored: RouterOS has queues that shape nothing, too.
    fn set_limit(&self, queue: &str, limit: BitRate);

    /// Reads the counters of the queue named `queue`; all zero for one it does not know.
    fn reading(&self, queue: &str) -> PlantReading;
}
