//! A capacity over time, held from each point to the next, and the files that such things are
//! written in.

mod columns;
mod file;
mod mahimahi;

use std::time::Duration;

pub use file::{Column, LoadOptions, Recording, TraceError, load};

use wanctl_core::units::BitRate;

/// A capacity over time: each point holds until the next one, and the whole repeats.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// Moments and the capacity from there on; ascending, the first at zero.
    points: Vec<(Duration, BitRate)>,
    /// Length of one round.
    round: Duration,
}

impl Trace {
    /// A capacity that never moves.
    pub(crate) fn steady(rate: BitRate) -> Self {
        Self { points: vec![(Duration::ZERO, rate)], round: Duration::MAX }
    }

    /// Joins moments and the capacity from there on to a trace that repeats after `round`.
    ///
    /// Returns `None` unless the moments ascend, begin at zero and end before `round`.
    pub(crate) fn held(mut points: Vec<(Duration, BitRate)>, round: Duration) -> Option<Self> {
        let ascends = points.windows(2).all(|pair| pair[0].0 < pair[1].0);
        let fits = points.first()?.0.is_zero() && points.last()?.0 < round;
        // What does not change is no point; a trace of bins is full of those.
        points.dedup_by_key(|(_, rate)| *rate);
        (ascends && fits).then_some(Self { points, round })
    }

    /// Returns the trace whose capacity is each of `rates` for the time `width`, or `None` if
    /// there is no rate or no width.
    pub(crate) fn bins(rates: impl IntoIterator<Item = BitRate>, width: Duration) -> Option<Self> {
        let points: Vec<_> = (0_u32..).map(|bin| width * bin).zip(rates).collect();
        let round = points.last()?.0 + width;
        Self::held(points, round)
    }

    /// Returns the capacity at `at`.
    pub(crate) fn rate_at(&self, at: Duration) -> BitRate {
        let into = match self.round.as_nanos() {
            0 => at,
            round => Duration::from_nanos_u128(at.as_nanos() % round),
        };
        let next = self.points.partition_point(|(from, _)| *from <= into);
        self.points.get(next.saturating_sub(1)).map_or(BitRate::ZERO, |(_, rate)| *rate)
    }

    /// Returns the time after which the trace repeats; [`Duration::MAX`] if it never moves.
    pub(crate) const fn round(&self) -> Duration {
        self.round
    }

    /// Returns the lowest capacity that is not exceeded for a share of `quantile` (0 to 1) of the
    /// time.
    pub(crate) fn quantile(&self, quantile: f64) -> BitRate {
        let mut spans = self.spans();
        spans.sort_by_key(|(rate, _)| *rate);
        let mut left = quantile * spans.iter().map(|(_, seconds)| seconds).sum::<f64>();
        let reached = spans.iter().find(|(_, seconds)| {
            left -= seconds;
            left <= 0.0
        });
        reached.or(spans.last()).map_or(BitRate::ZERO, |(rate, _)| *rate)
    }

    pub(crate) fn mean(&self) -> BitRate {
        let spans = self.spans();
        let time: f64 = spans.iter().map(|(_, seconds)| seconds).sum();
        let carried: f64 = spans.iter().map(|(rate, seconds)| rate.mbps() * seconds).sum();
        BitRate::from_mbps(carried / time)
    }

    /// Returns each capacity of a round with the seconds for which it holds.
    fn spans(&self) -> Vec<(BitRate, f64)> {
        let ends = self.points.iter().skip(1).map(|(from, _)| *from).chain([self.round]);
        let spans = self.points.iter().zip(ends);
        spans.map(|((from, rate), end)| (*rate, end.saturating_sub(*from).as_secs_f64())).collect()
    }
}

#[cfg(test)]
mod tests;
