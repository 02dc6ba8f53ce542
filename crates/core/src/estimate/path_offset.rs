//! Path offset: delay that no drain removes, because the path has become longer or others queue.
//!
//! Baselines cannot show it under load, because they never learn then. Cuts can: a queue of ours
//! shrinks when less is sent than the bottleneck carries.

use std::time::Duration;

use super::capacity::CapacityEstimate;
use crate::{
    params::PathOffsetParams,
    units::{BitRate, Delay},
};

/// The offset, and the cuts that may prove another one.
#[derive(Debug, Clone)]
pub(crate) struct PathOffset {
    params: PathOffsetParams,
    delay: Delay,
    ineffective_cuts: u32,
    /// The rate and the capacity estimate before the first ineffective cut.
    before: Option<(BitRate, CapacityEstimate)>,
}

impl PathOffset {
    pub(crate) fn new(params: PathOffsetParams) -> Self {
        Self { params, delay: Delay::ZERO, ineffective_cuts: 0, before: None }
    }

    /// Returns the offset.
    pub(crate) fn delay(&self) -> Delay {
        self.delay
    }

    /// Fades while less delay stands than the offset.
    pub(crate) fn fade(&mut self, dt: Duration, standing: Option<Delay>) {
        if let Some(standing) = standing {
            let excess = (self.delay - standing.max(Delay::ZERO)).max(Delay::ZERO);
            let share = 1.0 - (-dt.as_secs_f64() / self.params.fade_tau.as_secs_f64()).exp();
            self.delay = self.delay - excess.scaled(share);
        }
    }

    /// Notes the delay that a completed drain has left: an offset, if it is `tolerable` at most.
    pub(crate) fn remains(&mut self, standing: Delay, tolerable: Delay) {
        let standing = standing.max(Delay::ZERO);
        if standing <= tolerable || standing < self.delay {
            self.delay = standing;
        }
    }

    /// Notes that a cut is made at `rate`.
    pub(crate) fn before_cut(&mut self, rate: BitRate, capacity: &CapacityEstimate) {
        self.before.get_or_insert((rate, *capacity));
    }

    /// Notes that the delay responded to a cut, or that other cuts begin.
    pub(crate) fn responded(&mut self) {
        self.ineffective_cuts = 0;
        self.before = None;
    }

    /// Notes that a cut left the delay `standing`. Returns what was known before the first such cut
    /// once there are enough of them to prove an offset.
    pub(crate) fn resist(&mut self, standing: Delay) -> Option<(BitRate, CapacityEstimate)> {
        self.ineffective_cuts += 1;
        if self.ineffective_cuts < self.params.ineffective_cuts {
            return None;
        }
        self.ineffective_cuts = 0;
        self.delay = standing;
        self.before.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STANDS: Delay = Delay::from_micros(100_000);

    fn offset() -> (PathOffset, CapacityEstimate) {
        (PathOffset::new(PathOffsetParams::default()), CapacityEstimate::default())
    }

    #[test]
    fn two_ineffective_cuts_are_rolled_back_and_their_delay_is_an_offset() {
        let (mut offset, capacity) = offset();
        let rate = BitRate::from_mbps(50.0);
        offset.before_cut(rate, &capacity);
        assert!(offset.resist(STANDS).is_none(), "one may have met a falling capacity");
        offset.before_cut(BitRate::from_mbps(30.0), &capacity);
        assert_eq!(offset.resist(STANDS).map(|(rate, _)| rate), Some(rate));
        assert_eq!(offset.delay(), STANDS);
    }

    #[test]
    fn a_cut_that_reduced_the_delay_begins_anew() {
        let (mut offset, capacity) = offset();
        offset.before_cut(BitRate::from_mbps(50.0), &capacity);
        assert!(offset.resist(STANDS).is_none());
        offset.responded();
        offset.before_cut(BitRate::from_mbps(40.0), &capacity);
        assert!(offset.resist(STANDS).is_none());
    }

    #[test]
    fn an_offset_fades_when_less_stands_and_a_drain_ends_it() {
        let second = Duration::from_secs(1);
        let mut offset = PathOffset { delay: STANDS, ..offset().0 };
        offset.fade(second, None);
        assert_eq!(offset.delay(), STANDS);
        offset.fade(second, Some(Delay::from_micros(20_000)));
        offset.fade(second, Some(STANDS));
        assert!((40.0..60.0).contains(&offset.delay().millis()));
        offset.remains(Delay::from_micros(3_000), Delay::ZERO);
        assert_eq!(offset.delay(), Delay::from_micros(3_000));
    }

    #[test]
    fn a_little_that_a_drain_leaves_is_an_offset_and_much_is_not() {
        let mut offset = offset().0;
        offset.remains(STANDS, Delay::from_micros(15_000));
        assert_eq!(offset.delay(), Delay::ZERO);
        offset.remains(Delay::from_micros(6_000), Delay::from_micros(15_000));
        assert_eq!(offset.delay(), Delay::from_micros(6_000));
    }
}
