use proptest::prelude::*;

use super::*;

fn at(seconds: u64) -> MonoTime {
    MonoTime::from_start(Duration::from_secs(seconds))
}

fn reset() -> RouterFault {
    RouterFault::Reset("it broke".into())
}

fn policy() -> RouterFault {
    RouterFault::Policy("no".into())
}

fn failover() -> TransportFailover {
    TransportFailover::new(TransportFailoverParams::default())
}

fn on_ssh() -> TransportFailover {
    let mut failover = failover();
    for second in [0, 3, 6] {
        failover.answered(Transport::Rest, Some(&reset()), at(second));
    }
    assert_eq!(failover.active(), Transport::Ssh);
    failover
}

#[test]
fn rest_is_left_when_it_fails_often_and_for_long() {
    for (failures, transport) in [
        (&[0, 1, 2, 3][..], Transport::Rest),
        (&[0, 9], Transport::Rest),
        (&[0, 1, 5], Transport::Ssh),
        (&[0, 3, 4, 6], Transport::Ssh),
    ] {
        let mut failover = failover();
        for second in failures {
            failover.answered(Transport::Rest, Some(&reset()), at(*second));
        }
        assert_eq!(failover.active(), transport, "{failures:?}");
    }
}

#[test]
fn an_answer_of_any_kind_proves_the_transport() {
    for proof in [None, Some(policy()), Some(RouterFault::Booting("?".into()))] {
        let mut failover = failover();
        for second in 0..60 {
            let fault = if second % 5 == 4 { proof.clone() } else { Some(reset()) };
            failover.answered(Transport::Rest, fault.as_ref(), at(second));
            assert_eq!(failover.active(), Transport::Rest, "{proof:?} at {second}");
        }
    }
}

#[test]
fn checks_become_rarer_while_they_fail() {
    let mut failover = on_ssh();
    let mut checks = Vec::new();
    for second in 6..1200 {
        if failover.begin_check(at(second)) {
            checks.push(second);
            failover.checked(false, at(second));
        }
    }
    assert_eq!(checks, [36, 96, 216, 456, 756, 1056]);
}

#[test]
fn rest_is_returned_to_after_good_checks_in_a_row() {
    let mut failover = on_ssh();
    let mut checks = [true, true, false, true, true, true].into_iter();
    let mut last = 0;
    for second in 6..1200 {
        if failover.begin_check(at(second)) {
            failover.checked(checks.next().unwrap(), at(second));
            last = second;
        }
    }
    assert_eq!((failover.active(), checks.next()), (Transport::Rest, None));
    // 36, 66, 96 (bad), 156, 186, 216.
    assert_eq!(last, 216);
}

#[test]
fn one_check_is_in_flight_at_a_time() {
    let mut failover = on_ssh();
    assert!(failover.begin_check(at(100)));
    assert!(!failover.begin_check(at(200)));
    failover.checked(true, at(201));
    assert!(!failover.begin_check(at(202)));
    assert!(failover.begin_check(at(231)));
}

#[test]
fn a_failing_ssh_makes_the_return_short() {
    for fault in [reset(), RouterFault::Unauthorized("ctl".into())] {
        let mut failover = on_ssh();
        failover.answered(Transport::Ssh, Some(&fault), at(7));
        assert!(!failover.begin_check(at(11)));
        assert!(failover.begin_check(at(12)));
        failover.checked(true, at(12));
        assert_eq!(failover.active(), Transport::Rest);
    }
}

#[test]
fn late_answers_of_the_other_transport_change_nothing() {
    let mut failover = on_ssh();
    failover.answered(Transport::Rest, None, at(7));
    failover.checked(true, at(8));
    assert_eq!(failover.active(), Transport::Ssh);
}

#[derive(Debug, Clone)]
enum Step {
    Answer { rest: bool, fault: u8 },
    Check { healthy: bool },
}

fn step() -> impl Strategy<Value = (Step, u64)> {
    let step = prop_oneof![
        (any::<bool>(), 0_u8..4).prop_map(|(rest, fault)| Step::Answer { rest, fault }),
        any::<bool>().prop_map(|healthy| Step::Check { healthy }),
    ];
    (step, 0_u64..20)
}

proptest! {
    /// REST is left only after enough transport faults of REST, and used again only after a good check.
    #[test]
    fn transports_change_for_their_reasons_only(
        steps in proptest::collection::vec(step(), 0..200),
    ) {
        let mut failover = failover();
        let (mut now, mut failures, mut since) = (0, 0, 0);
        for (step, pause) in steps {
            now += pause;
            let before = failover.active();
            let mut may_leave = false;
            let mut may_return = false;
            match step {
                Step::Answer { rest, fault } => {
                    let transport = if rest { Transport::Rest } else { Transport::Ssh };
                    let fault = match fault {
                        0 => None,
                        1 => Some(policy()),
                        _ => Some(reset()),
                    };
                    let of_transport = fault.as_ref().is_some_and(RouterFault::is_transport_fault);
                    if rest && before == Transport::Rest {
                        if of_transport && failures == 0 {
                            since = now;
                        }
                        failures = if of_transport { failures + 1 } else { 0 };
                        may_leave = failures >= 3 && now - since >= 5;
                    }
                    failover.answered(transport, fault.as_ref(), at(now));
                }
                Step::Check { healthy } => {
                    if failover.begin_check(at(now)) {
                        prop_assert!(!failover.begin_check(at(now)));
                        failover.checked(healthy, at(now));
                        may_return = healthy;
                    }
                }
            }
            match (before, failover.active()) {
                (Transport::Rest, Transport::Ssh) => {
                    prop_assert!(may_leave);
                    failures = 0;
                }
                (Transport::Rest, Transport::Rest) => prop_assert!(!may_leave),
                (Transport::Ssh, Transport::Rest) => prop_assert!(may_return),
                (Transport::Ssh, Transport::Ssh) => {}
            }
        }
    }
}
