//! How a link's capacity moves.

use std::{f64::consts::TAU, time::Duration};

use fastrand::Rng;

use wanctl_core::units::BitRate;

/// Capacity below which a link is as good as dead; keeps the arithmetic finite.
const TRICKLE: BitRate = BitRate::from_bps(64_000);

/// The shape of a link's capacity over time.
#[derive(Debug, Clone)]
pub enum Shape {
    /// Never moves.
    Steady,
    /// Holds each factor from its moment on; the moments ascend.
    Steps(Vec<(Duration, f64)>),
    /// A cable segment: small wander, and every so often the neighbours take a share of it.
    Cable,
    /// The same, and besides each factor holds from its moment on: works in the street.
    CableWithWorks(Vec<(Duration, f64)>),
    /// A mobile cell: wide wander within seconds, and now and then a fade.
    Lte,
}

/// A capacity that moves in time.
#[derive(Debug, Clone)]
pub struct Capacity {
    nominal: BitRate,
    shape: Shape,
    rng: Rng,
    now: Duration,
    /// Slow wander around zero, in units of its own standard deviation.
    wander: f64,
    /// Share that is left while a dip lasts, and when it ends.
    dip: Option<(f64, Duration)>,
    next_dip: Duration,
}

impl Capacity {
    /// Creates a capacity around `nominal`; equal seeds move alike.
    #[must_use]
    pub fn new(nominal: BitRate, shape: Shape, seed: u64) -> Self {
        let mut capacity = Self {
            nominal,
            shape,
            rng: Rng::with_seed(seed),
            now: Duration::ZERO,
            wander: 0.0,
            dip: None,
            next_dip: Duration::ZERO,
        };
        capacity.next_dip = capacity.pause();
        capacity
    }

    /// Moves on by `dt` and returns the capacity that holds from there.
    pub fn advance(&mut self, dt: Duration) -> BitRate {
        self.now += dt;
        let factor = match &self.shape {
            Shape::Steady => 1.0,
            Shape::Steps(steps) => held(steps, self.now),
            Shape::Cable => 1.0 + 0.04 * self.wandered(dt, 8.0),
            Shape::CableWithWorks(works) => {
                let left = held(works, self.now);
                left * (1.0 + 0.04 * self.wandered(dt, 8.0))
            }
            Shape::Lte => (0.45 * self.wandered(dt, 3.0)).exp().min(1.9),
        };
        self.nominal.scaled(factor * self.dipped()).max(TRICKLE)
    }

    /// An Ornstein-Uhlenbeck process of unit variance that forgets within `tau` seconds.
    fn wandered(&mut self, dt: Duration, tau: f64) -> f64 {
        let dt = dt.as_secs_f64();
        let normal = gaussian(&mut self.rng);
        self.wander += -self.wander * dt / tau + (2.0 * dt / tau).sqrt() * normal;
        self.wander
    }

    /// The share that a dip leaves: most of a cable segment, little of a fading cell.
    fn dipped(&mut self) -> f64 {
        let (shares, seconds) = match self.shape {
            Shape::Steady | Shape::Steps(_) => return 1.0,
            Shape::Cable | Shape::CableWithWorks(_) => (0.45..0.7, 8.0..20.0),
            Shape::Lte => (0.15..0.4, 1.5..5.0),
        };
        if self.now >= self.next_dip {
            let share = uniform(&mut self.rng, shares);
            let lasts = Duration::from_secs_f64(uniform(&mut self.rng, seconds));
            self.dip = Some((share, self.now + lasts));
            self.next_dip = self.now + lasts + self.pause();
        }
        match self.dip {
            Some((share, until)) if self.now < until => share,
            Some(_) | None => 1.0,
        }
    }

    fn pause(&mut self) -> Duration {
        let seconds = match self.shape {
            Shape::Steady | Shape::Steps(_) | Shape::Cable | Shape::CableWithWorks(_) => 20.0..40.0,
            Shape::Lte => 8.0..20.0,
        };
        Duration::from_secs_f64(uniform(&mut self.rng, seconds))
    }
}

/// Returns the factor that holds at `now`.
fn held(steps: &[(Duration, f64)], now: Duration) -> f64 {
    let past = steps.partition_point(|(from, _)| *from <= now);
    past.checked_sub(1).and_then(|last| steps.get(last)).map_or(1.0, |step| step.1)
}

pub(super) fn uniform(rng: &mut Rng, range: std::ops::Range<f64>) -> f64 {
    range.start + (range.end - range.start) * rng.f64()
}

/// A draw from the standard normal distribution (Box-Muller).
pub(super) fn gaussian(rng: &mut Rng) -> f64 {
    let radius = (-2.0 * (1.0 - rng.f64()).ln()).sqrt();
    radius * (TAU * rng.f64()).cos()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(shape: Shape, seed: u64) -> Vec<f64> {
        let mut capacity = Capacity::new(BitRate::from_mbps(100.0), shape, seed);
        (0..60_000).map(|_| capacity.advance(Duration::from_millis(10)).mbps()).collect()
    }

    #[test]
    fn equal_seeds_move_alike_and_others_do_not() {
        assert_eq!(run(Shape::Lte, 7), run(Shape::Lte, 7));
        assert_ne!(run(Shape::Lte, 7), run(Shape::Lte, 8));
    }

    #[test]
    fn a_cell_moves_widely_and_a_cable_dips() {
        for (shape, low, high) in [(Shape::Lte, 25.0, 130.0), (Shape::Cable, 70.0, 102.0)] {
            let mut rates = run(shape, 1);
            rates.sort_by(f64::total_cmp);
            let share = |q: usize| rates[rates.len() * q / 100];
            assert!(share(5) < low, "5th percentile {}", share(5));
            assert!(share(95) > high, "95th percentile {}", share(95));
        }
    }

    #[test]
    fn steps_hold_from_their_moment_on() {
        let steps = vec![(Duration::from_secs(1), 0.5), (Duration::from_secs(2), 1.0)];
        let mut capacity = Capacity::new(BitRate::from_mbps(10.0), Shape::Steps(steps), 0);
        let mut at = |millis| capacity.advance(Duration::from_millis(millis)).mbps();
        let seen = [at(900), at(100), at(900), at(200)];
        assert!(seen.iter().zip([10.0, 5.0, 5.0, 10.0]).all(|(a, b)| (a - b).abs() < 1e-9));
    }
}
