use wanctl_core::units::MonoTime;

use super::*;
use crate::closed_loop::Step;

fn mbps(rate: f64) -> BitRate {
    BitRate::from_mbps(rate)
}

fn limits() -> PerDirection<Limits> {
    PerDirection::build(|_| Limits { floor: mbps(2.0), base: mbps(20.0), ceiling: mbps(60.0) })
}

/// What one direction, the download, looks like at a time in seconds.
struct Seen {
    capacity: f64,
    enforced: f64,
    delay: f64,
    demand: bool,
}

/// Makes a record of a link whose upload is unused; the payload is all that the shaper or the
/// link lets through.
fn record(seconds: u64, see: impl Fn(f64) -> Seen) -> Record {
    let mut record = Record::default();
    let mut delivered = 0.0;
    for n in 1..=seconds * 20 {
        let seen = see(n as f64 / 20.0);
        let through = seen.capacity.min(seen.enforced) * 1e6 / 8.0 * PAYLOAD_SHARE / 20.0;
        delivered += if seen.demand { through } else { 0.0 };
        let delays = [Delay::from_millis_f64(seen.delay); 2];
        let enforced = PerDirection { download: mbps(seen.enforced), upload: mbps(20.0) };
        record.push(&Step {
            now: MonoTime::from_millis(50 * n),
            controller: &(),
            desired: enforced,
            enforced,
            writes: PerDirection { download: n / 20, upload: 0 },
            capacity: PerDirection { download: mbps(seen.capacity), upload: mbps(20.0) },
            queue_delay: PerDirection::default(),
            monitor_delays: &delays,
            monitor_lost: 0,
            goodput: PerDirection {
                download: BitRate::from_bps(1).scaled(delivered).bps(),
                upload: 0,
            },
            wanted: PerDirection { download: seen.demand, upload: false },
        });
    }
    record
}

fn is_near(found: Option<f64>, expected: f64) -> bool {
    found.is_some_and(|found| (found - expected).abs() < 0.051)
}

#[test]
fn an_idle_link_has_no_figures_of_load() {
    let idle = record(60, |_| Seen { capacity: 50.0, enforced: 20.0, delay: 1.0, demand: false });
    let figures = LawResults::of(&idle, limits());
    assert_eq!(figures.added_delay.map(|delay| delay.p99), Some(Delay::from_millis_f64(1.0)));
    assert_eq!(figures.idle_cuts, Some(0));
    assert!(is_near(figures.writes_per_hour.map(|writes| writes / 3600.0), 1.0));
    let none = [figures.utilisation, figures.over_capacity, figures.reaction_down];
    assert_eq!(none, [None; 3]);
    assert_eq!(LawResults::of(&Record::default(), limits()), LawResults::default());
}

#[test]
fn utilisation_and_excess_are_shares_of_the_time_in_demand() {
    let seen = record(40, |at| Seen {
        capacity: 50.0,
        enforced: if at < 10.0 { 60.0 } else { 25.0 },
        delay: 0.0,
        demand: at < 20.0,
    });
    let figures = LawResults::of(&seen, limits());
    assert!(is_near(figures.utilisation, 0.75), "{figures:?}");
    assert!(is_near(figures.over_capacity, 0.5), "{figures:?}");
    assert_eq!(figures.utilisation_of.upload, None);
    assert!(figures.idle_cuts.is_some());
}

#[test]
fn delay_is_that_under_load_and_no_average() {
    let seen = record(100, |at| Seen {
        capacity: 50.0,
        enforced: 40.0,
        delay: if at < 50.0 {
            500.0
        } else if at < 54.0 {
            100.0
        } else {
            2.0
        },
        demand: at >= 50.0,
    });
    let AddedDelay { p50, p95, p99 } = LawResults::of(&seen, limits()).added_delay.unwrap();
    assert_eq!([p50, p95, p99].map(Delay::micros), [2_000, 100_000, 100_000]);
}

#[test]
fn a_drop_is_answered_when_the_delay_stays_calm() {
    let seen = |demand_ends: f64, calm_from: f64| {
        record(40, move |at| Seen {
            capacity: if at < 20.0 { 50.0 } else { 25.0 },
            enforced: 50.0,
            // Calm for a moment first, as a queue needs time to build, and once for too short.
            delay: match at {
                at if at < 20.1 || at >= calm_from || (21.0..21.9).contains(&at) => 3.0,
                _ => 200.0,
            },
            demand: at < demand_ends,
        })
    };
    let reaction = |record: &Record| LawResults::of(record, limits()).reaction_down;
    assert!(is_near(reaction(&seen(40.0, 23.5)), 3.5), "{:?}", reaction(&seen(40.0, 23.5)));
    // Never low: until the demand ended.
    assert!(is_near(reaction(&seen(30.0, 99.0)), 10.0), "{:?}", reaction(&seen(30.0, 99.0)));
    // Without demand there is no reaction.
    assert_eq!(reaction(&seen(15.0, 99.0)), None);
}

#[test]
fn a_dip_that_does_not_hold_is_no_drop() {
    let seen = record(30, |at| Seen {
        capacity: if (10.0..11.5).contains(&at) { 10.0 } else { 50.0 },
        enforced: 50.0,
        delay: 200.0,
        demand: true,
    });
    let figures = LawResults::of(&seen, limits());
    assert_eq!(figures.reaction_down, None);
    // The way back is a rise, which the shaper had followed before it came.
    assert!(is_near(figures.reaction_up, 0.0), "{figures:?}");
}

#[test]
fn a_rise_is_answered_at_nine_tenths_of_it_or_of_the_ceiling() {
    let seen = |high: f64| {
        record(40, move |at| Seen {
            capacity: if at < 20.0 { 20.0 } else { high },
            enforced: if at < 20.0 { 20.0 } else { (20.0 + 10.0 * (at - 20.0)).min(55.0) },
            delay: 1.0,
            demand: true,
        })
    };
    let reaction = |high: f64| LawResults::of(&seen(high), limits()).reaction_up;
    assert!(is_near(reaction(50.0), 2.5), "{:?}", reaction(50.0));
    // The ceiling is 60 Mbit/s.
    assert!(is_near(reaction(500.0), 3.4), "{:?}", reaction(500.0));
}

#[test]
fn only_cuts_below_the_base_rate_of_an_idle_link_count() {
    let seen = record(40, |at| Seen {
        capacity: 50.0,
        enforced: match at {
            // Under load, and while its end is still felt.
            at if at < 10.0 => 40.0,
            at if at < 11.0 => 10.0,
            // Decay to the base rate is none, three steps below it are.
            at if at < 20.0 => 30.0,
            at if at < 25.0 => 20.0,
            at if at < 26.0 => 19.0,
            at if at < 27.0 => 18.0,
            at if at < 28.0 => 17.0,
            _ => 20.0,
        },
        delay: 1.0,
        demand: at < 9.5,
    });
    assert_eq!(LawResults::of(&seen, limits()).idle_cuts, Some(3));
}
