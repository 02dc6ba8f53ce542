//! Whether traffic waits in our shaper, so that it is the shaper that limits it.

use crate::units::MonoTime;
use crate::{QueueReading, params::ShaperLimitedParams};

/// What the readings say about packets that wait in the shaper.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ShaperLimitedDetector {
    params: ShaperLimitedParams,
    /// At the last two readings.
    last: [bool; 2],
    /// Since when without a longer break, and when last.
    span: Option<(MonoTime, MonoTime)>,
}

impl ShaperLimitedDetector {
    pub(crate) fn new(params: ShaperLimitedParams) -> Self {
        Self { params, ..Self::default() }
    }

    /// Takes a reading. `filled` is the delivery rate as a share of the limit, if that is
    /// known: a queue in which packets wait lets about its limit through, and one that does not
    /// says nothing about demand, whatever backlog it shows.
    pub(crate) fn update(&mut self, at: MonoTime, queue: &QueueReading, filled: Option<f64>) {
        let waits =
            queue.backlog().is_some_and(|backlog| backlog.bytes > self.params.backlog as u64);
        let delivers = filled.is_none_or(|filled| filled >= self.params.delivering);
        self.last = [self.last[1], waits && delivers];
        if self.last[1] {
            let before = self.span.filter(|(_, last)| at.since(*last) <= self.params.gap);
            self.span = Some((before.map_or(at, |(since, _)| since), at));
        }
    }

    /// Returns whether packets wait now.
    pub(crate) fn is_limited(self) -> bool {
        self.last == [true; 2]
    }

    /// Returns whether packets have been waiting for long enough that no queue stands behind the
    /// shaper.
    pub(crate) fn is_lasting(self, now: MonoTime) -> bool {
        let lasting = |(since, last): (MonoTime, MonoTime)| {
            now.since(last) <= self.params.gap && last.since(since) >= self.params.lasting
        };
        self.span.is_some_and(lasting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEP: u64 = 100;

    /// Feeds so many readings with this backlog and this delivery rate as a share of the limit.
    fn fed(
        readings: u64,
        backlog_bytes: u64,
        filled: Option<f64>,
    ) -> (ShaperLimitedDetector, MonoTime) {
        let queue = QueueReading { backlog_bytes, ..QueueReading::default() };
        let mut shaper_limited = ShaperLimitedDetector::default();
        let at = |reading: u64| MonoTime::from_millis(1000 + reading * STEP);
        (0..readings).for_each(|reading| shaper_limited.update(at(reading), &queue, filled));
        (shaper_limited, at(readings - 1))
    }

    #[test]
    fn a_backlog_behind_which_little_flows_is_not_waiting() {
        for (backlog, filled, is_limited) in [
            (60_000, Some(1.0), true),
            (60_000, Some(0.6), true),
            (60_000, None, true),
            (60_000, Some(0.3), true),
            (60_000, Some(0.0), false),
            (1_000_000, Some(0.1), false),
            (u64::MAX, Some(1.0), false),
            (3_000, Some(1.0), false),
        ] {
            let (shaper_limited, now) = fed(60, backlog, filled);
            let seen = (shaper_limited.is_limited(), shaper_limited.is_lasting(now));
            assert_eq!(seen, (is_limited, is_limited), "{backlog} {filled:?}");
        }
        assert!(!fed(1, 60_000, Some(1.0)).0.is_limited(), "one reading alone");
    }
}
