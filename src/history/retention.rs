//! Forgetting what is old or too much, a little at a time.
//!
//! Each step is a transaction of its own of a few milliseconds, so that neither the queue nor a
//! reader ever meets a long one.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, params};
use wanctl_core::units::{Delay, Timestamp};

use super::{
    mark,
    row::raw_table,
    tier::{Level, Tier},
};

/// How much is kept: each level for its time, and all of it within `bytes`, whichever ends first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// How long single cycles are kept.
    pub raw: Duration,
    /// How long buckets of a second are kept.
    pub seconds: Duration,
    /// How long buckets of a minute are kept.
    pub minutes: Duration,
    /// How long buckets of five minutes are kept.
    pub five_minutes: Duration,
    /// How long buckets of an hour are kept.
    pub hours: Duration,
    /// How long events are kept; those of written rates for a day at most.
    pub events: Duration,
    /// How many events are kept.
    pub event_count: i64,
    /// What the database and its log may take together.
    pub bytes: u64,
}

impl Default for Retention {
    fn default() -> Self {
        let days = |days: u64| Duration::from_hours(24 * days);
        Self {
            raw: days(1),
            seconds: days(3),
            minutes: days(30),
            five_minutes: days(180),
            hours: days(5 * 365),
            events: days(365),
            event_count: 1_000_000,
            bytes: 2_000_000_000,
        }
    }
}

impl Retention {
    /// Returns how long a level is kept.
    pub(super) const fn of(&self, level: Level) -> Duration {
        match level {
            Level::Raw => self.raw,
            Level::Tier(Tier::Second) => self.seconds,
            Level::Tier(Tier::Minute) => self.minutes,
            Level::Tier(Tier::FiveMinutes) => self.five_minutes,
            Level::Tier(Tier::Hour) => self.hours,
        }
    }
}

/// Writes of rates are covered by the tiers' sums, too.
const RATE_WRITTEN_RETENTION: Duration = Duration::from_hours(24);
/// Rows in one step: 25 s of cycles, or some hundred kB of buckets.
const STEP_ROWS: i64 = 500;
/// Free pages that are left in the file for the next rows; to give them back and to take them
/// again would only write more.
const SPARE_PAGES: i64 = 256;
/// Pages given back in one call.
const VACUUM_PAGES: i64 = 64;

/// Returns the moment `span` before `now`, in seconds since the epoch.
pub(super) fn before(now: Timestamp, span: Duration) -> i64 {
    now.micros().saturating_sub(Delay::from(span).micros()).div_euclid(1_000_000)
}

/// Forgets some of the WAN's rows of a level that are older than the second `cut` and are covered by
/// a coarser tier; returns whether any were. To be called in a transaction.
pub(super) fn trim(
    connection: &Connection,
    wan: i64,
    level: Level,
    cut: i64,
) -> rusqlite::Result<bool> {
    let step = level.step();
    let built = match level.coarser() {
        Some(tier) => mark::read(connection, wan, Level::Tier(tier))?.built,
        None => i64::MAX,
    };
    let cut = step.floor(cut.min(built));
    // The table, its key, the rows of the WAN, and how many of the key's units are a second.
    let (table, key, of_wan, unit) = match level {
        Level::Raw => (raw_table(wan), "at_ms", "true".to_owned(), 1000),
        Level::Tier(tier) => (tier.table().to_owned(), "start", format!("wan = {wan}"), 1),
    };
    // The second of the row after this many older ones.
    let at = |offset: i64| {
        let sql =
            format!("SELECT {key} FROM {table} WHERE {of_wan} ORDER BY {key} LIMIT 1 OFFSET ?1");
        let found = connection.prepare_cached(&sql)?.query_row([offset], |row| row.get(0));
        Ok::<_, rusqlite::Error>(found.optional()?.map(|at: i64| at.div_euclid(unit)))
    };
    let Some(oldest) = at(0)?.filter(|&oldest| oldest < cut) else { return Ok(false) };
    // Whole steps, of which one at least.
    let end = step.floor(at(STEP_ROWS)?.unwrap_or(cut));
    let end = end.max(step.floor(oldest).saturating_add(step.seconds())).min(cut);
    let sql = format!("DELETE FROM {table} WHERE {of_wan} AND {key} < ?1");
    connection.prepare_cached(&sql)?.execute([end.saturating_mul(unit)])?;
    mark::raise(connection, wan, level, "trimmed", end)?;
    Ok(true)
}

/// Removes some events that are too old or too many; returns whether there were any.
pub(super) fn trim_events(
    connection: &Connection,
    now: Timestamp,
    keep: &Retention,
) -> rusqlite::Result<bool> {
    let cut = |span: Duration| now.micros().saturating_sub(Delay::from(span).micros());
    let mut removed = 0;
    for (condition, bound) in [
        ("at < ?1", cut(keep.events)),
        ("kind = 'rate_written' AND at < ?1", cut(RATE_WRITTEN_RETENTION.min(keep.events))),
        ("id <= (SELECT max(id) FROM event) - ?1", keep.event_count),
    ] {
        // Asked first, because even a deletion of nothing takes the write lock.
        let exists = format!("SELECT EXISTS (SELECT 1 FROM event WHERE {condition})");
        let due: bool = connection.prepare_cached(&exists)?.query_row([bound], |row| row.get(0))?;
        if due {
            let delete = format!(
                "DELETE FROM event WHERE id IN
                 (SELECT id FROM event WHERE {condition} LIMIT ?2)"
            );
            removed += connection.prepare_cached(&delete)?.execute(params![bound, STEP_ROWS])?;
        }
    }
    Ok(removed > 0)
}

/// Returns what the database's content takes, in bytes.
pub(super) fn used_bytes(connection: &Connection) -> rusqlite::Result<u64> {
    let read = |pragma: &str| -> rusqlite::Result<i64> {
        connection.prepare_cached(pragma)?.query_row([], |row| row.get(0))
    };
    let pages = read("PRAGMA page_count")? - read("PRAGMA freelist_count")?;
    Ok((pages * read("PRAGMA page_size")?).unsigned_abs())
}

/// Gives some free pages back to the file system.
pub(super) fn vacuum(connection: &Connection) -> rusqlite::Result<()> {
    let free: i64 =
        connection.prepare_cached("PRAGMA freelist_count")?.query_row([], |row| row.get(0))?;
    let surplus = (free - SPARE_PAGES).min(VACUUM_PAGES);
    if surplus > 0 {
        // It frees one page for each row that is asked for, so all must be.
        let mut vacuum = connection.prepare(&format!("PRAGMA incremental_vacuum({surplus})"))?;
        let mut pages = vacuum.query([])?;
        while pages.next()?.is_some() {}
    }
    Ok(())
}
