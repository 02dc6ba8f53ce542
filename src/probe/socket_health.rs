//! Whether probes can be sent, why not, and when the sockets are opened anew: when nothing could
//! be sent for a while, and ever less often. Pure.

use std::time::Duration;

use wanctl_core::units::MonoTime;

/// The first wait, and the time for which nothing could be sent before it.
const FIRST: Duration = Duration::from_secs(1);
/// The longest wait: opening a socket costs little, and an interface may be back any moment.
const LONGEST: Duration = Duration::from_secs(5);
/// A probe that was sent proves for this long that probes can be sent.
const PROOF: Duration = Duration::from_secs(10);

/// How the probes of one address family fare on their way out of this host.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct SocketHealth {
    failing: Option<Failing>,
    sent: Option<MonoTime>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Failing {
    since: MonoTime,
    next: MonoTime,
    wait: Duration,
    reason: String,
}

impl SocketHealth {
    /// Takes note of a probe that could not be sent; returns whether to open the sockets anew now.
    pub(super) fn failed(&mut self, reason: String, now: MonoTime) -> bool {
        let begin =
            || Failing { since: now, next: now + FIRST, wait: FIRST, reason: String::new() };
        self.failing.get_or_insert_with(begin).reason = reason;
        self.retries(now)
    }

    /// Returns whether to try again now what has failed.
    pub(super) fn retries(&mut self, now: MonoTime) -> bool {
        let Some(failing) = &mut self.failing else { return true };
        if now < failing.next {
            return false;
        }
        failing.wait = (failing.wait * 2).min(LONGEST);
        failing.next = now + failing.wait;
        true
    }

    /// Takes note of a probe that was sent.
    pub(super) fn sent(&mut self, now: MonoTime) {
        self.failing = None;
        self.sent = Some(now);
    }

    /// Returns whether a probe was sent lately and none has failed since.
    pub(super) fn works(&self, now: MonoTime) -> bool {
        self.failing.is_none() && self.sent.is_some_and(|sent| now.since(sent) <= PROOF)
    }

    /// Returns whether it is worth trying: nothing has failed, or not lately.
    pub(super) fn may_retry(&self, now: MonoTime) -> bool {
        self.fault(now).is_none() || self.failing.as_ref().is_none_or(|failing| now >= failing.next)
    }

    /// Returns why the last probe could not be sent, if it could not.
    pub(super) fn reason(&self) -> Option<&str> {
        self.failing.as_ref().map(|failing| failing.reason.as_str())
    }

    /// Returns why nothing can be sent, once that has lasted for a second or was always so.
    pub(super) fn fault(&self, now: MonoTime) -> Option<&str> {
        let failing = self.failing.as_ref()?;
        let lasts = self.sent.is_none() || now.since(failing.since) >= FIRST;
        lasts.then_some(failing.reason.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> MonoTime {
        MonoTime::from_millis(ms)
    }

    #[test]
    fn it_waits_longer_and_longer_and_begins_anew_when_all_is_well() {
        let mut sending = SocketHealth::default();
        let mut attempts = Vec::new();
        for ms in (0..20_000_u64).step_by(50) {
            if sending.failed("gone".to_owned(), at(ms)) {
                attempts.push(ms / 1000);
            }
        }
        assert_eq!(attempts, [1, 3, 7, 12, 17]);
        sending.sent(at(20_000));
        assert!(!sending.failed("gone".to_owned(), at(20_050)));
    }

    #[test]
    fn a_fault_is_reported_after_a_second_or_when_nothing_was_ever_sent() {
        let mut sending = SocketHealth::default();
        sending.failed("no such interface".to_owned(), at(0));
        assert_eq!(sending.fault(at(0)), Some("no such interface"));
        sending.sent(at(100));
        assert_eq!((sending.fault(at(100)), sending.works(at(100))), (None, true));
        sending.failed("no route".to_owned(), at(200));
        assert_eq!((sending.fault(at(900)), sending.works(at(900))), (None, false));
        sending.failed("no address".to_owned(), at(1200));
        assert_eq!(sending.fault(at(1200)), Some("no address"));
    }

    #[test]
    fn what_was_sent_long_ago_proves_nothing() {
        let mut sending = SocketHealth::default();
        sending.sent(at(0));
        assert!(sending.works(at(10_000)) && !sending.works(at(10_001)));
    }
}
