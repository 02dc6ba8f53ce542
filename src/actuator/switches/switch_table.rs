//! Which switch to change or to read next, if any. Pure: it knows no router and no clock.
//!
//! - a row that is read to differ from its order is changed at once;
//! - nothing is closed while what is to be opened instead is not open yet, but for steering rules
//!   whose stand-in cannot be used;
//! - a write without an answer leaves a doubt, which ends when the row is seen as it was written,
//!   or is otherwise for so long that the write cannot be on its way any more;
//! - a row that cannot be used is read again, in case it is corrected;
//! - a row that does not stay as it was written is written again with a growing back-off.

use std::time::Duration;

use wanctl_core::{
    steering::{RouteActuation, Switch, SwitchKind, SwitchOrder, SwitchReport},
    units::MonoTime,
};

use crate::actuator::write_backoff::WriteBackoff;

/// Time between two reads of a switch that is as ordered.
const READ_INTERVAL: Duration = Duration::from_secs(30);
/// The same while it is in doubt.
const DOUBT_EVERY: Duration = Duration::from_secs(1);
/// A write that has not been seen to work for this long will not: a router that applies late does
/// so within the time after which a request to it is given up, which is 3 s.
const DOUBT_LASTS: Duration = Duration::from_secs(5);
/// Pause after a refused change of a switch.
const REFUSED_RETRY: Duration = Duration::from_secs(5);

/// From so many writes in a row on that were not kept, a person should know.
const NOT_APPLIED: usize = 2;

/// Something to do about one switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::actuator) struct Job {
    /// The switch's place.
    pub(in crate::actuator) place: usize,
    /// Enable or disable it; `None` only reads.
    pub(in crate::actuator) change: Option<bool>,
    /// When it was asked; older news is overtaken by it.
    asked: MonoTime,
}

/// What an answer showed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// Somebody else changed it.
    pub(super) drifted: bool,
    /// It can be used again.
    pub(super) recovered: bool,
}

#[derive(Debug, Clone)]
struct Ledger {
    switch: Switch,
    wanted: Option<bool>,
    seen: Option<(bool, MonoTime)>,
    pending_since: Option<MonoTime>,
    /// What was written without an answer, and when.
    doubt: Option<(bool, MonoTime)>,
    refusal: Option<String>,
    in_flight: Option<Job>,
    look_at: MonoTime,
    rests_until: MonoTime,
    /// How it was written last, as long as it has not been seen otherwise since.
    written: Option<bool>,
    backoff: WriteBackoff,
}

/// All switches of a router.
#[derive(Debug)]
pub(super) struct SwitchTable {
    ledgers: Vec<Ledger>,
    orders: Vec<SwitchOrder>,
}

impl SwitchTable {
    pub(super) fn new(switches: Vec<Switch>) -> Self {
        let ledger = |switch| Ledger {
            switch,
            wanted: None,
            seen: None,
            pending_since: None,
            doubt: None,
            refusal: None,
            in_flight: None,
            look_at: MonoTime::ZERO,
            rests_until: MonoTime::ZERO,
            written: None,
            backoff: WriteBackoff::default(),
        };
        Self { ledgers: switches.into_iter().map(ledger).collect(), orders: Vec::new() }
    }

    /// Takes how the switches ought to be; what is not ordered is left alone.
    /// Returns whether they are new.
    pub(super) fn want(&mut self, orders: &[SwitchOrder], now: MonoTime) -> bool {
        if self.orders == orders {
            return false;
        }
        self.orders = orders.to_vec();
        for ledger in &mut self.ledgers {
            let order = self.orders.iter().find(|order| order.switch == ledger.switch);
            let wanted = order.map(|order| order.enabled);
            if wanted != ledger.wanted {
                // A new order starts without a back-off.
                (ledger.written, ledger.backoff) = (None, WriteBackoff::default());
            }
            ledger.wanted = wanted;
            ledger.note_pending(now);
        }
        true
    }

    /// Returns how `switch` ought to be.
    pub(super) fn wanted(&self, switch: Switch) -> Option<bool> {
        self.ledgers.iter().find(|ledger| ledger.switch == switch).and_then(|l| l.wanted)
    }

    /// Returns the change that is due at `now`, the first in the order of the orders.
    pub(super) fn due_change(&self, now: MonoTime) -> Option<Job> {
        if self.ledgers.iter().any(|ledger| ledger.in_flight.is_some()) {
            return None;
        }
        self.orders.iter().find_map(|order| {
            let (place, ledger) =
                self.ledgers.iter().enumerate().find(|(_, l)| l.switch == order.switch)?;
            let differs = ledger.seen.is_some_and(|(enabled, _)| enabled != order.enabled);
            let rest = ledger.rests_until.max(ledger.backoff.not_before(Duration::MAX));
            let may = ledger.refusal.is_none() && now >= rest;
            let waits = !order.enabled && self.is_opening(order.switch.kind);
            (differs && may && !waits).then_some(Job {
                place,
                change: Some(order.enabled),
                asked: now,
            })
        })
    }

