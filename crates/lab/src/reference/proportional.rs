//! The load-gated proportional law: what shapers on home routers run most, and what replaced the
//! predecessor's own law there.
//!
//! Each reply is a decision. The delay of a path is half its round trip, for both directions alike,
//! over a baseline that rises very slowly and falls at once. In this order, for each direction:
//! 1. half of the last six replies were late: cut by the mean delay, then wait;
//! 2. the shaper is full: raise by how little delay there is, once for each new byte count;
//! 3. otherwise: a per cent a second towards the base rate.
//!
//! It starts, as published, at the base rates, and sleeps while nothing flows. Nothing moves while
//! no reply comes, unless it is told to go to its floors.

mod delays;
mod params;

use std::time::Duration;

pub use params::ProportionalParams;

use wanctl_core::{
    Actuation, Direction, Limits, PerDirection, ProbeOutcome, QueueReading, RttSample,
    ShaperSample,
    units::{BitRate, Delay, MonoTime},
};

use self::delays::Delays;
use super::delivery_rate::DeliveryRate;
use crate::controller::Controller;

/// Rest after a cut before the next cut or a raise.
const BLOAT_REST: Duration = Duration::from_millis(300);
/// Rest after any change before a step towards the base rate.
const DECAY_REST: Duration = Duration::from_secs(1);
/// Time over which the achieved rate is measured.
const DELIVERY_PERIOD: Duration = Duration::from_millis(200);
/// The same in times of the longest packet, on a link so slow that this is longer.
const DELIVERY_PACKETS: u32 = 10;
/// Share of the shaper rate from which the load is high.
const HIGH_LOAD: f64 = 0.75;
/// Traffic up to which a direction is idle.
const ACTIVE: BitRate = BitRate::from_bps(2_000_000);
/// Sleeps after both directions were idle for this long.
const SLEEP_AFTER: Duration = Duration::from_mins(1);
/// The longest packet on the wire.
const LONGEST_PACKET_BITS: u32 = 1500 * 8;
/// Traffic up to which a direction counts as stalled if no reply comes.
const STALLED: BitRate = BitRate::from_bps(10_000);
/// Silence of all reflectors after which a stalled link may be sent to its floors.
const SILENCE: Duration = Duration::from_secs(10);
/// The unit of its rates.
const KILOBIT: u64 = 1000;

/// The load-gated proportional law.
#[derive(Debug, Clone)]
pub struct Proportional {
    params: ProportionalParams,
    channels: PerDirection<Channel>,
    delays: Delays,
    last_reply: MonoTime,
    /// Since when both directions have been idle.
    idle_since: Option<MonoTime>,
}

#[derive(Debug, Clone)]
struct Channel {
    limits: Limits,
    rate: BitRate,
    meter: DeliveryRate,
    achieved: BitRate,
    is_load_high: bool,
    /// The achieved rate is news that no raise has been made on.
    is_delivery_fresh: bool,
    last_cut: Option<MonoTime>,
    /// The last cut, raise or step towards the base rate.
    last_change: Option<MonoTime>,
}

impl Proportional {
    /// Starts at the base rates.
    #[must_use]
    pub fn new(limits: PerDirection<Limits>, params: ProportionalParams) -> Self {
        let channel = |direction: Direction| Channel {
            limits: limits[direction],
            rate: limits[direction].base,
            meter: DeliveryRate::default(),
            achieved: BitRate::ZERO,
            is_load_high: false,
            is_delivery_fresh: false,
            last_cut: None,
            last_change: None,
        };
        Self {
            params,
            channels: PerDirection::build(channel),
            delays: Delays::default(),
            last_reply: MonoTime::ZERO,
            idle_since: None,
        }
    }

    fn is_asleep(&self, now: MonoTime) -> bool {
        self.idle_since.is_some_and(|since| now.since(since) >= SLEEP_AFTER)
    }

    fn is_stalled(&self, now: MonoTime) -> bool {
        let flows = self.channels.each().iter().all(|(_, channel)| channel.achieved > STALLED);
        !flows && now.since(self.last_reply) >= SILENCE
    }
}

