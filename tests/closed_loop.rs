//! The controller against simulated links in virtual time: what it must do, whatever its tuning.

use std::time::Duration;

use wanctl_core::{
    CongestionState, Direction, DirectionParams, EvidenceParams, LawKind, Limits, Params,
    PerDirection, Reason, StateThresholds, Wan, WanParams,
    units::{BitRate, Delay, MonoTime},
};
use wanctl_lab::{
    closed_loop::{ClosedLoop, LoopSpec},
    controller::{self, RecordingController},
    link::{Buffer, LinkSpec, Shape, Supply},
    traffic::{GREEDY, Phase, Traffic},
};

fn mbps(rate: f64) -> BitRate {
    BitRate::from_mbps(rate)
}

fn params() -> WanParams {
    let ms = Delay::from_millis_f64;
    let limits = Limits { floor: mbps(2.0), base: mbps(30.0), ceiling: mbps(60.0) };
    let direction = DirectionParams { limits, law: LawKind::Adaptive };
    WanParams {
        evidence: EvidenceParams {
            reflectors: 6,
            probe_interval: Duration::from_millis(50),
            stale_after: Duration::from_millis(1200),
            queue_threshold: ms(15.0),
        },
        thresholds: StateThresholds { yellow: ms(15.0), soft_red: ms(45.0), red: ms(80.0) },
        directions: PerDirection { download: Some(direction), upload: Some(direction) },
        tuning: Params::default(),
    }
}

/// A 50/50 Mbit/s link of 20 ms with 100 ms of buffer.
fn link(shape: &Shape, download: BitRate, upload: BitRate) -> LinkSpec {
    LinkSpec {
        supply: PerDirection::build(|_| Supply::Shape(shape.clone())),
        base_rtt: Duration::from_millis(20),
        jitter: Duration::from_millis(1),
        loss: 0.001,
        buffer: PerDirection::build(|_| Buffer::Bytes(625_000)),
        traffic: Traffic::new(vec![Phase {
            lasts: Duration::from_hours(1),
            download: download.into(),
            upload: upload.into(),
        }]),
        seed: 42,
        ..LinkSpec::steady(PerDirection { download: mbps(50.0), upload: mbps(50.0) })
    }
}

/// Joins our own controller to a link, with the base rates in force.
fn bench(link: LinkSpec) -> ClosedLoop<RecordingController> {
    join(link, &params())
}

/// The same, where only the upload is shaped.
fn upload_only(link: LinkSpec) -> ClosedLoop<RecordingController> {
    let mut params = params();
    params.directions.download = None;
    join(link, &params)
}

fn join(link: LinkSpec, params: &WanParams) -> ClosedLoop<RecordingController> {
    let limits = controller::limits(params);
    let base = PerDirection::build(|direction| limits[direction].base);
    let wan = Wan::new(params, MonoTime::ZERO);
    ClosedLoop::new(link, LoopSpec::new(base), RecordingController::new(wan))
}

const TRICKLE: BitRate = BitRate::from_bps(300_000);

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

#[test]
fn a_halved_capacity_is_answered_within_seconds_and_used_again_afterwards() {
    let steps = vec![(seconds(40), 0.5), (seconds(80), 1.0)];
    let mut bench = bench(link(&Shape::Steps(steps), GREEDY, TRICKLE));
    bench.run(seconds(40), |_| {});
    let mut calm_at = None;
    bench.run(seconds(40), |step| {
        let PerDirection { download, upload } = step.queue_delay;
        let calm = download + upload < Delay::from_millis_f64(30.0);
        match (calm, calm_at) {
            (true, None) => calm_at = Some(step.now),
            (false, _) if step.now < MonoTime::from_millis(45_000) => calm_at = None,
            _ => {}
        }
    });
    let calm_at = calm_at.expect("the delay came down");
    assert!(calm_at < MonoTime::from_millis(44_000), "calm only at {calm_at:?}");
    let mut last = BitRate::ZERO;
    bench.run(seconds(40), |step| last = step.desired.download);
    assert!(last > mbps(42.0), "recovered to {last} of 50 Mbit/s only");
}

#[test]
fn a_saturated_upload_leaves_the_download_alone() {
    let steps = vec![(seconds(10), 0.4)];
    let mut bench = bench(link(&Shape::Steps(steps), TRICKLE, GREEDY));
    let (mut upload_cuts, mut lowest) = (0, mbps(1000.0));
    bench.run(seconds(60), |step| {
        let reported = step.controller.decision().expect("decided").directions;
        let (download, upload) = (reported.download.unwrap(), reported.upload.unwrap());
        lowest = lowest.min(download.desired);
        upload_cuts += u32::from(upload.reason == Reason::CutQueue);
        let is_starting = step.now < MonoTime::from_millis(500);
        let is_known = download.state != CongestionState::Unknown;
        assert!(is_known || is_starting, "unknown at {:?}", step.now);
        assert!(download.state <= CongestionState::Green, "at {:?}", step.now);
    });
    assert!(upload_cuts > 3, "the upload was cut {upload_cuts} times");
    assert_eq!(lowest, params().directions.download.unwrap().limits.base);
}

