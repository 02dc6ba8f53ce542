//! What a queue's counters say beyond a single reading.

use std::time::Duration;

use crate::{QueueReading, units::MonoTime};

/// Readings that stay the same for this long expire: the queue is idle, or not read. As long as a
/// load counts.
const OVER: Duration = Duration::from_secs(2);
/// A backlog of more packets than this is a queue that stands…
const STANDING_PACKETS: u64 = 50;
/// …if it is seen for this long: two readings at the usual pace.
const STANDING_FOR: Duration = Duration::from_millis(100);

/// The newest readings of one queue. A reading that comes again with the next cycle counts once.
#[derive(Debug, Clone, Default)]
pub(super) struct QueueTrend {
    last: Option<(MonoTime, QueueReading)>,
    drops: u64,
    /// Drops per second at the last three readings, newest first.
    rates: [Option<f64>; 3],
    standing_since: Option<MonoTime>,
}

/// The packets that wait; what a faulty reading shows is no queue.
fn backlog_packets(reading: &QueueReading) -> u64 {
    reading.backlog().map_or(0, |backlog| backlog.packets)
}

impl QueueTrend {
    /// Takes in the reading that a cycle at `at` carries.
    pub(super) fn update(&mut self, at: MonoTime, reading: Option<&QueueReading>) {
        let Some(reading) = reading else { return };
        let before = self.last.filter(|(seen, _)| at.since(*seen) < OVER);
        if self.last.is_some_and(|(_, last)| last == *reading) {
            return;
        }
        // What was dropped in a lifetime, or before a reset, was not dropped just now.
        self.drops = before.map_or(0, |(_, old)| reading.dropped.saturating_sub(old.dropped));
        let rate = before.map(|(seen, _)| self.drops as f64 / at.since(seen).as_secs_f64());
        let [newest, older, _] = self.rates;
        self.rates = if before.is_some() { [rate, newest, older] } else { [None; 3] };
        let stands = backlog_packets(reading) > STANDING_PACKETS;
        self.standing_since = stands.then(|| {
            let kept = self.standing_since.filter(|_| before.is_some());
            kept.unwrap_or(at)
        });
        self.last = Some((at, *reading));
    }

    fn current(&self, now: MonoTime) -> Option<(MonoTime, QueueReading)> {
        self.last.filter(|(seen, _)| now.since(*seen) < OVER)
    }

    /// Returns the drops between the last two readings.
    pub(super) fn drops(&self, now: MonoTime) -> u64 {
        self.current(now).map_or(0, |_| self.drops)
    }

    /// Returns the packets that wait.
    pub(super) fn backlog(&self, now: MonoTime) -> u64 {
        self.current(now).map_or(0, |(_, reading)| backlog_packets(&reading))
    }

    /// Returns whether drops come faster than two readings ago.
    pub(super) fn drops_rising(&self, now: MonoTime) -> bool {
        let [Some(newest), _, Some(oldest)] = self.rates else { return false };
        self.current(now).is_some() && newest > 0.0 && newest > oldest
    }

    /// Returns whether a queue of many packets has been seen for more than a moment.
    pub(super) fn stands(&self, now: MonoTime) -> bool {
        let seen = self.current(now).map(|(seen, _)| seen);
        let since = self.standing_since.zip(seen);
        since.is_some_and(|(since, seen)| seen.since(since) >= STANDING_FOR)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds drops and backlogs, one reading every 100 ms, after one that sets the zero.
    fn fed(readings: &[(u64, u64)]) -> (QueueTrend, MonoTime) {
        let (mut trend, mut now, mut dropped) = (QueueTrend::default(), MonoTime::ZERO, 1_000);
        let mut bytes = 0;
        for &(drops, backlog_packets) in [(0, 0)].iter().chain(readings) {
            (now, bytes, dropped) = (now + Duration::from_millis(100), bytes + 1, dropped + drops);
            let queue = QueueReading { bytes, dropped, backlog_packets, ..QueueReading::default() };
            trend.update(now, Some(&queue));
            trend.update(now + Duration::from_millis(50), Some(&queue));
        }
        (trend, now)
    }

    #[test]
    fn drops_rise_as_v17_saw_it() {
        for (drops, rising) in [
            ([0, 1, 5], true),
            ([5, 9, 5], false),
            ([3, 0, 0], false),
            ([0, 9, 1], true),
            ([0, 0, 0], false),
        ] {
            let (trend, now) = fed(&drops.map(|drops| (drops, 0)));
            assert_eq!(trend.drops_rising(now), rising, "{drops:?}");
        }
    }

    #[test]
    fn a_backlog_stands_when_two_readings_say_so() {
        for (backlogs, stands) in [([60, 60], true), ([51, 51], true), ([50, 51], false)] {
            let (trend, now) = fed(&backlogs.map(|packets| (0, packets)));
            assert_eq!(trend.stands(now), stands, "{backlogs:?}");
        }
    }

    #[test]
    fn lifetime_counts_resets_and_old_readings_are_no_drops() {
        let (trend, now) = fed(&[]);
        assert_eq!(trend.drops(now), 0);
        let (mut trend, now) = fed(&[(5, 60), (5, 60)]);
        assert_eq!((trend.drops(now), trend.backlog(now)), (5, 60));
        assert_eq!(trend.drops(now + OVER), 0);
        assert!(!trend.stands(now + OVER));
        trend.update(now + Duration::from_millis(100), Some(&QueueReading::default()));
        assert_eq!(trend.drops(now), 0);
    }
}
