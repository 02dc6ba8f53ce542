//! A capacity over time, held from each point to the next.

use std::time::Duration;

use crate::units::BitRate;

/// A capacity over time: each point holds until the next one, and the whole repeats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// Moments and the capacity from there on; ascending, the first at zero.
    points: Vec<(Duration, BitRate)>,
    /// Length of one round.
    round: Duration,
}

impl Trace {
    /// A capacity that never moves.
    #[must_use]
    pub fn steady(rate: BitRate) -> Self {
        Self { points: vec![(Duration::ZERO, rate)], round: Duration::MAX }
    }

    /// Returns the capacity at `at`.
    #[must_use]
    pub fn rate_at(&self, at: Duration) -> BitRate {
        let into = match self.round.as_nanos() {
            0 => at,
            round => Duration::from_nanos_u128(at.as_nanos() % round),
        };
        let next = self.points.partition_point(|(from, _)| *from <= into);
        self.points.get(next.saturating_sub(1)).map_or(BitRate::ZERO, |(_, rate)| *rate)
    }
}
