//! How one reflector's idle delay is learned, held and re-learned.
//!
//! The baseline falls by much as soon as several replies agree on a shorter delay: one early reply,
//! lucky or forged, is no proof. It rises slowly and only while the link is quiet, and is learned anew
//! when the path has plainly changed. A queue that stands under our own load is never taken for a
//! longer path.
//!
//! Two kinds of baseline are not final yet:
//!
//! - a **provisional** one was never seen while nothing of ours could stand in the provider's
//!   queue, because the first reply came under load. It falls at the second shorter reply, no rate
//!   is raised on it, and it is not remembered over a restart;
//! - one that has just **fallen** by much returns to what it was if the replies that follow do not
//!   bear it out.

use std::{collections::VecDeque, time::Duration};

use crate::params::BaselineParams;
use crate::units::{Delay, MonoTime};

/// What could stand in the provider's queue when a reply came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Traffic {
    /// The WAN carried next to nothing.
    Quiet,
    /// The shaper has been limiting the traffic for a while: what waits, waits in it.
    Shaped,
    /// Something behind the shaper may limit the traffic.
    Loaded,
}

impl Traffic {
    /// Returns what the traffic is like, given whether the link is quiet and whether no queue can
    /// stand behind the shaper.
    pub(crate) const fn of(is_quiet: bool, leaves_no_queue: bool) -> Self {
        match (is_quiet, leaves_no_queue) {
            (true, _) => Self::Quiet,
            (false, true) => Self::Shaped,
            (false, false) => Self::Loaded,
        }
    }
}

/// The learned idle delay of one reflector.
#[derive(Debug, Clone, Default)]
pub(crate) struct Baseline {
    params: BaselineParams,
    value: Option<Delay>,
    last: Option<MonoTime>,
    first: Option<MonoTime>,
    is_remembered: bool,
    is_founded: bool,
    /// Since when no reply came under load, and how many have come since.
    calm: Option<(MonoTime, u32)>,
    recent: VecDeque<(MonoTime, Delay)>,
    fall: Option<Fall>,
    /// Replies since the link became quiet, no older than `relearn_after` plus one.
    quiet: VecDeque<(MonoTime, Delay)>,
}

/// A fall that is not final yet.
#[derive(Debug, Clone, Copy)]
struct Fall {
    from: Delay,
    at: MonoTime,
    /// When a reply bore it out last, and what the replies since were.
    borne_out: MonoTime,
    above: u32,
    least_above: Delay,
}

impl Baseline {
    pub(crate) fn new(params: BaselineParams) -> Self {
        Self { params, ..Self::default() }
    }

    /// Starts from a value that was learned before, which replies have to confirm.
    pub(crate) fn remembered(params: BaselineParams, value: Delay) -> Self {
        Self { value: Some(value), is_remembered: true, ..Self::new(params) }
    }

    /// Returns the idle delay, once a reply has been seen.
    pub(crate) fn value(&self) -> Option<Delay> {
        self.value
    }

    /// Returns whether the value may contain a queue, because it was never seen without load.
    pub(crate) fn is_provisional(&self) -> bool {
        !self.is_founded && !self.is_remembered
    }

    /// Returns whether a rate may be raised on the value.
    pub(crate) fn is_founded(&self, now: MonoTime) -> bool {
        let is_old =
            self.first.is_some_and(|first| now.since(first) >= self.params.remembered_after);
        self.is_founded || (self.is_remembered && is_old)
    }

    /// Takes one reply into account, which came under `traffic`.
    pub(crate) fn update(&mut self, at: MonoTime, rtt: Delay, traffic: Traffic) {
        self.first = self.first.or(Some(at));
        let dt = self.last.replace(at).map_or(Duration::ZERO, |last| at.since(last));
        self.note(at, rtt, traffic);
        let Some(value) = self.value else {
            self.value = Some(rtt);
            return;
        };
        if rtt < value && value - rtt <= self.params.close {
            self.value = Some(value - (value - rtt).scaled(self.params.fall_per_reply));
        } else if traffic == Traffic::Quiet && rtt > value {
            let alpha = 1.0 - (-dt.as_secs_f64() / self.params.rise_tau.as_secs_f64()).exp();
            self.value = Some(value + (rtt - value).scaled(alpha));
        }
        self.fall(at);
        self.check_fall(at, rtt);
        if traffic == Traffic::Quiet {
            self.relearn(at);
        }
    }

