//! Which limit to write next, if any. Pure: it knows no router and no clock.
//!
//! - a cut is due at once;
//! - a raise waits until enough has come together to be worth a write;
//! - what the router already enforces is not written again;
//! - a limit that somebody else changed is put right like any other difference.

use std::time::Duration;

use crate::{
    control::Actuation,
    units::{BitRate, MonoTime},
};

/// How eagerly differences are written.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Raises, and cuts within the deadband, wait this long after a queue's last write.
    pub coalesce: Duration,
    /// Differences up to this share of the observed limit are small.
    pub deadband: f64,
    /// A small difference that lasts is written after this long.
    pub settle: Duration,
}

impl Default for Pace {
    /// 200 ms between raises, as small climbs proved to be worth joining in the predecessor's
    /// production; 1 % is below what a person or a congestion controller can tell apart.
    fn default() -> Self {
        Self {
            coalesce: Duration::from_millis(200),
            deadband: 0.01,
            settle: Duration::from_secs(1),
        }
    }
}

/// A limit to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Write {
    pub(super) queue: usize,
    pub(super) limit: BitRate,
}

#[derive(Debug, Clone, Default)]
struct Ledger {
    desired: Option<BitRate>,
    observed: Option<BitRate>,
    written: Option<BitRate>,
    last_write: Option<MonoTime>,
    pending_since: Option<MonoTime>,
    writes: u64,
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
    /// The limit is what was last known.
    Unchanged,
    /// Somebody else changed it.
    Drifted { from: BitRate, to: BitRate },
}

impl Reconciler {
    pub(super) fn new(pace: Pace, queues: usize) -> Self {
        Self { pace, queues: vec![Ledger::default(); queues] }
    }

    /// Takes the rate that a queue should have.
    pub(super) fn want(&mut self, queue: usize, limit: BitRate, now: MonoTime) {
        if let Some(ledger) = self.queues.get_mut(queue) {
            ledger.desired = Some(limit);
            ledger.note_pending(now);
        }
    }

    /// Takes the limit that the router was read to enforce.
    pub(super) fn observed(&mut self, queue: usize, limit: BitRate, now: MonoTime) -> Observation {
        let Some(ledger) = self.queues.get_mut(queue) else { return Observation::Unchanged };
        let known = ledger.observed.replace(limit);
        ledger.note_pending(now);
        match known {
            Some(from) if from != limit && ledger.written.is_some() => {
                Observation::Drifted { from, to: limit }
            }
            Some(_) | None => Observation::Unchanged,
        }
    }

    /// Takes the router's confirmation of a write.
    pub(super) fn confirmed(&mut self, queue: usize, limit: BitRate, now: MonoTime) {
        if let Some(ledger) = self.queues.get_mut(queue) {
            ledger.observed = Some(limit);
            ledger.written = Some(limit);
            ledger.last_write = Some(now);
            ledger.writes += 1;
            ledger.note_pending(now);
        }
    }

    /// Forgets what the router was known to enforce: after a failed write only a read can tell.
    pub(super) fn doubt(&mut self) {
        for ledger in &mut self.queues {
            ledger.observed = None;
        }
    }

    /// Returns the write that is due at `now`; cuts come before raises.
    pub(super) fn due(&self, now: MonoTime) -> Option<Write> {
        let cut = |(_, ledger): &(usize, &Ledger)| ledger.desired < ledger.observed;
        let due = |(_, ledger): &(usize, &Ledger)| self.due_at(ledger).is_some_and(|at| at <= now);
        let mut candidates: Vec<_> = self.queues.iter().enumerate().filter(due).collect();
        candidates.sort_by_key(|candidate| !cut(candidate));
        let (queue, ledger) = candidates.first()?;
        Some(Write { queue: *queue, limit: ledger.desired? })
    }

    /// Returns when the next write falls due if nothing else happens.
    pub(super) fn next_due(&self) -> Option<MonoTime> {
        self.queues.iter().filter_map(|ledger| self.due_at(ledger)).min()
    }

    /// Shows how far the router has followed for one queue.
    pub(super) fn actuation(&self, queue: usize) -> Actuation {
        let ledger = self.queues.get(queue).cloned().unwrap_or_default();
        let Ledger { observed, written, pending_since, writes, .. } = ledger;
        Actuation { written, observed, pending_since, writes }
    }

