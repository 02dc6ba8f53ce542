//! A cycle and an event as the integers and texts that are stored.

mod pack;
mod summed;

use rusqlite::{Statement, params};

use pack::Unpacked;
pub(super) use pack::{Carry, CycleValues, PackedField, RAW_COLUMNS, field};
pub(super) use summed::summed;
use wanctl_core::{
    Cycle,
    units::{Delay, Timestamp},
};

use super::{Event, memory::MemoryRow};

/// The longest time that a cycle can stand for. After more than that, nothing is known about the
/// time since the cycle before.
pub(super) const LONGEST_SPAN_MS: i64 = 2_000;

/// One row of a WAN's table of cycles, but for the database's number of the WAN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CycleRow {
    /// The WAN's place in the settings.
    pub(super) wan: usize,
    /// The moment of the cycle in ms; the row may end up a little later, if that is taken.
    pub(super) at_ms: i64,
    pub(super) values: CycleValues,
}

impl CycleRow {
    /// Builds the row of `cycle`. Counters are counted from those of `before`, the WAN's cycle
    /// before it; `carry` holds what had no room in the rows before.
    pub(super) fn new(cycle: &Cycle, before: Option<&Cycle>, carry: &mut Carry) -> Self {
        let at_ms = cycle.wall.micros().div_euclid(1000);
        Self { wan: cycle.wan, at_ms, values: pack::pack(cycle, before, carry) }
    }
}

/// Returns the name of the table of the WAN with this number.
pub(super) fn raw_table(wan: i64) -> String {
    format!("cycle_{wan}")
}

/// Inserts an event.
pub(super) const INSERT_EVENT: &str =
    "INSERT INTO event (at, wan, kind, payload) VALUES (?1, ?2, ?3, ?4)";

/// One row of the table `event`, but for the database's number of its WAN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EventRow {
    at: Timestamp,
    /// The WAN's place in the settings, or `None` if the event is not about one WAN.
    pub(super) wan: Option<usize>,
    kind: String,
    payload: String,
}

impl EventRow {
    pub(super) fn new(at: Timestamp, wan: Option<usize>, event: &Event) -> Self {
        let (kind, payload) = event.stored();
        Self { at, wan, kind, payload }
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
}

impl Batch {
    pub(super) fn is_empty(&self) -> bool {
        self.cycles.is_empty() && self.events.is_empty() && self.memories.is_empty()
    }
}

/// Returns the time from one monotonic moment to another in whole ms, so rounded that the times
/// of successive cycles add up.
fn millis_between(before: &Cycle, now: &Cycle) -> i64 {
    let millis = |cycle: &Cycle| Delay::from(cycle.at.since_start()).micros().div_euclid(1000);
    millis(now).saturating_sub(millis(before))
}
