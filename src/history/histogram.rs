//! A mergeable histogram of delays, for percentiles of all cycles of a bucket.
//!
//! The layout is that of `HdrHistogram` (<https://hdrhistogram.org>): linear steps, doubled in width with
//! each power of two. A delay of `v` µs falls into bucket `b(|v| / 64)` with the sign of `v`, where
//! `b(m)` is `m` below 16, and above has 16 equal steps to each doubling:
//! `16·(e - 3) + (m >> (e - 4)) - 16` with `e = ⌊log₂ m⌋`. A percentile is the middle of its bucket,
//! so its error is at most 3.2 % or 32 µs, whichever is more, however often histograms were merged.
//! The crate `hdrhistogram` knows neither negative values nor this stored form.
//!
//! Stored, it is a sequence of LEB128 pairs in ascending order of buckets: the step from the bucket
//! before (the first: from 0, zigzag-encoded) and the count.

/// Width of the finest buckets in µs.
const UNIT: i64 = 64;
/// Steps to each doubling.
const STEPS: i64 = 16;
/// No row counts more cycles in one bucket: at 20 a second it is seven years.
const MOST: u64 = u32::MAX as u64;

/// How many cycles had which delay.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Histogram {
    /// Buckets in ascending order with their counts. Not a map: to sum up a year is to merge
    /// thousands of these, and two sorted lists merge in one pass.
    counts: Vec<(i64, u64)>,
}

impl Histogram {
    /// Counts a delay in µs.
    pub(super) fn add(&mut self, micros: i64) {
        let bucket = bucket_of(micros);
        match self.counts.binary_search_by_key(&bucket, |&(bucket, _)| bucket) {
            Ok(place) => self.counts[place].1 += 1,
            Err(place) => self.counts.insert(place, (bucket, 1)),
        }
    }

    /// Counts what `other` has counted.
    pub(super) fn merge(&mut self, other: &Self) {
        let mut place = 0;
        for &(bucket, count) in &other.counts {
            place += self.counts[place..].iter().take_while(|&&(ours, _)| ours < bucket).count();
            match self.counts.get_mut(place) {
                Some((ours, sum)) if *ours == bucket => *sum += count,
                _ => self.counts.insert(place, (bucket, count)),
            }
        }
    }

    /// Returns the delay in µs that a share of `quantile` (0 to 1) does not exceed (nearest rank),
    /// or `None` if nothing was counted.
    pub(super) fn quantile(&self, quantile: f64) -> Option<i64> {
        let total: u64 = self.counts.iter().map(|(_, count)| count).sum();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "`as` saturates"
        )]
        let wanted = ((total as f64 * quantile).ceil() as u64).clamp(1, total.max(1));
        let mut passed = 0;
        let reached = self.counts.iter().find(|(_, count)| {
            passed += count;
            passed >= wanted
        });
        reached.map(|&(bucket, _)| middle_of(bucket))
    }

    /// Returns how many of the counted delays are higher than `micros`; those of the bucket that
    /// holds `micros` are not.
    pub(super) fn above(&self, micros: i64) -> u64 {
        let limit = bucket_of(micros);
        let above = self.counts.iter().filter(|&&(bucket, _)| bucket > limit);
        above.map(|(_, count)| count).sum()
    }

    /// Returns the sum of the counted delays in µs that are higher than zero, right to the width
    /// of their buckets.
    pub(super) fn positive_sum(&self) -> i64 {
        let positive = self.counts.iter().filter(|&&(bucket, _)| bucket > 0);
        positive.fold(0, |sum, &(bucket, count)| {
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            sum.saturating_add(middle_of(bucket).saturating_mul(count))
        })
    }

    /// Returns the stored form.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(3 * self.counts.len());
        let mut before: Option<i64> = None;
        for &(bucket, count) in &self.counts {
            let step = match before {
                Some(before) => (bucket - before).unsigned_abs(),
                None => zigzag(bucket),
            };
            put(&mut bytes, step);
            put(&mut bytes, count);
            before = Some(bucket);
        }
        bytes
    }

    /// Reads the stored form. It ends where it makes no sense, as after a stranger's edit.
    pub(super) fn decode(mut bytes: &[u8]) -> Self {
        let mut counts: Vec<(i64, u64)> = Vec::with_capacity(bytes.len() / 2);
        while let (Some(step), Some(count)) = (take(&mut bytes), take(&mut bytes)) {
            let bucket = match counts.last() {
                Some((before, _)) => before.saturating_add_unsigned(step),
                None => unzigzag(step),
            };
            let is_ascending = counts.last().is_none_or(|&(before, _)| bucket > before);
            if !is_ascending || bucket.abs() > bucket_of(i64::MAX) || count > MOST {
                break;
            }
            counts.push((bucket, count));
        }
        Self { counts }
    }
}

