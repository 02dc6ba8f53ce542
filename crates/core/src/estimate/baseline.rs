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

use crate::units::{Delay, MonoTime};

/// A reply that is shorter by no more than this is a lucky one of the same path, and moves the
/// baseline
const CLOSE: Delay = Delay::from_micros(1_000);
/// by this share of the way.
const FALL_PER_REPLY: f64 = 0.6;
/// Replies of this time support a shorter delay,
const RECENT: Duration = Duration::from_secs(4);
/// or so many, if they are fewer: on an idle link a reflector answers about once a second.
const RECENT_REPLIES: usize = 16;
/// So many of them have to be as short, so that two oddly short ones prove nothing,
const SUPPORT: usize = 3;
/// and at least one in so many: where replies come often, oddly short ones do as well.
const SUPPORT_SHARE: usize = 8;
/// So many for a provisional baseline, which is likely to contain a queue.
const SUPPORT_PROVISIONAL: usize = 2;
/// Time constant of the rise while the link is quiet: slow against a queue, quick against the
/// minutes over which routes drift.
const RISE_TAU: Duration = Duration::from_mins(1);
/// How long a quiet link must show the longer delay before it is believed to be the path.
const RELEARN_AFTER: Duration = Duration::from_secs(5);
/// Fewest replies that may prove a path change.
const RELEARN_REPLIES: usize = 8;
/// A path change smaller than this is left to the slow rise, and a smaller fall to itself.
const STEP: Delay = Delay::from_micros(4_000);
/// For so long without load, and
const FOUNDED_AFTER: Duration = Duration::from_secs(2);
/// with so many replies a baseline must have been seen to be final.
const FOUNDED_REPLIES: u32 = 3;
/// A remembered baseline is believed after this time: by then it has fallen if the path has become
/// shorter.
const REMEMBERED_AFTER: Duration = Duration::from_secs(10);
/// So many replies in a row
const CONTRADICTED_BY: u32 = 6;
/// over at least this time that do not bear out a fall take it back: less than ten seconds on an
/// idle link.
const CONTRADICTED_FOR: Duration = Duration::from_secs(2);
/// A fall that is still borne out after this time is final.
const FALLEN_FOR: Duration = Duration::from_secs(30);

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
    /// Tells what the traffic is like, given whether the link is quiet and whether no queue can
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
    value: Option<Delay>,
    last: Option<MonoTime>,
    first: Option<MonoTime>,
    is_remembered: bool,
    is_founded: bool,
    /// Since when no reply came under load, and how many have come since.
    calm: Option<(MonoTime, u32)>,
    recent: VecDeque<(MonoTime, Delay)>,
    fall: Option<Fall>,
    /// Replies since the link became quiet, no older than `RELEARN_AFTER` plus one.
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
    /// Starts from a value that was learned before: a starting point, to be founded anew.
    pub(crate) fn remembered(value: Delay) -> Self {
        Self { value: Some(value), is_remembered: true, ..Self::default() }
    }

    /// Returns the idle delay, once a reply has been seen.
    pub(crate) fn value(&self) -> Option<Delay> {
        self.value
    }

    /// Tells whether the value may contain a queue, because it was never seen without load.
    pub(crate) fn is_provisional(&self) -> bool {
        !self.is_founded && !self.is_remembered
    }

    /// Tells whether a rate may be raised on the value.
    pub(crate) fn is_founded(&self, now: MonoTime) -> bool {
        let is_old = self.first.is_some_and(|first| now.since(first) >= REMEMBERED_AFTER);
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
        if rtt < value && value - rtt <= CLOSE {
            self.value = Some(value - (value - rtt).scaled(FALL_PER_REPLY));
        } else if traffic == Traffic::Quiet && rtt > value {
            let alpha = 1.0 - (-dt.as_secs_f64() / RISE_TAU.as_secs_f64()).exp();
            self.value = Some(value + (rtt - value).scaled(alpha));
        }
        self.fall(at);
        self.judge_fall(at, rtt);
        if traffic == Traffic::Quiet {
            self.relearn(at);
        }
    }

    fn note(&mut self, at: MonoTime, rtt: Delay, traffic: Traffic) {
        self.recent.push_back((at, rtt));
        while self.recent.len() > RECENT_REPLIES
            && self.recent.front().is_some_and(|(then, _)| at.since(*then) > RECENT)
        {
            self.recent.pop_front();
        }
        if traffic == Traffic::Quiet {
            self.quiet.push_back((at, rtt));
            // Keep one reply that is older than the span: it proves that the span is covered.
            while self.quiet.get(1).is_some_and(|(then, _)| at.since(*then) >= RELEARN_AFTER) {
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
        self.is_founded |= at.since(since) >= FOUNDED_AFTER && replies >= FOUNDED_REPLIES;
    }

    /// Moves down to what enough of the recent replies were as short as.
    fn fall(&mut self, at: MonoTime) {
        let is_provisional = self.is_provisional();
        let support = if is_provisional {
            SUPPORT_PROVISIONAL
        } else {
            SUPPORT.max(self.recent.len() / SUPPORT_SHARE)
        };
        let Some((value, supported)) = self.value.zip(nth_least(&self.recent, support)) else {
            return;
        };
        // The first reply of all had no support yet, in either direction.
        if supported < value || (is_provisional && self.recent.len() == support) {
            self.value = Some(supported);
        }
        if !is_provisional && value - supported > STEP && self.fall.is_none() {
            let (from, borne_out, above) = (value, at, 0);
            let least_above = Delay::from_micros(i64::MAX);
            self.fall = Some(Fall { from, at, borne_out, above, least_above });
        }
    }

    /// Takes a fall back that the replies after it do not bear out.
    fn judge_fall(&mut self, at: MonoTime, rtt: Delay) {
        let (Some(fall), Some(value)) = (&mut self.fall, self.value) else { return };
        if rtt <= value + (fall.from - value).scaled(0.5) {
            (fall.borne_out, fall.above) = (at, 0);
            fall.least_above = Delay::from_micros(i64::MAX);
            if at.since(fall.at) >= FALLEN_FOR {
                self.fall = None;
            }
            return;
        }
        fall.above += 1;
        fall.least_above = fall.least_above.min(rtt);
        if fall.above >= CONTRADICTED_BY && at.since(fall.borne_out) >= CONTRADICTED_FOR {
            let value = fall.from.min(fall.least_above);
            self.value = Some(value);
            self.fall = None;
            self.recent.retain(|(_, rtt)| *rtt >= value);
            self.quiet.retain(|(_, rtt)| *rtt >= value);
        }
    }

    /// Moves the baseline at once when a quiet link has shown a longer, steady delay for long.
    fn relearn(&mut self, at: MonoTime) {
        let covered = self.quiet.front().is_some_and(|(then, _)| at.since(*then) >= RELEARN_AFTER);
        if !covered || self.quiet.len() < RELEARN_REPLIES {
            return;
        }
        // The least but one of the span: had the longer delay been a queue or noise, two replies
        // in five seconds would have come through near the old baseline.
        if let Some((value, shortest)) = self.value.zip(nth_least(&self.quiet, 2))
            && shortest > value + STEP
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
