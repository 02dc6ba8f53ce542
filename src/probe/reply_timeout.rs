//! How long a reply is waited for, which follows the path. Pure.

use std::time::Duration;

use wanctl_core::units::{Delay, MonoTime};

/// How long after it was called lost a reply is still taken.
const LATE: Duration = Duration::from_secs(10);
/// A probe is lost after so many times the usual idle round trip, so that a satellite line with a
/// moderate queue loses nothing.
const ROUND_TRIPS: u32 = 3;
/// But after this long at most: evidence of silence must not come too slowly.
const AT_MOST: Duration = Duration::from_secs(5);
/// The least round trip of this time, and of the one before it, is the idle one.
const PERIOD: Duration = Duration::from_mins(5);

/// How long a reply is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplyTimeout {
    /// Time after which a probe without a reply is called lost.
    pub lost_after: Duration,
    /// Time after which it is given up: a reply until then is late, but a reply.
    pub longest: Duration,
}

impl ReplyTimeout {
    /// Waits no longer than until the probe is called lost.
    #[must_use]
    pub const fn only(lost_after: Duration) -> Self {
        Self { lost_after, longest: lost_after }
    }

    /// Waits for a late reply as well.
    #[must_use]
    pub fn late(lost_after: Duration) -> Self {
        Self { lost_after, longest: lost_after + LATE }
    }
}

/// The usual idle round trip to one reflector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct IdleRtt {
    since: MonoTime,
    least: Option<Delay>,
    before: Option<Delay>,
}

impl IdleRtt {
    /// Takes a round trip into account.
    pub(super) fn learn(&mut self, rtt: Delay, now: MonoTime) {
        if now.since(self.since) >= PERIOD {
            *self = Self { since: now, least: None, before: self.least };
        }
        self.least = Some(self.least.map_or(rtt, |least| least.min(rtt)));
    }

    /// How long a reply is waited for, `timeout` at least.
    pub(super) fn reply_timeout(&self, timeout: Duration) -> ReplyTimeout {
        let idle = self.least.into_iter().chain(self.before).min();
        let idle = idle.map_or(Duration::ZERO, |idle| {
            Duration::from_micros(u64::try_from(idle.micros()).unwrap_or(0))
        });
        ReplyTimeout::late(timeout.max((idle * ROUND_TRIPS).min(AT_MOST)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn lost_after(idle_rtt: &IdleRtt) -> u128 {
        idle_rtt.reply_timeout(SECOND).lost_after.as_millis()
    }

    #[test]
    fn the_timeout_is_three_idle_round_trips_if_that_is_more() {
        let mut idle_rtt = IdleRtt::default();
        assert_eq!(lost_after(&idle_rtt), 1000);
        idle_rtt.learn(Delay::from_micros(20_000), MonoTime::ZERO);
        assert_eq!(lost_after(&idle_rtt), 1000);
        let mut satellite = IdleRtt::default();
        for queue in [0, 400_000, 900_000] {
            satellite.learn(Delay::from_micros(640_000 + queue), MonoTime::ZERO);
        }
        assert_eq!(lost_after(&satellite), 1920);
        let mut queue = IdleRtt::default();
        queue.learn(Delay::from_micros(4_000_000), MonoTime::ZERO);
        assert_eq!(lost_after(&queue), 5000);
        assert_eq!(queue.reply_timeout(SECOND).longest, 15 * SECOND);
    }

    #[test]
    fn a_longer_path_is_accepted_after_two_periods() {
        let mut idle_rtt = IdleRtt::default();
        idle_rtt.learn(Delay::from_micros(20_000), MonoTime::ZERO);
        let long = Delay::from_micros(700_000);
        for (minute, expected) in [(5, 1000), (9, 1000), (10, 2100)] {
            idle_rtt.learn(long, MonoTime::from_start(Duration::from_mins(minute)));
            assert_eq!(lost_after(&idle_rtt), expected, "after {minute} minutes");
        }
    }
}