    /// Returns whether a switch for the same traffic as `kind` is yet to be enabled.
    ///
    /// A steering rule that cannot be used is not waited for: without any rule, connections still
    /// go with everything else. Without a route, nothing goes anywhere.
    fn is_opening(&self, kind: SwitchKind) -> bool {
        let of_same = |ledger: &&Ledger| steers(ledger.switch.kind) == steers(kind);
        let may_come = |ledger: &&Ledger| !steers(kind) || ledger.refusal.is_none();
        self.ledgers.iter().filter(of_same).filter(may_come).any(|ledger| {
            ledger.wanted == Some(true) && !ledger.seen.is_some_and(|(enabled, _)| enabled)
        })
    }

    /// Returns the read that is due at `now`, the longest overdue first.
    pub(super) fn due_read(&self, now: MonoTime) -> Option<Job> {
        let free = self.ledgers.iter().enumerate().filter(|(_, l)| l.in_flight.is_none());
        let (place, _) = free.filter(|(_, l)| now >= l.look_at).min_by_key(|(_, l)| l.look_at)?;
        Some(Job { place, change: None, asked: now })
    }

    pub(super) fn next_read(&self) -> Option<MonoTime> {
        self.ledgers.iter().filter(|l| l.in_flight.is_none()).map(|l| l.look_at).min()
    }

    /// Takes note that a job is in flight.
    pub(super) fn begin(&mut self, job: Job, now: MonoTime) {
        if let Some(ledger) = self.ledgers.get_mut(job.place) {
            ledger.in_flight = Some(Job { asked: now, ..job });
            if job.change.is_some() {
                ledger.written = job.change;
                ledger.backoff.wrote(now);
            }
        }
    }

    /// Takes the router's answer: the row is enabled, or not.
    pub(super) fn answered(&mut self, job: Job, enabled: bool, now: MonoTime) -> Found {
        let Some(ledger) = self.ledgers.get_mut(job.place) else { return Found::default() };
        ledger.in_flight = None;
        match ledger.written {
            Some(written) if written == enabled => ledger.backoff.applied(now),
            Some(_) => {
                ledger.written = None;
                ledger.backoff.failed();
            }
            None => {}
        }
        let before = ledger.seen.replace((enabled, now));
        let recovered = ledger.refusal.take().is_some();
        let in_doubt = ledger.doubt;
        ledger.doubt = match (job.change, in_doubt) {
            (Some(_), _) | (None, None) => None,
            (None, Some((written, at))) => {
                (written != enabled && now.since(at) < DOUBT_LASTS).then_some((written, at))
            }
        };
        let wait = if ledger.doubt.is_some() { DOUBT_EVERY } else { READ_INTERVAL };
        ledger.look_at = now + wait;
        ledger.note_pending(now);
        let differs = before.is_some_and(|(before, _)| before != enabled);
        Found { drifted: job.change.is_none() && in_doubt.is_none() && differs, recovered }
    }

    /// Takes a refusal of this row only; returns whether it is new.
    pub(super) fn refused(&mut self, job: Job, what: String, now: MonoTime) -> bool {
        let Some(ledger) = self.ledgers.get_mut(job.place) else { return false };
        ledger.in_flight = None;
        ledger.seen = None;
        ledger.doubt = None;
        ledger.look_at = now + READ_INTERVAL;
        ledger.rests_until = now + REFUSED_RETRY;
        let is_news = ledger.refusal.as_ref() != Some(&what);
        ledger.refusal = Some(what);
        ledger.note_pending(now);
        is_news
    }

    /// A request failed: what was in flight may or may not have been carried out, and the router
    /// may come back as it was or otherwise.
    pub(super) fn doubt(&mut self, now: MonoTime) {
        for ledger in &mut self.ledgers {
            if let Some(change) = ledger.in_flight.take().and_then(|job| job.change) {
                ledger.doubt = Some((change, now));
            }
            ledger.look_at = now;
            // Unknown, so that a change waits for a read.
            if ledger.doubt.is_some() {
                ledger.seen = None;
            }
            ledger.note_pending(now);
        }
    }

    /// Shows how far the router has followed.
    pub(super) fn actuation(&self) -> RouteActuation {
        let report = |ledger: &Ledger| SwitchReport {
            switch: ledger.switch,
            seen: ledger.seen,
            pending_since: ledger.pending_since,
            in_doubt: ledger.doubt.is_some(),
            refused: ledger.refusal.is_some(),
        };
        RouteActuation { switches: self.ledgers.iter().map(report).collect() }
    }

    /// Returns the places of the switches that do not stay as they are written.
    pub(super) fn not_applied(&self) -> impl Iterator<Item = usize> {
        let kept = |(place, ledger): (usize, &Ledger)| {
            (ledger.backoff.failures() >= NOT_APPLIED).then_some(place)
        };
        self.ledgers.iter().enumerate().filter_map(kept)
    }

    /// Returns why switches cannot be used.
    pub(super) fn problems(&self) -> Vec<String> {
        self.ledgers.iter().filter_map(|ledger| ledger.refusal.clone()).collect()
    }
}

impl Ledger {
    fn note_pending(&mut self, now: MonoTime) {
        let seen = self.seen.map(|(enabled, _)| enabled);
        let is_pending = self.wanted.is_some() && self.wanted != seen;
        self.pending_since = if is_pending { self.pending_since.or(Some(now)) } else { None };
    }
}

const fn steers(kind: SwitchKind) -> bool {
    matches!(kind, SwitchKind::SteerRule | SwitchKind::SteerRule6)
}

#[cfg(test)]
mod tests;
