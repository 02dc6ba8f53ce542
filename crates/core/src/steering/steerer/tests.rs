use std::time::Duration;

use super::*;
use crate::{
    CongestionState,
    steering::{
        Reach, TimerKind,
        fixture::{SteeringFixture, WanConditions, applied, params},
    },
};

mod bad_input;
mod late;
mod operator;
mod properties;
mod restart;

const HEALTHY: WanConditions = WanConditions::HEALTHY;
const CONGESTED: WanConditions = WanConditions::CONGESTED;
const DEAD: WanConditions = WanConditions::DEAD;
const DEFAULT: Rank = Rank::DEFAULT_WAN;
const FIRST: Rank = Rank(1);
const SECOND: Rank = Rank(2);

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

#[test]
fn connections_leave_a_congested_wan_and_return_when_it_has_recovered() {
    let mut site = SteeringFixture::new(2).settled();
    let decision = site.run(1.0, &[CONGESTED, HEALTHY]);
    assert_eq!(decision.target.sensitive, DEFAULT);
    assert_eq!(decision.steer.state, SteerState::Confirming);
    assert_eq!(decision.steer.blocker, Some(Blocker::Sustain));
    assert!(decision.steer.score.points >= 55, "{:?}", decision.steer.score);

    let decision = site.run(1.5, &[CONGESTED, HEALTHY]);
    assert_eq!(decision.target, RouteTarget { sensitive: FIRST, default_route: DEFAULT });
    assert!(decision.steer.timers.iter().any(|timer| timer.kind == TimerKind::HoldDown));

    let decision = site.run(20.0, &[HEALTHY, HEALTHY]);
    assert_eq!((decision.target.sensitive, decision.steer.reason), (FIRST, SteerReason::HoldDown));
    let decision = site.run(12.0, &[HEALTHY, HEALTHY]);
    assert_eq!(decision.steer.state, SteerState::Recovering);
    let decision = site.run(10.0, &[HEALTHY, HEALTHY]);
    assert_eq!((decision.target.sensitive, decision.steer.state), (DEFAULT, SteerState::Default));
    assert_eq!(site.moves.len(), 2);
}

#[test]
fn a_dead_default_route_is_left_within_two_seconds_and_returned_to_late() {
    let mut site = SteeringFixture::new(2).settled();
    let died = site.now;
    site.run(2.0, &[DEAD, HEALTHY]);
    let left = site.moves.iter().find(|(_, what, ..)| *what == "default_route").unwrap();
    assert!(left.0.since(died) <= seconds(1.6), "{left:?}");
    let decision = site.last.clone().unwrap();
    assert_eq!(decision.target, RouteTarget { sensitive: FIRST, default_route: FIRST });
    assert_eq!(decision.steer.reason, SteerReason::Healthy);
    let disabled =
        decision.orders.iter().filter(|order| !order.enabled && order.switch.wan == DEFAULT);
    assert_eq!(disabled.count(), 1);

    site.run(60.0, &[DEAD, HEALTHY]);
    // Ten seconds until it is proven up, two minutes until it is used.
    let decision = site.run(125.0, &[HEALTHY, HEALTHY]);
    assert_eq!(
        (decision.target.default_route, decision.failover.reason),
        (FIRST, FailoverReason::FailedOver)
    );
    assert_eq!(decision.failover.blocker, Some(Blocker::FailbackDelay));
    let decision = site.run(10.0, &[HEALTHY, HEALTHY]);
    assert_eq!(decision.target, RouteTarget::default());
}

#[test]
fn congestion_never_fails_over() {
    let mut site = SteeringFixture::new(2).settled();
    site.run(120.0, &[CONGESTED, CONGESTED]);
    assert!(site.moves.iter().all(|(_, what, ..)| *what == "sensitive"), "{:?}", site.moves);
}

#[test]
fn an_hour_of_glitches_of_a_second_changes_nothing() {
    let mut site = SteeringFixture::new(2).settled();
    for round in 0..180 {
        // Of one WAN, of the other, of both.
        let glitch = [[DEAD, HEALTHY], [HEALTHY, DEAD], [DEAD, DEAD]][round % 3];
        site.step = seconds(0.05);
        site.run(1.0, &glitch);
        site.step = seconds(0.25);
        site.run(19.0, &[HEALTHY, HEALTHY]);
    }
    assert_eq!(site.moves, []);
}

