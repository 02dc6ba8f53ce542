use super::*;
use crate::{
    CongestionState,
    steering::{
        Reach, TimerKind,
        fixture::{Site, Weather, obedient, params},
    },
};

mod bad_input;
mod late;
mod operator;
mod properties;
mod restart;

const FAIR: Weather = Weather::FAIR;
const FOUL: Weather = Weather::FOUL;
const DEAD: Weather = Weather::DEAD;
const HOME: Rank = Rank::HOME;
const FIRST: Rank = Rank(1);
const SECOND: Rank = Rank(2);

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

#[test]
fn connections_leave_a_wan_that_suffers_and_come_back_when_it_is_well() {
    let mut site = Site::new(2).settled();
    let decision = site.run(1.0, &[FOUL, FAIR]);
    assert_eq!(decision.target.sensitive, HOME);
    assert_eq!(decision.steer.state, SteerState::Confirming);
    assert_eq!(decision.steer.blocker, Some(Blocker::Sustain));
    assert!(decision.steer.score.points >= 55, "{:?}", decision.steer.score);

    let decision = site.run(1.5, &[FOUL, FAIR]);
    assert_eq!(decision.target, RouteTarget { sensitive: FIRST, carrier: HOME });
    assert!(decision.steer.timers.iter().any(|timer| timer.kind == TimerKind::HoldDown));

    let decision = site.run(20.0, &[FAIR, FAIR]);
    assert_eq!((decision.target.sensitive, decision.steer.reason), (FIRST, SteerReason::HoldDown));
    let decision = site.run(12.0, &[FAIR, FAIR]);
    assert_eq!(decision.steer.state, SteerState::Recovering);
    let decision = site.run(10.0, &[FAIR, FAIR]);
    assert_eq!((decision.target.sensitive, decision.steer.state), (HOME, SteerState::Home));
    assert_eq!(site.moves.len(), 2);
}

#[test]
fn a_dead_carrier_is_left_within_two_seconds_and_returned_to_late() {
    let mut site = Site::new(2).settled();
    let died = site.now;
    site.run(2.0, &[DEAD, FAIR]);
    let left = site.moves.iter().find(|(_, what, ..)| *what == "carrier").unwrap();
    assert!(left.0.since(died) <= seconds(1.6), "{left:?}");
    let decision = site.last.clone().unwrap();
    assert_eq!(decision.target, RouteTarget { sensitive: FIRST, carrier: FIRST });
    assert_eq!(decision.steer.reason, SteerReason::Well);
    let withdrawn =
        decision.orders.iter().filter(|order| !order.enabled && order.switch.wan == HOME);
    assert_eq!(withdrawn.count(), 1);

    site.run(60.0, &[DEAD, FAIR]);
    // Ten seconds until it is proven up, two minutes until it is believed.
    let decision = site.run(125.0, &[FAIR, FAIR]);
    assert_eq!((decision.target.carrier, decision.failover.reason), (FIRST, FailoverReason::Away));
    assert_eq!(decision.failover.blocker, Some(Blocker::FailbackDelay));
    let decision = site.run(10.0, &[FAIR, FAIR]);
    assert_eq!(decision.target, RouteTarget::default());
}

#[test]
fn congestion_never_fails_over() {
    let mut site = Site::new(2).settled();
    site.run(120.0, &[FOUL, FOUL]);
    assert!(site.moves.iter().all(|(_, what, ..)| *what == "sensitive"), "{:?}", site.moves);
}

#[test]
fn an_hour_of_glitches_of_a_second_changes_nothing() {
    let mut site = Site::new(2).settled();
    for round in 0..180 {
        // Of one WAN, of the other, of both.
        let glitch = [[DEAD, FAIR], [FAIR, DEAD], [DEAD, DEAD]][round % 3];
        site.step = seconds(0.05);
        site.run(1.0, &glitch);
        site.step = seconds(0.25);
        site.run(19.0, &[FAIR, FAIR]);
    }
    assert_eq!(site.moves, []);
}

