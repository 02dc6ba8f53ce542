//! Cuts that the router has not followed for long: it hangs, or keeps another limit.
//!
//! The evidence meanwhile is about the limit that is still in force. The newest of it sets the rate,
//! so that the first write that gets through is right.

use std::time::Duration;

use super::{Adaptive, LawInput, RateDecision, Reason, hold::hold};
use crate::{
    MeasurementState,
    units::{BitRate, MonoTime},
};

/// What is remembered of a cut that is not in force.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pending {
    since: MonoTime,
}

impl Pending {
    fn is_long(self, now: MonoTime, overdue: Duration) -> bool {
        now.since(self.since) >= overdue
    }
}

impl Adaptive {
    /// Decides while the limit in force is higher than the one desired.
    pub(super) fn while_pending(&mut self, input: &LawInput, in_force: BitRate) -> RateDecision {
        let pending = *self.pending.get_or_insert(Pending { since: input.now });
        let pends = hold(input, Reason::HoldPending);
        if !pending.is_long(input.now, self.params.pending.overdue) {
            if self.is_cut_underway {
                // What was measured until the cut is in force says nothing about it.
                self.last_cut = Some(input.now);
            }
            return pends;
        }
        let is_measured =
            matches!(input.measurement, MeasurementState::Healthy | MeasurementState::Reduced);
        if !is_measured || input.queue.is_none() {
            return pends;
        }
        let as_is = LawInput { current: in_force, ..*input };
        match self.excess(&as_is) {
            Some(depth) if input.attribution.is_attributed() => {
                // As if the cut had not been made: it has not.
                let bounds = std::mem::replace(&mut self.bounds, self.bounds_before_cut);
                let was_underway = self.is_cut_underway;
                let RateDecision { rate, reason } = self.cut(&as_is, depth, true);
                // Without counters the first estimate, of the moment in which the delay grew, is
                // the best; and a rate that is low for another reason stays low.
                let may_rise = was_underway && input.has_fresh_counters;
                let rate = if may_rise { rate } else { rate.min(input.current) };
                let is_same = rate
                    .fraction_of(input.current)
                    .is_some_and(|r| (r - 1.0).abs() < self.params.pending.same);
                if is_same || rate == input.current {
                    self.bounds = bounds;
                    return pends;
                }
                RateDecision { rate, reason }
            }
            Some(_) => pends,
            None => {
                let RateDecision { rate, reason } = self.at_ease(input, in_force);
                RateDecision { rate: rate.min(in_force.max(input.current)), reason }
            }
        }
    }

    /// Takes note that nothing pends any more.
    pub(super) fn followed(&mut self, now: MonoTime) {
        let was_long = {
            let overdue = self.params.pending.overdue;
            self.pending.take().is_some_and(|pending| pending.is_long(now, overdue))
        };
        if was_long && self.is_cut_underway {
            self.last_cut = Some(now);
        }
    }
}

#[cfg(test)]
mod tests;
