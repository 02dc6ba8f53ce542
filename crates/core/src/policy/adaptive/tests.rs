use super::*;
use crate::{
    Direction, Load,
    estimate::{noise::Noise, replies::QueueSignal},
};

fn mbps(rate: f64) -> BitRate {
    BitRate::from_mbps(rate)
}

/// A download at 60 Mbit/s in force, of which `got` get through; the base rate is 30.
pub(in crate::policy::adaptive) fn input(measurement: MeasurementState, got: f64) -> LawInput {
    LawInput {
        direction: Direction::Download,
        now: MonoTime::ZERO,
        dt: Duration::from_millis(50),
        current: mbps(60.0),
        in_force: Some(mbps(60.0)),
        sufficient_evidence: true,
        limits: Limits { floor: mbps(5.0), base: mbps(30.0), ceiling: mbps(100.0) },
        measurement,
        quorum: false,
        attribution: Attribution::Excluded,
        shaper_limited: false,
        queue: None,
        noise: Noise::default(),
        serialisation: Delay::ZERO,
        path: Duration::from_millis(20),
        delta: Some(Delay::ZERO),
        load: Load {
            class: if got > 45.0 { LoadClass::High } else { LoadClass::Low },
            delivery_rate: Some(mbps(got)),
            newest_delivery_rate: Some(mbps(got)),
            recent_peak: Some(got / 60.0),
        },
        has_fresh_counters: true,
        other_remaining: None,
        plateau: None,
    }
}

/// Lets a law decide for so many seconds on end; the router follows at once.
fn decide(law: &mut Adaptive, input: &mut LawInput, seconds: u32) -> RateDecision {
    let mut verdict = hold(input, Reason::HoldApplicationLimited);
    for _ in 0..seconds * 20 {
        input.now = input.now + input.dt;
        verdict = law.decide(input);
        (input.current, input.in_force) = (verdict.rate, Some(verdict.rate));
    }
    verdict
}

#[test]
fn blind_it_goes_to_just_under_what_gets_through() {
    let mut law = Adaptive::new(Delay::from_millis_f64(15.0), &Params::default());
    let mut blind = input(MeasurementState::Bypass, 45.0);
    let RateDecision { rate, reason } = decide(&mut law, &mut blind, 60);
    assert_eq!(
        (rate, reason),
        (mbps(45.0).scaled(law.params.adaptive.resume_share), Reason::HoldBypass)
    );
}

#[test]
fn blind_it_goes_no_higher_than_it_was() {
    let mut law = Adaptive::new(Delay::from_millis_f64(15.0), &Params::default());
    let mut blind = LawInput { shaper_limited: true, ..input(MeasurementState::Bypass, 59.0) };
    assert_eq!(decide(&mut law, &mut blind, 60).rate, mbps(60.0));
}

#[test]
fn ten_minutes_of_work_are_no_rest() {
    let mut law = Adaptive::new(Delay::from_millis_f64(15.0), &Params::default());
    let mut low = input(MeasurementState::Healthy, 10.0);
    decide(&mut law, &mut low, 1);
    let mut busy = LawInput { now: low.now, ..input(MeasurementState::Healthy, 50.0) };
    assert_eq!(decide(&mut law, &mut busy, 600).rate, mbps(60.0));
    let mut low = LawInput { now: busy.now, ..low };
    assert_eq!(decide(&mut law, &mut low, 1).rate, mbps(60.0), "a second without demand");
    assert!(decide(&mut law, &mut low, 10).rate < mbps(60.0));
}

/// A busy download that suddenly gets through no more than 20 Mbit/s of its 60.
fn starved() -> LawInput {
    let input = input(MeasurementState::Healthy, 20.0);
    LawInput { load: Load { recent_peak: Some(0.95), ..input.load }, ..input }
}

#[test]
fn a_busy_direction_falls_along_with_the_other() {
    let mut law = Adaptive::new(Delay::from_millis_f64(15.0), &Params::default());
    let starved = LawInput { other_remaining: Some(0.4), ..starved() };
    let followed = RateDecision { rate: mbps(22.0), reason: Reason::CutCrossDirection };
    assert_eq!(law.decide(&starved), followed);
    let low = LawInput { current: mbps(22.0), in_force: Some(mbps(22.0)), ..starved };
    assert_eq!(
        law.decide(&low).rate,
        mbps(22.0),
        "no further, and not up before the other is done"
    );
}

#[test]
fn it_does_not_for_a_trifle_nor_if_it_was_quiet() {
    let quiet = LawInput { other_remaining: Some(0.4), ..input(MeasurementState::Healthy, 20.0) };
    for other in [LawInput { other_remaining: Some(0.9), ..starved() }, starved(), quiet] {
        let mut law = Adaptive::new(Delay::from_millis_f64(15.0), &Params::default());
        assert_eq!(law.decide(&other).rate, mbps(60.0));
    }
}

#[test]
fn silence_after_a_cut_does_not_say_that_the_queue_is_gone() {
    let deep = Delay::from_millis_f64(300.0);
    let queue = QueueSignal { standing: deep, depth: deep, growth: 0.0, is_own: true };
    let mut law = Adaptive::new(Delay::from_millis_f64(15.0), &Params::default());
    let mut queued = LawInput {
        attribution: Attribution::Certain,
        queue: Some(queue),
        ..input(MeasurementState::Healthy, 40.0)
    };
    let cut = law.decide(&queued);
    assert_eq!(cut.reason, Reason::CutQueue);
    (queued.current, queued.in_force) = (cut.rate, Some(cut.rate));
    let mut silent = LawInput { queue: None, ..queued };
    assert_eq!(decide(&mut law, &mut silent, 3).rate, cut.rate);
    silent.queue = Some(QueueSignal { standing: Delay::ZERO, depth: Delay::ZERO, ..queue });
    silent.now = silent.now + silent.dt;
    assert!(law.decide(&silent).rate > cut.rate, "the first replies do");
}
