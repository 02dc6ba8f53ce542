//! Links made up by chance: what cable, DSL, LTE and Starlink do to their capacity, and the plain
//! events that a controller has to survive. Equal seeds give equal links.

mod cable;
mod cell;
mod dsl;
mod events;
mod starlink;
mod walk;

use std::time::Duration;

pub use cable::cable;
pub use cell::lte;
pub use dsl::dsl;
pub use events::{outage, path_change, steady, step};
pub use starlink::starlink;

use wanctl_core::{Direction, PerDirection, units::BitRate};

use super::trace::Trace;

/// What a link is like over time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conditions {
    /// The true capacity.
    pub capacity: PerDirection<Trace>,
    /// Moments and the round-trip time of the empty link from there on; ascending.
    pub base_rtt_steps: Vec<(Duration, Duration)>,
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

/// Gives each direction a randomness of its own.
fn seed_of(seed: u64, direction: Direction) -> u64 {
    seed.wrapping_mul(2).wrapping_add(u64::from(direction == Direction::Upload))
}

#[cfg(test)]
mod tests;
