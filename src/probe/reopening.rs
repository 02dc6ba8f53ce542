//! When sockets are opened anew: when nothing could be sent for a while, and ever less often.

use std::time::Duration;

use crate::units::MonoTime;

/// The first wait, and the time for which nothing could be sent before it.
const FIRST: Duration = Duration::from_secs(1);
/// The longest wait.
const LONGEST: Duration = Duration::from_secs(30);

/// Whether sends fail, and when something is to be done about it. Pure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Reopening {
    failing: Option<Failing>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Failing {
    since: MonoTime,
    next: MonoTime,
    wait: Duration,
}

impl Reopening {
    /// Takes note of a probe that could not be sent; returns whether to open anew now.
    pub(super) fn failed(&mut self, now: MonoTime) -> bool {
        let failing =
            self.failing.get_or_insert(Failing { since: now, next: now + FIRST, wait: FIRST });
        if now < failing.next {
            return false;
        }
        failing.wait = (failing.wait * 2).min(LONGEST);
        failing.next = now + failing.wait;
        true
    }

    /// Takes note of a probe that was sent; returns for how long none could be, if so.
    pub(super) fn sent(&mut self, now: MonoTime) -> Option<Duration> {
        self.failing.take().map(|failing| now.since(failing.since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_waits_longer_and_longer_and_begins_anew_when_all_is_well() {
        let mut reopening = Reopening::default();
        let mut attempts = Vec::new();
        for ms in (0..120_000_u64).step_by(50) {
            if reopening.failed(MonoTime::from_millis(ms)) {
                attempts.push(ms / 1000);
            }
        }
        assert_eq!(attempts, [1, 3, 7, 15, 31, 61, 91]);
        let end = MonoTime::from_millis(120_000);
        assert_eq!(reopening.sent(end), Some(Duration::from_mins(2)));
        assert_eq!(reopening.sent(end), None);
        assert!(!reopening.failed(end));
    }
}
