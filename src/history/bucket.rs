//! The sums of the cycles in a span of time: a row of a tier.
//!
//! Every value is a sum, a minimum, a maximum or a histogram, so buckets merge in any order and any
//! number of times into the bucket of all their cycles. Means and percentiles are computed on
//! reading; two percentiles are stored besides, for plain SQL.

mod columns;

use rusqlite::{Row, types::Value};

pub(super) use columns::{COLUMNS, Column, DERIVED, DirectionColumn, HISTOGRAMS};
use columns::{Merge, VALUES};

use wanctl_core::{
    CongestionState, Direction, MeasurementState, ProbeMethod,
    units::{BitRate, Delay},
};

use super::histogram::Histogram;

/// The cycles of one WAN in some span of time, summed up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    values: [Option<i64>; VALUES],
    /// In the order of [`DelayKind`].
    histograms: [Histogram; 2],
}

/// A measured delay of the cycles in a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DelayStats {
    /// Cycles that had a value.
    pub cycles: u64,
    /// The lowest value.
    pub min: Delay,
    /// The mean over the cycles.
    pub mean: Delay,
    /// The highest value.
    pub max: Delay,
}

/// A rate in a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateStats {
    /// The lowest value.
    pub min: BitRate,
    /// The mean over the time for which it was known.
    pub mean: BitRate,
    /// The highest value.
    pub max: BitRate,
}

/// Which delay of a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DelayKind {
    /// The round-trip time.
    Rtt,
    /// The delay over the baseline.
    Delta,
}

/// Which rate of a bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RateKind {
    /// What the shaper should be set to.
    Desired,
    /// What the shaper was last seen set to.
    Observed,
    /// The delivery rate, as the controller saw it.
    Delivery,
    /// The capacity estimate of the link.
    Capacity,
}

impl Default for Bucket {
    fn default() -> Self {
        let mut values = [None; VALUES];
        for (value, (_, merge)) in values.iter_mut().zip(COLUMNS.iter()) {
            *value = (*merge == Merge::Sum).then_some(0);
        }
        Self { values, histograms: Default::default() }
    }
}

impl Bucket {
    /// Counts a value in a column as its kind has it.
    pub(super) fn put(&mut self, column: impl Into<usize>, value: i64) {
        let column = column.into();
        self.values[column] = merged(COLUMNS[column].1, self.values[column], Some(value));
    }

    /// Counts a delay in µs.
    pub(super) fn put_delay(&mut self, kind: DelayKind, micros: i64) {
        let [count, sum, min, max] = Column::delay(kind);
        for (column, value) in [(count, 1), (sum, micros), (min, micros), (max, micros)] {
            self.put(column, value);
        }
        self.histograms[kind as usize].add(micros);
    }

    /// Counts a rate in kbit/s that held for `span` ms.
    pub(super) fn put_rate(&mut self, direction: Direction, kind: RateKind, kbps: i64, span: i64) {
        let [time, sum, min, max] = DirectionColumn::rate(direction, kind);
        let bits = kbps.saturating_mul(span);
        for (column, value) in [(time, span), (sum, bits), (min, kbps), (max, kbps)] {
            self.put(column, value);
        }
    }

    /// Adds what `other` has counted.
    pub fn merge(&mut self, other: &Self) {
        let values = self.values.iter_mut().zip(other.values);
        for ((value, other), (_, merge)) in values.zip(COLUMNS.iter()) {
            *value = merged(*merge, *value, other);
        }
        for (ours, theirs) in self.histograms.iter_mut().zip(&other.histograms) {
            ours.merge(theirs);
        }
    }

    /// Returns the value in the column at this place of [`COLUMNS`]; `None` if it is not known.
    pub(super) fn at(&self, column: usize) -> Option<i64> {
        self.values[column]
    }

    fn sum(&self, column: impl Into<usize>) -> u64 {
        self.values[column.into()].and_then(|sum| u64::try_from(sum).ok()).unwrap_or(0)
    }

    /// Returns the number of cycles.
    #[must_use]
    pub fn cycles(&self) -> u64 {
        self.sum(Column::Cycles)
    }

    /// Returns the time that the cycles stand for, in milliseconds.
    #[must_use]
    pub fn span_ms(&self) -> u64 {
        self.sum(Column::SpanMs)
    }

    /// Returns how many cycles began after a gap: a start of the daemon, a dropped cycle, a pause of
    /// more than 2 s.
    #[must_use]
    pub fn gaps(&self) -> u64 {
        self.sum(Column::Gaps)
    }

    /// Returns the time in a measurement state, in milliseconds.
    #[must_use]
    pub fn measurement_ms(&self, state: MeasurementState) -> u64 {
        self.sum(Column::measurement(state))
    }

    /// Returns the time for which the newest reply was measured by `method`, in milliseconds.
    #[must_use]
    pub fn method_ms(&self, method: ProbeMethod) -> u64 {
        self.sum(Column::method(method))
    }

