use super::*;

const NOMINAL: PerDirection<BitRate> = PerDirection {
    download: BitRate::from_bps(100_000_000),
    upload: BitRate::from_bps(20_000_000),
};
const SPAN: Duration = Duration::from_mins(20);

fn quantiles(trace: &Trace) -> [f64; 3] {
    [0.05, 0.5, 0.95].map(|quantile| trace.quantile(quantile).mbps())
}

#[test]
fn equal_seeds_give_equal_links_and_others_do_not() {
    for make in [cable, dsl, lte, starlink] {
        assert_eq!(make(NOMINAL, SPAN, 7), make(NOMINAL, SPAN, 7));
        assert_ne!(make(NOMINAL, SPAN, 7), make(NOMINAL, SPAN, 8));
        let Conditions { capacity, .. } = make(NOMINAL, SPAN, 7);
        assert!(capacity.each().iter().all(|(_, trace)| trace.round() == SPAN), "{capacity:?}");
    }
}

#[test]
fn an_evening_on_cable_sags_in_its_middle() {
    let Conditions { capacity, .. } = cable(NOMINAL, SPAN, 1);
    let mean = |from: u64, to: u64| {
        let rates = (from..to).map(|s| capacity.download.rate_at(Duration::from_secs(s)).mbps());
        rates.sum::<f64>() / (to - from) as f64
    };
    assert!(mean(0, 120) > 88.0, "early: {}", mean(0, 120));
    assert!((45.0..60.0).contains(&mean(540, 660)), "at its height: {}", mean(540, 660));
    assert!(mean(1080, 1200) > 88.0, "late: {}", mean(1080, 1200));
    // The upload sags less.
    assert!(quantiles(&capacity.upload)[0] > 11.0, "{:?}", quantiles(&capacity.upload));
}

#[test]
fn a_dsl_line_moves_only_when_it_synchronises() {
    let Conditions { capacity, .. } = dsl(NOMINAL, SPAN, 2);
    let rates: Vec<BitRate> =
        (0..1200).map(|s| capacity.download.rate_at(Duration::from_secs(s))).collect();
    let mut levels = rates.clone();
    levels.dedup();
    assert!((3..=11).contains(&levels.len()), "{levels:?}");
    let in_sync: Vec<BitRate> = levels.into_iter().filter(|rate| *rate > BitRate::ZERO).collect();
    assert!(in_sync.windows(2).all(|pair| pair[1] < pair[0]), "{in_sync:?}");
    // Both directions train at once.
    for (second, rate) in (0..).zip(&rates) {
        let upload = capacity.upload.rate_at(Duration::from_secs(second));
        assert_eq!(*rate == BitRate::ZERO, upload == BitRate::ZERO, "at {second} s");
    }
}

#[test]
fn a_cell_wanders_widely_around_its_nominal_rate() {
    for seed in 0..5 {
        let [low, middle, high] = quantiles(&lte(NOMINAL, SPAN, seed).capacity.download);
        assert!(low < 45.0, "5th percentile {low}");
        assert!((75.0..115.0).contains(&middle), "median {middle}");
        assert!(high > 150.0, "95th percentile {high}");
    }
}

#[test]
fn starlink_changes_every_fifteen_seconds() {
    let Conditions { capacity, base_rtt_steps } = starlink(NOMINAL, SPAN, 3);
    assert_eq!(base_rtt_steps.len(), 80);
    assert!(base_rtt_steps.windows(2).all(|pair| pair[1].0 == pair[0].0 + links::SLOT));
    let base_rtts = base_rtt_steps.iter().map(|(_, rtt)| rtt.as_millis());
    let (shortest, longest) = (base_rtts.clone().min().unwrap(), base_rtts.max().unwrap());
    assert!(shortest < 26 && longest > 44, "{shortest} to {longest} ms");
    // Within a slot little moves, from one to the next much does.
    let at = |slot: u64, ms: u64| {
        capacity.download.rate_at(Duration::from_millis(slot * 15_000 + ms)).mbps()
    };
    let close = (0..80).filter(|slot| (at(*slot, 6_000) / at(*slot, 6_200) - 1.0).abs() < 0.15);
    assert!(close.count() > 72);
    let far = (1..80).filter(|slot| (at(*slot, 500) / at(*slot, 0) - 1.0).abs() > 0.15);
    assert!(far.count() > 70, "handovers");
}

#[test]
fn events_come_when_they_are_scheduled() {
    let times = [20, 35, 60].map(Duration::from_secs);
    let low = PerDirection::build(|direction| NOMINAL[direction].scaled(0.4));
    let at = |made: &Conditions, s: u64| made.capacity.download.rate_at(Duration::from_secs(s));
    let halved = step(NOMINAL, low, times);
    let outage = outage(NOMINAL, times);
    for (second, left, lit) in [(19, 1.0, 1.0), (20, 0.4, 0.0), (34, 0.4, 0.0), (35, 1.0, 1.0)] {
        assert_eq!(at(&halved, second), NOMINAL.download.scaled(left), "at {second} s");
        assert_eq!(at(&outage, second), NOMINAL.download.scaled(lit), "at {second} s");
    }
    let [near, far] = [20, 120].map(Duration::from_millis);
    let moved = path_change(NOMINAL, near, times[0], far);
    assert_eq!(moved.base_rtt_steps, [(Duration::ZERO, near), (times[0], far)]);
}
