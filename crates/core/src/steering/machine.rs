//! The steering machine: where new latency-sensitive connections go.
//!
//! ```text
//!              congested                for `sustain`, another WAN is fit
//!  DEFAULT ───────────────► CONFIRMING ───────────────────────────────────► STEERED ◄─┐
//!    ▲  ◄─────────────────      │ (at once if dead and another is verified)  │  ▲ to  │ the other WAN
//!    │      no longer           ▼                                            │  │     │ is dead or worse
//!    │                                                                       │  └─────┘ and a third is fit
//!    │ for `recovery.sustain`, not flapping   recovered, `hold_down` is over │
//!    └───────────────────────── RECOVERING ◄─────────────────────────────────┤
//!    ▲                               └─────── no longer ────────────────────►│
//!    └───────────────── the other WAN is dead, or worse ─────────────────────┘
//! ```

use std::time::Duration;

use super::{Blocker, Rank, SteerParams, SteerReason};
use crate::units::MonoTime;

/// State of the machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// With everything else.
    Default,
    /// The same, but the WAN is congested since then.
    Confirming { since: MonoTime },
    /// Over another WAN, at least until then.
    Steered { to: Rank, hold_until: MonoTime },
    /// The same, but the WAN that was left is well since then.
    Recovering { to: Rank, since: MonoTime },
}

impl Phase {
    /// Returns the other WAN, if connections go over one.
    pub(super) const fn alternate(self) -> Option<Rank> {
        match self {
            Self::Default | Self::Confirming { .. } => None,
            Self::Steered { to, .. } | Self::Recovering { to, .. } => Some(to),
        }
    }
}

/// What the WAN that carries everything else is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Condition {
    /// Nothing is known.
    Unknown,
    /// It is dead.
    Dead,
    /// It is dead, but has begun to answer again.
    Returning,
    /// The score is at the threshold.
    AboveThreshold,
    /// Neither congested nor recovered.
    BelowThreshold,
    /// As well as it must be for a return.
    Recovered,
}

/// What the WAN is like that connections were moved to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AlternateHealth {
    /// Good enough, or nothing is known.
    Good,
    /// It is congested, for a while and more than the one that was left.
    Worse,
    /// It is dead.
    Dead,
}

/// All that a step depends on.
#[derive(Debug, Clone, Copy)]
pub(super) struct SteerInputs {
    pub(super) now: MonoTime,
    pub(super) condition: Condition,
    pub(super) alternate_health: AlternateHealth,
    /// The WAN to move to because of congestion, or why there is none.
    pub(super) eligible: Result<Rank, Blocker>,
    /// The WAN to move to from a dead one, or why there is none.
    pub(super) verified: Result<Rank, Blocker>,
    /// How long flap damping still delays the return.
    pub(super) damping: Duration,
    /// Whether the router is ready for a return.
    pub(super) return_ready: Result<(), Blocker>,
}

/// What a step leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SteerStep {
    pub(super) phase: Phase,
    pub(super) reason: SteerReason,
    pub(super) blocker: Option<Blocker>,
}

