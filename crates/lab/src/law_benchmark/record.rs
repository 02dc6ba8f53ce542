//! What was seen of a run, cycle by cycle.

use std::time::Duration;

use wanctl_core::{
    Direction, PerDirection,
    units::{BitRate, Delay, MonoTime},
};

/// One cycle of a run as an impartial onlooker sees it.
#[derive(Debug, Clone, Copy)]
pub struct Observation<'a> {
    /// The time.
    pub now: MonoTime,
    /// The rates that the shapers have; zero is unlimited.
    pub enforced: PerDirection<BitRate>,
    /// The link's true capacity.
    pub capacity: PerDirection<BitRate>,
    /// What the packets of a call felt beyond the base, as far as they came back since the
    /// observation before.
    pub monitor_delays: &'a [Delay],
    /// How many of them were found to be lost since then.
    pub monitor_lost: u32,
    /// Payload of greedy flows since the start, in bytes.
    pub delivered: PerDirection<u64>,
    /// Whether there are greedy flows.
    pub demand: PerDirection<bool>,
    /// Writes to the router since the start.
    pub writes: u64,
}

/// What is kept of one cycle.
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
    /// The longest delay over the base that a packet of the call felt; `None` if none came back.
    pub worst: Option<Delay>,
    /// Packets of the call that were lost.
    pub lost: u32,
}

impl RecordedCycle {
    /// Tells whether anybody wanted all there is.
    #[must_use]
    pub fn is_loaded(&self) -> bool {
        self.demand.download || self.demand.upload
    }

    /// Tells whether the shaper of `direction` let through more than the link could carry.
    pub(super) fn is_over(&self, direction: Direction) -> bool {
        let enforced = self.enforced[direction];
        enforced == BitRate::ZERO || enforced > self.capacity[direction]
    }
}

/// A whole run.
#[derive(Debug, Clone, Default)]
pub struct Record {
    /// Its cycles, in their order.
    pub moments: Vec<RecordedCycle>,
    /// What the call felt while the link was loaded, and while it was not.
    pub(super) delay_loaded: Vec<Delay>,
    pub(super) delay_idle: Vec<Delay>,
    pub(super) writes: u64,
}

impl Record {
    /// Adds what was seen of one more cycle.
    pub fn push(&mut self, seen: &Observation<'_>) {
        let Observation { now, enforced, capacity, monitor_delays, .. } = *seen;
        let moment = RecordedCycle {
            at: now.since_start(),
            enforced,
            capacity,
            delivered: seen.delivered,
            demand: seen.demand,
            worst: monitor_delays.iter().max().copied(),
            lost: seen.monitor_lost,
        };
        let delays = if moment.is_loaded() { &mut self.delay_loaded } else { &mut self.delay_idle };
        delays.extend_from_slice(monitor_delays);
        self.moments.push(moment);
        self.writes = seen.writes;
    }

    /// Returns how long the run was.
    #[must_use]
    pub fn duration(&self) -> Duration {
        self.moments.last().map_or(Duration::ZERO, |moment| moment.at)
    }
}
