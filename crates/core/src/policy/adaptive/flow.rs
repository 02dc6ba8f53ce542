//! What gets through the shaper, and what that says about the provider's link.

use super::{LawInput, drain::Drain};
use crate::{
    Direction,
    params::{DeliveryParams, Params},
    units::BitRate,
};

/// Tells whether the shaper is what limits the traffic.
pub(super) fn is_filled(input: &LawInput, in_force: BitRate, params: &DeliveryParams) -> bool {
    input.shaper_limited
        || input.load.newest_delivery_rate.is_some_and(|got| got >= in_force.scaled(params.filled))
}

/// Tells whether the rate that a cut has left is in force and was made use of.
pub(super) fn was_tried(input: &LawInput, drain: &Drain, params: &Params) -> bool {
    let in_force = input.in_force.unwrap_or(input.current);
    let got = input.load.newest_delivery_rate.unwrap_or_default();
    in_force <= drain.rate.scaled(params.pending.tolerance)
        && (input.shaper_limited || got >= in_force.scaled(params.estimate.delivery.tried))
}

/// Tells whether a cut was too little: a queue stands and does not even leave us what the shaper
/// allows.
pub(super) fn is_too_little(input: &LawInput, params: &DeliveryParams) -> bool {
    let in_force = input.in_force.unwrap_or(input.current);
    let is_short =
        input.load.newest_delivery_rate.is_some_and(|got| got < in_force.scaled(params.full));
    input.direction == Direction::Download && is_short && !input.shaper_limited
}

/// What the link carries, while a queue of ours stands in it.
pub(super) fn capacity(input: &LawInput, is_rush: bool, params: &DeliveryParams) -> BitRate {
    let in_force = input.in_force.unwrap_or(input.current).min(input.current);
    let got = input.load.newest_delivery_rate.unwrap_or(in_force).min(in_force);
    let is_filled = got >= in_force.scaled(params.full) || input.shaper_limited;
    let (passed, most) = match input.direction {
        // It has passed the provider's queue.
        Direction::Download if !is_filled => return got,
        // Nothing was counted since: what gets through may have fallen, too.
        Direction::Download => {
            (in_force, if input.has_fresh_counters { params.overshoot } else { params.rush })
        }
        // It is only on its way into it.
        Direction::Upload => (got, if is_rush { params.rush } else { params.overshoot }),
    };
    // The queue grows by what exceeds the capacity.
    let growth = input.queue.map_or(0.0, |queue| queue.growth);
    passed.scaled(1.0 / (1.0 + growth.clamp(0.0, most)))
}
