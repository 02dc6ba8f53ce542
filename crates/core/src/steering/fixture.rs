//! Cycles and sites for the tests of steering.

use std::time::Duration;

use super::{
    FailoverMethod, FailoverParams, Preset, Rank, RouteActuation, Steering, SteeringDecision,
    SteeringMode, SteeringParams, SwitchReport, WanFacts,
};
use crate::{
    Actuation, CongestionState, Cycle, DirectionCycle, Limits, Load, LoadClass, Measurement,
    MeasurementState, PerDirection, ProbeMethod, ProbeOutcome, QueueReading, Reason, ReflectorId,
    ReflectorView, RttSample, Timing,
    units::{BitRate, Delay, MonoTime, Timestamp},
};

/// Time between two cycles, unless a test takes larger steps.
const STEP: Duration = Duration::from_millis(50);
/// Time after which a probe without an answer is lost.
const TIMEOUT: Duration = Duration::from_secs(1);
const REFLECTORS: u16 = 5;

/// What a WAN is like during a cycle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct WanConditions {
    pub(super) state: CongestionState,
    pub(super) delta_ms: f64,
    pub(super) rtt_ms: f64,
    /// Whether targets answer.
    pub(super) answers: bool,
    /// Whether probes can be sent.
    pub(super) sends: bool,
    /// Delivery rate over ceiling; negative for unknown.
    pub(super) share: f64,
    pub(super) at_floor: bool,
}

impl WanConditions {
    pub(super) const HEALTHY: Self = Self {
        state: CongestionState::Green,
        delta_ms: 1.0,
        rtt_ms: 20.0,
        answers: true,
        sends: true,
        share: 0.2,
        at_floor: false,
    };
    /// A queue of 130 ms that the shaper cannot help.
    pub(super) const CONGESTED: Self = Self {
        state: CongestionState::Red,
        delta_ms: 130.0,
        rtt_ms: 150.0,
        at_floor: true,
        ..Self::HEALTHY
    };
    pub(super) const DEAD: Self = Self { answers: false, ..Self::HEALTHY };
    pub(super) const UNSENT: Self = Self { answers: false, sends: false, ..Self::HEALTHY };
}

/// A WAN whose weather can be changed; it keeps what a real one would keep.
#[derive(Debug, Clone)]
pub(super) struct TestWan {
    pub(super) place: usize,
    number: u64,
    last_reply: Option<MonoTime>,
    started: Option<MonoTime>,
    silent_from: Option<MonoTime>,
}

impl TestWan {
    pub(super) fn new(place: usize) -> Self {
        Self { place, number: 0, last_reply: None, started: None, silent_from: None }
    }

    pub(super) fn cycle(&mut self, at: MonoTime, conditions: WanConditions) -> Cycle {
        self.number += 1;
        let started = *self.started.get_or_insert(at);
        if conditions.answers {
            (self.last_reply, self.silent_from) = (Some(at), None);
        }
        let silent_from = *self.silent_from.get_or_insert(at);
        let age = self.last_reply.map(|last| at.since(last));
        let silent = age.is_none_or(|age| age >= Duration::from_millis(1200));
        let is_unsent = !conditions.answers && !conditions.sends;
        let cannot_send_since = Some(silent_from).filter(|_| silent && is_unsent);
        let state = match self.last_reply {
            _ if cannot_send_since.is_some() => MeasurementState::CannotSend,
            None if at.since(started) < Duration::from_secs(3) => MeasurementState::Starting,
            _ if silent => MeasurementState::Stalled,
            _ => MeasurementState::Healthy,
        };
        let ms = Delay::from_millis_f64;
        let known = |delay: Delay| (!silent).then_some(delay);
        let outcome = if conditions.answers {
            Some(ProbeOutcome::Reply(ms(conditions.rtt_ms)))
        } else if !conditions.sends {
            Some(ProbeOutcome::Unsent)
        } else {
            (at.since(silent_from) >= TIMEOUT).then_some(ProbeOutcome::Lost)
        };
        let sample = |outcome| RttSample {
            reflector: ReflectorId(0),
            sequence: self.number,
            at,
            outcome,
            one_way: None,
        };
        let channel = direction(&conditions, self.number);
        Cycle {
            wan: self.place,
            number: self.number,
            at,
            wall: Timestamp::default(),
            measurement: Measurement {
                state,
                fresh: if silent { 0 } else { REFLECTORS },
                delayed: 0,
                quorum: false,
                rtt: known(ms(conditions.rtt_ms)),
                baseline: known(ms(conditions.rtt_ms - conditions.delta_ms)),
                delta: known(ms(conditions.delta_ms)),
                jitter: None,
                noise: None,
                age,
                cannot_send_since,
                provisional: false,
            },
            directions: PerDirection { download: Some(channel), upload: Some(channel) },
            reflectors: (0..REFLECTORS).map(|id| reflector(id, self.last_reply)).collect(),
            samples: outcome.map(sample).into_iter().collect(),
            method: Some(ProbeMethod::IcmpEcho),
            timing: Timing { interval: STEP, ..Timing::default() },
        }
    }
}

