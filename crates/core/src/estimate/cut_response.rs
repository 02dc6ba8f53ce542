//! How a queue responds to a cut: whether it drains in time, or proves not to be ours.

use std::time::Duration;

use super::DrainPlan;
use crate::{
    params::CutResponseParams,
    units::{BitRate, Delay, MonoTime},
};

/// What became of the queue since the last cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Response {
    /// No cut is being observed.
    None,
    /// It is too early to say.
    Draining,
    /// The queue is gone: the rate may return to this.
    Drained(BitRate),
    /// Several cuts did not reduce the delay, so the queue is not ours: they are rolled back to
    /// this rate.
    Ineffective(BitRate),
    /// A queue stands in spite of the cut.
    Remains,
}

/// A queue that is observed while it drains.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CutResponse {
    params: CutResponseParams,
    plan: DrainPlan,
    /// The depth shortly before the drain should be over.
    late_depth: Option<Delay>,
    /// Not known until the cut is in force.
    until: Option<MonoTime>,
}

impl CutResponse {
    /// Starts with a cut that is not in force yet.
    pub(crate) fn of(plan: DrainPlan, params: CutResponseParams) -> Self {
        Self { params, plan, late_depth: None, until: None }
    }

    /// Notes that the cut is in force. Senders learn of it after a round trip through the queue.
    pub(crate) fn begin(self, now: MonoTime, path: Duration) -> Self {
        let queue = Duration::from_secs_f64(self.plan.depth.seconds().max(0.0));
        let queue = queue.min(self.params.max_drain);
        let until = now + path + queue + self.plan.lasts + self.params.settle;
        Self { until: Some(until), ..self }
    }

    /// The rate to go on with when the queue is gone.
    pub(crate) fn resume_rate(&self) -> BitRate {
        self.plan.resume_rate
    }

    /// The rate while the queue drains.
    pub(crate) fn rate(&self) -> BitRate {
        self.plan.rate
    }

    /// Returns the share of the rate that the cut has left (0 to 1).
    pub(crate) fn remaining_share(&self) -> f64 {
        self.plan.rate.fraction_of(self.plan.from).unwrap_or(1.0)
    }

    /// Returns whether the queue should be gone.
    pub(crate) fn is_over(&self, now: MonoTime) -> bool {
        self.until.is_some_and(|until| now >= until)
    }

    /// Returns whether `depth` may be the queue as it was when the rate was cut.
    pub(crate) fn expects(&self, depth: Delay) -> bool {
        depth <= self.plan.depth.scaled(self.params.worse) + self.params.worse_by
    }

    /// Notes the depth of the queue.
    pub(crate) fn observe(&mut self, now: MonoTime, depth: Option<Delay>) {
        let is_late = self.until.is_some_and(|until| now + self.params.settle >= until);
        if self.late_depth.is_none() && is_late {
            self.late_depth = depth;
        }
    }

    /// Returns whether `depth`, at the end, is what it was before the cut, or shrinks no more.
    pub(crate) fn was_ineffective(&self, depth: Delay, clear: Delay) -> bool {
        let is_flat = self.late_depth.is_some_and(|late| (depth - late).abs() < clear);
        let before = self.plan.depth.seconds().max(f64::EPSILON);
        let unchanged = self.params.unchanged_min..=self.params.unchanged_max;
        is_flat || unchanged.contains(&(depth.seconds() / before))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A queue of so many milliseconds that drains in four times that.
    fn of(depth_ms: f64) -> CutResponse {
        let (from, depth) = (BitRate::from_mbps(100.0), Delay::from_millis_f64(depth_ms));
        let lasts = Duration::from_secs_f64(depth.seconds() * 4.0);
        let rate = from.scaled(0.75);
        let plan = DrainPlan { from, rate, resume_rate: from, depth, lasts };
        CutResponse::of(plan, CutResponseParams::default())
    }

    #[test]
    fn it_ends_when_the_queue_should_be_gone_and_not_before_the_cut_is_in_force() {
        let response = of(60.0);
        assert!((response.remaining_share() - 0.75).abs() < 1e-6);
        assert!(!response.is_over(MonoTime::from_millis(60_000)), "not in force yet");
        let response = response.begin(MonoTime::from_millis(1000), Duration::from_millis(20));
        // 240 ms of drain, the path, the queue and three replies.
        assert!(!response.is_over(MonoTime::from_millis(1460)));
        assert!(response.is_over(MonoTime::from_millis(1470)));
    }

    #[test]
    fn a_queue_that_shrinks_no_more_when_it_should_be_gone_did_not_respond() {
        let ms = Delay::from_millis_f64;
        let clear = ms(2.5);
        let mut response = of(60.0).begin(MonoTime::from_millis(1000), Duration::from_millis(20));
        response.observe(MonoTime::from_millis(1100), Some(ms(40.0)));
        response.observe(MonoTime::from_millis(1330), Some(ms(22.0)));
        response.observe(MonoTime::from_millis(1460), Some(ms(9.0)));
        assert!(response.was_ineffective(ms(21.0), clear), "flat since shortly before the end");
        assert!(!response.was_ineffective(ms(12.0), clear), "still shrinking");
        for (depth, is_ineffective) in [(59.0, true), (20.0, false), (120.0, false)] {
            assert_eq!(of(60.0).was_ineffective(ms(depth), clear), is_ineffective, "{depth}");
        }
        assert!(of(60.0).expects(ms(90.0)) && !of(60.0).expects(ms(120.0)));
    }
}
