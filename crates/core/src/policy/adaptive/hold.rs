//! Ways not to move.

use super::{LawInput, RateDecision, Reason};
use crate::{MeasurementState, units::BitRate};

/// What forbids a raise however much is asked for.
pub(super) fn no_raise(input: &LawInput, ahead: f64) -> Option<Reason> {
    let in_force = input.in_force.unwrap_or(BitRate::ZERO);
    if input.current > in_force.scaled(ahead) {
        Some(Reason::HoldPending)
    } else if !input.sufficient_evidence || input.measurement != MeasurementState::Healthy {
        Some(Reason::HoldInsufficientEvidence)
    } else {
        None
    }
}

/// Holds, and takes back a raise that is not in force yet.
pub(super) fn withdraw(input: &LawInput, reason: Reason) -> RateDecision {
    let in_force = input.in_force.unwrap_or(input.current).max(input.limits.floor);
    RateDecision { rate: input.current.min(in_force), reason }
}

/// Holds until a cut shows, if there is anything left to cut.
pub(super) fn bide(input: &LawInput) -> RateDecision {
    let is_least = input.current <= input.limits.floor;
    hold(input, if is_least { Reason::HoldFloor } else { Reason::HoldRefractory })
}

/// Stays at the rate desired.
pub(super) fn hold(input: &LawInput, reason: Reason) -> RateDecision {
    RateDecision { rate: input.current, reason }
}
