//! The capacity estimate: at which rate a queue stood last, and for how long such estimates last.
//!
//! On a link whose capacity stays for minutes an estimate lasts; on one whose capacity moves several
//! times a second it is worth little at once. How long estimates have lasted lately shows which.

use std::time::Duration;

use crate::{
    params::CapacityParams,
    units::{BitRate, MonoTime},
};

/// The estimate, and what else is known of rates that the link carried.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CapacityEstimate {
    params: CapacityParams,
    /// The rate at which a queue stood last, and since when it has been so.
    known: Option<(BitRate, MonoTime)>,
    /// A higher rate was in force without a queue, though not by so much that the capacity is
    /// another.
    is_passed: bool,
    /// Since when a rate beyond the estimate has been in force without a queue.
    beyond: Option<MonoTime>,
    /// How long estimates have lasted lately, as a geometric mean.
    lasts: Duration,
    /// Logarithm of the rate that was typical in the last seconds, bit/s.
    typical: Option<f64>,
    /// The highest rate that was used without a queue, and when that was last.
    proven: Option<(BitRate, MonoTime)>,
}

impl Default for CapacityEstimate {
    fn default() -> Self {
        Self::new(CapacityParams::default())
    }
}

impl CapacityEstimate {
    pub(crate) fn new(params: CapacityParams) -> Self {
        Self {
            params,
            known: None,
            is_passed: false,
            beyond: None,
            lasts: params.lifetime_prior,
            typical: None,
            proven: None,
        }
    }

    /// Returns the estimate, unless it has been passed.
    pub(crate) fn rate(&self) -> Option<BitRate> {
        self.known.filter(|_| !self.is_passed).map(|(rate, _)| rate)
    }

    /// Returns the estimate while `rate` is desired: `rate` if that has passed it.
    pub(crate) fn while_desired(&self, rate: BitRate) -> Option<BitRate> {
        let (known, _) = self.known?;
        Some(if self.is_passed { known.max(rate) } else { known })
    }

    /// Returns the highest rate that was used without a queue in the last minutes.
    pub(crate) fn proven(&self, now: MonoTime) -> Option<BitRate> {
        self.proven.filter(|(_, at)| now.since(*at) < self.params.proven_for).map(|(rate, _)| rate)
    }

    /// Starts from a rate that was proven `age` before the clock began.
    pub(crate) fn restore(&mut self, proven: BitRate, age: Duration) {
        if age < self.params.proven_for {
            self.proven = Some((proven, MonoTime::ZERO));
        }
    }

    /// Notes that the traffic filled `rate` for `dt`.
    pub(crate) fn filled(&mut self, dt: Duration, rate: BitRate) {
        let rate = logarithm(rate);
        let alpha = 1.0 - (-dt.as_secs_f64() / self.params.typical_tau.as_secs_f64()).exp();
        self.typical =
            Some(self.typical.map_or(rate, |typical| typical + (rate - typical) * alpha));
    }

    /// Notes that a queue stood while the link carried `capacity`.
    pub(crate) fn queue_stood(&mut self, now: MonoTime, capacity: BitRate) {
        let known = match self.known {
            // Two estimates of the same are better than one.
            Some((rate, since)) if self.is_same(rate, capacity) => {
                (BitRate::from_bps(u64::midpoint(rate.bps(), capacity.bps())), since)
            }
            Some((_, since)) => {
                self.note_lifetime(now.since(since));
                (capacity, now)
            }
            None => (capacity, now),
        };
        self.known = Some(known);
        self.is_passed = false;
        self.beyond = None;
    }

    /// Notes that `in_force` was used without a queue; after `proof_time` of it that is certain.
    pub(crate) fn no_queue_stood(
        &mut self,
        now: MonoTime,
        in_force: BitRate,
        proof_time: Duration,
    ) {
        if self.proven(now).is_none_or(|proven| in_force >= proven) {
            self.proven = Some((in_force, now));
        }
        let Some((rate, since)) = self.known else { return };
        let disproved = if self.is_below_proven(now) {
            self.params.disproved_below_proven
        } else {
            self.params.disproved
        };
        if in_force < rate.scaled(disproved) {
            self.beyond = None;
        } else if now.since(*self.beyond.get_or_insert(now)) >= proof_time {
            self.is_passed = true;
            if !self.is_same(rate, in_force) {
                self.note_lifetime(now.since(since));
                self.known = None;
            }
        }
    }

