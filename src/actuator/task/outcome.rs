//! What a request that went well or failed means for those to come.

use tracing::{debug, error, info, warn};
use wanctl_core::units::MonoTime;

use super::{Actuator, request_backoff};
use crate::{
    clock::Clock,
    router::{RouterError, RouterFault},
};

/// Refusals in a row after which a 401 is taken as one of the password.
const FAILED_AFTER: u32 = 3;

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
        self.rest_until = now + request_backoff::after(&failure.fault, self.failures);
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
