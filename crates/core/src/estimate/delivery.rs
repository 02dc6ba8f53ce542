//! What the delivery rate says about the bottleneck.
//!
//! A download is counted behind the provider's queue: while a queue stands, its delivery rate is the
//! capacity. An upload is counted before that queue, so its capacity follows from the delivery rate
//! and from the growth of the delay.

use super::Observation;
use crate::{Direction, params::DeliveryParams, units::BitRate};

impl Observation {
    /// Returns the limit in force; the desired rate if that is not known.
    pub(crate) fn enforced(&self) -> BitRate {
        self.in_force.unwrap_or(self.desired)
    }

    /// Returns whether the shaper limits the traffic, or nearly does.
    pub(super) fn is_filled(&self, params: &DeliveryParams) -> bool {
        let filled = self.enforced().scaled(params.filled);
        self.shaper_limited || self.load.newest_delivery_rate.is_some_and(|rate| rate >= filled)
    }

    /// Returns whether `share` of the limit in force is used.
    pub(super) fn uses(&self, share: f64) -> bool {
        let rate = self.load.newest_delivery_rate.unwrap_or_default();
        self.shaper_limited || rate >= self.enforced().scaled(share)
    }

    /// Returns whether a download delivers less than its shaper allows: what limits it lies behind
    /// the shaper.
    pub(super) fn falls_short(&self, params: &DeliveryParams) -> bool {
        let full = self.enforced().scaled(params.full);
        let is_short = self.load.newest_delivery_rate.is_some_and(|rate| rate < full);
        self.direction == Direction::Download && is_short && !self.shaper_limited
    }

    /// Returns what the bottleneck carries if a queue stands that `rate` has made. A new queue of
    /// an upload (`is_rush`) may grow by more than its delivery rate.
    pub(super) fn capacity(
        &self,
        rate: BitRate,
        is_rush: bool,
        params: &DeliveryParams,
    ) -> BitRate {
        let in_force = self.enforced().min(rate);
        let delivered = self.load.newest_delivery_rate.unwrap_or(in_force).min(in_force);
        let is_filled = delivered >= in_force.scaled(params.full) || self.shaper_limited;
        let (passed, max_growth) = match self.direction {
            Direction::Download if !is_filled => return delivered,
            // Without a reading since, the delivery rate may have fallen unnoticed.
            Direction::Download if !self.has_fresh_counters => (in_force, params.rush),
            Direction::Download => (in_force, params.overshoot),
            Direction::Upload if is_rush => (delivered, params.rush),
            Direction::Upload => (delivered, params.overshoot),
        };
        // The queue grows by what exceeds the capacity.
        let growth = self.queue.map_or(0.0, |queue| queue.growth);
        passed.scaled(1.0 / (1.0 + growth.clamp(0.0, max_growth)))
    }
}
