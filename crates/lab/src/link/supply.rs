//! A direction's true capacity over time.

use std::time::Duration;

use fastrand::Rng;
use wanctl_core::units::BitRate;

use crate::{
    generate::walk::{Spells, Walk},
    trace::Trace,
};

/// Where a direction's capacity comes from.
#[derive(Debug, Clone)]
pub enum Supply {
    /// It moves around the nominal rate.
    Shape(Shape),
    /// It is what a trace says.
    Trace(Trace),
}

/// The shape of a capacity over time, relative to the nominal rate.
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

/// Capacity below which a link of some shape is as good as dead.
const TRICKLE: BitRate = BitRate::from_bps(64_000);
/// The least capacity, which keeps the arithmetic finite: a byte every eight seconds.
const LEAST: f64 = 0.125;
/// Random shapes move this often.
const GRAIN: Duration = Duration::from_millis(10);

/// The capacity of a direction as time passes.
#[derive(Debug, Clone)]
pub(super) struct Source {
    trace: Trace,
    wander: Option<Wander>,
    /// Bytes per second now.
    now: f64,
}

/// What moves a capacity at random.
#[derive(Debug, Clone)]
struct Wander {
    is_cell: bool,
    walk: Walk,
    dips: Spells,
    rng: Rng,
    /// When it moved last.
    at: Duration,
}

impl Source {
    pub(super) fn new(supply: Supply, nominal: BitRate, seed: u64) -> Self {
        let (trace, wander) = match supply {
            Supply::Trace(trace) => (trace, None),
            Supply::Shape(Shape::Steady) => (Trace::steady(nominal), None),
            Supply::Shape(Shape::Steps(steps)) => (stepped(nominal, &steps), None),
            Supply::Shape(Shape::Cable) => (Trace::steady(nominal), Some(Wander::new(false, seed))),
            Supply::Shape(Shape::CableWithWorks(works)) => {
                (stepped(nominal, &works), Some(Wander::new(false, seed)))
            }
            Supply::Shape(Shape::Lte) => (Trace::steady(nominal), Some(Wander::new(true, seed))),
        };
        let now = trace.rate_at(Duration::ZERO).bytes_per_second().max(LEAST);
        Self { trace, wander, now }
    }

    /// Moves on to the time `to`.
    pub(super) fn advance(&mut self, to: Duration) {
        let rate = self.trace.rate_at(to);
        let rate = match &mut self.wander {
            None => rate,
            Some(wander) if to.saturating_sub(wander.at) >= GRAIN => {
                rate.scaled(wander.factor(to)).max(TRICKLE)
            }
            Some(_) => return,
        };
        self.now = rate.bytes_per_second().max(LEAST);
    }

    /// Returns the capacity in bytes per second; never zero.
    pub(super) fn now(&self) -> f64 {
        self.now
    }
}

fn stepped(nominal: BitRate, steps: &[(Duration, f64)]) -> Trace {
    let mut points = vec![(Duration::ZERO, nominal)];
    points.extend(steps.iter().map(|(from, share)| (*from, nominal.scaled(*share).max(TRICKLE))));
    // A step at zero replaces the nominal rate.
    points.reverse();
    points.dedup_by_key(|(from, _)| *from);
    points.reverse();
    Trace::held(points, Duration::MAX).unwrap_or_else(|| Trace::steady(nominal))
}

impl Wander {
    fn new(is_cell: bool, seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let seconds = Duration::from_secs_f64;
        let (tau, every, lasts, leaves) = if is_cell {
            (seconds(3.0), seconds(14.0), (seconds(1.5), seconds(5.0)), (0.15, 0.4))
        } else {
            (seconds(8.0), seconds(30.0), (seconds(8.0), seconds(20.0)), (0.45, 0.7))
        };
        let walk = Walk::new(tau, &mut rng);
        let dips = Spells::new(every, lasts, leaves, &mut rng);
        Self { is_cell, walk, dips, rng, at: Duration::ZERO }
    }

    fn factor(&mut self, to: Duration) -> f64 {
        let walk = self.walk.step(to.saturating_sub(self.at), &mut self.rng);
        self.at = to;
        let dip = self.dips.at(to, &mut self.rng).unwrap_or(1.0);
        dip * if self.is_cell { (0.45 * walk).exp().min(1.9) } else { 1.0 + 0.04 * walk }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(shape: Shape, seed: u64) -> Vec<f64> {
        let mut source = Source::new(Supply::Shape(shape), BitRate::from_mbps(100.0), seed);
        let mut at = |n: u32| {
            source.advance(GRAIN * n);
            source.now() * 8e-6
        };
        (1..=60_000).map(&mut at).collect()
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
        for (steps, before) in [
            (steps.clone(), 10.0),
            ([(Duration::ZERO, 0.1)].into_iter().chain(steps).collect(), 1.0),
        ] {
            let supply = Supply::Shape(Shape::Steps(steps));
            let mut source = Source::new(supply, BitRate::from_mbps(10.0), 0);
            let mut at = |millis| {
                source.advance(Duration::from_millis(millis));
                source.now() * 8e-6
            };
            let seen = [at(900), at(1000), at(1900), at(2100)];
            let expected = [before, 5.0, 5.0, 10.0];
            assert!(seen.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-9), "{seen:?}");
        }
    }
}
