//! The links that are made by chance: cable, LTE, DSL and Starlink. Equal seeds give equal links.

use std::{f64::consts::PI, time::Duration};

use fastrand::Rng;
use wanctl_core::{Direction, PerDirection, units::BitRate};

use super::{
    Conditions, bins, seed_of,
    walk::{Spells, Walk, uniform},
};

/// What the evening takes of the capacity at its height, download and upload: the upload is
/// shared by as many users, but few of them send.
const SAG: PerDirection<f64> = PerDirection { download: 0.45, upload: 0.25 };
/// Spread of the slow wander, as a share of the capacity.
const CABLE_WANDER: f64 = 0.03;
/// A neighbour's download: now and then, for seconds, a good share.
const NEIGHBOUR_EVERY: Duration = Duration::from_secs(45);
const NEIGHBOUR_LASTS: (Duration, Duration) = (Duration::from_secs(4), Duration::from_secs(15));
const NEIGHBOUR_TAKES: (f64, f64) = (0.1, 0.35);

/// Makes an evening of length `span`: the capacity sags towards its middle and comes back.
pub(crate) fn cable(nominal: PerDirection<BitRate>, span: Duration, seed: u64) -> Conditions {
    let grain = Duration::from_millis(250);
    Conditions::of(bins(nominal, span, grain, |direction: Direction| {
        let mut rng = Rng::with_seed(seed_of(seed, direction));
        let mut wander = Walk::new(Duration::from_secs(8), &mut rng);
        let mut neighbours =
            Spells::new(NEIGHBOUR_EVERY, NEIGHBOUR_LASTS, NEIGHBOUR_TAKES, &mut rng);
        move |at| {
            let evening = (PI * at.as_secs_f64() / span.as_secs_f64()).sin().powi(2);
            let taken = neighbours.at(at, &mut rng).unwrap_or(0.0);
            let noise = CABLE_WANDER * wander.step(grain, &mut rng);
            ((1.0 - SAG[direction] * evening) * (1.0 - taken) + noise).min(1.05)
        }
    }))
}

/// The share of the cell that is left to us wanders within seconds, by a factor of about 1.5 up
/// and down.
const SHARE_TAU: Duration = Duration::from_secs(4);
const SHARE_SPREAD: f64 = 0.4;
/// The radio channel moves faster, and less.
const CHANNEL_TAU: Duration = Duration::from_millis(400);
const CHANNEL_SPREAD: f64 = 0.2;
/// No cell gives more than this of its nominal rate.
const CELL_MAX: f64 = 2.2;
/// A fade: a building, a handover.
const FADE_EVERY: Duration = Duration::from_secs(18);
const FADE_LASTS: (Duration, Duration) = (Duration::from_millis(600), Duration::from_secs(5));
const FADE_LEAVES: (f64, f64) = (0.05, 0.35);

/// Makes a cell on the move: wide wander within seconds, and now and then a fade.
pub(crate) fn lte(nominal: PerDirection<BitRate>, span: Duration, seed: u64) -> Conditions {
    let grain = Duration::from_millis(100);
    Conditions::of(bins(nominal, span, grain, |direction| {
        let mut rng = Rng::with_seed(seed_of(seed, direction));
        let mut share = Walk::new(SHARE_TAU, &mut rng);
        let mut channel = Walk::new(CHANNEL_TAU, &mut rng);
        // A fade affects both directions.
        let mut place = Rng::with_seed(seed);
        let mut fades = Spells::new(FADE_EVERY, FADE_LASTS, FADE_LEAVES, &mut place);
        move |at| {
            let share = SHARE_SPREAD * share.step(grain, &mut rng);
            let channel = CHANNEL_SPREAD * channel.step(grain, &mut rng);
            (share + channel).exp().min(CELL_MAX) * fades.at(at, &mut place).unwrap_or(1.0)
        }
    }))
}

/// Mean number of times that a line loses its synchronisation within the span.
const RESYNCS: u32 = 2;
/// How long the modems train.
const TRAINING: (Duration, Duration) = (Duration::from_secs(8), Duration::from_secs(20));
/// What a new agreement keeps of the rate before: noise made the old one fail.
const RESYNC_KEEPS: (f64, f64) = (0.65, 0.9);

/// Makes a steady line that rarely synchronises anew, to a lower rate, both directions at once.
pub(crate) fn dsl(nominal: PerDirection<BitRate>, span: Duration, seed: u64) -> Conditions {
    let grain = Duration::from_millis(500);
    Conditions::of(bins(nominal, span, grain, |_| {
        let mut rng = Rng::with_seed(seed);
        let mut training = Spells::new(span / RESYNCS, TRAINING, RESYNC_KEEPS, &mut rng);
        let (mut level, mut keeps) = (1.0, None);
        move |at| {
            let now = training.at(at, &mut rng);
            if let (None, Some(kept)) = (now, keeps) {
                level *= kept;
            }
            keeps = now;
            if now.is_some() { 0.0 } else { level }
        }
    }))
}

/// Time between two reconfigurations of the constellation.
pub(super) const SLOT: Duration = Duration::from_secs(15);
/// Share of the nominal rate by satellite.
const SLOT_LEVEL: (f64, f64) = (0.35, 1.0);
/// Base round-trip time by satellite, in ms.
const BASE_RTT_MS: (f64, f64) = (22.0, 48.0);
/// The first of a slot's bins of 100 ms is the handover, in which little flows.
const HANDOVER_LEAVES: f64 = 0.05;
/// Spread of the wander within a slot.
const SLOT_WANDER: f64 = 0.08;
/// An obstruction: nothing for a moment.
const BLOCKED_EVERY: Duration = Duration::from_secs(100);
const BLOCKED_LASTS: (Duration, Duration) = (Duration::from_millis(300), Duration::from_secs(2));

/// Makes a Starlink view: capacity and base round-trip time step every 15 s.
pub(crate) fn starlink(nominal: PerDirection<BitRate>, span: Duration, seed: u64) -> Conditions {
    let grain = Duration::from_millis(100);
    let capacity = bins(nominal, span, grain, |direction| {
        let mut rng = Rng::with_seed(seed_of(seed, direction));
        let mut wander = Walk::new(Duration::from_secs(2), &mut rng);
        // An obstruction blocks both directions.
        let mut place = Rng::with_seed(seed);
        let mut blocked = Spells::new(BLOCKED_EVERY, BLOCKED_LASTS, (0.0, 0.0), &mut place);
        let (mut slot, mut level) = (None, 0.0);
        move |at| {
            let wander = 1.0 + SLOT_WANDER * wander.step(grain, &mut rng);
            let is_blocked = blocked.at(at, &mut place).is_some();
            let begun = slot.replace(slot_at(at)) != slot;
            if begun {
                level = uniform(SLOT_LEVEL, &mut rng);
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
        .map(|at| (at, Duration::from_secs_f64(uniform(BASE_RTT_MS, &mut rng) / 1e3)))
        .collect();
    Conditions { capacity, base_rtt_steps }
}

fn slot_at(at: Duration) -> u128 {
    at.as_nanos() / SLOT.as_nanos()
}
