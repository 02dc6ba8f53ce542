//! The abort hazard: what the web server does to everybody after clients broke off requests.
//!
//! Aborts alone are harmless. What harms is an abort and then a complete request on a new
//! connection, again and again: the server then resets every connection, and hands the status of
//! the aborted request to somebody else. It recovers some two seconds after the last abort.

use std::time::Duration;

use fastrand::Rng;

use wanctl_core::units::MonoTime;

/// How often an abort has to be followed by a complete request on a new connection. The
/// measurements say "repeatedly" and no more.
const PAIRS: u32 = 3;
/// How long after the last abort the server recovers: measured between these two.
const RECOVERY_MILLIS: (u64, u64) = (1_300, 2_400);

/// What aborts have done so far.
#[derive(Debug, Default)]
pub(super) struct Hazard {
    last_abort: Option<MonoTime>,
    /// Connection of the last abort, until a request on a later one completes.
    aborted: Option<u64>,
    pairs: u32,
    recovered: MonoTime,
}

impl Hazard {
    /// A client broke off a request on the connection with this number.
    pub(super) fn abort(&mut self, connection: u64, now: MonoTime) {
        self.forget(now);
        self.last_abort = Some(now);
        self.aborted = Some(connection);
    }

    /// A request on the connection with this number was carried out. Returns whether this was
    /// once too often: the server is damaged from now on.
    pub(super) fn complete(&mut self, connection: u64, now: MonoTime, random: &mut Rng) -> bool {
        self.forget(now);
        if self.aborted.is_none_or(|aborted| connection <= aborted) {
            return false;
        }
        self.aborted = None;
        self.pairs += 1;
        let (Some(abort), true) = (self.last_abort, self.pairs >= PAIRS) else { return false };
        let (shortest, longest) = RECOVERY_MILLIS;
        self.recovered = abort + Duration::from_millis(random.u64(shortest..=longest));
        self.pairs = 0;
        true
    }

    /// Tells whether connections are reset.
    pub(super) fn is_damaged(&self, now: MonoTime) -> bool {
        now < self.recovered
    }

    fn forget(&mut self, now: MonoTime) {
        let longest = Duration::from_millis(RECOVERY_MILLIS.1);
        if self.last_abort.is_some_and(|abort| now.since(abort) > longest) {
            (self.last_abort, self.aborted, self.pairs) = (None, None, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> MonoTime {
        MonoTime::from_millis(millis)
    }

    #[test]
    fn only_repeated_aborts_with_requests_on_new_connections_do_harm() {
        let mut random = Rng::with_seed(1);
        // Pause between the pairs, step of the connection that completes, and whether it harms.
        for (pause, step, expected) in [(100, 1, true), (100, 0, false), (3_000, 1, false)] {
            let mut hazard = Hazard::default();
            let harmed = (0..3).any(|n| {
                hazard.abort(2 * n, at(n * pause));
                hazard.complete(2 * n + step, at(n * pause + 50), &mut random)
            });
            assert_eq!(harmed, expected, "{pause} ms, step {step}");
        }
        let mut hazard = Hazard::default();
        for n in 0..100 {
            hazard.abort(n, at(n));
        }
        assert!(!hazard.is_damaged(at(101)));
    }

    #[test]
    fn it_recovers_about_two_seconds_after_the_last_abort() {
        for seed in 0..20 {
            let mut random = Rng::with_seed(seed);
            let mut hazard = Hazard::default();
            for n in 0..3 {
                hazard.abort(2 * n, at(1_000));
                hazard.complete(2 * n + 1, at(1_100), &mut random);
            }
            assert!(hazard.is_damaged(at(2_299)));
            assert!(!hazard.is_damaged(at(3_401)));
        }
    }
}
