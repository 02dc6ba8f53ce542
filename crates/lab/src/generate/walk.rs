//! Random processes: a walk that returns to its mean, and spells.

use std::{f64::consts::TAU, time::Duration};

use fastrand::Rng;

/// An Ornstein-Uhlenbeck process around zero with unit variance, in exact steps of any length.
#[derive(Debug, Clone)]
pub(crate) struct Walk {
    /// Forgets within this many seconds.
    tau: f64,
    at: f64,
}

impl Walk {
    pub(crate) fn new(tau: Duration, rng: &mut Rng) -> Self {
        Self { tau: tau.as_secs_f64(), at: gaussian(rng) }
    }

    /// Moves on by `dt` and returns where it is, in standard deviations.
    pub(crate) fn step(&mut self, dt: Duration, rng: &mut Rng) -> f64 {
        let kept = (-dt.as_secs_f64() / self.tau).exp();
        self.at = self.at * kept + (1.0 - kept * kept).sqrt() * gaussian(rng);
        self.at
    }
}

/// Spells that begin now and then and last a while.
#[derive(Debug, Clone)]
pub(crate) struct Spells {
    /// Mean time from the end of one to the start of the next; exponentially distributed.
    pause: Duration,
    /// How long each lasts, from and to.
    lasts: (Duration, Duration),
    /// Strength of each, from and to.
    strength: (f64, f64),
    begins: Duration,
    ends: Duration,
    now: f64,
}

impl Spells {
    pub(crate) fn new(
        pause: Duration,
        lasts: (Duration, Duration),
        strength: (f64, f64),
        rng: &mut Rng,
    ) -> Self {
        let mut spells = Self { pause, lasts, strength, begins: pause, ends: pause, now: 0.0 };
        spells.plan(Duration::ZERO, rng);
        spells
    }

    /// Returns the strength of the spell at `at`; `None` between two.
    pub(crate) fn at(&mut self, at: Duration, rng: &mut Rng) -> Option<f64> {
        while at >= self.ends {
            self.plan(self.ends, rng);
        }
        (at >= self.begins).then_some(self.now)
    }

    fn plan(&mut self, after: Duration, rng: &mut Rng) {
        self.begins = after + self.pause.mul_f64(-(1.0 - rng.f64()).ln());
        let lasts = (self.lasts.0.as_secs_f64(), self.lasts.1.as_secs_f64());
        // A spell without length would never end.
        let lasts = Duration::from_secs_f64(uniform(lasts, rng)).max(Duration::from_millis(1));
        self.ends = self.begins + lasts;
        self.now = uniform(self.strength, rng);
    }
}

pub(crate) fn uniform((from, to): (f64, f64), rng: &mut Rng) -> f64 {
    from + (to - from) * rng.f64()
}

/// A draw from the standard normal distribution (Box-Muller).
fn gaussian(rng: &mut Rng) -> f64 {
    let radius = (-2.0 * (1.0 - rng.f64()).ln()).sqrt();
    radius * (TAU * rng.f64()).cos()
}
