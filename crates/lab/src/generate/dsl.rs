//! A DSL line: steady, until the modems agree on another rate.

use std::time::Duration;

use fastrand::Rng;
use wanctl_core::{PerDirection, units::BitRate};

use super::{Conditions, bins, walk::Spells};

/// Mean number of times that a line loses its synchronisation within the span.
const RESYNCS: u32 = 2;
/// How long the modems train.
const TRAINING: (Duration, Duration) = (Duration::from_secs(8), Duration::from_secs(20));
/// What a new agreement keeps of the rate before: noise made the old one fail.
const KEPT: (f64, f64) = (0.65, 0.9);

/// Makes a steady line that rarely synchronises anew, to a lower rate, both directions at once.
#[must_use]
pub fn dsl(nominal: PerDirection<BitRate>, span: Duration, seed: u64) -> Conditions {
    let grain = Duration::from_millis(500);
    Conditions::of(bins(nominal, span, grain, |_| {
        let mut rng = Rng::with_seed(seed);
        let mut training = Spells::new(span / RESYNCS, TRAINING, KEPT, &mut rng);
        let (mut level, mut agreed) = (1.0, None);
        move |at| {
            let now = training.at(at, &mut rng);
            if let (None, Some(kept)) = (now, agreed) {
                level *= kept;
            }
            agreed = now;
            if now.is_some() { 0.0 } else { level }
        }
    }))
}
