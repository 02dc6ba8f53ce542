use super::*;
use crate::{
    estimate::{Observation, attribution::Attribution, replies::QueueSignal},
    policy::fixture::{Controller, mbps, observation},
};

#[test]
fn while_probes_bypass_the_queue_the_rate_goes_to_just_below_the_delivery_rate() {
    let mut bypassed = observation(MeasurementState::Bypass, 45.0);
    let (rate, reason) = Controller::adaptive().last(&mut bypassed, 60);
    let expected = mbps(45.0).scaled(AdaptiveParams::default().resume_share);
    assert_eq!((rate, reason), (expected, Reason::HoldBypass));
}

#[test]
fn while_probes_bypass_the_queue_the_rate_goes_no_higher_than_it_was() {
    let bypassed = observation(MeasurementState::Bypass, 59.0);
    let mut bypassed = Observation { shaper_limited: true, ..bypassed };
    assert_eq!(Controller::adaptive().last(&mut bypassed, 60).0, mbps(60.0));
}

#[test]
fn ten_minutes_of_work_interrupt_the_idle_decay() {
    let mut controller = Controller::adaptive();
    let mut low = observation(MeasurementState::Healthy, 10.0);
    controller.last(&mut low, 1);
    let mut busy = Observation { now: low.now, ..observation(MeasurementState::Healthy, 50.0) };
    assert_eq!(controller.last(&mut busy, 600).0, mbps(60.0));
    let mut low = Observation { now: busy.now, ..low };
    assert_eq!(controller.last(&mut low, 1).0, mbps(60.0), "a second without demand");
    assert!(controller.last(&mut low, 10).0 < mbps(60.0));
}

/// A busy download that suddenly delivers no more than 20 Mbit/s of its 60.
fn starved() -> Observation {
    let mut starved = observation(MeasurementState::Healthy, 20.0);
    starved.load.recent_peak = Some(0.95);
    starved
}

#[test]
fn a_busy_direction_backs_off_with_the_other() {
    let mut controller = Controller::adaptive();
    let starved = Observation { other_remaining: Some(0.4), ..starved() };
    let RateDecision { rate, reason, phase, .. } = controller.decide(&starved);
    assert_eq!((rate, reason, phase), (mbps(22.0), Reason::CutCrossDirection, Phase::Drain));
    let low = Observation { desired: rate, in_force: Some(rate), ..starved };
    assert_eq!(controller.decide(&low).rate, rate, "no lower, and no higher before the other");
}

#[test]
fn a_direction_does_not_back_off_for_a_small_loss_nor_if_it_was_quiet() {
    let quiet = observation(MeasurementState::Healthy, 20.0);
    let quiet = Observation { other_remaining: Some(0.4), ..quiet };
    for other in [Observation { other_remaining: Some(0.9), ..starved() }, starved(), quiet] {
        assert_eq!(Controller::adaptive().decide(&other).rate, mbps(60.0));
    }
}

/// A queue of so many milliseconds of a download that delivers 40 Mbit/s.
fn queued(depth_ms: f64) -> Observation {
    let depth = Delay::from_millis_f64(depth_ms);
    let queue = QueueSignal { standing: depth, depth, growth: 0.0, is_own: true };
    let observed = observation(MeasurementState::Healthy, 40.0);
    Observation { attribution: Attribution::Certain, queue: Some(queue), ..observed }
}

#[test]
fn silence_after_a_cut_does_not_prove_that_the_queue_is_gone() {
    let mut controller = Controller::adaptive();
    let mut observed = queued(300.0);
    let cut = controller.decide(&observed);
    assert_eq!((cut.reason, cut.phase), (Reason::CutQueue, Phase::Drain));
    (observed.desired, observed.in_force) = (cut.rate, Some(cut.rate));
    let mut silent = Observation { queue: None, ..observed };
    assert_eq!(controller.last(&mut silent, 3).0, cut.rate);
    silent.queue = queued(0.0).queue;
    silent.now = silent.now + silent.dt;
    assert!(controller.decide(&silent).rate > cut.rate, "the first replies do");
}

#[test]
fn a_deeper_queue_is_cut_for_more_but_not_below_half_of_the_capacity_nor_the_floor() {
    let cut = |depth| Controller::adaptive().decide(&queued(depth)).rate;
    assert!(cut(10.0) > cut(60.0));
    assert_eq!(cut(2000.0), mbps(20.0));
    let mut controller = Controller::adaptive();
    controller.limits.floor = mbps(30.0);
    assert_eq!(controller.decide(&queued(2000.0)).rate, mbps(30.0));
    let left = controller.estimator.remaining_share(mbps(30.0)).unwrap();
    assert!((left - 0.5).abs() < 1e-6, "{left}");
}

#[test]
fn each_signal_leads_to_its_phase() {
    let healthy = |delivered| observation(MeasurementState::Healthy, delivered);
    let silent = |state| observation(state, 10.0);
    for (observed, phase) in [
        (silent(MeasurementState::Starting), Phase::Startup),
        (Observation { sufficient_evidence: false, ..healthy(59.0) }, Phase::Startup),
        (silent(MeasurementState::Stalled), Phase::NoSignal),
        (silent(MeasurementState::CannotSend), Phase::NoSignal),
        (silent(MeasurementState::Collapsed), Phase::NoSignal),
        (silent(MeasurementState::Bypass), Phase::NoSignal),
        (queued(30.0), Phase::Drain),
        (Observation { attribution: Attribution::Excluded, ..queued(30.0) }, Phase::Cruise),
        (healthy(59.0), Phase::Probe),
        (healthy(50.0), Phase::Cruise),
        (healthy(10.0), Phase::Decay),
    ] {
        assert_eq!(Controller::adaptive().decide(&observed).phase, phase, "{observed:?}");
    }
}