#[test]
fn of_many_wans_the_most_preferred_healthy_one_is_taken() {
    let mut site = SteeringFixture::new(4).settled();
    let decision = site.run(3.0, &[CONGESTED, CONGESTED, HEALTHY, HEALTHY]);
    assert_eq!(decision.target.sensitive, SECOND);
    let mut site = SteeringFixture::new(4).settled();
    let decision = site.run(3.0, &[DEAD, DEAD, HEALTHY, HEALTHY]);
    assert_eq!(decision.target.default_route, SECOND);
    // A better one that comes back takes over before the default WAN does.
    let decision = site.run(140.0, &[DEAD, HEALTHY, HEALTHY, HEALTHY]);
    assert_eq!(decision.target.default_route, FIRST);
}

#[test]
fn a_dead_alternate_is_left_for_the_default_wan_or_a_third() {
    let mut site = SteeringFixture::new(2).settled();
    site.run(3.0, &[CONGESTED, HEALTHY]);
    let decision = site.run(2.0, &[CONGESTED, DEAD]);
    assert_eq!(decision.target.sensitive, DEFAULT);

    let mut site = SteeringFixture::new(3).settled();
    site.run(3.0, &[CONGESTED, HEALTHY, HEALTHY]);
    let decision = site.run(2.0, &[DEAD, DEAD, HEALTHY]);
    assert_eq!(decision.target, RouteTarget { sensitive: SECOND, default_route: SECOND });
}

#[test]
fn a_worse_alternate_is_left_once_the_hold_down_is_over() {
    let mut site = SteeringFixture::new(2).settled();
    site.run(3.0, &[CONGESTED, HEALTHY]);
    let milder = WanConditions { state: CongestionState::SoftRed, delta_ms: 50.0, ..CONGESTED };
    let decision = site.run(10.0, &[milder, CONGESTED]);
    assert_eq!(decision.target.sensitive, FIRST);
    let decision = site.run(30.0, &[milder, CONGESTED]);
    assert_eq!(decision.target.sensitive, DEFAULT);
}

#[test]
fn flapping_raises_the_threshold_for_a_while() {
    let mut params = params(2);
    params.steer.hold_down = seconds(1.0);
    params.steer.recovery.sustain = seconds(1.0);
    params.steer.actions.per_hour = 60;
    params.steer.flap_damping = Duration::ZERO;
    // A score of 65 reaches 55, but not 70.
    let red = WanConditions { delta_ms: 100.0, at_floor: false, ..CONGESTED };
    let mut site = SteeringFixture::with(params).settled();
    for _ in 0..4 {
        site.run(3.0, &[red, HEALTHY]);
        site.run(4.0, &[HEALTHY, HEALTHY]);
    }
    // The fifth change began a minute of penalty, and so did each after it.
    assert_eq!(site.moves.len(), 6, "{:?}", site.moves);
    let decision = site.last.clone().unwrap();
    assert_eq!(decision.steer.threshold, 70);
    let decision = site.run(3.0, &[red, HEALTHY]);
    assert_eq!(decision.steer.blocker, Some(Blocker::FlapPenalty));
    assert_eq!(decision.target.sensitive, DEFAULT);
}

#[test]
fn the_hysteresis_preset_moves_on_colours_alone() {
    let mut params = params(2);
    params.steer = crate::steering::Preset::Hysteresis.steer();
    let mut site = SteeringFixture::with(params).settled();
    assert_eq!(site.run(3.5, &[CONGESTED, HEALTHY]).target.sensitive, DEFAULT);
    let decision = site.run(1.5, &[CONGESTED, HEALTHY]);
    assert_eq!(decision.target.sensitive, FIRST);
    // 30 s of GREEN, and a YELLOW in between begins them anew.
    let yellow = WanConditions { delta_ms: 20.0, ..HEALTHY };
    site.run(20.0, &[HEALTHY, HEALTHY]);
    site.run(1.0, &[yellow, HEALTHY]);
    assert_eq!(site.run(29.0, &[HEALTHY, HEALTHY]).target.sensitive, FIRST);
    assert_eq!(site.run(2.0, &[HEALTHY, HEALTHY]).target.sensitive, DEFAULT);
}

#[test]
fn what_is_observed_is_decided_but_not_ordered() {
    let params = SteeringParams { mode: SteeringMode::Observe, ..params(2) };
    let mut site = SteeringFixture::with(params);
    site.applies = false;
    let mut site = site.settled();
    let decision = site.run(3.0, &[CONGESTED, HEALTHY]);
    assert_eq!(decision.target.sensitive, FIRST);
    assert!(!decision.acts && decision.orders.is_empty());
    let params = SteeringParams { mode: SteeringMode::Off, ..self::params(2) };
    let decision = SteeringFixture::with(params).settled().run(3.0, &[DEAD, HEALTHY]);
    assert_eq!((decision.target, decision.acts), (RouteTarget::default(), false));
    assert_eq!(decision.steer.reason, SteerReason::Off);
}

