//! How often something was changed lately, and whether it may be changed again.

use std::{collections::VecDeque, time::Duration};

use super::{ActionLimits, FlapParams};
use crate::units::MonoTime;

const HOUR: Duration = Duration::from_hours(1);

/// The changes of the last hour.
///
/// A change away from the default WAN is allowed only if one more would be, so that the limit
/// never prevents the return.
#[derive(Debug, Clone, Default)]
pub(super) struct Actions {
    /// Until when each change counts: an hour after it. The clock may be younger than a change.
    counted_until: VecDeque<MonoTime>,
    penalty_until: MonoTime,
}

impl Actions {
    /// Takes note of a change.
    pub(super) fn record(&mut self, now: MonoTime) {
        self.forget(now);
        self.counted_until.push_back(now + HOUR);
    }

    /// Takes note of a change, and raises the threshold for a while if there were too many.
    pub(super) fn record_flap(&mut self, now: MonoTime, flap: &FlapParams) {
        self.record(now);
        let recent = now + HOUR.saturating_sub(flap.window);
        let changes = self.counted_until.iter().filter(|until| **until > recent).count();
        if changes > usize::try_from(flap.changes).unwrap_or(usize::MAX) {
            self.penalty_until = now + flap.penalty;
        }
    }

    /// Returns whether a change away from the default WAN is allowed.
    pub(super) fn allow(&self, now: MonoTime, limits: ActionLimits) -> bool {
        self.count(now).saturating_add(2) <= limits.per_hour
    }

    /// Counts the changes of the last hour.
    pub(super) fn count(&self, now: MonoTime) -> u32 {
        let count = self.counted_until.iter().filter(|until| **until > now).count();
        u32::try_from(count).unwrap_or(u32::MAX)
    }

    /// Returns how long the threshold stays raised.
    pub(super) fn penalty(&self, now: MonoTime) -> Duration {
        self.penalty_until.since(now)
    }

    /// Returns how long ago the changes of the last hour were, oldest first.
    pub(super) fn ages(&self, now: MonoTime) -> Vec<Duration> {
        let left = self.counted_until.iter().map(|until| until.since(now));
        left.filter(|left| !left.is_zero()).map(|left| HOUR.saturating_sub(left)).collect()
    }

    /// Counts changes that were made before the clock began.
    pub(super) fn restore(&mut self, ages: &[Duration], now: MonoTime) {
        let mut ages = ages.to_vec();
        ages.sort_unstable();
        let earlier = ages.iter().rev().map(|age| now + HOUR.saturating_sub(*age));
        self.counted_until = earlier.chain(self.counted_until.drain(..)).collect();
        self.forget(now);
    }

    fn forget(&mut self, now: MonoTime) {
        self.counted_until.retain(|until| *until > now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLAP: FlapParams = FlapParams {
        window: Duration::from_mins(5),
        changes: 4,
        penalty: Duration::from_mins(1),
        points: 15,
    };

    fn at(seconds: u64) -> MonoTime {
        MonoTime::from_start(Duration::from_secs(seconds))
    }

    #[test]
    fn there_is_always_a_change_left_for_the_way_back() {
        let (mut actions, limits) = (Actions::default(), ActionLimits { per_hour: 4 });
        for second in [0, 10] {
            assert!(actions.allow(at(second), limits));
            actions.record(at(second));
        }
        assert!(actions.allow(at(20), limits));
        actions.record(at(20));
        assert!(!actions.allow(at(30), limits));
        assert_eq!(actions.count(at(30)), 3);
        assert!(actions.allow(at(3601), limits), "an hour later the first no longer counts");
    }

    #[test]
    fn too_many_changes_in_a_short_time_are_punished() {
        let mut actions = Actions::default();
        for second in [0, 60, 120, 180] {
            actions.record_flap(at(second), &FLAP);
        }
        assert_eq!(actions.penalty(at(180)), Duration::ZERO);
        actions.record_flap(at(299), &FLAP);
        assert_eq!(actions.penalty(at(299)), Duration::from_mins(1));
        assert_eq!(actions.penalty(at(359)), Duration::ZERO);
        actions.record_flap(at(700), &FLAP);
        assert_eq!(actions.penalty(at(700)), Duration::ZERO);
    }

    #[test]
    fn a_restart_forgets_no_change_of_the_last_hour() {
        let (mut before, mut after) = (Actions::default(), Actions::default());
        before.record(at(100));
        before.record(at(1000));
        let ages = before.ages(at(1100));
        assert_eq!(ages, [Duration::from_secs(1000), Duration::from_secs(100)]);
        after.restore(&ages, at(5));
        assert_eq!(after.ages(at(5)), ages);
        assert_eq!(after.count(at(2700)), 1);
    }
}
