//! The operator's word.

use super::*;

fn pinned(site: &mut Site, to: Rank, for_seconds: f64) {
    let until = site.now + seconds(for_seconds);
    site.steering.on_operator(Some(Manual { to, until }));
}

#[test]
fn the_operators_word_holds_until_it_runs_out() {
    let mut site = Site::new(2).settled();
    pinned(&mut site, FIRST, 60.0);
    let decision = site.run(0.1, &[FAIR, FAIR]);
    assert_eq!((decision.target.sensitive, decision.steer.state), (FIRST, SteerState::Pinned));
    assert_eq!(decision.steer.reason, SteerReason::Manual);
    assert_eq!(site.run(59.0, &[FAIR, FAIR]).steer.state, SteerState::Pinned);
    // Then the automatic decision finds home well, and returns in its own time.
    let decision = site.run(2.0, &[FAIR, FAIR]);
    assert_eq!(decision.steer.state, SteerState::Recovering);
    assert_eq!(site.run(11.0, &[FAIR, FAIR]).target.sensitive, HOME);
}

#[test]
fn the_operator_can_keep_connections_at_home() {
    let mut site = Site::new(2).settled();
    pinned(&mut site, HOME, 60.0);
    assert_eq!(site.run(59.0, &[FOUL, FAIR]).target.sensitive, HOME);
    assert_eq!(site.run(4.0, &[FOUL, FAIR]).target.sensitive, FIRST);
    // Taken back, the automatic decision is in charge at once.
    pinned(&mut site, HOME, 3600.0);
    assert_eq!(site.run(0.1, &[FOUL, FAIR]).target.sensitive, HOME);
    site.steering.on_operator(None);
    assert_eq!(site.run(3.0, &[FOUL, FAIR]).target.sensitive, FIRST);
}

#[test]
fn a_dead_wan_is_refused_even_to_the_operator() {
    let mut site = Site::new(2).settled();
    site.run(5.0, &[FAIR, DEAD]);
    pinned(&mut site, FIRST, 60.0);
    let decision = site.run(1.0, &[FAIR, DEAD]);
    assert_eq!(decision.target.sensitive, HOME);
    assert_eq!(decision.steer.blocker, Some(Blocker::ManualRefused));
    // One without a rule is refused as well, and a rank that does not exist.
    pinned(&mut site, Rank(7), 60.0);
    let decision = site.run(1.0, &[FAIR, FAIR]);
    assert_eq!(decision.steer.blocker, Some(Blocker::ManualRefused));
}

#[test]
fn everything_else_fails_over_whatever_the_operator_said() {
    let mut site = Site::new(3).settled();
    pinned(&mut site, SECOND, 600.0);
    let decision = site.run(2.0, &[DEAD, FAIR, FAIR]);
    assert_eq!(decision.target, RouteTarget { sensitive: SECOND, carrier: FIRST });
}
