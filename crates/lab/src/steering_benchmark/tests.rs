//! What steering makes of links that are loaded, in virtual time.

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

/// Lets `what` happen to a loaded home for some seconds, with each law, and returns the figures of
/// steering.
fn steered(what: &[Event], seconds: u64) -> Vec<SteeringResults> {
    let mut setting = events("test", what);
    setting.duration = Duration::from_secs(seconds);
    let laws = [LawName::Adaptive, LawName::Zone];
    let of = |law| run(&[BALANCED()], &setting.clone().with_law(law)).swap_remove(0);
    laws.into_iter().map(of).collect()
}

#[test]
fn a_dead_default_wan_is_abandoned_within_two_seconds_under_load() {
    let died = Duration::from_secs(20);
    for figures in steered(&[(died, Duration::from_secs(20), 0.0)], 24) {
        let [left] = figures.changes.as_slice() else { panic!("{:?}", figures.changes) };
        let took = left.since(MonoTime::from_start(died));
        assert!(took <= Duration::from_secs(2), "{took:?}");
        assert_eq!((figures.steers, figures.failovers), (0, 1));
    }
}

#[test]
fn glitches_of_a_second_change_nothing() {
    for figures in steered(&every(8, 1, 0.0), 40) {
        assert_eq!(figures.changes, []);
        assert_eq!(figures.failovers, 0);
    }
}
