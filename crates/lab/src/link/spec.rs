//! The parameters of a simulated WAN.

use std::time::Duration;

use wanctl_core::{PerDirection, units::BitRate};

use super::supply::{Shape, Supply};
use crate::traffic::Traffic;

/// The size of a provider's buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Buffer {
    /// So many bytes.
    Bytes(u32),
    /// What the nominal rate carries in this time.
    Time(Duration),
}

impl Buffer {
    pub(super) fn bytes(self, nominal: BitRate) -> f64 {
        match self {
            Self::Bytes(bytes) => f64::from(bytes),
            Self::Time(time) => nominal.bytes_per_second() * time.as_secs_f64(),
        }
    }
}

/// The path of the controller's probes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProbePath {
    /// Through the provider's buffers, like everything.
    Shared,
    /// Past them: the probes see no queue (a provider that prefers ICMP).
    Bypass,
}

/// The parameters of a simulated WAN.
#[derive(Debug, Clone)]
pub struct LinkSpec {
    /// Nominal capacity, download and upload.
    pub nominal: PerDirection<BitRate>,
    /// The true capacity.
    pub supply: PerDirection<Supply>,
    /// Round-trip time of the empty link.
    pub base_rtt: Duration,
    /// Moments from which on it is another one; ascending.
    pub base_rtt_steps: Vec<(Duration, Duration)>,
    /// Mean of the exponentially distributed extra delay of each probe.
    pub jitter: Duration,
    /// Share of probes lost for no reason, 0 to 1.
    pub loss: f64,
    /// Whether every second reflector answers timestamp requests, so that one-way delays are known.
    pub timestamps: bool,
    /// The path of probes.
    pub probes: ProbePath,
    /// Size of the provider's buffers.
    pub buffer: PerDirection<Buffer>,
    /// Demand of its own users.
    pub traffic: Traffic,
    /// Demand of users displaced from another link.
    pub displaced: Traffic,
    /// Equal seeds give equal links.
    pub seed: u64,
}

impl LinkSpec {
    /// Returns a plain link: a capacity that never moves, 20 ms of round trip, drop-tail buffers
    /// of 100 ms, probes without jitter or loss, and nobody there.
    #[must_use]
    pub fn steady(nominal: PerDirection<BitRate>) -> Self {
        let buffer = Buffer::Time(Duration::from_millis(100));
        Self {
            nominal,
            supply: PerDirection::build(|_| Supply::Shape(Shape::Steady)),
            base_rtt: Duration::from_millis(20),
            base_rtt_steps: Vec::new(),
            jitter: Duration::ZERO,
            loss: 0.0,
            timestamps: false,
            probes: ProbePath::Shared,
            buffer: PerDirection { download: buffer, upload: buffer },
            traffic: Traffic::new(Vec::new()),
            displaced: Traffic::new(Vec::new()),
            seed: 0,
        }
    }
}
