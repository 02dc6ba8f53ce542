//! When to use SSH instead of REST, and when to return. Pure: outcomes and times in, a transport out.
//!
//! ```text
//!          REST ── n transport faults in a row, over a while ────► SSH
//!            ▲                                                      │
//!            └── m good checks of REST in a row, or one ◄───────────┘
//!                while SSH itself fails
//! ```

use std::time::Duration;

use wanctl_core::units::MonoTime;

use super::TransportFailoverParams;
use crate::router::{RouterFault, Transport};

/// The transport in use, and what decides about the other.
#[derive(Debug)]
pub(super) struct TransportFailover {
    failover_params: TransportFailoverParams,
    state: State,
}

#[derive(Debug)]
enum State {
    Rest {
        /// When the failures in a row began, and how many there are.
        problem: Option<(MonoTime, u32)>,
    },
    Ssh {
        next_check: MonoTime,
        pause: Duration,
        is_looking: bool,
        good_checks: u32,
        /// Whether SSH does no better than REST did.
        fails: bool,
    },
}

impl TransportFailover {
    pub(super) const fn new(failover_params: TransportFailoverParams) -> Self {
        Self { failover_params, state: State::Rest { problem: None } }
    }

    /// Returns the transport to use.
    pub(super) const fn active(&self) -> Transport {
        match self.state {
            State::Rest { .. } => Transport::Rest,
            State::Ssh { .. } => Transport::Ssh,
        }
    }

    /// Records the outcome of a request.
    pub(super) fn answered(
        &mut self,
        transport: Transport,
        fault: Option<&RouterFault>,
        now: MonoTime,
    ) {
        match (&mut self.state, transport) {
            (State::Rest { problem }, Transport::Rest) => {
                // A refusal came over a transport that works.
                if !fault.is_some_and(RouterFault::is_transport_fault) {
                    *problem = None;
                    return;
                }
                let (since, failures) = problem.map_or((now, 1), |(since, n)| (since, n + 1));
                *problem = Some((since, failures));
                let TransportFailoverParams { failures: enough, sustained, first_check, .. } =
                    self.failover_params;
                if failures >= enough && now.since(since) >= sustained {
                    self.state = State::Ssh {
                        next_check: now + first_check,
                        pause: first_check,
                        is_looking: false,
                        good_checks: 0,
                        fails: false,
                    };
                }
            }
            (State::Ssh { next_check, fails, .. }, Transport::Ssh) => {
                // A refused login over SSH is a transport that does not work.
                *fails = fault.is_some_and(|fault| {
                    fault.is_transport_fault() || matches!(fault, RouterFault::Unauthorized(_))
                });
                if *fails {
                    *next_check = (*next_check).min(now + self.failover_params.sustained);
                }
            }
            // The outcome of a request that was in flight when the transport changed.
            (State::Rest { .. }, Transport::Ssh) | (State::Ssh { .. }, Transport::Rest) => {}
        }
    }

    /// Returns whether REST is to be checked now, at most once until [`TransportFailover::checked`].
    pub(super) fn begin_check(&mut self, now: MonoTime) -> bool {
        match &mut self.state {
            State::Ssh { next_check, is_looking, .. } if !*is_looking && now >= *next_check => {
                *is_looking = true;
                true
            }
            State::Ssh { .. } | State::Rest { .. } => false,
        }
    }

    /// Records the result of a check.
    pub(super) fn checked(&mut self, is_healthy: bool, now: MonoTime) {
        let TransportFailoverParams { first_check, longest_backoff, good_checks: enough, .. } =
            self.failover_params;
        let State::Ssh { next_check, pause, is_looking, good_checks, fails } = &mut self.state
        else {
            return;
        };
        *is_looking = false;
        *good_checks = if is_healthy { good_checks.saturating_add(1) } else { 0 };
        *pause =
            if is_healthy { first_check } else { pause.saturating_mul(2).min(longest_backoff) };
        *next_check = now + *pause;
        if is_healthy && (*fails || *good_checks >= enough) {
            self.state = State::Rest { problem: None };
        }
    }
}

#[cfg(test)]
mod tests;
