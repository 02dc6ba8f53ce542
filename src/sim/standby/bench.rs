//! Puts steering on two closed loops in step.

use std::time::Duration;

use super::{Figures, Setting, figures::Packet};
use crate::{
    control::{Actuation, Cycle, Decision, PerDirection, RttSample, ShaperSample, Timing, Wan},
    sim::{
        calls::Calls,
        closed_loop::{CYCLE, ClosedLoop, LoopSpec},
        contest::Scenario,
        pilot::Pilot,
    },
    steering::{
        Diversion, FailoverParams, Move, RouteActuation, SteerParams, Steering, SteeringDecision,
        SteeringMode, SteeringParams, SwitchReport, WanFacts,
    },
    units::{BitRate, Delay, MonoTime, Timestamp},
};

/// Cycles between two decisions of steering, as in the daemon.
const CYCLES_A_TURN: u64 = 2;
/// A link with less than this is dark.
const DARK: BitRate = BitRate::from_bps(1_000);
/// Calls begin every second and last for eight.
const CALL: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(8)];

/// Steering that is tried, with its name.
#[derive(Debug, Clone, Copy)]
pub struct Contest {
    /// Its name.
    pub name: &'static str,
    /// When calls are moved.
    pub steer: SteerParams,
    /// When everything is.
    pub failover: FailoverParams,
}

/// Runs `contest` through `setting`, in virtual time.
#[must_use]
pub fn run(contest: &Contest, setting: &Setting) -> Figures {
    let wans = [&setting.home, &setting.other];
    let mut loops = wans.map(joined);
    let mut steering = Steering::new(params(contest, wans), MonoTime::ZERO);
    let mut calls = Calls::new(CALL[0], CALL[1]);
    let (mut way, mut seen) = (0, RouteActuation::default());
    let mut figures = Figures::new(contest.name, setting);
    let mut now = MonoTime::ZERO;
    for number in 1.. {
        if now.since_start() >= setting.duration {
            break;
        }
        now = now + CYCLE;
        for (wan, (bench, scenario)) in loops.iter_mut().zip(wans).enumerate() {
            let base = Delay::from(scenario.link.base_rtt);
            bench.run(CYCLE, |step| {
                let least = step.capacity.download.min(step.capacity.upload);
                figures.lights(wan, step.now, least < DARK);
                for added in step.judged {
                    figures.packet(wan, Packet::arrived(step.now, base + *added));
                }
                for _ in 0..step.judged_lost {
                    figures.packet(wan, Packet::lost(step.now));
                }
                if let Some(cycle) = step.pilot.cycle(wan, number, step.now) {
                    steering.on_cycle(&cycle);
                }
            });
        }
        if number % CYCLES_A_TURN == 0 {
            steering.on_actuation(seen.clone());
            let decision = steering.decide(now);
            // The router follows by the next turn.
            seen = followed(&decision, &steering, now);
            way = decision.target.sensitive.0;
            let moved = decision.steer.moved;
            figures.decided(
                now,
                moved.map(|Move { to, .. }| to.0),
                decision.failover.moved.is_some(),
            );
        }
        calls.advance(now.since_start(), Some(way));
        figures.cycle(now, [calls.on(0), calls.on(1)], way);
    }
    figures.finish();
    figures
}

fn joined(scenario: &Scenario) -> ClosedLoop<Teller> {
    let params = &scenario.params;
    let base = PerDirection::build(|direction| params.directions[direction].limits.base);
    let spec = LoopSpec { reflectors: params.evidence.reflectors, ..LoopSpec::new(base) };
    ClosedLoop::new(scenario.link.clone(), spec, Teller::new(Wan::new(params, MonoTime::ZERO)))
}

fn params(contest: &Contest, wans: [&Scenario; 2]) -> SteeringParams {
    let fact = |(place, scenario): (usize, &Scenario)| WanFacts {
        name: scenario.name.clone(),
        place,
        limits: PerDirection::build(|way| scenario.params.directions[way].limits),
        metered: false,
        has_steer: place > 0,
        has_steer6: false,
        diversion: (place > 0).then_some(Diversion::Divert),
    };
    SteeringParams {
        mode: SteeringMode::Active,
        wans: wans.into_iter().enumerate().map(fact).collect(),
        steer: contest.steer,
        failover: contest.failover,
    }
}

/// What a router that does as it is told reports.
fn followed(decision: &SteeringDecision, steering: &Steering, now: MonoTime) -> RouteActuation {
    let report = |switch: &crate::steering::Switch| {
        let order = decision.orders.iter().find(|order| order.switch == *switch);
        let enabled = order.filter(|_| decision.acts).is_some_and(|order| order.enabled);
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

/// Our own controller as a pilot that tells its cycles.
#[derive(Debug)]
struct Teller {
    wan: Wan,
    samples: Vec<RttSample>,
    told: Option<(Decision, Vec<RttSample>)>,
}

impl Teller {
    fn new(wan: Wan) -> Self {
        Self { wan, samples: Vec::new(), told: None }
    }

    fn cycle(&self, wan: usize, number: u64, at: MonoTime) -> Option<Cycle> {
        let (decision, samples) = self.told.as_ref()?;
        Some(Cycle {
            wan,
            number,
            at,
            wall: Timestamp::from_micros(0),
            measurement: decision.measurement,
            directions: decision.directions,
            reflectors: decision.reflectors.clone(),
            samples: samples.clone(),
            timing: Timing { interval: CYCLE, ..Timing::default() },
        })
    }
}

impl Pilot for Teller {
    fn on_rtt(&mut self, sample: &RttSample) {
        self.wan.on_rtt(sample);
        self.samples.push(*sample);
    }

    fn on_shaper(&mut self, sample: &ShaperSample) {
        self.wan.on_shaper(sample);
    }

    fn on_actuation(&mut self, actuation: PerDirection<Actuation>) {
        self.wan.on_actuation(actuation);
    }

    fn decide(&mut self, now: MonoTime) -> PerDirection<BitRate> {
        let decision = self.wan.decide(now);
        let desired = PerDirection::build(|direction| decision.directions[direction].desired);
        self.told = Some((decision, std::mem::take(&mut self.samples)));
        desired
    }
}
