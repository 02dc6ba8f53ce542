//! A cable segment: the whole street shares it, most of all in the evening.

use std::{f64::consts::PI, time::Duration};

use fastrand::Rng;
use wanctl_core::{Direction, PerDirection, units::BitRate};

use super::{
    Conditions, bins, seed_of,
    walk::{Spells, Walk},
};

/// What the evening takes of the capacity at its height, download and upload: the upload is
/// shared by as many homes, but few of them send.
const SAG: PerDirection<f64> = PerDirection { download: 0.45, upload: 0.25 };
/// Spread of the slow wander, as a share of the capacity.
const WANDER: f64 = 0.03;
/// A neighbour's download: now and then, for seconds, a good share.
const NEIGHBOUR_EVERY: Duration = Duration::from_secs(45);
const NEIGHBOUR_LASTS: (Duration, Duration) = (Duration::from_secs(4), Duration::from_secs(15));
const NEIGHBOUR_TAKES: (f64, f64) = (0.1, 0.35);

/// Makes an evening of length `span`: the capacity sags towards its middle and comes back.
#[must_use]
pub fn cable(nominal: PerDirection<BitRate>, span: Duration, seed: u64) -> Conditions {
    let grain = Duration::from_millis(250);
    Conditions::of(bins(nominal, span, grain, |direction: Direction| {
        let mut rng = Rng::with_seed(seed_of(seed, direction));
        let mut wander = Walk::new(Duration::from_secs(8), &mut rng);
        let mut neighbours =
            Spells::new(NEIGHBOUR_EVERY, NEIGHBOUR_LASTS, NEIGHBOUR_TAKES, &mut rng);
        move |at| {
            let evening = (PI * at.as_secs_f64() / span.as_secs_f64()).sin().powi(2);
            let taken = neighbours.at(at, &mut rng).unwrap_or(0.0);
            let noise = WANDER * wander.step(grain, &mut rng);
            ((1.0 - SAG[direction] * evening) * (1.0 - taken) + noise).min(1.05)
        }
    }))
}
