//! One WAN: samples in, a decision with its reasons out.

mod reconfigure;
mod remember;

use std::time::Duration;

use super::{
    Actuation, Direction, DirectionCycle, EvidenceParams, LawKind, Limits, Load, LoadClass,
    Measurement, MeasurementState, PerDirection, QueueReading, ReflectorView, RttSample,
    ShaperSample, StateThresholds,
    baseline::Traffic,
    blame::{Blame, Suspect, Suspects},
    bypass::{BypassDetector, Flow},
    counters::Counters,
    evidence::{self, Evidence},
    law::{LawInput, RateLaw, Verdict},
    load::{self, LoadMeter},
    replies::Finding,
    state::StateMachine,
    waiting::Waiting,
};
use crate::units::{BitRate, Delay, MonoTime};

/// For this long after a cut a queue may still stand, however little flows: no baseline is learned.
const DRAINED_AFTER: Duration = Duration::from_secs(10);

/// A direction whose share of the delay is smaller than this is not to blame for it.
const OWN: f64 = 0.25;
/// Less delay than this is no standing queue.
const CALM: Delay = Delay::from_micros(4_000);
/// A direction in which at least this share of its floor flows is used.
const USED: f64 = 0.5;
/// No excuse holds once a queue has stood for this long.
const EXCUSE: Duration = Duration::from_millis(500);

/// Everything that shapes one WAN's control.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WanParams {
    /// How delay evidence is gathered.
    pub evidence: EvidenceParams,
    /// Where the congestion states begin.
    pub thresholds: StateThresholds,
    /// The bounds and the law of each direction.
    pub directions: PerDirection<DirectionParams>,
}

/// What shapes one direction's rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DirectionParams {
    /// The bounds of the rate.
    pub limits: Limits,
    /// Which law moves it.
    pub law: LawKind,
}

/// The controller of one WAN.
#[derive(Debug)]
pub struct Wan {
    evidence: Evidence,
    directions: PerDirection<Channel>,
    decided: MonoTime,
    /// When no queue stood last.
    calm: MonoTime,
    /// Nobody carries the decisions out.
    observes: bool,
}

/// What one decision of a WAN says; the loop adds its timing and makes it a `Cycle`.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// What the probes say.
    pub measurement: Measurement,
    /// What was decided for each direction.
    pub directions: PerDirection<DirectionCycle>,
    /// Each reflector as it stands.
    pub reflectors: Vec<ReflectorView>,
}

/// What both directions of a decision share.
struct Moment<'a> {
    now: MonoTime,
    /// Time since the decision before this one.
    dt: Duration,
    measurement: Measurement,
    evidence: &'a Evidence,
    observes: bool,
    serialisation: Delay,
}

/// What is held against one direction.
#[derive(Debug, Clone, Copy)]
struct Case {
    direction: Direction,
    blame: Blame,
    finding: Option<Finding>,
    /// What a cut has left of the other direction's rate.
    other_left: Option<f64>,
}

impl Moment<'_> {
    fn path(&self) -> Duration {
        evidence::path(self.measurement.baseline.unwrap_or_default())
    }
}

/// One direction's own state.
#[derive(Debug)]
struct Channel {
    limits: Limits,
    law: Box<dyn RateLaw>,
    meter: LoadMeter,
    machine: StateMachine,
    desired: BitRate,
    queue: Option<(u64, QueueReading)>,
    counters: Counters,
    waiting: Waiting,
    actuation: Actuation,
    /// The limit that was in force when that was last known.
    last_observed: Option<BitRate>,
    bypass: BypassDetector,
}

impl Wan {
    /// Starts at the base rates, knowing nothing.
    #[must_use]
    pub fn new(params: &WanParams, now: MonoTime) -> Self {
        let channel = |direction: Direction| {
            let DirectionParams { limits, law } = params.directions[direction];
            Channel {
                limits,
                law: law.build(params.evidence.bloat_threshold, params.thresholds),
                meter: LoadMeter::default(),
                machine: StateMachine::new(params.thresholds, now),
                desired: limits.base,
                queue: None,
                counters: Counters::default(),
                waiting: Waiting::default(),
                actuation: Actuation::default(),
                last_observed: None,
                bypass: BypassDetector::default(),
            }
        };
        Self {
            evidence: Evidence::new(params.evidence, now),
            directions: PerDirection::build(channel),
            decided: now,
            calm: now,
            observes: false,
        }
    }

