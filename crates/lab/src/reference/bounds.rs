//! References that know the capacity: rates that are set once, and an oracle.

use std::time::Duration;

use wanctl_core::{
    PerDirection,
    units::{BitRate, MonoTime},
};

use crate::{controller::Controller, trace::Trace};

/// Keeps the rates that it was given.
#[derive(Debug, Clone)]
pub(crate) struct FixedRates(pub(crate) PerDirection<BitRate>);

impl Controller for FixedRates {
    fn decide(&mut self, _now: MonoTime) -> PerDirection<BitRate> {
        self.0
    }
}

/// Time between two samples of a trace for its percentiles.
const SAMPLING: Duration = Duration::from_millis(10);

/// Returns the capacity that `trace` lies below for the share `share` (0 to 1) of the first `span`.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
pub(crate) fn percentile(trace: &Trace, span: Duration, share: f64) -> BitRate {
    let samples = u32::try_from(span.as_millis() / SAMPLING.as_millis()).unwrap_or(u32::MAX).max(1);
    let mut rates: Vec<BitRate> = (0..samples).map(|n| trace.rate_at(SAMPLING * n)).collect();
    let rank = ((share * f64::from(samples)) as usize).min(rates.len() - 1);
    *rates.select_nth_unstable(rank).1
}

/// Share of the capacity that the oracle uses; the remainder drains queues.
const SHARE: f64 = 0.97;
/// The oracle's lowest rate: at less, a packet would be in the shaper for hours after an outage.
const LEAST: BitRate = BitRate::from_bps(100_000);

/// Follows the link's true capacity at once, without limits. No controller that measures is better.
#[derive(Debug, Clone, Default)]
pub(crate) struct Oracle {
    rates: PerDirection<BitRate>,
}

impl Controller for Oracle {
    fn on_truth(&mut self, capacity: PerDirection<BitRate>) {
        self.rates = PerDirection::build(|direction| capacity[direction].scaled(SHARE).max(LEAST));
    }

    fn decide(&mut self, _now: MonoTime) -> PerDirection<BitRate> {
        self.rates
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capacity_counts_for_as_long_as_it_lasts() {
        // 10 Mbit/s for 6 s, then 100 for 54 s, then 1 after the end of the span.
        let points = [(0, 10.0), (6, 100.0), (60, 1.0)];
        let points = points.map(|(at, mbps)| (Duration::from_secs(at), BitRate::from_mbps(mbps)));
        let trace = Trace::held(points.to_vec(), Duration::MAX).unwrap();
        for (share, mbps) in [(0.0, 10.0), (0.05, 10.0), (0.2, 100.0), (0.5, 100.0), (1.0, 100.0)] {
            let rate = percentile(&trace, Duration::from_mins(1), share);
            assert_eq!(rate, BitRate::from_mbps(mbps), "{share}");
        }
    }

    #[test]
    fn a_steady_capacity_is_every_percentile_of_itself() {
        let rate = BitRate::from_mbps(50.0);
        assert_eq!(percentile(&Trace::steady(rate), Duration::from_mins(1), 0.05), rate);
    }

    #[test]
    fn the_oracle_follows_the_capacity_at_once_and_never_shuts_the_shaper() {
        let mut oracle = Oracle::default();
        for capacity in [100.0, 20.0, 60.0] {
            let capacity = BitRate::from_mbps(capacity);
            oracle.on_truth(PerDirection { download: capacity, upload: capacity.scaled(0.1) });
            let PerDirection { download, upload } = oracle.decide(MonoTime::ZERO);
            assert_eq!((download, upload), (capacity.scaled(0.97), capacity.scaled(0.097)));
        }
        oracle.on_truth(PerDirection::default());
        assert_eq!(oracle.decide(MonoTime::ZERO).upload, LEAST);
    }
}
