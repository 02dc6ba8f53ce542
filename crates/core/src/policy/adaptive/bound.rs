//! Where a queue stood last, and for how long such knowledge is good.
//!
//! A link that keeps its capacity for minutes is left alone just below it; one whose capacity
//! moves several times a second is asked again at once. What tells them apart is how long its
//! bounds have lasted lately.

use std::time::Duration;

use crate::{
    params::{AdaptiveParams, CapacityParams},
    units::{BitRate, MonoTime},
};

/// What is known of the rate at which a queue stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    params: CapacityParams,
    /// The bound, and since when it has been confirmed.
    known: Option<(BitRate, MonoTime)>,
    /// It has been passed without a queue, though not by so much that it is surely another.
    is_open: bool,
    /// Since when a rate beyond the bound has been in force and no queue stood.
    beyond: Option<MonoTime>,
    /// How long bounds have lasted lately.
    lasts: Duration,
    /// Logarithm of the rate that was usual in the last seconds, bit/s.
    usual: Option<f64>,
    /// The highest rate that met demand without a queue, and when it did last.
    proven: Option<(BitRate, MonoTime)>,
}

impl Default for Bounds {
    fn default() -> Self {
        Self::new(CapacityParams::default())
    }
}

impl Bounds {
    pub(super) fn new(params: CapacityParams) -> Self {
        Self {
            params,
            known: None,
            is_open: false,
            beyond: None,
            lasts: params.lifetime_prior,
            usual: None,
            proven: None,
        }
    }
}

impl Bounds {
    pub(super) fn rate(&self) -> Option<BitRate> {
        self.known.filter(|_| !self.is_open).map(|(rate, _)| rate)
    }

    /// What the link is believed to carry while `rate` is tried: the bound, or what has passed it.
    pub(super) fn believed(&self, rate: BitRate) -> Option<BitRate> {
        let (bound, _) = self.known?;
        Some(if self.is_open { bound.max(rate) } else { bound })
    }

    /// The highest rate that met demand without a queue in the last minutes.
    pub(super) fn proven(&self, now: MonoTime) -> Option<BitRate> {
        self.proven.filter(|(_, at)| now.since(*at) < self.params.proven_for).map(|(rate, _)| rate)
    }

    /// `proven` met demand `age` before the clock began.
    pub(super) fn recall(&mut self, proven: BitRate, age: Duration) {
        if age < self.params.proven_for {
            self.proven = Some((proven, MonoTime::ZERO));
        }
    }

    /// Demand filled `rate` for `dt`.
    pub(super) fn lived(&mut self, dt: Duration, rate: BitRate) {
        let seen = logarithm(rate);
        let alpha = 1.0 - (-dt.as_secs_f64() / self.params.typical_tau.as_secs_f64()).exp();
        self.usual = Some(self.usual.map_or(seen, |usual| usual + (seen - usual) * alpha));
    }

    /// A queue stood, and `capacity` got through.
    pub(super) fn met(&mut self, now: MonoTime, capacity: BitRate) {
        let known = match self.known {
            // Two estimates of the same are better than one.
            Some((rate, since)) if self.is_same(rate, capacity) => {
                (BitRate::from_bps(u64::midpoint(rate.bps(), capacity.bps())), since)
            }
            Some((_, since)) => {
                self.learn(now.since(since));
                (capacity, now)
            }
            None => (capacity, now),
        };
        self.known = Some(known);
        self.is_open = false;
        self.beyond = None;
    }

    /// Demand filled `in_force` and no queue stood; `look` is how long it takes to be sure.
    pub(super) fn passed(&mut self, now: MonoTime, in_force: BitRate, look: Duration) {
        if self.proven(now).is_none_or(|proven| in_force >= proven) {
            self.proven = Some((in_force, now));
        }
        let Some((rate, since)) = self.known else { return };
        let far = if self.was_more(now) {
            self.params.disproved_below_proven
        } else {
            self.params.disproved
        };
        if in_force < rate.scaled(far) {
            self.beyond = None;
        } else if now.since(*self.beyond.get_or_insert(now)) >= look {
            self.is_open = true;
            if !self.is_same(rate, in_force) {
                self.learn(now.since(since));
                self.known = None;
            }
        }
    }

