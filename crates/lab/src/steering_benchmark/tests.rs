//! Steering on loaded links, in virtual time.

use std::time::Duration;

use wanctl_core::{
    LawName,
    steering::{FailoverParams, Preset},
    units::MonoTime,
};

use super::{
    suite::{Event, events, every},
    *,
};

const BALANCED: fn() -> Candidate = || Candidate {
    name: "balanced",
    steer: Preset::Balanced.steer(),
    failover: FailoverParams::default(),
};

/// Lets `what` happen to a loaded default WAN for some seconds, with each law, and returns the results of
/// steering.
fn steered(what: &[Event], seconds: u64) -> Vec<SteeringResults> {
    let mut scenario = events("test", what);
    scenario.duration = Duration::from_secs(seconds);
    let laws = [LawName::Adaptive, LawName::Zone];
    let of = |law| run(&[BALANCED()], &scenario.clone().with_law(law)).swap_remove(0);
    laws.into_iter().map(of).collect()
}

#[test]
fn a_dead_default_wan_is_left_within_two_seconds_under_load() {
    let died = Duration::from_secs(20);
    for results in steered(&[(died, Duration::from_secs(20), 0.0)], 24) {
        let [left] = results.changes.as_slice() else { panic!("{:?}", results.changes) };
        let took = left.since(MonoTime::from_start(died));
        assert!(took <= Duration::from_secs(2), "{took:?}");
        assert_eq!((results.steers, results.failovers), (0, 1));
    }
}

#[test]
fn glitches_of_a_second_change_nothing() {
    for results in steered(&every(8, 1, 0.0), 40) {
        assert_eq!(results.changes, []);
        assert_eq!(results.failovers, 0);
    }
}
