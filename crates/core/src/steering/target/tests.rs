use super::{
    super::fixture::{applied, facts, params},
    *,
};
use crate::steering::Steering;

const THREE: [usize; 3] = [0, 1, 2];

fn target(sensitive: usize, default_route: usize) -> RouteTarget {
    RouteTarget { sensitive: Rank(sensitive), default_route: Rank(default_route) }
}

/// Lists what is enabled for a target, as `kind` and rank.
fn enabled(switches: &[Switch], target: RouteTarget) -> Vec<(&'static str, usize)> {
    let on = orders(switches, target).into_iter().filter(|order| order.enabled);
    on.map(|order| (order.switch.kind.name(), order.switch.wan.0)).collect()
}

#[test]
fn routes_are_withdrawn_up_to_the_default_route_and_rules_enabled_for_it_alone() {
    let routes = switches(&THREE.map(facts));
    for (to, on) in [
        (target(0, 0), vec![("failover_route", 0), ("failover_route", 1), ("failover_route", 2)]),
        (
            target(2, 0),
            vec![
                ("failover_route", 0),
                ("failover_route", 1),
                ("steer_rule", 2),
                ("failover_route", 2),
            ],
        ),
        (target(1, 1), vec![("failover_route", 1), ("failover_route", 2)]),
        (target(1, 2), vec![("steer_rule", 1), ("failover_route", 2)]),
    ] {
        assert_eq!(enabled(&routes, to), on, "{to:?}");
    }
    let mut wans = THREE.map(facts);
    wans[2].failover_method = Some(FailoverMethod::EnableRule);
    wans[2].has_steer6 = true;
    let rules = switches(&wans);
    for (to, on) in [
        (target(0, 0), vec![("failover_route", 0), ("failover_route", 1)]),
        (
            target(2, 0),
            vec![
                ("failover_route", 0),
                ("failover_route", 1),
                ("steer_rule", 2),
                ("steer_rule6", 2),
            ],
        ),
        (target(2, 2), vec![("failover_route", 0), ("failover_route", 1), ("failover_rule", 2)]),
    ] {
        assert_eq!(enabled(&rules, to), on, "{to:?}");
    }
}

#[test]
fn ways_are_opened_before_others_are_closed() {
    let orders = orders(&switches(&THREE.map(facts)), target(2, 1));
    let first_closed = orders.iter().position(|order| !order.enabled).unwrap();
    assert!(orders[first_closed..].iter().all(|order| !order.enabled), "{orders:?}");
}

#[test]
fn what_was_ordered_is_what_is_read_back() {
    let steering = Steering::new(params(3), MonoTime::ZERO);
    for (sensitive, default_route) in [(0, 0), (1, 0), (2, 0), (1, 1), (2, 1), (2, 2), (1, 2)] {
        let to = target(sensitive, default_route);
        let mut actuation = applied(&steering, None, MonoTime::ZERO);
        for order in orders(steering.switches(), to) {
            let report = actuation.switches.iter_mut().find(|r| r.switch == order.switch).unwrap();
            report.seen = Some((order.enabled, MonoTime::ZERO));
        }
        assert_eq!(actuation.read_back(steering.switches(), 3), to);
    }
}

#[test]
fn a_router_on_which_every_route_is_withdrawn_uses_the_default_wan() {
    let steering = Steering::new(params(3), MonoTime::ZERO);
    let mut actuation = applied(&steering, None, MonoTime::ZERO);
    actuation.switches.iter_mut().for_each(|report| report.seen = Some((false, MonoTime::ZERO)));
    assert_eq!(actuation.read_back(steering.switches(), 3), target(0, 0));
}

#[test]
fn a_wan_can_carry_if_there_is_a_rule_for_it_or_all_before_it_can_be_withdrawn() {
    let mut wans = THREE.map(facts);
    wans[1].failover_method = None;
    let found = |wans: &[WanFacts], rank| {
        needed_for_default_route(&switches(wans), Rank(rank)).map(|needed| needed.len())
    };
    assert_eq!([0, 1, 2].map(|rank| found(&wans, rank)), [Some(0), Some(1), None]);
    wans[2].failover_method = Some(FailoverMethod::EnableRule);
    assert_eq!(found(&wans, 2), Some(1));
    assert_eq!(found(&THREE.map(facts), 2), Some(2));
}
