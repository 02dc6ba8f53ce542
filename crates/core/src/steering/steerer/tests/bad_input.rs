//! What cannot be relied on: each case is reported by its code, and none leaves traffic on a dead WAN
//! while another one is known to work.

use super::*;
use crate::steering::{FailoverMethod, Switch, SwitchKind};

/// Runs a congested default WAN with an alternate in some condition, and returns the blockers.
fn blocker(alternate: WanConditions) -> (Rank, Option<Blocker>) {
    let mut site = SteeringFixture::new(2).settled();
    let decision = site.run(4.0, &[CONGESTED, alternate]);
    (decision.target.sensitive, decision.steer.blocker)
}

#[test]
fn an_alternate_that_is_not_fit_is_not_taken() {
    let red = CongestionState::Red;
    for (alternate, code) in [
        (DEAD, Blocker::AlternateDown),
        (WanConditions { state: red, ..HEALTHY }, Blocker::AlternateCongested),
        (WanConditions { share: 0.9, ..HEALTHY }, Blocker::AlternateLoaded),
        (WanConditions { share: -1.0, ..HEALTHY }, Blocker::AlternateLoadUnknown),
        (WanConditions { rtt_ms: 145.0, ..HEALTHY }, Blocker::AlternateNotBetter),
    ] {
        assert_eq!(blocker(alternate), (DEFAULT, Some(code)), "{alternate:?}");
    }
}

#[test]
fn both_down_is_held_and_said_and_the_first_to_answer_is_taken() {
    let mut site = SteeringFixture::new(2).settled();
    let decision = site.run(60.0, &[DEAD, DEAD]);
    assert_eq!(decision.target, RouteTarget::default());
    assert_eq!(decision.failover.reason, FailoverReason::AllDown);
    assert_eq!(decision.steer.reason, SteerReason::AllDown);
    assert_eq!(site.moves, []);
    let decision = site.run(11.0, &[DEAD, HEALTHY]);
    assert_eq!(decision.target.default_route, FIRST);
    // Away, and both dead: the default WAN is good enough as soon as it answers.
    site.run(10.0, &[DEAD, DEAD]);
    let decision = site.run(0.2, &[HEALTHY, DEAD]);
    assert_eq!(decision.target, RouteTarget::default());
}

#[test]
fn stale_cycles_are_no_evidence() {
    let mut site = SteeringFixture::new(2).settled();
    let decision = site.run_without_cycles(600.0);
    assert_eq!(site.moves, []);
    assert_eq!(decision.steer.reason, SteerReason::Stale);
    assert_eq!(decision.failover.reason, FailoverReason::Stale);
    assert!(decision.wans.iter().all(|wan| wan.stale));

    // Only the alternate's cycles are missing.
    let mut site = SteeringFixture::new(2).settled();
    let decision = site.run(4.0, &[CONGESTED]);
    assert_eq!(decision.steer.blocker, Some(Blocker::AlternateStale));
    let decision = site.run(4.0, &[DEAD]);
    assert_eq!(decision.failover.blocker, Some(Blocker::AlternateStale));
    assert_eq!(site.moves, []);
}

#[test]
fn a_dead_wan_whose_cycles_stop_is_still_dead() {
    let mut site = SteeringFixture::new(2).settled();
    site.run(5.0, &[HEALTHY, DEAD]);
    let until = site.now + seconds(600.0);
    site.steering.on_override(Some(SteerOverride { to: FIRST, until }));
    assert_eq!(site.run(10.0, &[HEALTHY]).steer.blocker, Some(Blocker::OverrideRefused));
    assert_eq!(site.moves, []);
}