fn bucket_of(micros: i64) -> i64 {
    let scaled = i64::try_from(micros.unsigned_abs()).unwrap_or(i64::MAX) / UNIT;
    let bucket = if scaled < STEPS {
        scaled
    } else {
        let doublings = i64::from(scaled.ilog2());
        STEPS * (doublings - 3) + (scaled >> (doublings - 4)) - STEPS
    };
    if micros < 0 { -bucket } else { bucket }
}

fn middle_of(bucket: i64) -> i64 {
    let place = bucket.abs();
    let middle = if place < STEPS {
        // Bucket 0 reaches to both sides of zero.
        if place == 0 { 0 } else { place * UNIT + UNIT / 2 }
    } else {
        let doublings = (place / STEPS + 3).min(62);
        let width = UNIT.saturating_mul(1 << (doublings - 4));
        (place % STEPS + STEPS).saturating_mul(width).saturating_add(width / 2)
    };
    if bucket < 0 { -middle } else { middle }
}

fn zigzag(value: i64) -> u64 {
    value.unsigned_abs() << 1 | u64::from(value < 0)
}

fn unzigzag(value: u64) -> i64 {
    let magnitude = i64::try_from(value >> 1).unwrap_or(i64::MAX);
    if value & 1 == 1 { -magnitude } else { magnitude }
}

fn put(bytes: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        bytes.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    bytes.push(value.to_le_bytes()[0]);
}

fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(delays: &[i64]) -> Histogram {
        let mut histogram = Histogram::default();
        for &delay in delays {
            histogram.add(delay);
        }
        histogram
    }

    proptest! {
        #[test]
        fn a_percentile_is_within_its_bound(
            mut delays in prop::collection::vec(-100_000_i64..10_000_000, 1..200),
            quantile in 0.0..1.0_f64,
        ) {
            let reported = of(&delays).quantile(quantile).unwrap();
            delays.sort_unstable();
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small")]
            let rank = ((delays.len() as f64 * quantile).ceil() as usize).max(1);
            let exact = delays[rank - 1];
            let bound = (exact.abs() as f64 * 0.032).max(64.0);
            prop_assert!((reported - exact).abs() as f64 <= bound, "{reported} for {exact}");
        }

        #[test]
        fn merged_and_stored_it_is_the_histogram_of_all(
            one in prop::collection::vec(any::<i64>(), 0..50),
            other in prop::collection::vec(-1000_i64..100_000, 0..50),
        ) {
            let mut merged = Histogram::decode(&of(&one).encode());
            merged.merge(&Histogram::decode(&of(&other).encode()));
            prop_assert_eq!(merged, of(&[one, other].concat()));
        }

        #[test]
        fn nonsense_is_survived(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let mut histogram = Histogram::decode(&bytes);
            prop_assert_eq!(&Histogram::decode(&histogram.encode()), &histogram);
            histogram.merge(&histogram.clone());
            let _ = (histogram.quantile(0.95), histogram.above(0), histogram.positive_sum());
        }
    }

    #[test]
    fn a_bucket_holds_its_middle_and_buckets_ascend() {
        for bucket in -300..300 {
            assert_eq!(bucket_of(middle_of(bucket)), bucket);
            assert!(middle_of(bucket) < middle_of(bucket + 1));
        }
    }

    #[test]
    fn above_counts_the_higher_buckets() {
        let histogram = of(&[1_000, 20_000, 20_000, 90_000]);
        assert_eq!((histogram.above(15_000), histogram.above(50_000)), (3, 1));
        assert_eq!((histogram.above(-5_000_000), histogram.above(100_000)), (4, 0));
        assert_eq!(Histogram::default().quantile(0.5), None);
    }
}
