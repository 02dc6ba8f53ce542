//! When the counters may be read more rarely: nothing flows, and nothing is to be written.

use std::time::Duration;

use wanctl_core::units::{BitRate, MonoTime};

use crate::router::{QueueRow, RouterFault};

/// More than this is traffic; an idle site and the probes send less.
const TRAFFIC: BitRate = BitRate::from_bps(100_000);
/// A rate is worked out over this time: a single packet is no traffic.
const WINDOW: Duration = Duration::from_millis(900);

/// How idle queues are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdleReads {
    /// For so long nothing must have flowed.
    pub after: Duration,
    /// Time between two readings from then on, unless the usual one is longer.
    pub interval: Duration,
}

impl Default for IdleReads {
    /// Once a second after a minute: a load that begins is then seen within a second, by its delay
    /// even sooner.
    fn default() -> Self {
        Self { after: Duration::from_mins(1), interval: Duration::from_secs(1) }
    }
}

/// Watches the counters of all queues for traffic.
#[derive(Debug, Default)]
pub(super) struct IdlePolling {
    before: Option<(MonoTime, Vec<Option<u64>>)>,
    quiet_since: Option<MonoTime>,
    /// Something besides the traffic asks for the full pace.
    is_stirred: bool,
}

impl IdlePolling {
    /// Takes a reading of all queues, and returns whether it shows traffic.
    pub(super) fn take(&mut self, rows: &[Result<QueueRow, RouterFault>], now: MonoTime) -> bool {
        let bytes: Vec<Option<u64>> =
            rows.iter().map(|row| row.as_ref().ok().map(|row| row.reading.bytes)).collect();
        let Some((at, before)) = &self.before else {
            self.before = Some((now, bytes));
            return false;
        };
        let span = now.since(*at);
        if span < WINDOW {
            return false;
        }
        let most = TRAFFIC.bytes_in(span);
        let is_quiet = before.iter().zip(&bytes).all(|(before, now)| match (before, now) {
            (Some(before), Some(now)) => now.checked_sub(*before).is_some_and(|n| n <= most),
            // A queue that is not there carries nothing; one that comes or goes is a change.
            (None, None) => true,
            _ => false,
        });
        self.before = Some((now, bytes));
        self.quiet_since = if is_quiet { self.quiet_since.or(Some(now)) } else { None };
        !is_quiet
    }

    /// Notes whether anything besides the traffic asks for the full pace: a control loop that is not
    /// idle, or a write that is due.
    pub(super) fn stir(&mut self, is_stirred: bool) {
        self.is_stirred = is_stirred;
    }

    /// Returns the time from one reading to the next, which is `full_interval` while anything stirs.
    pub(super) fn interval(
        &self,
        full_interval: Duration,
        idle: IdleReads,
        now: MonoTime,
    ) -> Duration {
        match self.quiet_since {
            Some(since) if !self.is_stirred && now.since(since) >= idle.after => {
                full_interval.max(idle.interval)
            }
            Some(_) | None => full_interval,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wanctl_core::QueueReading;

    const FULL_INTERVAL: Duration = Duration::from_millis(100);

    fn rows(bytes: u64) -> [Result<QueueRow, RouterFault>; 2] {
        [bytes, 7].map(|bytes| {
            let reading = QueueReading { bytes, ..QueueReading::default() };
            Ok(QueueRow { reading, active: true, ..QueueRow::default() })
        })
    }

    /// Reads as often as requested while `bps` flow, until `end`; returns the readings made.
    fn reads(watch: &mut IdlePolling, bytes: &mut u64, bps: u64, from: u64, end: u64) -> Vec<u64> {
        let mut now = from;
        let mut at = Vec::new();
        while now < end {
            let time = MonoTime::from_millis(now);
            watch.take(&rows(*bytes), time);
            at.push(now);
            let pause = watch.interval(FULL_INTERVAL, IdleReads::default(), time);
            let pause = u64::try_from(pause.as_millis()).unwrap();
            *bytes += bps / 8 * pause / 1000;
            now += pause;
        }
        at
    }

    #[test]
    fn after_a_minute_without_traffic_the_counters_are_read_once_a_second() {
        let (mut watch, mut bytes) = (IdlePolling::default(), 0);
        // The probes of an idle link.
        let busy = reads(&mut watch, &mut bytes, 20_000, 0, 60_000);
        assert_eq!(busy.len(), 600);
        let idle = reads(&mut watch, &mut bytes, 20_000, 63_000, 123_000);
        assert_eq!(idle.len(), 60);
    }

    #[test]
    fn the_reading_that_shows_traffic_brings_the_full_pace_back() {
        let (mut watch, mut bytes) = (IdlePolling::default(), 0);
        reads(&mut watch, &mut bytes, 0, 0, 70_000);
        let at = MonoTime::from_millis(71_000);
        assert!(watch.take(&rows(bytes + 50_000), at));
        assert_eq!(watch.interval(FULL_INTERVAL, IdleReads::default(), at), FULL_INTERVAL);
    }

    #[test]
    fn a_loop_that_is_not_idle_keeps_the_full_pace_and_costs_no_further_minute() {
        let (mut watch, mut bytes) = (IdlePolling::default(), 0);
        watch.stir(true);
        assert_eq!(reads(&mut watch, &mut bytes, 0, 0, 70_000).len(), 700);
        watch.stir(false);
        assert_eq!(reads(&mut watch, &mut bytes, 0, 70_000, 80_000).len(), 10);
    }

    #[test]
    fn a_counter_that_starts_again_is_no_quiet() {
        let (mut watch, mut bytes) = (IdlePolling::default(), 5000);
        reads(&mut watch, &mut bytes, 0, 0, 70_000);
        assert!(watch.take(&rows(10), MonoTime::from_millis(71_000)));
    }
}