#[test]
fn decisions_are_counted_by_reason() {
    let mut site = SteeringFixture::new(2).settled();
    site.run(3.0, &[CONGESTED, HEALTHY]);
    let tally = site.steering.tally();
    assert_eq!(tally.steer.get(&SteerReason::Steer), Some(&1));
    assert!(tally.steer.get(&SteerReason::Healthy) > Some(&700));
    assert_eq!(tally.failover.keys().collect::<Vec<_>>(), [&FailoverReason::Healthy]);
}

#[test]
fn whoever_begins_to_act_starts_from_what_the_router_does() {
    let params = SteeringParams { mode: SteeringMode::Observe, ..params(2) };
    let mut site = SteeringFixture::with(params.clone());
    site.applies = false;
    let mut site = site.settled();
    assert_eq!(site.run(3.0, &[CONGESTED, HEALTHY]).target.sensitive, FIRST);
    // Imagined only: the router has not switched anything.
    site.steering.retune(SteeringParams { mode: SteeringMode::Active, ..params.clone() });
    let decision = site.run(0.1, &[HEALTHY, HEALTHY]);
    assert_eq!((decision.acts, decision.steer.reason), (false, SteerReason::SwitchesUnknown));
    site.steering.on_actuation(applied(&site.steering, None, site.now));
    let decision = site.run(0.1, &[HEALTHY, HEALTHY]);
    assert_eq!((decision.acts, decision.target), (true, RouteTarget::default()));
    // And back: nothing is ordered any more, and nothing left to be put to rest.
    site.steering.retune(params);
    let decision = site.run(3.0, &[CONGESTED, HEALTHY]);
    assert_eq!((decision.acts, decision.orders.len()), (false, 0));
    assert_eq!(site.steering.exit_orders(), []);
}

#[test]
fn limits_hold_from_when_they_are_changed() {
    let mut site = SteeringFixture::new(2).settled();
    site.run(1.0, &[CONGESTED, HEALTHY]);
    let mut tuned = params(2);
    tuned.steer.sustain = seconds(60.0);
    site.steering.retune(tuned);
    assert_eq!(site.run(10.0, &[CONGESTED, HEALTHY]).target.sensitive, DEFAULT);
    site.steering.retune(params(2));
    assert_eq!(site.run(0.2, &[CONGESTED, HEALTHY]).target.sensitive, FIRST);
}

#[test]
fn a_flapping_wan_is_returned_to_late() {
    let mut site = SteeringFixture::new(2).settled();
    for _ in 0..2 {
        site.run(60.0, &[CONGESTED, HEALTHY]);
        site.run(200.0, &[HEALTHY, HEALTHY]);
    }
    // It was well for 200 s in between, and has to be for 400 s.
    let decision = site.last.clone().unwrap();
    assert_eq!(decision.steer.blocker, Some(Blocker::FlapDamping));
    assert_eq!((decision.target.sensitive, site.moves.len()), (FIRST, 3));
    let flap_damping =
        decision.steer.timers.iter().find(|timer| timer.kind == TimerKind::FlapDamping);
    assert!(flap_damping.is_some_and(|left| left.remaining > seconds(180.0)), "{flap_damping:?}");
    assert_eq!(site.run(190.0, &[HEALTHY, HEALTHY]).target.sensitive, FIRST);
    assert_eq!(site.run(20.0, &[HEALTHY, HEALTHY]).target.sensitive, DEFAULT);
    // A congested alternate is left.
    site.run(60.0, &[CONGESTED, HEALTHY]);
    site.run(20.0, &[HEALTHY, HEALTHY]);
    assert_eq!(site.run(20.0, &[HEALTHY, CONGESTED]).target.sensitive, DEFAULT);
}

#[test]
fn a_wan_that_keeps_dying_is_returned_to_late_unless_the_other_is_metered() {
    for (metered, returned) in [(false, FIRST), (true, DEFAULT)] {
        let mut params = params(2);
        params.wans[1].metered = metered;
        let mut site = SteeringFixture::with(params).settled();
        for _ in 0..2 {
            site.run(30.0, &[DEAD, HEALTHY]);
            site.run(300.0, &[HEALTHY, HEALTHY]);
        }
        let decision = site.last.clone().unwrap();
        assert_eq!(decision.target.default_route, returned);
        let blocker = (!metered).then_some(Blocker::FlapDamping);
        assert_eq!(decision.failover.blocker, blocker);
        // Nobody waits where it is worse.
        let decision = site.run(3.0, &[HEALTHY, CONGESTED]);
        assert_eq!(decision.target, RouteTarget::default());
    }
}