    fn due_at(&self, ledger: &Ledger) -> Option<MonoTime> {
        let (desired, observed) = (ledger.desired?, ledger.observed?);
        if desired == observed {
            return None;
        }
        let Some(last) = ledger.last_write else { return Some(MonoTime::ZERO) };
        // Zero is "unlimited" on RouterOS: any limit is a cut against it.
        let unlimited = observed == BitRate::ZERO;
        let small = desired.bps().abs_diff(observed.bps()) as f64
            <= observed.bps() as f64 * self.pace.deadband;
        if small && !unlimited {
            Some(last + self.pace.settle)
        } else if desired < observed || unlimited {
            Some(MonoTime::ZERO)
        } else {
            Some(last + self.pace.coalesce)
        }
    }
}

impl Ledger {
    fn note_pending(&mut self, now: MonoTime) {
        let settled = self.desired.is_some() && self.desired == self.observed;
        self.pending_since = if settled { None } else { self.pending_since.or(Some(now)) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MBIT: u64 = 1_000_000;

    fn rate(mbps: u64) -> BitRate {
        BitRate::from_bps(mbps * MBIT)
    }

    /// One queue that the router enforces at `limit`, written just now.
    fn settled(limit: u64, now: MonoTime) -> Reconciler {
        let mut r = Reconciler::new(Pace::default(), 1);
        r.want(0, rate(limit), now);
        r.observed(0, rate(limit), now);
        r.confirmed(0, rate(limit), now);
        r
    }

    #[test]
    fn nothing_is_written_before_the_router_was_read() {
        let mut r = Reconciler::new(Pace::default(), 1);
        r.want(0, rate(50), MonoTime::ZERO);
        assert_eq!(r.due(MonoTime::from_millis(10_000)), None);
        r.observed(0, rate(80), MonoTime::ZERO);
        assert_eq!(r.due(MonoTime::ZERO), Some(Write { queue: 0, limit: rate(50) }));
    }

    #[test]
    fn a_cut_goes_out_at_once_and_a_raise_waits_for_company() {
        let now = MonoTime::from_millis(5_000);
        let mut r = settled(50, now);
        r.want(0, rate(60), now);
        assert_eq!(r.due(now), None);
        assert_eq!(r.next_due(), Some(MonoTime::from_millis(5_200)));
        assert!(r.due(MonoTime::from_millis(5_200)).is_some());
        r.want(0, rate(40), now);
        assert_eq!(r.due(now), Some(Write { queue: 0, limit: rate(40) }));
    }

    #[test]
    fn what_is_in_force_is_never_written_again() {
        let now = MonoTime::from_millis(5_000);
        let mut r = settled(50, now);
        r.want(0, rate(50), MonoTime::from_millis(60_000));
        assert_eq!(r.due(MonoTime::from_millis(60_000)), None);
        assert_eq!(r.next_due(), None);
        assert_eq!(r.actuation(0).pending_since, None);
    }

    #[test]
    fn a_difference_within_the_deadband_is_written_once_it_has_lasted() {
        let now = MonoTime::from_millis(5_000);
        let mut r = settled(1000, now);
        r.want(0, rate(995), now);
        assert_eq!(r.due(MonoTime::from_millis(5_900)), None);
        assert!(r.due(MonoTime::from_millis(6_000)).is_some());
    }

    #[test]
    fn a_limit_edited_by_somebody_else_is_told_and_put_right() {
        let now = MonoTime::from_millis(5_000);
        let mut r = settled(50, now);
        let later = MonoTime::from_millis(9_000);
        let told = r.observed(0, rate(900), later);
        assert_eq!(told, Observation::Drifted { from: rate(50), to: rate(900) });
        assert_eq!(r.due(later), Some(Write { queue: 0, limit: rate(50) }));
    }

    #[test]
    fn a_queue_without_limit_is_limited_at_once() {
        let now = MonoTime::from_millis(5_000);
        let mut r = settled(50, now);
        r.observed(0, BitRate::ZERO, now);
        assert_eq!(r.due(now), Some(Write { queue: 0, limit: rate(50) }));
    }

    #[test]
    fn after_a_failed_write_nothing_is_believed_until_it_is_read() {
        let now = MonoTime::from_millis(5_000);
        let mut r = settled(50, now);
        r.want(0, rate(20), now);
        r.doubt();
        assert_eq!(r.due(now), None);
        assert!(r.actuation(0).pending_since.is_some());
        r.observed(0, rate(20), now);
        assert_eq!(r.due(now), None, "the write had arrived after all");
    }

    #[test]
    fn cuts_overtake_raises() {
        let now = MonoTime::from_millis(5_000);
        let mut r = Reconciler::new(Pace::default(), 2);
        for queue in 0..2 {
            r.observed(queue, rate(50), now);
        }
        r.want(0, rate(60), now);
        r.want(1, rate(40), now);
        assert_eq!(r.due(now).map(|write| write.queue), Some(1));
    }
}
