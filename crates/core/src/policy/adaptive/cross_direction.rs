//! Cross-direction back-off: a deep cut in one direction backs off the other.
//!
//! A link that loses much of one direction has often lost as much of the other, whose queue comes
//! later: while the first stands, acknowledgements are late and little is sent; when it has drained,
//! windows that filled the old rate come at once. Meanwhile the other direction is left little more
//! than its delivery rate. If its capacity is still there, it is soon found again.

use std::time::Duration;

use crate::{
    estimate::Estimate,
    params::AdaptiveParams,
    policy::Limits,
    units::{BitRate, MonoTime},
};

/// The last back-off.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct CrossDirection {
    last: Option<MonoTime>,
}

impl CrossDirection {
    /// Returns the rate to back off to; `None` if the rate is low enough, or the last back-off was
    /// less than `settle` ago.
    pub(super) fn back_off(
        &mut self,
        estimate: &Estimate,
        limits: &Limits,
        params: &AdaptiveParams,
        settle: Duration,
    ) -> Option<BitRate> {
        let delivered = estimate.load.newest_delivery_rate?;
        let rate = delivered.scaled(params.cross_room).max(limits.floor);
        let is_early = self.last.is_some_and(|last| estimate.now.since(last) < settle);
        if is_early || rate.scaled(params.cross_worth) >= estimate.desired {
            return None;
        }
        self.last = Some(estimate.now);
        Some(rate)
    }
}

/// Returns whether the other direction has lost so much, and this one was so busy, that it has to
/// back off. On a volatile link the directions move apart.
pub(super) fn is_due(estimate: &Estimate, params: &AdaptiveParams) -> bool {
    estimate.other_remaining.is_some_and(|share| share <= params.cross_share)
        && estimate.load.recent_peak.is_some_and(|peak| peak >= params.cross_busy)
        && estimate.capacity.volatility <= params.volatile
}
