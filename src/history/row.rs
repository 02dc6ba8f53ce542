//! A cycle and an event as the integers and texts that are stored.

use std::{sync::LazyLock, time::Duration};

use rusqlite::{Statement, params, params_from_iter};

use super::{Event, code::Coded, memory::MemoryRow, steering_memory::SteeringRow};
use crate::{
    control::{Cycle, Direction, DirectionCycle, QueueReading},
    units::{BitRate, Delay, Timestamp},
};

const WAN_COLUMNS: [&str; 12] = [
    "number",
    "measurement",
    "fresh",
    "votes",
    "bloated",
    "rtt_us",
    "baseline_us",
    "delta_us",
    "jitter_us",
    "lateness_us",
    "busy_us",
    "skipped",
];

const DIRECTION_COLUMNS: [&str; 11] = [
    "state",
    "reason",
    "load",
    "blamed",
    "achieved_bps",
    "desired_bps",
    "observed_bps",
    "backlog_bytes",
    "bytes",
    "packets",
    "drops",
];

const VALUES: usize = WAN_COLUMNS.len() + 2 * DIRECTION_COLUMNS.len();

/// Inserts a cycle, or does nothing if the WAN has a row at that microsecond.
pub(super) static INSERT_CYCLE: LazyLock<String> = LazyLock::new(|| {
    let mut columns = vec!["wan".to_owned(), "at".to_owned()];
    columns.extend(WAN_COLUMNS.map(str::to_owned));
    for direction in Direction::ALL {
        columns.extend(DIRECTION_COLUMNS.map(|column| format!("{}_{column}", direction.name())));
    }
    let columns = columns.join(", ");
    let marks = vec!["?"; 2 + VALUES].join(", ");
    format!("INSERT INTO cycle ({columns}) VALUES ({marks}) ON CONFLICT DO NOTHING")
});

/// Inserts an event.
pub(super) const INSERT_EVENT: &str =
    "INSERT INTO event (at, wan, kind, payload) VALUES (?1, ?2, ?3, ?4)";

/// One row of the table `cycle`, but for the database's number of its WAN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CycleRow {
    /// The WAN's place in the settings.
    pub(super) wan: usize,
    /// The moment of the cycle; the row may end up a little later, if that moment is taken.
    pub(super) at: Timestamp,
    values: [Option<i64>; VALUES],
}

impl CycleRow {
    /// Builds the row of `cycle`; counters are counted from those of `before`, the WAN's cycle
    /// before it.
    pub(super) fn new(cycle: &Cycle, before: Option<&Cycle>) -> Self {
        let mut values = [None; VALUES];
        let both = cycle.directions.each().map(|(direction, now)| {
            direction_values(now, before.and_then(|cycle| cycle.directions[direction].queue))
        });
        let all = wan_values(cycle).into_iter().chain(both.into_iter().flatten());
        for (slot, value) in values.iter_mut().zip(all) {
            *slot = value;
        }
        Self { wan: cycle.wan, at: cycle.wall, values }
    }

    /// Inserts the row as one of the WAN with the number `wan` at the microsecond `at`. Returns
    /// whether that moment was free.
    pub(super) fn insert(
        &self,
        statement: &mut Statement<'_>,
        wan: i64,
        at: i64,
    ) -> rusqlite::Result<bool> {
        let values = [Some(wan), Some(at)].into_iter().chain(self.values);
        Ok(statement.execute(params_from_iter(values))? > 0)
    }
}

fn wan_values(cycle: &Cycle) -> [Option<i64>; WAN_COLUMNS.len()] {
    let measurement = &cycle.measurement;
    [
        Some(int(cycle.number)),
        Some(measurement.state.to_code()),
        Some(measurement.fresh.into()),
        Some(measurement.votes.into()),
        Some(measurement.bloated.into()),
        measurement.rtt.map(Delay::micros),
        measurement.baseline.map(Delay::micros),
        measurement.delta.map(Delay::micros),
        measurement.jitter.map(Delay::micros),
        Some(micros(cycle.timing.lateness)),
        Some(micros(cycle.timing.busy)),
        Some(int(cycle.timing.skipped)),
    ]
}

fn direction_values(
    now: &DirectionCycle,
    before: Option<QueueReading>,
) -> [Option<i64>; DIRECTION_COLUMNS.len()] {
    let moved = |counter: fn(&QueueReading) -> u64| {
        let (now, before) = (counter(&now.queue?), counter(&before?));
        // A counter that fell was reset: what it shows now has been counted since.
        Some(int(now.checked_sub(before).unwrap_or(now)))
    };
    [
        Some(now.state.to_code()),
        Some(now.reason.to_code()),
        Some(now.load.class.to_code()),
        Some(now.blamed.into()),
        now.load.achieved.map(bps),
        Some(bps(now.desired)),
        now.actuation.observed.map(bps),
        now.queue.map(|queue| int(queue.backlog_bytes)),
        moved(|queue| queue.bytes),
        moved(|queue| queue.packets),
        moved(|queue| queue.dropped),
    ]
}

/// One row of the table `event`, but for the database's number of its WAN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EventRow {
    at: Timestamp,
    /// The WAN's place in the settings, or `None` if the event is not about one WAN.
    pub(super) wan: Option<usize>,
    kind: &'static str,
    payload: String,
}

impl EventRow {
    pub(super) fn new(at: Timestamp, wan: Option<usize>, event: &Event) -> Self {
        Self { at, wan, kind: event.kind(), payload: event.payload() }
    }

    /// Inserts the row as one of the WAN with the number `wan`.
    pub(super) fn insert(
        &self,
        statement: &mut Statement<'_>,
        wan: Option<i64>,
    ) -> rusqlite::Result<()> {
        statement.execute(params![self.at.micros(), wan, self.kind, self.payload])?;
        Ok(())
    }
}

/// What is written in one transaction, all or nothing.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) cycles: Vec<CycleRow>,
    pub(super) events: Vec<EventRow>,
    pub(super) memories: Vec<MemoryRow>,
    /// The newest only: it replaces what was before.
    pub(super) steering: Option<SteeringRow>,
}

impl Batch {
    pub(super) fn is_empty(&self) -> bool {
        self.cycles.is_empty()
            && self.events.is_empty()
            && self.memories.is_empty()
            && self.steering.is_none()
    }
}

/// SQLite has no unsigned integers; what does not fit has overflowed long before.
fn int(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn bps(rate: BitRate) -> i64 {
    int(rate.bps())
}

fn micros(span: Duration) -> i64 {
    Delay::from(span).micros()
}
