//! What gets through the shaper, and what that says about the provider's link.

use super::{LawInput, drain::Drain};
use crate::{Direction, units::BitRate};

/// A shaper that passes this share of its rate is filled: it is what limits the traffic.
const FILLED: f64 = 0.9;
/// Less than this share of the rate in force gets through: something behind the shaper limits it.
const FULL: f64 = 0.95;
/// So much of a rate that a cut has left must be used for the cut to have been tried.
const USED: f64 = 0.8;
/// A rate that is filled exceeds the capacity by no more than this: were it more, what gets through
/// would have fallen.
const OVERSHOT: f64 = 0.1;
/// Into a queue that is more than noise an upload may rush at up to this much more than the
/// capacity: what leaves our shaper has not met the provider's queue yet, so nothing has fallen.
const RUSH: f64 = 1.0;

/// Tells whether the shaper is what limits the traffic.
pub(super) fn is_filled(input: &LawInput, in_force: BitRate) -> bool {
    input.waits || input.load.newest.is_some_and(|got| got >= in_force.scaled(FILLED))
}

/// Tells whether the rate that a cut has left is in force and was made use of.
pub(super) fn was_tried(input: &LawInput, drain: &Drain) -> bool {
    let in_force = input.in_force.unwrap_or(input.current);
    let got = input.load.newest.unwrap_or_default();
    in_force <= drain.rate.scaled(super::CUT_PENDING)
        && (input.waits || got >= in_force.scaled(USED))
}

/// Tells whether a cut was too little: a queue stands and does not even leave us what the shaper
/// allows.
pub(super) fn is_too_little(input: &LawInput) -> bool {
    let in_force = input.in_force.unwrap_or(input.current);
    let is_short = input.load.newest.is_some_and(|got| got < in_force.scaled(FULL));
    input.direction == Direction::Download && is_short && !input.waits
}

/// What the link carries, while a queue of ours stands in it.
pub(super) fn capacity(input: &LawInput, is_rush: bool) -> BitRate {
    let in_force = input.in_force.unwrap_or(input.current).min(input.current);
    let got = input.load.newest.unwrap_or(in_force).min(in_force);
    let is_filled = got >= in_force.scaled(FULL) || input.waits;
    let (passed, most) = match input.direction {
        // It has passed the provider's queue.
        Direction::Download if !is_filled => return got,
        // Nothing was counted since: what gets through may have fallen, too.
        Direction::Download => (in_force, if input.is_counted { OVERSHOT } else { RUSH }),
        // It is only on its way into it.
        Direction::Upload => (got, if is_rush { RUSH } else { OVERSHOT }),
    };
    // The queue grows by what exceeds the capacity.
    let growth = input.finding.map_or(0.0, |finding| finding.growth);
    passed.scaled(1.0 / (1.0 + growth.clamp(0.0, most)))
}
