//! Which way a delay is added, by a reflector that answers timestamps.
//!
//! The clocks at both ends differ by an unknown, slowly drifting offset, so a one-way delay means
//! nothing by itself. But the difference between the way up and the way down is steady while no
//! queue stands, and what a queue adds to it shows on which way it stands.

use crate::units::{Delay, MonoTime};
use crate::{PerDirection, params::DelaySplitParams};

/// The usual difference between the ways to and from one reflector.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct DelaySplit {
    params: DelaySplitParams,
    usual: Option<Delay>,
    renewed: MonoTime,
}

impl DelaySplit {
    pub(crate) fn new(params: DelaySplitParams) -> Self {
        Self { params, ..Self::default() }
    }

    /// Learns from one reply and returns how its `delta` over the baseline is shared out; `None`
    /// until the usual difference is known.
    pub(crate) fn split(
        &mut self,
        at: MonoTime,
        delta: Delay,
        one_way: PerDirection<Delay>,
    ) -> Option<PerDirection<Delay>> {
        let lean = one_way.upload - one_way.download;
        let known = self.usual.filter(|_| at.since(self.renewed) < self.params.expires);
        if delta <= self.params.calm {
            let dt = at.since(self.renewed).as_secs_f64();
            let alpha = 1.0 - (-dt / self.params.tau.as_secs_f64()).exp();
            self.usual = Some(known.map_or(lean, |usual| usual + (lean - usual).scaled(alpha)));
            self.renewed = at;
        }
        let shift = lean - known?;
        let upload = (delta + shift).scaled(0.5).max(Delay::ZERO).min(delta.max(Delay::ZERO));
        Some(PerDirection { download: delta - upload, upload })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFSET: i64 = 7_654_000;

    /// A reply whose way down took `down` and whose way up took `up` milliseconds of a path of
    /// 10 ms each way, by a clock that is ahead of ours.
    fn observe(delay_split: &mut DelaySplit, at: u64, down: i64, up: i64) -> Option<(i64, i64)> {
        let at = MonoTime::from_millis(at);
        let one_way = PerDirection {
            download: Delay::from_micros((10 + down) * 1000 - OFFSET),
            upload: Delay::from_micros((10 + up) * 1000 + OFFSET),
        };
        let split = delay_split.split(at, Delay::from_micros((down + up) * 1000), one_way)?;
        Some((split.download.micros() / 1000, split.upload.micros() / 1000))
    }

    #[test]
    fn a_queue_is_put_down_to_its_way_whatever_the_clock_says() {
        let mut delay_split = DelaySplit::default();
        assert_eq!(observe(&mut delay_split, 0, 0, 0), None);
        assert_eq!(observe(&mut delay_split, 50, 40, 0), Some((40, 0)));
        assert_eq!(observe(&mut delay_split, 100, 0, 90), Some((0, 90)));
        assert_eq!(observe(&mut delay_split, 150, 30, 60), Some((30, 60)));
    }

    #[test]
    fn what_is_not_renewed_means_nothing() {
        let mut delay_split = DelaySplit::default();
        observe(&mut delay_split, 0, 0, 0);
        assert_eq!(observe(&mut delay_split, 119_000, 50, 0), Some((50, 0)));
        assert_eq!(observe(&mut delay_split, 121_000, 50, 0), None);
    }
}