    /// What is known of the capacity holds no more; how long such knowledge lasts is still known.
    pub(super) fn forget(&mut self) {
        *self = Self { lasts: self.lasts, proven: self.proven, ..Self::new(self.params) };
    }

    /// Something of a queue was seen: nothing beyond the bound is proven by it.
    pub(super) fn disturbed(&mut self) {
        self.beyond = None;
    }

    /// Tells whether more than the bound is known to have been possible.
    fn was_more(&self, now: MonoTime) -> bool {
        self.known
            .zip(self.proven(now))
            .is_some_and(|((bound, _), proven)| proven > bound && !self.is_same(bound, proven))
    }

    fn is_same(&self, one: BitRate, other: BitRate) -> bool {
        let same = self.params.same;
        one.fraction_of(other).is_some_and(|ratio| (1.0 / same..=same).contains(&ratio))
    }

    fn learn(&mut self, lifetime: Duration) {
        let seen = lifetime.max(self.params.lifetime_min).as_secs_f64().ln();
        let before = self.lasts.as_secs_f64().ln();
        self.lasts =
            Duration::from_secs_f64((before + (seen - before) * self.params.lifetime_weight).exp());
    }

    /// How long a bound is good for: as long as they lasted lately, or this one already has.
    fn good_for(&self, now: MonoTime) -> Duration {
        let age = self.known.map_or(Duration::ZERO, |(_, since)| now.since(since));
        self.lasts.max(age)
    }

    /// How fickle the bounds are: 0 for those that last, 1 for those gone at once.
    pub(super) fn fickleness(&self, now: MonoTime) -> f64 {
        1.0 / (1.0 + self.good_for(now).as_secs_f64())
    }

    /// Returns the rate that is believed to get through: the bound, or, the more fickle it is, the
    /// usual rate if that is higher.
    pub(super) fn expected(&self, now: MonoTime) -> Option<BitRate> {
        match (self.rate(), self.usual) {
            (Some(bound), Some(usual)) => {
                let higher = (usual - logarithm(bound)).max(0.0);
                Some(bound.scaled((higher * self.fickleness(now)).exp()))
            }
            (Some(bound), None) => Some(bound),
            (None, usual) => Some(BitRate::from_bps(1).scaled(usual?.exp())),
        }
    }

    /// Returns the growth per second of a rate at `at`.
    pub(super) fn speed(&self, now: MonoTime, at: BitRate, params: &AdaptiveParams) -> f64 {
        let Some((bound, _)) = self.known else { return params.growth_climb };
        let was_more = self.was_more(now);
        let is_beyond = self.is_open && at >= bound;
        let Some(expected) = self.expected(now).filter(|_| !is_beyond) else {
            // Just beyond a bound, that may have been an error of the estimate: with care at first.
            let error = if was_more { 0.0 } else { params.growth_near };
            let beyond = logarithm(at) - logarithm(bound) - error;
            return (params.growth_confidence * beyond)
                .clamp(params.growth_back, params.growth_climb);
        };
        let least = match was_more {
            true if at < bound => params.growth_back_below,
            true => params.growth_back,
            false => params.growth_least,
        };
        let doubt = params.growth_doubt / self.good_for(now).as_secs_f64();
        let distance = (logarithm(at) - logarithm(expected)).abs();
        (doubt.max(least) + params.growth_pull * (distance - params.growth_near).max(0.0))
            .min(params.growth_max)
    }

    /// Returns the highest rate worth trying before the bound is disproved.
    pub(super) fn limit(&self, now: MonoTime, params: &AdaptiveParams) -> Option<BitRate> {
        self.rate()?;
        let beyond =
            params.beyond + (params.beyond_volatile - params.beyond) * self.fickleness(now);
        self.expected(now).map(|rate| rate.scaled(beyond))
    }
}

fn logarithm(rate: BitRate) -> f64 {
    (rate.bps().max(1) as f64).ln()
}

#[cfg(test)]
mod tests;
