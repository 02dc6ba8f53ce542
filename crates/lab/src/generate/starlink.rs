//! Starlink: every 15 seconds another satellite.

use std::time::Duration;

use fastrand::Rng;
use wanctl_core::{PerDirection, units::BitRate};

use super::{
    Conditions, bins, seed_of,
    walk::{Spells, Walk},
};
use crate::capacity::uniform;

/// Time between two reconfigurations of the constellation.
pub(super) const SLOT: Duration = Duration::from_secs(15);
/// What a satellite gives of the nominal rate.
const LEVEL: std::ops::Range<f64> = 0.35..1.0;
/// Its base round-trip time in ms, which depends on how far the way is through the sky.
const BASE_RTT_MS: std::ops::Range<f64> = 22.0..48.0;
/// The first of a slot's bins of 100 ms is the handover, in which little flows.
const HANDOVER_LEAVES: f64 = 0.05;
/// Spread of the wander within a slot.
const WANDER: f64 = 0.08;
/// A tree, a mast: nothing for a moment.
const BLOCKED_EVERY: Duration = Duration::from_secs(100);
const BLOCKED_LASTS: (Duration, Duration) = (Duration::from_millis(300), Duration::from_secs(2));

/// Makes a view of the sky: capacity and base round-trip time step every 15 s.
#[must_use]
pub fn starlink(nominal: PerDirection<BitRate>, span: Duration, seed: u64) -> Conditions {
    let grain = Duration::from_millis(100);
    let capacity = bins(nominal, span, grain, |direction| {
        let mut rng = Rng::with_seed(seed_of(seed, direction));
        let mut wander = Walk::new(Duration::from_secs(2), &mut rng);
        // What blocks the view blocks both directions.
        let mut place = Rng::with_seed(seed);
        let mut blocked = Spells::new(BLOCKED_EVERY, BLOCKED_LASTS, (0.0, 0.0), &mut place);
        let (mut slot, mut level) = (None, 0.0);
        move |at| {
            let wander = 1.0 + WANDER * wander.step(grain, &mut rng);
            let is_blocked = blocked.at(at, &mut place).is_some();
            let begun = slot.replace(slot_at(at)) != slot;
            if begun {
                level = uniform(&mut rng, LEVEL);
            }
            match (is_blocked, begun && !at.is_zero()) {
                (true, _) => 0.0,
                (false, true) => HANDOVER_LEAVES,
                (false, false) => level * wander,
            }
        }
    });
    let mut rng = Rng::with_seed(seed ^ 0x5a7e_1117);
    let slots = (0_u32..).map(|slot| SLOT * slot).take_while(|at| *at < span);
    let base_rtt_steps = slots
        .map(|at| (at, Duration::from_secs_f64(uniform(&mut rng, BASE_RTT_MS) / 1e3)))
        .collect();
    Conditions { capacity, base_rtt_steps }
}

fn slot_at(at: Duration) -> u128 {
    at.as_nanos() / SLOT.as_nanos()
}
