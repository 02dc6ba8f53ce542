//! Idle decay: towards the base rate without demand, and down to it without a delay signal.

use std::time::Duration;

use crate::{
    estimate::Estimate,
    params::AdaptiveParams,
    units::{BitRate, MonoTime},
};

/// A decay in progress.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct IdleDecay {
    /// When the last step was made.
    stepped: MonoTime,
    /// When the decay was last continued.
    continued: Option<MonoTime>,
}

impl IdleDecay {
    /// Returns the rate on the way from `rate` to `base`: an exponential approach in steps that are
    /// worth their writes.
    pub(super) fn step(
        &mut self,
        now: MonoTime,
        (rate, base): (BitRate, BitRate),
        tau: Duration,
        params: &AdaptiveParams,
    ) -> BitRate {
        if self.continued.is_none_or(|at| now.since(at) > params.decay_gap) {
            self.stepped = now;
        }
        self.continued = Some(now);
        let (from, to) = (rate.bps() as f64, base.bps() as f64);
        let passed = now.since(self.stepped).as_secs_f64() / tau.as_secs_f64();
        let distance = to - from;
        // The last step is whole, so that the approach ends.
        if distance.abs() <= to * params.decay_step && passed >= params.decay_last {
            return base;
        }
        let step = distance * (1.0 - (-passed).exp());
        if step.abs() < to * params.decay_step {
            return rate;
        }
        self.stepped = now;
        BitRate::from_bps(1).scaled(from + step)
    }

    /// Returns the rate without a delay signal: no higher than a rate that was proven with one or
    /// the base rate, and from there down to the base rate.
    pub(super) fn without_signal(
        &mut self,
        estimate: &Estimate,
        base: BitRate,
        params: &AdaptiveParams,
    ) -> BitRate {
        let proven = estimate.capacity.proven.unwrap_or(base).max(base);
        let rate = estimate.desired.min(proven);
        if rate <= base {
            return rate;
        }
        self.step(estimate.now, (rate, base), params.decay_tau_no_signal, params)
    }
}
