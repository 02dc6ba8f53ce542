//! Which limit to write next, if any. Pure: it knows no router and no clock.
//!
//! - a cut is due at once;
//! - a raise waits until enough has come together to be worth a write, and for the budget;
//! - what the router already enforces is not written again;
//! - a limit that somebody else changed is put right like any other difference.

use std::{collections::VecDeque, time::Duration};

use crate::{
    config::Pace,
    control::Actuation,
    units::{BitRate, MonoTime},
};

/// The span of the budget for raises.
const MINUTE: Duration = Duration::from_mins(1);

/// A limit to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Write {
    pub(super) queue: usize,
    pub(super) limit: BitRate,
    /// Whether the limit in force is higher.
    pub(super) is_cut: bool,
}

#[derive(Debug, Clone, Default)]
struct Ledger {
    desired: Option<BitRate>,
    observed: Option<BitRate>,
    written: Option<BitRate>,
    last_write: Option<MonoTime>,
    /// When a write was last tried, and what.
    tried: Option<(MonoTime, BitRate)>,
    /// After a refusal this queue is left alone until then; the others go on.
    rests_until: MonoTime,
    /// What was asked before this moment is not believed.
    doubted: MonoTime,
    underway: bool,
    pending_since: Option<MonoTime>,
    writes: u64,
    /// When the last raises were confirmed, no older than a minute.
    raises: VecDeque<MonoTime>,
}

/// The desired and observed limits of all queues of a router.
#[derive(Debug)]
pub(super) struct Reconciler {
    pace: Pace,
    queues: Vec<Ledger>,
}

/// What reading a queue's limit told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Observation {
    /// The limit is what was last known, or the reading is older than what is known.
    NoNews,
    /// Somebody else changed it.
    Drifted { from: BitRate, to: BitRate },
}

impl Reconciler {
    pub(super) fn new(pace: Pace, queues: usize) -> Self {
        Self { pace, queues: vec![Ledger::default(); queues] }
    }

    /// Writes as eagerly as this from now on.
    pub(super) fn set_pace(&mut self, pace: Pace) {
        self.pace = pace;
    }

    /// Wants nothing any more of any queue, until [`Self::want`].
    pub(super) fn release(&mut self) {
        for ledger in &mut self.queues {
            ledger.desired = None;
            ledger.pending_since = None;
        }
    }

    /// Takes the rate that a queue should have.
    pub(super) fn want(&mut self, queue: usize, limit: BitRate, now: MonoTime) {
        if let Some(ledger) = self.queues.get_mut(queue) {
            ledger.desired = Some(limit);
            ledger.note_pending(now);
        }
    }

    /// Takes the limit that the router was read to enforce by a request made at `asked`. A
    /// reading that a write has overtaken tells nothing.
    pub(super) fn observed(
        &mut self,
        queue: usize,
        limit: BitRate,
        asked: MonoTime,
        now: MonoTime,
    ) -> Observation {
        let Some(ledger) = self.queues.get_mut(queue) else { return Observation::NoNews };
        let overtaken = ledger.last_write.is_some_and(|write| write > asked);
        if ledger.underway || overtaken || asked < ledger.doubted {
            return Observation::NoNews;
        }
        // After a doubt the last write that was confirmed is what ought to be there.
        let known = ledger.observed.replace(limit).or(ledger.written);
        ledger.note_pending(now);
        // A write that failed may have arrived all the same: that is us, not somebody else.
        let is_ours = ledger.tried.is_some_and(|(_, tried)| tried == limit);
        match known {
            Some(from) if from != limit && ledger.written.is_some() && !is_ours => {
                Observation::Drifted { from, to: limit }
            }
            Some(_) | None => Observation::NoNews,
        }
    }

    /// Takes note that a write is under way.
    pub(super) fn begin(&mut self, write: Write, now: MonoTime) {
        if let Some(ledger) = self.queues.get_mut(write.queue) {
            ledger.underway = true;
            ledger.tried = Some((now, write.limit));
        }
    }

    /// Takes note that the router refused a write for a reason of this queue's own.
    pub(super) fn refused(&mut self, write: Write, now: MonoTime, rest: Duration) {
        if let Some(ledger) = self.queues.get_mut(write.queue) {
            ledger.underway = false;
            ledger.observed = None;
            ledger.doubted = now;
            ledger.rests_until = now + rest;
        }
    }

