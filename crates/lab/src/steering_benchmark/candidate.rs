//! A candidate: steering parameters that are tried, and the WANs that they choose.

use std::time::Duration;

use wanctl_core::{
    steering::{
        FailoverMethod, FailoverParams, RouteActuation, SteerParams, Steering, SteeringDecision,
        SteeringMode, SteeringParams, Switch, SwitchReport, WanFacts,
    },
    units::MonoTime,
};

use crate::{controller::CYCLE, law_benchmark::Scenario, traffic::SensitiveConnections};

/// Cycles between two decisions of steering, as in the daemon.
const CYCLES_PER_TURN: u64 = 2;
/// A connection begins every second and lasts for eight.
pub(super) const CALL: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(8)];

/// Steering parameters with a name.
#[derive(Debug, Clone, Copy)]
pub struct Candidate {
    /// Its name.
    pub name: &'static str,
    /// When latency-sensitive connections are moved.
    pub steer: SteerParams,
    /// When all traffic is moved.
    pub failover: FailoverParams,
}

/// The WANs of the latency-sensitive connections over time.
#[derive(Debug, Clone)]
pub(super) struct Placement {
    open: SensitiveConnections,
    wan: usize,
    /// Connections on each WAN, by cycle.
    pub(super) calls: Vec<[u32; 2]>,
    /// Cycles in which new connections used the alternate.
    pub(super) away: u32,
    /// When the WAN of new connections changed.
    pub(super) changes: Vec<MonoTime>,
}

impl Placement {
    fn new() -> Self {
        let open = SensitiveConnections::new(CALL[0], CALL[1]);
        Self { open, wan: 0, calls: vec![[0, 0]], away: 0, changes: Vec::new() }
    }

    /// Places the connections that begin in each second by `plan`.
    pub(super) fn by(plan: &[usize]) -> Self {
        let mut placement = Self::new();
        let mut now = MonoTime::ZERO;
        while let Some(wan) = plan.get(usize::try_from(now.since_start().as_secs()).unwrap_or(0)) {
            now = now + CYCLE;
            placement.cycle(now, *wan);
        }
        placement
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

/// Steering with a router that applies every order.
#[derive(Debug)]
pub(super) struct CandidateRun {
    pub(super) name: String,
    pub(super) steering: Steering,
    seen: RouteActuation,
    wan: usize,
    pub(super) placement: Placement,
    /// How often only latency-sensitive connections, and how often all traffic was moved.
    pub(super) moves: [u32; 2],
}

impl CandidateRun {
    pub(super) fn new(candidate: &Candidate, wans: [&Scenario; 2]) -> Self {
        Self {
            name: candidate.name.to_owned(),
            steering: Steering::new(params(candidate, wans), MonoTime::ZERO),
            seen: RouteActuation::default(),
            wan: 0,
            placement: Placement::new(),
            moves: [0, 0],
        }
    }

    pub(super) fn advance(&mut self, number: u64, now: MonoTime) {
        if number.is_multiple_of(CYCLES_PER_TURN) {
            self.steering.on_actuation(self.seen.clone());
            let decision = self.steering.decide(now);
            // The router has applied the orders by the next turn.
            self.seen = followed(&decision, &self.steering, now);
            self.wan = decision.target.sensitive.0;
            let all_traffic = decision.failover.moved.is_some();
            let only_sensitive = decision.steer.moved.is_some() && !all_traffic;
            self.moves[0] += u32::from(only_sensitive);
            self.moves[1] += u32::from(all_traffic);
        }
        self.placement.cycle(now, self.wan);
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
        failover_method: (place > 0).then_some(FailoverMethod::EnableRule),
    };
    SteeringParams {
        mode: SteeringMode::Active,
        wans: wans.into_iter().enumerate().map(fact).collect(),
        steer: candidate.steer,
        failover: candidate.failover,
    }
}

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
