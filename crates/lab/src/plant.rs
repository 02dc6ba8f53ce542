//! What the queues of an emulated router are made of.

use wanctl_core::units::BitRate;

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
///
/// A queue tree is known by its name. A simple queue shapes two ways at once; each is a queue of
/// its own here, named as [`QueueHalf::of`] says.
pub trait Plant: Send + Sync + std::fmt::Debug {
    /// Puts `limit` in force on the queue named `queue`; zero means unlimited. A name that the
    /// plant does not know is ignored: RouterOS has queues that shape nothing, too.
    fn set_limit(&self, queue: &str, limit: BitRate);

    /// Reads the counters of the queue named `queue`; all zero for one it does not know.
    fn reading(&self, queue: &str) -> PlantReading;

    /// Sends traffic by these gateways from now on; a plant without several ways has nothing to do.
    fn route(&self, _egress: &Egress) {}
}

/// The gateways that traffic takes, as routes name them; none where no route leads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Egress {
    /// That of new latency-sensitive connections.
    pub sensitive: Option<String>,
    /// That of all other traffic.
    pub default_route: Option<String>,
}

/// One of the two ways through a simple queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QueueHalf {
    /// Towards the internet.
    Upload,
    /// From the internet.
    Download,
}

impl QueueHalf {
    /// Returns the name by which a plant knows this side of the simple queue named `queue`.
    #[must_use]
    pub fn of(self, queue: &str) -> String {
        match self {
            Self::Upload => format!("{queue}/upload"),
            Self::Download => format!("{queue}/download"),
        }
    }

    /// Returns the other side.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Upload => Self::Download,
            Self::Download => Self::Upload,
        }
    }
}
