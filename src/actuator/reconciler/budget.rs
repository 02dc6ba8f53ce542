//! Hourly budget of the writes of one queue, for the sake of the router's flash.
//!
//! A token bucket: half of the hourly budget may be used at once, and the other half comes back
//! evenly over the hour. So no hour sees more than the budget, and a queue that has used it up can
//! still be written to at half of the average rate.

use std::{collections::VecDeque, time::Duration};

use wanctl_core::units::MonoTime;

const HOUR: Duration = Duration::from_hours(1);
const MINUTE: Duration = Duration::from_mins(1);

/// The writes of one queue.
#[derive(Debug, Clone, Default)]
pub(super) struct Budget {
    /// Writes taken from the bucket, as of `at`.
    taken: f64,
    at: MonoTime,
    /// Writes in the minutes of the last hour, oldest first.
    minutes: VecDeque<(MonoTime, u32)>,
}

impl Budget {
    /// Counts a write. One that exceeds the budget, which only a cut may, leaves no debt.
    pub(super) fn count(&mut self, now: MonoTime, per_hour: u32) {
        self.taken = (self.taken_at(now, per_hour) + 1.0).min(half(per_hour));
        self.at = now;
        match self.minutes.back_mut() {
            Some((begin, writes)) if now.since(*begin) < MINUTE => *writes += 1,
            Some(_) | None => self.minutes.push_back((now, 1)),
        }
        while self.minutes.front().is_some_and(|(begin, _)| now.since(*begin) >= HOUR) {
            self.minutes.pop_front();
        }
    }

    /// Returns when the budget allows a write.
    pub(super) fn allows_at(&self, per_hour: u32) -> MonoTime {
        let excess = self.taken + 1.0 - half(per_hour);
        if excess <= 0.0 {
            return MonoTime::ZERO;
        }
        self.at + HOUR.mul_f64(excess / half(per_hour))
    }

    /// Returns the writes of the last hour, to the minute.
    pub(super) fn used(&self, now: MonoTime) -> u32 {
        let recent = self.minutes.iter().filter(|(begin, _)| now.since(*begin) < HOUR);
        recent.map(|(_, writes)| writes).sum()
    }

    fn taken_at(&self, now: MonoTime, per_hour: u32) -> f64 {
        let back = half(per_hour) * now.since(self.at).as_secs_f64() / HOUR.as_secs_f64();
        (self.taken - back).max(0.0)
    }
}

fn half(per_hour: u32) -> f64 {
    (f64::from(per_hour) / 2.0).max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes as often as the budget allows, and returns the writes of each hour.
    fn eager(per_hour: u32, hours: u64) -> Vec<u32> {
        let mut budget = Budget::default();
        let mut writes = vec![0; usize::try_from(hours).unwrap()];
        for second in 0..hours * 3600 {
            let now = MonoTime::from_millis(second * 1000);
            for _ in 0..4 {
                if budget.allows_at(per_hour) <= now {
                    budget.count(now, per_hour);
                    writes[usize::try_from(second / 3600).unwrap()] += 1;
                }
            }
        }
        writes
    }

    #[test]
    fn no_hour_sees_more_than_the_budget_and_none_is_without_writes() {
        let writes = eager(120, 3);
        assert!(writes.iter().all(|writes| *writes <= 121), "{writes:?}");
        assert!(writes.iter().all(|writes| *writes >= 59), "{writes:?}");
    }

    #[test]
    fn what_cuts_use_beyond_the_budget_is_counted_and_leaves_no_debt() {
        let mut budget = Budget::default();
        let now = MonoTime::from_millis(5000);
        for _ in 0..500 {
            budget.count(now, 120);
        }
        assert_eq!(budget.used(now), 500);
        assert_eq!(budget.allows_at(120), now + Duration::from_mins(1));
        assert_eq!(budget.used(now + HOUR), 0);
    }
}
