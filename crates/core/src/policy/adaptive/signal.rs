//! What an estimate says, as far as it matters to the policy.

use super::cross_direction;
use crate::{
    LoadClass, MeasurementState,
    estimate::{Estimate, Response, StandingQueue},
    params::AdaptiveParams,
    units::BitRate,
};

/// What the estimate says, as far as it matters.
#[derive(Debug, Clone, Copy)]
pub(super) enum Signal {
    /// No reflector has answered yet.
    NoReplyYet,
    /// No reflector answers, and no traffic flows.
    Stalled,
    /// No probe can be sent.
    CannotSend,
    /// No reflector answers, although traffic flows.
    Collapsed,
    /// The probes bypass the queue.
    Bypass,
    /// They have just seen it again.
    BypassOver,
    /// A queue drains as expected.
    Draining,
    /// A queue has drained.
    Drained(BitRate),
    /// Cuts did not reduce the delay.
    Ineffective(BitRate),
    /// A queue of this direction.
    Queue(StandingQueue),
    /// A queue that is not attributed to this direction.
    OtherQueue,
    /// No queue, but the other direction has lost much of its rate.
    CrossDirection,
    /// No queue, and the counters are missing.
    LoadUnknown,
    /// No queue, and the shaper limits the traffic.
    ShaperLimited,
    /// No queue, and the sender limits the traffic to less than the rate.
    ApplicationLimited,
    /// No queue, and little traffic.
    Idle,
}

impl Signal {
    /// Reduces an estimate to what matters.
    pub(super) fn of(estimate: &Estimate, params: &AdaptiveParams) -> Self {
        match estimate.measurement {
            MeasurementState::Starting => return Self::NoReplyYet,
            MeasurementState::Stalled => return Self::Stalled,
            MeasurementState::CannotSend => return Self::CannotSend,
            MeasurementState::Collapsed => return Self::Collapsed,
            MeasurementState::Bypass => return Self::Bypass,
            MeasurementState::Healthy | MeasurementState::Reduced => {}
        }
        if estimate.is_bypass_over {
            return Self::BypassOver;
        }
        match (estimate.response, estimate.standing) {
            (Response::Draining, _) => Self::Draining,
            (Response::Drained(rate), _) => Self::Drained(rate),
            (Response::Ineffective(rate), _) => Self::Ineffective(rate),
            (Response::None | Response::Remains, Some(queue)) => {
                if estimate.attribution.is_attributed() {
                    Self::Queue(queue)
                } else {
                    Self::OtherQueue
                }
            }
            (Response::None | Response::Remains, None) => {
                if cross_direction::is_due(estimate, params) {
                    Self::CrossDirection
                } else {
                    Self::of_traffic(estimate, params)
                }
            }
        }
    }

    /// The signal without a standing queue.
    fn of_traffic(estimate: &Estimate, params: &AdaptiveParams) -> Self {
        let is_volatile = estimate.capacity.volatility > params.volatile;
        let is_below_typical =
            || estimate.capacity.expected().is_some_and(|typical| typical > estimate.desired);
        match estimate.load.class {
            LoadClass::Unknown => Self::LoadUnknown,
            _ if estimate.is_filled => Self::ShaperLimited,
            // On a volatile link the last delivery rate says little: transfers grow if they can.
            LoadClass::High if is_volatile => Self::ShaperLimited,
            LoadClass::Low if is_volatile && is_below_typical() => Self::ShaperLimited,
            LoadClass::High => Self::ApplicationLimited,
            LoadClass::Low | LoadClass::Idle => Self::Idle,
        }
    }
}
