//! The median-vote law with throughput replay.
//!
//! Twice a second and for each direction: the delay is the third smallest of the reflectors' fast
//! averages over their slow ones. Little delay and a full shaper store the delivery rate as safe and
//! raise; much delay, loaded or not, selects a rate that was safe at some time. As published it has no upper
//! bound; here the ceiling of the limits bounds it.

use std::time::Duration;

use fastrand::Rng;
use wanctl_core::{
    Direction, Limits, PerDirection, ProbeOutcome, QueueReading, RttSample, ShaperSample,
    units::{BitRate, MonoTime},
};

use super::DeliveryRate;
use crate::controller::Controller;

/// Time between two decisions.
const PERIOD: Duration = Duration::from_millis(500);
/// Half-life of the average that stands for the path.
const SLOW_HALF_LIFE: f64 = 135.0;
/// Half-life of the average that stands for this moment.
const FAST_HALF_LIFE: f64 = 0.4;
/// After a gap this long a reflector's averages start anew.
const GAP: Duration = Duration::from_secs(30);
/// A reply this much above the slow average is no delay but a fault of the reflector.
const ABSURD_MS: f64 = 5000.0;
/// Age up to which a reflector has a vote.
const FRESH: Duration = Duration::from_secs(1);
/// The place of the delay that counts among the sorted ones, from zero.
const THIRD: usize = 2;
/// Delay up to which a rate may be raised and above which it is cut, in ms, one direction.
const DELAY_MS: f64 = 15.0;
/// Share of the shaper rate above which the delivery rate is safe.
const HIGH_LOAD: f64 = 0.8;
/// A cut keeps at most this share of the delivery rate.
const KEEP: f64 = 0.9;
/// The floor as a share of the base rate.
const MINIMUM: f64 = 0.2;
/// The first rate as a share of the base rate.
const START: f64 = 0.6;
/// A raise is this share of the base rate,
const RAISE_OF_BASE: f64 = 0.03;
/// and of the rate itself up to this share, by how far it is below the best safe rate.
const RAISE_OF_RATE: f64 = 0.1;

/// The median-vote law.
#[derive(Debug, Clone)]
pub(crate) struct MedianVote {
    channels: PerDirection<Channel>,
    /// By number; `None` for one that has not answered.
    reflectors: Vec<Option<Averages>>,
}

#[derive(Debug, Clone)]
struct Channel {
    limits: Limits,
    rate: BitRate,
    meter: DeliveryRate,
    safe: SafeRates,
}

/// The delay averages of one reflector in ms, per direction.
#[derive(Debug, Clone, Copy)]
struct Averages {
    at: MonoTime,
    slow: PerDirection<f64>,
    fast: PerDirection<f64>,
}

impl MedianVote {
    /// Starts at 60 % of the base rates; equal seeds draw alike.
    pub(crate) fn new(limits: PerDirection<Limits>, seed: u64) -> Self {
        let mut seeds = Rng::with_seed(seed);
        let channels = PerDirection::build(|direction| {
            let limits = limits[direction];
            Channel {
                limits,
                rate: limits.base.scaled(START),
                meter: DeliveryRate::default(),
                safe: SafeRates::new(limits.base, seeds.u64(..)),
            }
        });
        Self { channels, reflectors: Vec::new() }
    }

    /// The delay that counts: the third smallest, of fewer than three the largest.
    fn delay(&self, now: MonoTime, direction: Direction) -> Option<f64> {
        let fresh = self.reflectors.iter().flatten().filter(|r| now.since(r.at) < FRESH);
        let mut deltas: Vec<f64> = fresh.map(|r| r.fast[direction] - r.slow[direction]).collect();
        deltas.sort_by(f64::total_cmp);
        deltas.get(THIRD).or(deltas.last()).copied()
    }
}

