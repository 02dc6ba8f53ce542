//! Logs limits that are changed outside wanctl, at a bounded rate.

use std::time::Duration;

use tracing::warn;
use wanctl_core::units::{BitRate, MonoTime};

use crate::router::QueueRef;

/// At most one line in this time.
const QUIET: Duration = Duration::from_secs(10);

/// The changes that are not logged yet.
#[derive(Debug, Default)]
pub(super) struct DriftLog {
    reported: Option<MonoTime>,
    untold: u32,
}

impl DriftLog {
    /// Takes note of a changed limit.
    pub(super) fn saw(&mut self, queue: &QueueRef, from: BitRate, to: BitRate, now: MonoTime) {
        if self.reported.is_some_and(|reported| now.since(reported) < QUIET) {
            self.untold += 1;
            return;
        }
        let (from, to) = (from.bps(), to.bps());
        if self.untold > 0 {
            let times = self.untold + 1;
            warn!(%queue, from, to, times, "limits are changed outside wanctl: find the other wanctl or script");
        } else {
            warn!(%queue, from, to, "a limit was changed outside wanctl, in bit/s");
        }
        self.reported = Some(now);
        self.untold = 0;
    }
}
