//! The policy `adaptive`: cuts to the estimated capacity, drains the queue, and raises while the
//! shaper limits the traffic.
//!
//! Each cycle it reduces the estimate to a [`Signal`], and one `match` over phase and signal says
//! what follows. [`Phase`] has the diagram; `docs/control-law.md` explains the rules.

mod bypass_policy;
mod cross_direction;
mod idle_decay;
mod raise;
mod signal;

use std::{cmp::Ordering, time::Duration};

use bypass_policy::BypassPolicy;
use cross_direction::CrossDirection;
use idle_decay::IdleDecay;
use raise::Raise;
use signal::Signal;

use super::{Limits, Phase, Policy, RateDecision, Reason};
use crate::{
    MeasurementState,
    estimate::{Applied, Disregard, DrainPlan, Estimate, StandingQueue},
    params::{AdaptiveParams, Params},
    units::{BitRate, Delay},
};

/// A phase, with what has to be known as long as it lasts.
#[derive(Debug, Clone, Default)]
enum State {
    #[default]
    Startup,
    Cruise,
    Probe,
    Drain,
    Decay,
    NoSignal(BypassPolicy),
}

/// The policy.
#[derive(Debug)]
pub(crate) struct Adaptive {
    params: AdaptiveParams,
    /// No back-off follows another sooner.
    settle: Duration,
    /// No drain takes longer.
    max_drain: Duration,
    /// A limit in force within this factor of a rate is that rate.
    tolerance: f64,
    state: State,
    cross_direction: CrossDirection,
    decay: IdleDecay,
    raise: Raise,
}

impl Adaptive {
    pub(crate) fn new(params: &Params) -> Self {
        Self {
            params: params.adaptive,
            settle: params.estimate.cut_response.settle,
            max_drain: params.estimate.cut_response.max_drain,
            tolerance: params.pending.tolerance,
            state: State::default(),
            cross_direction: CrossDirection::default(),
            decay: IdleDecay::default(),
            raise: Raise::default(),
        }
    }

    /// Cuts to just below the capacity, for as long as the queue takes to drain.
    fn cut(&mut self, queue: &StandingQueue, offset: Delay, limits: &Limits) -> RateDecision {
        if queue.from <= limits.floor {
            // Nothing is left to cut, but whether the queue responds can still be seen.
            let plan = self.drain(queue, queue.depth, queue.from, queue.from);
            let plan = DrainPlan { rate: queue.from, resume_rate: queue.from, ..plan };
            let applied = Applied { drain: Some(plan), accepts_queue: true, ..Applied::default() };
            return RateDecision::new(queue.from, Reason::HoldFloor, Phase::Drain).with(applied);
        }
        let plan = self.drain(queue, queue.depth + offset, queue.capacity, queue.estimate);
        let plan = DrainPlan { rate: plan.rate.max(limits.floor), ..plan };
        self.raise.stop();
        self.decay = IdleDecay::default();
        RateDecision::new(plan.rate, Reason::CutQueue, Phase::Drain).with(Applied {
            disregard: Disregard::UntilInForce,
            drain: Some(plan),
            accepts_queue: true,
            ..Applied::default()
        })
    }

    /// Plans how a queue of `depth` leaves a link of `capacity`, to go on just below `estimate`.
    fn drain(
        &self,
        queue: &StandingQueue,
        depth: Delay,
        capacity: BitRate,
        estimate: BitRate,
    ) -> DrainPlan {
        let (params, max_drain) = (&self.params, self.max_drain);
        let share =
            params.drain_max_share - depth.seconds() / params.drain_full_depth.as_secs_f64();
        let share = share.clamp(params.drain_min_share, params.drain_max_share);
        let lasts = Duration::from_secs_f64(depth.seconds().max(0.0) / (1.0 - share));
        DrainPlan {
            from: queue.from,
            rate: capacity.scaled(share),
            resume_rate: estimate.scaled(params.resume_share),
            depth,
            lasts: lasts.min(max_drain),
        }
    }

    fn back_off(&mut self, estimate: &Estimate, limits: &Limits) -> RateDecision {
        let back_off = self.cross_direction.back_off(estimate, limits, &self.params, self.settle);
        let Some(rate) = back_off else {
            return hold(estimate, Reason::HoldNotAttributed, Phase::Drain);
        };
        self.raise.stop();
        let applied = Applied { forgets_capacity: true, ..Applied::default() };
        RateDecision::new(rate, Reason::CutCrossDirection, Phase::Drain).with(applied)
    }

