//! A direction that falls along with the other.
//!
//! A link that loses much of one direction has often lost as much of the other, but that one's
//! queue comes later: while the first stands, acknowledgements are late and little is sent. When
//! it has drained, the windows that filled the old rate come all at once. So nothing is left to
//! them, meanwhile, but what gets through; if the capacity is still there, it is soon found again.

use super::{LawInput, drain::SETTLE};
use crate::units::{BitRate, MonoTime};

/// The other direction has lost much if a cut has left it no more than this share.
const MUCH: f64 = 0.7;
/// This direction was busy, and so will be again, if it used this share of its rate lately.
const BUSY: f64 = 0.8;
/// What is left, as a multiple of what gets through.
const ROOM: f64 = 1.1;
/// A rate is followed down by at least this factor, or it is not worth the loss of what is known.
const WORTH: f64 = 1.2;

/// How far the other direction has been followed.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Along {
    last: Option<MonoTime>,
}

impl Along {
    /// Returns the rate to follow down to; `None` if it is low enough.
    pub(super) fn follow(&mut self, input: &LawInput) -> Option<BitRate> {
        let rate = input.load.newest?.scaled(ROOM).max(input.limits.floor);
        let is_early = self.last.is_some_and(|last| input.now.since(last) < SETTLE);
        if is_early || rate.scaled(WORTH) >= input.current {
            return None;
        }
        self.last = Some(input.now);
        Some(rate)
    }
}

/// Tells whether this direction has to follow the other, whose queue drains.
pub(super) fn is_due(input: &LawInput) -> bool {
    input.other_left.is_some_and(|left| left <= MUCH) && was_busy(input)
}

/// Tells whether this direction was busy lately.
pub(super) fn was_busy(input: &LawInput) -> bool {
    input.load.recent_peak.is_some_and(|peak| peak >= BUSY)
}
