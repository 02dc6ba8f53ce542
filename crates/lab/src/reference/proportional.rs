//! The load-gated proportional law, the most common one on consumer routers.
//!
//! Each reply is a decision. The delay of a path is half its round trip, for both directions alike,
//! over a baseline that rises very slowly and falls at once. In this order, for each direction:
//! 1. half of the last six replies were late: cut by the mean delay, then wait;
//! 2. the shaper is full: raise by how little delay there is, once for each new byte count;
//! 3. otherwise: a per cent a second towards the base rate.
//!
//! It starts at the base rates and sleeps without traffic. Nothing changes without replies, unless
//! `floor_on_silence` is set.

use std::{collections::VecDeque, time::Duration};

use wanctl_core::{
    Direction, Limits, PerDirection, ProbeOutcome, QueueReading, ReflectorId, RttSample,
    ShaperSample,
    units::{BitRate, Delay, MonoTime},
};

use super::DeliveryRate;
use crate::controller::Controller;

/// Pause after a cut before the next cut or a raise.
const CUT_PAUSE: Duration = Duration::from_millis(300);
/// Pause after any change before a step towards the base rate.
const DECAY_PAUSE: Duration = Duration::from_secs(1);
/// Time over which the delivery rate is measured.
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
/// Time without any reply after which a stalled link may go to its floors.
const SILENCE: Duration = Duration::from_secs(10);
/// The unit of its rates.
const KILOBIT: u64 = 1000;

/// The load-gated proportional law.
#[derive(Debug, Clone)]
pub(crate) struct Proportional {
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
    delivery: BitRate,
    is_load_high: bool,
    /// Whether no raise has used the delivery rate yet.
    is_delivery_fresh: bool,
    last_cut: Option<MonoTime>,
    /// The last cut, raise or step towards the base rate.
    last_change: Option<MonoTime>,
}

impl Proportional {
    pub(crate) fn new(limits: PerDirection<Limits>, params: ProportionalParams) -> Self {
        let channel = |direction: Direction| Channel {
            limits: limits[direction],
            rate: limits[direction].base,
            meter: DeliveryRate::default(),
            delivery: BitRate::ZERO,
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
        let flows = self.channels.each().iter().all(|(_, channel)| channel.delivery > STALLED);
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
            let is_delayed = self.delays.is_delayed(direction);
            self.channels[direction].decide(sample.at, &self.params, is_delayed, mean);
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
        let is_idle = self.channels.each().iter().all(|(_, channel)| channel.delivery <= ACTIVE);
        self.idle_since = if is_idle { self.idle_since.or(Some(sample.at)) } else { None };
    }

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
        if let Some(delivery) = self.meter.update(at, bytes, period) {
            self.delivery = delivery;
            self.is_load_high = delivery.fraction_of(self.rate).is_some_and(|u| u > HIGH_LOAD);
            self.is_delivery_fresh = true;
        }
    }

