//! Quantities with a unit: no bare number crosses a module.
//!
//! Integers inside (bit/s, µs), so that equal inputs give equal outputs and the history stores
//! what the controller saw. Floats appear only at the borders, in conversions that name the unit.

use std::{
    fmt,
    ops::{Add, Neg, Sub},
    time::Duration,
};

use serde::{Deserialize, Serialize};

/// A duration as whole nanoseconds, for `#[serde(with = "nanos")]`; they last for 584 years.
pub mod nanos {
    use std::time::Duration;

    use serde::{Deserialize as _, Deserializer, Serializer};

    /// Writes the nanoseconds.
    pub fn serialize<S: Serializer>(span: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(u64::try_from(span.as_nanos()).unwrap_or(u64::MAX))
    }

    /// Reads nanoseconds.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_nanos)
    }
}

/// A data rate in bits per second.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct BitRate(u64);

impl BitRate {
    /// The rate of nothing at all; on a RouterOS queue it would mean "unlimited".
    pub const ZERO: Self = Self(0);

    /// Builds a rate from bits per second.
    #[must_use]
    pub const fn from_bps(bits_per_second: u64) -> Self {
        Self(bits_per_second)
    }

    /// Builds a rate from megabits (10⁶ bits) per second; negative and non-finite values give zero.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
    pub fn from_mbps(megabits_per_second: f64) -> Self {
        Self((megabits_per_second * 1e6).round() as u64)
    }

    /// Returns the mean rate of `bytes` carried within `span`, or `None` for an empty span.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
    pub fn of_transfer(bytes: u64, span: Duration) -> Option<Self> {
        let seconds = span.as_secs_f64();
        (seconds > 0.0).then(|| Self((bytes as f64 * 8.0 / seconds).round() as u64))
    }

    /// Returns the rate in bits per second.
    #[must_use]
    pub const fn bps(self) -> u64 {
        self.0
    }

    /// Returns the rate in megabits per second.
    #[must_use]
    pub fn mbps(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// Returns the rate in bytes per second, the base unit of the metrics.
    #[must_use]
    pub fn bytes_per_second(self) -> f64 {
        self.0 as f64 / 8.0
    }

    /// Returns the rate multiplied by `factor`, rounded to a whole bit per second.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
    pub fn scaled(self, factor: f64) -> Self {
        Self((self.0 as f64 * factor).round() as u64)
    }

    /// Returns this rate as a fraction of `whole`, or `None` if `whole` is zero.
    #[must_use]
    pub fn fraction_of(self, whole: Self) -> Option<f64> {
        (whole.0 > 0).then(|| self.0 as f64 / whole.0 as f64)
    }

    /// Returns how many whole bytes this rate carries within `span`.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` saturates")]
    pub fn bytes_in(self, span: Duration) -> u64 {
        (self.bytes_per_second() * span.as_secs_f64()) as u64
    }
}

impl fmt::Display for BitRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mbps = self.mbps();
        // Three significant digits: what a person compares, without a dance of decimals.
        let decimals = if mbps >= 100.0 {
            0
        } else {
            usize::from(mbps >= 10.0) + 2 * usize::from(mbps < 10.0)
        };
        write!(f, "{mbps:.decimals$} Mbit/s")
    }
}

/// A span of delay in microseconds; a difference of two delays may be negative.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct Delay(i64);

impl Delay {
    /// No delay.
    pub const ZERO: Self = Self(0);

    /// Builds a delay from microseconds.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Builds a delay from milliseconds, rounded to the microsecond; NaN gives zero.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "`as` saturates")]
    pub fn from_millis_f64(millis: f64) -> Self {
        Self((millis * 1e3).round() as i64)
    }

    /// Returns the delay in microseconds.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Returns the delay in milliseconds.
    #[must_use]
    pub fn millis(self) -> f64 {
        self.0 as f64 / 1e3
    }

