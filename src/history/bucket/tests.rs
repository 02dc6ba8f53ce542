use proptest::prelude::*;

use super::*;

/// A bucket of one cycle with these delays and this rate.
fn of(rtt: i64, delta: Option<i64>, kbps: i64) -> Bucket {
    let mut bucket = Bucket::default();
    bucket.put(Column::Cycles, 1);
    bucket.put(Column::SpanMs, 50);
    for (kind, value) in [(DelayKind::Rtt, Some(rtt)), (DelayKind::Delta, delta)] {
        let Some(value) = value else { continue };
        let [count, sum, min, max] = Column::delay(kind);
        bucket.put(count, 1);
        for column in [sum, min, max] {
            bucket.put(column, value);
        }
        bucket.put_delay(kind, value);
    }
    let [time, sum, min, max] =
        DirectionColumn::rate(RateKind::Desired).map(|column| column.of(Direction::Upload));
    bucket.put(time, 50);
    bucket.put(sum, kbps * 50);
    bucket.put(min, kbps);
    bucket.put(max, kbps);
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
    assert_eq!(sum.share_above(DelayKind::Rtt, Delay::from_micros(50_000)), Some(1.0 / 3.0));
    let rate = sum.rate(Direction::Upload, RateKind::Desired).unwrap();
    let mbps = [20.0, 30.0, 40.0].map(BitRate::from_mbps);
    assert_eq!([rate.min, rate.mean, rate.max], mbps);
    assert_eq!(sum.rate(Direction::Download, RateKind::Desired), None);
    assert_eq!(
        (sum.value("rtt_max_us"), sum.value("download_desired_min_kbps")),
        (Some(70_000), None)
    );
    assert_eq!((sum.value("delta_p50_us"), sum.value("no_such_column")), (Some(-500), None));
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
