//! What to go by while the probes do not see the provider's queue.
//!
//! The counters of a download still see the link: they count what has come through it. Traffic as
//! even as only a full link's says what that carries; and a rate for which traffic waits leaves no
//! queue but ours, so a higher one can be tried, and is kept if traffic waits for that, too. An
//! upload is counted before the link, which tells nothing: it gives up the share that the download
//! has lost, and gets back what that one finds again.

use std::{cmp::Ordering, time::Duration};

use super::{LawInput, RateDecision, Reason, flow, hold::hold};
use crate::{
    Direction,
    params::{AdaptiveParams, Params},
    units::{BitRate, MonoTime},
};

/// What has been found out in the dark.
#[derive(Debug, Clone, Default)]
pub(super) struct Unseen {
    params: Params,
    /// The rate when the dark came.
    before: Option<BitRate>,
    /// When the link was full last, as far as is known.
    full: Option<MonoTime>,
    trial: Option<Trial>,
    step: f64,
    pause: Duration,
    next: MonoTime,
    /// What the other direction has lost was given up.
    gave_up: bool,
}

/// A raise that has to show whether it is filled.
#[derive(Debug, Clone, Copy)]
struct Trial {
    from: BitRate,
    /// Not known until it is in force.
    since: Option<MonoTime>,
}

impl Trial {
    fn is_in_force(self) -> bool {
        self.since.is_some()
    }
}

impl Unseen {
    pub(super) fn new(params: &Params) -> Self {
        Self { params: *params, ..Self::default() }
    }

    /// Tells whether anything has been decided in the dark.
    pub(super) fn has_begun(&self) -> bool {
        self.before.is_some()
    }

    /// Returns what is left of the rate that there was before, if `rate` is desired.
    pub(super) fn left(&self, rate: BitRate) -> Option<f64> {
        self.trial.map_or(rate, |trial| trial.from).fraction_of(self.before?)
    }

    /// Decides, as far as anything is to be gone by.
    pub(super) fn decide(&mut self, input: &LawInput) -> Option<RateDecision> {
        let before = *self.before.get_or_insert(input.current);
        match input.direction {
            Direction::Download => self.by_its_counters(input, before),
            Direction::Upload => self.by_the_other(input),
        }
    }

    fn by_its_counters(&mut self, input: &LawInput, before: BitRate) -> Option<RateDecision> {
        let LawInput { now, current, .. } = *input;
        let was_full = self.was_full(now);
        let plateau =
            plateau(input, &self.params.adaptive).filter(|_| self.full.is_none() || was_full);
        if let Some(trial) = self.trial.filter(|trial| trial.is_in_force() || plateau.is_none()) {
            return Some(self.look(trial, input));
        }
        if let Some(rate) = plateau {
            (self.trial, self.full) = (None, Some(now));
            self.rest(now, self.params.adaptive.bypass_pause);
            return Some(RateDecision { rate, reason: Reason::CutBypass });
        }
        if !input.shaper_limited {
            return None;
        }
        if !was_full {
            // Other traffic, through a link that may have changed meanwhile.
            self.rest(now, self.params.adaptive.bypass_pause);
        }
        self.full = Some(now);
        if now < self.next || current >= before {
            return Some(hold(input, Reason::HoldBypass));
        }
        self.trial = Some(Trial { from: current, since: None });
        let rate = current.scaled(1.0 + self.step).min(before);
        Some(RateDecision { rate, reason: Reason::RaiseShaperLimited })
    }

    fn look(&mut self, trial: Trial, input: &LawInput) -> RateDecision {
        let LawInput { now, current, .. } = *input;
        let is_pending = input
            .in_force
            .is_none_or(|limit| limit.scaled(self.params.pending.tolerance) < current);
        if is_pending && !trial.is_in_force() {
            self.full = if input.shaper_limited { Some(now) } else { self.full };
            return hold(input, Reason::HoldPending);
        }
        let since = trial.since.unwrap_or(now);
        if now.since(since) < self.params.adaptive.bypass_trial + input.path {
            self.trial = Some(Trial { since: Some(since), ..trial });
            return hold(input, Reason::HoldBypass);
        }
        self.trial = None;
        self.full = Some(now);
        if input.shaper_limited {
            self.step = (self.step * self.params.adaptive.bypass_step_growth)
                .min(self.params.adaptive.bypass_step_max);
            (self.pause, self.next) = (self.params.adaptive.bypass_pause, now);
            return hold(input, Reason::HoldBypass);
        }
        let got = input.load.delivery_rate.unwrap_or_default();
        let rate = trial.from.max(got.scaled(self.params.adaptive.resume_share)).min(current);
        let is_more = rate > trial.from.scaled(self.params.adaptive.bypass_gain);
        self.rest(
            now,
            if is_more {
                self.params.adaptive.bypass_pause
            } else {
                (self.pause * 2).min(self.params.adaptive.bypass_pause_max)
            },
        );
        RateDecision { rate, reason: Reason::CutBypass }
    }

    fn by_the_other(&mut self, input: &LawInput) -> Option<RateDecision> {
        let LawInput { now, current, .. } = *input;
        let rate = self.before?.scaled(input.other_remaining?).max(input.limits.floor);
        let is_full = flow::is_filled(
            input,
            input.in_force.unwrap_or(current),
            &self.params.estimate.delivery,
        );
        let was_full = self.was_full(now);
        if is_full {
            self.full = Some(now);
        }
        match rate.cmp(&current) {
            Ordering::Less if was_full && !is_full => {
                self.gave_up = true;
                Some(RateDecision { rate, reason: Reason::CutBypass })
            }
            Ordering::Greater if self.gave_up => {
                Some(RateDecision { rate, reason: Reason::RaiseShaperLimited })
            }
            Ordering::Less | Ordering::Equal | Ordering::Greater => None,
        }
    }

    fn was_full(&self, now: MonoTime) -> bool {
        self.full.is_some_and(|at| now.since(at) < self.params.adaptive.bypass_full_within)
    }

    fn rest(&mut self, now: MonoTime, pause: Duration) {
        (self.step, self.pause, self.next) = (self.params.adaptive.bypass_step, pause, now + pause);
    }
}

/// The rate just under what a full link lets through, if that is less than the one desired.
fn plateau(input: &LawInput, params: &AdaptiveParams) -> Option<BitRate> {
    let floor = input.limits.floor;
    let carried = input.plateau.filter(|rate| *rate > floor.scaled(params.bypass_floor_in_use))?;
    Some(carried.scaled(params.resume_share).max(floor)).filter(|rate| *rate < input.current)
}

#[cfg(test)]
mod tests;
