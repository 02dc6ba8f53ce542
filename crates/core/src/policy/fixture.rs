//! A direction's estimator and policy without a WAN, for tests that make up what is measured.

use std::time::Duration;

use super::{Adaptive, Limits, Phase, Policy, RateDecision, Reason};
use crate::{
    Direction, Load, LoadClass, MeasurementState,
    estimate::{
        Enforcement, Estimate, Estimator, Observation, attribution::Attribution, noise::Noise,
    },
    params::Params,
    units::{BitRate, Delay, MonoTime},
};

pub(crate) fn mbps(rate: f64) -> BitRate {
    BitRate::from_mbps(rate)
}

/// Estimator and policy of one direction.
#[derive(Debug)]
pub(crate) struct Controller<P> {
    pub(crate) limits: Limits,
    pub(crate) estimator: Estimator,
    pub(crate) policy: P,
}

impl Controller<Adaptive> {
    /// The default policy, with limits of 5, 30 and 100 Mbit/s.
    pub(crate) fn adaptive() -> Self {
        let limits = Limits { floor: mbps(5.0), base: mbps(30.0), ceiling: mbps(100.0) };
        Self::new(Adaptive::new(&Params::default()), limits)
    }
}

impl<P: Policy> Controller<P> {
    pub(crate) fn new(policy: P, limits: Limits) -> Self {
        let estimator = Estimator::new(&Params::default(), Delay::from_millis_f64(15.0));
        Self { limits, estimator, policy }
    }

    /// Decides, or holds while a cut is not in force.
    pub(crate) fn decide(&mut self, observed: &Observation) -> RateDecision {
        let pending = Params::default().pending.tolerance;
        let enforcement = match observed.in_force {
            None => Enforcement::InDoubt,
            Some(limit) if limit > observed.desired.scaled(pending) => Enforcement::Pending,
            Some(_) => Enforcement::InForce { was_overdue: false },
        };
        let limits = self.limits;
        self.decide_if(observed, enforcement, |policy, estimate| match enforcement {
            Enforcement::InForce { .. } => policy.decide(estimate, &limits),
            Enforcement::InDoubt | Enforcement::Pending | Enforcement::Overdue => {
                let (rate, reason) = (estimate.desired, Reason::HoldPending);
                RateDecision { rate, reason, phase: Phase::Cruise, applied: None }
            }
        })
    }

    /// Estimates, lets `decide` ask the policy, and gives the decision to the estimator.
    pub(crate) fn decide_if(
        &mut self,
        observed: &Observation,
        enforcement: Enforcement,
        decide: impl FnOnce(&mut P, &Estimate) -> RateDecision,
    ) -> RateDecision {
        let estimate = self.estimator.estimate(*observed, enforcement, self.limits.floor);
        let decision = decide(&mut self.policy, &estimate);
        if let Some(applied) = &decision.applied {
            self.estimator.applied(&estimate, applied);
        }
        decision
    }

    /// Decides for so many seconds; the router follows at once.
    pub(crate) fn last(&mut self, observed: &mut Observation, seconds: u32) -> (BitRate, Reason) {
        let mut decided = (observed.desired, Reason::HoldApplicationLimited);
        for _ in 0..seconds * 20 {
            observed.now = observed.now + observed.dt;
            let decision = self.decide(observed);
            decided = (decision.rate, decision.reason);
            (observed.desired, observed.in_force) = (decision.rate, Some(decision.rate));
        }
        decided
    }
}

/// A download at 60 Mbit/s in force that delivers `delivered` Mbit/s.
pub(crate) fn observation(measurement: MeasurementState, delivered: f64) -> Observation {
    Observation {
        direction: Direction::Download,
        now: MonoTime::ZERO,
        dt: Duration::from_millis(50),
        desired: mbps(60.0),
        in_force: Some(mbps(60.0)),
        measurement,
        sufficient_evidence: true,
        quorum: false,
        attribution: Attribution::Excluded,
        shaper_limited: false,
        queue: None,
        noise: Noise::default(),
        serialisation: Delay::ZERO,
        path: Duration::from_millis(20),
        delta: Some(Delay::ZERO),
        load: Load {
            class: if delivered > 45.0 { LoadClass::High } else { LoadClass::Low },
            delivery_rate: Some(mbps(delivered)),
            newest_delivery_rate: Some(mbps(delivered)),
            recent_peak: Some(delivered / 60.0),
        },
        has_fresh_counters: true,
        other_remaining: None,
        plateau: None,
    }
}
