use super::*;

const NOW: MonoTime = MonoTime::from_millis(5_000);

fn rate(mbps: u64) -> BitRate {
    BitRate::from_bps(mbps * 1_000_000)
}

fn write(limit: u64, is_cut: bool) -> Write {
    Write { queue: 0, limit: rate(limit), is_cut }
}

/// One queue that the router enforces at `limit`, written just now.
fn settled(limit: u64) -> Reconciler {
    let mut r = Reconciler::new(Pace::default(), 1);
    r.want(0, rate(limit), NOW);
    r.observed(0, rate(limit), NOW, NOW);
    r.begin(write(limit, true), NOW);
    r.confirmed(write(limit, true), rate(limit), NOW);
    r
}

#[test]
fn nothing_is_written_before_the_router_was_read() {
    let mut r = Reconciler::new(Pace::default(), 1);
    r.want(0, rate(50), MonoTime::ZERO);
    assert_eq!(r.due(MonoTime::from_millis(10_000)), None);
    r.observed(0, rate(80), MonoTime::ZERO, MonoTime::ZERO);
    assert_eq!(r.due(MonoTime::ZERO), Some(write(50, true)));
}

#[test]
fn a_cut_goes_out_at_once_and_a_raise_waits_for_company() {
    let mut r = settled(50);
    r.want(0, rate(60), NOW);
    assert_eq!(r.due(NOW), None);
    assert_eq!(r.next_due(), Some(MonoTime::from_millis(5_100)));
    assert_eq!(r.due(MonoTime::from_millis(5_100)), Some(write(60, false)));
    r.want(0, rate(40), NOW);
    assert_eq!(r.due(NOW), Some(write(40, true)));
}

#[test]
fn what_is_in_force_is_never_written_again() {
    let mut r = settled(50);
    r.want(0, rate(50), MonoTime::from_millis(60_000));
    assert_eq!(r.due(MonoTime::from_millis(60_000)), None);
    assert_eq!(r.next_due(), None);
    assert_eq!(r.actuation(0).pending_since, None);
}

#[test]
fn a_difference_within_the_deadband_is_written_once_it_has_lasted() {
    let mut r = settled(1000);
    r.want(0, rate(995), NOW);
    assert_eq!(r.due(MonoTime::from_millis(14_900)), None);
    assert!(r.due(MonoTime::from_millis(15_000)).is_some());
}

#[test]
fn a_limit_that_was_changed_externally_is_reported_and_corrected() {
    let mut r = settled(50);
    let later = MonoTime::from_millis(9_000);
    r.observed(0, rate(50), later, later);
    let reported = r.observed(0, rate(900), later, later);
    assert_eq!(reported, Observation::Drifted { from: rate(50), to: rate(900) });
    assert_eq!(r.due(later), Some(write(50, true)));
}

#[test]
fn a_queue_without_limit_is_limited_at_once() {
    let mut r = settled(50);
    let later = MonoTime::from_millis(5_100);
    r.observed(0, BitRate::ZERO, later, later);
    assert_eq!(r.due(later), Some(write(50, true)));
}

#[test]
fn a_reading_that_a_write_has_overtaken_is_no_drift() {
    let mut r = settled(50);
    r.want(0, rate(20), NOW);
    r.begin(write(20, true), NOW);
    let asked = MonoTime::from_millis(5_010);
    assert_eq!(r.observed(0, rate(50), asked, asked), Observation::NoNews, "still in flight");
    r.confirmed(write(20, true), rate(20), MonoTime::from_millis(5_030));
    let read = MonoTime::from_millis(5_040);
    assert_eq!(r.observed(0, rate(50), asked, read), Observation::NoNews, "asked before");
    assert_eq!(r.actuation(0).observed, Some(rate(20)));
}

#[test]
fn after_a_failed_write_the_limit_is_unknown_until_it_is_read() {
    let mut r = settled(50);
    r.want(0, rate(20), NOW);
    r.begin(write(20, true), NOW);
    r.doubt(NOW);
    assert_eq!(r.due(NOW), None);
    assert!(r.actuation(0).pending_since.is_some());
    let later = MonoTime::from_millis(5_100);
    let before = MonoTime::from_millis(4_900);
    assert_eq!(r.observed(0, rate(50), before, later), Observation::NoNews);
    assert_eq!(r.actuation(0).observed, None, "asked before the failure");
    let reported = r.observed(0, rate(20), later, later);
    assert_eq!(reported, Observation::NoNews, "the write had arrived after all: no drift");
    assert_eq!(r.due(later), None);
}

#[test]
fn a_queue_that_is_refused_does_not_keep_the_others_waiting() {
    let mut r = Reconciler::new(Pace::default(), 2);
    for queue in 0..2 {
        r.observed(queue, rate(50), NOW, NOW);
        r.want(queue, rate(40), NOW);
    }
    let first = r.due(NOW).unwrap();
    r.begin(first, NOW);
    r.refused(first, NOW, Duration::from_secs(1));
    let second = r.due(NOW).unwrap();
    assert_ne!(first.queue, second.queue);
    r.begin(second, NOW);
    r.confirmed(second, rate(40), NOW);
    let later = MonoTime::from_millis(5_500);
    r.observed(first.queue, rate(50), later, later);
    assert_eq!(r.due(later), None, "it rests");
    assert_eq!(r.due(MonoTime::from_millis(6_000)).map(|w| w.queue), Some(first.queue));
}

#[test]
fn cuts_overtake_raises() {
    let mut r = Reconciler::new(Pace::default(), 2);
    for queue in 0..2 {
        r.observed(queue, rate(50), NOW, NOW);
    }
    r.want(0, rate(60), NOW);
    r.want(1, rate(40), NOW);
    assert_eq!(r.due(NOW).map(|write| write.queue), Some(1));
}

#[test]
fn the_budget_holds_raises_back_and_never_a_cut() {
    let mut r = Reconciler::new(Pace { raises_per_minute: 6, ..Pace::default() }, 1);
    r.observed(0, rate(10), NOW, NOW);
    let (mut now, mut raises) = (NOW, 0);
    for step in 1..=59 {
        now = NOW + Duration::from_secs(step);
        r.want(0, rate(10 + step), now);
        if let Some(write) = r.due(now) {
            r.confirmed(write, write.limit, now);
            raises += 1;
        }
    }
    assert_eq!(raises, 6);
    r.want(0, rate(5), now);
    assert_eq!(r.due(now).map(|write| write.is_cut), Some(true));
    r.want(0, rate(90), now);
    assert!(r.due(NOW + Duration::from_secs(62)).is_some(), "the first raise is a minute old");
}
