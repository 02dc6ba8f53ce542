//! Memory counts as far as the router says the same.

use super::*;
use crate::steering::{RouteActuation, SwitchKind};

/// A memory of having steered, as a former run would leave it.
fn steered() -> (SteeringMemory, RouteActuation) {
    let mut site = SteeringFixture::new(2).settled();
    site.run(3.0, &[CONGESTED, HEALTHY]);
    let actuation = applied(&site.steering, site.last.as_ref(), site.now);
    (site.steering.memory(site.now), actuation)
}

fn restarted(memory: &SteeringMemory, age: f64) -> SteeringFixture {
    let mut site = SteeringFixture::new(2);
    site.applies = false;
    site.steering.restore(memory, seconds(age), site.now);
    site
}

#[test]
fn nothing_is_decided_before_the_switches_were_seen() {
    let (memory, actuation) = steered();
    let mut site = restarted(&memory, 5.0);
    let decision = site.run(60.0, &[CONGESTED, HEALTHY]);
    assert_eq!((decision.steer.reason, decision.acts), (SteerReason::SwitchesUnknown, false));
    assert!(decision.orders.is_empty());
    // All but one is not all.
    let mut partial = actuation.clone();
    partial.switches.pop();
    site.steering.on_actuation(partial);
    assert_eq!(site.run(1.0, &[CONGESTED, HEALTHY]).steer.reason, SteerReason::SwitchesUnknown);
    site.steering.on_actuation(actuation);
    let decision = site.run(0.05, &[CONGESTED, HEALTHY]);
    assert_eq!((decision.target.sensitive, decision.acts), (FIRST, true));
    assert_eq!(decision.steer.actions, 1, "the change of the former run counts");
}

#[test]
fn a_memory_that_the_router_confirms_keeps_what_is_left_of_the_hold_down() {
    let (memory, actuation) = steered();
    for (age, left) in [(5.0, 24.0), (600.0, 0.0)] {
        let mut site = restarted(&memory, age);
        site.steering.on_actuation(actuation.clone());
        let decision = site.run(0.05, &[CONGESTED, HEALTHY]);
        let remaining = decision.steer.timers.first().map_or(0.0, |t| t.remaining.as_secs_f64());
        assert!((remaining - left).abs() <= 1.0, "{age}: {:?}", decision.steer.timers);
    }
}

#[test]
fn a_memory_outlives_a_run_that_never_saw_the_switches() {
    let (memory, actuation) = steered();
    let mut site = restarted(&memory, 5.0);
    site.run(10.0, &[HEALTHY, HEALTHY]);
    assert_eq!(site.steering.memory(site.now), memory.aged(seconds(15.0)));
    let again = site.steering.memory(site.now);
    let mut site = restarted(&again, 5.0);
    site.run(2.0, &[HEALTHY, HEALTHY]);
    site.steering.on_actuation(actuation);
    let decision = site.run(0.05, &[HEALTHY, HEALTHY]);
    assert_eq!((decision.target.sensitive, decision.steer.actions), (FIRST, 1));
    let left = decision.steer.timers.first().map_or(0.0, |t| t.remaining.as_secs_f64());
    assert!((left - 7.0).abs() <= 1.0, "it grew older meanwhile: {:?}", decision.steer.timers);
}

#[test]
fn a_memory_that_the_router_contradicts_is_not_used() {
    let (memory, mut actuation) = steered();
    for report in &mut actuation.switches {
        let enabled = report.switch.kind == SwitchKind::FailoverRoute;
        report.seen = Some((enabled, MonoTime::ZERO));
    }
    let mut site = restarted(&memory, 5.0);
    site.steering.on_actuation(actuation);
    assert_eq!(site.run(0.05, &[HEALTHY, HEALTHY]).target, RouteTarget::default());
}

#[test]
fn at_exit_switches_are_at_their_default_unless_the_default_wan_is_dead() {
    let mut site = SteeringFixture::new(2).settled();
    site.run(3.0, &[CONGESTED, HEALTHY]);
    let rest =
        |order: &SwitchOrder| order.enabled == (order.switch.kind == SwitchKind::FailoverRoute);
    assert!(site.steering.exit_orders().iter().all(rest));
    site.run(3.0, &[DEAD, HEALTHY]);
    let disabled = |order: &SwitchOrder| order.switch.wan == DEFAULT && !order.enabled;
    assert!(site.steering.exit_orders().iter().any(disabled));
    assert_eq!(SteeringFixture::new(2).steering.exit_orders(), [], "nothing was seen yet");
}

#[test]
fn an_exit_soon_after_the_start_does_not_return_to_a_default_wan_that_may_be_dead() {
    let mut site = SteeringFixture::new(2).settled();
    site.run(3.0, &[DEAD, HEALTHY]);
    let memory = site.steering.memory(site.now);
    let actuation = applied(&site.steering, site.last.as_ref(), site.now);
    for (conditions, left) in [(DEAD, true), (HEALTHY, false)] {
        let mut site = restarted(&memory, 1.0);
        site.steering.on_actuation(actuation.clone());
        let disabled = |order: &SwitchOrder| order.switch.wan == DEFAULT && !order.enabled;
        site.run(0.5, &[conditions, HEALTHY]);
        assert!(site.steering.exit_orders().iter().any(disabled), "nobody knows yet");
        site.run(60.0, &[conditions, HEALTHY]);
        assert_eq!(site.steering.exit_orders().iter().any(disabled), left, "{conditions:?}");
    }
}

#[test]
fn a_stop_reports_what_stays_switched() {
    let mut site = SteeringFixture::new(2).settled();
    assert_eq!(site.steering.not_at_default(), []);
    site.run(3.0, &[CONGESTED, HEALTHY]);
    let steer = Switch { wan: FIRST, kind: SwitchKind::SteerRule };
    assert_eq!(site.steering.not_at_default(), [steer]);
    // What was ordered counts before the router says so.
    let mut site = SteeringFixture::new(2).settled();
    site.applies = false;
    site.run(3.0, &[DEAD, HEALTHY]);
    let default_wan = Switch { wan: DEFAULT, kind: SwitchKind::FailoverRoute };
    assert_eq!(site.steering.not_at_default(), [default_wan]);
    site.steering.retune(SteeringParams { mode: SteeringMode::Observe, ..params(2) });
    assert_eq!(site.steering.not_at_default(), [], "now it is somebody else's");
}

#[test]
fn what_a_crash_left_behind_is_taken_over_and_put_right() {
    // No memory, but the default WAN's route is disabled and the rule is enabled.
    let mut site = SteeringFixture::new(2);
    let mut actuation = applied(&site.steering, None, MonoTime::ZERO);
    for report in &mut actuation.switches {
        let disabled = report.switch.wan == DEFAULT;
        report.seen = Some((!disabled, MonoTime::ZERO));
    }
    site.applies = false;
    site.steering.on_actuation(actuation);
    let decision = site.run(0.05, &[HEALTHY, HEALTHY]);
    assert_eq!(decision.target, RouteTarget { sensitive: FIRST, default_route: FIRST });
    let steer = decision.orders.iter().find(|order| order.switch.kind == SwitchKind::SteerRule);
    assert!(!steer.unwrap().enabled, "what goes with everything else needs no rule");
    site.applies = true;
    let decision = site.run(135.0, &[HEALTHY, HEALTHY]);
    assert_eq!(decision.target, RouteTarget::default());
}
