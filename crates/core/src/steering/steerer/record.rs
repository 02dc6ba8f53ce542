//! The record of a decision, with its timers.

use std::time::Duration;

use super::Steering;
use crate::{
    steering::{
        Blocker, FailoverReason, FailoverView, Move, Rank, SteerReason, SteerState, SteerView,
        SteeringDecision, SteeringWanView, Timer, TimerKind, machine::Phase, target,
    },
    units::MonoTime,
};

/// The changes that a decision made.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Moves {
    pub(super) sensitive: Option<Move>,
    pub(super) default_route: Option<Move>,
}

impl Steering {
    pub(super) fn record(
        &mut self,
        now: MonoTime,
        (reason, blocker): (SteerReason, Option<Blocker>),
        (failover_reason, failover_blocker): (FailoverReason, Option<Blocker>),
        moves: Moves,
    ) -> SteeringDecision {
        let is_overridden = reason == SteerReason::Override;
        let state = if is_overridden { SteerState::Override } else { SteerState::of(self.phase) };
        let transition = (state != self.state).then_some((self.state, state));
        if transition.is_some() {
            (self.state, self.state_since) = (state, now);
        }
        let target = self.target();
        let candidates = self.candidates(now);
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
                score: candidates.score(self.default_route.rank),
                threshold: candidates.threshold(),
                timers: self.steer_timers(now),
                steer_override: self
                    .steer_override
                    .filter(|chosen| chosen.remaining(now).is_some()),
                actions: self.steer_actions.count(now),
            },
            failover: FailoverView {
                since: self.default_route_since,
                moved: moves.default_route,
                reason: failover_reason,
                blocker: failover_blocker,
                timers: self.failover_timers(now),
                actions: self.failover_actions.count(now),
            },
            wans: wans
                .map(|(rank, (facts, watch))| SteeringWanView {
                    name: facts.name.clone(),
                    reach: watch.reach(),
                    since: watch.reach_since(),
                    cannot_send_since: watch.cannot_send_since(now, &self.params.failover),
                    stale: watch.snapshot(now).is_none(),
                    score: candidates.score(Rank(rank)),
                    ineligible: candidates.ineligible_because(Rank(rank)),
                })
                .collect(),
        }
    }

    fn steer_timers(&self, now: MonoTime) -> Vec<Timer> {
        let steer = &self.params.steer;
        let left = |since: MonoTime, span: Duration| (since + span).since(now);
        let phase = match self.phase {
            Phase::Default => (TimerKind::Sustain, Duration::ZERO),
            Phase::Confirming { since } => (TimerKind::Sustain, left(since, steer.sustain)),
            Phase::Steered { hold_until, .. } => (TimerKind::HoldDown, hold_until.since(now)),
            Phase::Recovering { since, .. } => {
                (TimerKind::RecoverySustain, left(since, steer.recovery.sustain))
            }
        };
        let steer_override = self
            .steer_override
            .and_then(|steer_override| steer_override.remaining(now))
            .unwrap_or_default();
        let penalty = self.steer_actions.penalty(now);
        let flap_damping = self.candidates(now).steer_damping_left();
        running([
            phase,
            (TimerKind::FlapDamping, flap_damping),
            (TimerKind::FlapPenalty, penalty),
            (TimerKind::Override, steer_override),
        ])
    }

    fn failover_timers(&self, now: MonoTime) -> Vec<Timer> {
        let hold_down = self.default_route.hold_until.since(now);
        let failback = self.candidates(now).failback_remaining();
        let flap_damping = self.candidates(now).failover_damping_left(Rank::DEFAULT_WAN);
        let is_away = self.default_route.rank != Rank::DEFAULT_WAN;
        let flap_damping = if is_away { flap_damping } else { Duration::ZERO };
        running([
            (TimerKind::FailoverHoldDown, hold_down),
            (TimerKind::Failback, failback),
            (TimerKind::FlapDamping, flap_damping),
        ])
    }
}

fn running<const N: usize>(timers: [(TimerKind, Duration); N]) -> Vec<Timer> {
    let runs = timers.into_iter().filter(|(_, remaining)| !remaining.is_zero());
    runs.map(|(kind, remaining)| Timer { kind, remaining }).collect()
}
