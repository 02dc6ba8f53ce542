//! Puts the two decisions together: cycles, reports and a time in, a decision out.

mod choice;
mod timers;

use std::time::Duration;

use self::choice::Choice;
use super::{
    Blocker, FailoverReason, FailoverView, Manual, Move, Rank, Reach, RouteActuation, RouteTarget,
    SteerReason, SteerState, SteerView, SteeringDecision, SteeringMemory, SteeringMode,
    SteeringParams, Switch, SwitchOrder, Tally, WanView,
    actions::Actions,
    failover::{Carrier, Course, Plight},
    machine::{Circumstances, Phase, Step},
    since::Since,
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
    manual: Option<Manual>,
    /// What a former run left, as of then, until it is taken over.
    memory: Option<(SteeringMemory, MonoTime)>,
    /// The router's switches were seen, or need not be because nothing is carried out.
    believes: bool,
    phase: Phase,
    carrier: Carrier,
    /// The WAN that connections were moved to suffers more than the one that was left.
    refuge_worse: Since,
    steer_actions: Actions,
    failover_actions: Actions,
    state: SteerState,
    state_since: MonoTime,
    carrier_since: MonoTime,
    tally: Tally,
}

impl Steering {
    /// Starts at home, knowing nothing.
    #[must_use]
    pub fn new(params: SteeringParams, now: MonoTime) -> Self {
        Self {
            switches: target::switches(&params.wans),
            watches: params.wans.iter().map(|_| Watch::new(now)).collect(),
            believes: params.mode != SteeringMode::Active,
            params,
            actuation: RouteActuation::default(),
            manual: None,
            memory: None,
            phase: Phase::Home,
            carrier: Carrier { rank: Rank::HOME, stay_until: now },
            refuge_worse: Since::default(),
            steer_actions: Actions::default(),
            failover_actions: Actions::default(),
            state: SteerState::Home,
            state_since: now,
            carrier_since: now,
            tally: Tally::default(),
        }
    }

    /// Returns the switches of the router that this decides about.
    #[must_use]
    pub fn switches(&self) -> &[Switch] {
        &self.switches
    }

    /// Returns how often each reason was given since the start.
    #[must_use]
    pub const fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Returns what is worth remembering over a restart, as of `now`. What a former run left is
    /// passed on for as long as the router's switches were not seen.
    #[must_use]
    pub fn memory(&self, now: MonoTime) -> SteeringMemory {
        if let Some((memory, at)) = &self.memory {
            return memory.aged(now.since(*at));
        }
        let RouteTarget { sensitive, carrier } = self.target();
        let name = |rank: Rank| self.params.wans.get(rank.0).map(|wan| wan.name.clone());
        let choice = self.choice(now);
        let hold_down = match self.phase {
            Phase::Steered { hold_until, .. } => hold_until.since(now),
            Phase::Home | Phase::Confirming { .. } | Phase::Recovering { .. } => Duration::ZERO,
        };
        SteeringMemory {
            sensitive: name(sensitive).unwrap_or_default(),
            carrier: name(carrier).unwrap_or_default(),
            hold_down: hold_down.max(choice.relief_in()),
            stay: self.carrier.stay_until.since(now).max(choice.revival_in(Rank::HOME)),
            steered: self.steer_actions.ages(now),
            failed_over: self.failover_actions.ages(now),
        }
    }

    /// Keeps in mind what was remembered `age` before `now`, until the router's switches were seen.
    pub fn restore(&mut self, memory: &SteeringMemory, age: Duration, now: MonoTime) {
        if !self.believes {
            self.memory = Some((memory.aged(age), now));
        }
    }