    fn decide(
        &mut self,
        now: MonoTime,
        params: &ProportionalParams,
        is_delayed: bool,
        mean: Delay,
    ) {
        // The published law waits for more than the time; on a clock of whole cycles that would
        // be a cycle too long.
        let rested = |last: Option<MonoTime>, rest| last.is_none_or(|last| now.since(last) >= rest);
        let mean = mean - self.longest_packet();
        let factor = if is_delayed {
            if !rested(self.last_cut, CUT_PAUSE) {
                return;
            }
            self.last_cut = Some(now);
            params.cut(mean)
        } else if self.is_load_high {
            if !self.is_delivery_fresh || !rested(self.last_cut, CUT_PAUSE) {
                return;
            }
            self.is_delivery_fresh = false;
            params.raise(mean)
        } else {
            if !rested(self.last_change, DECAY_PAUSE) {
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

/// Initial baseline in ms: high, because a baseline falls at once and rises for minutes.
const FIRST_BASELINE_MS: f64 = 100.0;
/// Weight of a reply at or above the baseline.
const RISE: f64 = 0.001;
/// Weight of a reply below it.
const FALL: f64 = 0.9;
/// Replies that count.
const WINDOW: usize = 6;
/// How many of them must be late to count as a queue.
const LATE: usize = 3;

/// Baselines, and the last replies of whichever reflector.
#[derive(Debug, Clone)]
struct Delays {
    /// By the reflector's number, in ms: whole microseconds would lose the smallest rises.
    baselines: Vec<f64>,
    /// Each reply's delay over its baseline in ms, and for which direction that was late.
    window: VecDeque<(f64, PerDirection<bool>)>,
}

impl Default for Delays {
    fn default() -> Self {
        let nothing = (0.0, PerDirection::default());
        Self { baselines: Vec::new(), window: VecDeque::from([nothing; WINDOW]) }
    }
}

impl Delays {
    /// Takes the one-way delay of a reply into account; the baseline moves first.
    fn update(&mut self, reflector: ReflectorId, delay: Delay, thresholds: PerDirection<Delay>) {
        let place = usize::from(reflector.0);
        if self.baselines.len() <= place {
            self.baselines.resize(place + 1, FIRST_BASELINE_MS);
        }
        let baseline = &mut self.baselines[place];
        let weight = if delay.millis() >= *baseline { RISE } else { FALL };
        *baseline += (delay.millis() - *baseline) * weight;
        let delta = delay.millis() - *baseline;
        let late = PerDirection::build(|direction| delta > thresholds[direction].millis());
        self.window.pop_front();
        self.window.push_back((delta, late));
    }

    /// Returns whether enough of the last replies were late for `direction`.
    fn is_delayed(&self, direction: Direction) -> bool {
        self.window.iter().filter(|(_, late)| late[direction]).count() >= LATE
    }

    fn mean(&self) -> Delay {
        let sum: f64 = self.window.iter().map(|(delta, _)| delta).sum();
        Delay::from_millis_f64(sum / WINDOW as f64)
    }
}

/// The settings of the proportional law. Delays are one-way, which is half of what a ping shows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct ProportionalParams {
    /// Delay over the baseline above which a reply is late, and above which cuts grow.
    pub(crate) delay_threshold: Delay,
    /// Mean delay up to which raises are full; they shrink to the least at the threshold.
    pub(crate) raise_full_below: Delay,
    /// Mean delay from which cuts are as hard as they get.
    pub(crate) cut_full_above: Delay,
    /// What the mildest cut keeps, 0 to 1.
    pub(crate) mildest_cut: f64,
    /// What the hardest cut keeps, 0 to 1.
    pub(crate) hardest_cut: f64,
    /// What the least raise makes of a rate, 1 or more.
    pub(crate) least_raise: f64,
    /// What a full raise makes of a rate, 1 or more.
    pub(crate) most_raise: f64,
    /// What a second without demand leaves of a rate above the base rate.
    pub(crate) decay: f64,
    /// What a second without demand makes of a rate below the base rate.
    pub(crate) recovery: f64,
    /// Go to the floors when no reply and next to no traffic came for 10 s.
    pub(crate) floor_on_silence: bool,
}

impl Default for ProportionalParams {
    /// The published defaults.
    fn default() -> Self {
        Self {
            delay_threshold: millis(30),
            raise_full_below: millis(10),
            cut_full_above: millis(60),
            mildest_cut: 0.99,
            hardest_cut: 0.75,
            least_raise: 1.0,
            most_raise: 1.04,
            decay: 0.99,
            recovery: 1.01,
            floor_on_silence: false,
        }
    }
}

impl ProportionalParams {
    /// The best of 39 settings that were tried on all scenarios of the suite, the published ones,
    /// two from production and a grid of thresholds, cuts and raises among them: 5 ms of threshold, a
    /// milder hardest cut and raises twice as full have half the delay at the same use.
    pub(crate) fn tuned() -> Self {
        Self {
            delay_threshold: millis(5),
            raise_full_below: millis(5).scaled(1.0 / 3.0),
            cut_full_above: millis(10),
            hardest_cut: 0.85,
            most_raise: 1.08,
            ..Self::default()
        }
    }

    fn cut(&self, mean: Delay) -> f64 {
        let depth = share(mean - self.delay_threshold, self.cut_full_above - self.delay_threshold);
        self.mildest_cut - depth * (self.mildest_cut - self.hardest_cut)
    }

    fn raise(&self, mean: Delay) -> f64 {
        let ease = share(self.delay_threshold - mean, self.delay_threshold - self.raise_full_below);
        self.least_raise + ease * (self.most_raise - self.least_raise)
    }
}

fn share(part: Delay, whole: Delay) -> f64 {
    (part.millis() / whole.millis().max(0.001)).clamp(0.0, 1.0)
}

const fn millis(millis: i64) -> Delay {
    Delay::from_micros(millis * 1000)
}

#[cfg(test)]
mod tests;