fn reflector(id: u16, last_reply: Option<MonoTime>) -> ReflectorView {
    ReflectorView {
        id: ReflectorId(id),
        baseline: None,
        provisional: false,
        delta: None,
        jitter: None,
        loss: 0.0,
        fresh: last_reply.is_some(),
        last_reply,
        dead_since: None,
    }
}

fn limits() -> Limits {
    let [floor, base, ceiling] = [5.0, 50.0, 100.0].map(BitRate::from_mbps);
    Limits { floor, base, ceiling }
}

fn direction(conditions: &WanConditions, number: u64) -> DirectionCycle {
    let Limits { floor, base, ceiling } = limits();
    let known = conditions.share >= 0.0;
    let desired = if conditions.at_floor { floor } else { base };
    DirectionCycle {
        state: conditions.state,
        since: MonoTime::ZERO,
        load: Load {
            class: LoadClass::Unknown,
            delivery_rate: known.then(|| ceiling.scaled(conditions.share)),
            newest_delivery_rate: None,
            recent_peak: None,
        },
        attributed: true,
        queue: Some(QueueReading { bytes: number, ..QueueReading::default() }),
        previous: desired,
        desired,
        reason: Reason::Fixed,
        phase: crate::Phase::Cruise,
        capacity: None,
        actuation: Actuation::default(),
    }
}

pub(super) fn facts(place: usize) -> WanFacts {
    WanFacts {
        name: format!("wan{place}"),
        place,
        limits: PerDirection { download: Some(limits()), upload: Some(limits()) },
        metered: false,
        has_steer: place > 0,
        has_steer6: false,
        failover_method: Some(FailoverMethod::DisableRoute),
    }
}

/// A number of WANs with steering, and a router that applies changes at once by default.
#[derive(Debug, Clone)]
pub(super) struct SteeringFixture {
    pub(super) steering: Steering,
    pub(super) now: MonoTime,
    wans: Vec<TestWan>,
    pub(super) step: Duration,
    pub(super) applies: bool,
    pub(super) last: Option<SteeringDecision>,
    /// When each change was made, and from where to where: (sensitive, default route).
    pub(super) moves: Vec<(MonoTime, &'static str, Rank, Rank)>,
}

pub(super) fn params(wans: usize) -> SteeringParams {
    SteeringParams {
        mode: SteeringMode::Active,
        wans: (0..wans).map(facts).collect(),
        steer: Preset::Balanced.steer(),
        failover: FailoverParams::default(),
    }
}

impl SteeringFixture {
    pub(super) fn new(wans: usize) -> Self {
        Self::with(params(wans))
    }

    pub(super) fn with(params: SteeringParams) -> Self {
        let wans = params.wans.iter().map(|wan| TestWan::new(wan.place)).collect();
        Self {
            steering: Steering::new(params, MonoTime::ZERO),
            now: MonoTime::ZERO,
            wans,
            step: STEP,
            applies: true,
            last: None,
            moves: Vec::new(),
        }
    }

    /// Runs a site without congestion until every WAN is proven up and could be returned to.
    pub(super) fn settled(mut self) -> Self {
        self.step = STEP * 4;
        self.run(150.0, &[WanConditions::HEALTHY; 8]);
        self.step = STEP;
        self
    }

    /// Runs for a while in some weather, one entry a WAN, and returns the last decision.
    pub(super) fn run(&mut self, seconds: f64, conditions: &[WanConditions]) -> SteeringDecision {
        let end = self.now + Duration::from_secs_f64(seconds);
        while self.now < end {
            self.now = self.now + self.step;
            for (wan, conditions) in self.wans.iter_mut().zip(conditions) {
                self.steering.on_cycle(&wan.cycle(self.now, *conditions));
            }
            self.decide();
        }
        self.last.clone().unwrap()
    }

    /// Runs on while no cycles come.
    pub(super) fn run_without_cycles(&mut self, seconds: f64) -> SteeringDecision {
        let end = self.now + Duration::from_secs_f64(seconds);
        while self.now < end {
            self.now = self.now + self.step;
            self.decide();
        }
        self.last.clone().unwrap()
    }

    pub(super) fn decide(&mut self) {
        if self.applies {
            let actuation = applied(&self.steering, self.last.as_ref(), self.now);
            self.steering.on_actuation(actuation);
        }
        let decision = self.steering.decide(self.now);
        for (what, moved) in
            [("sensitive", decision.steer.moved), ("default_route", decision.failover.moved)]
        {
            self.moves.extend(moved.map(|moved| (self.now, what, moved.from, moved.to)));
        }
        self.last = Some(decision);
    }
}

/// A router that has done what the last decision ordered, or rests.
pub(super) fn applied(
    steering: &Steering,
    last: Option<&SteeringDecision>,
    now: MonoTime,
) -> RouteActuation {
    let orders = last.map(|last| last.orders.clone()).unwrap_or_default();
    let report = |switch: &super::Switch| {
        let ordered = orders.iter().find(|order| order.switch == *switch);
        let at_rest = switch.kind == super::SwitchKind::FailoverRoute;
        let enabled = ordered.map_or(at_rest, |order| order.enabled);
        SwitchReport {
            switch: *switch,
            seen: Some((enabled, now)),
            pending_since: None,
            in_doubt: false,
            refused: false,
        }
    };
    RouteActuation { switches: steering.switches().iter().map(report).collect() }
}
