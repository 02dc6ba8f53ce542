//! Limits that are not ours to set: kept by the router, or changed by somebody else.

use tracing::{info, warn};
use wanctl_core::units::{BitRate, MonoTime};

use super::Actuator;
use crate::{
    actuator::{reconciler::RateOverride, report::OverriddenQueue},
    router::QueueRef,
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
                overridden.push(OverriddenQueue {
                    wan: queue.wan,
                    direction: queue.direction,
                    what,
                });
            }
        }
        let per_hour = self.work.pace().writes_per_hour;
        self.work.metrics.write_budget(per_hour);
        self.report.send_if_modified(|report| {
            let is_same = |one: &OverriddenQueue, other: &OverriddenQueue| {
                (one.wan, one.direction) == (other.wan, other.direction)
            };
            let before = std::mem::take(&mut report.overridden);
            for new in overridden.iter().filter(|new| !before.iter().any(|old| is_same(old, new))) {
                warn!(what = %new.what, "the router does not enforce a written limit");
            }
            for old in before.iter().filter(|old| !overridden.iter().any(|new| is_same(old, new))) {
                info!(what = %old.what, "the router enforces the written limit again");
            }
            let changed = before != overridden;
            report.overridden = overridden;
            changed
        });
    }
}

fn sentence(queue: &QueueRef, found: RateOverride) -> String {
    match found {
        RateOverride::Refused { at, wanted } => format!(
            "the router refuses to change {queue}: it is {}, and no write of {wanted} was \
             accepted; find the router's error in the log, and check the policies of its user",
            said(at)
        ),
        RateOverride::NotApplied { at, written } => format!(
            "{queue} is {} although {written} was written: check the router for another limit of \
             this queue, and for another wanctl or a script that changes it back at once",
            said(at)
        ),
        RateOverride::ChangedExternally { to, per_minute } => format!(
            "{queue} is changed outside wanctl {per_minute} times a minute, and is {} now: find \
             another wanctl or a script that controls the same queue, and stop one of them",
            said(to)
        ),
    }
}

/// Says what limit a queue has: zero is none.
fn said(limit: BitRate) -> String {
    if limit == BitRate::ZERO { "unlimited".to_owned() } else { format!("at {limit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_said_that_is_not_so() {
        let queue = QueueRef::Tree("dl".to_owned());
        let (zero, rate) = (BitRate::ZERO, BitRate::from_mbps(50.0));
        for (found, words) in [
            (RateOverride::NotApplied { at: rate, written: rate }, "is at 50.0 Mbit/s although"),
            (RateOverride::NotApplied { at: zero, written: rate }, "is unlimited although"),
            (RateOverride::ChangedExternally { to: zero, per_minute: 3 }, "and is unlimited now"),
            (RateOverride::ChangedExternally { to: rate, per_minute: 3 }, "and is at 50"),
            (RateOverride::Refused { at: rate, wanted: rate }, "refuses to change"),
            (RateOverride::Refused { at: zero, wanted: rate }, "it is unlimited"),
        ] {
            let sentence = sentence(&queue, found);
            assert!(sentence.contains(words), "{sentence}");
            let is_not_applied = matches!(found, RateOverride::NotApplied { .. });
            assert_eq!(sentence.contains("was written"), is_not_applied, "{sentence}");
            assert!(!sentence.contains(" 0.00"), "{sentence}");
        }
    }
}
