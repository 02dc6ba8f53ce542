use super::*;

const LOOK: Duration = Duration::from_millis(250);

fn mbps(rate: f64) -> BitRate {
    BitRate::from_mbps(rate)
}

fn at(millis: u64) -> MonoTime {
    MonoTime::from_millis(millis)
}

#[test]
fn a_bound_holds_until_a_rate_well_beyond_it_has_been_in_force_for_long_enough() {
    let mut bounds = Bounds::default();
    bounds.met(at(0), mbps(20.0));
    bounds.passed(at(1000), mbps(20.5), LOOK);
    bounds.passed(at(2000), mbps(20.5), LOOK);
    assert_eq!(bounds.rate(), Some(mbps(20.0)), "an estimate errs by that much");
    bounds.passed(at(3000), mbps(21.8), LOOK);
    assert_eq!(bounds.rate(), Some(mbps(20.0)), "not looked at for long enough");
    bounds.passed(at(3200), mbps(21.8), LOOK);
    bounds.passed(at(3250), mbps(21.8), LOOK);
    assert_eq!(bounds.rate(), None);
}

#[test]
fn something_of_a_queue_interrupts_the_look() {
    let mut bounds = Bounds::default();
    bounds.met(at(0), mbps(20.0));
    bounds.passed(at(1000), mbps(22.0), LOOK);
    bounds.disturbed();
    bounds.passed(at(1300), mbps(22.0), LOOK);
    assert_eq!(bounds.rate(), Some(mbps(20.0)));
}

#[test]
fn what_was_possible_lately_is_asked_for_sooner() {
    let mut low = Bounds::default();
    low.met(at(1000), mbps(20.0));
    let mut proven = Bounds::default();
    proven.passed(at(0), mbps(50.0), LOOK);
    proven.met(at(1000), mbps(20.0));
    assert_eq!(proven.proven(at(1000)), Some(mbps(50.0)));
    let speed =
        |bounds: &Bounds, now| bounds.speed(at(now), mbps(19.8), &AdaptiveParams::default());
    assert!(speed(&proven, 2000) > 2.0 * speed(&low, 2000));
    let later = 1000 + 6 * 60_000;
    assert!(speed(&proven, later) <= speed(&low, later), "that was long ago");
}

#[test]
fn a_bound_that_lasts_is_left_alone_more_and_more() {
    let mut bounds = Bounds::default();
    bounds.met(at(0), mbps(20.0));
    let young = bounds.speed(at(1000), mbps(19.8), &AdaptiveParams::default());
    bounds.met(at(30_000), mbps(19.5));
    let old = bounds.speed(at(31_000), mbps(19.5), &AdaptiveParams::default());
    assert!(old < young, "{old} {young}");
    assert!(bounds.fickleness(at(31_000)) < 0.05);
}

#[test]
fn bounds_that_are_gone_at_once_are_not_believed() {
    let mut bounds = Bounds::default();
    for (n, rate) in [30.0, 9.0, 22.0, 4.0, 16.0, 8.0, 20.0, 5.0].into_iter().enumerate() {
        bounds.met(at(n as u64 * 300), mbps(rate));
    }
    assert!(bounds.fickleness(at(2200)) > 0.3, "{}", bounds.fickleness(at(2200)));
    assert!(
        bounds.limit(at(2200), &AdaptiveParams::default()) > Some(mbps(6.0)),
        "beyond it by much more than a tenth"
    );
    for _ in 0..80 {
        bounds.lived(Duration::from_millis(50), mbps(15.0));
    }
    assert!(bounds.expected(at(2200)) > Some(mbps(7.0)), "the usual rate is the better guess");
}