    fn note(&mut self, at: MonoTime, rtt: Delay, traffic: Traffic) {
        self.recent.push_back((at, rtt));
        while self.recent.len() > self.params.support_replies
            && self
                .recent
                .front()
                .is_some_and(|(then, _)| at.since(*then) > self.params.support_window)
        {
            self.recent.pop_front();
        }
        if traffic == Traffic::Quiet {
            self.quiet.push_back((at, rtt));
            // Keep one reply that is older than the span: it proves that the span is covered.
            while self
                .quiet
                .get(1)
                .is_some_and(|(then, _)| at.since(*then) >= self.params.relearn_after)
            {
                self.quiet.pop_front();
            }
        } else {
            self.quiet.clear();
        }
        if traffic == Traffic::Loaded {
            self.calm = None;
            return;
        }
        let (since, replies) = self.calm.map_or((at, 1), |(since, n)| (since, n + 1));
        self.calm = Some((since, replies));
        self.is_founded |=
            at.since(since) >= self.params.final_after && replies >= self.params.final_replies;
    }

    /// Moves down to what enough of the recent replies were as short as.
    fn fall(&mut self, at: MonoTime) {
        let is_provisional = self.is_provisional();
        let support = if is_provisional {
            self.params.support_provisional
        } else {
            self.params.support.max(self.recent.len() / self.params.support_divisor)
        };
        let Some((value, supported)) = self.value.zip(nth_least(&self.recent, support)) else {
            return;
        };
        // The first reply of all had no support yet, in either direction.
        if supported < value || (is_provisional && self.recent.len() == support) {
            self.value = Some(supported);
        }
        if !is_provisional && value - supported > self.params.jump && self.fall.is_none() {
            let (from, borne_out, above) = (value, at, 0);
            let least_above = Delay::from_micros(i64::MAX);
            self.fall = Some(Fall { from, at, borne_out, above, least_above });
        }
    }

    /// Takes a fall back that the replies after it do not bear out.
    fn check_fall(&mut self, at: MonoTime, rtt: Delay) {
        let (Some(fall), Some(value)) = (&mut self.fall, self.value) else { return };
        if rtt <= value + (fall.from - value).scaled(0.5) {
            (fall.borne_out, fall.above) = (at, 0);
            fall.least_above = Delay::from_micros(i64::MAX);
            if at.since(fall.at) >= self.params.fall_final_after {
                self.fall = None;
            }
            return;
        }
        fall.above += 1;
        fall.least_above = fall.least_above.min(rtt);
        if fall.above >= self.params.contradicted_by
            && at.since(fall.borne_out) >= self.params.contradicted_for
        {
            let value = fall.from.min(fall.least_above);
            self.value = Some(value);
            self.fall = None;
            self.recent.retain(|(_, rtt)| *rtt >= value);
            self.quiet.retain(|(_, rtt)| *rtt >= value);
        }
    }

    /// Moves the baseline at once when a quiet link has shown a longer, steady delay for long.
    fn relearn(&mut self, at: MonoTime) {
        let covered = self
            .quiet
            .front()
            .is_some_and(|(then, _)| at.since(*then) >= self.params.relearn_after);
        if !covered || self.quiet.len() < self.params.relearn_replies {
            return;
        }
        // The least but one of the span: had the longer delay been a queue or noise, two replies
        // in five seconds would have come through near the old baseline.
        if let Some((value, shortest)) = self.value.zip(nth_least(&self.quiet, 2))
            && shortest > value + self.params.jump
        {
            self.value = Some(shortest);
            self.fall = None;
        }
    }
}

/// The `n`th least delay, counted from 1; `None` if there are fewer.
fn nth_least(replies: &VecDeque<(MonoTime, Delay)>, n: usize) -> Option<Delay> {
    let mut delays: Vec<Delay> = replies.iter().map(|(_, rtt)| *rtt).collect();
    let place = n.checked_sub(1).filter(|place| *place < delays.len())?;
    Some(*delays.select_nth_unstable(place).1)
}

#[cfg(test)]
mod tests;
