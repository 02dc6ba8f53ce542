//! What becomes of the operator's order about steering.

use wanctl_core::{
    steering::{
        Manual, Reach, RouteActuation, SteerReason, SteeringDecision, SteeringMode, SwitchKind,
    },
    units::Timestamp,
};

/// What becomes of the operator's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OverrideEffect {
    /// The router does it.
    CarriedOut,
    /// It is decided, but the router has not confirmed it yet.
    Unconfirmed,
    /// Nothing is written to the router.
    OnlyObserved,
    /// The router's rules have not been seen yet.
    KeptUnseen,
    /// The WAN is dead.
    KeptDead,
    /// The rule of the WAN cannot be used.
    KeptNoRule,
}

impl OverrideEffect {
    /// Returns the stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::CarriedOut => "carried_out",
            Self::Unconfirmed => "unconfirmed",
            Self::OnlyObserved => "only_observed",
            Self::KeptUnseen => "kept_unseen",
            Self::KeptDead => "kept_dead",
            Self::KeptNoRule => "kept_no_rule",
        }
    }

    /// Returns the same in plain words.
    #[must_use]
    pub const fn explain(self) -> &'static str {
        match self {
            Self::CarriedOut => "carried out",
            Self::Unconfirmed => "decided, but the router has not confirmed it yet",
            Self::OnlyObserved => "not carried out, because steering only observes",
            Self::KeptUnseen => "kept for later: the router's rules have not been seen yet",
            Self::KeptDead => "kept for later: the WAN is down",
            Self::KeptNoRule => "kept for later: the router has no usable rule for the WAN",
        }
    }

    pub(super) fn of(
        decision: &SteeringDecision,
        actuation: &RouteActuation,
        manual: Manual,
    ) -> Self {
        let is_dead = decision.wans.get(manual.to.0).is_some_and(|wan| wan.reach == Reach::Down);
        let switches = actuation
            .switches
            .iter()
            .filter(|report| matches!(report.switch.kind, SwitchKind::Steer | SwitchKind::Steer6));
        let mut switches =
            switches.filter(|report| report.pending_since.is_some() || report.in_doubt);
        if decision.steer.reason == SteerReason::Unseen {
            Self::KeptUnseen
        } else if decision.steer.reason != SteerReason::Manual {
            if is_dead { Self::KeptDead } else { Self::KeptNoRule }
        } else if decision.mode != SteeringMode::Active {
            Self::OnlyObserved
        } else if decision.steer.moved.is_some() || switches.next().is_some() {
            Self::Unconfirmed
        } else {
            Self::CarriedOut
        }
    }
}

/// Writes a moment as people read it, in UTC.
#[must_use]
pub fn time_of(wall: Timestamp) -> String {
    let moment = jiff::Timestamp::from_microsecond(wall.micros()).unwrap_or_default();
    moment.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}