#[test]
fn a_wan_whose_probes_cannot_be_sent_is_left_every_time() {
    for settled in [true, false] {
        let mut params = params(2);
        params.failover.flap_damping = Duration::ZERO;
        let mut site = SteeringFixture::with(params);
        if settled {
            site = site.settled();
        }
        for round in 0..2 {
            // Twelve seconds until the alternate of a fresh start is proven up.
            let decision = site.run(12.0, &[WanConditions::UNSENT, HEALTHY]);
            assert_eq!(decision.target.default_route, FIRST, "settled {settled}, round {round}");
            assert_eq!(decision.wans[0].reach, Reach::Down);
            assert!(decision.wans[0].cannot_send_since.is_some());
            assert_eq!(decision.wans[0].score.points, 0, "that is no congestion");
            site.step = seconds(0.5);
            assert_eq!(site.run(700.0, &[HEALTHY, HEALTHY]).target, RouteTarget::default());
            site.step = seconds(0.05);
        }
        let reasons = site.steering.tally().failover.keys();
        let silent = reasons.filter(|reason| **reason == FailoverReason::NoReplies);
        assert_eq!(silent.count(), 0, "it is not called silence");
    }
}

#[test]
fn if_no_wan_can_send_nothing_is_moved_and_the_fault_is_on_this_side() {
    for settled in [true, false] {
        let mut site = SteeringFixture::new(2);
        if settled {
            site = site.settled();
        }
        let decision = site.run(60.0, &[WanConditions::UNSENT, WanConditions::UNSENT]);
        assert_eq!(decision.failover.reason, FailoverReason::NoneCanSend);
        assert!(decision.wans.iter().all(|wan| wan.reach != Reach::Down), "{:?}", decision.wans);
        assert_eq!(site.moves, []);
    }
}

#[test]
fn after_a_common_outage_the_default_wan_is_not_left_for_an_alternate_that_was_proven_first() {
    let mut site = SteeringFixture::new(2).settled();
    site.run(20.0, &[DEAD, DEAD]);
    // The alternate answers two seconds before the default WAN does.
    site.run(2.0, &[DEAD, HEALTHY]);
    let decision = site.run(8.5, &[HEALTHY, HEALTHY]);
    assert_eq!((decision.wans[0].reach, decision.wans[1].reach), (Reach::Down, Reach::Up));
    assert_eq!(decision.failover.reason, FailoverReason::AnswersAgain);
    assert_eq!(decision.steer.reason, SteerReason::AnswersAgain);
    let decision = site.run(60.0, &[HEALTHY, HEALTHY]);
    assert_eq!((decision.target, site.moves.len()), (RouteTarget::default(), 0));
    // A default WAN that falls silent again is left as ever.
    site.run(20.0, &[DEAD, DEAD]);
    site.run(11.0, &[HEALTHY, HEALTHY]);
    assert_eq!(site.run(2.0, &[DEAD, HEALTHY]).target.default_route, FIRST);
}

#[test]
fn connections_do_not_return_to_a_default_wan_that_dies_with_their_alternate() {
    let mut params = params(2);
    params.wans.iter_mut().for_each(|wan| wan.failover_method = None);
    let mut site = SteeringFixture::with(params).settled();
    assert_eq!(site.run(5.0, &[DEAD, HEALTHY]).target.sensitive, FIRST);
    // Home begins to answer again, but both are cut within half a second.
    site.run(3.0, &[HEALTHY, HEALTHY]);
    site.run(0.5, &[HEALTHY, DEAD]);
    let decision = site.run(5.0, &[DEAD, DEAD]);
    assert_eq!((decision.target.sensitive, decision.steer.reason), (FIRST, SteerReason::AllDown));
    assert_eq!(site.moves.len(), 1);
    assert_eq!(site.run(0.2, &[HEALTHY, DEAD]).target.sensitive, DEFAULT);
}

#[test]
fn a_wan_that_is_there_twice_is_never_moved_to() {
    let mut params = params(2);
    params.wans[1].place = 0;
    let mut site = SteeringFixture::with(params).settled();
    site.run(5.0, &[CONGESTED, CONGESTED]);
    let decision = site.run(5.0, &[DEAD, DEAD]);
    assert_eq!(site.moves, []);
    assert_eq!(decision.failover.blocker, Some(Blocker::AlternateStale));
}

