//! A delay that no cut takes away is not our queue: the path has become longer, or others queue.
//!
//! The baselines cannot tell while traffic flows, because they never learn under load. Cuts can: a
//! queue of ours shrinks when less is sent than gets through.

use std::time::Duration;

use super::bound::Bounds;
use crate::{
    params::PathOffsetParams,
    units::{BitRate, Delay},
};

/// What is known of a delay that is not ours.
#[derive(Debug, Clone, Default)]
pub(super) struct Detour {
    params: PathOffsetParams,
    delay: Delay,
    in_vain: u32,
    /// The rate and the bounds before the first cut in vain.
    before: Option<(BitRate, Bounds)>,
}

impl Detour {
    pub(super) fn new(params: PathOffsetParams) -> Self {
        Self { params, ..Self::default() }
    }

    /// Returns what of `delay` may be ours.
    pub(super) fn beyond(&self, delay: Delay) -> Delay {
        delay - self.delay
    }

    /// Returns how much is excused.
    pub(super) fn excused(&self) -> Delay {
        self.delay
    }

    /// No more can be excused than still stands.
    pub(super) fn fade(&mut self, dt: Duration, stands: Option<Delay>) {
        if let Some(stands) = stands {
            let too_much = (self.delay - stands.max(Delay::ZERO)).max(Delay::ZERO);
            let share = 1.0 - (-dt.as_secs_f64() / self.params.fade_tau.as_secs_f64()).exp();
            self.delay = self.delay - too_much.scaled(share);
        }
    }

    /// `stands` is left by a drain that took its time: it is not ours, if it is `excusable` at most.
    pub(super) fn remains(&mut self, stands: Delay, excusable: Delay) {
        let stands = stands.max(Delay::ZERO);
        if stands <= excusable || stands < self.delay {
            self.delay = stands;
        }
    }

    /// A cut is made at `rate`.
    pub(super) fn before_cut(&mut self, rate: BitRate, bounds: &Bounds) {
        self.before.get_or_insert((rate, *bounds));
    }

    /// A cut made the delay shrink.
    pub(super) fn helped(&mut self) {
        self.in_vain = 0;
        self.before = None;
    }

    /// A cut was in vain, and `standing` stands. Returns what is to be taken back if that is enough
    /// to say that it is not ours.
    pub(super) fn resist(&mut self, standing: Delay) -> Option<(BitRate, Bounds)> {
        self.in_vain += 1;
        if self.in_vain < self.params.ineffective_cuts {
            return None;
        }
        self.in_vain = 0;
        self.delay = standing;
        self.before.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STANDS: Delay = Delay::from_micros(100_000);

    #[test]
    fn two_cuts_in_vain_are_taken_back_and_their_delay_is_excused() {
        let (mut detour, bounds) = (Detour::default(), Bounds::default());
        let rate = BitRate::from_mbps(50.0);
        detour.before_cut(rate, &bounds);
        assert!(detour.resist(STANDS).is_none(), "once may have been bad luck");
        detour.before_cut(BitRate::from_mbps(30.0), &bounds);
        assert_eq!(detour.resist(STANDS).map(|(rate, _)| rate), Some(rate));
        assert_eq!(detour.beyond(Delay::from_micros(104_000)), Delay::from_micros(4_000));
    }

    #[test]
    fn a_cut_that_helped_begins_anew() {
        let (mut detour, bounds) = (Detour::default(), Bounds::default());
        detour.before_cut(BitRate::from_mbps(50.0), &bounds);
        assert!(detour.resist(STANDS).is_none());
        detour.helped();
        detour.before_cut(BitRate::from_mbps(40.0), &bounds);
        assert!(detour.resist(STANDS).is_none());
    }

    #[test]
    fn what_no_longer_stands_is_no_longer_excused() {
        let second = Duration::from_secs(1);
        let mut detour = Detour { delay: STANDS, ..Detour::default() };
        detour.fade(second, None);
        assert_eq!(detour.excused(), STANDS);
        detour.fade(second, Some(Delay::from_micros(20_000)));
        detour.fade(second, Some(STANDS));
        assert!((40.0..60.0).contains(&detour.excused().millis()));
        detour.remains(Delay::from_micros(3_000), Delay::ZERO);
        assert_eq!(detour.excused(), Delay::from_micros(3_000), "a drain is sure of it");
    }

    #[test]
    fn a_little_that_a_drain_leaves_is_excused_and_much_is_not() {
        let mut detour = Detour::default();
        detour.remains(STANDS, Delay::from_micros(15_000));
        assert_eq!(detour.excused(), Delay::ZERO);
        detour.remains(Delay::from_micros(6_000), Delay::from_micros(15_000));
        assert_eq!(detour.beyond(Delay::from_micros(8_000)), Delay::from_micros(2_000));
    }
}
