//! Puts the two decisions together: cycles, reports and a time in, a decision out.

mod candidates;
mod memory;
mod record;

pub use self::memory::SteeringMemory;
use self::{candidates::Candidates, record::Moves};
use super::{
    Blocker, FailoverReason, Move, Rank, Reach, RouteActuation, RouteTarget, SteerOverride,
    SteerReason, SteerState, SteeringDecision, SteeringMode, SteeringParams, SteeringTally, Switch,
    SwitchOrder,
    actions::Actions,
    failover::{DefaultRoute, FailoverInputs, FailoverStep},
    flap_damping::Since,
    machine::{Phase, SteerInputs, SteerStep},
    target,
    watch::Watch,
};
use crate::{Cycle, units::MonoTime};

/// Decides which WAN new latency-sensitive connections take, and which carries everything else.
#[derive(Debug, Clone)]
pub struct Steering {
    params: SteeringParams,
    switches: Vec<Switch>,
    watches: Vec<Watch>,
    actuation: RouteActuation,
    steer_override: Option<SteerOverride>,
    /// What a former run left, as of then, until it is taken over.
    memory: Option<(SteeringMemory, MonoTime)>,
    /// The router's switches were read, or are not needed because nothing is applied.
    is_state_adopted: bool,
    phase: Phase,
    default_route: DefaultRoute,
    /// The WAN that connections were moved to has a higher score than the one that was left.
    alternate_worse: Since,
    steer_actions: Actions,
    failover_actions: Actions,
    state: SteerState,
    state_since: MonoTime,
    default_route_since: MonoTime,
    tally: SteeringTally,
}

impl Steering {
    /// Starts on the default WAN, without any evidence.
    #[must_use]
    pub fn new(params: SteeringParams, now: MonoTime) -> Self {
        Self {
            switches: target::switches(&params.wans),
            watches: params.wans.iter().map(|_| Watch::new(now)).collect(),
            is_state_adopted: params.mode != SteeringMode::Active,
            params,
            actuation: RouteActuation::default(),
            steer_override: None,
            memory: None,
            phase: Phase::Default,
            default_route: DefaultRoute { rank: Rank::DEFAULT_WAN, hold_until: now },
            alternate_worse: Since::default(),
            steer_actions: Actions::default(),
            failover_actions: Actions::default(),
            state: SteerState::Default,
            state_since: now,
            default_route_since: now,
            tally: SteeringTally::default(),
        }
    }

    /// Returns the switches of the router that this decides about.
    #[must_use]
    pub fn switches(&self) -> &[Switch] {
        &self.switches
    }

    /// Returns how often each reason was given since the start.
    #[must_use]
    pub const fn tally(&self) -> &SteeringTally {
        &self.tally
    }

    /// Takes other settings for the same WANs and switches. A change to active mode starts from the
    /// router's switches, not from earlier decisions of observe mode.
    pub fn retune(&mut self, params: SteeringParams) {
        debug_assert_eq!(target::switches(&params.wans), self.switches, "the same switches");
        let acts = params.mode == SteeringMode::Active;
        let acted = self.params.mode == SteeringMode::Active;
        self.is_state_adopted = !acts || (acted && self.is_state_adopted);
        self.params = params;
    }

    /// Takes in a cycle of one of the WANs. Every cycle should come here, since the fate of single
    /// probes counts; one that is missed does no harm.
    pub fn on_cycle(&mut self, cycle: &Cycle) {
        let SteeringParams { wans, steer, failover, .. } = &self.params;
        let Some(rank) = wans.iter().position(|facts| facts.place == cycle.wan) else { return };
        let others = self.watches.iter().enumerate().filter(|(other, _)| *other != rank);
        let others_send = others.into_iter().any(|(_, watch)| watch.can_send(cycle.at));
        for (facts, watch) in wans.iter().zip(&mut self.watches).skip(rank).take(1) {
            watch.on_cycle(cycle, others_send, facts, (steer, failover));
        }
    }

    /// Takes note of how far the router has followed.
    pub fn on_actuation(&mut self, actuation: RouteActuation) {
        self.actuation = actuation;
    }

    /// Takes the operator's word, or back to automatic with `None`.
    pub fn on_override(&mut self, steer_override: Option<SteerOverride>) {
        self.steer_override = steer_override;
    }

    /// Returns the desired state of each switch at exit: the default, except that the default route
    /// stays where it is unless the default WAN is proven up. Empty if nothing was applied.
    #[must_use]
    pub fn exit_orders(&self) -> Vec<SwitchOrder> {
        if !self.acts() {
            return Vec::new();
        }
        // After a start it is not known yet whether the default WAN answers again.
        let is_default_up = self.watches.first().is_some_and(|wan| wan.reach() == Reach::Up);
        let default_route = if is_default_up { Rank::DEFAULT_WAN } else { self.default_route.rank };
        target::orders(&self.switches, RouteTarget { sensitive: default_route, default_route })
    }

    /// Returns the switches that are not known to be at rest because of what was carried out.
    #[must_use]
    pub fn not_at_default(&self) -> Vec<Switch> {
        if !self.acts() {
            return Vec::new();
        }
        self.actuation.not_at_default(&self.switches, self.target())
    }

