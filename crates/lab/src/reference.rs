//! The laws that ours are compared with: our own code from their published behaviour, with their
//! published defaults. For the benchmark only.
//!
//! | name | law |
//! |---|---|
//! | `proportional-reference` | [`Proportional`]: cuts by the mean delay, raises gated by load |
//! | `median-vote-reference` | [`MedianVote`]: one delay by vote; rates that were safe are replayed |
//! | `fixed-p5`, `fixed-p50` | [`FixedRates`] at a [`percentile`] of the capacity |
//! | `oracle` | [`Oracle`]: knows the capacity |

mod bounds;
mod median_vote;
mod proportional;

use std::time::Duration;

use wanctl_core::units::{BitRate, MonoTime};

pub(crate) use self::{
    bounds::{FixedRates, Oracle, percentile},
    median_vote::MedianVote,
    proportional::{Proportional, ProportionalParams},
};

/// The delivery rate from byte counters: plain means over a period, as the reference laws use them.
#[derive(Debug, Clone, Default)]
struct DeliveryRate {
    from: Option<(MonoTime, u64)>,
}

impl DeliveryRate {
    /// Handles a reading of the counter; returns the mean rate once `period` has passed since the
    /// last that was returned.
    fn update(&mut self, at: MonoTime, bytes: u64, period: Duration) -> Option<BitRate> {
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