    /// Forgets the estimate, but not how long estimates last.
    pub(crate) fn forget(&mut self) {
        *self = Self { lasts: self.lasts, proven: self.proven, ..Self::new(self.params) };
    }

    /// Notes that a delay stood: nothing beyond the estimate is proven.
    pub(crate) fn delay_stood(&mut self) {
        self.beyond = None;
    }

    /// Returns whether a rate well above the estimate is proven.
    fn is_below_proven(&self, now: MonoTime) -> bool {
        self.known
            .zip(self.proven(now))
            .is_some_and(|((known, _), proven)| proven > known && !self.is_same(known, proven))
    }

    fn is_same(&self, one: BitRate, other: BitRate) -> bool {
        let same = self.params.same;
        one.fraction_of(other).is_some_and(|ratio| (1.0 / same..=same).contains(&ratio))
    }

    /// Takes the lifetime of one estimate into account.
    fn note_lifetime(&mut self, lifetime: Duration) {
        let seen = lifetime.max(self.params.lifetime_min).as_secs_f64().ln();
        let before = self.lasts.as_secs_f64().ln();
        self.lasts =
            Duration::from_secs_f64((before + (seen - before) * self.params.lifetime_weight).exp());
    }

    /// How long an estimate lasts: as long as they lasted lately, or this one already has.
    fn lifetime(&self, now: MonoTime) -> Duration {
        let age = self.known.map_or(Duration::ZERO, |(_, since)| now.since(since));
        self.lasts.max(age)
    }

    /// 0 for estimates that last, 1 for those that are gone at once.
    pub(crate) fn volatility(&self, now: MonoTime) -> f64 {
        1.0 / (1.0 + self.lifetime(now).as_secs_f64())
    }

    /// Returns what is known as of `now`, for the policies.
    pub(crate) fn at(&self, now: MonoTime) -> Capacity {
        Capacity {
            known: self.known.map(|(rate, _)| rate),
            is_passed: self.is_passed,
            typical: self.typical,
            proven: self.proven(now),
            is_below_proven: self.is_below_proven(now),
            lifetime: self.lifetime(now),
            volatility: self.volatility(now),
        }
    }
}

/// What is known of a capacity at one moment.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Capacity {
    /// The rate at which a queue stood last.
    pub(crate) known: Option<BitRate>,
    /// A higher rate has since been in force without a queue.
    pub(crate) is_passed: bool,
    /// Logarithm of the rate that was typical in the last seconds, bit/s.
    typical: Option<f64>,
    /// The highest rate that was used without a queue in the last minutes.
    pub(crate) proven: Option<BitRate>,
    /// A rate well above the estimate is proven.
    pub(crate) is_below_proven: bool,
    /// For how long an estimate lasts.
    pub(crate) lifetime: Duration,
    /// 0 for estimates that last, 1 for those that are gone at once.
    pub(crate) volatility: f64,
}

impl Capacity {
    /// Returns the estimate, unless it has been passed.
    pub(crate) fn estimate(&self) -> Option<BitRate> {
        self.known.filter(|_| !self.is_passed)
    }

    /// Returns the estimate or, the more volatile the link, the typical rate if that is higher.
    pub(crate) fn expected(&self) -> Option<BitRate> {
        match (self.estimate(), self.typical) {
            (Some(estimate), Some(typical)) => {
                let higher = (typical - logarithm(estimate)).max(0.0);
                Some(estimate.scaled((higher * self.volatility).exp()))
            }
            (Some(estimate), None) => Some(estimate),
            (None, typical) => Some(BitRate::from_bps(1).scaled(typical?.exp())),
        }
    }
}

/// Returns the natural logarithm of a rate in bit/s.
pub(crate) fn logarithm(rate: BitRate) -> f64 {
    (rate.bps().max(1) as f64).ln()
}

#[cfg(test)]
mod tests;