    /// Returns a controller whose decisions nobody carries out. Each starts from the limit that is
    /// in force, and says what would be done about that; without this its rates would run away
    /// from a world that does not follow them.
    #[must_use]
    pub fn observing(self) -> Self {
        Self { observes: true, ..self }
    }

    /// Takes the outcome of one probe into account.
    pub fn on_rtt(&mut self, sample: &RttSample) {
        let all = |is_so: fn(&Channel, MonoTime) -> bool| {
            self.directions.each().iter().all(|(_, channel)| is_so(channel, sample.at))
        };
        let traffic = Traffic::of(all(Channel::is_quiet), all(Channel::leaves_no_queue));
        self.evidence.update(sample, traffic);
    }

    /// Takes a reading of the shaper queues into account; one seen before changes nothing.
    pub fn on_shaper(&mut self, sample: &ShaperSample) {
        for direction in Direction::ALL {
            self.directions[direction].on_reading(sample, &sample.queues[direction]);
        }
    }

    /// Takes note of how far the router has followed.
    pub fn on_actuation(&mut self, actuation: PerDirection<Actuation>) {
        for direction in Direction::ALL {
            let channel = &mut self.directions[direction];
            channel.actuation = actuation[direction];
            channel.last_observed = actuation[direction].observed.or(channel.last_observed);
        }
    }

    /// Decides the rates that hold from `now` on.
    pub fn decide(&mut self, now: MonoTime) -> Decision {
        let dt = now.since(self.decided);
        self.decided = now;
        let loads = PerDirection::build(|direction| self.directions[direction].load(now));
        let traffic = loads.each().iter().any(|(_, load)| load.achieved > Some(load::TRAFFIC));
        let mut measurement = self.evidence.measurement(now, traffic);
        let Self { evidence, observes, directions, calm, .. } = self;
        let (noise, delta) = (evidence.noise(), measurement.delta);
        let bypassed = PerDirection::build(|direction| {
            let flow = directions[direction].flow(direction, &loads[direction]);
            directions[direction].bypass.update(now, flow, delta, noise)
        });
        if measurement.state == MeasurementState::Healthy && bypassed.download | bypassed.upload {
            measurement.state = MeasurementState::Bypass;
        }
        let seen = PerDirection::build(|direction| {
            evidence.finding(now, directions[direction].law.last_cut(), direction)
        });
        let standing =
            seen.each().iter().filter_map(|(_, seen)| Some(seen.as_ref()?.standing)).max();
        if standing.unwrap_or(Delay::ZERO) <= CALM {
            *calm = now;
        }
        let stands_long = now.since(*calm) > EXCUSE;
        let suspects = Suspects(PerDirection::build(|direction| {
            directions[direction].suspect(&loads[direction])
        }));
        let blamed = PerDirection::build(|direction| {
            let is_busy = load::blame(&loads[direction], &loads[direction.other()]);
            match seen[direction].filter(|seen| seen.is_own) {
                Some(own) => {
                    let is_enough = stands_long && directions[direction].is_used(&loads[direction]);
                    (is_busy || is_enough)
                        && own.depth >= measurement.delta.unwrap_or(Delay::ZERO).scaled(OWN)
                }
                None => is_busy && (stands_long || !suspects.excuses(direction)),
            }
        });
        let packets =
            PerDirection::build(|direction| load::serialisation(directions[direction].in_force()));
        let serialisation = packets.download + packets.upload;
        let left = PerDirection::build(|direction| {
            directions[direction].law.left(directions[direction].desired)
        });
        let moment = Moment { now, dt, measurement, evidence, observes: *observes, serialisation };
        let directions = PerDirection::build(|direction| {
            let finding = seen[direction];
            let is_sure = finding.is_some_and(|seen| seen.is_own) || !blamed[direction.other()];
            let blame = match (blamed[direction], is_sure) {
                (false, _) => Blame::Cleared,
                (true, false) => Blame::Suspected,
                (true, true) => Blame::Proven,
            };
            let other_left = left[direction.other()];
            let case = Case { direction, blame, finding, other_left };
            directions[direction].decide(&moment, loads[direction], case)
        });
        Decision { measurement, directions, reflectors: self.evidence.views(now) }
    }
}

