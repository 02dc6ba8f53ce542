//! What the operator may say.

use wanctl_core::{Limits, PerDirection, units::BitRate};

use super::*;

const LIMITS: Limits = Limits {
    floor: BitRate::from_bps(1_000_000),
    base: BitRate::from_bps(2_000_000),
    ceiling: BitRate::from_bps(3_000_000),
};

fn operator() -> Operator {
    let wan = |(place, (name, has_steer)): (usize, (&str, bool))| WanFacts {
        name: name.to_owned(),
        place,
        limits: PerDirection::build(|_| Some(LIMITS)),
        metered: false,
        has_steer,
        has_steer6: false,
        diversion: None,
    };
    let wans = [("cable", false), ("dsl", false), ("lte", true)];
    Operator::new(
        wans.into_iter().enumerate().map(wan).collect(),
        None,
        Clock::start(),
        SteeringBoard::default(),
    )
}

fn ask(operator: &Operator, to: &str, for_s: Option<u64>) -> Steered {
    let SteerSource(obey) = operator.source(|| true);
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().unwrap();
    runtime.block_on(obey(SteerRequest { to: to.to_owned(), for_s }))
}

#[test]
fn a_wan_is_chosen_by_its_name_or_its_part_and_let_go_again() {
    let operator = operator();
    for (to, rank) in [("lte", 2), ("alternate", 2), ("primary", 0), ("cable", 0)] {
        assert!(matches!(ask(&operator, to, Some(60)), Steered::Taken(_)), "{to}");
        assert_eq!(operator.listen().borrow().unwrap().to, Rank(rank));
    }
    assert!(matches!(ask(&operator, "auto", None), Steered::Done(_)));
    assert_eq!(*operator.listen().borrow(), None);
}

#[test]
fn what_makes_no_sense_is_refused_in_one_line() {
    let operator = operator();
    let refusal = |to, for_s| match ask(&operator, to, for_s) {
        Steered::Refused(why) => why,
        other => panic!("{other:?}"),
    };
    assert_eq!(refusal("fibre", None), "there is no WAN `fibre`; there are cable, dsl, lte");
    assert_eq!(refusal("dsl", None), "`dsl` has no `steer` rule");
    for seconds in [0, 86_401] {
        assert_eq!(refusal("lte", Some(seconds)), "the time must be above zero and at most 24 h");
    }
    let nobody = Operator::nobody();
    assert!(matches!(ask(&nobody, "auto", None), Steered::Refused(_)));
    let SteerSource(forbidden) = operator.source(|| false);
    let request = SteerRequest { to: "lte".to_owned(), for_s: None };
    assert_eq!(forbidden(request).now_or_never(), Some(Steered::Forbidden));
    assert_eq!(*operator.listen().borrow(), None);
}

#[test]
fn what_is_left_of_an_override_survives_a_restart() {
    let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
    let kept = KeptSteering { manual: Some(("lte".to_owned(), at(100))), ..Default::default() };
    let restored = operator();
    restored.restore(&kept, at(40));
    let manual = restored.listen().borrow().unwrap();
    let left = manual.until.since(restored.clock.unwrap().now());
    assert!(left <= Duration::from_mins(1) && left > Duration::from_secs(50), "{left:?}");
    let late = operator();
    late.restore(&kept, at(101));
    assert_eq!(*late.listen().borrow(), None);
}
