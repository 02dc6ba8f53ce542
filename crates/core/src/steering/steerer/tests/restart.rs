//! What is remembered is believed as far as the router says the same.

use super::*;
use crate::steering::{RouteActuation, SwitchKind};

/// A memory of having steered, as a former run would leave it.
fn steered() -> (SteeringMemory, RouteActuation) {
    let mut site = Site::new(2).settled();
    site.run(3.0, &[FOUL, FAIR]);
    let actuation = obedient(&site.steering, site.last.as_ref(), site.now);
    (site.steering.memory(site.now), actuation)
}

fn restarted(memory: &SteeringMemory, age: f64) -> Site {
    let mut site = Site::new(2);
    site.obeys = false;
    site.steering.restore(memory, seconds(age), site.now);
    site
}

#[test]
fn nothing_is_decided_before_the_switches_were_seen() {
    let (memory, actuation) = steered();
    let mut site = restarted(&memory, 5.0);
    let decision = site.run(60.0, &[FOUL, FAIR]);
    assert_eq!((decision.steer.reason, decision.acts), (SteerReason::Unseen, false));
    assert!(decision.orders.is_empty());
    // All but one is not all.
    let mut partial = actuation.clone();
    partial.switches.pop();
    site.steering.on_actuation(partial);
    assert_eq!(site.run(1.0, &[FOUL, FAIR]).steer.reason, SteerReason::Unseen);
    site.steering.on_actuation(actuation);
    let decision = site.run(0.05, &[FOUL, FAIR]);
    assert_eq!((decision.target.sensitive, decision.acts), (FIRST, true));
    assert_eq!(decision.steer.actions, 1, "the change of the former run counts");
}

#[test]
fn a_memory_that_the_router_confirms_keeps_what_is_left_of_the_hold_down() {
    let (memory, actuation) = steered();
    for (age, left) in [(5.0, 24.0), (600.0, 0.0)] {
        let mut site = restarted(&memory, age);
        site.steering.on_actuation(actuation.clone());
        let decision = site.run(0.05, &[FOUL, FAIR]);
        let remaining = decision.steer.timers.first().map_or(0.0, |t| t.remaining.as_secs_f64());
        assert!((remaining - left).abs() <= 1.0, "{age}: {:?}", decision.steer.timers);
    }
}

#[test]
fn a_memory_outlives_a_run_that_never_saw_the_switches() {
    let (memory, actuation) = steered();
    let mut site = restarted(&memory, 5.0);
    site.run(10.0, &[FAIR, FAIR]);
    assert_eq!(site.steering.memory(site.now), memory.aged(seconds(15.0)));
    let again = site.steering.memory(site.now);
    let mut site = restarted(&again, 5.0);
    site.run(2.0, &[FAIR, FAIR]);
    site.steering.on_actuation(actuation);
    let decision = site.run(0.05, &[FAIR, FAIR]);
    assert_eq!((decision.target.sensitive, decision.steer.actions), (FIRST, 1));
    let left = decision.steer.timers.first().map_or(0.0, |t| t.remaining.as_secs_f64());
    assert!((left - 7.0).abs() <= 1.0, "it grew older meanwhile: {:?}", decision.steer.timers);
}

#[test]
fn a_memory_that_the_router_contradicts_is_not_believed() {
    let (memory, mut actuation) = steered();
    for report in &mut actuation.switches {
        let enabled = report.switch.kind == SwitchKind::Withdraw;
        report.seen = Some((enabled, MonoTime::ZERO));
    }
    let mut site = restarted(&memory, 5.0);
    site.steering.on_actuation(actuation);
    assert_eq!(site.run(0.05, &[FAIR, FAIR]).target, RouteTarget::default());
}

#[test]
fn at_the_end_all_is_at_rest_unless_home_is_dead() {
    let mut site = Site::new(2).settled();
    site.run(3.0, &[FOUL, FAIR]);
    let rest = |order: &SwitchOrder| order.enabled == (order.switch.kind == SwitchKind::Withdraw);
    assert!(site.steering.farewell().iter().all(rest));
    site.run(3.0, &[DEAD, FAIR]);
    let withdrawn = |order: &SwitchOrder| order.switch.wan == HOME && !order.enabled;
    assert!(site.steering.farewell().iter().any(withdrawn));
    assert_eq!(Site::new(2).steering.farewell(), [], "nothing was seen yet");
}

#[test]
fn who_stops_soon_after_the_start_does_not_go_back_to_a_home_that_may_be_dead() {
    let mut site = Site::new(2).settled();
    site.run(3.0, &[DEAD, FAIR]);
    let memory = site.steering.memory(site.now);
    let actuation = obedient(&site.steering, site.last.as_ref(), site.now);
    for (weather, left) in [(DEAD, true), (FAIR, false)] {
        let mut site = restarted(&memory, 1.0);
        site.steering.on_actuation(actuation.clone());
        let withdrawn = |order: &SwitchOrder| order.switch.wan == HOME && !order.enabled;
        site.run(0.5, &[weather, FAIR]);
        assert!(site.steering.farewell().iter().any(withdrawn), "nobody knows yet");
        site.run(60.0, &[weather, FAIR]);
        assert_eq!(site.steering.farewell().iter().any(withdrawn), left, "{weather:?}");
    }
}

#[test]
fn who_stops_acting_can_tell_what_stays_switched() {
    let mut site = Site::new(2).settled();
    assert_eq!(site.steering.away_from_rest(), []);
    site.run(3.0, &[FOUL, FAIR]);
    let steer = Switch { wan: FIRST, kind: SwitchKind::Steer };
    assert_eq!(site.steering.away_from_rest(), [steer]);
    // What was ordered counts before the router says so.
    let mut site = Site::new(2).settled();
    site.obeys = false;
    site.run(3.0, &[DEAD, FAIR]);
    let home = Switch { wan: HOME, kind: SwitchKind::Withdraw };
    assert_eq!(site.steering.away_from_rest(), [home]);
    site.steering.retune(SteeringParams { mode: SteeringMode::Observe, ..params(2) });
    assert_eq!(site.steering.away_from_rest(), [], "now it is somebody else's");
}

#[test]
fn what_a_crash_left_behind_is_taken_over_and_put_right() {
    // No memory, but home's route is withdrawn and the rule is enabled.
    let mut site = Site::new(2);
    let mut actuation = obedient(&site.steering, None, MonoTime::ZERO);
    for report in &mut actuation.switches {
        let withdrawn = report.switch.wan == HOME;
        report.seen = Some((!withdrawn, MonoTime::ZERO));
    }
    site.obeys = false;
    site.steering.on_actuation(actuation);
    let decision = site.run(0.05, &[FAIR, FAIR]);
    assert_eq!(decision.target, RouteTarget { sensitive: FIRST, carrier: FIRST });
    let steer = decision.orders.iter().find(|order| order.switch.kind == SwitchKind::Steer);
    assert!(!steer.unwrap().enabled, "what goes with everything else needs no rule");
    site.obeys = true;
    let decision = site.run(135.0, &[FAIR, FAIR]);
    assert_eq!(decision.target, RouteTarget::default());
}
