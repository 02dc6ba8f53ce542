//! What a rate does when nobody asks for more, or nobody can see.

use std::{cmp::Ordering, time::Duration};

use super::{
    LawInput, RateDecision, Reason,
    hold::{hold, no_raise},
};
use crate::{
    params::AdaptiveParams,
    units::{BitRate, MonoTime},
};

/// A rate on its way to the base rate.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Rest {
    /// Since when the next step has been coming.
    since: MonoTime,
    /// When the way was last followed.
    followed: Option<MonoTime>,
}

impl Rest {
    /// Goes to the base rate, at ease.
    pub(super) fn towards_base(
        &mut self,
        input: &LawInput,
        params: &AdaptiveParams,
    ) -> RateDecision {
        let rate = self.glide(input, params.decay_tau, params);
        if let Some(reason) = no_raise(input, params.raise_ahead).filter(|_| rate > input.current) {
            return hold(input, reason);
        }
        let reason = match rate.cmp(&input.current) {
            Ordering::Greater => Reason::DecayUp,
            Ordering::Less => Reason::DecayDown,
            Ordering::Equal => Reason::HoldApplicationLimited,
        };
        RateDecision { rate, reason }
    }

    /// Goes down to the base rate, if the rate is above it.
    pub(super) fn downwards(&mut self, input: &LawInput, params: &AdaptiveParams) -> BitRate {
        if input.current > input.limits.base {
            self.glide(input, params.decay_tau_no_signal, params)
        } else {
            input.current
        }
    }

    /// One step of an exponential approach, once it is due.
    fn glide(&mut self, input: &LawInput, tau: Duration, params: &AdaptiveParams) -> BitRate {
        if self.followed.is_none_or(|at| input.now.since(at) > params.decay_gap) {
            self.since = input.now;
        }
        self.followed = Some(input.now);
        let (current, base) = (input.current.bps() as f64, input.limits.base.bps() as f64);
        let passed = input.now.since(self.since).as_secs_f64() / tau.as_secs_f64();
        let left = base - current;
        // The last step is taken whole, so that the approach ends.
        if left.abs() <= base * params.decay_step && passed >= params.decay_last {
            return input.limits.base;
        }
        let step = left * (1.0 - (-passed).exp());
        if step.abs() < base * params.decay_step {
            return input.current;
        }
        self.since = input.now;
        BitRate::from_bps(1).scaled(current + step)
    }
}
