//! What a request that went well or failed means for those to come.

use std::time::Duration;

use tracing::{debug, error, info, warn};
use wanctl_core::units::MonoTime;

use super::Actuator;
use crate::{
    clock::Clock,
    router::{RouterError, RouterFault},
};

/// Refusals in a row after which a 401 is taken as one of the password.
const FAILED_AFTER: u32 = 3;

/// Back-off after a failed connection, doubled up to `LONGEST_BACKOFF`.
const FIRST_BACKOFF: Duration = Duration::from_millis(500);
const LONGEST_BACKOFF: Duration = Duration::from_secs(4);
/// Back-off after a request that broke, stayed without an answer or was refused: RouterOS recovers
/// from a confused web server within 1.3 to 2.4 s, but only when it is left alone.
const BROKEN_BACKOFF: Duration = Duration::from_secs(3);
/// Back-off after a refusal: it will be the same at once, and another in a second does no harm.
const REFUSAL_BACKOFF: Duration = Duration::from_secs(1);

/// Returns the back-off after `fault`, the `failures`-th in a row (1 or more).
pub(super) fn backoff(fault: &RouterFault, failures: u32) -> Duration {
    match fault {
        RouterFault::Connect(_) | RouterFault::Untrusted(_) => {
            let doublings = failures.saturating_sub(1).min(8);
            (FIRST_BACKOFF * 2_u32.saturating_pow(doublings)).min(LONGEST_BACKOFF)
        }
        RouterFault::Timeout(_)
        | RouterFault::Reset(_)
        | RouterFault::Unauthorized(_)
        | RouterFault::Overloaded(_)
        | RouterFault::Booting(_)
        | RouterFault::Unparsable(_)
        | RouterFault::NotRouterOs(_) => BROKEN_BACKOFF,
        RouterFault::Policy(_)
        | RouterFault::NotFound(_)
        | RouterFault::Ambiguous(_)
        | RouterFault::Unfit(_)
        | RouterFault::UnknownParameter(_)
        | RouterFault::Rejected(_) => REFUSAL_BACKOFF,
    }
}

impl Actuator {
    /// Records the outcome of a request. After a failure the actuator backs off, and what the router
    /// enforces is unknown until it is read. Logs only the first failure and the recovery.
    pub(super) fn record_outcome(&mut self, failure: Option<RouterError>, now: MonoTime) {
        let transport = self.work.router.inspect.transport();
        let before = self.report.borrow().transport;
        self.work.metrics.transport(transport, before.is_some_and(|before| before != transport));
        let Some(failure) = failure else {
            if self.failures > 0 {
                info!(failures = self.failures, "the router answers again");
                // It may have come back as another: updated, reset, or with queues made anew.
                self.next.findings = self.was_away;
            }
            self.failures = 0;
            self.hangs_since = None;
            self.suspicions = 0;
            self.was_away = false;
            self.report.send_modify(|report| {
                report.up = Some(true);
                report.failure = None;
                report.transport = Some(transport);
                report.last_success = Some(Clock::wall());
            });
            return;
        };
        self.failures = self.failures.saturating_add(1);
        self.was_away |= failure.fault.concerns_all();
        self.reconciler.doubt(now);
        self.switches.doubt(now);
        self.next.queues = MonoTime::ZERO;
        self.rest_until = now + backoff(&failure.fault, self.failures);
        self.hangs_since = matches!(failure.fault, RouterFault::Timeout(_)).then_some(now);
        // Counted by themselves: one refusal after two broken connections is one refusal.
        let may_pass = failure.fault.may_pass();
        self.suspicions = if may_pass { self.suspicions.saturating_add(1) } else { 0 };
        let remedy = self.work.router.inspect.remedy(&failure.fault);
        let is_plain = self.failures == 1 && !may_pass;
        if is_plain || self.suspicions == FAILED_AFTER {
            error!(error = %failure, remedy, "requests to the router fail");
        } else if self.failures == 1 {
            warn!(error = %failure, "a request to the router failed; trying again");
        } else {
            debug!(error = %failure, "requests to the router fail");
        }
        self.report.send_modify(|report| {
            report.up = Some(false);
            report.transport = Some(transport);
            report.failure = Some((failure, remedy));
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_router_that_is_away_is_knocked_at_more_and_more_slowly() {
        let away = RouterFault::Connect("refused".into());
        let pauses: Vec<u128> = (1..=6).map(|n| backoff(&away, n).as_millis()).collect();
        assert_eq!(pauses, [500, 1000, 2000, 4000, 4000, 4000]);
    }

    #[test]
    fn a_confused_router_is_left_alone_for_longer_than_it_stays_confused() {
        for fault in [
            RouterFault::Reset("reset".into()),
            RouterFault::Unauthorized("wanctl".into()),
            RouterFault::Timeout(Duration::from_secs(3)),
        ] {
            assert!(backoff(&fault, 1) >= Duration::from_secs(3), "{fault}");
        }
    }
}