#[test]
fn of_many_wans_the_most_preferred_healthy_one_is_taken() {
    let mut site = Site::new(4).settled();
    let decision = site.run(3.0, &[FOUL, FOUL, FAIR, FAIR]);
    assert_eq!(decision.target.sensitive, SECOND);
    let mut site = Site::new(4).settled();
    let decision = site.run(3.0, &[DEAD, DEAD, FAIR, FAIR]);
    assert_eq!(decision.target.carrier, SECOND);
    // A better one that comes back takes over before home does.
    let decision = site.run(140.0, &[DEAD, FAIR, FAIR, FAIR]);
    assert_eq!(decision.target.carrier, FIRST);
}

#[test]
fn a_refuge_that_dies_is_left_for_home_or_for_a_third() {
    let mut site = Site::new(2).settled();
    site.run(3.0, &[FOUL, FAIR]);
    let decision = site.run(2.0, &[FOUL, DEAD]);
    assert_eq!(decision.target.sensitive, HOME);

    let mut site = Site::new(3).settled();
    site.run(3.0, &[FOUL, FAIR, FAIR]);
    let decision = site.run(2.0, &[DEAD, DEAD, FAIR]);
    assert_eq!(decision.target, RouteTarget { sensitive: SECOND, carrier: SECOND });
}

#[test]
fn a_refuge_that_suffers_more_is_left_once_the_hold_down_is_over() {
    let mut site = Site::new(2).settled();
    site.run(3.0, &[FOUL, FAIR]);
    let milder = Weather { state: CongestionState::SoftRed, delta_ms: 50.0, ..FOUL };
    let decision = site.run(10.0, &[milder, FOUL]);
    assert_eq!(decision.target.sensitive, FIRST);
    let decision = site.run(30.0, &[milder, FOUL]);
    assert_eq!(decision.target.sensitive, HOME);
}

#[test]
fn flapping_raises_the_threshold_for_a_while() {
    let mut params = params(2);
    params.steer.hold_down = seconds(1.0);
    params.steer.recovery.sustain = seconds(1.0);
    params.steer.actions.per_hour = 60;
    params.steer.patience = Duration::ZERO;
    // A score of 65 reaches 55, but not 70.
    let red = Weather { delta_ms: 100.0, at_floor: false, ..FOUL };
    let mut site = Site::with(params).settled();
    for _ in 0..4 {
        site.run(3.0, &[red, FAIR]);
        site.run(4.0, &[FAIR, FAIR]);
    }
    // The fifth change began a minute of penalty, and so did each after it.
    assert_eq!(site.moves.len(), 6, "{:?}", site.moves);
    let decision = site.last.clone().unwrap();
    assert_eq!(decision.steer.threshold, 70);
    let decision = site.run(3.0, &[red, FAIR]);
    assert_eq!(decision.steer.blocker, Some(Blocker::FlapPenalty));
    assert_eq!(decision.target.sensitive, HOME);
}

#[test]
fn the_hysteresis_preset_moves_on_colours_alone() {
    let mut params = params(2);
    params.steer = crate::steering::Preset::Hysteresis.steer();
    let mut site = Site::with(params).settled();
    assert_eq!(site.run(3.5, &[FOUL, FAIR]).target.sensitive, HOME);
    let decision = site.run(1.5, &[FOUL, FAIR]);
    assert_eq!(decision.target.sensitive, FIRST);
    // 30 s of GREEN, and a YELLOW in between begins them anew.
    let yellow = Weather { delta_ms: 20.0, ..FAIR };
    site.run(20.0, &[FAIR, FAIR]);
    site.run(1.0, &[yellow, FAIR]);
    assert_eq!(site.run(29.0, &[FAIR, FAIR]).target.sensitive, FIRST);
    assert_eq!(site.run(2.0, &[FAIR, FAIR]).target.sensitive, HOME);
}

#[test]
fn what_is_observed_is_decided_but_not_ordered() {
    let params = SteeringParams { mode: SteeringMode::Observe, ..params(2) };
    let mut site = Site::with(params);
    site.obeys = false;
    let mut site = site.settled();
    let decision = site.run(3.0, &[FOUL, FAIR]);
    assert_eq!(decision.target.sensitive, FIRST);
    assert!(!decision.acts && decision.orders.is_empty());
    let params = SteeringParams { mode: SteeringMode::Off, ..self::params(2) };
    let decision = Site::with(params).settled().run(3.0, &[DEAD, FAIR]);
    assert_eq!((decision.target, decision.acts), (RouteTarget::default(), false));
    assert_eq!(decision.steer.reason, SteerReason::Off);
}

