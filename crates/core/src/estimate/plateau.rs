//! Traffic that flows evenly because a full link lets no more of it through.
//!
//! What is sent for its own sake comes in bursts; what a full link forwards does not. This shows
//! behind the provider's queue only, which is where a download is counted: an upload is counted
//! before it.

use std::collections::VecDeque;

use crate::params::BypassParams;
use crate::units::{BitRate, MonoTime};

/// How many of these are kept.
const WINDOW_COUNT: usize = 6;

/// The mean rates of the last windows.
#[derive(Debug, Clone, Default)]
pub(crate) struct PlateauDetector {
    params: BypassParams,
    since: Option<MonoTime>,
    sum: f64,
    moments: u32,
    means: VecDeque<f64>,
}

impl PlateauDetector {
    pub(crate) fn new(params: BypassParams) -> Self {
        Self { params, ..Self::default() }
    }

    /// Takes one moment's rate into account.
    pub(crate) fn update(&mut self, now: MonoTime, rate: BitRate) {
        let since = *self.since.get_or_insert(now);
        if now.since(since) >= self.params.plateau_window && self.moments > 0 {
            self.means.truncate(WINDOW_COUNT - 1);
            self.means.push_front(self.sum / f64::from(self.moments));
            (self.since, self.sum, self.moments) = (Some(now), 0.0, 0);
        }
        self.sum += rate.bps() as f64;
        self.moments += 1;
    }

    /// Begins anew: something else than a link has limited the traffic.
    pub(crate) fn reset(&mut self) {
        *self = Self::new(self.params);
    }

    /// Returns the rate at which the traffic flows if it was the same in the last `windows` (up to
    /// six, of half a second).
    pub(crate) fn rate(&self, windows: usize) -> Option<BitRate> {
        let means = || self.means.iter().take(windows).copied();
        let (least, most) = (means().fold(f64::MAX, f64::min), means().fold(0.0, f64::max));
        let is_even =
            self.means.len() >= windows && most * (1.0 - self.params.plateau_spread) <= least;
        is_even.then(|| BitRate::from_bps(1).scaled(means().sum::<f64>() / windows as f64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said of `seconds` of a rate that is `rates` in turn, each for half a second.
    fn after(rates: &[f64], seconds: u64) -> Option<BitRate> {
        let mut plateau = PlateauDetector::default();
        for moment in 0..=seconds * 20 {
            let rate = rates[usize::try_from(moment / 10).unwrap() % rates.len()];
            // Readings that come early and late by turns.
            let rate = if moment % 2 == 0 { rate * 1.05 } else { rate * 0.95 };
            plateau.update(MonoTime::from_millis(moment * 50), BitRate::from_mbps(rate));
        }
        plateau.rate(WINDOW_COUNT)
    }

    #[test]
    fn a_full_link_lets_the_same_through_all_the_time() {
        let rate = after(&[50.0], 3).expect("even");
        assert!((49.9..50.1).contains(&rate.mbps()), "{rate:?}");
        assert_eq!(after(&[50.0], 2), None, "too early to say");
    }

    #[test]
    fn transfers_by_themselves_do_not() {
        assert_eq!(after(&[50.0, 47.0, 49.0], 10), None);
    }
}