#[test]
fn an_upload_that_is_shaped_alone_is_kept_free_of_queues() {
    // Without timestamps no cut goes below the base rate, so the capacity may not.
    for (timestamps, share) in [(true, 0.5), (false, 0.7)] {
        let link = link(&Shape::Steps(vec![(seconds(40), share)]), TRICKLE, GREEDY);
        let mut bench = upload_only(LinkSpec { timestamps, ..link });
        bench.run(seconds(50), |_| {});
        let (mut queue, mut rate, mut steps) = (0.0, 0.0, 0.0);
        bench.run(seconds(60), |step| {
            queue += step.queue_delay.upload.millis();
            rate += step.desired.upload.mbps();
            steps += 1.0;
        });
        let (queue, rate) = (queue / steps, rate / steps);
        // The buffer holds 200 ms at half of the capacity.
        assert!(
            queue < 15.0 && rate > 0.8 * 50.0 * share,
            "{timestamps}: {queue} ms at {rate} Mbit/s"
        );
    }
}

#[test]
fn an_upload_that_is_shaped_alone_is_not_cut_by_a_download_that_fills_the_link() {
    for timestamps in [true, false] {
        let link = link(&Shape::Steady, GREEDY, TRICKLE);
        let mut bench = upload_only(LinkSpec { timestamps, ..link });
        let base = params().directions.upload.unwrap().limits.base;
        let mut worst = Delay::ZERO;
        bench.run(seconds(120), |step| {
            worst = worst.max(step.queue_delay.download);
            let reported = step.controller.decision().expect("decided").directions;
            assert_eq!(reported.download, None);
            assert_eq!(reported.upload.unwrap().desired, base, "{timestamps} at {:?}", step.now);
        });
        assert!(worst > Delay::from_millis_f64(50.0), "the download queued for {worst} only");
    }
}

#[test]
fn a_longer_path_on_an_idle_link_cuts_nothing_and_is_learned() {
    let mut bench = bench(link(&Shape::Steady, TRICKLE, TRICKLE));
    bench.run(seconds(20), |_| {});
    bench.reroute(Duration::from_millis(100));
    let mut delta = None;
    bench.run(seconds(15), |step| {
        let decision = step.controller.decision().expect("decided");
        delta = decision.measurement.delta;
        for (_, reported) in decision.directions.present() {
            assert_eq!(
                reported.desired, reported.previous,
                "at {:?}: {:?}",
                step.now, reported.reason
            );
        }
    });
    let delta = delta.expect("measured");
    assert!(delta < Delay::from_millis_f64(5.0), "still {delta} over the baseline after 15 s");
}

#[test]
fn a_path_a_little_longer_under_load_is_no_queue_for_long() {
    for seed in 1..=4 {
        let mut bench = bench(LinkSpec { seed, ..link(&Shape::Steady, GREEDY, GREEDY) });
        bench.run(seconds(20), |_| {});
        bench.reroute(Duration::from_millis(30));
        bench.run(seconds(20), |_| {});
        let mut desired = Vec::new();
        bench.run(seconds(20), |step| desired.push(step.desired));
        for direction in Direction::ALL {
            let rates = desired.iter().map(|desired| desired[direction].bps() as f64 / 1e6);
            let mean = rates.clone().sum::<f64>() / desired.len() as f64;
            let least = rates.fold(f64::MAX, f64::min);
            // Now and then a drain tests the path offset.
            let reported = format!("seed {seed}: {direction:?} at {mean}, {least} of 50 Mbit/s");
            assert!(mean > 44.0 && least > 28.0, "{reported}");
        }
    }
}

#[test]
fn an_idle_link_with_noisy_reflectors_is_not_cut_for_an_hour() {
    let mut noisy = link(&Shape::Steady, TRICKLE, TRICKLE);
    noisy.jitter = Duration::from_micros(8_700); // p99 of +40 ms
    noisy.loss = 0.02;
    let mut bench = bench(noisy);
    let base = params().directions.download.unwrap().limits.base;
    bench.run(seconds(3600), |step| {
        for (direction, desired) in step.desired.each() {
            assert!(*desired >= base, "{direction:?} cut at {:?}", step.now);
        }
    });
}

#[test]
fn equal_seeds_give_equal_runs() {
    let run = || {
        let mut reported = Vec::new();
        let mut bench = bench(link(&Shape::Lte, GREEDY, GREEDY));
        bench.run(seconds(30), |step| reported.push(step.controller.decision().cloned()));
        reported
    };
    assert_eq!(run(), run());
}

#[test]
fn a_full_upload_that_is_shaped_alone_outlasts_a_download_that_fills_the_link() {
    let base = params().directions.upload.unwrap().limits.base.mbps();
    for (timestamps, typical) in [(true, 40.0), (false, base)] {
        let link = link(&Shape::Steady, GREEDY, GREEDY);
        // What the path is like is learned before.
        let silence = BitRate::from_bps(20_000).into();
        let quiet = Phase { lasts: seconds(30), download: silence, upload: silence };
        let full = Phase { lasts: seconds(300), download: GREEDY.into(), upload: GREEDY.into() };
        let traffic = Traffic::new(vec![quiet, full]);
        let mut bench = upload_only(LinkSpec { timestamps, traffic, ..link });
        bench.run(seconds(50), |_| {});
        let (mut lowest, mut sum, mut steps) = (f64::MAX, 0.0, 0.0);
        bench.run(seconds(120), |step| {
            let rate = step.desired.upload.mbps();
            lowest = lowest.min(rate);
            sum += rate;
            steps += 1.0;
        });
        let mean = sum / steps;
        let reported = format!("{timestamps}: {mean} Mbit/s, and {lowest} at the lowest");
        assert!(lowest >= base && mean >= typical, "{reported}");
    }
}
