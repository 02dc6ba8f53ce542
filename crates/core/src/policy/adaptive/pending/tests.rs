//! What is desired of a router that does not follow.

use super::*;
use crate::{
    Load, LoadClass, MeasurementState,
    estimate::{attribution::Attribution, replies::QueueSignal},
    policy::{RateLaw, adaptive::tests::input},
    units::Delay,
};

fn mbps(rate: f64) -> BitRate {
    BitRate::from_mbps(rate)
}

/// A download of which `got` get through while 60 Mbit/s stay in force, with a queue of `depth`
/// milliseconds.
fn kept(got: f64, depth: f64) -> LawInput {
    let depth = Delay::from_millis_f64(depth);
    let queue = QueueSignal { standing: depth, depth, growth: 0.0, is_own: true };
    let is_deep = depth > Delay::from_millis_f64(4.0);
    LawInput {
        queue: Some(queue),
        delta: Some(depth),
        attribution: if is_deep { Attribution::Certain } else { Attribution::Excluded },
        ..input(MeasurementState::Healthy, got)
    }
}

/// Decides every 50 ms for so long; the router keeps 60 Mbit/s. Returns each rate desired.
fn decide(law: &mut Adaptive, mut input: LawInput, from: BitRate, millis: u64) -> Vec<BitRate> {
    input.current = from;
    let mut rates = Vec::new();
    for _ in 0..millis / 50 {
        input.now = input.now + input.dt;
        input.current = law.decide(&input).rate;
        rates.push(input.current);
    }
    rates
}

/// The time from which the second part of a test goes on.
const LATER: MonoTime = MonoTime::from_millis(1000);

#[test]
fn the_newest_evidence_sets_the_rate_that_a_hanging_router_will_get() {
    let mut law = Adaptive::new(Delay::from_millis_f64(15.0), &crate::Params::default());
    let first = decide(&mut law, kept(50.0, 30.0), mbps(60.0), 300);
    let early = *first.last().unwrap();
    assert!(early < mbps(50.0) && early > mbps(40.0), "{early:?}");
    // The link falls while the cut is pending.
    let rates = decide(&mut law, LawInput { now: LATER, ..kept(12.0, 80.0) }, early, 3000);
    let last = *rates.last().unwrap();
    assert!(last <= mbps(12.0) && last >= mbps(6.0), "{last:?}");
    // Not again and again: it is the same limit that is in force.
    let later = &rates[rates.len() / 2..];
    assert!(later.iter().all(|rate| *rate == last), "{later:?}");
}

#[test]
fn without_counters_a_pending_cut_is_never_taken_back() {
    let mut law = Adaptive::new(Delay::from_millis_f64(15.0), &crate::Params::default());
    let growing = |growth| {
        let queued = kept(60.0, 60.0);
        let queue = queued.queue.map(|queue| QueueSignal { growth, ..queue });
        LawInput { queue, has_fresh_counters: false, ..queued }
    };
    let first = *decide(&mut law, growing(1.0), mbps(60.0), 200).last().unwrap();
    assert!(first <= mbps(30.0), "as fast as the delay grew: {first:?}");
    let rates = decide(&mut law, LawInput { now: LATER, ..growing(0.0) }, first, 3000);
    assert!(rates.iter().all(|rate| *rate <= first), "{rates:?}");
}

#[test]
fn a_limit_that_is_kept_and_does_no_harm_is_approached_again() {
    let mut law = Adaptive::new(Delay::from_millis_f64(15.0), &crate::Params::default());
    let cut = *decide(&mut law, kept(50.0, 30.0), mbps(60.0), 300).last().unwrap();
    let calm = LawInput {
        load: Load {
            class: LoadClass::High,
            delivery_rate: Some(mbps(59.0)),
            newest_delivery_rate: Some(mbps(59.0)),
            recent_peak: Some(0.98),
        },
        now: LATER,
        ..kept(59.0, 0.0)
    };
    let rates = decide(&mut law, calm, cut, 10_000);
    assert!(rates.is_sorted(), "no oscillation: {rates:?}");
    let end = *rates.last().unwrap();
    assert!(end > cut.scaled(1.05), "{cut:?} to {end:?}");
}
