//! What a rate does when nobody asks for more, or nobody can see.

use std::{cmp::Ordering, time::Duration};

use super::{
    LawInput, Reason, Verdict,
    hold::{hold, no_raise},
};
use crate::units::{BitRate, MonoTime};

/// Time constant of the way back to the base rate without demand: slow enough for a pause in a
/// transfer, quick enough that the next one does not meet a rate of another hour.
const REST_TAU: Duration = Duration::from_secs(20);
/// Time constant of the way down to the base rate while traffic flows unseen.
const UNSEEN_TAU: Duration = Duration::from_secs(5);
/// The way is made in steps of this share of the base rate, so that they are worth their writes.
const STEP: f64 = 0.05;
/// After this many time constants the last step is made.
const LAST_STEP: f64 = 0.5;
/// A way that was not followed for this long begins anew: work in between was no rest.
const PAUSE: Duration = Duration::from_secs(1);

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
    pub(super) fn towards_base(&mut self, input: &LawInput) -> Verdict {
        let rate = self.glide(input, REST_TAU);
        if let Some(reason) = no_raise(input).filter(|_| rate > input.current) {
            return hold(input, reason);
        }
        let reason = match rate.cmp(&input.current) {
            Ordering::Greater => Reason::GlideUp,
            Ordering::Less => Reason::GlideDown,
            Ordering::Equal => Reason::HoldNoDemand,
        };
        Verdict { rate, reason }
    }

    /// Goes down to the base rate, if the rate is above it.
    pub(super) fn downwards(&mut self, input: &LawInput) -> BitRate {
        if input.current > input.limits.base {
            self.glide(input, UNSEEN_TAU)
        } else {
            input.current
        }
    }

    /// One step of an exponential approach, once it is due.
    fn glide(&mut self, input: &LawInput, tau: Duration) -> BitRate {
        if self.followed.is_none_or(|at| input.now.since(at) > PAUSE) {
            self.since = input.now;
        }
        self.followed = Some(input.now);
        let (current, base) = (input.current.bps() as f64, input.limits.base.bps() as f64);
        let passed = input.now.since(self.since).as_secs_f64() / tau.as_secs_f64();
        let left = base - current;
        // The last step is taken whole, so that the approach ends.
        if left.abs() <= base * STEP && passed >= LAST_STEP {
            return input.limits.base;
        }
        let step = left * (1.0 - (-passed).exp());
        if step.abs() < base * STEP {
            return input.current;
        }
        self.since = input.now;
        BitRate::from_bps(1).scaled(current + step)
    }
}
