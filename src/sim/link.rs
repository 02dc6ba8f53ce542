//! A simulated WAN: two directions, a base delay, jitter, and probes that share its queues.

use std::time::Duration;

use fastrand::Rng;

use super::{
    capacity::{Capacity, Shape, uniform},
    path::Path,
    plant::PlantReading,
    traffic::Traffic,
};
use crate::{
    control::{Direction, PerDirection, ProbeOutcome},
    units::{BitRate, Delay},
};

/// Longest step of the fluid model: short against any delay that matters.
const STEP: Duration = Duration::from_millis(5);
/// Acknowledgements take about this share of the opposite direction's bytes.
const ACK_SHARE: f64 = 0.02;

/// What a simulated WAN is like.
#[derive(Debug, Clone)]
pub struct LinkSpec {
    /// Nominal capacity, download and upload.
    pub nominal: PerDirection<BitRate>,
    /// How the capacity moves.
    pub shape: Shape,
    /// Round-trip time of the empty link.
    pub base_rtt: Duration,
    /// Mean of the exponentially distributed extra delay of each probe.
    pub jitter: Duration,
    /// Share of probes lost for no reason, 0 to 1.
    pub loss: f64,
    /// Size of the provider's buffers in bytes.
    pub buffer: PerDirection<u32>,
    /// Who wants how much.
    pub traffic: Traffic,
    /// Equal seeds give equal links.
    pub seed: u64,
}

/// A simulated WAN.
#[derive(Debug, Clone)]
pub struct Link {
    base_rtt: Duration,
    jitter: Duration,
    loss: f64,
    traffic: Traffic,
    paths: PerDirection<Path>,
    /// Bytes carried in the last step, for the acknowledgements they cause.
    carried: PerDirection<f64>,
    now: Duration,
    rng: Rng,
}

impl Link {
    /// Creates an empty link at time zero, without shapers.
    #[must_use]
    pub fn new(spec: LinkSpec) -> Self {
        let LinkSpec { nominal, shape, base_rtt, jitter, loss, buffer, traffic, seed } = spec;
        let paths = PerDirection::build(|direction| {
            let seed = seed.wrapping_mul(2) + u64::from(direction == Direction::Upload);
            let capacity = Capacity::new(nominal[direction], shape.clone(), seed);
            Path::new(direction, capacity, buffer[direction])
        });
        Self {
            base_rtt,
            jitter,
            loss,
            traffic,
            paths,
            carried: PerDirection::default(),
            now: Duration::ZERO,
            rng: Rng::with_seed(seed),
        }
    }

    /// Moves on to `now`; a time that has passed changes nothing.
    pub fn advance_to(&mut self, now: Duration) {
        while self.now < now {
            let dt = STEP.min(now.saturating_sub(self.now));
            self.now += dt;
            let before = self.carried;
            for direction in Direction::ALL {
                let acks = before[direction.other()] * ACK_SHARE;
                let demand = self.traffic.demand(self.now, direction);
                self.carried[direction] =
                    self.paths[direction].step(dt, self.base_rtt, demand, acks);
            }
        }
    }

    /// Sets the rate of a direction's shaper; zero removes it.
    pub fn set_limit(&mut self, direction: Direction, limit: BitRate) {
        self.paths[direction].set_limit(limit);
    }

    /// Reads a direction's shaper.
    #[must_use]
    pub fn reading(&self, direction: Direction) -> PlantReading {
        self.paths[direction].reading()
    }

    /// Returns a direction's true capacity, which no controller may ask for.
    #[must_use]
    pub fn capacity(&self, direction: Direction) -> BitRate {
        self.paths[direction].capacity()
    }

    /// Returns the delay of both provider buffers together: what the controller ought to keep low.
    #[must_use]
    pub fn queue_delay(&self) -> Delay {
        let seconds: f64 = self.paths.each().iter().map(|(_, path)| path.provider_delay()).sum();
        Delay::from_millis_f64(seconds * 1000.0)
    }

    /// Sends a probe to a reflector `further` away than the base round-trip time and returns its
    /// fate. A probe is sparse traffic: it waits in the provider's buffers, not in the shaper's,
    /// where it has a queue of its own.
    pub fn probe(&mut self, further: Duration) -> ProbeOutcome {
        let overflow =
            self.paths.each().iter().map(|(_, path)| path.overflow()).fold(0.0, f64::max);
        if self.rng.f64() < self.loss.max(overflow) {
            return ProbeOutcome::Lost;
        }
        let unlucky = -(1.0 - uniform(&mut self.rng, 0.0..1.0)).ln();
        let jitter = Delay::from(self.jitter).scaled(unlucky);
        ProbeOutcome::Reply(
            Delay::from(self.base_rtt) + Delay::from(further) + self.queue_delay() + jitter,
        )
    }
}