impl Channel {
    /// The limit that the traffic meets: what the router enforces if that is known.
    fn in_force(&self) -> BitRate {
        self.last_observed.filter(|limit| *limit > BitRate::ZERO).unwrap_or(self.desired)
    }

    /// Zero is "unlimited" on a router; nothing that is decided goes above the ceiling.
    fn or_ceiling(&self, limit: BitRate) -> BitRate {
        if limit > BitRate::ZERO { limit } else { self.limits.ceiling }
    }

    /// Tells whether what flows may be all that gets through, however little of the limit it is.
    fn is_used(&self, load: &Load) -> bool {
        load.achieved.is_some_and(|achieved| achieved >= self.limits.floor.scaled(USED))
    }

    /// Tells whether traffic waits in the shaper: it is the shaper that limits it.
    fn waits(&self, load: &Load) -> bool {
        load.class != LoadClass::Unknown && self.waiting.is_on()
    }

    fn flow(&self, direction: Direction, load: &Load) -> Flow {
        let (in_force, waits) = (self.in_force(), self.waits(load));
        Flow { direction, got: load.achieved, in_force, waits }
    }

    fn suspect(&self, load: &Load) -> Suspect {
        Suspect {
            waits: self.waits(load),
            filled: load.newest.unwrap_or_default().fraction_of(self.in_force()).unwrap_or(0.0),
            near_bound: self
                .law
                .bound()
                .and_then(|bound| load.newest.unwrap_or_default().fraction_of(bound)),
            falling: load.newest < load.achieved.map(|rate| rate.scaled(0.95)),
        }
    }

    fn load(&self, now: MonoTime) -> Load {
        self.meter.load(now, self.in_force())
    }

    fn is_quiet(&self, now: MonoTime) -> bool {
        // Against the base rate if the limit is more generous: what the link can be trusted to
        // carry says more about how full it is than what it is allowed to.
        let limit = self.in_force();
        let generous = limit.fraction_of(self.limits.base.min(limit)).unwrap_or(1.0);
        let drained = now.since(self.law.last_cut()) >= DRAINED_AFTER
            || self.law.last_cut() == MonoTime::ZERO;
        let peak = self.load(now).recent_peak;
        drained && peak.is_some_and(|peak| peak * generous < load::QUIET)
    }

    /// Tells whether no queue of this direction can stand behind the shaper.
    fn leaves_no_queue(&self, now: MonoTime) -> bool {
        self.waiting.is_lasting(now) || self.is_quiet(now)
    }

    fn on_reading(&mut self, sample: &ShaperSample, queue: &QueueReading) {
        if self.queue.is_some_and(|(sequence, _)| sequence == sample.sequence) {
            return;
        }
        let queue = &self.counters.take(sample.at, queue);
        self.queue = Some((sample.sequence, *queue));
        self.waiting.update(sample.at, queue);
        let rate = if queue.limit > BitRate::ZERO { queue.limit } else { self.desired };
        self.meter.update(sample.at, queue, rate);
    }

    fn decide(&mut self, moment: &Moment<'_>, load: Load, case: Case) -> DirectionCycle {
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
        let verdict = self.law.decide(&LawInput {
            direction: case.direction,
            now,
            dt,
            current: previous,
            in_force,
            trustworthy: moment.evidence.is_trustworthy(now),
            limits: self.limits,
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
        let Verdict { rate, reason } = verdict.within(self.limits, previous);
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

#[cfg(test)]
mod tests;