    /// Decides where traffic goes from `now` on.
    pub fn decide(&mut self, now: MonoTime) -> SteeringDecision {
        self.is_state_adopted = self.is_state_adopted || self.adopt(now);
        let decision = match (self.params.mode, self.is_state_adopted) {
            (SteeringMode::Off, _) => {
                let (steer, failover) = (SteerReason::Off, FailoverReason::Off);
                self.record(now, (steer, None), (failover, None), Moves::default())
            }
            (SteeringMode::Observe | SteeringMode::Active, false) => {
                let unknown = Some(Blocker::SwitchesUnknown);
                let (steer, failover) =
                    (SteerReason::SwitchesUnknown, FailoverReason::SwitchesUnknown);
                self.record(now, (steer, unknown), (failover, unknown), Moves::default())
            }
            (SteeringMode::Observe | SteeringMode::Active, true) => self.decide_active(now),
        };
        self.tally.count(&decision);
        decision
    }

    fn decide_active(&mut self, now: MonoTime) -> SteeringDecision {
        let before = self.target();
        self.learn(now);
        let candidates = self.candidates(now);
        let FailoverStep { default_route, reason, blocker } = self.default_route.step(
            &FailoverInputs {
                now,
                health: candidates.default_route_health(),
                alternate: candidates.failover_target(),
                preferred: candidates.failback_target(),
                router_ready: candidates.ready(),
            },
            &self.params.failover,
        );
        let failover = (reason, blocker);
        if default_route.rank != self.default_route.rank {
            self.failover_actions.record(now);
            self.default_route_since = now;
        }
        self.default_route = default_route;
        let steer = self.decide_steering(now, before);
        let after = self.target();
        if after.sensitive != before.sensitive && steer.0 != SteerReason::FollowDefaultRoute {
            self.steer_actions.record_flap(now, &self.params.steer.flap);
        }
        let change = |from: Rank, to: Rank| (from != to).then_some(Move { from, to });
        let moves = Moves {
            sensitive: change(before.sensitive, after.sensitive),
            default_route: change(before.default_route, after.default_route),
        };
        self.record(now, steer, failover, moves)
    }

    /// Updates the flap damping of each WAN.
    fn learn(&mut self, now: MonoTime) {
        let steer = &self.params.steer;
        for watch in &mut self.watches {
            let score = watch.signals(now, steer).map(|signals| steer.weights.score(&signals));
            let is_above = score.map(|score| score.points >= steer.threshold);
            watch.learn(is_above, now, steer);
        }
    }

    /// Decides about new latency-sensitive connections, given the default route.
    fn decide_steering(
        &mut self,
        now: MonoTime,
        before: RouteTarget,
    ) -> (SteerReason, Option<Blocker>) {
        self.steer_override = self.steer_override.filter(|chosen| chosen.remaining(now).is_some());
        let candidates = self.candidates(now);
        if let Some(SteerOverride { to, .. }) =
            self.steer_override.filter(|chosen| candidates.may_override(chosen.to))
        {
            self.phase = if to == self.default_route.rank {
                Phase::Default
            } else {
                Phase::Steered { to, hold_until: now }
            };
            self.alternate_worse = Since::default();
            return (SteerReason::Override, None);
        }
        if self.default_route.rank != before.default_route {
            self.phase = Phase::Default;
            return (SteerReason::FollowDefaultRoute, None);
        }
        let worse = candidates.is_alternate_worse();
        let inputs = SteerInputs {
            now,
            condition: candidates.condition(),
            alternate_health: candidates.alternate_health(&self.alternate_worse),
            eligible: candidates.eligible(),
            verified: candidates.verified(),
            damping: candidates.steer_damping_left(),
            return_ready: candidates.ready(),
        };
        let penalised = candidates.is_penalised();
        self.alternate_worse.keep(worse, now);
        // The hold-down runs from when the router has followed.
        let phase = match self.phase {
            Phase::Steered { to, .. } if self.acts() && self.actuation.is_steering_pending() => {
                Phase::Steered { to, hold_until: now + self.params.steer.hold_down }
            }
            phase @ (Phase::Default
            | Phase::Confirming { .. }
            | Phase::Steered { .. }
            | Phase::Recovering { .. }) => phase,
        };
        let SteerStep { phase, reason, blocker } = phase.step(&inputs, &self.params.steer);
        if phase.alternate() != self.phase.alternate() {
            self.alternate_worse = Since::default();
        }
        self.phase = phase;
        let refused = self.steer_override.map(|_| Blocker::OverrideRefused);
        let penalty = penalised.then_some(Blocker::FlapPenalty);
        (reason, refused.or(blocker).or(penalty))
    }

    fn candidates(&self, now: MonoTime) -> Candidates<'_> {
        Candidates {
            now,
            params: &self.params,
            watches: &self.watches,
            switches: &self.switches,
            actuation: self.acts().then_some(&self.actuation),
            default_route: self.default_route.rank,
            alternate: self.phase.alternate(),
            steer_actions: &self.steer_actions,
            failover_actions: &self.failover_actions,
        }
    }

    fn acts(&self) -> bool {
        self.params.mode == SteeringMode::Active && self.is_state_adopted
    }

    fn target(&self) -> RouteTarget {
        let default_route = self.default_route.rank;
        RouteTarget { sensitive: self.phase.alternate().unwrap_or(default_route), default_route }
    }
}

#[cfg(test)]
mod tests;
