//! The pure core alone: what a step costs, and how fast virtual time passes in the closed loop.
#![expect(clippy::print_stdout, reason = "a benchmark's table is its output")]

mod support;

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use support::{Spread, check, heading};
use wanctl_core::{
    Actuation, DirectionParams, EvidenceParams, LawKind, Limits, Params, PerDirection,
    ProbeOutcome, QueueReading, ReflectorId, RttSample, ShaperSample, StateThresholds, Wan,
    WanParams,
    units::{BitRate, Delay, MonoTime},
};
use wanctl_lab::{
    closed_loop::{ClosedLoop, LoopSpec},
    controller::{CYCLE, RecordingController},
    demo_wans::{self, DemoWan},
};

const REFLECTORS: u16 = 6;
const HOUR: Duration = Duration::from_hours(1);
const STEPS: u64 = 1_000_000;
const RUNS: u64 = 5;

fn main() {
    if !support::wanted() {
        return;
    }
    let step = steps();
    let hour = hours();
    println!();
    check("a control step (p99)", step.quantile(0.99) / 1e3, 5.0, "µs");
    check("an hour of two WANs (median)", hour.quantile(0.5), 3.0, "s");
    println!("       {:.0} times as fast as life", HOUR.as_secs_f64() / hour.quantile(0.5));
}

/// Times each step: a probe's outcome and a reading of the counters in, a decision out. Reading
/// the clock, some tens of nanoseconds, is timed with it.
fn steps() -> Spread {
    let mut wan = Wan::new(&params(&demo_wans::demo_wans(1)[0]), MonoTime::ZERO);
    let mut desired = PerDirection::build(|_| BitRate::from_mbps(100.0));
    let mut bytes = 0;
    let step = |number: u64| {
        let now = MonoTime::from_millis(number * 50);
        bytes += desired.download.bytes_in(CYCLE);
        let (sample, reading) = (sample(number, now), reading(number, now, bytes, desired));
        let actuation = PerDirection::build(|direction| Actuation {
            observed: Some(desired[direction]),
            ..Actuation::default()
        });
        let started = Instant::now();
        wan.on_rtt(&sample);
        wan.on_shaper(&reading);
        wan.on_actuation(actuation);
        let decision = black_box(wan.decide(now));
        let took = started.elapsed();
        desired = PerDirection::build(|direction| {
            decision.directions[direction].map_or(BitRate::ZERO, |decided| decided.desired)
        });
        took.as_secs_f64() * 1e9
    };
    let spread = Spread::new((0..STEPS).map(step).collect());
    heading("The pure step", "ns");
    spread.print("samples in, decision out");
    spread
}

/// Times an hour of the demo's two WANs in virtual time, the simulated links included.
fn hours() -> Spread {
    let run = |seed| {
        let wans = demo_wans::demo_wans(seed);
        let started = Instant::now();
        for wan in &wans {
            let params = params(wan);
            let spec = LoopSpec::new(PerDirection::build(|direction| {
                params.limits()[direction].map_or(BitRate::ZERO, |limits| limits.base)
            }));
            let controller = RecordingController::new(Wan::new(&params, MonoTime::ZERO));
            let mut closed = ClosedLoop::new(wan.link.clone(), spec, controller);
            closed.run(HOUR, |step| {
                black_box(step.desired);
            });
        }
        started.elapsed().as_secs_f64()
    };
    let spread = Spread::new((1..=RUNS).map(run).collect());
    heading("The closed loop", "s");
    spread.print("an hour of two WANs");
    spread
}

/// Twenty seconds of rest, then five in which the download fills the provider's buffer.
fn sample(number: u64, at: MonoTime) -> RttSample {
    let turn = u16::try_from(number % u64::from(REFLECTORS)).unwrap_or(0);
    let standing = if number % 500 < 400 { 0 } else { 60_000 };
    let noise = i64::try_from(number * 7_919 % 2_000).unwrap_or(0);
    let rtt = Delay::from_micros(14_000 + 3_000 * i64::from(turn) + noise + standing);
    let outcome = ProbeOutcome::Reply(rtt);
    RttSample { reflector: ReflectorId(turn), sequence: number, at, outcome, one_way: None }
}

/// A download that fills its shaper, an upload of acknowledgements.
fn reading(sequence: u64, at: MonoTime, bytes: u64, limits: PerDirection<BitRate>) -> ShaperSample {
    let queue = |bytes, limit| Some(QueueReading { bytes, limit, ..QueueReading::default() });
    let queues = PerDirection {
        download: queue(bytes, limits.download),
        upload: queue(bytes / 50, limits.upload),
    };
    ShaperSample { sequence, at, queues }
}

fn params(wan: &DemoWan) -> WanParams {
    let [yellow, soft_red, red] = wan.delay_ms.map(Delay::from_millis_f64);
    let direction = |rates: [f64; 3]| {
        let [floor, base, ceiling] = rates.map(BitRate::from_mbps);
        let limits = Limits { floor, base, ceiling };
        Some(DirectionParams { limits, law: LawKind::Adaptive })
    };
    WanParams {
        evidence: EvidenceParams {
            reflectors: REFLECTORS,
            probe_interval: Duration::from_millis(50),
            stale_after: Duration::from_millis(1200),
            queue_threshold: yellow,
        },
        thresholds: StateThresholds { yellow, soft_red, red },
        directions: PerDirection {
            download: direction(wan.download_mbps),
            upload: direction(wan.upload_mbps),
        },
        tuning: Params::default(),
    }
}
