//! One direction of a WAN: its load, its state, its law and its rate.

use std::time::Duration;

use super::{DirectionParams, WanParams};
use crate::{
    Actuation, Direction, DirectionCycle, Limits, Load, LoadClass, Measurement, QueueReading,
    ShaperSample,
    estimate::{
        Estimator, Observation,
        attribution::{Attribution, AttributionEvidence},
        bypass::{BypassDetector, FlowObservation},
        counters::Counters,
        evidence::{self, Evidence},
        load::LoadMeter,
        replies::QueueSignal,
        shaper_limited::ShaperLimitedDetector,
        state::StateMachine,
    },
    params::EstimateParams,
    pending::Pending,
    policy::{Phase, Policy, RateDecision},
    units::{BitRate, Delay, MonoTime},
};

/// What both directions of a decision share.
pub(super) struct CycleContext<'a> {
    pub(super) now: MonoTime,
    /// Time since the decision before this one.
    pub(super) dt: Duration,
    pub(super) measurement: Measurement,
    pub(super) evidence: &'a Evidence,
    pub(super) sufficient_evidence: bool,
    pub(super) observe_mode: bool,
    pub(super) serialisation: Delay,
}

/// What is held against one direction.
#[derive(Debug, Clone, Copy)]
pub(super) struct AttributedQueue {
    pub(super) direction: Direction,
    /// The other direction is not shaped.
    pub(super) is_alone: bool,
    pub(super) attribution: Attribution,
    pub(super) queue: Option<QueueSignal>,
    /// What a cut has left of the other direction's rate.
    pub(super) other_remaining: Option<f64>,
}

impl CycleContext<'_> {
    fn path(&self) -> Duration {
        evidence::path(self.measurement.baseline.unwrap_or_default())
    }
}

/// One direction's own state.
#[derive(Debug)]
pub(super) struct ShapedDirection {
    tuning: EstimateParams,
    pub(super) limits: Limits,
    pub(super) estimator: Estimator,
    pub(super) pending: Pending,
    pub(super) policy: Box<dyn Policy>,
    /// The phase of the last decision.
    phase: Phase,
    pub(super) meter: LoadMeter,
    pub(super) machine: StateMachine,
    pub(super) desired: BitRate,
    pub(super) queue: Option<(u64, QueueReading)>,
    pub(super) counters: Counters,
    pub(super) shaper_limited_detector: ShaperLimitedDetector,
    pub(super) actuation: Actuation,
    /// The limit that was in force when that was last known.
    pub(super) last_observed: Option<BitRate>,
    pub(super) bypass: BypassDetector,
}

impl ShapedDirection {
    /// Starts at the base rate.
    pub(super) fn new(wan: &WanParams, params: DirectionParams, now: MonoTime) -> Self {
        let DirectionParams { limits, law } = params;
        let tuning = wan.tuning.estimate;
        Self {
            tuning,
            limits,
            estimator: Estimator::new(&wan.tuning, wan.evidence.queue_threshold),
            pending: Pending::new(wan.tuning.pending, law.while_pending()),
            policy: law.build(wan.thresholds, &wan.tuning),
            phase: Phase::Startup,
            meter: LoadMeter::new(tuning.load),
            machine: StateMachine::new(tuning.state, wan.thresholds, now),
            desired: limits.base,
            queue: None,
            counters: Counters::new(tuning.counters),
            shaper_limited_detector: ShaperLimitedDetector::new(tuning.shaper_limited),
            actuation: Actuation::default(),
            last_observed: None,
            bypass: BypassDetector::new(tuning.bypass),
        }
    }

    /// The limit that the traffic meets: what the router enforces if that is known.
    pub(super) fn in_force(&self) -> BitRate {
        self.last_observed.filter(|limit| *limit > BitRate::ZERO).unwrap_or(self.desired)
    }

    /// Zero is "unlimited" on a router; nothing that is decided goes above the ceiling.
    fn or_ceiling(&self, limit: BitRate) -> BitRate {
        if limit > BitRate::ZERO { limit } else { self.limits.ceiling }
    }

    /// Returns whether the delivery rate may be the capacity, however little of the limit it is.
    pub(super) fn is_used(&self, now: MonoTime) -> bool {
        self.load(now).delivery_rate.is_some_and(|delivery_rate| {
            delivery_rate >= self.limits.floor.scaled(self.tuning.attribution.floor_in_use)
        })
    }

    /// Returns whether traffic waits in the shaper: it is the shaper that limits it.
    fn is_shaper_limited(&self, load: &Load) -> bool {
        load.class != LoadClass::Unknown && self.shaper_limited_detector.is_limited()
    }

    pub(super) fn flow(&self, direction: Direction, now: MonoTime) -> FlowObservation {
        let load = self.load(now);
        let (in_force, shaper_limited) = (self.in_force(), self.is_shaper_limited(&load));
        FlowObservation { direction, delivery_rate: load.delivery_rate, in_force, shaper_limited }
    }

