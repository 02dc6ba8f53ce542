//! One direction of a WAN: its load, its state, its law and its rate.

use std::time::Duration;

use super::{DirectionParams, WanParams};
use crate::{
    Actuation, Direction, DirectionCycle, Limits, Load, LoadClass, Measurement, QueueReading,
    ShaperSample,
    estimate::{
        blame::{Blame, Suspect},
        bypass::{BypassDetector, Flow},
        counters::Counters,
        evidence::{self, Evidence},
        load::LoadMeter,
        replies::Finding,
        state::StateMachine,
        waiting::Waiting,
    },
    params::EstimateParams,
    policy::{LawInput, RateLaw, Verdict},
    units::{BitRate, Delay, MonoTime},
};

/// What both directions of a decision share.
pub(super) struct Moment<'a> {
    pub(super) now: MonoTime,
    /// Time since the decision before this one.
    pub(super) dt: Duration,
    pub(super) measurement: Measurement,
    pub(super) evidence: &'a Evidence,
    pub(super) observes: bool,
    pub(super) serialisation: Delay,
}

/// What is held against one direction.
#[derive(Debug, Clone, Copy)]
pub(super) struct Case {
    pub(super) direction: Direction,
    /// The other direction is not shaped.
    pub(super) is_alone: bool,
    pub(super) blame: Blame,
    pub(super) finding: Option<Finding>,
    /// What a cut has left of the other direction's rate.
    pub(super) other_left: Option<f64>,
}

impl Moment<'_> {
    fn path(&self) -> Duration {
        evidence::path(self.measurement.baseline.unwrap_or_default())
    }
}

/// One direction's own state.
#[derive(Debug)]
pub(super) struct Channel {
    tuning: EstimateParams,
    pub(super) limits: Limits,
    pub(super) law: Box<dyn RateLaw>,
    pub(super) meter: LoadMeter,
    pub(super) machine: StateMachine,
    pub(super) desired: BitRate,
    pub(super) queue: Option<(u64, QueueReading)>,
    pub(super) counters: Counters,
    pub(super) waiting: Waiting,
    pub(super) actuation: Actuation,
    /// The limit that was in force when that was last known.
    pub(super) last_observed: Option<BitRate>,
    pub(super) bypass: BypassDetector,
}

impl Channel {
    /// Starts at the base rate.
    pub(super) fn new(wan: &WanParams, params: DirectionParams, now: MonoTime) -> Self {
        let DirectionParams { limits, law } = params;
        let tuning = wan.tuning.estimate;
        Self {
            tuning,
            limits,
            law: law.build(wan.evidence.bloat_threshold, wan.thresholds, &wan.tuning),
            meter: LoadMeter::new(tuning.load),
            machine: StateMachine::new(tuning.state, wan.thresholds, now),
            desired: limits.base,
            queue: None,
            counters: Counters::new(tuning.counters),
            waiting: Waiting::new(tuning.shaper_limited),
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

    /// Tells whether what flows may be all that gets through, however little of the limit it is.
    pub(super) fn is_used(&self, now: MonoTime) -> bool {
        self.load(now).achieved.is_some_and(|achieved| {
            achieved >= self.limits.floor.scaled(self.tuning.attribution.floor_in_use)
        })
    }

    /// Tells whether traffic waits in the shaper: it is the shaper that limits it.
    fn waits(&self, load: &Load) -> bool {
        load.class != LoadClass::Unknown && self.waiting.is_on()
    }

    pub(super) fn flow(&self, direction: Direction, now: MonoTime) -> Flow {
        let load = self.load(now);
        let (in_force, waits) = (self.in_force(), self.waits(&load));
        Flow { direction, got: load.achieved, in_force, waits }
    }

    pub(super) fn suspect(&self, now: MonoTime) -> Suspect {
        let load = self.load(now);
        Suspect {
            waits: self.waits(&load),
            filled: load.newest.unwrap_or_default().fraction_of(self.in_force()).unwrap_or(0.0),
            near_bound: self
                .law
                .bound()
                .and_then(|bound| load.newest.unwrap_or_default().fraction_of(bound)),
            growing: self.tuning.attribution.growing,
            falling: load.newest
                < load.achieved.map(|rate| rate.scaled(self.tuning.attribution.falling)),
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
        let drained = now.since(self.law.last_cut()) >= self.tuning.attribution.after_cut
            || self.law.last_cut() == MonoTime::ZERO;
        let peak = self.load(now).recent_peak;
        drained && peak.is_some_and(|peak| peak * generous < self.tuning.load.quiet)
    }

    /// Tells whether no queue of this direction can stand behind the shaper.
    pub(super) fn leaves_no_queue(&self, now: MonoTime) -> bool {
        self.waiting.is_lasting(now) || self.is_quiet(now)
    }

    /// Tells whether so little has flowed lately that the other direction, whose load is not known,
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
        self.waiting.update(sample.at, queue, self.meter.filled(rate));
    }

    /// A suspicion cannot be refuted where the other direction's load is not known. It cuts no further
    /// than to the base rate, which the link is trusted to carry.
    fn limits_on(&self, case: &Case) -> Limits {
        match case.blame {
            Blame::Suspected if case.is_alone => Limits { floor: self.limits.base, ..self.limits },
            Blame::Suspected | Blame::Proven | Blame::Cleared => self.limits,
        }
    }

    pub(super) fn decide(&mut self, moment: &Moment<'_>, case: Case) -> DirectionCycle {
        let load = self.load(moment.now);
        let Case { blame, finding, .. } = case;
        let blamed = blame.is_blamed();
        let Moment { now, dt, measurement: Measurement { state, delta, .. }, .. } = *moment;
        let verdict = moment.evidence.verdict(now, self.law.last_cut());
        // A delay that is not ours leaves this direction green.
        let noise = moment.evidence.noise();
        let measured = delta.filter(|_| state.is_measured());
        let queues = measured.map(|delta| if blamed { delta } else { Delay::ZERO });
        self.machine.update(now, queues, noise.middle());
        // While the router does not answer, what it enforced last is what it most likely enforces.
        let in_force = self.last_observed.map(|limit| self.or_ceiling(limit));
        if let Some(limit) = in_force.filter(|_| moment.observes) {
            self.desired = limit;
        }
        let previous = self.desired;
        let limits = self.limits_on(&case);
        let verdict = self.law.decide(&LawInput {
            direction: case.direction,
            now,
            dt,
            current: previous,
            in_force,
            trustworthy: moment.evidence.is_trustworthy(now),
            limits,
            measurement: state,
            bloated: verdict.bloated,
            blame,
            waits: self.waits(&load),
            finding,
            noise,
            serialisation: moment.serialisation,
            path: moment.path(),
            delta,
            load,
            is_counted: self.counters.are_fresh(now),
            other_left: case.other_left,
            plateau: self.bypass.plateau(),
        });
        let Verdict { rate, reason } = verdict.within(limits, previous);
        self.desired = rate;
        DirectionCycle {
            state: self.machine.state(),
            since: self.machine.since(),
            load,
            blamed,
            queue: self.queue.map(|(_, queue)| queue),
            previous,
            desired: rate,
            reason,
            capacity: self.law.capacity(rate),
            actuation: self.actuation,
        }
    }
}
