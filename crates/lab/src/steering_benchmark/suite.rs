//! The settings that steering is tried in: a home WAN, and one that stands in for it.

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
const OTHER_RTT: Duration = Duration::from_millis(50);

/// The home's buffers, in time at its usual capacity: in a brown-out probes still come through.
const BUFFER: Duration = Duration::from_millis(50);

/// Two WANs for some time.
#[derive(Debug, Clone)]
pub struct SteeringScenario {
    /// Its name.
    pub name: String,
    /// The preferred WAN.
    pub default_wan: Scenario,
    /// The WAN that stands in for it.
    pub other: Scenario,
    /// How long it lasts.
    pub duration: Duration,
}

impl SteeringScenario {
    /// Returns the setting with both WANs governed by `law`.
    #[must_use]
    pub fn with_law(mut self, law: LawName) -> Self {
        for scenario in [&mut self.default_wan, &mut self.other] {
            for (direction, params) in scenario.params.directions.present_mut() {
                params.law = law.usual(direction, &params.limits);
            }
        }
        self
    }
}

/// Makes two recordings of the same time a setting: the home's download is saturated, the other's
/// is hardly used.
#[must_use]
pub fn of_recordings(name: &str, default_wan: Recording, other: Recording) -> SteeringScenario {
    let duration = default_wan.download.round().clamp(Duration::from_secs(30), HOUR);
    let default_wan = Scenario::of_recording("default", default_wan).with_base_rtt(DEFAULT_RTT);
    let light = light(other.download.mean());
    let upload = Trace::steady(other.download.mean().scaled(0.2));
    let capacity =
        PerDirection { download: other.download, upload: other.upload.unwrap_or(upload) };
    let conditions = Conditions { capacity, base_rtt_steps: other.base_rtt_steps };
    let other = Scenario::new("other", conditions, light, duration).with_base_rtt(OTHER_RTT);
    SteeringScenario { name: name.to_owned(), default_wan, other, duration }
}

/// Returns the generated settings, an hour each: what happens at fixed intervals, and what happens
/// by the chance of `seed`.
#[must_use]
pub fn suite(seed: u64) -> Vec<SteeringScenario> {
    let mut settings = vec![
        events("brown-outs", &every(600, 45, 0.08)),
        events("outages", &every(900, 30, 0.0)),
        events("brown-outs by chance", &by_chance(seed, 480.0, [10.0, 90.0], [0.03, 0.15])),
        events("outages by chance", &by_chance(seed, 720.0, [3.0, 60.0], [0.0, 0.0])),
        events("glitches", &every(60, 1, 0.0)),
    ];
    for setting in &mut settings {
        setting.default_wan.link.seed ^= seed;
        setting.other.link.seed ^= seed.rotate_left(32);
    }
    settings
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

/// A loaded home to which `events` happen in the course of an hour.
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
    let default_wan = Conditions { capacity, base_rtt_steps: Vec::new() };
    let phase = Phase {
        lasts: HOUR + HOUR,
        download: GREEDY.into(),
        upload: BitRate::from_mbps(1.0).into(),
    };
    let quiet = Phase { lasts: Duration::from_secs(5), download: BitRate::ZERO.into(), ..phase };
    let default_wan = Scenario::new("default", default_wan, Traffic::new(vec![quiet, phase]), HOUR);
    let nominal = mbps(40.0, 15.0);
    let capacity = PerDirection::build(|direction| Trace::steady(nominal[direction]));
    let other = Conditions { capacity, base_rtt_steps: Vec::new() };
    let other = Scenario::new("other", other, light(nominal.download), HOUR);
    SteeringScenario {
        name: name.to_owned(),
        default_wan: default_wan
            .with_buffer(BUFFER)
            .with_base_rtt(DEFAULT_RTT)
            .with_probes(Duration::from_millis(2), 0.002),
        other: other.with_base_rtt(OTHER_RTT).with_probes(Duration::from_millis(3), 0.005),
        duration: HOUR,
    }
}

/// Somebody uses a tenth of what there is.
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
