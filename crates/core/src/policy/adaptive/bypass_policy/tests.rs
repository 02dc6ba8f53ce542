//! A greedy download, and an upload, on a link whose queue the probes bypass.

use super::*;
use crate::{
    LoadClass, MeasurementState,
    estimate::Observation,
    policy::{
        Adaptive,
        fixture::{Controller, mbps, observation},
    },
};

struct Bench {
    law: Controller<Adaptive>,
    input: Observation,
    /// How far the router is behind, in decisions.
    lag: usize,
    /// What it makes of a limit.
    rounds: f64,
    ordered: Vec<BitRate>,
}

impl Bench {
    fn new(direction: Direction) -> Self {
        let input = Observation { direction, ..observation(MeasurementState::Bypass, 0.0) };
        let law = Controller::adaptive();
        Self { law, input, lag: 0, rounds: 1.0, ordered: vec![input.desired] }
    }

    /// The link carries so much for so long; the traffic takes it all. Returns the rates at the end.
    fn run(&mut self, seconds: u64, capacity: f64) -> BitRate {
        let capacity = mbps(capacity);
        for moment in 0..seconds * 20 {
            let in_force = self.ordered[self.ordered.len().saturating_sub(1 + self.lag)];
            let in_force = in_force.scaled(self.rounds);
            let delivered = in_force.min(capacity);
            let full = moment >= 20 && capacity < in_force;
            let load = &mut self.input.load;
            (load.delivery_rate, load.newest_delivery_rate) = (Some(delivered), Some(delivered));
            load.class = LoadClass::High;
            self.input.shaper_limited = in_force <= capacity;
            self.input.plateau = full.then_some(capacity);
            self.input.in_force = Some(in_force);
            self.input.now = self.input.now + self.input.dt;
            self.input.desired = self.law.decide(&self.input).rate;
            self.ordered.push(self.input.desired);
        }
        self.input.desired
    }
}

#[test]
fn a_download_follows_its_counters_down_and_up() {
    let mut bench = Bench::new(Direction::Download);
    assert_eq!(bench.run(2, 50.0), mbps(50.0).scaled(AdaptiveParams::default().resume_share));
    assert_eq!(bench.run(2, 20.0), mbps(20.0).scaled(AdaptiveParams::default().resume_share));
    let rate = bench.run(12, 50.0);
    assert!((45.0..55.0).contains(&rate.mbps()), "{rate:?}");
    assert_eq!(bench.run(30, 100.0), mbps(60.0), "no higher than before the bypass");
}

#[test]
fn a_raise_that_is_not_filled_is_withdrawn_and_tried_less_often() {
    let mut bench = Bench::new(Direction::Download);
    bench.run(2, 50.0);
    let from = bench.ordered.len();
    bench.run(60, 50.0);
    let rates = &bench.ordered[from..];
    let above = rates.iter().filter(|rate| **rate > mbps(50.0)).count();
    assert!((rates.len() / 100..rates.len() / 6).contains(&above), "{above} of {}", rates.len());
    assert!(rates.iter().all(|rate| *rate < mbps(53.0)));
}

#[test]
fn a_raise_that_is_not_in_force_proves_nothing() {
    let mut bench = Bench::new(Direction::Download);
    bench.run(2, 50.0);
    bench.lag = 200;
    let rate = bench.run(9, 50.0);
    assert!(rate < mbps(53.0), "{rate:?}");
    bench.input.shaper_limited = false;
    bench.input.plateau = Some(mbps(20.0));
    let rate = bench.law.decide(&bench.input).rate;
    assert_eq!(
        rate,
        mbps(20.0).scaled(AdaptiveParams::default().resume_share),
        "and nothing waits for it"
    );
}

#[test]
fn a_limit_that_the_router_rounds_is_in_force() {
    let mut bench = Bench::new(Direction::Download);
    bench.rounds = 0.999;
    bench.run(2, 50.0);
    assert_eq!(bench.run(30, 100.0), mbps(60.0), "it has found what there was before");
}

#[test]
fn traffic_long_after_the_link_was_full_may_be_all_there_is() {
    let mut bench = Bench::new(Direction::Download);
    let rate = bench.run(2, 50.0);
    bench.input.shaper_limited = false;
    bench.input.now = bench.input.now + AdaptiveParams::default().bypass_full_within * 2;
    bench.input.plateau = Some(mbps(8.0));
    assert!(bench.law.decide(&bench.input).rate > rate.scaled(0.9));
}

#[test]
fn a_loss_without_a_signal_backs_nothing_off_once_there_is_one() {
    let mut bench = Bench::new(Direction::Download);
    bench.run(2, 20.0);
    assert!(
        bench.law.estimator.remaining_share(bench.input.desired).is_some_and(|left| left < 0.5)
    );
    let measured = Observation { measurement: MeasurementState::Healthy, ..bench.input };
    let decision = bench.law.decide(&measured);
    assert_eq!((decision.rate, decision.reason), (measured.desired, Reason::HoldBypass));
    assert_eq!(bench.law.estimator.remaining_share(measured.desired), None);
}

#[test]
fn an_upload_loses_and_regains_the_share_that_the_download_does() {
    let mut bench = Bench::new(Direction::Upload);
    let decide = |bench: &mut Bench, delivered: f64, share: f64| {
        let load = &mut bench.input.load;
        (load.delivery_rate, load.newest_delivery_rate) =
            (Some(mbps(delivered)), Some(mbps(delivered)));
        bench.input.other_remaining = Some(share);
        bench.input.now = bench.input.now + bench.input.dt;
        bench.input.desired = bench.law.decide(&bench.input).rate;
        bench.input.in_force = Some(bench.input.desired);
        bench.input.desired
    };
    bench.law.limits.base = mbps(60.0);
    assert_eq!(decide(&mut bench, 59.0, 1.0), mbps(60.0));
    assert_eq!(decide(&mut bench, 59.0, 0.5), mbps(60.0), "its rate is still delivered");
    assert_eq!(decide(&mut bench, 25.0, 0.5), mbps(30.0));
    assert_eq!(decide(&mut bench, 29.9, 0.5), mbps(30.0));
    assert_eq!(decide(&mut bench, 29.9, 0.9), mbps(54.0), "and back");
}