#[test]
fn a_metered_wan_serves_failover_and_not_steering() {
    let mut params = params(2);
    params.wans[1].metered = true;
    let mut site = SteeringFixture::with(params.clone()).settled();
    let decision = site.run(5.0, &[CONGESTED, HEALTHY]);
    assert_eq!(decision.steer.blocker, Some(Blocker::AlternateMetered));
    assert_eq!(decision.target.sensitive, DEFAULT);
    let decision = site.run(2.0, &[DEAD, HEALTHY]);
    assert_eq!(decision.target.default_route, FIRST);
    params.steer.allow_metered = true;
    let mut site = SteeringFixture::with(params).settled();
    assert_eq!(site.run(5.0, &[CONGESTED, HEALTHY]).target.sensitive, FIRST);
}

#[test]
fn without_a_switch_for_a_failover_the_sensitive_connections_still_leave_a_dead_wan() {
    let mut params = params(2);
    params.wans[0].failover_method = None;
    let mut site = SteeringFixture::with(params).settled();
    let decision = site.run(2.0, &[DEAD, HEALTHY]);
    assert_eq!(decision.failover.reason, FailoverReason::Blocked);
    assert_eq!(decision.failover.blocker, Some(Blocker::NoSwitch));
    assert_eq!(decision.target, RouteTarget { sensitive: FIRST, default_route: DEFAULT });
    assert_eq!(decision.steer.reason, SteerReason::NotRecovered);
}

#[test]
fn a_rule_that_the_router_cannot_offer_is_not_counted_on() {
    let mut site = SteeringFixture::new(3).settled();
    site.applies = false;
    let mut actuation = applied(&site.steering, site.last.as_ref(), site.now);
    for report in &mut actuation.switches {
        report.refused = report.switch == Switch { wan: FIRST, kind: SwitchKind::SteerRule };
    }
    site.steering.on_actuation(actuation);
    let decision = site.run(3.0, &[CONGESTED, HEALTHY, HEALTHY]);
    assert_eq!(decision.target.sensitive, SECOND);
}

#[test]
fn a_router_that_is_late_or_in_doubt_is_waited_for_except_in_need() {
    for in_doubt in [false, true] {
        let mut site = SteeringFixture::new(2).settled();
        site.run(3.0, &[CONGESTED, HEALTHY]);
        site.applies = false;
        let mut actuation = applied(&site.steering, site.last.as_ref(), site.now);
        let report = &mut actuation.switches[1];
        assert_eq!(report.switch, Switch { wan: FIRST, kind: SwitchKind::SteerRule });
        (report.pending_since, report.in_doubt) = (Some(site.now), in_doubt);
        site.steering.on_actuation(actuation);
        // The hold-down does not begin before the router has followed.
        let decision = site.run(300.0, &[HEALTHY, HEALTHY]);
        assert_eq!(decision.target.sensitive, FIRST);
        assert_eq!(decision.in_doubt.len(), usize::from(in_doubt));
        let decision = site.run(2.0, &[HEALTHY, DEAD]);
        assert_eq!(decision.target.sensitive, DEFAULT, "need does not wait");
    }
}

#[test]
fn a_rule_that_diverts_leaves_the_routes_alone() {
    let mut params = params(2);
    params.wans[1].failover_method = Some(FailoverMethod::EnableRule);
    let mut site = SteeringFixture::with(params).settled();
    let decision = site.run(2.0, &[DEAD, HEALTHY]);
    let enabled = |kind| decision.orders.iter().find(|o| o.switch.kind == kind).unwrap().enabled;
    assert!(enabled(SwitchKind::FailoverRule) && enabled(SwitchKind::FailoverRoute));
    assert!(!enabled(SwitchKind::SteerRule), "what goes with everything else needs no rule");
}
