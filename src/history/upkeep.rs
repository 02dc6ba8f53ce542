//! What the writer does between batches: builds tiers and forgets, all in steps of a few
//! milliseconds and within a budget, so that the queue never waits for it.
//!
//! A step is one transaction: a tier is built of the finer one and the finer one trimmed, or
//! neither. It starts from what the database says, so that one that was cut off by a crash is
//! simply done again.

use std::time::{Duration, Instant};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use wanctl_core::units::Timestamp;

use super::{
    retention::Retention,
    rollup, schema,
    tier::{Level, Tier},
};
use crate::history::retention;

/// A bucket is built this long after its end, when the batch with its last cycles has been
/// written. Cycles that come later still are added to it.
const LATE: Duration = Duration::from_secs(5);
/// What one call may take, and a step with it.
const BUDGET: Duration = Duration::from_millis(50);
/// When space is short, the finest level goes first, down to this.
const SHORTEST: Duration = Duration::from_mins(10);
/// Of the allowed bytes, what is left to the log: it is cut back to about this.
pub(super) const LOG_BYTES: u64 = 8 << 20;

/// Does some of what is due at `now`, and returns whether more is. Ages are counted from `aged`,
/// which is `now` unless that is doubted.
pub(super) fn run(
    connection: &mut Connection,
    now: Timestamp,
    aged: Timestamp,
    keep: &Retention,
) -> rusqlite::Result<bool> {
    let deadline = Instant::now() + BUDGET;
    let wans: Vec<i64> = schema::all_wans(connection)?.into_iter().map(|(id, _)| id).collect();
    let mut upkeep = Upkeep { connection, now, aged, keep, deadline };
    let more = upkeep.all(&wans)?;
    retention::vacuum(upkeep.connection)?;
    Ok(more)
}

struct Upkeep<'a> {
    connection: &'a mut Connection,
    now: Timestamp,
    aged: Timestamp,
    keep: &'a Retention,
    deadline: Instant,
}

impl Upkeep<'_> {
    fn all(&mut self, wans: &[i64]) -> rusqlite::Result<bool> {
        // One step each before a second of any: a backlog of one thing stops no other.
        loop {
            let mut more = false;
            for &wan in wans {
                for level in Level::ALL {
                    more |= self.build_and_trim(wan, level)?;
                    if Instant::now() >= self.deadline {
                        return Ok(true);
                    }
                }
            }
            let (aged, keep) = (self.aged, self.keep);
            more |= self.step(|t| retention::trim_events(t, aged, keep))?;
            more |= self.make_room(wans)?;
            if !more || Instant::now() >= self.deadline {
                return Ok(more);
            }
        }
    }

    /// Builds the tier above `level` and then forgets what is old of `level`.
    fn build_and_trim(&mut self, wan: i64, level: Level) -> rusqlite::Result<bool> {
        let until = retention::before(self.now, LATE);
        let cut = retention::before(self.aged, self.keep.of(level));
        self.step(|transaction| {
            let more = match level.coarser() {
                Some(tier) => rollup::build(transaction, wan, tier, until)?,
                None => false,
            };
            Ok(retention::trim(transaction, wan, level, cut)? || more)
        })
    }

    /// Forgets the oldest rows of the finest level that has any to spare, if the file is too big.
    fn make_room(&mut self, wans: &[i64]) -> rusqlite::Result<bool> {
        let allowed = self.keep.bytes.saturating_sub(LOG_BYTES);
        if retention::used_bytes(self.connection)? <= allowed {
            return Ok(false);
        }
        let cut = retention::before(self.now, SHORTEST);
        for level in Level::ALL {
            let mut some = false;
            for &wan in wans {
                some |= self.step(|transaction| retention::trim(transaction, wan, level, cut))?;
            }
            if some {
                return Ok(true);
            }
        }
        let fewer = Retention { event_count: 1_000, ..*self.keep };
        let aged = self.aged;
        self.step(|transaction| retention::trim_events(transaction, aged, &fewer))
    }

    /// Runs a step in a transaction that takes the write lock only if it writes.
    fn step(
        &mut self,
        step: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<bool>,
    ) -> rusqlite::Result<bool> {
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Deferred)?;
        let more = step(&transaction)?;
        transaction.commit()?;
        Ok(more)
    }
}

const _: () = assert!(Tier::ALL.len() + 1 == Level::ALL.len(), "each tier is a level");

#[cfg(test)]
mod tests;