    /// Takes the router's confirmation of a write.
    pub(super) fn confirmed(&mut self, write: Write, limit: BitRate, now: MonoTime) {
        let Some(ledger) = self.queues.get_mut(write.queue) else { return };
        ledger.underway = false;
        ledger.observed = Some(limit);
        ledger.written = Some(limit);
        ledger.last_write = Some(now);
        ledger.writes += 1;
        if !write.is_cut {
            ledger.raises.push_back(now);
        }
        while ledger.raises.front().is_some_and(|at| now.since(*at) >= MINUTE) {
            ledger.raises.pop_front();
        }
        ledger.note_pending(now);
    }

    /// Forgets what the router was known to enforce: after a failed request only a read can tell.
    pub(super) fn doubt(&mut self, now: MonoTime) {
        for ledger in &mut self.queues {
            ledger.underway = false;
            ledger.observed = None;
            ledger.doubted = now;
        }
    }

    /// Returns the write that is due at `now`; cuts come before raises, and among equals the queue
    /// that was tried least recently.
    pub(super) fn due(&self, now: MonoTime) -> Option<Write> {
        let due = |(queue, ledger): (usize, &Ledger)| {
            let write = self.next_write(queue, ledger)?;
            (write.1 <= now).then_some(write.0)
        };
        self.queues.iter().enumerate().filter_map(due).min_by_key(|write| {
            let tried = self.queues.get(write.queue).and_then(|ledger| ledger.tried);
            (!write.is_cut, tried.map(|(at, _)| at))
        })
    }

    /// Returns when the next write falls due if nothing else happens.
    pub(super) fn next_due(&self) -> Option<MonoTime> {
        let due = |(queue, ledger)| self.next_write(queue, ledger).map(|(_, at)| at);
        self.queues.iter().enumerate().filter_map(due).min()
    }

    /// Shows how far the router has followed for one queue.
    pub(super) fn actuation(&self, queue: usize) -> Actuation {
        let ledger = self.queues.get(queue).cloned().unwrap_or_default();
        let Ledger { observed, written, pending_since, writes, .. } = ledger;
        Actuation { written, observed, pending_since, writes }
    }

    /// Returns for how long a queue's limit has not been what is desired; `None` if it is.
    pub(super) fn awaited(&self, queue: usize, now: MonoTime) -> Option<Duration> {
        self.queues.get(queue)?.pending_since.map(|since| now.since(since))
    }

    /// What is to be written for a queue, and from when on.
    fn next_write(&self, queue: usize, ledger: &Ledger) -> Option<(Write, MonoTime)> {
        let (limit, observed) = (ledger.desired?, ledger.observed?);
        if limit == observed || ledger.underway {
            return None;
        }
        // Zero is "unlimited" on RouterOS: any limit is a cut against it.
        let is_unlimited = observed == BitRate::ZERO;
        let write = Write { queue, limit, is_cut: is_unlimited || limit < observed };
        let Some(last) = ledger.last_write else { return Some((write, ledger.rests_until)) };
        let apart = limit.bps().abs_diff(observed.bps()) as f64;
        let is_small = !is_unlimited && apart <= observed.bps() as f64 * self.pace.deadband;
        let at = if is_small {
            last + self.pace.settle
        } else if write.is_cut {
            MonoTime::ZERO
        } else {
            last + self.pace.coalesce
        };
        let at = if write.is_cut { at } else { at.max(self.within_budget(ledger)) };
        Some((write, at.max(ledger.rests_until)))
    }

    /// When the budget allows the next raise.
    fn within_budget(&self, ledger: &Ledger) -> MonoTime {
        let most = usize::try_from(self.pace.raises_per_minute).unwrap_or(usize::MAX);
        let Some(over) = ledger.raises.len().checked_sub(most) else { return MonoTime::ZERO };
        ledger.raises.get(over).map_or(MonoTime::ZERO, |oldest| *oldest + MINUTE)
    }
}

impl Ledger {
    fn note_pending(&mut self, now: MonoTime) {
        let pending = self.desired.is_some() && self.desired != self.observed;
        self.pending_since = if pending { self.pending_since.or(Some(now)) } else { None };
    }
}

#[cfg(test)]
mod tests;