#[test]
fn decisions_are_counted_by_reason() {
    let mut site = Site::new(2).settled();
    site.run(3.0, &[FOUL, FAIR]);
    let tally = site.steering.tally();
    assert_eq!(tally.steer.get(&SteerReason::Steer), Some(&1));
    assert!(tally.steer.get(&SteerReason::Well) > Some(&700));
    assert_eq!(tally.failover.keys().collect::<Vec<_>>(), [&FailoverReason::Well]);
}

#[test]
fn whoever_begins_to_act_starts_from_what_the_router_does() {
    let params = SteeringParams { mode: SteeringMode::Observe, ..params(2) };
    let mut site = Site::with(params.clone());
    site.obeys = false;
    let mut site = site.settled();
    assert_eq!(site.run(3.0, &[FOUL, FAIR]).target.sensitive, FIRST);
    // Imagined only: the router has not switched anything.
    site.steering.retune(SteeringParams { mode: SteeringMode::Active, ..params.clone() });
    let decision = site.run(0.1, &[FAIR, FAIR]);
    assert_eq!((decision.acts, decision.steer.reason), (false, SteerReason::Unseen));
    site.steering.on_actuation(obedient(&site.steering, None, site.now));
    let decision = site.run(0.1, &[FAIR, FAIR]);
    assert_eq!((decision.acts, decision.target), (true, RouteTarget::default()));
    // And back: nothing is ordered any more, and nothing left to be put to rest.
    site.steering.retune(params);
    let decision = site.run(3.0, &[FOUL, FAIR]);
    assert_eq!((decision.acts, decision.orders.len()), (false, 0));
    assert_eq!(site.steering.farewell(), []);
}

#[test]
fn limits_hold_from_when_they_are_changed() {
    let mut site = Site::new(2).settled();
    site.run(1.0, &[FOUL, FAIR]);
    let mut tuned = params(2);
    tuned.steer.sustain = seconds(60.0);
    site.steering.retune(tuned);
    assert_eq!(site.run(10.0, &[FOUL, FAIR]).target.sensitive, HOME);
    site.steering.retune(params(2));
    assert_eq!(site.run(0.2, &[FOUL, FAIR]).target.sensitive, FIRST);
}

#[test]
fn a_wan_that_keeps_relapsing_is_returned_to_late() {
    let mut site = Site::new(2).settled();
    for _ in 0..2 {
        site.run(60.0, &[FOUL, FAIR]);
        site.run(200.0, &[FAIR, FAIR]);
    }
    // It was well for 200 s in between, and has to be for 400 s.
    let decision = site.last.clone().unwrap();
    assert_eq!(decision.steer.blocker, Some(Blocker::Relapsing));
    assert_eq!((decision.target.sensitive, site.moves.len()), (FIRST, 3));
    let patience = decision.steer.timers.iter().find(|timer| timer.kind == TimerKind::Patience);
    assert!(patience.is_some_and(|left| left.remaining > seconds(180.0)), "{patience:?}");
    assert_eq!(site.run(190.0, &[FAIR, FAIR]).target.sensitive, FIRST);
    assert_eq!(site.run(20.0, &[FAIR, FAIR]).target.sensitive, HOME);
    // A refuge that suffers is no place to wait.
    site.run(60.0, &[FOUL, FAIR]);
    site.run(20.0, &[FAIR, FAIR]);
    assert_eq!(site.run(20.0, &[FAIR, FOUL]).target.sensitive, HOME);
}

#[test]
fn a_wan_that_keeps_dying_is_returned_to_late_unless_the_other_is_metered() {
    for (metered, returned) in [(false, FIRST), (true, HOME)] {
        let mut params = params(2);
        params.wans[1].metered = metered;
        let mut site = Site::with(params).settled();
        for _ in 0..2 {
            site.run(30.0, &[DEAD, FAIR]);
            site.run(300.0, &[FAIR, FAIR]);
        }
        let decision = site.last.clone().unwrap();
        assert_eq!(decision.target.carrier, returned);
        let blocker = (!metered).then_some(Blocker::Relapsing);
        assert_eq!(decision.failover.blocker, blocker);
        // Nobody waits where it is worse.
        let decision = site.run(3.0, &[FAIR, FOUL]);
        assert_eq!(decision.target, RouteTarget::default());
    }
}