    /// Returns the delay in seconds, the base unit of the metrics.
    #[must_use]
    pub fn seconds(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// Returns the magnitude of the delay.
    #[must_use]
    pub const fn abs(self) -> Self {
        Self(self.0.saturating_abs())
    }

    /// Returns the delay multiplied by `factor`, rounded to the microsecond.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "`as` saturates")]
    pub fn scaled(self, factor: f64) -> Self {
        Self((self.0 as f64 * factor).round() as i64)
    }
}

impl From<Duration> for Delay {
    fn from(span: Duration) -> Self {
        Self(i64::try_from(span.as_micros()).unwrap_or(i64::MAX))
    }
}

impl Add for Delay {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Sub for Delay {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl Neg for Delay {
    type Output = Self;
    fn neg(self) -> Self {
        Self(self.0.saturating_neg())
    }
}

impl fmt::Display for Delay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} ms", self.millis())
    }
}

/// A moment on the daemon's own monotonic clock: the time since it started.
///
/// Unlike `std::time::Instant` it can be written down, read back and made up, which is what a
/// replay, a simulation and a property test need.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
pub struct MonoTime(#[serde(with = "nanos")] Duration);

impl MonoTime {
    /// The start of the clock.
    pub const ZERO: Self = Self(Duration::ZERO);

    /// Builds the moment that lies `since_start` after the start of the clock.
    #[must_use]
    pub const fn from_start(since_start: Duration) -> Self {
        Self(since_start)
    }

    /// Builds the moment `millis` milliseconds after the start of the clock.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(Duration::from_millis(millis))
    }

    /// Returns the time since the start of the clock.
    #[must_use]
    pub const fn since_start(self) -> Duration {
        self.0
    }

    /// Returns how much later this moment is than `earlier`, or zero if it is not later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl Add<Duration> for MonoTime {
    type Output = Self;
    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(span))
    }
}

/// A moment of the wall clock, in microseconds since the Unix epoch, for records only.
///
/// Nothing is decided by it: the wall clock may step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Builds a timestamp from microseconds since the Unix epoch.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Returns the microseconds since the Unix epoch.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Returns the seconds since the Unix epoch, the base unit of the metrics.
    #[must_use]
    pub fn seconds(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// Returns the moment `span` after this one.
    #[must_use]
    pub fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(Delay::from(span).micros()))
    }

    /// Returns the moment `span` before this one.
    #[must_use]
    pub fn before(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(Delay::from(span).micros()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_shown_with_three_significant_digits() {
        for (bps, shown) in [
            (940_000_000, "940 Mbit/s"),
            (38_460_000, "38.5 Mbit/s"),
            (1_999_000, "2.00 Mbit/s"),
            (0, "0.00 Mbit/s"),
        ] {
            assert_eq!(BitRate::from_bps(bps).to_string(), shown);
        }
    }

    #[test]
    fn conversions_saturate_instead_of_wrapping() {
        assert_eq!(BitRate::from_mbps(-3.0), BitRate::ZERO);
        assert_eq!(BitRate::from_mbps(f64::NAN), BitRate::ZERO);
        assert_eq!(BitRate::from_bps(10).scaled(f64::INFINITY).bps(), u64::MAX);
        assert_eq!(Delay::from(Duration::MAX).micros(), i64::MAX);
        assert_eq!(
            Delay::from_micros(i64::MAX) + Delay::from_micros(1),
            Delay::from_micros(i64::MAX)
        );
    }

    #[test]
    fn a_transfer_over_no_time_has_no_rate() {
        assert_eq!(BitRate::of_transfer(1000, Duration::ZERO), None);
        let rate = BitRate::of_transfer(1_250_000, Duration::from_millis(100));
        assert_eq!(rate, Some(BitRate::from_mbps(100.0)));
    }

    #[test]
    fn time_does_not_run_backwards() {
        let (early, late) = (MonoTime::from_millis(10), MonoTime::from_millis(35));
        assert_eq!(late.since(early), Duration::from_millis(25));
        assert_eq!(early.since(late), Duration::ZERO);
    }
}
