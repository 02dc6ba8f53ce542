//! The scenarios of the steering benchmark: a default WAN and an alternate.

use std::time::Duration;

use wanctl_core::{Direction, LawName, PerDirection, units::BitRate};

use crate::{
    generate::Conditions,
    law_benchmark::Scenario,
    trace::{Recording, Trace},
    traffic::{GREEDY, Phase, Traffic},
};

const HOUR: Duration = Duration::from_hours(1);
/// Round-trip times of the empty links.
const DEFAULT_RTT: Duration = Duration::from_millis(30);
const ALTERNATE_RTT: Duration = Duration::from_millis(50);

/// The default WAN's buffers, in time at its typical capacity: probes survive a brown-out.
const BUFFER: Duration = Duration::from_millis(50);

/// Two WANs for some time.
#[derive(Debug, Clone)]
pub struct SteeringScenario {
    /// Its name.
    pub name: String,
    /// The default WAN.
    pub default: Scenario,
    /// The alternate WAN.
    pub alternate: Scenario,
    /// How long it lasts.
    pub duration: Duration,
}

impl SteeringScenario {
    /// Returns the scenario with `law` on both WANs.
    #[must_use]
    pub fn with_law(mut self, law: LawName) -> Self {
        for scenario in [&mut self.default, &mut self.alternate] {
            for (direction, params) in scenario.params.directions.present_mut() {
                params.law = law.default_law(direction, &params.limits);
            }
        }
        self
    }
}

/// Makes a scenario of two recordings of the same time: the download of the default WAN is saturated,
/// the alternate is hardly used.
#[must_use]
pub fn of_recordings(name: &str, default: Recording, alternate: Recording) -> SteeringScenario {
    let duration = default.download.round().clamp(Duration::from_secs(30), HOUR);
    let default = Scenario::of_recording("default", default).with_base_rtt(DEFAULT_RTT);
    let light = light(alternate.download.mean());
    let upload = Trace::steady(alternate.download.mean().scaled(0.2));
    let capacity =
        PerDirection { download: alternate.download, upload: alternate.upload.unwrap_or(upload) };
    let conditions = Conditions { capacity, base_rtt_steps: alternate.base_rtt_steps };
    let alternate =
        Scenario::new("alternate", conditions, light, duration).with_base_rtt(ALTERNATE_RTT);
    SteeringScenario { name: name.to_owned(), default, alternate, duration }
}

/// Returns the generated scenarios, an hour each: what happens at fixed intervals, and what happens
/// by the chance of `seed`.
#[must_use]
pub fn suite(seed: u64) -> Vec<SteeringScenario> {
    let mut scenarios = vec![
        events("brown-outs", &every(600, 45, 0.08)),
        events("outages", &every(900, 30, 0.0)),
        events("brown-outs by chance", &by_chance(seed, 480.0, [10.0, 90.0], [0.03, 0.15])),
        events("outages by chance", &by_chance(seed, 720.0, [3.0, 60.0], [0.0, 0.0])),
        events("glitches", &every(60, 1, 0.0)),
    ];
    for scenario in &mut scenarios {
        scenario.default.link.seed ^= seed;
        scenario.alternate.link.seed ^= seed.rotate_left(32);
    }
    scenarios
}

/// What is left of a link's capacity (0 to 1), from a moment on and for how long.
pub(super) type Event = (Duration, Duration, f64);

/// Something of some seconds once in every `interval` seconds, in the middle of it.
pub(super) fn every(interval: u64, lasts: u64, left: f64) -> Vec<Event> {
    let seconds = Duration::from_secs;
    let starts = (0..).map(|n| interval / 2 + n * interval).take_while(|at| *at < HOUR.as_secs());
    starts.map(|at| (seconds(at), seconds(lasts), left)).collect()
}

/// Something that comes at any time, once in `interval` seconds on average, for a number of seconds
/// and with a share of the capacity left that lie anywhere within these bounds.
fn by_chance(seed: u64, interval: f64, lasts: [f64; 2], left: [f64; 2]) -> Vec<Event> {
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut events = Vec::new();
    let mut at = 0.0;
    loop {
        at -= interval * (1.0 - rng.f64()).ln();
        let mut within = |[low, high]: [f64; 2]| low + (high - low) * rng.f64();
        let (lasting, left) = (within(lasts), within(left));
        if at + lasting >= HOUR.as_secs_f64() {
            return events;
        }
        events.push((Duration::from_secs_f64(at), Duration::from_secs_f64(lasting), left));
        at += lasting;
    }
}

/// A loaded default WAN to which `events` happen in the course of an hour.
pub(super) fn events(name: &str, events: &[Event]) -> SteeringScenario {
    let nominal = mbps(100.0, 20.0);
    let capacity = PerDirection::build(|direction: Direction| {
        let high = nominal[direction];
        let mut points = vec![(Duration::ZERO, high)];
        for (at, lasts, left) in events {
            points.extend([(*at, high.scaled(*left)), (*at + *lasts, high)]);
        }
        Trace::held(points, HOUR).unwrap_or_else(|| Trace::steady(high))
    });
    let default = Conditions { capacity, base_rtt_steps: Vec::new() };
    let phase = Phase {
        lasts: HOUR + HOUR,
        download: GREEDY.into(),
        upload: BitRate::from_mbps(1.0).into(),
    };
    let quiet = Phase { lasts: Duration::from_secs(5), download: BitRate::ZERO.into(), ..phase };
    let default = Scenario::new("default", default, Traffic::new(vec![quiet, phase]), HOUR);
    let nominal = mbps(40.0, 15.0);
    let capacity = PerDirection::build(|direction| Trace::steady(nominal[direction]));
    let alternate = Conditions { capacity, base_rtt_steps: Vec::new() };
    let alternate = Scenario::new("alternate", alternate, light(nominal.download), HOUR);
    SteeringScenario {
        name: name.to_owned(),
        default: default
            .with_buffer(BUFFER)
            .with_base_rtt(DEFAULT_RTT)
            .with_probes(Duration::from_millis(2), 0.002),
        alternate: alternate
            .with_base_rtt(ALTERNATE_RTT)
            .with_probes(Duration::from_millis(3), 0.005),
        duration: HOUR,
    }
}

fn light(capacity: BitRate) -> Traffic {
    let rate = capacity.scaled(0.1);
    Traffic::new(vec![Phase {
        lasts: HOUR,
        download: rate.into(),
        upload: rate.scaled(0.1).into(),
    }])
}

fn mbps(download: f64, upload: f64) -> PerDirection<BitRate> {
    PerDirection { download: BitRate::from_mbps(download), upload: BitRate::from_mbps(upload) }
}