    fn raise(&mut self, estimate: &Estimate, limits: &Limits) -> RateDecision {
        if estimate.desired >= limits.ceiling {
            return hold(estimate, Reason::HoldCeiling, Phase::Cruise);
        }
        if let Some(reason) = self.no_raise(estimate) {
            return hold(estimate, reason, Phase::Cruise);
        }
        let Some(rate) = self.raise.step(estimate, limits.ceiling, &self.params) else {
            return hold(estimate, Reason::RaiseShaperLimited, Phase::Probe);
        };
        self.decay = IdleDecay::default();
        RateDecision::new(rate, Reason::RaiseShaperLimited, Phase::Probe)
    }

    /// What forbids a raise whatever the traffic is.
    fn no_raise(&self, estimate: &Estimate) -> Option<Reason> {
        let in_force = estimate.in_force.unwrap_or(BitRate::ZERO);
        if estimate.desired > in_force.scaled(self.params.raise_ahead) {
            Some(Reason::HoldPending)
        } else if !estimate.sufficient_evidence || estimate.measurement != MeasurementState::Healthy
        {
            Some(Reason::HoldInsufficientEvidence)
        } else {
            None
        }
    }

    fn decay(&mut self, estimate: &Estimate, limits: &Limits) -> RateDecision {
        let (way, tau) = ((estimate.desired, limits.base), self.params.decay_tau);
        let rate = self.decay.step(estimate.now, way, tau, &self.params);
        let phase = if estimate.desired == limits.base { Phase::Cruise } else { Phase::Decay };
        if let Some(reason) = self.no_raise(estimate).filter(|_| rate > estimate.desired) {
            return hold(estimate, reason, phase);
        }
        let reason = match rate.cmp(&estimate.desired) {
            Ordering::Greater => Reason::DecayUp,
            Ordering::Less => Reason::DecayDown,
            Ordering::Equal => Reason::HoldApplicationLimited,
        };
        RateDecision::new(rate, reason, phase)
    }

    /// Without a delay signal, down to `base`.
    fn without_signal(
        &mut self,
        estimate: &Estimate,
        base: BitRate,
        [cut, held]: [Reason; 2],
    ) -> RateDecision {
        let rate = self.decay.without_signal(estimate, base, &self.params);
        let reason = if rate < estimate.desired { cut } else { held };
        RateDecision::new(rate, reason, Phase::NoSignal)
    }

    fn bypassed(
        &mut self,
        bypass: &mut BypassPolicy,
        estimate: &Estimate,
        limits: &Limits,
    ) -> RateDecision {
        let found = bypass.decide(estimate, limits, &self.params, self.tolerance);
        let decision = match found {
            Some((rate, reason)) => RateDecision::new(rate, reason, Phase::NoSignal),
            // What is queued in our shaper leaves no queue elsewhere.
            None if estimate.shaper_limited => hold(estimate, Reason::HoldBypass, Phase::NoSignal),
            None => {
                // The senders may have no more, or a queue may stand: this rate does for both.
                let delivered = estimate.load.delivery_rate.unwrap_or_default();
                let base = limits.base.max(delivered.scaled(self.params.resume_share));
                self.without_signal(estimate, base, [Reason::CutBypass, Reason::HoldBypass])
            }
        };
        decision.with(Applied { trial_from: bypass.trial_from(), ..Applied::default() })
    }
}

