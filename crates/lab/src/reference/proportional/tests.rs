use wanctl_core::{QueueReading, ReflectorId};

use super::*;

/// Time between two replies: six reflectors, each asked every 300 ms.
const REPLY: Duration = Duration::from_millis(50);
/// One-way delay of the empty path in ms.
const IDLE_MS: f64 = 10.0;

/// What flows in both directions.
#[derive(Clone, Copy)]
enum Flow {
    /// A share of the shaper rate.
    Share(f64),
    Rate(BitRate),
}

struct Bench {
    law: Proportional,
    now: MonoTime,
    replies: u64,
    bytes: PerDirection<u64>,
    /// What flows meanwhile.
    flow: Flow,
}

impl Bench {
    /// A law with its baselines learned, on a link between 5 and 80 Mbit/s with the base 20.
    fn new() -> Self {
        Self::within([5.0, 20.0, 80.0])
    }

    fn within([floor, base, ceiling]: [f64; 3]) -> Self {
        let limits = Limits { floor: mbps(floor), base: mbps(base), ceiling: mbps(ceiling) };
        let law = Proportional::new(PerDirection::build(|_| limits), ProportionalParams::default());
        let flow = Flow::Rate(mbps(4.0));
        let mut bench =
            Self { law, now: MonoTime::ZERO, replies: 0, bytes: PerDirection::default(), flow };
        bench.run(Duration::from_secs(3), 0.0);
        bench
    }

    fn at(rate: f64, flow: Flow) -> Self {
        let mut bench = Self::new();
        bench.flow = flow;
        bench.run(Duration::from_secs(1), 0.0);
        for direction in Direction::ALL {
            bench.law.channels[direction].rate = mbps(rate);
        }
        bench
    }

    /// One reply with `delta_ms` of one-way delay over the empty path.
    fn reply(&mut self, delta_ms: f64) -> f64 {
        self.now = self.now + REPLY;
        let rates = self.law.decide(self.now);
        for direction in Direction::ALL {
            let flows = match self.flow {
                Flow::Share(share) => rates[direction].scaled(share),
                Flow::Rate(rate) => rate,
            };
            self.bytes[direction] += flows.bytes_in(REPLY);
        }
        self.replies += 1;
        if self.replies.is_multiple_of(2) {
            let queues = PerDirection::build(|direction| {
                Some(QueueReading { bytes: self.bytes[direction], ..QueueReading::default() })
            });
            let sequence = self.replies;
            self.law.on_shaper(&ShaperSample { sequence, at: self.now, queues });
        }
        let rtt = Delay::from_millis_f64(2.0 * (IDLE_MS + delta_ms));
        self.law.on_rtt(&RttSample {
            reflector: ReflectorId(u16::try_from(self.replies % 6).unwrap()),
            sequence: self.replies,
            at: self.now,
            outcome: ProbeOutcome::Reply(rtt),
            one_way: None,
        });
        self.law.decide(self.now).download.mbps()
    }

    fn run(&mut self, span: Duration, delta_ms: f64) -> f64 {
        let until = self.now + span;
        let mut rate = self.law.decide(self.now).download.mbps();
        while self.now < until {
            rate = self.reply(delta_ms);
        }
        rate
    }

    /// Seconds until `done` holds for the download's rate.
    fn until(&mut self, delta_ms: f64, done: impl Fn(f64) -> bool) -> f64 {
        let start = self.now;
        while !done(self.reply(delta_ms)) {
            assert!(self.now.since(start) < Duration::from_hours(1), "never");
        }
        self.now.since(start).as_secs_f64()
    }
}

fn mbps(rate: f64) -> BitRate {
    BitRate::from_mbps(rate)
}

#[test]
fn a_deep_queue_brings_80_to_20_in_a_second_and_a_half() {
    let mut bench = Bench::at(80.0, Flow::Share(0.95));
    // The third late reply is the verdict, and the mean needs six to be full.
    assert!((bench.run(REPLY * 2, 300.0) - 80.0).abs() < 1e-9);
    let seconds = bench.until(300.0, |rate| rate <= 20.0);
    assert!((1.2..=1.5).contains(&seconds), "{seconds}");
}

#[test]
fn one_cut_keeps_from_99_to_75_per_cent_by_the_mean_delay() {
    for (delta, kept) in [(31.0, 0.982), (45.0, 0.87), (60.0, 0.75), (200.0, 0.75)] {
        let mut bench = Bench::at(80.0, Flow::Rate(mbps(4.0)));
        // Full of late replies, as if a cut had been made just now.
        for direction in Direction::ALL {
            bench.law.channels[direction].last_cut = Some(bench.now);
        }
        bench.run(Duration::from_millis(250), delta);
        let before = bench.law.decide(bench.now).download.mbps();
        let after = bench.reply(delta);
        assert!((after / before - kept).abs() < 0.01, "{delta} ms keeps {}", after / before);
    }
}

