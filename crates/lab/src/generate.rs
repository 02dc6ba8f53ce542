//! Generated links: what cable, DSL, LTE and Starlink do to their capacity, and the plain events that
//! a controller has to survive.

mod links;
pub(crate) mod walk;

use std::time::Duration;

use wanctl_core::{Direction, PerDirection, units::BitRate};

pub(crate) use self::links::{cable, dsl, lte, starlink};
use super::trace::Trace;

/// What a link is like over time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Conditions {
    /// The true capacity.
    pub(crate) capacity: PerDirection<Trace>,
    /// Moments and the round-trip time of the empty link from there on; ascending.
    pub(crate) base_rtt_steps: Vec<(Duration, Duration)>,
}

impl Conditions {
    fn of(capacity: PerDirection<Trace>) -> Self {
        Self { capacity, base_rtt_steps: Vec::new() }
    }
}

/// Makes a trace of `span` for each direction, in bins of `grain`: `factor` says at the start of
/// a bin, and for how long, what is left of the nominal rate.
fn bins<F: FnMut(Duration) -> f64>(
    nominal: PerDirection<BitRate>,
    span: Duration,
    grain: Duration,
    mut factor: impl FnMut(Direction) -> F,
) -> PerDirection<Trace> {
    PerDirection::build(|direction| {
        let mut factor = factor(direction);
        let moments = (0_u32..).map(|bin| grain * bin).take_while(|at| *at < span);
        let rates = moments.map(|at| nominal[direction].scaled(factor(at).max(0.0)));
        Trace::bins(rates, grain).unwrap_or_else(|| Trace::steady(nominal[direction]))
    })
}

fn seed_of(seed: u64, direction: Direction) -> u64 {
    seed.wrapping_mul(2).wrapping_add(u64::from(direction == Direction::Upload))
}

/// Makes a link that never changes.
pub(crate) fn steady(nominal: PerDirection<BitRate>) -> Conditions {
    Conditions::of(PerDirection::build(|direction| Trace::steady(nominal[direction])))
}

/// Makes a link that has `low` instead of `nominal` from `from` until `until`, once in `span`.
///
/// Times that do not ascend give a link that never changes.
pub(crate) fn step(
    nominal: PerDirection<BitRate>,
    low: PerDirection<BitRate>,
    [from, until, span]: [Duration; 3],
) -> Conditions {
    Conditions::of(PerDirection::build(|direction| {
        let (high, low) = (nominal[direction], low[direction]);
        let points = vec![(Duration::ZERO, high), (from, low), (until, high)];
        Trace::held(points, span).unwrap_or_else(|| Trace::steady(high))
    }))
}

/// Makes a link that carries nothing from `from` until `until`, once in `span`.
pub(crate) fn outage(nominal: PerDirection<BitRate>, times: [Duration; 3]) -> Conditions {
    step(nominal, PerDirection::default(), times)
}

/// Makes a steady link whose empty round-trip time is `after` instead of `before` from `from` on.
pub(crate) fn path_change(
    nominal: PerDirection<BitRate>,
    before: Duration,
    from: Duration,
    after: Duration,
) -> Conditions {
    let base_rtt_steps = vec![(Duration::ZERO, before), (from, after)];
    Conditions { base_rtt_steps, ..steady(nominal) }
}

#[cfg(test)]
mod tests;