impl Policy for Adaptive {
    fn decide(&mut self, estimate: &Estimate, limits: &Limits) -> RateDecision {
        use State::{Cruise, Decay, Drain, NoSignal, Probe, Startup};

        let until_now = Applied { disregard: Disregard::UntilNow, ..Applied::default() };
        let (mut bypass, is_starting) = (BypassPolicy::default(), !estimate.sufficient_evidence);
        let decision = match (std::mem::take(&mut self.state), Signal::of(estimate, &self.params)) {
            // No delay signal: never up, and down to what is known to be safe.
            (Startup | Cruise | Probe | Drain | Decay | NoSignal(_), Signal::NoReplyYet) => {
                hold(estimate, Reason::HoldStarting, Phase::Startup)
            }
            (state @ (Startup | Cruise | Probe | Drain | Decay | NoSignal(_)), Signal::Stalled) => {
                bypass = state.bypass();
                hold(estimate, Reason::HoldStalled, Phase::NoSignal).with(until_now)
            }
            (
                state @ (Startup | Cruise | Probe | Drain | Decay | NoSignal(_)),
                Signal::CannotSend,
            ) => {
                bypass = state.bypass();
                hold(estimate, Reason::HoldCannotSend, Phase::NoSignal).with(until_now)
            }
            (
                state @ (Startup | Cruise | Probe | Drain | Decay | NoSignal(_)),
                Signal::Collapsed,
            ) => {
                bypass = state.bypass();
                let reasons = [Reason::CutCollapsed, Reason::HoldCollapsed];
                self.without_signal(estimate, limits.base, reasons).with(until_now)
            }
            (state @ (Startup | Cruise | Probe | Drain | Decay | NoSignal(_)), Signal::Bypass) => {
                bypass = state.bypass();
                self.bypassed(&mut bypass, estimate, limits)
            }
            (Startup | Cruise | Probe | Drain | Decay | NoSignal(_), Signal::BypassOver) => {
                // What the other direction has lost, it lost without a signal.
                hold(estimate, Reason::HoldBypass, Phase::Cruise)
            }
            // A queue: below the capacity until it is gone.
            (Startup | Cruise | Probe | Drain | Decay | NoSignal(_), Signal::Draining) => {
                let is_least = estimate.desired <= limits.floor;
                let reason = if is_least { Reason::HoldFloor } else { Reason::HoldRefractory };
                hold(estimate, reason, Phase::Drain)
            }
            (Startup | Cruise | Probe | Drain | Decay | NoSignal(_), Signal::Drained(rate)) => {
                let rate = rate.max(estimate.desired);
                RateDecision::new(rate, Reason::RaiseShaperLimited, Phase::Cruise)
            }
            (Startup | Cruise | Probe | Drain | Decay | NoSignal(_), Signal::Ineffective(rate)) => {
                let rate = rate.max(estimate.desired);
                RateDecision::new(rate, Reason::RaiseRollback, Phase::Cruise)
            }
            (Startup | Cruise | Probe | Drain | Decay | NoSignal(_), Signal::Queue(queue)) => {
                self.cut(&queue, estimate.path_offset, limits)
            }
            (Startup | Cruise | Probe | Drain | Decay | NoSignal(_), Signal::OtherQueue) => {
                // A raise that is not in force yet is withdrawn.
                let in_force = estimate.enforced().max(limits.floor);
                let rate = estimate.desired.min(in_force);
                RateDecision::new(rate, Reason::HoldNotAttributed, Phase::Cruise)
            }
            (Startup | Cruise | Probe | Drain | Decay | NoSignal(_), Signal::CrossDirection) => {
                self.back_off(estimate, limits)
            }
            // No queue.
            (Startup, Signal::ShaperLimited) if is_starting => {
                RateDecision { phase: Phase::Startup, ..self.raise(estimate, limits) }
            }
            (Startup, Signal::Idle) if is_starting => {
                RateDecision { phase: Phase::Startup, ..self.decay(estimate, limits) }
            }
            (Startup, Signal::LoadUnknown) if is_starting => {
                hold(estimate, Reason::HoldLoadUnknown, Phase::Startup)
            }
            (Startup, Signal::ApplicationLimited) if is_starting => {
                hold(estimate, Reason::HoldApplicationLimited, Phase::Startup)
            }
            (Startup | Cruise | Probe | Drain | Decay | NoSignal(_), Signal::LoadUnknown) => {
                hold(estimate, Reason::HoldLoadUnknown, Phase::Cruise)
            }
            (Startup | Cruise | Probe | Drain | Decay | NoSignal(_), Signal::ShaperLimited) => {
                self.raise(estimate, limits)
            }
            (
                Startup | Cruise | Probe | Drain | Decay | NoSignal(_),
                Signal::ApplicationLimited,
            ) => hold(estimate, Reason::HoldApplicationLimited, Phase::Cruise),
            (Startup | Cruise | Probe | Drain | Decay | NoSignal(_), Signal::Idle) => {
                self.decay(estimate, limits)
            }
        };
        self.state = State::of(decision.phase, bypass);
        decision
    }
}

impl State {
    fn of(phase: Phase, bypass: BypassPolicy) -> Self {
        match phase {
            Phase::Startup => Self::Startup,
            Phase::Cruise => Self::Cruise,
            Phase::Probe => Self::Probe,
            Phase::Drain => Self::Drain,
            Phase::Decay => Self::Decay,
            Phase::NoSignal => Self::NoSignal(bypass),
        }
    }

    /// Returns what is known of a bypass so far.
    fn bypass(self) -> BypassPolicy {
        match self {
            Self::NoSignal(bypass) => bypass,
            Self::Startup | Self::Cruise | Self::Probe | Self::Drain | Self::Decay => {
                BypassPolicy::default()
            }
        }
    }
}

/// Stays at the rate desired.
fn hold(estimate: &Estimate, reason: Reason, phase: Phase) -> RateDecision {
    RateDecision::new(estimate.desired, reason, phase)
}

#[cfg(test)]
mod tests;
