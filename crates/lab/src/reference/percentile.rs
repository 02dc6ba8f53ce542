//! Rates that are set once, at a percentile of the capacity that is going to come.

use std::time::Duration;

use wanctl_core::{
    Actuation, PerDirection, RttSample, ShaperSample,
    units::{BitRate, MonoTime},
};

use crate::{controller::Controller, trace::Trace};

/// Time between two looks at a trace: the finest change that a percentile has to see.
const SAMPLE_INTERVAL: Duration = Duration::from_millis(10);

/// Keeps the rates that it was given: what a careful or a bold person would have configured, had
/// they known the link.
#[derive(Debug, Clone)]
pub struct FixedRates {
    rates: PerDirection<BitRate>,
}

impl FixedRates {
    /// Creates a law that keeps `rates`.
    #[must_use]
    pub const fn new(rates: PerDirection<BitRate>) -> Self {
        Self { rates }
    }
}

impl Controller for FixedRates {
    fn on_rtt(&mut self, _sample: &RttSample) {}

    fn on_shaper(&mut self, _sample: &ShaperSample) {}

    fn on_actuation(&mut self, _actuation: PerDirection<Actuation>) {}

    fn decide(&mut self, _now: MonoTime) -> PerDirection<BitRate> {
        self.rates
    }
}

/// Returns the capacity that `trace` lies below for the share `share` (0 to 1) of the first `span`.
#[must_use]
pub fn percentile(trace: &Trace, span: Duration, share: f64) -> BitRate {
    percentile_of(|at| trace.rate_at(at), span, share)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
fn percentile_of(rate_at: impl Fn(Duration) -> BitRate, span: Duration, share: f64) -> BitRate {
    let samples =
        u32::try_from(span.as_millis() / SAMPLE_INTERVAL.as_millis()).unwrap_or(u32::MAX).max(1);
    let mut rates: Vec<BitRate> = (0..samples).map(|n| rate_at(SAMPLE_INTERVAL * n)).collect();
    let rank = ((share * f64::from(samples)) as usize).min(rates.len() - 1);
    *rates.select_nth_unstable(rank).1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capacity_counts_for_as_long_as_it_lasts() {
        // 10 Mbit/s for 6 s, then 100 for 54 s, then the end of the span.
        let rate_at = |at: Duration| {
            let mbps = if at < Duration::from_secs(6) { 10.0 } else { 100.0 };
            BitRate::from_mbps(if at < Duration::from_mins(1) { mbps } else { 1.0 })
        };
        for (share, mbps) in [(0.0, 10.0), (0.05, 10.0), (0.2, 100.0), (0.5, 100.0), (1.0, 100.0)] {
            let rate = percentile_of(rate_at, Duration::from_mins(1), share);
            assert_eq!(rate, BitRate::from_mbps(mbps), "{share}");
        }
    }

    #[test]
    fn a_steady_capacity_is_every_percentile_of_itself() {
        let rate = BitRate::from_mbps(50.0);
        assert_eq!(percentile(&Trace::steady(rate), Duration::from_mins(1), 0.05), rate);
    }

    #[test]
    fn rates_stay_as_they_were_given() {
        let rates =
            PerDirection { download: BitRate::from_mbps(5.0), upload: BitRate::from_mbps(1.0) };
        let mut fixed = FixedRates::new(rates);
        fixed.on_truth(PerDirection::default());
        assert_eq!(fixed.decide(MonoTime::from_millis(50)), rates);
    }
}
