//! What a simulated WAN is like.

use std::time::Duration;

use wanctl_core::{PerDirection, units::BitRate};

use super::fifo::Discipline;
use crate::{
    capacity::{Capacity, Shape},
    trace::Trace,
    traffic::Traffic,
};

/// Where a direction's capacity comes from.
#[derive(Debug, Clone)]
pub enum Supply {
    /// It moves around the nominal rate.
    Shape(Shape),
    /// It is what a trace says.
    Trace(Trace),
}

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

/// The way that the controller's probes take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProbePath {
    /// Through the provider's buffers, like everything.
    Shared,
    /// Past them: the probes see no queue (a provider that prefers ICMP).
    Bypass,
}

/// What a simulated WAN is like.
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
    /// Whether every second reflector tells the time, so that the ways can be told apart.
    pub timestamps: bool,
    /// The way that probes take.
    pub probes: ProbePath,
    /// Size of the provider's buffers.
    pub buffer: PerDirection<Buffer>,
    /// What they drop when they are full.
    pub discipline: Discipline,
    /// Whether the shapers mark instead of dropping: whether the flows speak ECN.
    pub ecn: bool,
    /// Who wants how much.
    pub traffic: Traffic,
    /// Who comes from another link while that is left.
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
            discipline: Discipline::DropTail,
            ecn: false,
            traffic: Traffic::new(Vec::new()),
            displaced: Traffic::new(Vec::new()),
            seed: 0,
        }
    }
}

/// Random shapes move this often; anything faster is noise of no consequence.
const GRAIN: Duration = Duration::from_millis(10);
/// The least capacity, so that the arithmetic stays finite: a byte every eight seconds.
const LEAST: f64 = 0.125;

/// A direction's true capacity as time passes.
#[derive(Debug, Clone)]
pub(super) enum Source {
    Steady(f64),
    Moving { capacity: Capacity, now: f64, at: Duration, grain: Duration },
    Trace { trace: Trace, now: f64 },
}

impl Source {
    pub(super) fn new(supply: Supply, nominal: BitRate, seed: u64) -> Self {
        match supply {
            Supply::Shape(Shape::Steady) => Self::Steady(nominal.bytes_per_second().max(LEAST)),
            Supply::Shape(shape) => {
                let grain = if matches!(shape, Shape::Steps(_)) { Duration::ZERO } else { GRAIN };
                let mut capacity = Capacity::new(nominal, shape, seed);
                let now = capacity.advance(Duration::ZERO).bytes_per_second();
                Self::Moving { capacity, now, at: Duration::ZERO, grain }
            }
            Supply::Trace(trace) => {
                let now = trace.rate_at(Duration::ZERO).bytes_per_second().max(LEAST);
                Self::Trace { trace, now }
            }
        }
    }

    /// Moves on to the time `at`.
    pub(super) fn advance(&mut self, to: Duration) {
        match self {
            Self::Steady(_) => {}
            Self::Moving { capacity, now, at, grain } => {
                let passed = to.saturating_sub(*at);
                if passed > Duration::ZERO && passed >= *grain {
                    *now = capacity.advance(passed).bytes_per_second();
                    *at = to;
                }
            }
            Self::Trace { trace, now } => {
                *now = trace.rate_at(to).bytes_per_second().max(LEAST);
            }
        }
    }

    /// Returns the capacity in bytes per second; never zero.
    pub(super) fn now(&self) -> f64 {
        match self {
            Self::Steady(now) | Self::Moving { now, .. } | Self::Trace { now, .. } => *now,
        }
    }
}
