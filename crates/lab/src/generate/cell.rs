//! A mobile cell.

use std::time::Duration;

use fastrand::Rng;
use wanctl_core::{PerDirection, units::BitRate};

use super::{
    Conditions, bins, seed_of,
    walk::{Spells, Walk},
};

/// The share of the cell that is left to us wanders within seconds, by a factor of about 1.5 up
/// and down.
const SHARE_TAU: Duration = Duration::from_secs(4);
const SHARE_SPREAD: f64 = 0.4;
/// The radio channel moves faster, and less.
const CHANNEL_TAU: Duration = Duration::from_millis(400);
const CHANNEL_SPREAD: f64 = 0.2;
/// No cell gives more than this of its nominal rate.
const MOST: f64 = 2.2;
/// A fade: a building, a handover.
const FADE_EVERY: Duration = Duration::from_secs(18);
const FADE_LASTS: (Duration, Duration) = (Duration::from_millis(600), Duration::from_secs(5));
const FADE_LEAVES: (f64, f64) = (0.05, 0.35);

/// Makes a cell on the move: wide wander within seconds, and now and then a fade.
#[must_use]
pub fn lte(nominal: PerDirection<BitRate>, span: Duration, seed: u64) -> Conditions {
    let grain = Duration::from_millis(100);
    Conditions::of(bins(nominal, span, grain, |direction| {
        let mut rng = Rng::with_seed(seed_of(seed, direction));
        let mut share = Walk::new(SHARE_TAU, &mut rng);
        let mut channel = Walk::new(CHANNEL_TAU, &mut rng);
        // A fade is one of the place: it meets both directions.
        let mut place = Rng::with_seed(seed);
        let mut fades = Spells::new(FADE_EVERY, FADE_LASTS, FADE_LEAVES, &mut place);
        move |at| {
            let share = SHARE_SPREAD * share.step(grain, &mut rng);
            let channel = CHANNEL_SPREAD * channel.step(grain, &mut rng);
            (share + channel).exp().min(MOST) * fades.at(at, &mut place).unwrap_or(1.0)
        }
    }))
}
