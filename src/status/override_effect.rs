//! What becomes of the operator's order about steering.

use wanctl_core::{
    steering::{
        Reach, RouteActuation, SteerOverride, SteerReason, SteeringDecision, SteeringMode,
        SwitchKind,
    },
    units::Timestamp,
};

/// What becomes of the operator's order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "snake_case")]
pub enum OverrideEffect {
    /// The router does it.
    Applied,
    /// It is decided, but not yet confirmed by the router.
    Unconfirmed,
    /// Nothing is written to the router.
    ObserveMode,
    /// The router's rules have not been seen yet.
    DeferredSwitchesUnknown,
    /// The WAN is dead.
    DeferredWanDown,
    /// The rule of the WAN cannot be used.
    DeferredNoSwitch,
}

impl OverrideEffect {
    /// Returns the stable code.
    #[must_use]
    pub fn code(self) -> &'static str {
        self.into()
    }

    /// Returns the same in plain words.
    #[must_use]
    pub const fn explain(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Unconfirmed => "decided, but not yet confirmed by the router",
            Self::ObserveMode => "not applied, because steering is in observe mode",
            Self::DeferredSwitchesUnknown => {
                "deferred: the router's switches have not been read yet"
            }
            Self::DeferredWanDown => "deferred: the WAN is down",
            Self::DeferredNoSwitch => "deferred: the router has no usable rule for the WAN",
        }
    }

    pub(super) fn of(
        decision: &SteeringDecision,
        actuation: &RouteActuation,
        steer_override: SteerOverride,
    ) -> Self {
        let is_dead =
            decision.wans.get(steer_override.to.0).is_some_and(|wan| wan.reach == Reach::Down);
        let switches = actuation.switches.iter().filter(|report| {
            matches!(report.switch.kind, SwitchKind::SteerRule | SwitchKind::SteerRule6)
        });
        let mut switches =
            switches.filter(|report| report.pending_since.is_some() || report.in_doubt);
        if decision.steer.reason == SteerReason::SwitchesUnknown {
            Self::DeferredSwitchesUnknown
        } else if decision.steer.reason != SteerReason::Override {
            if is_dead { Self::DeferredWanDown } else { Self::DeferredNoSwitch }
        } else if decision.mode != SteeringMode::Active {
            Self::ObserveMode
        } else if decision.steer.moved.is_some() || switches.next().is_some() {
            Self::Unconfirmed
        } else {
            Self::Applied
        }
    }
}

/// Writes a moment as people read it, in UTC.
#[must_use]
pub fn time_of(wall: Timestamp) -> String {
    let moment = jiff::Timestamp::from_microsecond(wall.micros()).unwrap_or_default();
    moment.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}
