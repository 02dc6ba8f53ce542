//! Back-off between writes of a setting that the router does not keep.

use std::time::Duration;

use wanctl_core::units::MonoTime;

/// Time from one write to the next after so many writes in a row that were not kept.
const WAITS: [Duration; 5] = [
    Duration::ZERO,
    Duration::from_millis(100),
    Duration::from_secs(1),
    Duration::from_secs(10),
    Duration::from_mins(1),
];
/// A setting that has been kept for this long makes up for one write that was not.
const FORGIVEN_AFTER: Duration = Duration::from_secs(15);

/// The history of a setting: how many writes in a row were not kept, and when the last was made.
///
/// In any minute it allows at most eight writes: four to climb the waits, and one for each 15 s
/// during which the setting was kept.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::actuator) struct WriteBackoff {
    failures: usize,
    written: Option<MonoTime>,
    kept_since: Option<MonoTime>,
}

impl WriteBackoff {
    /// Notes a write at `now`.
    pub(in crate::actuator) fn wrote(&mut self, now: MonoTime) {
        self.written = Some(now);
        self.kept_since = None;
    }

    /// Notes that the last write was not kept.
    pub(in crate::actuator) fn failed(&mut self) {
        self.failures = (self.failures + 1).min(WAITS.len() - 1);
        self.kept_since = None;
    }

    /// Notes that the router was seen at `now` to keep the last write.
    pub(in crate::actuator) fn applied(&mut self, now: MonoTime) {
        let since = *self.kept_since.get_or_insert(now);
        if self.failures > 0 && now.since(since) >= FORGIVEN_AFTER {
            self.failures -= 1;
            self.kept_since = Some(now);
        }
    }

    /// Notes that the router was not seen to keep the last write.
    pub(in crate::actuator) fn not_applied(&mut self) {
        self.kept_since = None;
    }

    /// Returns how many writes in a row were not kept, at most four.
    pub(in crate::actuator) const fn failures(&self) -> usize {
        self.failures
    }

    /// Returns when the same may be written again, waiting `most` at the longest.
    pub(in crate::actuator) fn not_before(&self, most: Duration) -> MonoTime {
        let wait = WAITS.get(self.failures).copied().unwrap_or_default();
        self.written.map_or(MonoTime::ZERO, |at| at + wait.min(most))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOREVER: Duration = Duration::MAX;

    fn at(millis: u64) -> MonoTime {
        MonoTime::from_millis(millis)
    }

    #[test]
    fn each_ineffective_write_lengthens_the_backoff_up_to_a_minute() {
        let mut backoff = WriteBackoff::default();
        let mut now = at(1000);
        let mut waits = Vec::new();
        for _ in 0..6 {
            backoff.wrote(now);
            backoff.failed();
            let next = backoff.not_before(FOREVER);
            waits.push(next.since(now).as_millis());
            now = next;
        }
        assert_eq!(waits, [100, 1000, 10_000, 60_000, 60_000, 60_000]);
        assert_eq!(backoff.not_before(Duration::from_secs(10)).since(at(0)), now.since(at(50_000)));
    }

    #[test]
    fn a_setting_that_is_applied_again_is_trusted_gradually() {
        let mut backoff = WriteBackoff::default();
        for _ in 0..2 {
            backoff.wrote(at(1000));
            backoff.failed();
        }
        backoff.wrote(at(2000));
        for second in 2..=17 {
            backoff.applied(at(second * 1000));
        }
        assert_eq!(backoff.failures(), 1);
        backoff.not_applied();
        for second in 18..=32 {
            backoff.applied(at(second * 1000));
        }
        assert_eq!(backoff.failures(), 1, "not kept without a break");
        backoff.applied(at(33_000));
        assert_eq!(backoff.failures(), 0);
    }
}
