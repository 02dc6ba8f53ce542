//! Whether traffic waits in our shaper, so that it is the shaper that limits it.

use std::time::Duration;

use super::QueueReading;
use crate::units::MonoTime;

/// More than two packets of the usual size wait: the shaper is busy, not just sending.
const BUSY_BYTES: u64 = 2 * 1514;
/// After this time in which traffic waits in the shaper, what stood behind it has drained.
const LASTING: Duration = Duration::from_secs(5);
/// Shorter breaks are the gaps between two bursts.
const BREAK: Duration = Duration::from_secs(1);

/// What the readings say about packets that wait in the shaper.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Waiting {
    /// At the last two readings.
    last: [bool; 2],
    /// Since when without a longer break, and when last.
    span: Option<(MonoTime, MonoTime)>,
}

impl Waiting {
    pub(super) fn update(&mut self, at: MonoTime, queue: &QueueReading) {
        self.last = [self.last[1], queue.backlog_bytes > BUSY_BYTES];
        if self.last[1] {
            let before = self.span.filter(|(_, last)| at.since(*last) <= BREAK);
            self.span = Some((before.map_or(at, |(since, _)| since), at));
        }
    }

    /// Tells whether packets wait now.
    pub(super) fn is_on(self) -> bool {
        self.last == [true; 2]
    }

    /// Tells whether packets have been waiting for long enough that no queue stands behind the
    /// shaper.
    pub(super) fn is_lasting(self, now: MonoTime) -> bool {
        let lasting = |(since, last): (MonoTime, MonoTime)| {
            now.since(last) <= BREAK && last.since(since) >= LASTING
        };
        self.span.is_some_and(lasting)
    }
}
