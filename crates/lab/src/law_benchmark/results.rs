//! The results of a run.

use std::time::Duration;

use wanctl_core::{
    Direction, Limits, PerDirection,
    units::{BitRate, Delay},
};

use super::{
    changes::{answers_to_drops, answers_to_rises},
    record::{Record, RecordedCycle},
};
use crate::link::packet::PAYLOAD_SHARE;

/// A link counts as idle when there has been no greedy flow for this long: the queue of the last load
/// no longer shows in the probes.
const IDLE_AFTER: Duration = Duration::from_secs(2);

/// The results of a law; `None` where nothing happened that could be measured.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct LawResults {
    /// Delay over the base that the latency monitor measured while the link was loaded; all the time,
    /// if it never was.
    pub added_delay: Option<AddedDelay>,
    /// Share of the monitor's packets that were lost, 0 to 1, in the same time.
    pub lost: Option<f64>,
    /// Goodput over the payload that the capacity could carry, while there is demand: both
    /// directions, weighted by their time in demand.
    pub utilisation: Option<f64>,
    /// The same for each direction.
    pub utilisation_of: PerDirection<Option<f64>>,
    /// Share of the time in demand in which the shaper is above the capacity.
    pub over_capacity: Option<f64>,
    /// Mean time in seconds from a lasting drop of the capacity until the delay is low.
    pub reaction_down: Option<f64>,
    /// Mean time in seconds from a lasting rise of the capacity until the shaper has reached it.
    pub reaction_up: Option<f64>,
    /// Cuts below the base rate while the link is idle.
    pub idle_cuts: Option<u64>,
    /// Writes to the router, both directions.
    pub writes_per_hour: Option<f64>,
}

/// Percentiles of added delay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddedDelay {
    /// The median.
    pub p50: Delay,
    /// The 95th percentile.
    pub p95: Delay,
    /// The 99th percentile.
    pub p99: Delay,
}

/// Sums over one direction's time in demand.
#[derive(Debug, Clone, Copy, Default)]
struct Demand {
    seconds: f64,
    over: f64,
    delivered: f64,
    possible: f64,
}

impl LawResults {
    /// Sums up a run of a law that was given these limits.
    #[must_use]
    pub fn of(record: &Record, limits: PerDirection<Limits>) -> Self {
        let cycles = &record.cycles;
        let is_loaded = cycles.iter().any(RecordedCycle::is_loaded);
        let delays = if is_loaded { &record.delay_loaded } else { &record.delay_idle };
        let counted = cycles.iter().filter(|cycle| cycle.is_loaded() == is_loaded);
        let lost: u64 = counted.map(|cycle| u64::from(cycle.lost)).sum();
        let sent = delays.len() as f64 + lost as f64;
        let demand = PerDirection::build(|direction| demand(cycles, direction));
        let [download, upload] = demand.each().map(|(_, demand)| *demand);
        let in_demand = download.seconds + upload.seconds;
        let utilisation_of = PerDirection::build(|direction| demand[direction].utilisation());
        let weighted = demand.each().map(|(_, demand)| {
            demand.utilisation().map(|share| (share * demand.seconds, demand.seconds))
        });
        let weighted = weighted.into_iter().flatten().reduce(|a, b| (a.0 + b.0, a.1 + b.1));
        let drops = Direction::ALL.map(|direction| answers_to_drops(cycles, direction));
        let rises = Direction::ALL
            .map(|direction| answers_to_rises(cycles, direction, limits[direction].ceiling));
        let hours = record.duration().as_secs_f64() / 3600.0;
        Self {
            added_delay: AddedDelay::of(delays),
            lost: share(lost as f64, sent),
            utilisation: weighted
                .and_then(|(share_seconds, seconds)| share(share_seconds, seconds)),
            utilisation_of,
            over_capacity: share(download.over + upload.over, in_demand),
            reaction_down: mean(&drops.concat()),
            reaction_up: mean(&rises.concat()),
            idle_cuts: idle_cuts(cycles, limits),
            writes_per_hour: share(record.writes as f64, hours),
        }
    }
}

impl AddedDelay {
    fn of(delays: &[Delay]) -> Option<Self> {
        let mut sorted = delays.to_vec();
        sorted.sort_unstable();
        let last = sorted.len().checked_sub(1)?;
        // The nearest rank: a value that was measured.
        let [p50, p95, p99] = [50, 95, 99].map(|percent| sorted[(last * percent + 50) / 100]);
        Some(Self { p50, p95, p99 })
    }
}

impl Demand {
    fn utilisation(&self) -> Option<f64> {
        share(self.delivered, self.possible)
    }
}

fn demand(cycles: &[RecordedCycle], direction: Direction) -> Demand {
    let mut sum = Demand::default();
    for pair in cycles.windows(2) {
        let [before, now] = pair else { continue };
        if !now.demand[direction] {
            continue;
        }
        let seconds = now.at.saturating_sub(before.at).as_secs_f64();
        let delivered = now.delivered[direction].saturating_sub(before.delivered[direction]);
        let carried = now.capacity[direction].bytes_per_second() * seconds;
        sum.seconds += seconds;
        sum.over += if now.is_over(direction) { seconds } else { 0.0 };
        sum.delivered += delivered as f64;
        sum.possible += carried * PAYLOAD_SHARE;
    }
    sum
}

fn idle_cuts(cycles: &[RecordedCycle], limits: PerDirection<Limits>) -> Option<u64> {
    let mut busy = Duration::ZERO;
    let mut cuts = None;
    for pair in cycles.windows(2) {
        let [before, now] = pair else { continue };
        if now.is_loaded() {
            busy = now.at;
        }
        if now.at.saturating_sub(busy) < IDLE_AFTER {
            continue;
        }
        let is_cut = |direction: Direction| {
            let (was, is) = (before.enforced[direction], now.enforced[direction]);
            BitRate::ZERO < is && is < was && is < limits[direction].base
        };
        let seen = Direction::ALL.into_iter().filter(|direction| is_cut(*direction)).count();
        *cuts.get_or_insert(0) += seen as u64;
    }
    cuts
}

fn share(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

fn mean(values: &[f64]) -> Option<f64> {
    share(values.iter().sum(), values.len() as f64)
}

#[cfg(test)]
mod tests;