    /// Goes on by other settings, which are about the same WANs and switches. Whoever begins to act
    /// starts from what the router does, not from what was imagined before.
    pub fn retune(&mut self, params: SteeringParams) {
        debug_assert_eq!(target::switches(&params.wans), self.switches, "the same switches");
        let acts = params.mode == SteeringMode::Active;
        let acted = self.params.mode == SteeringMode::Active;
        self.believes = !acts || (acted && self.believes);
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
    pub fn on_operator(&mut self, manual: Option<Manual>) {
        self.manual = manual;
    }

    /// Returns how each switch ought to be left when nobody will decide any more: at rest, but
    /// what was moved away from a home stays away unless that is proven up. Nothing if nothing was
    /// carried out.
    #[must_use]
    pub fn farewell(&self) -> Vec<SwitchOrder> {
        if !self.acts() {
            return Vec::new();
        }
        // After a start nobody knows yet whether the home that was left has come back.
        let is_home_up = self.watches.first().is_some_and(|home| home.reach() == Reach::Up);
        let carrier = if is_home_up { Rank::HOME } else { self.carrier.rank };
        target::orders(&self.switches, RouteTarget { sensitive: carrier, carrier })
    }

    /// Returns the switches that are not known to be at rest because of what was carried out.
    #[must_use]
    pub fn away_from_rest(&self) -> Vec<Switch> {
        if !self.acts() {
            return Vec::new();
        }
        self.actuation.away_from_rest(&self.switches, self.target())
    }

    /// Decides where traffic goes from `now` on.
    pub fn decide(&mut self, now: MonoTime) -> SteeringDecision {
        self.believes = self.believes || self.adopt(now);
        let decision = match (self.params.mode, self.believes) {
            (SteeringMode::Off, _) => {
                let (steer, failover) = (SteerReason::Off, FailoverReason::Off);
                self.record(now, (steer, None), (failover, None), Moves::default())
            }
            (SteeringMode::Observe | SteeringMode::Active, false) => {
                let unseen = Some(Blocker::Unseen);
                let (steer, failover) = (SteerReason::Unseen, FailoverReason::Unseen);
                self.record(now, (steer, unseen), (failover, unseen), Moves::default())
            }
            (SteeringMode::Observe | SteeringMode::Active, true) => self.judge(now),
        };
        self.tally.count(&decision);
        decision
    }

    /// Starts from what the router does, once it is known. What was remembered counts as far as it
    /// says the same.
    fn adopt(&mut self, now: MonoTime) -> bool {
        if !self.actuation.has_seen(&self.switches) {
            return false;
        }
        let seen = self.actuation.read_back(&self.switches, self.params.wans.len());
        let memory = self.memory.take().map(|(memory, at)| memory.aged(now.since(at)));
        let memory = memory.unwrap_or_default();
        let agrees = memory.target(&self.params.wans) == Some(seen);
        let (hold_down, stay) =
            if agrees { (memory.hold_down, memory.stay) } else { Default::default() };
        self.steer_actions.restore(&memory.steered, now);
        self.failover_actions.restore(&memory.failed_over, now);
        self.carrier = Carrier { rank: seen.carrier, stay_until: now + stay };
        self.phase = if seen.sensitive == seen.carrier {
            Phase::Home
        } else {
            Phase::Steered { to: seen.sensitive, hold_until: now + hold_down }
        };
        (self.carrier_since, self.state_since) = (now, now);
        self.state = SteerState::of(self.phase);
        true
    }

    fn judge(&mut self, now: MonoTime) -> SteeringDecision {
        let before = self.target();
        self.learn(now);
        let choice = self.choice(now);
        let Course { carrier, reason, blocker } = self.carrier.step(
            &Plight {
                now,
                pulse: choice.pulse(),
                rescue: choice.rescue(),
                better: choice.better(),
                ready: choice.ready(),
            },
            &self.params.failover,
        );
        let failover = (reason, blocker);
        if carrier.rank != self.carrier.rank {
            self.failover_actions.record(now);
            self.carrier_since = now;
        }
        self.carrier = carrier;
        let steer = self.judge_steering(now, before);
        let after = self.target();
        if after.sensitive != before.sensitive && steer.0 != SteerReason::FollowCarrier {
            self.steer_actions.record_flap(now, &self.params.steer.flap);
        }
        let change = |from: Rank, to: Rank| (from != to).then_some(Move { from, to });
        let moves = Moves {
            sensitive: change(before.sensitive, after.sensitive),
            carrier: change(before.carrier, after.carrier),
        };
        self.record(now, steer, failover, moves)
    }

    /// Lets each WAN's relapses be learned from.
    fn learn(&mut self, now: MonoTime) {
        let steer = &self.params.steer;
        for watch in &mut self.watches {
            let score = watch.signals(now, steer).map(|signals| steer.weights.score(&signals));
            let suffers = score.map(|score| score.points >= steer.threshold);
            watch.learn(suffers, now, steer);
        }
    }

    /// Decides about new latency-sensitive connections, as everything else goes over the carrier.
    fn judge_steering(
        &mut self,
        now: MonoTime,
        before: RouteTarget,
    ) -> (SteerReason, Option<Blocker>) {
        self.manual = self.manual.filter(|manual| manual.remaining(now).is_some());
        let choice = self.choice(now);
        if let Some(Manual { to, .. }) = self.manual.filter(|manual| choice.may_pin(manual.to)) {
            self.phase = if to == self.carrier.rank {
                Phase::Home
            } else {
                Phase::Steered { to, hold_until: now }
            };
            self.refuge_worse = Since::default();
            return (SteerReason::Manual, None);
        }
        if self.carrier.rank != before.carrier {
            self.phase = Phase::Home;
            return (SteerReason::FollowCarrier, None);
        }
        let worse = choice.is_refuge_worse();
        let circumstances = Circumstances {
            now,
            condition: choice.condition(),
            refuge: choice.refuge(&self.refuge_worse),
            fit: choice.fit(),
            verified: choice.verified(),
            patience: choice.relief_in(),
            back: choice.ready(),
        };
        let penalised = choice.is_penalised();
        self.refuge_worse.keep(worse, now);
        // The hold-down runs from when the router has followed.
        let phase = match self.phase {
            Phase::Steered { to, .. } if self.acts() && self.actuation.is_steering_pending() => {
                Phase::Steered { to, hold_until: now + self.params.steer.hold_down }
            }
            phase @ (Phase::Home
            | Phase::Confirming { .. }
            | Phase::Steered { .. }
            | Phase::Recovering { .. }) => phase,
        };
        let Step { phase, reason, blocker } = phase.step(&circumstances, &self.params.steer);
        if phase.refuge() != self.phase.refuge() {
            self.refuge_worse = Since::default();
        }
        self.phase = phase;
        let refused = self.manual.map(|_| Blocker::ManualRefused);
        let penalty = penalised.then_some(Blocker::FlapPenalty);
        (reason, refused.or(blocker).or(penalty))
    }

    fn choice(&self, now: MonoTime) -> Choice<'_> {
        Choice {
            now,
            params: &self.params,
            watches: &self.watches,
            switches: &self.switches,
            actuation: self.acts().then_some(&self.actuation),
            carrier: self.carrier.rank,
            refuge: self.phase.refuge(),
            steer_actions: &self.steer_actions,
            failover_actions: &self.failover_actions,
        }
    }

