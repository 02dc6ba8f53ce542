//! A queue that a cut lets drain, and when that should be over.

use std::time::Duration;

use crate::{
    params::{AdaptiveParams, CutResponseParams},
    units::{BitRate, Delay, MonoTime},
};

#[derive(Debug, Clone, Copy)]
pub(super) struct Drain {
    response: CutResponseParams,
    /// The rate while it drains.
    pub(super) rate: BitRate,
    /// The rate to go on with when it is gone.
    pub(super) then: BitRate,
    /// The rate before it.
    from: BitRate,
    depth: Delay,
    takes: Duration,
    /// What was left when the last look began.
    last_look: Option<Delay>,
    /// Not known until the cut is in force.
    until: Option<MonoTime>,
}

impl Drain {
    /// Plans how a queue of `depth`, that `from` has made, leaves a link of `capacity`, to go on just
    /// under `bound`.
    pub(super) fn of(
        (params, response): (&AdaptiveParams, CutResponseParams),
        from: BitRate,
        depth: Delay,
        capacity: BitRate,
        bound: BitRate,
    ) -> Self {
        let share = (params.drain_max_share
            - depth.seconds() / params.drain_full_depth.as_secs_f64())
        .clamp(params.drain_min_share, params.drain_max_share);
        let takes = Duration::from_secs_f64(depth.seconds().max(0.0) / (1.0 - share))
            .min(response.max_drain);
        let rate = capacity.scaled(share);
        Self {
            response,
            rate,
            then: bound.scaled(params.resume_share),
            from,
            depth,
            takes,
            last_look: None,
            until: None,
        }
    }

    /// The same, but not slower than `floor`.
    pub(super) fn not_below(self, floor: BitRate) -> Self {
        Self { rate: self.rate.max(floor), ..self }
    }

    /// The same at `rate`, below which nothing goes.
    pub(super) fn at_floor(
        params: (&AdaptiveParams, CutResponseParams),
        depth: Delay,
        rate: BitRate,
    ) -> Self {
        Self { rate, then: rate, ..Self::of(params, rate, depth, rate, rate) }
    }

    /// Returns what it leaves of the rate before it (0 to 1).
    pub(super) fn left(&self) -> f64 {
        self.rate.fraction_of(self.from).unwrap_or(1.0)
    }

    /// The cut has come into force. Those who send learn of it after a round trip, in which they
    /// wait in the queue, too.
    pub(super) fn begin(self, now: MonoTime, path: Duration) -> Self {
        let queue =
            Duration::from_secs_f64(self.depth.seconds().max(0.0)).min(self.response.max_drain);
        Self { until: Some(now + path + queue + self.takes + self.response.settle), ..self }
    }

    pub(super) fn is_over(&self, now: MonoTime) -> bool {
        self.until.is_some_and(|until| now >= until)
    }

    /// Tells whether `depth` may be the queue as it was when it was cut.
    pub(super) fn expects(&self, depth: Delay) -> bool {
        depth <= self.depth.scaled(self.response.worse) + self.response.worse_by
    }

    /// Takes note of how deep the queue is.
    pub(super) fn watch(&mut self, now: MonoTime, depth: Option<Delay>) {
        if self.last_look.is_none()
            && self.until.is_some_and(|until| now + self.response.settle >= until)
        {
            self.last_look = depth;
        }
    }

    /// Tells whether `depth`, after all, is what stood before, or shrinks no more.
    pub(super) fn was_futile(&self, depth: Delay, clear: Delay) -> bool {
        let untouched = self.response.unchanged_min..=self.response.unchanged_max;
        let before = self.depth.seconds().max(f64::EPSILON);
        let is_flat = self.last_look.is_some_and(|before| (depth - before).abs() < clear);
        is_flat || untouched.contains(&(depth.seconds() / before))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(depth_ms: f64) -> Drain {
        let capacity = BitRate::from_mbps(100.0);
        let params = (&AdaptiveParams::default(), CutResponseParams::default());
        Drain::of(params, capacity, Delay::from_millis_f64(depth_ms), capacity, capacity)
    }

    #[test]
    fn a_deeper_queue_is_cut_for_more_but_never_to_nothing() {
        assert!(of(10.0).rate > of(60.0).rate);
        assert_eq!(of(2000.0).rate, BitRate::from_mbps(50.0));
        assert_eq!(of(10.0).then, BitRate::from_mbps(98.5));
    }

    #[test]
    fn what_it_leaves_is_told_and_never_less_than_the_floor() {
        let floor = BitRate::from_mbps(80.0);
        let is = |left: f64, expected: f64| (left - expected).abs() < 1e-6;
        assert!(is(of(2000.0).left(), 0.5));
        assert!(is(of(2000.0).not_below(floor).left(), 0.8));
    }

    #[test]
    fn it_ends_when_the_queue_should_be_gone_and_not_before_it_began() {
        let drain = of(60.0);
        assert!(!drain.is_over(MonoTime::from_millis(60_000)), "the router has not followed yet");
        let drain = drain.begin(MonoTime::from_millis(1000), Duration::from_millis(20));
        // 60 ms of queue at 23.5 % less than gets through, the way there and back, three replies.
        assert!(!drain.is_over(MonoTime::from_millis(1480)));
        assert!(drain.is_over(MonoTime::from_millis(1500)));
    }

    #[test]
    fn what_shrinks_no_more_when_it_should_be_gone_was_not_touched() {
        let ms = Delay::from_millis_f64;
        let mut drain = of(60.0).begin(MonoTime::from_millis(1000), Duration::from_millis(20));
        drain.watch(MonoTime::from_millis(1100), Some(ms(40.0)));
        drain.watch(MonoTime::from_millis(1360), Some(ms(22.0)));
        drain.watch(MonoTime::from_millis(1480), Some(ms(9.0)));
        assert!(drain.was_futile(ms(21.0), ms(2.5)), "flat since the last look began");
        assert!(!drain.was_futile(ms(12.0), ms(2.5)), "still on its way");
    }

    #[test]
    fn a_queue_that_shrank_or_grew_was_not_untouched() {
        let ms = Delay::from_millis_f64;
        assert!(of(60.0).was_futile(ms(59.0), ms(2.5)));
        assert!(!of(60.0).was_futile(ms(20.0), ms(2.5)));
        assert!(!of(60.0).was_futile(ms(120.0), ms(2.5)));
        assert!(of(60.0).expects(ms(90.0)) && !of(60.0).expects(ms(120.0)));
    }
}
