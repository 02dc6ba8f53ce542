//! A delay that no cut takes away is not our queue: the path has become longer, or others queue.
//!
//! The baselines cannot tell while traffic flows, because they never learn under load. Cuts can: a
//! queue of ours shrinks when less is sent than gets through.

use super::bound::Bounds;
use crate::units::{BitRate, Delay};

/// Cuts in a row that must have been in vain: one may have met a capacity that fell just then.
const IN_VAIN: u8 = 2;

/// What is known of a delay that is not ours.
#[derive(Debug, Clone, Default)]
pub(super) struct Detour {
    delay: Delay,
    in_vain: u8,
    /// The rate and the bounds before the first cut in vain.
    before: Option<(BitRate, Bounds)>,
}

impl Detour {
    /// Returns what of `delay` may be ours.
    pub(super) fn beyond(&self, delay: Delay) -> Delay {
        delay - self.delay
    }

    /// No more can be excused than still stands.
    pub(super) fn update(&mut self, standing: Option<Delay>) {
        if let Some(standing) = standing {
            self.delay = self.delay.min(standing.max(Delay::ZERO));
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
        if self.in_vain < IN_VAIN {
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
        let mut detour = Detour { delay: STANDS, ..Detour::default() };
        detour.update(None);
        assert_eq!(detour.beyond(STANDS), Delay::ZERO);
        detour.update(Some(Delay::from_micros(20_000)));
        detour.update(Some(STANDS));
        assert_eq!(detour.beyond(STANDS), Delay::from_micros(80_000));
    }
}
