//! What steering remembers over a restart, and how it starts from that.

use std::time::Duration;

use super::Steering;
use crate::{
    steering::{
        Rank, RouteTarget, SteerState, SteeringMemory, failover::DefaultRoute, machine::Phase,
    },
    units::MonoTime,
};

impl Steering {
    /// Returns what is worth remembering over a restart, as of `now`. What a former run left is
    /// passed on for as long as the router's switches were not seen.
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

    /// Keeps in mind what was remembered `age` before `now`, until the router's switches were seen.
    pub fn restore(&mut self, memory: &SteeringMemory, age: Duration, now: MonoTime) {
        if !self.is_state_adopted {
            self.memory = Some((memory.aged(age), now));
        }
    }

    /// Starts from what the router does, once it is known. What was remembered counts as far as it
    /// says the same.
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