impl Controller for MedianVote {
    fn on_rtt(&mut self, sample: &RttSample) {
        let ProbeOutcome::Reply(rtt) = sample.outcome else { return };
        let delays = PerDirection::build(|direction| {
            let one_way = sample.one_way.map(|one_way| one_way[direction].millis());
            one_way.unwrap_or(rtt.millis() / 2.0)
        });
        let place = usize::from(sample.reflector.0);
        if self.reflectors.len() <= place {
            self.reflectors.resize(place + 1, None);
        }
        let reflector = &mut self.reflectors[place];
        match reflector {
            Some(averages) if sample.at.since(averages.at) <= GAP => {
                averages.update(sample.at, delays);
            }
            Some(_) | None => {
                *reflector = Some(Averages { at: sample.at, slow: delays, fast: delays });
            }
        }
    }

    /// Its period is a count of bytes: a decision is due when there is a new one.
    fn on_shaper(&mut self, sample: &ShaperSample) {
        for direction in Direction::ALL {
            let delay = self.delay(sample.at, direction);
            let channel = &mut self.channels[direction];
            let Some(QueueReading { bytes, .. }) = sample.queues[direction] else { continue };
            if let Some(delivery) = channel.meter.update(sample.at, bytes, PERIOD) {
                channel.decide(delay, delivery);
            }
        }
    }

    fn decide(&mut self, _now: MonoTime) -> PerDirection<BitRate> {
        PerDirection::build(|direction| self.channels[direction].rate)
    }
}

impl Channel {
    fn decide(&mut self, delay: Option<f64>, delivery: BitRate) {
        let Limits { base, ceiling, .. } = self.limits;
        let minimum = base.scaled(MINIMUM);
        let is_full = delivery.fraction_of(self.rate).is_some_and(|load| load > HIGH_LOAD);
        let rate = match delay {
            None => minimum,
            Some(delay) if delay > DELAY_MS => delivery.scaled(KEEP).min(self.safe.draw()),
            Some(delay) if delay < DELAY_MS && is_full => {
                self.safe.store(delivery);
                let below_best = 1.0 - self.rate.fraction_of(self.safe.best()).unwrap_or(1.0);
                let grown = self.rate.scaled(1.0 + RAISE_OF_RATE * below_best.max(0.0));
                BitRate::from_bps(grown.bps().saturating_add(base.scaled(RAISE_OF_BASE).bps()))
            }
            Some(_) => self.rate,
        };
        self.rate = rate.max(minimum).min(ceiling);
    }
}

impl Averages {
    fn update(&mut self, at: MonoTime, delays: PerDirection<f64>) {
        let dt = at.since(self.at).as_secs_f64();
        let keep = |half_life: f64| 0.5_f64.powf(dt / half_life);
        let (keep_slow, keep_fast) = (keep(SLOW_HALF_LIFE), keep(FAST_HALF_LIFE));
        if delays
            .each()
            .iter()
            .any(|(direction, delay)| **delay > self.slow[*direction] + ABSURD_MS)
        {
            return;
        }
        self.at = at;
        for (direction, delay) in delays.each() {
            self.fast[direction] = self.fast[direction] * keep_fast + delay * (1.0 - keep_fast);
            let slow = self.slow[direction] * keep_slow + delay * (1.0 - keep_slow);
            self.slow[direction] = slow.min(self.fast[direction]);
        }
    }
}

/// Number of safe rates that are stored.
const REMEMBERED: usize = 100;
/// Range of the random first rates, as shares of the base rate.
const FIRST_LEAST: f64 = 0.75;
const FIRST_MOST: f64 = 0.95;

/// The last rates that were safe; drawn from at random when one is needed.
#[derive(Debug, Clone)]
struct SafeRates {
    rates: [BitRate; REMEMBERED],
    /// The oldest, which the next one replaces.
    next: usize,
    rng: Rng,
}

impl SafeRates {
    fn new(base: BitRate, seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let mut first = || base.scaled(FIRST_LEAST + (FIRST_MOST - FIRST_LEAST) * rng.f64());
        Self { rates: std::array::from_fn(|_| first()), next: 0, rng }
    }

    fn store(&mut self, rate: BitRate) {
        self.rates[self.next] = rate;
        self.next = (self.next + 1) % REMEMBERED;
    }

    fn draw(&mut self) -> BitRate {
        self.rates[self.rng.usize(..REMEMBERED)]
    }

    fn best(&self) -> BitRate {
        self.rates.iter().copied().max().unwrap_or(BitRate::ZERO)
    }
}

#[cfg(test)]
mod tests;
