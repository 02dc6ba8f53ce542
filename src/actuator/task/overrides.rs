//! Limits that are not ours to set: kept by the router, or changed by somebody else.

use tracing::{info, warn};

use super::Actuator;
use crate::{
    actuator::{reconciler::Override, report::Overridden},
    config::QueueRef,
    units::MonoTime,
};

impl Actuator {
    /// Shows which queues do not have the limits that were written, and how much is written.
    pub(super) fn publish_overrides(&mut self, now: MonoTime) {
        let mut overridden = Vec::new();
        for (index, queue) in self.work.queues.iter().enumerate() {
            let found = self.reconciler.overridden(index, now);
            self.work.metrics.writes(index, self.reconciler.writes(index, now), found);
            if let Some(found) = found {
                let what = sentence(&queue.queue, found);
                overridden.push(Overridden { wan: queue.wan, direction: queue.direction, what });
            }
        }
        let per_hour = self.work.pace().writes_per_hour;
        self.work.metrics.write_budget(per_hour);
        self.report.send_if_modified(|report| {
            let is_same = |one: &Overridden, other: &Overridden| {
                (one.wan, one.direction) == (other.wan, other.direction)
            };
            let before = std::mem::take(&mut report.overridden);
            for new in overridden.iter().filter(|new| !before.iter().any(|old| is_same(old, new))) {
                warn!(what = %new.what, "a limit is not kept");
            }
            for old in before.iter().filter(|old| !overridden.iter().any(|new| is_same(old, new))) {
                info!(what = %old.what, "no longer: the limit is kept");
            }
            let changed = before != overridden;
            report.overridden = overridden;
            changed
        });
    }
}

fn sentence(queue: &QueueRef, found: Override) -> String {
    match found {
        Override::Kept { at, written } => format!(
            "{queue} is kept at {at} by the router although {written} was written: look at what \
             limits this queue on the router, and for a second controller (another wanctl, a \
             script) on the same queue that sets it back at once"
        ),
        Override::Changed { to, per_minute } => format!(
            "{queue} is changed by somebody else {per_minute} times a minute, last to {to}: a second \
             controller (another wanctl, a script) on the same queue is likely; stop one of them"
        ),
    }
}
