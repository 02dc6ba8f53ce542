//! Whether the router keeps the limits that are written to it, and who does not let it.

use std::{collections::VecDeque, time::Duration};

use wanctl_core::units::{BitRate, MonoTime};

use crate::actuator::write_backoff::WriteBackoff;

/// The span over which changes by others are counted.
const MINUTE: Duration = Duration::from_mins(1);
/// Another limit within the range that was not applied is tried after this time at the latest.
const WITHIN_RANGE: Duration = Duration::from_secs(5);
/// From so many writes that were not applied, or changes by others in a minute, the limit is overridden.
const OVERRIDDEN: usize = 2;

/// Why a queue does not have the limit that was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::actuator) enum RateOverride {
    /// The router answers or reads with another limit after each write.
    NotApplied { at: BitRate, written: BitRate },
    /// The router accepted no such write, and has another limit.
    Refused { at: BitRate, wanted: BitRate },
    /// The limit was in force, and somebody else changed it, so often in the last minute.
    ChangedExternally { to: BitRate, per_minute: usize },
}

/// A write, and what has been seen of it.
#[derive(Debug, Clone, Copy)]
struct Attempt {
    limit: BitRate,
    /// A reading showed it in force.
    was_read: bool,
    /// It was seen not to be kept.
    failed: bool,
    /// The router confirmed it, with whatever limit.
    accepted: bool,
}

/// What is known of one queue.
#[derive(Debug, Clone, Default)]
pub(super) struct Enforcement {
    backoff: WriteBackoff,
    attempt: Option<Attempt>,
    /// The lowest and the highest limit that were not applied since the last one that was.
    ineffective: Option<(BitRate, BitRate)>,
    last: Option<BitRate>,
    foreign: Option<BitRate>,
    was_changed: bool,
    changes: VecDeque<MonoTime>,
    repeats: u64,
}

impl Enforcement {
    /// Notes a write of `limit`.
    pub(super) fn wrote(&mut self, limit: BitRate, now: MonoTime, deadband: f64) {
        let same = |attempt: Attempt| attempt.failed && is_near(limit, attempt.limit, deadband);
        self.repeats += u64::from(self.attempt.is_some_and(same));
        self.attempt = Some(Attempt { limit, was_read: false, failed: false, accepted: false });
        self.backoff.wrote(now);
    }

    /// Notes the limit with which the router confirmed the last write.
    pub(super) fn confirmed(&mut self, limit: BitRate, now: MonoTime, deadband: f64) {
        if let Some(attempt) = &mut self.attempt {
            attempt.accepted = true;
        }
        self.see(limit, now, deadband, false);
    }

    /// Records a limit that was read; returns whether it was changed outside wanctl.
    pub(super) fn read(&mut self, limit: BitRate, now: MonoTime, deadband: f64) -> bool {
        let is_changed = self.see(limit, now, deadband, true);
        if is_changed {
            self.changes.push_back(now);
            while self.changes.front().is_some_and(|at| now.since(*at) >= MINUTE) {
                self.changes.pop_front();
            }
        }
        is_changed
    }

    /// Notes that the router refused the last write.
    pub(super) fn refused(&mut self) {
        self.fail();
    }

    fn see(&mut self, limit: BitRate, now: MonoTime, deadband: f64, is_reading: bool) -> bool {
        let differs = self.last.replace(limit).is_some_and(|before| before != limit);
        let Some(attempt) = &mut self.attempt else { return differs };
        if is_near(limit, attempt.limit, deadband) {
            attempt.was_read |= is_reading;
            attempt.failed = false;
            self.backoff.applied(now);
            if is_reading {
                self.ineffective = None;
            }
            return false;
        }
        let was_in_force = attempt.was_read && !attempt.failed;
        if !attempt.failed {
            self.was_changed = was_in_force;
        }
        // After a write that was not applied, too, only another controller changes the limit.
        let is_changed = was_in_force || attempt.failed && is_reading && differs;
        self.foreign = Some(limit);
        self.fail();
        is_changed
    }