    fn acts(&self) -> bool {
        self.params.mode == SteeringMode::Active && self.believes
    }

    fn target(&self) -> RouteTarget {
        let carrier = self.carrier.rank;
        RouteTarget { sensitive: self.phase.refuge().unwrap_or(carrier), carrier }
    }

    fn record(
        &mut self,
        now: MonoTime,
        (reason, blocker): (SteerReason, Option<Blocker>),
        (failover_reason, failover_blocker): (FailoverReason, Option<Blocker>),
        moves: Moves,
    ) -> SteeringDecision {
        let is_pinned = reason == SteerReason::Manual;
        let state = if is_pinned { SteerState::Pinned } else { SteerState::of(self.phase) };
        let transition = (state != self.state).then_some((self.state, state));
        if transition.is_some() {
            (self.state, self.state_since) = (state, now);
        }
        let target = self.target();
        let choice = self.choice(now);
        let wans = self.params.wans.iter().zip(&self.watches).enumerate();
        SteeringDecision {
            at: now,
            mode: self.params.mode,
            acts: self.acts(),
            target,
            orders: if self.acts() { target::orders(&self.switches, target) } else { Vec::new() },
            in_doubt: self.actuation.in_doubt(),
            steer: SteerView {
                state,
                since: self.state_since,
                transition,
                moved: moves.sensitive,
                reason,
                blocker,
                score: choice.score(self.carrier.rank),
                threshold: choice.threshold(),
                timers: self.steer_timers(now),
                manual: self.manual.filter(|manual| manual.remaining(now).is_some()),
                actions: self.steer_actions.count(now),
            },
            failover: FailoverView {
                since: self.carrier_since,
                moved: moves.carrier,
                reason: failover_reason,
                blocker: failover_blocker,
                timers: self.failover_timers(now),
                actions: self.failover_actions.count(now),
            },
            wans: wans
                .map(|(rank, (facts, watch))| WanView {
                    name: facts.name.clone(),
                    reach: watch.reach(),
                    since: watch.reach_since(),
                    cannot_send_since: watch.cannot_send_since(now, &self.params.failover),
                    stale: watch.glance(now).is_none(),
                    score: choice.score(Rank(rank)),
                    unfit: choice.unfit(Rank(rank)),
                })
                .collect(),
        }
    }
}

/// The changes that a decision made.
#[derive(Debug, Clone, Copy, Default)]
struct Moves {
    sensitive: Option<Move>,
    carrier: Option<Move>,
}

#[cfg(test)]
mod tests;
