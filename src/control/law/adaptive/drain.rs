//! A queue that a cut lets drain, and when that should be over.

use std::time::Duration;

use super::KEEP;
use crate::units::{BitRate, Delay, MonoTime};

/// Share of the capacity that is left to the traffic while a small queue drains.
const GENTLE: f64 = 0.95;
/// Share left while a deep one drains: below it transfers lose more than the queue costs.
const FIRM: f64 = 0.7;
/// A queue of this depth takes the whole rate to be gone at once; each share of it, that share.
const WHOLE: Duration = Duration::from_millis(600);
/// No queue takes longer: what stands after this is another one.
const LONGEST: Duration = Duration::from_secs(2);
/// Three replies, to see that it is gone.
pub(super) const SETTLE: Duration = Duration::from_millis(150);
/// What stood before a cut may look this much deeper before the cut shows.
const WORSE: f64 = 1.5;
const WORSE_BY: Delay = Delay::from_micros(8_000);
/// A queue that a drain has left at this share of its depth at least, and not let grow beyond the
/// other, was not touched by it.
const UNTOUCHED: std::ops::RangeInclusive<f64> = 0.6..=1.3;

#[derive(Debug, Clone, Copy)]
pub(super) struct Drain {
    /// The rate while it drains.
    pub(super) rate: BitRate,
    /// The rate to go on with when it is gone.
    pub(super) then: BitRate,
    depth: Delay,
    takes: Duration,
    /// Not known until the cut is in force.
    until: Option<MonoTime>,
}

impl Drain {
    /// Plans how a queue of `depth` leaves a link of `capacity`, to go on just under `bound`.
    pub(super) fn of(depth: Delay, capacity: BitRate, bound: BitRate) -> Self {
        let share = (GENTLE - depth.seconds() / WHOLE.as_secs_f64()).clamp(FIRM, GENTLE);
        let takes = Duration::from_secs_f64(depth.seconds().max(0.0) / (1.0 - share)).min(LONGEST);
        let rate = capacity.scaled(share);
        Self { rate, then: bound.scaled(KEEP), depth, takes, until: None }
    }

    /// The same at `rate`, below which nothing goes.
    pub(super) fn at_floor(depth: Delay, rate: BitRate) -> Self {
        Self { rate, then: rate, ..Self::of(depth, rate, rate) }
    }

    /// The cut has come into force.
    pub(super) fn begin(self, now: MonoTime, path: Duration) -> Self {
        Self { until: Some(now + self.takes + path + SETTLE), ..self }
    }

    pub(super) fn is_over(&self, now: MonoTime) -> bool {
        self.until.is_some_and(|until| now >= until)
    }

    /// Tells whether `depth` may be the queue as it was when it was cut.
    pub(super) fn expects(&self, depth: Delay) -> bool {
        depth <= self.depth.scaled(WORSE) + WORSE_BY
    }

    /// Tells whether `depth`, after all, is what stood before.
    pub(super) fn was_futile(&self, depth: Delay) -> bool {
        let before = self.depth.seconds().max(f64::EPSILON);
        UNTOUCHED.contains(&(depth.seconds() / before))
    }
}
