//! The rate that got through, from byte counters.

use std::time::Duration;

use wanctl_core::units::{BitRate, MonoTime};

/// Turns cumulative bytes into plain means over a period, as the laws we compare with do.
#[derive(Debug, Clone, Default)]
pub(super) struct DeliveryRate {
    from: Option<(MonoTime, u64)>,
}

impl DeliveryRate {
    /// Takes a reading of the counter; returns the mean rate once `period` has passed since the
    /// last that was returned.
    pub(super) fn update(&mut self, at: MonoTime, bytes: u64, period: Duration) -> Option<BitRate> {
        let (from, before) = *self.from.get_or_insert((at, bytes));
        let span = at.since(from);
        if span < period {
            return None;
        }
        self.from = Some((at, bytes));
        // A counter that fell was reset: what it shows has flowed since.
        BitRate::of_transfer(bytes.checked_sub(before).unwrap_or(bytes), span)
    }
}