    pub(super) fn attribution_evidence(&self, now: MonoTime) -> AttributionEvidence {
        let load = self.load(now);
        AttributionEvidence {
            shaper_limited: self.is_shaper_limited(&load),
            utilisation: load
                .newest_delivery_rate
                .unwrap_or_default()
                .fraction_of(self.in_force())
                .unwrap_or(0.0),
            share_of_capacity: self
                .estimator
                .capacity()
                .rate()
                .and_then(|bound| load.newest_delivery_rate.unwrap_or_default().fraction_of(bound)),
            growing: self.tuning.attribution.growing,
            falling: load.newest_delivery_rate
                < load.delivery_rate.map(|rate| rate.scaled(self.tuning.attribution.falling)),
        }
    }

    pub(super) fn load(&self, now: MonoTime) -> Load {
        self.meter.load(now, self.in_force())
    }

    pub(super) fn is_quiet(&self, now: MonoTime) -> bool {
        // Against the base rate if the limit is more generous: what the link can be trusted to
        // carry says more about how full it is than what it is allowed to.
        let limit = self.in_force();
        let generous = limit.fraction_of(self.limits.base.min(limit)).unwrap_or(1.0);
        let drained = now.since(self.estimator.last_cut()) >= self.tuning.attribution.after_cut
            || self.estimator.last_cut() == MonoTime::ZERO;
        let peak = self.load(now).recent_peak;
        drained && peak.is_some_and(|peak| peak * generous < self.tuning.load.quiet)
    }

    /// Returns whether no queue of this direction can stand behind the shaper.
    pub(super) fn leaves_no_queue(&self, now: MonoTime) -> bool {
        self.shaper_limited_detector.is_lasting(now) || self.is_quiet(now)
    }

    /// Returns whether so little has flowed lately that the other direction, whose load is not known,
    /// can hardly have carried much: transfers are acknowledged.
    pub(super) fn is_nearly_silent(&self, now: MonoTime) -> bool {
        let peak = self.load(now).recent_peak;
        peak.is_some_and(|peak| self.in_force().scaled(peak) < self.tuning.load.traffic)
    }

    pub(super) fn on_reading(&mut self, sample: &ShaperSample, queue: &QueueReading) {
        if self.queue.is_some_and(|(sequence, _)| sequence == sample.sequence) {
            return;
        }
        let queue = &self.counters.take(sample.at, queue);
        self.queue = Some((sample.sequence, *queue));
        let rate = if queue.limit > BitRate::ZERO { queue.limit } else { self.desired };
        self.meter.update(sample.at, queue, rate);
        self.shaper_limited_detector.update(sample.at, queue, self.meter.filled(rate));
    }

    /// A suspicion cannot be refuted where the other direction's load is not known. It cuts no further
    /// than to the base rate, which the link is trusted to carry.
    fn limits_on(&self, case: &AttributedQueue) -> Limits {
        match case.attribution {
            Attribution::Possible if case.is_alone => {
                Limits { floor: self.limits.base, ..self.limits }
            }
            Attribution::Possible | Attribution::Certain | Attribution::Excluded => self.limits,
        }
    }

    pub(super) fn decide(
        &mut self,
        context: &CycleContext<'_>,
        case: AttributedQueue,
    ) -> DirectionCycle {
        let load = self.load(context.now);
        let AttributedQueue { attribution, queue, .. } = case;
        let attributed = attribution.is_attributed();
        let CycleContext { now, dt, measurement: Measurement { state, delta, .. }, .. } = *context;
        let quorum = context.evidence.quorum(now, self.estimator.last_cut());
        // A delay that is not ours leaves this direction green.
        let noise = context.evidence.noise();
        let measured = delta.filter(|_| state.is_measured());
        let queues = measured.map(|delta| if attributed { delta } else { Delay::ZERO });
        self.machine.update(now, queues, noise.middle());
        // While the router does not answer, what it enforced last is what it most likely enforces.
        let in_force = self.last_observed.map(|limit| self.or_ceiling(limit));
        if let Some(limit) = in_force.filter(|_| context.observe_mode) {
            self.desired = limit;
        }
        let previous = self.desired;
        let limits = self.limits_on(&case);
        let enforcement = self.pending.observe(now, previous, in_force);
        let observed = Observation {
            direction: case.direction,
            now,
            dt,
            desired: previous,
            in_force,
            sufficient_evidence: context.sufficient_evidence,
            measurement: state,
            quorum: quorum.reached,
            attribution,
            shaper_limited: self.is_shaper_limited(&load),
            queue,
            noise,
            serialisation: context.serialisation,
            path: context.path(),
            delta,
            load,
            has_fresh_counters: self.counters.are_fresh(now),
            other_remaining: case.other_remaining,
            plateau: self.bypass.plateau(),
        };
        let estimate = self.estimator.estimate(observed, enforcement, limits.floor);
        let policy = self.policy.as_mut();
        let decision = self.pending.decide(policy, self.phase, &estimate, enforcement, &limits);
        if let Some(applied) = &decision.applied {
            self.estimator.applied(&estimate, applied);
        }
        let RateDecision { rate, reason, phase, .. } = decision.within(limits, previous);
        self.phase = phase;
        self.desired = rate;
        DirectionCycle {
            state: self.machine.state(),
            since: self.machine.since(),
            load,
            attributed,
            queue: self.queue.map(|(_, queue)| queue),
            previous,
            desired: rate,
            reason,
            phase,
            capacity: self.estimator.capacity().while_desired(rate),
            actuation: self.actuation,
        }
    }
}
