//! What is desired while a router keeps another limit.

use super::*;
use crate::{
    Load, LoadClass, MeasurementState,
    estimate::{Observation, attribution::Attribution, replies::QueueSignal},
    policy::fixture::{Controller, mbps, observation},
    units::Delay,
};

/// A download that delivers `delivered` Mbit/s while 60 Mbit/s stay in force, with a queue of `depth`
/// milliseconds.
fn enforced(delivered: f64, depth: f64) -> Observation {
    let depth = Delay::from_millis_f64(depth);
    let queue = QueueSignal { standing: depth, depth, growth: 0.0, is_own: true };
    let is_deep = depth > Delay::from_millis_f64(4.0);
    Observation {
        queue: Some(queue),
        delta: Some(depth),
        attribution: if is_deep { Attribution::Certain } else { Attribution::Excluded },
        ..observation(MeasurementState::Healthy, delivered)
    }
}

/// A direction whose router keeps another limit.
struct Bench<P> {
    controller: Controller<P>,
    pending: Pending,
}

fn bench() -> Bench<impl Policy> {
    let pending = Pending::new(PendingParams::default(), WhilePending::DecideWhenOverdue);
    Bench { controller: Controller::adaptive(), pending }
}

impl<P: Policy> Bench<P> {
    /// Decides every 50 ms for so long from the rate `from` on. Returns each rate desired.
    fn decide(&mut self, mut input: Observation, from: BitRate, millis: u64) -> Vec<BitRate> {
        input.desired = from;
        let mut rates = Vec::new();
        for _ in 0..millis / 50 {
            input.now = input.now + input.dt;
            let enforcement = self.pending.observe(input.now, input.desired, input.in_force);
            let (pending, limits) = (self.pending, self.controller.limits);
            let decision = self.controller.decide_if(&input, enforcement, |policy, estimate| {
                pending.decide(policy, Phase::Cruise, estimate, enforcement, &limits)
            });
            input.desired = decision.rate;
            rates.push(input.desired);
        }
        rates
    }
}

/// The time from which the second part of a test goes on.
const LATER: MonoTime = MonoTime::from_millis(1000);

#[test]
fn the_newest_evidence_sets_the_rate_that_a_hanging_router_will_get() {
    let mut bench = bench();
    let first = bench.decide(enforced(50.0, 30.0), mbps(60.0), 300);
    let early = *first.last().unwrap();
    assert!(early < mbps(50.0) && early > mbps(40.0), "{early:?}");
    // The link falls while the cut is pending.
    let rates = bench.decide(Observation { now: LATER, ..enforced(12.0, 80.0) }, early, 3000);
    let last = *rates.last().unwrap();
    assert!(last <= mbps(12.0) && last >= mbps(6.0), "{last:?}");
    // Not again and again: it is the same limit that is in force.
    let later = &rates[rates.len() / 2..];
    assert!(later.iter().all(|rate| *rate == last), "{later:?}");
}

#[test]
fn without_counters_a_pending_cut_is_never_withdrawn() {
    let mut bench = bench();
    let growing = |growth| {
        let queued = enforced(60.0, 60.0);
        let queue = queued.queue.map(|queue| QueueSignal { growth, ..queue });
        Observation { queue, has_fresh_counters: false, ..queued }
    };
    let first = *bench.decide(growing(1.0), mbps(60.0), 200).last().unwrap();
    assert!(first <= mbps(30.0), "as fast as the delay grew: {first:?}");
    let rates = bench.decide(Observation { now: LATER, ..growing(0.0) }, first, 3000);
    assert!(rates.iter().all(|rate| *rate <= first), "{rates:?}");
}

#[test]
fn a_limit_that_stays_in_force_and_does_no_harm_is_approached_again() {
    let mut bench = bench();
    let cut = *bench.decide(enforced(50.0, 30.0), mbps(60.0), 300).last().unwrap();
    let calm = Observation {
        load: Load {
            class: LoadClass::High,
            delivery_rate: Some(mbps(59.0)),
            newest_delivery_rate: Some(mbps(59.0)),
            recent_peak: Some(0.98),
        },
        now: LATER,
        ..enforced(59.0, 0.0)
    };
    let rates = bench.decide(calm, cut, 10_000);
    assert!(rates.is_sorted(), "no oscillation: {rates:?}");
    let end = *rates.last().unwrap();
    assert!(end > cut.scaled(1.05), "{cut:?} to {end:?}");
}
