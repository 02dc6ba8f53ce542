//! Which timers run, for people.

use std::time::Duration;

use super::Steering;
use crate::{
    steering::{Rank, Timer, TimerKind, machine::Phase},
    units::MonoTime,
};

impl Steering {
    pub(super) fn steer_timers(&self, now: MonoTime) -> Vec<Timer> {
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

    pub(super) fn failover_timers(&self, now: MonoTime) -> Vec<Timer> {
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
