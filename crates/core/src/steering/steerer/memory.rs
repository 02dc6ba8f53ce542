//! What steering remembers over a restart; it is stored with its age.

use std::time::Duration;

use super::Steering;
use crate::{
    steering::{Rank, RouteTarget, SteerState, WanFacts, failover::DefaultRoute, machine::Phase},
    units::MonoTime,
};

/// Where traffic was sent, and how long that was still to hold.
///
/// WANs are named, because their order may change with the configuration. The memory counts only
/// if the router's switches agree.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SteeringMemory {
    /// The WAN of new latency-sensitive connections.
    pub sensitive: String,
    /// The WAN of everything else.
    pub default_route: String,
    /// What was left of the hold-down.
    pub hold_down: Duration,
    /// What was left of the hold-down.
    pub failover_hold_down: Duration,
    /// How long ago new latency-sensitive connections were moved, within the last hour.
    pub steered: Vec<Duration>,
    /// How long ago everything else was moved, within the last hour.
    pub failed_over: Vec<Duration>,
}

impl SteeringMemory {
    /// Returns the remembered target, if the WANs are still there.
    fn target(&self, wans: &[WanFacts]) -> Option<RouteTarget> {
        let rank = |name: &str| wans.iter().position(|wan| wan.name == name).map(Rank);
        Some(RouteTarget {
            sensitive: rank(&self.sensitive)?,
            default_route: rank(&self.default_route)?,
        })
    }

    /// Returns the memory as it is `age` later.
    pub(super) fn aged(&self, age: Duration) -> Self {
        let older = |ages: &[Duration]| ages.iter().map(|past| past.saturating_add(age)).collect();
        Self {
            sensitive: self.sensitive.clone(),
            default_route: self.default_route.clone(),
            hold_down: self.hold_down.saturating_sub(age),
            failover_hold_down: self.failover_hold_down.saturating_sub(age),
            steered: older(&self.steered),
            failed_over: older(&self.failed_over),
        }
    }
}

impl Steering {
    /// Returns the memory for a restart, as of `now`; that of the former run until the switches
    /// were read.
    #[must_use]
    pub fn memory(&self, now: MonoTime) -> SteeringMemory {
        if let Some((memory, at)) = &self.memory {
            return memory.aged(now.since(*at));
        }
        let RouteTarget { sensitive, default_route } = self.target();
        let name = |rank: Rank| self.params.wans.get(rank.0).map(|wan| wan.name.clone());
        let candidates = self.candidates(now);
        let hold_down = match self.phase {
            Phase::Steered { hold_until, .. } => hold_until.since(now),
            Phase::Default | Phase::Confirming { .. } | Phase::Recovering { .. } => Duration::ZERO,
        };
        SteeringMemory {
            sensitive: name(sensitive).unwrap_or_default(),
            default_route: name(default_route).unwrap_or_default(),
            hold_down: hold_down.max(candidates.steer_damping_left()),
            failover_hold_down: self
                .default_route
                .hold_until
                .since(now)
                .max(candidates.failover_damping_left(Rank::DEFAULT_WAN)),
            steered: self.steer_actions.ages(now),
            failed_over: self.failover_actions.ages(now),
        }
    }

    /// Keeps a memory of `age` before `now` until the switches were read.
    pub fn restore(&mut self, memory: &SteeringMemory, age: Duration, now: MonoTime) {
        if !self.is_state_adopted {
            self.memory = Some((memory.aged(age), now));
        }
    }

    /// Adopts the state of the switches once they were read. The memory counts if it agrees.
    pub(super) fn adopt(&mut self, now: MonoTime) -> bool {
        if !self.actuation.has_seen(&self.switches) {
            return false;
        }
        let seen = self.actuation.read_back(&self.switches, self.params.wans.len());
        let memory = self.memory.take().map(|(memory, at)| memory.aged(now.since(at)));
        let memory = memory.unwrap_or_default();
        let agrees = memory.target(&self.params.wans) == Some(seen);
        let (hold_down, failover_hold_down) =
            if agrees { (memory.hold_down, memory.failover_hold_down) } else { Default::default() };
        self.steer_actions.restore(&memory.steered, now);
        self.failover_actions.restore(&memory.failed_over, now);
        self.default_route =
            DefaultRoute { rank: seen.default_route, hold_until: now + failover_hold_down };
        self.phase = if seen.sensitive == seen.default_route {
            Phase::Default
        } else {
            Phase::Steered { to: seen.sensitive, hold_until: now + hold_down }
        };
        (self.default_route_since, self.state_since) = (now, now);
        self.state = SteerState::of(self.phase);
        true
    }
}
