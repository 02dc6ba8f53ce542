//! Steering that is tried, and where it sends calls.

use std::time::Duration;

use wanctl_core::{
    steering::{
        Diversion, FailoverParams, RouteActuation, SteerParams, Steering, SteeringDecision,
        SteeringMode, SteeringParams, Switch, SwitchReport, WanFacts,
    },
    units::MonoTime,
};

use crate::{
    closed_loop::CYCLE, law_benchmark::Scenario, sensitive_connections::SensitiveConnections,
};

/// Cycles between two decisions of steering, as in the daemon.
const CYCLES_A_TURN: u64 = 2;
/// Calls begin every second and last for eight.
pub(super) const CALL: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(8)];

/// Steering that is tried, with its name.
#[derive(Debug, Clone, Copy)]
pub struct Candidate {
    /// Its name.
    pub name: &'static str,
    /// When calls are moved.
    pub steer: SteerParams,
    /// When everything is.
    pub failover: FailoverParams,
}

/// Where calls were sent.
#[derive(Debug, Clone)]
pub(super) struct Placement {
    open: SensitiveConnections,
    wan: usize,
    /// Calls on each WAN, by cycle.
    pub(super) calls: Vec<[u32; 2]>,
    /// Cycles in which new calls took the other WAN.
    pub(super) away: u32,
    /// When the WAN of new calls changed.
    pub(super) changes: Vec<MonoTime>,
}

impl Placement {
    fn new() -> Self {
        let open = SensitiveConnections::new(CALL[0], CALL[1]);
        Self { open, wan: 0, calls: vec![[0, 0]], away: 0, changes: Vec::new() }
    }

    /// Sends the calls that begin in each second as `plan` says.
    pub(super) fn by(plan: &[usize]) -> Self {
        let mut sent = Self::new();
        let mut now = MonoTime::ZERO;
        while let Some(wan) = plan.get(usize::try_from(now.since_start().as_secs()).unwrap_or(0)) {
            now = now + CYCLE;
            sent.cycle(now, *wan);
        }
        sent
    }

    fn cycle(&mut self, now: MonoTime, wan: usize) {
        if wan != self.wan {
            self.changes.push(now);
        }
        self.wan = wan;
        self.open.advance(now.since_start(), Some(wan));
        self.calls.push([self.open.on(0), self.open.on(1)]);
        self.away += u32::from(wan != 0);
    }
}

/// Steering with a router that does as it is told.
#[derive(Debug)]
pub(super) struct CandidateRun {
    pub(super) name: String,
    pub(super) steering: Steering,
    seen: RouteActuation,
    wan: usize,
    pub(super) sent: Placement,
    /// How often calls alone, and how often everything was moved.
    pub(super) moves: [u32; 2],
}

impl CandidateRun {
    pub(super) fn new(candidate: &Candidate, wans: [&Scenario; 2]) -> Self {
        Self {
            name: candidate.name.to_owned(),
            steering: Steering::new(params(candidate, wans), MonoTime::ZERO),
            seen: RouteActuation::default(),
            wan: 0,
            sent: Placement::new(),
            moves: [0, 0],
        }
    }

    /// Goes on after the cycle with this number.
    pub(super) fn go_on(&mut self, number: u64, now: MonoTime) {
        if number.is_multiple_of(CYCLES_A_TURN) {
            self.steering.on_actuation(self.seen.clone());
            let decision = self.steering.decide(now);
            // The router follows by the next turn.
            self.seen = followed(&decision, &self.steering, now);
            self.wan = decision.target.sensitive.0;
            let everything = decision.failover.moved.is_some();
            let calls = decision.steer.moved.is_some() && !everything;
            self.moves[0] += u32::from(calls);
            self.moves[1] += u32::from(everything);
        }
        self.sent.cycle(now, self.wan);
    }
}

fn params(candidate: &Candidate, wans: [&Scenario; 2]) -> SteeringParams {
    let fact = |(place, scenario): (usize, &Scenario)| WanFacts {
        name: scenario.name.clone(),
        place,
        limits: scenario.params.limits(),
        metered: false,
        has_steer: place > 0,
        has_steer6: false,
        diversion: (place > 0).then_some(Diversion::Divert),
    };
    SteeringParams {
        mode: SteeringMode::Active,
        wans: wans.into_iter().enumerate().map(fact).collect(),
        steer: candidate.steer,
        failover: candidate.failover,
    }
}

/// What a router that does as it is told reports.
fn followed(decision: &SteeringDecision, steering: &Steering, now: MonoTime) -> RouteActuation {
    let report = |switch: &Switch| {
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
