//! A direction that falls along with the other.
//!
//! A link that loses much of one direction has often lost as much of the other, but that one's
//! queue comes later: while the first stands, acknowledgements are late and little is sent. When
//! it has drained, the windows that filled the old rate come all at once. So nothing is left to
//! them, meanwhile, but what gets through; if the capacity is still there, it is soon found again.

use std::time::Duration;

use super::LawInput;
use crate::{
    params::AdaptiveParams,
    units::{BitRate, MonoTime},
};

/// How far the other direction has been followed.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Along {
    last: Option<MonoTime>,
}

impl Along {
    /// Returns the rate to follow down to; `None` if it is low enough.
    pub(super) fn follow(
        &mut self,
        input: &LawInput,
        params: &AdaptiveParams,
        settle: Duration,
    ) -> Option<BitRate> {
        let rate =
            input.load.newest_delivery_rate?.scaled(params.cross_room).max(input.limits.floor);
        let is_early = self.last.is_some_and(|last| input.now.since(last) < settle);
        if is_early || rate.scaled(params.cross_worth) >= input.current {
            return None;
        }
        self.last = Some(input.now);
        Some(rate)
    }
}

/// Tells whether this direction has to follow the other, whose queue drains.
pub(super) fn is_due(input: &LawInput, params: &AdaptiveParams) -> bool {
    input.other_remaining.is_some_and(|left| left <= params.cross_share) && was_busy(input, params)
}

/// Tells whether this direction was busy lately.
pub(super) fn was_busy(input: &LawInput, params: &AdaptiveParams) -> bool {
    input.load.recent_peak.is_some_and(|peak| peak >= params.cross_busy)
}