impl Controller for Proportional {
    fn on_rtt(&mut self, sample: &RttSample) {
        let ProbeOutcome::Reply(rtt) = sample.outcome else { return };
        if self.is_asleep(sample.at) {
            return;
        }
        self.last_reply = sample.at;
        let thresholds = PerDirection::build(|direction| {
            self.params.delay_threshold + self.channels[direction].longest_packet()
        });
        self.delays.update(sample.reflector, rtt.scaled(0.5), thresholds);
        let mean = self.delays.mean();
        for direction in Direction::ALL {
            let is_bloated = self.delays.is_bloated(direction);
            self.channels[direction].decide(sample.at, &self.params, is_bloated, mean);
        }
    }

    fn on_shaper(&mut self, sample: &ShaperSample) {
        let packets = self.channels.each().map(|(_, channel)| channel.longest_packet().micros());
        let packets = u64::try_from(packets.iter().sum::<i64>()).unwrap_or(0);
        let period = DELIVERY_PERIOD.max(Duration::from_micros(packets) * DELIVERY_PACKETS);
        for direction in Direction::ALL {
            let Some(QueueReading { bytes, .. }) = sample.queues[direction] else { continue };
            self.channels[direction].on_bytes(sample.at, bytes, period);
        }
        let is_idle = self.channels.each().iter().all(|(_, channel)| channel.achieved <= ACTIVE);
        self.idle_since = if is_idle { self.idle_since.or(Some(sample.at)) } else { None };
    }

    fn on_actuation(&mut self, _actuation: PerDirection<Actuation>) {}

    fn decide(&mut self, now: MonoTime) -> PerDirection<BitRate> {
        if self.params.floor_on_silence && self.is_stalled(now) && !self.is_asleep(now) {
            for direction in Direction::ALL {
                let channel = &mut self.channels[direction];
                channel.rate = channel.limits.floor;
            }
        }
        PerDirection::build(|direction| self.channels[direction].rate)
    }
}

impl Channel {
    /// How long the longest packet takes at the current rate: on a slow link that is no queue.
    fn longest_packet(&self) -> Delay {
        let bits_per_second = self.rate.bps().max(1) as f64;
        Delay::from_millis_f64(f64::from(LONGEST_PACKET_BITS) * 1e3 / bits_per_second)
    }

    fn on_bytes(&mut self, at: MonoTime, bytes: u64, period: Duration) {
        if let Some(achieved) = self.meter.update(at, bytes, period) {
            self.achieved = achieved;
            self.is_load_high = achieved.fraction_of(self.rate).is_some_and(|u| u > HIGH_LOAD);
            self.is_delivery_fresh = true;
        }
    }

    fn decide(
        &mut self,
        now: MonoTime,
        params: &ProportionalParams,
        is_bloated: bool,
        mean: Delay,
    ) {
        // The published law waits for more than the time; on a clock of whole cycles that would
        // be a cycle too long.
        let rested = |last: Option<MonoTime>, rest| last.is_none_or(|last| now.since(last) >= rest);
        let mean = mean - self.longest_packet();
        let factor = if is_bloated {
            if !rested(self.last_cut, BLOAT_REST) {
                return;
            }
            self.last_cut = Some(now);
            params.cut(mean)
        } else if self.is_load_high {
            if !self.is_delivery_fresh || !rested(self.last_cut, BLOAT_REST) {
                return;
            }
            self.is_delivery_fresh = false;
            params.raise(mean)
        } else {
            if !rested(self.last_change, DECAY_REST) {
                return;
            }
            self.last_change = Some(now);
            self.rate = towards(self.rate, self.limits.base, params);
            return;
        };
        self.last_change = Some(now);
        let rate = whole_kilobits(self.rate.scaled(factor));
        self.rate = rate.max(self.limits.floor).min(self.limits.ceiling);
    }
}

/// One step towards the base rate, never past it.
fn towards(rate: BitRate, base: BitRate, params: &ProportionalParams) -> BitRate {
    if rate > base {
        whole_kilobits(rate.scaled(params.decay)).max(base)
    } else {
        whole_kilobits(rate.scaled(params.recovery)).min(base)
    }
}

fn whole_kilobits(rate: BitRate) -> BitRate {
    BitRate::from_bps(rate.bps() / KILOBIT * KILOBIT)
}

#[cfg(test)]
mod tests;
