//! What to go by while the probes do not see the provider's queue.
//!
//! The counters of a download still see the link: they count what has come through it. Traffic as
//! even as only a full link's says what that carries; and a rate for which traffic waits leaves no
//! queue but ours, so a higher one can be tried, and is kept if traffic waits for that, too. An
//! upload is counted before the link, which tells nothing: it gives up the share that the download
//! has lost, and gets back what that one finds again.

use std::{cmp::Ordering, time::Duration};

use super::{CUT_PENDING, KEEP, LawInput, Reason, Verdict, flow, hold::hold};
use crate::{
    Direction,
    units::{BitRate, MonoTime},
};

/// The first step of a raise, how much longer each is that follows one that went well, and the
/// longest.
const STEP: f64 = 0.05;
const LONGER: f64 = 2.0;
const LONGEST: f64 = 0.4;
/// How long a raise is looked at, besides the path: five readings.
const LOOK: Duration = Duration::from_millis(500);
/// A raise for which nothing waits was not in vain if this much more than before gets through.
const MORE: f64 = 1.02;
/// Time until the first raise after a rate was found to be full, and after many that were in vain.
const PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(4);
/// Even traffic on a link that was full longer ago may be all that its server has to send.
const LATELY: Duration = Duration::from_secs(4);
/// Less than this share of the floor is no traffic.
const USED: f64 = 0.5;

/// What has been found out in the dark.
#[derive(Debug, Clone, Default)]
pub(super) struct Unseen {
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
    /// Tells whether anything has been decided in the dark.
    pub(super) fn has_begun(&self) -> bool {
        self.before.is_some()
    }

    /// Returns what is left of the rate that there was before, if `rate` is desired.
    pub(super) fn left(&self, rate: BitRate) -> Option<f64> {
        self.trial.map_or(rate, |trial| trial.from).fraction_of(self.before?)
    }

    /// Decides, as far as anything is to be gone by.
    pub(super) fn decide(&mut self, input: &LawInput) -> Option<Verdict> {
        let before = *self.before.get_or_insert(input.current);
        match input.direction {
            Direction::Download => self.by_its_counters(input, before),
            Direction::Upload => self.by_the_other(input),
        }
    }

    fn by_its_counters(&mut self, input: &LawInput, before: BitRate) -> Option<Verdict> {
        let LawInput { now, current, .. } = *input;
        let was_full = self.was_full(now);
        let plateau = plateau(input).filter(|_| self.full.is_none() || was_full);
        if let Some(trial) = self.trial.filter(|trial| trial.is_in_force() || plateau.is_none()) {
            return Some(self.look(trial, input));
        }
        if let Some(rate) = plateau {
            (self.trial, self.full) = (None, Some(now));
            self.rest(now, PAUSE);
            return Some(Verdict { rate, reason: Reason::CutBypass });
        }
        if !input.waits {
            return None;
        }
        if !was_full {
            // Other traffic, through a link that may have changed meanwhile.
            self.rest(now, PAUSE);
        }
        self.full = Some(now);
        if now < self.next || current >= before {
            return Some(hold(input, Reason::HoldBypass));
        }
        self.trial = Some(Trial { from: current, since: None });
        let rate = current.scaled(1.0 + self.step).min(before);
        Some(Verdict { rate, reason: Reason::RaiseDemand })
    }

    fn look(&mut self, trial: Trial, input: &LawInput) -> Verdict {
        let LawInput { now, current, .. } = *input;
        let is_pending = input.in_force.is_none_or(|limit| limit.scaled(CUT_PENDING) < current);
        if is_pending && !trial.is_in_force() {
            self.full = if input.waits { Some(now) } else { self.full };
            return hold(input, Reason::HoldPending);
        }
        let since = trial.since.unwrap_or(now);
        if now.since(since) < LOOK + input.path {
            self.trial = Some(Trial { since: Some(since), ..trial });
            return hold(input, Reason::HoldBypass);
        }
        self.trial = None;
        self.full = Some(now);
        if input.waits {
            self.step = (self.step * LONGER).min(LONGEST);
            (self.pause, self.next) = (PAUSE, now);
            return hold(input, Reason::HoldBypass);
        }
        let got = input.load.achieved.unwrap_or_default();
        let rate = trial.from.max(got.scaled(KEEP)).min(current);
        let is_more = rate > trial.from.scaled(MORE);
        self.rest(now, if is_more { PAUSE } else { (self.pause * 2).min(LONGEST_PAUSE) });
        Verdict { rate, reason: Reason::CutBypass }
    }

    fn by_the_other(&mut self, input: &LawInput) -> Option<Verdict> {
        let LawInput { now, current, .. } = *input;
        let rate = self.before?.scaled(input.other_left?).max(input.limits.floor);
        let is_full = flow::is_filled(input, input.in_force.unwrap_or(current));
        let was_full = self.was_full(now);
        if is_full {
            self.full = Some(now);
        }
        match rate.cmp(&current) {
            Ordering::Less if was_full && !is_full => {
                self.gave_up = true;
                Some(Verdict { rate, reason: Reason::CutBypass })
            }
            Ordering::Greater if self.gave_up => {
                Some(Verdict { rate, reason: Reason::RaiseDemand })
            }
            Ordering::Less | Ordering::Equal | Ordering::Greater => None,
        }
    }

    fn was_full(&self, now: MonoTime) -> bool {
        self.full.is_some_and(|at| now.since(at) < LATELY)
    }

    fn rest(&mut self, now: MonoTime, pause: Duration) {
        (self.step, self.pause, self.next) = (STEP, pause, now + pause);
    }
}

/// The rate just under what a full link lets through, if that is less than the one desired.
fn plateau(input: &LawInput) -> Option<BitRate> {
    let floor = input.limits.floor;
    let carried = input.plateau.filter(|rate| *rate > floor.scaled(USED))?;
    Some(carried.scaled(KEEP).max(floor)).filter(|rate| *rate < input.current)
}

#[cfg(test)]
mod tests;
