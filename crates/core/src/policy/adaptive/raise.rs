//! Raises: how fast a rate grows while the shaper limits the traffic, and how far.

use crate::{
    estimate::{Capacity, Estimate, logarithm},
    params::AdaptiveParams,
    units::{BitRate, MonoTime},
};

/// A raise in progress.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Raise {
    /// Where it has come to; the rate follows in steps.
    aim: Option<BitRate>,
    stepped: Option<MonoTime>,
}

impl Raise {
    /// Forgets where the raise has come to, because the rate was cut.
    pub(super) fn stop(&mut self) {
        self.aim = None;
    }

    /// Returns the rate of the next step once it is due.
    pub(super) fn step(
        &mut self,
        estimate: &Estimate,
        ceiling: BitRate,
        params: &AdaptiveParams,
    ) -> Option<BitRate> {
        let (now, desired) = (estimate.now, estimate.desired);
        let aim = self.aim.filter(|aim| *aim > desired).unwrap_or(desired);
        let growth = growth(&estimate.capacity, aim, params) * estimate.dt.as_secs_f64();
        let aim = aim.scaled(growth.exp()).min(highest(estimate, params)).max(desired);
        self.aim = Some(aim);
        let is_early = self.stepped.is_some_and(|last| now.since(last) < params.raise_interval);
        if is_early || aim < desired.scaled(params.raise_step) && aim < ceiling {
            return None;
        }
        self.stepped = Some(now);
        Some(aim)
    }
}

/// Returns the growth per second of a rate at `at`.
fn growth(capacity: &Capacity, at: BitRate, params: &AdaptiveParams) -> f64 {
    let Some(known) = capacity.known else { return params.growth_climb };
    let is_beyond = capacity.is_passed && at >= known;
    let Some(expected) = capacity.expected().filter(|_| !is_beyond) else {
        // Just beyond an estimate, which may have erred by that much: carefully at first.
        let error = if capacity.is_below_proven { 0.0 } else { params.growth_near };
        let beyond = logarithm(at) - logarithm(known) - error;
        return (params.growth_confidence * beyond).clamp(params.growth_back, params.growth_climb);
    };
    let least = match capacity.is_below_proven {
        true if at < known => params.growth_back_below,
        true => params.growth_back,
        false => params.growth_least,
    };
    let doubt = params.growth_doubt / capacity.lifetime.as_secs_f64();
    let distance = (logarithm(at) - logarithm(expected)).abs();
    let pull = params.growth_pull * (distance - params.growth_near).max(0.0);
    (doubt.max(least) + pull).min(params.growth_max)
}

/// Returns the highest rate worth trying: somewhat beyond the estimate; without one, somewhat ahead
/// of the delivery rate.
fn highest(estimate: &Estimate, params: &AdaptiveParams) -> BitRate {
    let (capacity, load) = (&estimate.capacity, &estimate.load);
    if let Some(beyond) = beyond(capacity, params) {
        return beyond;
    }
    let delivered = load.delivery_rate.max(load.newest_delivery_rate).unwrap_or_default();
    let filled = match estimate.in_force {
        Some(in_force) if estimate.shaper_limited => in_force.max(delivered),
        Some(_) | None => delivered,
    };
    filled.scaled(params.lead).max(capacity.expected().unwrap_or_default())
}

/// Returns how far beyond the estimate a rate is tried.
fn beyond(capacity: &Capacity, params: &AdaptiveParams) -> Option<BitRate> {
    capacity.estimate()?;
    let more = (params.beyond_volatile - params.beyond) * capacity.volatility;
    Some(capacity.expected()?.scaled(params.beyond + more))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{estimate::capacity::CapacityEstimate, policy::fixture::mbps};

    const PROOF_TIME: Duration = Duration::from_millis(250);

    fn at(millis: u64) -> MonoTime {
        MonoTime::from_millis(millis)
    }

    fn speed(capacity: &CapacityEstimate, millis: u64, rate: f64) -> f64 {
        growth(&capacity.at(at(millis)), mbps(rate), &AdaptiveParams::default())
    }

    #[test]
    fn a_rate_below_a_proven_one_grows_faster() {
        let mut low = CapacityEstimate::default();
        low.queue_stood(at(1000), mbps(20.0));
        let mut proven = CapacityEstimate::default();
        proven.no_queue_stood(at(0), mbps(50.0), PROOF_TIME);
        proven.queue_stood(at(1000), mbps(20.0));
        assert_eq!(proven.proven(at(1000)), Some(mbps(50.0)));
        assert!(speed(&proven, 2000, 19.8) > 2.0 * speed(&low, 2000, 19.8));
        let later = 1000 + 6 * 60_000;
        assert!(speed(&proven, later, 19.8) <= speed(&low, later, 19.8), "long ago");
    }

    #[test]
    fn a_rate_near_an_estimate_that_lasts_grows_ever_more_slowly() {
        let mut capacity = CapacityEstimate::default();
        capacity.queue_stood(at(0), mbps(20.0));
        let young = speed(&capacity, 1000, 19.8);
        capacity.queue_stood(at(30_000), mbps(19.5));
        let old = speed(&capacity, 31_000, 19.5);
        assert!(old < young, "{old} {young}");
        assert!(capacity.at(at(31_000)).volatility < 0.05);
    }

    #[test]
    fn a_volatile_estimate_is_exceeded_by_much_more_than_a_tenth() {
        let mut capacity = CapacityEstimate::default();
        for (n, rate) in [30.0, 9.0, 22.0, 4.0, 16.0, 8.0, 20.0, 5.0].into_iter().enumerate() {
            capacity.queue_stood(at(n as u64 * 300), mbps(rate));
        }
        let known = capacity.at(at(2200));
        assert!(known.volatility > 0.3, "{}", known.volatility);
        assert!(beyond(&known, &AdaptiveParams::default()) > Some(mbps(6.0)));
        for _ in 0..80 {
            capacity.filled(Duration::from_millis(50), mbps(15.0));
        }
        let expected = capacity.at(at(2200)).expected();
        assert!(expected > Some(mbps(7.0)), "the typical rate is the better guess");
    }
}
