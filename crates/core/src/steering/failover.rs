//! The failover machine: which WAN carries everything.
//!
//! ```text
//!            dead, another WAN is verified healthy
//!   HOME ─────────────────────────────────────────────► AWAY ◄─┐ dead, home does not answer, and
//!    ▲                                                   │     │ a third is verified healthy
//!    │ home alive for `failback`, `stay` is over         ├─────┘
//!    └───────────────────────────────────────────────────┤
//!    ▲                                                   │
//!    └─────────────────── dead, and home answers ────────┘
//! ```
//!
//! A dead WAN that has begun to answer again is not left while it answers, except for home: after
//! a common outage traffic stays on home, or goes there, whichever WAN is proven up first.

use super::{Blocker, FailoverParams, FailoverReason, Rank};
use crate::units::MonoTime;

/// Which WAN carries everything, and until when it does at least.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Carrier {
    pub(super) rank: Rank,
    pub(super) stay_until: MonoTime,
}

/// What the carrier is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pulse {
    /// Nothing is known.
    Unclear,
    /// It is not dead.
    Alive,
    /// No WAN's probes can be sent: the fault is on this side.
    CannotLook,
    /// It is dead, but has begun to answer again.
    Returning,
    /// It is dead, because none of its probes can be sent.
    Gone,
    /// It is dead.
    Dead,
}

/// All that a step depends on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plight {
    pub(super) now: MonoTime,
    pub(super) pulse: Pulse,
    /// The best WAN to move to in need, or why there is none.
    pub(super) rescue: Result<Rank, Blocker>,
    /// The best of the more preferred WANs that has been alive for long enough, or why none is.
    pub(super) better: Result<Rank, Blocker>,
    /// Whether the router is ready for a return.
    pub(super) ready: Result<(), Blocker>,
}

/// What a step leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Course {
    pub(super) carrier: Carrier,
    pub(super) reason: FailoverReason,
    pub(super) blocker: Option<Blocker>,
}

impl Carrier {
    /// Takes one step.
    pub(super) fn step(self, plight: &Plight, params: &FailoverParams) -> Course {
        let Plight { now, pulse, rescue, better, ready } = *plight;
        let moved = |rank: Rank, reason: FailoverReason| Course {
            carrier: Self { rank, stay_until: now + params.stay },
            reason,
            blocker: None,
        };
        let held = |reason: FailoverReason, blocker: Option<Blocker>| Course {
            carrier: self,
            reason,
            blocker,
        };
        let is_home = self.rank == Rank::HOME;
        match (pulse, is_home) {
            (Pulse::Unclear, _) => held(FailoverReason::Stale, None),
            (Pulse::CannotLook, _) => held(FailoverReason::NoneCanSend, None),
            (Pulse::Returning, _) if is_home || rescue != Ok(Rank::HOME) => {
                held(FailoverReason::AnswersAgain, None)
            }
            (Pulse::Returning | Pulse::Gone | Pulse::Dead, _) => match rescue {
                Ok(rank) if pulse == Pulse::Gone => moved(rank, FailoverReason::CannotSend),
                Ok(rank) => moved(rank, FailoverReason::Silent),
                Err(
                    blocker @ (Blocker::ActionsSpent
                    | Blocker::NoSwitch
                    | Blocker::SwitchRefused
                    | Blocker::Unseen),
                ) => held(FailoverReason::Blocked, Some(blocker)),
                Err(blocker) => held(FailoverReason::AllDown, Some(blocker)),
            },
            (Pulse::Alive, true) => held(FailoverReason::Well, None),
            (Pulse::Alive, false) if now < self.stay_until => {
                held(FailoverReason::Stay, Some(Blocker::HoldDown))
            }
            (Pulse::Alive, false) => match (better, ready) {
                (Ok(rank), Ok(())) => moved(rank, FailoverReason::Failback),
                (Ok(_), Err(blocker)) => held(FailoverReason::FailbackBlocked, Some(blocker)),
                (Err(blocker), _) => held(FailoverReason::Away, Some(blocker)),
            },
        }
    }
}

#[cfg(test)]
mod tests;