    /// Returns the time in a congestion state, in milliseconds.
    #[must_use]
    pub fn state_ms(&self, direction: Direction, state: CongestionState) -> u64 {
        self.sum(DirectionColumn::state(direction, state))
    }

    /// Returns the time for which a direction's congestion state is known, in milliseconds. Shares of
    /// states are shares of this.
    #[must_use]
    pub fn measured_ms(&self, direction: Direction) -> u64 {
        CongestionState::MEASURED.iter().map(|state| self.state_ms(direction, *state)).sum()
    }

    /// Returns whether any of the cycles shaped the direction.
    #[must_use]
    pub fn is_shaped(&self, direction: Direction) -> bool {
        self.values[DirectionColumn::DesiredMin.of(direction)].is_some()
    }

    /// Returns the share (0 to 1) of a direction's time in which its congestion state is unknown;
    /// 0 if there is no time at all.
    #[must_use]
    pub fn unknown_share(&self, direction: Direction) -> f64 {
        let unknown = self.state_ms(direction, CongestionState::Unknown);
        unknown as f64 / (unknown + self.measured_ms(direction)).max(1) as f64
    }

    /// Returns lowest, mean and highest delay, or `None` if none was measured. The mean is rounded.
    #[must_use]
    pub fn delay(&self, kind: DelayKind) -> Option<DelayStats> {
        let [count, sum, min, max] = Column::delay(kind).map(|column| self.values[column]);
        let count = count.filter(|&count| count > 0)?;
        Some(DelayStats {
            cycles: count.unsigned_abs(),
            min: Delay::from_micros(min?),
            mean: Delay::from_micros(sum?.div_euclid(count)),
            max: Delay::from_micros(max?),
        })
    }

    /// Returns the delay that a share of `quantile` (0 to 1) of the cycles does not exceed, right
    /// to 3.2 % or 64 µs and never outside of what was measured; `None` if nothing was.
    #[must_use]
    pub fn quantile(&self, kind: DelayKind, quantile: f64) -> Option<Delay> {
        let stats = self.delay(kind)?;
        let micros = self.histograms[kind as usize].quantile(quantile)?;
        Some(Delay::from_micros(micros).clamp(stats.min, stats.max))
    }

    /// Returns how many cycles had a delay of more than `limit`, right to the width of the
    /// histogram's bucket.
    #[must_use]
    pub fn above(&self, kind: DelayKind, limit: Delay) -> u64 {
        self.histograms[kind as usize].above(limit.micros())
    }

    /// Returns the sum of all delays above zero; of cycles below it zero is taken, as the metric
    /// `rtt_inflation_seconds` does. Right to 3.2 %.
    #[must_use]
    pub fn positive_sum(&self, kind: DelayKind) -> Delay {
        Delay::from_micros(self.histograms[kind as usize].positive_sum())
    }

    /// Returns lowest, mean (over time) and highest rate, or `None` if it was never known.
    #[must_use]
    pub fn rate(&self, direction: Direction, kind: RateKind) -> Option<RateStats> {
        let [time, sum, min, max] =
            DirectionColumn::rate(direction, kind).map(|column| self.values[column]);
        let mean = sum?.checked_div(time?)?;
        let rate = |kbps: i64| BitRate::from_bps(u64::try_from(kbps).unwrap_or(0) * 1000);
        Some(RateStats { min: rate(min?), mean: rate(mean), max: rate(max?) })
    }

    /// Returns the values in the order of the tables' columns from `cycles` on.
    pub(super) fn to_sql(&self) -> impl Iterator<Item = Value> {
        let int = |value: Option<i64>| value.map_or(Value::Null, Value::Integer);
        let percentiles =
            DERIVED.map(|(_, kind, quantile)| self.quantile(kind, quantile).map(Delay::micros));
        let histograms = self.histograms.each_ref().map(|counts| Value::Blob(counts.encode()));
        self.values.map(int).into_iter().chain(percentiles.map(int)).chain(histograms)
    }

    /// Reads the columns of [`Self::to_sql`] but the percentiles, from the one numbered `first` on.
    pub(super) fn from_sql(row: &Row<'_>, first: usize) -> rusqlite::Result<Self> {
        let mut values = [None; VALUES];
        for (column, value) in values.iter_mut().enumerate() {
            *value = row.get(first + column)?;
        }
        let mut histograms: [Histogram; 2] = Default::default();
        for (place, counts) in histograms.iter_mut().enumerate() {
            let stored = row.get_ref(first + VALUES + place)?;
            *counts = Histogram::decode(stored.as_blob().unwrap_or_default());
        }
        Ok(Self { values, histograms })
    }
}

fn merged(merge: Merge, one: Option<i64>, other: Option<i64>) -> Option<i64> {
    let (Some(a), Some(b)) = (one, other) else { return one.or(other) };
    Some(match merge {
        Merge::Sum => a.saturating_add(b),
        Merge::Min => a.min(b),
        Merge::Max => a.max(b),
    })
}

#[cfg(test)]
mod tests;
