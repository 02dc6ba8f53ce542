//! Which limit to write next, if any. Pure: it knows no router and no clock.
//!
//! - a cut is due at once;
//! - a raise waits until enough has come together to be worth a write, and for the budget;
//! - what the router already enforces, but for its rounding, is not written again;
//! - a limit that somebody else changed, or that the router does not keep, is written again with a
//!   growing back-off;
//! - all writes count towards an hourly budget, which only new cuts may exceed.

mod budget;
mod enforcement;

use std::{collections::VecDeque, time::Duration};

pub(super) use self::enforcement::RateOverride;
use self::{budget::Budget, enforcement::Enforcement};
use super::Pace;
use wanctl_core::{
    Actuation,
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
    /// Answers to requests from before this moment are ignored.
    doubted: MonoTime,
    in_flight: bool,
    pending_since: Option<MonoTime>,
    writes: u64,
    /// When the last raises were confirmed, no older than a minute.
    raises: VecDeque<MonoTime>,
    budget: Budget,
    enforcement: Enforcement,
}

/// The writes of one queue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct WriteCount {
    /// Writes of a limit that had not been kept, since the start.
    pub(super) repeats: u64,
    /// Writes in the last hour.
    pub(super) last_hour: u32,
    /// Only a new cut is written at once.
    pub(super) is_exhausted: bool,
}

/// The desired and observed limits of all queues of a router.
#[derive(Debug)]
pub(super) struct Reconciler {
    pace: Pace,
    queues: Vec<Ledger>,
}

/// What a reading of a queue's limit showed.
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
            ledger.note_pending(now, self.pace.deadband);
        }
    }

    /// Takes the limit that the router was read to enforce by a request made at `asked`. A
    /// reading that a write has overtaken is ignored.
    pub(super) fn observed(
        &mut self,
        queue: usize,
        limit: BitRate,
        asked: MonoTime,
        now: MonoTime,
    ) -> Observation {
        let Some(ledger) = self.queues.get_mut(queue) else { return Observation::NoNews };
        let overtaken = ledger.last_write.is_some_and(|write| write > asked);
        if ledger.in_flight || overtaken || asked < ledger.doubted {
            return Observation::NoNews;
        }
        // After a doubt the last write that was confirmed is what ought to be there.
        let known = ledger.observed.replace(limit).or(ledger.written);
        let is_changed = ledger.enforcement.read(limit, now, self.pace.deadband);
        ledger.note_pending(now, self.pace.deadband);
        match known {
            Some(from) if from != limit && is_changed => Observation::Drifted { from, to: limit },
            Some(_) | None => Observation::NoNews,
        }
    }

    /// Takes note that a write is in flight.
    pub(super) fn begin(&mut self, write: Write, now: MonoTime) {
        if let Some(ledger) = self.queues.get_mut(write.queue) {
            ledger.in_flight = true;
            ledger.tried = Some((now, write.limit));
            ledger.enforcement.wrote(write.limit, now, self.pace.deadband);
            ledger.budget.count(now, self.pace.writes_per_hour);
        }
    }

    /// Takes note that the router refused a write for a reason of this queue's own.
    pub(super) fn refused(&mut self, write: Write, now: MonoTime, rest: Duration) {
        if let Some(ledger) = self.queues.get_mut(write.queue) {
            ledger.in_flight = false;
            ledger.observed = None;
            ledger.doubted = now;
            ledger.enforcement.refused();
            ledger.rests_until = now + rest;
        }
    }

    /// Takes the router's confirmation of a write.
    pub(super) fn confirmed(&mut self, write: Write, limit: BitRate, now: MonoTime) {
        let Some(ledger) = self.queues.get_mut(write.queue) else { return };
        ledger.in_flight = false;
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
        ledger.enforcement.confirmed(limit, now, self.pace.deadband);
        ledger.note_pending(now, self.pace.deadband);
    }

    /// Forgets what the router enforces: after a failed request it is unknown until it is read.
    pub(super) fn doubt(&mut self, now: MonoTime) {
        for ledger in &mut self.queues {
            ledger.in_flight = false;
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

    /// Returns why a queue does not have the limit that was written, if so.
    pub(super) fn overridden(&self, queue: usize, now: MonoTime) -> Option<RateOverride> {
        self.queues.get(queue)?.enforcement.overridden(now)
    }

    /// Shows the writes of a queue.
    pub(super) fn writes(&self, queue: usize, now: MonoTime) -> WriteCount {
        let per_hour = self.pace.writes_per_hour;
        self.queues.get(queue).map_or_else(WriteCount::default, |ledger| WriteCount {
            repeats: ledger.enforcement.repeats(),
            last_hour: ledger.budget.used(now),
            is_exhausted: ledger.budget.allows_at(per_hour) > now,
        })
    }

    /// What is to be written for a queue, and from when on.
    fn next_write(&self, queue: usize, ledger: &Ledger) -> Option<(Write, MonoTime)> {
        let (limit, observed) = (ledger.desired?, ledger.observed?);
        let Pace { deadband, settle, coalesce, writes_per_hour, .. } = self.pace;
        if ledger.is_settled(deadband) || ledger.in_flight {
            return None;
        }
        // Zero is "unlimited" on RouterOS: any limit is a cut against it.
        let is_unlimited = observed == BitRate::ZERO;
        let write = Write { queue, limit, is_cut: is_unlimited || limit < observed };
        let is_small = !is_unlimited && enforcement::is_near(observed, limit, deadband);
        let pace = match ledger.last_write {
            None => MonoTime::ZERO,
            Some(last) if is_small => last + settle,
            Some(_) if write.is_cut => MonoTime::ZERO,
            Some(last) => last + coalesce,
        };
        let raise = if write.is_cut { MonoTime::ZERO } else { self.within_budget(ledger) };
        let is_urgent = write.is_cut && !is_small && ledger.enforcement.is_new_cut(limit, deadband);
        let budget =
            if is_urgent { MonoTime::ZERO } else { ledger.budget.allows_at(writes_per_hour) };
        let backoff = ledger.enforcement.not_before(limit, deadband);
        let at = pace.max(raise).max(budget).max(backoff).max(ledger.rests_until);
        Some((write, at))
    }

    /// When the budget allows the next raise.
    fn within_budget(&self, ledger: &Ledger) -> MonoTime {
        let most = usize::try_from(self.pace.raises_per_minute).unwrap_or(usize::MAX);
        let Some(over) = ledger.raises.len().checked_sub(most) else { return MonoTime::ZERO };
        ledger.raises.get(over).map_or(MonoTime::ZERO, |oldest| *oldest + MINUTE)
    }
}

impl Ledger {
    fn note_pending(&mut self, now: MonoTime, deadband: f64) {
        let pending = self.desired.is_some() && !self.is_settled(deadband);
        self.pending_since = if pending { self.pending_since.or(Some(now)) } else { None };
    }

    /// Returns whether the router enforces what is desired, as precisely as it can.
    fn is_settled(&self, deadband: f64) -> bool {
        match (self.desired, self.observed) {
            (Some(desired), Some(observed)) => {
                desired == observed || self.enforcement.is_rounded(desired, observed, deadband)
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod tests;
