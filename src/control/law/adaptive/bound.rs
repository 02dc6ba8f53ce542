//! Where a queue stood last, and for how long such knowledge is good.
//!
//! A link that keeps its capacity for minutes is left alone just below it; one whose capacity
//! moves several times a second is asked again at once. What tells them apart is how long its
//! bounds have lasted lately.

use std::time::Duration;

use crate::units::{BitRate, MonoTime};

/// How long a bound lasts on a link of which nothing is known yet.
const LASTS_AT_FIRST: Duration = Duration::from_secs(20);
/// A new bound within this factor of the one before confirms it.
const SAME: f64 = 1.15;
/// Weight of one lifetime in the usual one.
const LESSON: f64 = 0.35;
/// No lifetime is told apart that is shorter than a look takes.
const SHORTEST: Duration = Duration::from_millis(200);
/// Share of the bound per second by which a rate creeps up to a bound that was always good: five
/// per cent in a second, so that a capacity that comes back is noticed within about one.
const CREEP: f64 = 0.04;
/// Growth per second far from any bound.
pub(super) const CLIMB: f64 = 3.0;
/// Growth per second at most.
const FASTEST: f64 = 8.0;
/// Time constant of the usual rate.
const USUAL_TAU: Duration = Duration::from_secs(4);
/// Growth per second gained for each share of the bound that lies between it and the rate.
const PULL: f64 = 4.0;
/// How far beyond a bound that was always good a rate is tried at first.
const BEYOND: f64 = 1.08;
/// How far beyond one that never lasts.
const BEYOND_FICKLE: f64 = 1.5;
/// A rate this far beyond the bound that no queue answers disproves it.
const DISPROVED: f64 = 1.04;

/// What is known of the rate at which a queue stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// The bound, and since when it has been confirmed.
    known: Option<(BitRate, MonoTime)>,
    /// How long bounds have lasted lately.
    lasts: Duration,
    /// Logarithm of the rate that was usual in the last seconds, bit/s.
    usual: Option<f64>,
    /// Since when a rate beyond the bound has been in force and no queue stood.
    beyond: Option<MonoTime>,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { known: None, lasts: LASTS_AT_FIRST, usual: None, beyond: None }
    }
}

impl Bounds {
    pub(super) fn rate(&self) -> Option<BitRate> {
        self.known.map(|(rate, _)| rate)
    }

    /// Traffic flowed at `rate` for `dt`.
    pub(super) fn lived(&mut self, dt: Duration, rate: BitRate) {
        let seen = (rate.bps().max(1) as f64).ln();
        let alpha = 1.0 - (-dt.as_secs_f64() / USUAL_TAU.as_secs_f64()).exp();
        self.usual = Some(self.usual.map_or(seen, |usual| usual + (seen - usual) * alpha));
    }

    /// Returns the rate that is believed to get through: the bound, or, the more fickle it is, the
    /// usual rate if that is higher.
    pub(super) fn expected(&self, now: MonoTime) -> Option<BitRate> {
        let Some(bound) = self.rate() else {
            return Some(BitRate::from_bps(1).scaled(self.usual?.exp()));
        };
        let Some(usual) = self.usual else { return Some(bound) };
        let higher = (usual - (bound.bps().max(1) as f64).ln()).max(0.0);
        Some(bound.scaled((higher * self.fickleness(now)).exp()))
    }

    /// A queue stood, and `capacity` got through.
    pub(super) fn met(&mut self, now: MonoTime, capacity: BitRate) {
        self.beyond = None;
        let since = match self.known {
            Some((rate, since)) => {
                let ratio = capacity.fraction_of(rate).unwrap_or(1.0);
                if (1.0 / SAME..=SAME).contains(&ratio) {
                    since
                } else {
                    self.learn(now.since(since));
                    now
                }
            }
            None => now,
        };
        self.known = Some((capacity, since));
    }

    /// `in_force` meets demand and no queue stands; `look` is how long that takes to tell.
    pub(super) fn passed(&mut self, now: MonoTime, in_force: BitRate, look: Duration) {
        let Some((rate, since)) = self.known else { return };
        if in_force < rate.scaled(DISPROVED) {
            self.beyond = None;
            return;
        }
        if now.since(*self.beyond.get_or_insert(now)) >= look {
            self.learn(now.since(since));
            self.forget();
        }
    }

    pub(super) fn forget(&mut self) {
        self.known = None;
        self.beyond = None;
    }

    fn learn(&mut self, lifetime: Duration) {
        let seen = lifetime.max(SHORTEST).as_secs_f64().ln();
        let before = self.lasts.as_secs_f64().ln();
        self.lasts = Duration::from_secs_f64((before + (seen - before) * LESSON).exp());
    }

    /// How fickle the bounds are: 0 for those that last, 1 for those gone at once.
    pub(super) fn fickleness(&self, now: MonoTime) -> f64 {
        let age = self.known.map_or(Duration::ZERO, |(_, since)| now.since(since));
        1.0 / (1.0 + self.lasts.max(age).as_secs_f64())
    }

    /// Returns the growth per second of a rate at `at`.
    pub(super) fn speed(&self, now: MonoTime, at: BitRate) -> f64 {
        let (Some((_, since)), Some(expected)) = (self.known, self.expected(now)) else {
            return CLIMB;
        };
        let distance = at.fraction_of(expected).unwrap_or(1.0).max(0.01).ln().abs();
        let doubt = 1.0 / self.lasts.max(now.since(since)).as_secs_f64();
        (doubt.max(CREEP) + PULL * distance).min(FASTEST)
    }

    /// Returns the highest rate worth trying before the bound is disproved.
    pub(super) fn limit(&self, now: MonoTime) -> Option<BitRate> {
        let beyond = BEYOND + (BEYOND_FICKLE - BEYOND) * self.fickleness(now);
        self.known?;
        self.expected(now).map(|rate| rate.scaled(beyond))
    }
}