#[test]
fn a_full_shaper_climbs_from_20_to_80_in_seven_seconds() {
    let mut bench = Bench::at(20.0, Flow::Share(0.95));
    let seconds = bench.until(0.0, |rate| rate >= 80.0);
    assert!((7.0..=7.4).contains(&seconds), "{seconds}");
}

#[test]
fn raises_shrink_from_the_lower_threshold_to_nothing_at_the_upper() {
    let params = ProportionalParams::default();
    let raise = |ms: f64| params.raise(Delay::from_millis_f64(ms));
    let expected = [(0.0, 1.04), (10.0, 1.04), (20.0, 1.02), (30.0, 1.0), (50.0, 1.0)];
    for (delay, factor) in expected {
        assert!((raise(delay) - factor).abs() < 1e-9, "{delay}");
    }
}

#[test]
fn without_demand_80_decays_to_the_base_of_20_in_138_seconds_and_rises_to_it_likewise() {
    let mut bench = Bench::at(80.0, Flow::Rate(mbps(4.0)));
    let seconds = bench.until(0.0, |rate| rate <= 20.0);
    assert!((136.0..=140.0).contains(&seconds), "{seconds}");
    assert!((bench.run(Duration::from_secs(5), 0.0) - 20.0).abs() < 1e-9, "never past it");

    let mut bench = Bench::at(10.0, Flow::Rate(mbps(4.0)));
    let seconds = bench.until(0.0, |rate| rate >= 20.0);
    // ln 2 / ln 1.01
    assert!((68.0..=72.0).contains(&seconds), "{seconds}");
}

#[test]
fn a_longer_path_counts_as_queueing_delay_for_minutes() {
    for (step, lasts) in [(40.0, 86.0), (100.0, 361.0), (200.0, 569.0)] {
        // So fast that the time of a packet does not count.
        let mut bench = Bench::within([1000.0, 4000.0, 8000.0]);
        let seconds = bench.until(step, |rate| rate <= 1000.0);
        assert!(seconds < 30.0, "pinned to the floor after {seconds} s");
        let more = bench.until(step, |rate| rate > 1000.0);
        assert!((seconds + more - lasts).abs() < 5.0, "{step} ms: {}", seconds + more);
    }
}

#[test]
fn noise_alone_walks_an_unloaded_link_to_its_floor_unless_it_sleeps() {
    let jittery = |flow| {
        let mut bench = Bench::at(20.0, flow);
        bench.run(Duration::from_secs(70), 0.0);
        // Every second reply is late.
        for _ in 0..600 {
            bench.reply(60.0);
            bench.reply(0.0);
        }
        bench.law.decide(bench.now).download.mbps()
    };
    assert!((jittery(Flow::Rate(mbps(4.0))) - 5.0).abs() < 1e-9);
    assert!((jittery(Flow::Rate(mbps(0.1))) - 20.0).abs() < 1e-9);
}

#[test]
fn one_delay_cuts_both_directions() {
    let mut bench = Bench::at(80.0, Flow::Share(0.95));
    bench.run(Duration::from_secs(1), 100.0);
    let PerDirection { download, upload } = bench.law.decide(bench.now);
    assert_eq!(download, upload);
    assert!(upload < mbps(40.0));
}

#[test]
fn the_longest_packet_of_a_slow_link_is_no_queue() {
    let late_at = |rate: f64| {
        let mut bench = Bench::at(rate, Flow::Rate(mbps(4.0)));
        bench.run(REPLY * 3, 33.0);
        bench.law.delays.is_delayed(Direction::Download)
    };
    // 2.4 ms at 5 Mbit/s is not enough, at 3 Mbit/s it would be 4 ms.
    assert!(late_at(80.0) && late_at(5.0) && !late_at(3.0));
}

#[test]
fn no_replies_hold_the_rates_by_default() {
    for (floor_on_silence, rate) in [(false, 80.0), (true, 5.0)] {
        let mut bench = Bench::at(80.0, Flow::Rate(mbps(4.0)));
        bench.law.params.floor_on_silence = floor_on_silence;
        let silent = bench.now + Duration::from_secs(30);
        assert_eq!(bench.law.decide(silent).download, mbps(80.0), "traffic flows");
        bench.law.channels.upload.delivery = BitRate::ZERO;
        assert_eq!(bench.law.decide(silent).download, mbps(rate));
    }
}
