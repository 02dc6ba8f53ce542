//! The failover machine: which WAN carries everything.
//!
//! ```text
//!                 dead, another WAN is verified healthy
//!   DEFAULT WAN ─────────────────────────────────────────► FAILED OVER ◄─┐ dead, the default WAN does not
//!    ▲                                                        │     │    │ answer, a third is healthy
//!    │ default WAN alive for `failback`, hold-down is over    │     └────┘
//!    ├────────────────────────────────────────────────────────┤
//!    └─────────────── dead, and the default WAN answers ──────┘
//! ```
//!
//! A dead WAN that has begun to answer again is not left while it answers, except for the default
//! WAN: after a common outage traffic stays there, or goes there, whichever WAN is proven up first.

use super::{Blocker, FailoverParams, FailoverReason, Rank};
use crate::units::MonoTime;

/// Which WAN carries everything, and until when it does at least.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DefaultRoute {
    pub(super) rank: Rank,
    pub(super) hold_until: MonoTime,
}

/// The health of the default route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DefaultRouteHealth {
    /// Nothing is known.
    Unknown,
    /// It is not dead.
    Alive,
    /// No WAN's probes can be sent: the fault is on this side.
    NoneCanSend,
    /// It is dead, but has begun to answer again.
    Returning,
    /// It is dead, because none of its probes can be sent.
    CannotSend,
    /// It is dead.
    Dead,
}

/// All that a step depends on.
#[derive(Debug, Clone, Copy)]
pub(super) struct FailoverInputs {
    pub(super) now: MonoTime,
    pub(super) health: DefaultRouteHealth,
    /// The best WAN to fail over to, or why there is none.
    pub(super) alternate: Result<Rank, Blocker>,
    /// The best of the more preferred WANs that has been alive for long enough, or why none is.
    pub(super) preferred: Result<Rank, Blocker>,
    /// Whether the router is ready for a return.
    pub(super) router_ready: Result<(), Blocker>,
}

/// What a step leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FailoverStep {
    pub(super) default_route: DefaultRoute,
    pub(super) reason: FailoverReason,
    pub(super) blocker: Option<Blocker>,
}

impl DefaultRoute {
    /// Takes one step.
    pub(super) fn step(self, inputs: &FailoverInputs, params: &FailoverParams) -> FailoverStep {
        let FailoverInputs { now, health, alternate, preferred, router_ready } = *inputs;
        let moved = |rank: Rank, reason: FailoverReason| FailoverStep {
            default_route: Self { rank, hold_until: now + params.hold_down },
            reason,
            blocker: None,
        };
        let held = |reason: FailoverReason, blocker: Option<Blocker>| FailoverStep {
            default_route: self,
            reason,
            blocker,
        };
        let is_default = self.rank == Rank::DEFAULT_WAN;
        match (health, is_default) {
            (DefaultRouteHealth::Unknown, _) => held(FailoverReason::Stale, None),
            (DefaultRouteHealth::NoneCanSend, _) => held(FailoverReason::NoneCanSend, None),
            (DefaultRouteHealth::Returning, _)
                if is_default || alternate != Ok(Rank::DEFAULT_WAN) =>
            {
                held(FailoverReason::AnswersAgain, None)
            }
            (
                DefaultRouteHealth::Returning
                | DefaultRouteHealth::CannotSend
                | DefaultRouteHealth::Dead,
                _,
            ) => match alternate {
                Ok(rank) if health == DefaultRouteHealth::CannotSend => {
                    moved(rank, FailoverReason::CannotSend)
                }
                Ok(rank) => moved(rank, FailoverReason::NoReplies),
                Err(
                    blocker @ (Blocker::ActionLimit
                    | Blocker::NoSwitch
                    | Blocker::SwitchRefused
                    | Blocker::SwitchesUnknown),
                ) => held(FailoverReason::Blocked, Some(blocker)),
                Err(blocker) => held(FailoverReason::AllDown, Some(blocker)),
            },
            (DefaultRouteHealth::Alive, true) => held(FailoverReason::Healthy, None),
            (DefaultRouteHealth::Alive, false) if now < self.hold_until => {
                held(FailoverReason::HoldDown, Some(Blocker::HoldDown))
            }
            (DefaultRouteHealth::Alive, false) => match (preferred, router_ready) {
                (Ok(rank), Ok(())) => moved(rank, FailoverReason::Failback),
                (Ok(_), Err(blocker)) => held(FailoverReason::FailbackBlocked, Some(blocker)),
                (Err(blocker), _) => held(FailoverReason::FailedOver, Some(blocker)),
            },
        }
    }
}

#[cfg(test)]
mod tests;
