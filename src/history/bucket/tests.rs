use proptest::prelude::*;

use super::*;
use crate::history::Field;

#[test]
fn the_columns_of_a_group_stand_in_the_order_of_its_enumeration() {
    let is = |place: usize, name: &str| assert_eq!(COLUMNS[place].0, name);
    for state in MeasurementState::ALL {
        is(Column::measurement(state), &format!("{}_ms", state.name()));
    }
    for method in ProbeMethod::ALL {
        is(Column::method(method), &format!("{}_ms", method.name()));
    }
    is(Column::delay(DelayKind::Rtt)[3], "rtt_max_us");
    is(Column::delay(DelayKind::Delta)[0], "delta_cycles");
    for state in CongestionState::ALL {
        let place = DirectionColumn::state(Direction::Upload, state);
        is(place, &format!("upload_{}_ms", state.name()));
    }
    for (kind, name) in [(RateKind::Desired, "desired"), (RateKind::Capacity, "capacity")] {
        let [time, .., max] = DirectionColumn::rate(Direction::Download, kind);
        is(time, &format!("download_{name}_ms"));
        is(max, &format!("download_{name}_max_kbps"));
    }
}

/// A bucket of one cycle with these delays and this rate.
fn of(rtt: i64, delta: Option<i64>, kbps: i64) -> Bucket {
    let mut bucket = Bucket::default();
    bucket.put(Column::Cycles, 1);
    bucket.put(Column::SpanMs, 50);
    bucket.put_delay(DelayKind::Rtt, rtt);
    if let Some(delta) = delta {
        bucket.put_delay(DelayKind::Delta, delta);
    }
    bucket.put_rate(Direction::Upload, RateKind::Desired, kbps, 50);
    bucket
}

fn all(buckets: &[Bucket]) -> Bucket {
    let mut sum = Bucket::default();
    for bucket in buckets {
        sum.merge(bucket);
    }
    sum
}

#[test]
fn figures_are_those_of_all_cycles() {
    let delta = Some(-500);
    let sum = all(&[of(20_000, delta, 40_000), of(30_000, None, 20_000), of(70_000, None, 30_000)]);
    let rtt = sum.delay(DelayKind::Rtt).unwrap();
    assert_eq!([rtt.min, rtt.mean, rtt.max].map(Delay::micros), [20_000, 40_000, 70_000]);
    assert_eq!(sum.delay(DelayKind::Delta).unwrap().cycles, 1);
    assert_eq!(sum.quantile(DelayKind::Delta, 0.95), Some(Delay::from_micros(-500)));
    assert_eq!(sum.above(DelayKind::Rtt, Delay::from_micros(50_000)), 1);
    let rate = sum.rate(Direction::Upload, RateKind::Desired).unwrap();
    let mbps = [20.0, 30.0, 40.0].map(BitRate::from_mbps);
    assert_eq!([rate.min, rate.mean, rate.max], mbps);
    assert_eq!(sum.rate(Direction::Download, RateKind::Desired), None);
    let value = |name| Field::named(name).unwrap().value(&sum);
    assert_eq!((value("rtt_max_us"), value("download_desired_min_bps")), (Some(70_000), None));
    assert_eq!(value("delta_p50_us"), Some(-500));
}

#[test]
fn an_empty_bucket_knows_nothing_and_changes_nothing() {
    let mut bucket = of(20_000, None, 1);
    bucket.merge(&Bucket::default());
    assert_eq!(bucket, of(20_000, None, 1));
    assert_eq!((Bucket::default().cycles(), Bucket::default().delay(DelayKind::Rtt)), (0, None));
}

proptest! {
    #[test]
    fn the_order_of_merging_means_nothing(
        cycles in prop::collection::vec((0_i64..200_000, prop::option::of(-9_000_i64..99_000)), 1..30),
        cut in 0_usize..30,
    ) {
        let mut buckets: Vec<_> = cycles.iter().map(|&(rtt, delta)| of(rtt, delta, rtt)).collect();
        let straight = all(&buckets);
        let cut = cut % buckets.len();
        let halves = [all(&buckets[cut..]), all(&buckets[..cut])];
        prop_assert_eq!(&all(&halves), &straight);
        buckets.reverse();
        prop_assert_eq!(&all(&buckets), &straight);
    }
}
