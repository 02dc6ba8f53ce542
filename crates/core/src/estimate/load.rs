//! How much traffic a direction carries, from the shaper's byte counters.

use std::time::Duration;

use crate::units::{BitRate, Delay, MonoTime};
use crate::{QueueReading, params::LoadParams};

/// How busy a direction is, relative to its shaper rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LoadClass {
    /// The router gave no counters lately.
    Unknown,
    /// Less than a tenth of the shaper rate.
    Idle,
    /// Between idle and high.
    Low,
    /// More than three quarters of the shaper rate: the shaper is what limits the traffic.
    High,
}

impl LoadClass {
    /// Returns the name used in the status and in the history.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Idle => "idle",
            Self::Low => "low",
            Self::High => "high",
        }
    }
}

/// The traffic of one direction, as known now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Load {
    /// How busy the direction is.
    pub class: LoadClass,
    /// The delivery rate, smoothed over about 0.2 s; `None` without fresh counters.
    pub delivery_rate: Option<BitRate>,
    /// The delivery rate between the last two readings.
    pub newest_delivery_rate: Option<BitRate>,
    /// Delivery rate over shaper rate (0 to about 1), highest of the last seconds.
    pub recent_peak: Option<f64>,
}

/// Turns cumulative counters into a load.
#[derive(Debug, Clone, Default)]
pub(crate) struct LoadMeter {
    params: LoadParams,
    last: Option<(MonoTime, u64)>,
    delivery_rate: Option<f64>,
    newest_delivery_rate: Option<BitRate>,
    peak: f64,
}

impl LoadMeter {
    pub(crate) fn new(params: LoadParams) -> Self {
        Self { params, ..Self::default() }
    }

    /// Takes a new reading into account. `rate` is the shaper rate that was in force.
    pub(crate) fn update(&mut self, at: MonoTime, queue: &QueueReading, rate: BitRate) {
        let Some((before, bytes)) = self.last.replace((at, queue.bytes)) else { return };
        let moved = queue.bytes.saturating_sub(bytes);
        let dt = at.since(before);
        let Some(flowed) = BitRate::of_transfer(moved, dt) else { return };
        self.newest_delivery_rate = Some(flowed);
        let flowed = flowed.bps() as f64;
        let delivery_rate = match self.delivery_rate {
            Some(old) if dt < self.params.stale => {
                old + (flowed - old) * weight(dt, self.params.rate_tau)
            }
            Some(_) | None => flowed,
        };
        self.delivery_rate = Some(delivery_rate);
        if rate > BitRate::ZERO {
            let utilisation = delivery_rate / rate.bps() as f64;
            let faded = self.peak * (1.0 - weight(dt, self.params.peak_tau));
            self.peak = utilisation.max(faded);
        }
    }

    /// Returns the delivery rate as a share of `rate`, lately or between the last two readings, whichever
    /// is more; `None` before there are two.
    pub(crate) fn filled(&self, rate: BitRate) -> Option<f64> {
        let newest_delivery_rate = self.newest_delivery_rate?.fraction_of(rate)?;
        Some(newest_delivery_rate.max(self.peak))
    }

    /// Returns the load as known at `now` against the shaper rate `rate`.
    pub(crate) fn load(&self, now: MonoTime, rate: BitRate) -> Load {
        let fresh = self.last.is_some_and(|(at, _)| now.since(at) < self.params.stale);
        let Some(delivery_rate) = self.delivery_rate.filter(|_| fresh) else {
            return Load {
                class: LoadClass::Unknown,
                delivery_rate: None,
                newest_delivery_rate: None,
                recent_peak: None,
            };
        };
        let delivery_rate = BitRate::ZERO.max(BitRate::from_bps(1).scaled(delivery_rate));
        let class = match delivery_rate.fraction_of(rate) {
            None => LoadClass::Unknown,
            Some(u) if u > self.params.high => LoadClass::High,
            Some(u) if u < self.params.idle => LoadClass::Idle,
            Some(_) => LoadClass::Low,
        };
        Load {
            class,
            delivery_rate: Some(delivery_rate),
            newest_delivery_rate: self.newest_delivery_rate,
            recent_peak: Some(self.peak),
        }
    }
}

