use wanctl_core::{QueueReading, ReflectorId, units::Delay};

use super::*;

const REFLECTORS: u64 = 5;

struct Bench {
    law: MedianVote,
    now: MonoTime,
    bytes: PerDirection<u64>,
    sequence: u64,
}

impl Bench {
    /// A law that has seen the empty link and has just decided; base 80 Mbit/s, ceiling 200.
    fn new() -> Self {
        let limits = Limits { floor: mbps(5.0), base: mbps(80.0), ceiling: mbps(200.0) };
        let law = MedianVote::new(PerDirection::build(|_| limits), 7);
        let mut bench =
            Self { law, now: MonoTime::ZERO, bytes: PerDirection::default(), sequence: 0 };
        bench.run(Duration::from_millis(1100), 0.0, [0.0; 5]);
        bench
    }

    fn at(rate: f64) -> Self {
        let mut bench = Self::new();
        bench.law.channels.download.rate = mbps(rate);
        bench
    }

    /// Every 100 ms each reflector answers with its one-way delay over the empty path in ms, and
    /// `share` of the shaper rate flows.
    fn run(&mut self, span: Duration, share: f64, deltas: [f64; 5]) -> f64 {
        let until = self.now + span;
        while self.now < until {
            self.now = self.now + Duration::from_millis(100);
            let rates = self.law.decide(self.now);
            for (reflector, delta) in (0..).zip(deltas) {
                self.sequence += 1;
                self.law.on_rtt(&RttSample {
                    reflector: ReflectorId(reflector),
                    sequence: self.sequence,
                    at: self.now,
                    outcome: ProbeOutcome::Reply(Delay::from_millis_f64(40.0 + 2.0 * delta)),
                    one_way: None,
                });
            }
            self.count(rates, share);
        }
        self.rate()
    }

    fn count(&mut self, rates: PerDirection<BitRate>, share: f64) {
        for direction in Direction::ALL {
            let flows = rates[direction].scaled(share);
            self.bytes[direction] += flows.bytes_in(Duration::from_millis(100));
        }
        let queues = PerDirection::build(|direction| {
            Some(QueueReading { bytes: self.bytes[direction], ..QueueReading::default() })
        });
        self.sequence += REFLECTORS;
        self.law.on_shaper(&ShaperSample { sequence: self.sequence, at: self.now, queues });
    }

    fn rate(&mut self) -> f64 {
        self.law.decide(self.now).download.mbps()
    }
}

fn mbps(rate: f64) -> BitRate {
    BitRate::from_mbps(rate)
}

#[test]
fn the_averages_keep_as_much_of_a_half_second_as_is_published() {
    let keep = |half_life: f64| 0.5_f64.powf(0.5 / half_life);
    assert!((keep(SLOW_HALF_LIFE) - 0.99744).abs() < 1e-5);
    assert!((keep(FAST_HALF_LIFE) - 0.420).abs() < 1e-3);
}

#[test]
fn it_starts_at_60_per_cent_of_the_base_and_stays_there_without_demand() {
    let mut bench = Bench::new();
    assert!((bench.run(Duration::from_mins(1), 0.5, [0.0; 5]) - 48.0).abs() < 1e-9);
}

#[test]
fn a_full_shaper_climbs_from_20_to_76_in_seven_and_a_half_seconds_and_beyond_the_base() {
    let mut bench = Bench::at(20.0);
    let start = bench.now;
    while bench.run(Duration::from_millis(100), 1.0, [0.0; 5]) < 76.0 {}
    let seconds = bench.now.since(start).as_secs_f64();
    assert!((7.0..=8.0).contains(&seconds), "{seconds}");
    let beyond = bench.run(Duration::from_mins(2), 1.0, [0.0; 5]);
    assert!((beyond - 200.0).abs() < 1e-9, "only the ceiling bounds it: {beyond}");
}

#[test]
fn one_step_of_a_raise_is_what_the_formula_says() {
    let mut bench = Bench::at(40.0);
    let best = bench.law.channels.download.safe.best().mbps();
    assert!((74.0..=76.0).contains(&best), "{best}");
    let rate = bench.run(PERIOD, 1.0, [0.0; 5]);
    let expected = 40.0 * (1.0 + 0.1 * (1.0 - 40.0 / best)) + 2.4;
    assert!((rate - expected).abs() < 0.01, "{rate} and {expected}");
}

#[test]
fn a_queue_cuts_in_one_step_to_nine_tenths_of_the_delivery_rate() {
    let mut bench = Bench::at(60.0);
    bench.run(PERIOD * 2, 0.3, [100.0; 5]);
    // 0.9 × 0.3 of the rate, twice, but not below 20 % of the base.
    assert!((bench.rate() - 16.0).abs() < 0.3, "{}", bench.rate());
    let mut bench = Bench::at(150.0);
    bench.run(PERIOD, 1.0, [100.0; 5]);
    // The delivery rate is high, so the random safe rate is the smaller.
    assert!((60.0..=76.0).contains(&bench.rate()), "{}", bench.rate());
}

#[test]
fn the_third_smallest_delay_counts() {
    let stays = |deltas: [f64; 5]| (Bench::at(60.0).run(PERIOD, 0.5, deltas) - 60.0).abs() < 1e-9;
    assert!(stays([0.0, 0.0, 0.0, 300.0, 300.0]), "two bad ones are outvoted");
    assert!(!stays([0.0, 0.0, 300.0, 300.0, 300.0]), "three are not");
}

#[test]
fn a_delay_that_is_not_ours_falls_to_the_minimum() {
    let mut bench = Bench::new();
    assert!((bench.run(PERIOD * 2, 0.01, [100.0; 5]) - 16.0).abs() < 1e-9);
}

#[test]
fn no_answer_at_all_falls_to_the_minimum() {
    let mut bench = Bench::new();
    for _ in 0..20 {
        bench.now = bench.now + Duration::from_millis(100);
        let rates = bench.law.decide(bench.now);
        bench.count(rates, 1.0);
    }
    assert!((bench.rate() - 16.0).abs() < 1e-9);
}

#[test]
fn equal_seeds_draw_alike() {
    let drawn = |seed| {
        let limits = Limits { floor: mbps(1.0), base: mbps(80.0), ceiling: mbps(200.0) };
        let mut law = MedianVote::new(PerDirection::build(|_| limits), seed);
        (0..9).map(|_| law.channels.download.safe.draw()).collect::<Vec<_>>()
    };
    assert_eq!(drawn(1), drawn(1));
    assert_ne!(drawn(1), drawn(2));
}