impl Phase {
    /// Takes one step.
    pub(super) fn step(self, c: &SteerInputs, params: &SteerParams) -> SteerStep {
        use Condition::{AboveThreshold, BelowThreshold, Dead, Recovered, Returning, Unknown};
        match (self, c.condition, c.alternate_health) {
            (Self::Default | Self::Confirming { .. }, Unknown, _) => {
                stay(Self::Default, SteerReason::Stale)
            }
            (Self::Default | Self::Confirming { .. }, BelowThreshold | Recovered, _) => {
                stay(Self::Default, SteerReason::Healthy)
            }
            (Self::Default | Self::Confirming { .. }, Returning, _) => {
                stay(Self::Default, SteerReason::AnswersAgain)
            }
            (Self::Default, AboveThreshold, _) => confirm(c.now, c, params),
            (Self::Confirming { since }, AboveThreshold, _) => confirm(since, c, params),
            (Self::Default | Self::Confirming { .. }, Dead, _) => match c.verified {
                Ok(to) => steered(to, SteerReason::DefaultRouteDown, c, params),
                Err(blocker) => held(Self::Default, SteerReason::AllDown, blocker),
            },

            (Self::Steered { .. } | Self::Recovering { .. }, Dead, AlternateHealth::Dead) => {
                match c.verified {
                    Ok(to) => steered(to, SteerReason::AlternateDown, c, params),
                    Err(blocker) => held(self, SteerReason::AllDown, blocker),
                }
            }
            (
                Self::Steered { .. } | Self::Recovering { .. },
                Unknown | Returning | AboveThreshold | BelowThreshold | Recovered,
                AlternateHealth::Dead,
            ) => stay(Self::Default, SteerReason::AlternateDown),

            (
                Self::Steered { hold_until, .. },
                AboveThreshold | BelowThreshold,
                AlternateHealth::Worse,
            ) if c.now >= hold_until => match (c.eligible, c.return_ready) {
                (_, Err(blocker)) => held(self, SteerReason::NotRecovered, blocker),
                (Ok(to), Ok(())) => steered(to, SteerReason::AlternateWorse, c, params),
                (Err(_), Ok(())) => stay(Self::Default, SteerReason::AlternateWorse),
            },
            (
                Self::Steered { to, hold_until },
                Recovered,
                AlternateHealth::Good | AlternateHealth::Worse,
            ) => {
                if c.now >= hold_until {
                    recover(to, c.now, c, params)
                } else {
                    held(self, SteerReason::HoldDown, Blocker::HoldDown)
                }
            }
            (
                Self::Recovering { to, since },
                Recovered,
                AlternateHealth::Good | AlternateHealth::Worse,
            ) => recover(to, since, c, params),
            (Self::Steered { .. }, Unknown, AlternateHealth::Good | AlternateHealth::Worse) => {
                stay(self, SteerReason::Stale)
            }
            (
                Self::Steered { .. },
                Dead | Returning | AboveThreshold | BelowThreshold,
                AlternateHealth::Good | AlternateHealth::Worse,
            ) => stay(self, SteerReason::NotRecovered),
            (
                Self::Recovering { to, .. },
                Unknown | Dead | Returning | AboveThreshold | BelowThreshold,
                AlternateHealth::Good | AlternateHealth::Worse,
            ) => stay(Self::Steered { to, hold_until: c.now }, SteerReason::NotRecovered),
        }
    }
}

fn stay(phase: Phase, reason: SteerReason) -> SteerStep {
    SteerStep { phase, reason, blocker: None }
}

fn held(phase: Phase, reason: SteerReason, blocker: Blocker) -> SteerStep {
    SteerStep { phase, reason, blocker: Some(blocker) }
}

fn steered(to: Rank, reason: SteerReason, c: &SteerInputs, params: &SteerParams) -> SteerStep {
    stay(Phase::Steered { to, hold_until: c.now + params.hold_down }, reason)
}

fn confirm(since: MonoTime, c: &SteerInputs, params: &SteerParams) -> SteerStep {
    let phase = Phase::Confirming { since };
    if c.now.since(since) < params.sustain {
        return held(phase, SteerReason::Confirming, Blocker::Sustain);
    }
    match c.eligible {
        Ok(to) => steered(to, SteerReason::Steer, c, params),
        Err(blocker) => held(phase, SteerReason::Blocked, blocker),
    }
}

fn recover(to: Rank, since: MonoTime, c: &SteerInputs, params: &SteerParams) -> SteerStep {
    let phase = Phase::Recovering { to, since };
    if c.now.since(since) < params.recovery.sustain {
        return held(phase, SteerReason::Recovering, Blocker::RecoverySustain);
    }
    // On a congested WAN connections gain nothing by waiting.
    if !c.damping.is_zero() && c.alternate_health == AlternateHealth::Good {
        return held(phase, SteerReason::Recovering, Blocker::FlapDamping);
    }
    match c.return_ready {
        Ok(()) => stay(Phase::Default, SteerReason::Return),
        Err(blocker) => held(phase, SteerReason::Recovering, blocker),
    }
}

#[cfg(test)]
mod tests;
