//! What to do while the probes bypass the provider's queue.
//!
//! The counters of a download still see the link, because they count behind it. Traffic as even as
//! only a full link's shows what the link carries. A rate that limits the traffic leaves no queue but
//! the shaper's, so that a higher one can be tried, and stays if it limits the traffic, too. An
//! upload is counted before the link, which shows nothing: it gives up the share that the download
//! has lost, and gets back what the download finds again.

use std::{cmp::Ordering, time::Duration};

use crate::{
    Direction,
    estimate::Estimate,
    params::AdaptiveParams,
    policy::{Limits, Reason},
    units::{BitRate, MonoTime},
};

/// What has been found out since the bypass began.
#[derive(Debug, Clone, Default)]
pub(super) struct BypassPolicy {
    /// When the link was last known to be full.
    full: Option<MonoTime>,
    trial: Option<Trial>,
    step: f64,
    pause: Duration,
    next: MonoTime,
    /// The share that the other direction has lost was given up.
    gave_up: bool,
}

/// A raise that has to prove that it is filled.
#[derive(Debug, Clone, Copy)]
struct Trial {
    from: BitRate,
    /// Not known until it is in force.
    since: Option<MonoTime>,
}

/// A rate and its reason.
type Rate = (BitRate, Reason);

impl BypassPolicy {
    /// Returns the rate that a higher one is being tried from.
    pub(super) fn trial_from(&self) -> Option<BitRate> {
        self.trial.map(|trial| trial.from)
    }

    /// Decides, if there is anything to decide by. A limit in force within `tolerance` of a rate is
    /// that rate.
    pub(super) fn decide(
        &mut self,
        estimate: &Estimate,
        limits: &Limits,
        params: &AdaptiveParams,
        tolerance: f64,
    ) -> Option<Rate> {
        let before = estimate.bypassed_from.unwrap_or(estimate.desired);
        match estimate.direction {
            Direction::Download => self.by_counters(estimate, limits, before, params, tolerance),
            Direction::Upload => self.by_other_direction(estimate, limits, before, params),
        }
    }

    fn by_counters(
        &mut self,
        estimate: &Estimate,
        limits: &Limits,
        before: BitRate,
        params: &AdaptiveParams,
        tolerance: f64,
    ) -> Option<Rate> {
        let (now, desired) = (estimate.now, estimate.desired);
        let was_full = self.was_full(now, params);
        let plateau = plateau(estimate, limits, params);
        let plateau = plateau.filter(|_| self.full.is_none() || was_full);
        if let Some(trial) = self.trial.filter(|trial| trial.since.is_some() || plateau.is_none()) {
            return Some(self.evaluate(trial, estimate, params, tolerance));
        }
        if let Some(rate) = plateau {
            (self.trial, self.full) = (None, Some(now));
            self.wait(now, params.bypass_pause, params);
            return Some((rate, Reason::CutBypass));
        }
        if !estimate.shaper_limited {
            return None;
        }
        if !was_full {
            // Other traffic, through a link that may have changed meanwhile.
            self.wait(now, params.bypass_pause, params);
        }
        self.full = Some(now);
        if now < self.next || desired >= before {
            return Some((desired, Reason::HoldBypass));
        }
        self.trial = Some(Trial { from: desired, since: None });
        let rate = desired.scaled(1.0 + self.step).min(before);
        Some((rate, Reason::RaiseShaperLimited))
    }

    /// Waits for the end of a trial and acts on its outcome.
    fn evaluate(
        &mut self,
        trial: Trial,
        estimate: &Estimate,
        params: &AdaptiveParams,
        tolerance: f64,
    ) -> Rate {
        let (now, desired) = (estimate.now, estimate.desired);
        let is_pending = estimate.in_force.is_none_or(|limit| limit.scaled(tolerance) < desired);
        if is_pending && trial.since.is_none() {
            self.full = if estimate.shaper_limited { Some(now) } else { self.full };
            return (desired, Reason::HoldPending);
        }
        let since = trial.since.unwrap_or(now);
        if now.since(since) < params.bypass_trial + estimate.path {
            self.trial = Some(Trial { since: Some(since), ..trial });
            return (desired, Reason::HoldBypass);
        }
        self.trial = None;
        self.full = Some(now);
        if estimate.shaper_limited {
            self.step = (self.step * params.bypass_step_growth).min(params.bypass_step_max);
            (self.pause, self.next) = (params.bypass_pause, now);
            return (desired, Reason::HoldBypass);
        }
        let delivered = estimate.load.delivery_rate.unwrap_or_default();
        let rate = trial.from.max(delivered.scaled(params.resume_share)).min(desired);
        let is_more = rate > trial.from.scaled(params.bypass_gain);
        let longer = (self.pause * 2).min(params.bypass_pause_max);
        self.wait(now, if is_more { params.bypass_pause } else { longer }, params);
        (rate, Reason::CutBypass)
    }

    fn by_other_direction(
        &mut self,
        estimate: &Estimate,
        limits: &Limits,
        before: BitRate,
        params: &AdaptiveParams,
    ) -> Option<Rate> {
        let (now, desired) = (estimate.now, estimate.desired);
        let rate = before.scaled(estimate.other_remaining?).max(limits.floor);
        let was_full = self.was_full(now, params);
        if estimate.is_filled {
            self.full = Some(now);
        }
        match rate.cmp(&desired) {
            Ordering::Less if was_full && !estimate.is_filled => {
                self.gave_up = true;
                Some((rate, Reason::CutBypass))
            }
            Ordering::Greater if self.gave_up => Some((rate, Reason::RaiseShaperLimited)),
            Ordering::Less | Ordering::Equal | Ordering::Greater => None,
        }
    }

    fn was_full(&self, now: MonoTime, params: &AdaptiveParams) -> bool {
        self.full.is_some_and(|at| now.since(at) < params.bypass_full_within)
    }

    /// Makes the next raise a first one, `pause` from now.
    fn wait(&mut self, now: MonoTime, pause: Duration, params: &AdaptiveParams) {
        (self.step, self.pause, self.next) = (params.bypass_step, pause, now + pause);
    }
}

/// The rate just below what a full link carries, if that is less than the rate desired.
fn plateau(estimate: &Estimate, limits: &Limits, params: &AdaptiveParams) -> Option<BitRate> {
    let in_use = limits.floor.scaled(params.bypass_floor_in_use);
    let carried = estimate.plateau.filter(|rate| *rate > in_use)?;
    let rate = carried.scaled(params.resume_share).max(limits.floor);
    Some(rate).filter(|rate| *rate < estimate.desired)
}

#[cfg(test)]
mod tests;