/// Weight of a new sample in an exponential average that is `dt` after the one before.
fn weight(dt: Duration, tau: Duration) -> f64 {
    1.0 - (-dt.as_secs_f64() / tau.as_secs_f64()).exp()
}

/// The time that one full packet takes through a shaper at `rate`: CAKE lets a sparse packet go
/// first, but does not interrupt the one in progress.
pub(crate) fn serialisation(rate: BitRate) -> Delay {
    const PACKET_BITS: f64 = 1514.0 * 8.0;
    Delay::from_millis_f64(PACKET_BITS * 1000.0 / (rate.bps().max(64_000) as f64))
}

/// Returns for each direction whether its traffic can be the cause of a rising delay.
///
/// A queue can be attributed to a direction when it was busy lately and not much less busy than the other: the
/// acknowledgements of a saturated download never make the upload a source. Without counters
/// nothing is known, and both are possible. Where the other direction is not shaped
/// (`None`), a queue is attributed to a direction only when it was nearly full itself: less may be no more than
/// the acknowledgements of traffic that is not seen.
pub(crate) fn is_busy_for_attribution(
    own: &Load,
    other: Option<&Load>,
    params: &LoadParams,
) -> bool {
    match (own.recent_peak, other.map(|other| other.recent_peak)) {
        (Some(own), None) => own > params.high,
        (Some(own), Some(Some(other))) => {
            own > params.high || (own >= params.idle && own >= other / 2.0)
        }
        (None, _) | (_, Some(None)) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_possible_source(own: &Load, other: Option<&Load>) -> bool {
        is_busy_for_attribution(own, other, &LoadParams::default())
    }

    fn reading(bytes: u64) -> QueueReading {
        QueueReading { bytes, ..QueueReading::default() }
    }

    fn meter_at(mbps: f64, shaper: f64) -> Load {
        let mut meter = LoadMeter::default();
        let rate = BitRate::from_mbps(shaper);
        let step = BitRate::from_mbps(mbps).bytes_in(Duration::from_millis(100));
        let mut now = MonoTime::ZERO;
        for n in 0..50 {
            now = MonoTime::from_millis(100 * n);
            meter.update(now, &reading(step * n), rate);
        }
        meter.load(now, rate)
    }

    #[test]
    fn classes_follow_utilisation() {
        for (mbps, class) in [
            (0.0, LoadClass::Idle),
            (4.0, LoadClass::Idle),
            (30.0, LoadClass::Low),
            (40.0, LoadClass::High),
        ] {
            assert_eq!(meter_at(mbps, 50.0).class, class, "{mbps} of 50");
        }
    }

    #[test]
    fn old_counters_are_unknown_not_idle() {
        let mut meter = LoadMeter::default();
        let rate = BitRate::from_mbps(50.0);
        meter.update(MonoTime::from_millis(0), &reading(0), rate);
        meter.update(MonoTime::from_millis(100), &reading(0), rate);
        assert_eq!(meter.load(MonoTime::from_millis(200), rate).class, LoadClass::Idle);
        assert_eq!(meter.load(MonoTime::from_millis(2200), rate).class, LoadClass::Unknown);
    }

    #[test]
    fn acknowledgements_of_a_download_do_not_make_the_upload_a_source() {
        let (busy, acks, quiet) = (meter_at(49.0, 50.0), meter_at(2.4, 20.0), meter_at(0.5, 50.0));
        assert!(is_possible_source(&busy, Some(&acks)));
        assert!(!is_possible_source(&acks, Some(&busy)));
        assert!(!is_possible_source(&quiet, Some(&quiet)));
        assert!(is_possible_source(&acks, Some(&quiet)));
        assert!(is_possible_source(&busy, None));
        assert!(
            !is_possible_source(&acks, None),
            "they may be those of a download that is not shaped"
        );
    }
}
