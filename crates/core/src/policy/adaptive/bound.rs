//! Where a queue stood last, and for how long such knowledge is good.
//!
//! A link that keeps its capacity for minutes is left alone just below it; one whose capacity
//! moves several times a second is asked again at once. What tells them apart is how long its
//! bounds have lasted lately.

use std::time::Duration;

use crate::units::{BitRate, MonoTime};

/// How long a bound lasts on a link of which nothing is known yet.
const LASTS_AT_FIRST: Duration = Duration::from_secs(20);
/// Capacities within this factor of one another are the same: an estimate is no better.
const SAME: f64 = 1.25;
/// Weight of one lifetime in the usual one.
const LESSON: f64 = 0.35;
/// No lifetime is told apart that is shorter than a look takes.
const SHORTEST: Duration = Duration::from_millis(200);
/// Growth at a bound in the time for which bounds are good.
const DOUBT: f64 = 0.5;
/// Growth per second at a bound that lasts, if nothing says that more was ever possible.
const CREEP_LEAST: f64 = 0.015;
/// Growth per second at a bound while more is known to have been possible: a capacity that comes
/// back is noticed within about a second.
const CREEP_BACK: f64 = 0.1;
/// The same below the bound, where less can go wrong.
const CREEP_BACK_BELOW: f64 = 0.2;
/// How long it is remembered that more was possible.
const PROVEN_FOR: Duration = Duration::from_mins(5);
/// Growth per second where no bound is known.
const CLIMB: f64 = 3.0;
/// Growth per second gained for each share by which a disproved bound has been passed.
const CONFIDENCE: f64 = 15.0;
/// Growth per second gained for each share by which a rate is away from the bound.
const PULL: f64 = 8.0;
/// Nearer to the bound than this, caution alone sets the pace.
const NEAR: f64 = 0.05;
/// Growth per second at most.
const FASTEST: f64 = 16.0;
/// Time constant of the usual rate.
const USUAL_TAU: Duration = Duration::from_secs(4);
/// How far beyond a bound that was always good a rate is tried at first.
const BEYOND: f64 = 1.1;
/// How far beyond one that never lasts.
const BEYOND_FICKLE: f64 = 1.5;
/// A rate this far beyond the bound that no queue answers disproves it: further than an estimate of
/// it errs,
const DISPROVED: f64 = 1.08;
/// or less far, while more is known to have been possible.
const DISPROVED_EASILY: f64 = 1.04;

/// What is known of the rate at which a queue stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
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
        Self {
            known: None,
            is_open: false,
            beyond: None,
            lasts: LASTS_AT_FIRST,
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
        self.proven.filter(|(_, at)| now.since(*at) < PROVEN_FOR).map(|(rate, _)| rate)
    }

    /// `proven` met demand `age` before the clock began.
    pub(super) fn recall(&mut self, proven: BitRate, age: Duration) {
        if age < PROVEN_FOR {
            self.proven = Some((proven, MonoTime::ZERO));
        }
    }

    /// Demand filled `rate` for `dt`.
    pub(super) fn lived(&mut self, dt: Duration, rate: BitRate) {
        let seen = logarithm(rate);
        let alpha = 1.0 - (-dt.as_secs_f64() / USUAL_TAU.as_secs_f64()).exp();
        self.usual = Some(self.usual.map_or(seen, |usual| usual + (seen - usual) * alpha));
    }

    /// A queue stood, and `capacity` got through.
    pub(super) fn met(&mut self, now: MonoTime, capacity: BitRate) {
        let known = match self.known {
            // Two estimates of the same are better than one.
            Some((rate, since)) if is_same(rate, capacity) => {
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
        let far = if self.was_more(now) { DISPROVED_EASILY } else { DISPROVED };
        if in_force < rate.scaled(far) {
            self.beyond = None;
        } else if now.since(*self.beyond.get_or_insert(now)) >= look {
            self.is_open = true;
            if !is_same(rate, in_force) {
                self.learn(now.since(since));
                self.known = None;
            }
        }
    }

    /// What is known of the capacity holds no more; how long such knowledge lasts is still known.
    pub(super) fn forget(&mut self) {
        *self = Self { lasts: self.lasts, proven: self.proven, ..Self::default() };
    }

    /// Something of a queue was seen: nothing beyond the bound is proven by it.
    pub(super) fn disturbed(&mut self) {
        self.beyond = None;
    }

    /// Tells whether more than the bound is known to have been possible.
    fn was_more(&self, now: MonoTime) -> bool {
        self.known
            .zip(self.proven(now))
            .is_some_and(|((bound, _), proven)| proven > bound && !is_same(bound, proven))
    }

    fn learn(&mut self, lifetime: Duration) {
        let seen = lifetime.max(SHORTEST).as_secs_f64().ln();
        let before = self.lasts.as_secs_f64().ln();
        self.lasts = Duration::from_secs_f64((before + (seen - before) * LESSON).exp());
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
    pub(super) fn speed(&self, now: MonoTime, at: BitRate) -> f64 {
        let Some((bound, _)) = self.known else { return CLIMB };
        let was_more = self.was_more(now);
        let is_beyond = self.is_open && at >= bound;
        let Some(expected) = self.expected(now).filter(|_| !is_beyond) else {
            // Just beyond a bound, that may have been an error of the estimate: with care at first.
            let error = if was_more { 0.0 } else { NEAR };
            let beyond = logarithm(at) - logarithm(bound) - error;
            return (CONFIDENCE * beyond).clamp(CREEP_BACK, CLIMB);
        };
        let least = match was_more {
            true if at < bound => CREEP_BACK_BELOW,
            true => CREEP_BACK,
            false => CREEP_LEAST,
        };
        let doubt = DOUBT / self.good_for(now).as_secs_f64();
        let distance = (logarithm(at) - logarithm(expected)).abs();
        (doubt.max(least) + PULL * (distance - NEAR).max(0.0)).min(FASTEST)
    }

    /// Returns the highest rate worth trying before the bound is disproved.
    pub(super) fn limit(&self, now: MonoTime) -> Option<BitRate> {
        self.rate()?;
        let beyond = BEYOND + (BEYOND_FICKLE - BEYOND) * self.fickleness(now);
        self.expected(now).map(|rate| rate.scaled(beyond))
    }
}

fn is_same(one: BitRate, other: BitRate) -> bool {
    one.fraction_of(other).is_some_and(|ratio| (1.0 / SAME..=SAME).contains(&ratio))
}

fn logarithm(rate: BitRate) -> f64 {
    (rate.bps().max(1) as f64).ln()
}

#[cfg(test)]
mod tests;
