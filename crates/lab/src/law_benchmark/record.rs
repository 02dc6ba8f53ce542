//! A run, cycle by cycle.

use std::time::Duration;

use wanctl_core::{
    Direction, PerDirection,
    units::{BitRate, Delay},
};

use crate::closed_loop::Step;

/// One cycle of a run.
#[derive(Debug, Clone, Copy)]
pub struct RecordedCycle {
    /// Time since the start of the run.
    pub at: Duration,
    /// The rates that the shapers had; zero is unlimited.
    pub enforced: PerDirection<BitRate>,
    /// The link's true capacity.
    pub capacity: PerDirection<BitRate>,
    /// Payload of greedy flows since the start, in bytes.
    pub delivered: PerDirection<u64>,
    /// Whether there were greedy flows.
    pub demand: PerDirection<bool>,
    /// The longest delay over the base of a packet of the latency monitor; `None` if none came back.
    pub worst: Option<Delay>,
    /// Packets of the latency monitor that were lost.
    pub lost: u32,
}

impl RecordedCycle {
    /// Returns whether there were greedy flows in any direction.
    #[must_use]
    pub fn is_loaded(&self) -> bool {
        self.demand.download || self.demand.upload
    }

    /// Returns whether the shaper of `direction` was above the link's capacity.
    pub(super) fn is_over(&self, direction: Direction) -> bool {
        let enforced = self.enforced[direction];
        enforced == BitRate::ZERO || enforced > self.capacity[direction]
    }
}

/// A whole run.
#[derive(Debug, Clone, Default)]
pub struct Record {
    /// Its cycles, in their order.
    pub cycles: Vec<RecordedCycle>,
    /// Delays of the latency monitor while the link was loaded, and while it was not.
    pub(super) delay_loaded: Vec<Delay>,
    pub(super) delay_idle: Vec<Delay>,
    pub(super) writes: u64,
}

impl Record {
    /// Adds one more cycle.
    pub fn push<C>(&mut self, step: &Step<'_, C>) {
        let cycle = RecordedCycle {
            at: step.now.since_start(),
            enforced: step.enforced,
            capacity: step.capacity,
            delivered: step.goodput,
            demand: step.wanted,
            worst: step.monitor_delays.iter().max().copied(),
            lost: step.monitor_lost,
        };
        let delays = if cycle.is_loaded() { &mut self.delay_loaded } else { &mut self.delay_idle };
        delays.extend_from_slice(step.monitor_delays);
        self.cycles.push(cycle);
        self.writes = step.writes.download + step.writes.upload;
    }

    /// Returns how long the run was.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.cycles.last().map_or(Duration::ZERO, |cycle| cycle.at)
    }
}
