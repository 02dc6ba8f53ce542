//! Watches the readings of one queue for what should not be: a queue that is off, and one that holds
//! packets and lets none go.

use std::time::Duration;

use tracing::warn;
use wanctl_core::units::{BitRate, MonoTime};

use super::Queue;
use crate::router::{QueueRef, QueueRow, Router, RouterFault};

/// A backlog of which nothing moves for this long is stuck; a CAKE queue at 1 Mbit/s sends a
/// packet every 12 ms.
const STUCK_AFTER: Duration = Duration::from_secs(5);

/// What is remembered of a queue.
#[derive(Debug, Clone, Default)]
pub(super) struct QueueWatch {
    /// Packets sent at the last move, and when that was.
    moved: Option<(u64, MonoTime)>,
}

impl QueueWatch {
    /// Takes a reading and returns what is wrong, in plain words.
    pub(super) fn poll(
        &mut self,
        queue: &QueueRef,
        row: &QueueRow,
        now: MonoTime,
    ) -> Option<String> {
        if !row.active {
            return Some(format!(
                "{queue} is disabled or invalid and does not shape: enable it, and check its \
                 parent and its type"
            ));
        }
        let packets = row.reading.packets;
        let waits = row.reading.backlog_packets > 0;
        match self.moved {
            Some((before, since)) if waits && before == packets => {
                (now.since(since) >= STUCK_AFTER).then(|| {
                    format!(
                        "{queue} has a backlog of {} packets and has sent none for {} s: disable \
                         and enable it; if that does not help, reboot the router",
                        row.reading.backlog_packets,
                        now.since(since).as_secs()
                    )
                })
            }
            Some(_) | None => {
                self.moved = Some((packets, now));
                None
            }
        }
    }
}

/// Says why a configured queue cannot be used, and where it is configured.
pub(super) fn unusable(router: &Router, queue: &Queue, fault: &RouterFault) -> String {
    let key = queue.queue.key(queue.direction);
    format!("wans[{}].{key}: {fault}: {}", queue.wan, router.inspect.remedy(fault))
}

/// At most one line about changed limits in this time.
const DRIFT_LOG_INTERVAL: Duration = Duration::from_secs(10);

/// The log of limits that are changed outside wanctl, at a bounded rate.
#[derive(Debug, Default)]
pub(super) struct DriftLog {
    reported: Option<MonoTime>,
    unreported: u32,
}

impl DriftLog {
    /// Logs a changed limit, or counts it for the next line.
    pub(super) fn saw(&mut self, queue: &QueueRef, from: BitRate, to: BitRate, now: MonoTime) {
        if self.reported.is_some_and(|reported| now.since(reported) < DRIFT_LOG_INTERVAL) {
            self.unreported += 1;
            return;
        }
        let (from, to) = (from.bps(), to.bps());
        if self.unreported > 0 {
            let times = self.unreported + 1;
            warn!(%queue, from, to, times, "limits are changed outside wanctl: find the other wanctl or script");
        } else {
            warn!(%queue, from, to, "a limit was changed outside wanctl, in bit/s");
        }
        self.reported = Some(now);
        self.unreported = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use wanctl_core::QueueReading;

    fn row(packets: u64, waiting: u64) -> QueueRow {
        let reading = QueueReading { packets, backlog_packets: waiting, ..QueueReading::default() };
        QueueRow { reading, active: true, ..QueueRow::default() }
    }

    #[test]
    fn a_backlog_that_does_not_drain_is_reported_and_a_busy_queue_is_not() {
        let queue = QueueRef::Tree("dl".to_owned());
        let mut watch = QueueWatch::default();
        for second in 0..20 {
            let reported =
                watch.poll(&queue, &row(second, 100), MonoTime::from_millis(second * 1000));
            assert_eq!(reported, None);
        }
        let mut reported = None;
        for second in 20..27 {
            reported = watch.poll(&queue, &row(19, 100), MonoTime::from_millis(second * 1000));
        }
        assert!(reported.is_some_and(|reported| reported.contains("a backlog of 100 packets")));
        assert_eq!(watch.poll(&queue, &row(19, 0), MonoTime::from_millis(27_000)), None);
    }

    #[test]
    fn a_queue_that_is_off_is_reported() {
        let queue = QueueRef::Tree("dl".to_owned());
        let mut watch = QueueWatch::default();
        let off = QueueRow { active: false, ..row(1, 0) };
        assert!(watch.poll(&queue, &off, MonoTime::ZERO).is_some());
        assert!(watch.poll(&queue, &row(1, 0), MonoTime::ZERO).is_none());
    }
}
