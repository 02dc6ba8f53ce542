//! The steering machine: where new latency-sensitive connections go.
//!
//! ```text
//!               suffers                 for `sustain`, another WAN is fit
//!   HOME ─────────────────► CONFIRMING ───────────────────────────────────► STEERED ◄─┐
//!    ▲  ◄─────────────────      │ (at once if dead and another is verified)  │  ▲ to  │ the other WAN
//!    │      no longer           ▼                                            │  │     │ is dead or worse
//!    │                                                                       │  └─────┘ and a third is fit
//!    │ for `recovery.sustain`, not relapsing  recovered, `hold_down` is over │
//!    └───────────────────────── RECOVERING ◄─────────────────────────────────┤
//!    ▲                               └─────── no longer ────────────────────►│
//!    └───────────────── the other WAN is dead, or worse ─────────────────────┘
//! ```

use std::time::Duration;

use super::{Blocker, Rank, SteerParams, SteerReason};
use crate::units::MonoTime;

/// Where the machine stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// With everything else.
    Home,
    /// The same, but the WAN suffers since then.
    Confirming { since: MonoTime },
    /// Over another WAN, at least until then.
    Steered { to: Rank, hold_until: MonoTime },
    /// The same, but the WAN that was left is well since then.
    Recovering { to: Rank, since: MonoTime },
}

impl Phase {
    /// Returns the other WAN, if connections go over one.
    pub(super) const fn refuge(self) -> Option<Rank> {
        match self {
            Self::Home | Self::Confirming { .. } => None,
            Self::Steered { to, .. } | Self::Recovering { to, .. } => Some(to),
        }
    }
}

/// What the WAN that carries everything else is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Condition {
    /// Nothing is known.
    Unclear,
    /// It is dead.
    Dead,
    /// It is dead, but has begun to answer again.
    Returning,
    /// The score is at the threshold.
    Suffers,
    /// Neither suffering nor recovered.
    Middling,
    /// As well as it must be for a return.
    Recovered,
}

/// What the WAN is like that connections were moved to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refuge {
    /// Good enough, or nothing is known.
    Good,
    /// It suffers, for a while and more than the one that was left.
    Worse,
    /// It is dead.
    Dead,
}

/// All that a step depends on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Circumstances {
    pub(super) now: MonoTime,
    pub(super) condition: Condition,
    pub(super) refuge: Refuge,
    /// The WAN to move to for comfort, or why there is none.
    pub(super) fit: Result<Rank, Blocker>,
    /// The WAN to move to in need, or why there is none.
    pub(super) verified: Result<Rank, Blocker>,
    /// How long the recovery of a WAN that keeps relapsing is not believed yet.
    pub(super) patience: Duration,
    /// Whether the router is ready for a return.
    pub(super) back: Result<(), Blocker>,
}

/// What a step leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) phase: Phase,
    pub(super) reason: SteerReason,
    pub(super) blocker: Option<Blocker>,
}

impl Phase {
    /// Takes one step.
    pub(super) fn step(self, c: &Circumstances, params: &SteerParams) -> Step {
        use Condition::{Dead, Middling, Recovered, Returning, Suffers, Unclear};
        match (self, c.condition, c.refuge) {
            (Self::Home | Self::Confirming { .. }, Unclear, _) => {
                stay(Self::Home, SteerReason::Stale)
            }
            (Self::Home | Self::Confirming { .. }, Middling | Recovered, _) => {
                stay(Self::Home, SteerReason::Well)
            }
            (Self::Home | Self::Confirming { .. }, Returning, _) => {
                stay(Self::Home, SteerReason::AnswersAgain)
            }
            (Self::Home, Suffers, _) => confirm(c.now, c, params),
            (Self::Confirming { since }, Suffers, _) => confirm(since, c, params),
            (Self::Home | Self::Confirming { .. }, Dead, _) => match c.verified {
                Ok(to) => steered(to, SteerReason::HomeDown, c, params),
                Err(blocker) => held(Self::Home, SteerReason::AllDown, blocker),
            },

            (Self::Steered { .. } | Self::Recovering { .. }, Dead, Refuge::Dead) => {
                match c.verified {
                    Ok(to) => steered(to, SteerReason::AlternateDown, c, params),
                    Err(blocker) => held(self, SteerReason::AllDown, blocker),
                }
            }
            (
                Self::Steered { .. } | Self::Recovering { .. },
                Unclear | Returning | Suffers | Middling | Recovered,
                Refuge::Dead,
            ) => stay(Self::Home, SteerReason::AlternateDown),

            (Self::Steered { hold_until, .. }, Suffers | Middling, Refuge::Worse)
                if c.now >= hold_until =>
            {
                match (c.fit, c.back) {
                    (_, Err(blocker)) => held(self, SteerReason::Suffers, blocker),
                    (Ok(to), Ok(())) => steered(to, SteerReason::AlternateWorse, c, params),
                    (Err(_), Ok(())) => stay(Self::Home, SteerReason::AlternateWorse),
                }
            }
            (Self::Steered { to, hold_until }, Recovered, Refuge::Good | Refuge::Worse) => {
                if c.now >= hold_until {
                    recover(to, c.now, c, params)
                } else {
                    held(self, SteerReason::HoldDown, Blocker::HoldDown)
                }
            }
            (Self::Recovering { to, since }, Recovered, Refuge::Good | Refuge::Worse) => {
                recover(to, since, c, params)
            }
            (Self::Steered { .. }, Unclear, Refuge::Good | Refuge::Worse) => {
                stay(self, SteerReason::Stale)
            }
            (
                Self::Steered { .. },
                Dead | Returning | Suffers | Middling,
                Refuge::Good | Refuge::Worse,
            ) => stay(self, SteerReason::Suffers),
            (
                Self::Recovering { to, .. },
                Unclear | Dead | Returning | Suffers | Middling,
                Refuge::Good | Refuge::Worse,
            ) => stay(Self::Steered { to, hold_until: c.now }, SteerReason::Suffers),
        }
    }
}

fn stay(phase: Phase, reason: SteerReason) -> Step {
    Step { phase, reason, blocker: None }
}

fn held(phase: Phase, reason: SteerReason, blocker: Blocker) -> Step {
    Step { phase, reason, blocker: Some(blocker) }
}

fn steered(to: Rank, reason: SteerReason, c: &Circumstances, params: &SteerParams) -> Step {
    stay(Phase::Steered { to, hold_until: c.now + params.hold_down }, reason)
}

fn confirm(since: MonoTime, c: &Circumstances, params: &SteerParams) -> Step {
    let phase = Phase::Confirming { since };
    if c.now.since(since) < params.sustain {
        return held(phase, SteerReason::Confirming, Blocker::Sustain);
    }
    match c.fit {
        Ok(to) => steered(to, SteerReason::Steer, c, params),
        Err(blocker) => held(phase, SteerReason::Blocked, blocker),
    }
}

fn recover(to: Rank, since: MonoTime, c: &Circumstances, params: &SteerParams) -> Step {
    let phase = Phase::Recovering { to, since };
    if c.now.since(since) < params.recovery.sustain {
        return held(phase, SteerReason::Recovering, Blocker::RecoverySustain);
    }
    // Where connections suffer they gain nothing by waiting.
    if !c.patience.is_zero() && c.refuge == Refuge::Good {
        return held(phase, SteerReason::Recovering, Blocker::Relapsing);
    }
    match c.back {
        Ok(()) => stay(Phase::Home, SteerReason::Return),
        Err(blocker) => held(phase, SteerReason::Recovering, blocker),
    }
}

#[cfg(test)]
mod tests;
