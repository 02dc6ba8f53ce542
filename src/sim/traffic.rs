//! Who wants how much, and when.

use std::time::Duration;

use crate::{control::Direction, units::BitRate};

/// What a WAN's users ask for in one phase.
#[derive(Debug, Clone, Copy)]
pub struct Phase {
    /// How long it lasts.
    pub lasts: Duration,
    /// Demand for download; [`GREEDY`] for as much as possible.
    pub download: BitRate,
    /// Demand for upload.
    pub upload: BitRate,
}

/// A demand without end: file transfers that take what they get.
pub const GREEDY: BitRate = BitRate::from_bps(u64::MAX);

/// A programme of phases that repeats.
#[derive(Debug, Clone)]
pub struct Traffic {
    phases: Vec<Phase>,
    round: Duration,
}

impl Traffic {
    /// Creates a programme; an empty one asks for nothing.
    #[must_use]
    pub fn new(phases: Vec<Phase>) -> Self {
        let round = phases.iter().map(|phase| phase.lasts).sum();
        Self { phases, round }
    }

    /// Returns the demand at `now` for `direction`.
    #[must_use]
    pub fn demand(&self, now: Duration, direction: Direction) -> BitRate {
        if self.round.is_zero() {
            return BitRate::ZERO;
        }
        let mut into = Duration::from_secs_f64(now.as_secs_f64() % self.round.as_secs_f64());
        for phase in &self.phases {
            if into < phase.lasts {
                return match direction {
                    Direction::Download => phase.download,
                    Direction::Upload => phase.upload,
                };
            }
            into -= phase.lasts;
        }
        BitRate::ZERO
    }
}