    fn fail(&mut self) {
        let Some(attempt) = &mut self.attempt else { return };
        if !std::mem::replace(&mut attempt.failed, true) {
            let limit = attempt.limit;
            let (low, high) = self.ineffective.unwrap_or((limit, limit));
            self.ineffective = Some((low.min(limit), high.max(limit)));
            self.backoff.failed();
        }
        self.backoff.not_applied();
    }

    /// Returns whether `desired` is what was written last, and `observed` what the router made of it
    /// by rounding.
    pub(super) fn is_rounded(&self, desired: BitRate, observed: BitRate, deadband: f64) -> bool {
        let is_written = self.attempt.is_some_and(|attempt| attempt.limit == desired);
        is_written && is_near(observed, desired, deadband)
    }

    /// Returns whether `limit` is a cut below everything that was written lately: a new desire, not
    /// the repetition of an old one.
    pub(super) fn is_new_cut(&self, limit: BitRate, deadband: f64) -> bool {
        let lowest = |attempt: Attempt| {
            self.ineffective.map_or(attempt.limit, |(low, _)| low.min(attempt.limit))
        };
        self.attempt.is_none_or(|attempt| is_below(limit, lowest(attempt), deadband))
    }

    /// Returns when `limit` may be written: at once if the router obeys or it was not tried yet.
    pub(super) fn not_before(&self, limit: BitRate, deadband: f64) -> MonoTime {
        let (Some(attempt), Some((low, high))) = (self.attempt, self.ineffective) else {
            return MonoTime::ZERO;
        };
        if is_below(limit, low, deadband) || is_below(high, limit, deadband) {
            MonoTime::ZERO
        } else if is_near(limit, attempt.limit, deadband) {
            self.backoff.not_before(Duration::MAX)
        } else {
            self.backoff.not_before(WITHIN_RANGE)
        }
    }

    /// Returns why the queue does not have the limit that was written, if so.
    pub(super) fn overridden(&self, now: MonoTime) -> Option<RateOverride> {
        let recent = self.changes.iter().filter(|at| now.since(**at) < MINUTE).count();
        let (at, attempt) = (self.foreign?, self.attempt?);
        if recent >= OVERRIDDEN || self.was_changed && self.backoff.failures() >= OVERRIDDEN {
            Some(RateOverride::ChangedExternally { to: at, per_minute: recent })
        } else if self.backoff.failures() < OVERRIDDEN {
            None
        } else if !attempt.accepted {
            Some(RateOverride::Refused { at, wanted: attempt.limit })
        } else {
            Some(RateOverride::NotApplied { at, written: attempt.limit })
        }
    }

    /// Returns how often a limit was written again that had not been kept.
    pub(super) const fn repeats(&self) -> u64 {
        self.repeats
    }
}

/// Returns whether two limits differ by no more than the share `deadband` of the first.
pub(super) fn is_near(one: BitRate, other: BitRate, deadband: f64) -> bool {
    one.bps().abs_diff(other.bps()) as f64 <= one.bps() as f64 * deadband
}

fn is_below(limit: BitRate, other: BitRate, deadband: f64) -> bool {
    limit < other && !is_near(other, limit, deadband)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes twice to a queue that is read at 90 Mbit/s after each write.
    fn written_twice(mut answer: impl FnMut(&mut Enforcement, MonoTime)) -> Option<RateOverride> {
        let mut enforcement = Enforcement::default();
        let mut now = MonoTime::from_millis(1000);
        for _ in 0..2 {
            enforcement.wrote(BitRate::from_mbps(50.0), now, 0.01);
            answer(&mut enforcement, now);
            now = now + Duration::from_secs(1);
            enforcement.read(BitRate::from_mbps(90.0), now, 0.01);
        }
        enforcement.overridden(now)
    }

    #[test]
    fn only_a_limit_that_was_accepted_is_said_to_be_kept_at_another() {
        let (at, wanted) = (BitRate::from_mbps(90.0), BitRate::from_mbps(50.0));
        let kept = written_twice(|it, now| it.confirmed(at, now, 0.01));
        assert_eq!(kept, Some(RateOverride::NotApplied { at, written: wanted }));
        let refused = Some(RateOverride::Refused { at, wanted });
        assert_eq!(written_twice(|it, _| it.refused()), refused);
        assert_eq!(written_twice(|_, _| ()), refused, "the writes never arrived");
    }
}
