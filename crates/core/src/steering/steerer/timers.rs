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
            Phase::Home => (TimerKind::Sustain, Duration::ZERO),
            Phase::Confirming { since } => (TimerKind::Sustain, left(since, steer.sustain)),
            Phase::Steered { hold_until, .. } => (TimerKind::HoldDown, hold_until.since(now)),
            Phase::Recovering { since, .. } => {
                (TimerKind::RecoverySustain, left(since, steer.recovery.sustain))
            }
        };
        let manual = self.manual.and_then(|manual| manual.remaining(now)).unwrap_or_default();
        let penalty = self.steer_actions.penalty(now);
        let patience = self.choice(now).relief_in();
        running([
            phase,
            (TimerKind::Patience, patience),
            (TimerKind::FlapPenalty, penalty),
            (TimerKind::Manual, manual),
        ])
    }

    pub(super) fn failover_timers(&self, now: MonoTime) -> Vec<Timer> {
        let stay = self.carrier.stay_until.since(now);
        let failback = self.choice(now).failback_remaining();
        let patience = self.choice(now).revival_in(Rank::HOME);
        let is_away = self.carrier.rank != Rank::HOME;
        let patience = if is_away { patience } else { Duration::ZERO };
        running([
            (TimerKind::Stay, stay),
            (TimerKind::Failback, failback),
            (TimerKind::Patience, patience),
        ])
    }
}

fn running<const N: usize>(timers: [(TimerKind, Duration); N]) -> Vec<Timer> {
    let runs = timers.into_iter().filter(|(_, remaining)| !remaining.is_zero());
    runs.map(|(kind, remaining)| Timer { kind, remaining }).collect()
}
