//! Decisions that the router has not followed yet: what is desired but not in force decides nothing.
//!
//! A policy is asked only while its last decision is in force. Meanwhile the rate holds. A router
//! that has not followed a cut for long hangs, or keeps another limit: the evidence is then about
//! the limit in force, and the newest of it sets the desired rate, so that the first write that
//! succeeds is right.

use crate::{
    estimate::{Applied, Enforcement, Estimate},
    params::PendingParams,
    policy::{Limits, Phase, Policy, RateDecision, Reason, WhilePending},
    units::{BitRate, MonoTime},
};

/// Whether the last decision is in force.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pending {
    params: PendingParams,
    policy: WhilePending,
    since: Option<MonoTime>,
}

impl Pending {
    pub(crate) fn new(params: PendingParams, policy: WhilePending) -> Self {
        Self { params, policy, since: None }
    }

    /// Compares the desired rate with the limit in force.
    pub(crate) fn observe(
        &mut self,
        now: MonoTime,
        desired: BitRate,
        in_force: Option<BitRate>,
    ) -> Enforcement {
        if self.policy == WhilePending::Decide {
            return Enforcement::InForce { was_overdue: false };
        }
        let Some(in_force) = in_force else { return Enforcement::InDoubt };
        let is_overdue = |since| {
            let can_be = self.policy == WhilePending::DecideWhenOverdue;
            can_be && now.since(since) >= self.params.overdue
        };
        if in_force <= desired.scaled(self.params.tolerance) {
            let was_overdue = self.since.is_some_and(is_overdue);
            self.since = None;
            return Enforcement::InForce { was_overdue };
        }
        let since = self.since.unwrap_or(now);
        let is_overdue = is_overdue(since);
        self.since = Some(since);
        if is_overdue { Enforcement::Overdue } else { Enforcement::Pending }
    }

    /// Asks `policy`, unless its last decision, made in `phase`, has to come into force first.
    pub(crate) fn decide(
        &self,
        policy: &mut dyn Policy,
        phase: Phase,
        estimate: &Estimate,
        enforcement: Enforcement,
        limits: &Limits,
    ) -> RateDecision {
        let (rate, reason) = (estimate.desired, Reason::HoldPending);
        let hold = RateDecision { rate, reason, phase, applied: None };
        match enforcement {
            Enforcement::InForce { .. } => policy.decide(estimate, limits),
            Enforcement::InDoubt | Enforcement::Pending => hold,
            Enforcement::Overdue => {
                let is_measured = estimate.measurement.is_measured() && estimate.queue.is_some();
                let is_other = estimate.standing.is_some() && !estimate.attribution.is_attributed();
                if !is_measured || is_other {
                    return hold;
                }
                self.overdue(hold, policy.decide(estimate, limits), estimate)
            }
        }
    }

    /// Limits a decision that is made while a cut is overdue.
    fn overdue(
        &self,
        hold: RateDecision,
        decision: RateDecision,
        estimate: &Estimate,
    ) -> RateDecision {
        let desired = estimate.desired;
        if decision.applied.is_none_or(|applied| applied.drain.is_none()) {
            // No higher than what has done no harm.
            let rate = decision.rate.min(estimate.enforced().max(desired));
            return RateDecision { rate, ..decision };
        }
        // Without counters the first estimate, of the moment in which the delay grew, is the best;
        // and a rate that is low for another reason stays low.
        let may_rise = estimate.is_cut_in_flight && estimate.has_fresh_counters;
        let rate = if may_rise { decision.rate } else { decision.rate.min(desired) };
        let is_same =
            rate.fraction_of(desired).is_some_and(|ratio| (ratio - 1.0).abs() < self.params.same);
        if is_same || rate == desired {
            let applied =
                decision.applied.map(|applied| Applied { accepts_queue: false, ..applied });
            return RateDecision { phase: decision.phase, applied, ..hold };
        }
        RateDecision { rate, ..decision }
    }
}

#[cfg(test)]
mod tests;
