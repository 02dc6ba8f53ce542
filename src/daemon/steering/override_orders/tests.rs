//! What the operator may say.

use wanctl_core::{Limits, PerDirection, units::BitRate};

use super::*;

const LIMITS: Limits = Limits {
    floor: BitRate::from_bps(1_000_000),
    base: BitRate::from_bps(2_000_000),
    ceiling: BitRate::from_bps(3_000_000),
};

fn overrides() -> OverrideOrders {
    let wan = |(place, (name, has_steer)): (usize, (&str, bool))| WanFacts {
        name: name.to_owned(),
        place,
        limits: PerDirection::build(|_| Some(LIMITS)),
        metered: false,
        has_steer,
        has_steer6: false,
        failover_method: None,
    };
    let wans = [("cable", false), ("dsl", false), ("lte", true)];
    OverrideOrders::new(
        wans.into_iter().enumerate().map(wan).collect(),
        None,
        Clock::start(),
        SteeringBoard::default(),
    )
}

fn ask(overrides: &OverrideOrders, to: &str, for_s: Option<u64>) -> OrderOutcome {
    let Source(obey) = overrides.source(|| true);
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().unwrap();
    runtime.block_on(obey(SteerRequest { to: to.to_owned(), for_s }))
}

#[test]
fn a_wan_is_chosen_by_its_name_or_its_part_and_let_go_again() {
    let overrides = overrides();
    for (to, rank) in [("lte", 2), ("alternate", 2), ("default", 0), ("cable", 0)] {
        assert!(matches!(ask(&overrides, to, Some(60)), OrderOutcome::Taken(_)), "{to}");
        assert_eq!(overrides.listen().borrow().unwrap().to, Rank(rank));
    }
    assert!(matches!(ask(&overrides, "auto", None), OrderOutcome::Done(_)));
    assert_eq!(*overrides.listen().borrow(), None);
}

#[test]
fn what_makes_no_sense_is_refused_in_one_line() {
    let overrides = overrides();
    let refusal = |to, for_s| match ask(&overrides, to, for_s) {
        OrderOutcome::Refused(why) => why,
        other => panic!("{other:?}"),
    };
    assert_eq!(refusal("fibre", None), "there is no WAN `fibre`; there are cable, dsl, lte");
    assert_eq!(refusal("dsl", None), "`dsl` has no `steer` rule");
    for seconds in [0, 86_401] {
        assert_eq!(refusal("lte", Some(seconds)), "the time must be above 0 and at most 24 h");
    }
    let nobody = OverrideOrders::nobody();
    assert!(matches!(ask(&nobody, "auto", None), OrderOutcome::Refused(_)));
    let Source(forbidden) = overrides.source(|| false);
    let request = SteerRequest { to: "lte".to_owned(), for_s: None };
    assert_eq!(
        forbidden(request).now_or_never(),
        Some(OrderOutcome::Forbidden("set http.allow_steer"))
    );
    assert_eq!(*overrides.listen().borrow(), None);
}

#[test]
fn what_is_left_of_an_override_survives_a_restart() {
    let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
    let kept =
        SavedSteering { steer_override: Some(("lte".to_owned(), at(100))), ..Default::default() };
    let restored = overrides();
    restored.restore(&kept, at(40));
    let steer_override = restored.listen().borrow().unwrap();
    let left = steer_override.until.since(restored.clock.unwrap().now());
    assert!(left <= Duration::from_mins(1) && left > Duration::from_secs(50), "{left:?}");
    let late = overrides();
    late.restore(&kept, at(101));
    assert_eq!(*late.listen().borrow(), None);
}
