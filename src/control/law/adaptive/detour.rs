//! A delay that no cut takes away is not our queue: the path has become longer, or others queue.
//!
//! The baselines cannot tell while traffic flows, because they never learn under load. Cuts can: a
//! queue of ours shrinks when less is sent than gets through.

use super::bound::Bounds;
use crate::units::{BitRate, Delay};

/// Cuts in a row that must have been in vain: one may have met a capacity that fell just then.
const IN_VAIN: u8 = 2;

/// What is known of a delay that is not ours.
#[derive(Debug, Clone, Default)]
pub(super) struct Detour {
    delay: Delay,
    in_vain: u8,
    /// The rate and the bounds before the first cut in vain.
    before: Option<(BitRate, Bounds)>,
}

impl Detour {
    /// Returns what of `delay` may be ours.
    pub(super) fn beyond(&self, delay: Delay) -> Delay {
        delay - self.delay
    }

    /// No more can be excused than still stands.
    pub(super) fn update(&mut self, standing: Option<Delay>) {
        if let Some(standing) = standing {
            self.delay = self.delay.min(standing.max(Delay::ZERO));
        }
    }

    /// A cut is made at `rate`.
    pub(super) fn before_cut(&mut self, rate: BitRate, bounds: &Bounds) {
        self.before.get_or_insert((rate, *bounds));
    }

    /// A cut made the delay shrink.
    pub(super) fn helped(&mut self) {
        self.in_vain = 0;
        self.before = None;
    }

    /// A cut was in vain, and `standing` stands. Returns what is to be taken back if that is enough
    /// to say that it is not ours.
    pub(super) fn resist(&mut self, standing: Delay) -> Option<(BitRate, Bounds)> {
        self.in_vain += 1;
        if self.in_vain < IN_VAIN {
            return None;
        }
        self.in_vain = 0;
        self.delay = standing;
        self.before.take()
    }
}
