//! The operator's word.

use super::*;

fn overridden(site: &mut SteeringFixture, to: Rank, for_seconds: f64) {
    let until = site.now + seconds(for_seconds);
    site.steering.on_override(Some(SteerOverride { to, until }));
}

#[test]
fn the_operators_word_holds_until_it_runs_out() {
    let mut site = SteeringFixture::new(2).settled();
    overridden(&mut site, FIRST, 60.0);
    let decision = site.run(0.1, &[HEALTHY, HEALTHY]);
    assert_eq!((decision.target.sensitive, decision.steer.state), (FIRST, SteerState::Override));
    assert_eq!(decision.steer.reason, SteerReason::Override);
    assert_eq!(site.run(59.0, &[HEALTHY, HEALTHY]).steer.state, SteerState::Override);
    // Then the automatic decision finds the default WAN healthy, and returns in its own time.
    let decision = site.run(2.0, &[HEALTHY, HEALTHY]);
    assert_eq!(decision.steer.state, SteerState::Recovering);
    assert_eq!(site.run(11.0, &[HEALTHY, HEALTHY]).target.sensitive, DEFAULT);
}

#[test]
fn the_operator_can_keep_connections_on_the_default_wan() {
    let mut site = SteeringFixture::new(2).settled();
    overridden(&mut site, DEFAULT, 60.0);
    assert_eq!(site.run(59.0, &[CONGESTED, HEALTHY]).target.sensitive, DEFAULT);
    assert_eq!(site.run(4.0, &[CONGESTED, HEALTHY]).target.sensitive, FIRST);
    // Taken back, the automatic decision is in charge at once.
    overridden(&mut site, DEFAULT, 3600.0);
    assert_eq!(site.run(0.1, &[CONGESTED, HEALTHY]).target.sensitive, DEFAULT);
    site.steering.on_override(None);
    assert_eq!(site.run(3.0, &[CONGESTED, HEALTHY]).target.sensitive, FIRST);
}

#[test]
fn a_dead_wan_is_refused_even_to_the_operator() {
    let mut site = SteeringFixture::new(2).settled();
    site.run(5.0, &[HEALTHY, DEAD]);
    overridden(&mut site, FIRST, 60.0);
    let decision = site.run(1.0, &[HEALTHY, DEAD]);
    assert_eq!(decision.target.sensitive, DEFAULT);
    assert_eq!(decision.steer.blocker, Some(Blocker::OverrideRefused));
    // One without a rule is refused as well, and a rank that does not exist.
    overridden(&mut site, Rank(7), 60.0);
    let decision = site.run(1.0, &[HEALTHY, HEALTHY]);
    assert_eq!(decision.steer.blocker, Some(Blocker::OverrideRefused));
}

#[test]
fn everything_else_fails_over_whatever_the_operator_said() {
    let mut site = SteeringFixture::new(3).settled();
    overridden(&mut site, SECOND, 600.0);
    let decision = site.run(2.0, &[DEAD, HEALTHY, HEALTHY]);
    assert_eq!(decision.target, RouteTarget { sensitive: SECOND, default_route: FIRST });
}
